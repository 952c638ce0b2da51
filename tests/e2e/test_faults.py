"""When things break: each fault is refused or recovered from, with an error a person can act on."""

import shutil
import subprocess
import time

import pytest

from harness.agent import run, text_of, value_of
from harness.gateway import READ_STATEMENT, ROLE, Gateway, tools_upstream
from harness.processes import alive, free_port, wait_until
from test_sessions import OBJECT, seed

pytestmark = pytest.mark.xdist_group("faults")

TOOLS = ["t/read_object", "t/echo", "t/crash", "t/sleep", "t/slow_reads", "t/spawn"]


def gateway(edge, folder, endpoints=None, upstream=None, **sections):
    seed(edge)
    return Gateway(folder, endpoints or {"*": edge.endpoint}, {"t": upstream or tools_upstream()},
                   [{"name": "read", "tools": TOOLS, "role": ROLE, "session": [READ_STATEMENT]}], **sections)


def said(answer):
    """All that an agent is told by an answer, result or error."""
    if "error" in answer:
        return str(answer["error"])
    return "\n".join(part.get("text", "") for part in answer["result"]["content"])


def failed(answer):
    return "error" in answer or answer["result"].get("isError", False)


def test_sts_that_is_down_is_a_clear_refusal_and_recovers(edge, tmp_path):
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        edge.faults({"service": "sts", "do": "reset"})
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "STS" in said(answer), answer
        edge.faults()
        assert "hello" in said(agent.call("read_object", **OBJECT))
    made.verify()


def test_sts_where_nothing_listens(edge, tmp_path):
    made = gateway(edge, tmp_path, endpoints={"*": edge.endpoint, "sts": "http://127.0.0.1:%d" % free_port()})
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "STS" in said(answer), answer
    assert not edge.requests("s3"), "nothing falls back to the base credentials"


def test_sts_that_is_slow_is_waited_for(edge, tmp_path):
    made = gateway(edge, tmp_path)
    edge.faults({"service": "sts", "do": "delay", "seconds": 3, "count": 1})
    with made.start() as agent:
        agent.initialize()
        assert "hello" in said(agent.call("read_object", **OBJECT))


def test_sts_that_hangs_is_given_up_in_time(edge, tmp_path):
    made = gateway(edge, tmp_path, upstream=tools_upstream(timeouts={"start": "30s", "call": "15s", "idle": "10m"}))
    edge.faults({"service": "sts", "do": "hang", "seconds": 100})
    with made.start() as agent:
        agent.initialize()
        start = time.monotonic()
        answer = agent.call("read_object", within=90, **OBJECT)
        assert failed(answer) and time.monotonic() - start < 75, answer


def test_sts_that_throttles_is_asked_again(edge, tmp_path):
    made = gateway(edge, tmp_path)
    edge.faults({"service": "sts", "operation": "AssumeRole", "do": "error", "status": 400, "code": "Throttling",
                 "message": "Rate exceeded", "count": 1})
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("read_object", **OBJECT)
        assert "hello" in said(answer) or "Throttling" in said(answer) or "Rate exceeded" in said(answer), answer
        assert "hello" in said(agent.call("read_object", **OBJECT))


def test_sts_that_throttles_for_ever_is_a_clear_refusal(edge, tmp_path):
    made = gateway(edge, tmp_path)
    edge.faults({"service": "sts", "do": "error", "status": 400, "code": "Throttling", "message": "Rate exceeded"})
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and ("Throttling" in said(answer) or "Rate exceeded" in said(answer)), answer


@pytest.mark.parametrize("offset", [3600, -3600])
def test_a_clock_off_by_an_hour_is_named_or_mended(edge, tmp_path, offset):
    made = gateway(edge, tmp_path)
    edge.clock(offset)
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("read_object", **OBJECT)
        assert "hello" in said(answer) or (failed(answer) and ("clock" in said(answer) or "Signature" in said(answer))), answer
        edge.clock(0)
        assert "hello" in said(agent.call("read_object", **OBJECT))
    made.verify()


def test_expired_base_credentials_are_named(edge, tmp_path):
    made = gateway(edge, tmp_path)
    edge.expire_keys()
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "xpired" in said(answer), answer
    assert not edge.requests("s3")


def test_no_base_credentials_at_all(edge, tmp_path):
    made = gateway(edge, tmp_path, key=None)
    with made.start() as agent:
        answer = None
        try:
            agent.initialize()
            answer = agent.call("read_object", **OBJECT)
        except (AssertionError, OSError):
            pass
    assert answer is None or (failed(answer) and "credential" in said(answer).lower()), answer
    if answer is None:
        assert "credential" in made.logs().lower() or "AWS_ACCESS_KEY_ID" in made.logs()


def test_an_upstream_that_crashes_is_told_and_the_next_call_works(edge, tmp_path):
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("crash")
        assert failed(answer), answer
        assert "hello" in said(agent.call("read_object", **OBJECT))
    made.verify()


def test_an_upstream_that_cannot_be_started_is_told(edge, tmp_path):
    made = gateway(edge, tmp_path, upstream={"command": [str(tmp_path / "nothing-here")]})
    with made.start() as agent:
        try:
            agent.initialize()
            answer = agent.call("read_object", within=45, **OBJECT)
        except (AssertionError, OSError):
            answer = None
    assert (answer and failed(answer)) or "nothing-here" in made.logs(), (answer, made.logs())


def test_a_client_that_goes_away_leaves_nothing_behind(edge, tmp_path):
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        agent.call("echo", text="x")
        agent.send("tools/call", {"name": "sleep", "arguments": {"seconds": 60}})
        children = wait_until(agent.children, 10, "an upstream runs")
        agent.process.stdin.close()
        wait_until(lambda: agent.process.poll() is not None, 15, "the gateway ends when its client is gone")
        wait_until(lambda: not any(alive(pid) for pid in children), 5, "its children end")
    made.verify()


def test_what_an_upstream_spawned_does_not_outlive_it(edge, tmp_path):
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("spawn", seconds=60)
        assert not failed(answer), answer
        children = agent.children()
        assert len(children) >= 2
    wait_until(lambda: not any(alive(pid) for pid in children), 5, "grandchildren end too")


def test_aws_that_breaks_a_download_is_seen_by_the_tool(edge, tmp_path):
    made = gateway(edge, tmp_path)
    edge.faults({"operation": "GetObject", "do": "reset-download", "bytes": 2, "count": 1})
    with made.start() as agent:
        agent.initialize()
        assert failed(agent.call("read_object", **OBJECT))
        assert "hello" in said(agent.call("read_object", **OBJECT))


def test_a_full_disk_stops_calls_with_a_clear_error(edge, tmp_path):
    """The ledger lies on a small file system of its own, made in a mount namespace."""
    disk = tmp_path / "disk"
    disk.mkdir()
    wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
               'mount -t tmpfs -o size=600k,mode=0700 tmpfs "$0" && exec "$@"', str(disk)]
    if not shutil.which("unshare") or subprocess.run(wrapper[:6] + wrapper[6:] + ["true"], capture_output=True).returncode != 0:
        pytest.skip("no small file system can be made here (unshare and mount)")
    made = gateway(edge, tmp_path, ledger={"path": str(disk / "ledger.db")})
    with made.start(wrapper=wrapper) as agent:
        agent.initialize()
        assert not failed(agent.call("echo", text="x"))
        answer = None
        for _ in range(5000):
            answer = agent.call("echo", text="y")
            if answer is None or failed(answer):
                break
        assert answer is not None, "the gateway answers before it stops: " + made.logs()[-500:]
        assert failed(answer) and "ledger" in said(answer).lower(), answer
        before = len(edge.requests("s3"))
        try:
            after = agent.call("read_object", **OBJECT)
            assert after is None or failed(after), "nothing is forwarded without a record"
        except OSError:
            pass  # the gateway stopped, as it may
        assert len(edge.requests("s3")) == before


def test_two_gateways_share_one_ledger_or_say_why_not(edge, tmp_path):
    made = gateway(edge, tmp_path)
    with made.start() as one:
        one.initialize()
        with made.start() as two:
            try:
                two.initialize()
                both = True
            except (AssertionError, OSError):
                both = False
            if both:
                for _ in range(20):
                    assert not failed(one.call("echo", text="1")) and not failed(two.call("echo", text="2"))
    if not both:
        assert "ledger" in made.logs()
    made.verify()
