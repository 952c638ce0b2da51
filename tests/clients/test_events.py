"""Event streams both ways: a real SDK sends signed messages, Remit signs each of them anew, the double verifies each and answers it
at once, while the client goes on sending.

The Rust SDK takes HTTP/1.1 as well; test_http2.py has those that insist on HTTP/2.
"""

import json

import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import client

pytestmark = pytest.mark.xdist_group("sigv4a")

MODEL = "amazon.nova-sonic-v1:0"


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with Edge(http2=True) as edge:
        made = Gateway(tmp_path_factory.mktemp("events"), {"*": edge.endpoint},
                       {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "clients", "tools": ["t/run", "t/echo"], "role": ROLE, "session": [
                           allow("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/" + MODEL)]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.made = edge, made
            yield agent


def run(agent, model, way):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if way == "proxy" else []
    agent.edge.forget()
    answer = agent.call("run", within=100, seconds=60, command=wrapper + client("rust") + ["events", model])
    assert "result" in answer and not answer["result"].get("isError"), str(answer)[:3000]
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    return json.loads(done["out"].splitlines()[-1])


@pytest.mark.parametrize("way", ["endpoint", "proxy"])
def test_messages_go_both_ways_at_once(through, way):
    step = run(through, MODEL, way)
    assert step["ok"], step
    (arrived,) = through.edge.requests()
    assert arrived["payload"] == "events" and arrived["status"] == 200 and not arrived.get("error"), arrived
    assert arrived["http"] == (2 if way == "proxy" else 1)  # the client takes HTTP/2 where TLS offers it, and is followed
    assert arrived["session"]["role"] == ROLE and arrived["events"] == 4  # three, and the one that wraps nothing


def test_another_model_is_refused(through):
    step = run(through, "amazon.other-v1:0", "proxy")
    assert not step["ok"] and "AccessDenied" in step["error"], step
    assert not through.edge.requests()
