"""Answers that are event streams, read by boto3 through egress: each event comes while the stream is open, and who leaves cuts it."""

import json
import time
from pathlib import Path

import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

pytestmark = pytest.mark.xdist_group("sigv4a")

PROGRAM = Path(__file__).parent / "programs" / "streams.py"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
GROUP = "arn:aws:logs:us-east-1:111122223333:log-group:work"
# The operation, the action that the remit allows, the events of five asked for, and the host in the tunnel.
STREAMS = {
    "invoke": ("bedrock:InvokeModelWithResponseStream", ["chunk"] * 5),
    "converse": ("bedrock:InvokeModelWithResponseStream", ["messageStart", *["contentBlockDelta"] * 3, "messageStop"]),
    "tail": ("logs:StartLiveTail", ["sessionStart", *["sessionUpdate"] * 5]),
}


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("streams"), {"*": edge.endpoint},
                       {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "streams", "tools": ["t/run", "t/echo"], "role": ROLE, "session": [
                           allow("bedrock:InvokeModelWithResponseStream", MODEL), allow("logs:StartLiveTail", GROUP + ":*")]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.made = edge, made
            yield agent


def command(way, *arguments):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if way == "proxy" else []
    return [*wrapper, str(environment("harness") / "bin" / "python"), str(PROGRAM), *map(str, arguments)]


def run(agent, way, *arguments):
    agent.edge.forget()
    answer = agent.call("run", within=100, seconds=60, command=command(way, *arguments))
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    return [json.loads(line) for line in done["out"].splitlines()]


def arrived(agent, until=lambda entry: True, seconds=20):
    """The one request, as soon as the double says of it what is waited for."""
    for _ in range(seconds * 10):
        found = agent.edge.requests()
        if found and found[-1].get("sent") is not None and until(found[-1]):
            return found[-1]
        time.sleep(0.1)
    raise AssertionError(found)


@pytest.mark.parametrize("way", ["endpoint", "proxy"])
@pytest.mark.parametrize("operation", STREAMS)
def test_events_come_while_the_stream_is_open(through, operation, way):
    action, expected = STREAMS[operation]
    *came, end = run(through, way, operation, 5, 99)
    assert [e["event"] for e in came] == expected and end == {"read": len(expected)}
    entry = arrived(through)
    sent = entry["sent"][-len(expected):]  # a stream of JSON 1.1 begins with a message that boto3 keeps
    assert entry["session"]["role"] == ROLE and not entry["gone"]
    # Each but the last was in the client's hands before the double sent the next but one: nothing gathers them.
    for number in range(len(expected) - 2):
        assert came[number]["at"] < sent[number + 2], (number, came, sent)
    # One decision for the stream, on the action of the table.
    decided = [r for r in through.made.records() if r["kind"] == "aws-decided"][-1]
    assert action in json.dumps(decided) and '"decision": "allowed"' in json.dumps(decided), decided


@pytest.mark.parametrize("way", ["endpoint", "proxy"])
def test_a_client_that_leaves_cuts_the_stream_at_aws(through, way):
    came = run(through, way, "invoke", 40, 2)
    assert [e.get("event") for e in came] == ["chunk", "chunk", None]
    entry = arrived(through, lambda e: e["gone"])
    assert 2 <= len(entry["sent"]) < 40


def test_a_call_that_is_cancelled_cuts_the_stream_at_aws(through):
    through.edge.forget()
    number = through.send("tools/call", {"name": "run", "arguments": {"command": command("endpoint", "invoke", 60, 99), "seconds": 60}})
    arrived(through, lambda e: len(e["sent"]) >= 2)
    through.send("notifications/cancelled", {"requestId": number, "reason": "enough"}, notify=True)
    entry = arrived(through, lambda e: e["gone"])
    assert len(entry["sent"]) < 60


def test_another_model_is_refused_before_the_stream(through):
    through.edge.forget()
    source = PROGRAM.read_text().replace("nova-lite", "nova-pro")
    answer = through.call("run", command=[str(environment("harness") / "bin" / "python"), "-c", source, "invoke", "5", "99"])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] != 0 and "AccessDenied" in done["err"] and "nova-pro" in done["err"], done
    assert not through.edge.requests()
