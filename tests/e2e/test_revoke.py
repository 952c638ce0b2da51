"""`remit revoke`: sessions end at once, in the middle of a call; prefetch; a policy too long for STS."""

import json
import threading
import time

import pytest

from harness.gateway import READ_STATEMENT, ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

pytestmark = pytest.mark.xdist_group("edge")

OTHER = "arn:aws:iam::111122223333:role/agents/other"
OBJECT = {"bucket": "invoices", "key": "a"}


def seed(edge):
    import boto3

    from harness.edge import BASE_KEY, BASE_SECRET

    s3 = boto3.client("s3", endpoint_url=edge.endpoint, region_name="us-east-1", aws_access_key_id=BASE_KEY,
                      aws_secret_access_key=BASE_SECRET)
    s3.put_object(Bucket="invoices", Key="a", Body=b"hello")
    edge.forget()


def gateway(edge, folder, remits=None, **aws):
    return Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream()}, remits or [
        {"name": "slow", "tools": ["t/slow_reads"], "role": ROLE, "session": [READ_STATEMENT]},
        {"name": "quick", "tools": ["t/read_object"], "role": OTHER, "session": [READ_STATEMENT]}], aws=aws)


def revoke(made, *flags, check=True):
    done = made.run("revoke", "--config", made.path, "--json", *flags, check=check)
    return json.loads(done.stdout) if done.stdout else done


def texts(answer):
    return answer["result"]["content"][0]["text"]


def test_a_session_ends_in_the_middle_of_a_call_and_others_go_on(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        slow = {}
        running = threading.Thread(target=lambda: slow.update(agent.call("slow_reads", **OBJECT, times=12, gap=0.5)))
        running.start()
        while len(edge.requests("s3")) < 3:
            time.sleep(0.1)
        assert texts(agent.call("read_object", **OBJECT)) == '"hello"'
        said = revoke(made, "--remit", "slow")
        assert said == {"version": 1, "gateways": 1, "sessions": 1, "calls": 1}
        at = time.time()
        running.join(60)
        reads = json.loads(texts(slow))
        assert reads[0]["ok"] and not reads[-1]["ok"]
        assert all(not r["ok"] for r in reads if r["from"] > at), "nothing after the word of the gateway"
        assert texts(agent.call("read_object", **OBJECT)) == '"hello"', "another remit's session is untouched"
        assert len(edge.sessions()) == 2
        again = json.loads(texts(agent.call("slow_reads", **OBJECT, times=1, gap=0)))
        assert again[0]["ok"] and len(edge.sessions()) == 3, "the next call has a new session"
    record = [r for r in made.records() if r["kind"] == "revoked"]
    assert len(record) == 1 and record[0]["body"]["remit"] == "slow" and record[0]["body"]["by"]
    made.verify()


def test_hold_keeps_new_sessions_from_being_made(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        assert texts(agent.call("read_object", **OBJECT)) == '"hello"'
        assert revoke(made, "--all", "--hold", "600")["sessions"] == 1
        assert "were revoked" in texts(agent.call("read_object", **OBJECT))
    with made.start() as agent:  # also a gateway that starts later
        agent.initialize()
        assert "were revoked" in texts(agent.call("read_object", **OBJECT))
    assert len(edge.sessions()) == 1


def test_a_role_that_a_call_assumed_ends_and_the_call_goes_on(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [{"name": "chain", "tools": ["t/run"], "role": ROLE,
                                     "session": [READ_STATEMENT, allow("sts:AssumeRole", OTHER)]}])
    program = """
import boto3, json, os, time
from botocore.config import Config
got = boto3.client("sts").assume_role(RoleArn=%r, RoleSessionName="mine")["Credentials"]
derived = boto3.client("s3", aws_access_key_id=got["AccessKeyId"], aws_secret_access_key=got["SecretAccessKey"],
                       aws_session_token=got["SessionToken"])
said = []
def ask(client):
    try:
        client.get_object(Bucket="invoices", Key="a"); said.append("ok")
    except Exception as wrong:
        said.append(wrong.response["Error"]["Code"])
ask(derived)
open(%r, "w").close()
while not os.path.exists(%r):
    time.sleep(0.1)
ask(derived)
ask(boto3.client("s3"))
print(json.dumps(said))
""" % (OTHER, str(tmp_path / "assumed"), str(tmp_path / "revoked"))
    with made.start() as agent:
        agent.initialize()
        answer = {}
        running = threading.Thread(target=lambda: answer.update(
            agent.call("run", command=[str(environment("harness") / "bin" / "python"), "-c", program])))
        running.start()
        while not (tmp_path / "assumed").exists():
            time.sleep(0.1)
        said = revoke(made, "--role", OTHER)
        (tmp_path / "revoked").touch()
        running.join(60)
    assert said["sessions"] == 1 and said["calls"] == 0
    assert json.loads(json.loads(texts(answer))["out"]) == ["ok", "InvalidClientTokenId", "ok"], texts(answer)


def test_wrong_use_and_nobody_there(edge, tmp_path):
    made = gateway(edge, tmp_path)
    assert made.run("revoke", "--config", made.path, check=False).returncode == 2
    assert made.run("revoke", "--config", made.path, "--all", "--remit", "x", check=False).returncode == 2
    with made.start() as agent:
        agent.initialize()
        agent.call("read_object", **OBJECT)
    assert made.run("revoke", "--config", made.path, "--all", "--wait", "1", check=False).returncode == 1


def test_sessions_that_need_no_arguments_are_there_before_the_first_call(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [
        {"name": "quick", "tools": ["t/read_object"], "role": OTHER, "session": [READ_STATEMENT]},
        {"name": "bound", "tools": ["t/write_object"], "role": ROLE, "arguments": {"bucket": {"grammar": "bucket"}},
         "session": [allow("s3:PutObject", "arn:aws:s3:::${arg:bucket}/*")]}], prefetch=True)
    with made.start() as agent:
        agent.initialize()
        deadline = time.time() + 10
        while not edge.sessions() and time.time() < deadline:
            time.sleep(0.1)
        assert [s["role"] for s in edge.sessions()] == [OTHER]
        assert texts(agent.call("read_object", **OBJECT)) == '"hello"'
    assert len(edge.sessions()) == 1


def test_a_policy_too_long_for_sts_goes_as_managed_policies_and_remit_decides_by_the_whole(edge, tmp_path):
    seed(edge)
    long = [allow("s3:GetObject", ["arn:aws:s3:::invoices/a"] + ["arn:aws:s3:::other/%02d-%s" % (i, "x" * 30) for i in range(60)])]
    managed = "arn:aws:iam::111122223333:policy/agents-read"
    remit = {"name": "long", "tools": ["t/read_object"], "role": ROLE, "session": long}
    refused = gateway(edge, tmp_path / "refused", [remit])
    with refused.start() as agent:
        agent.initialize()
        text = texts(agent.call("read_object", **OBJECT))
        assert "too long for STS" in text and "of line" in text and "offload" in text
    assert not edge.sessions()
    made = gateway(edge, tmp_path / "offloaded", [{**remit, "offload": [managed]}])
    with made.start() as agent:
        agent.initialize()
        assert texts(agent.call("read_object", **OBJECT)) == '"hello"'
        assert "not allowed by remit" in json.dumps(agent.call("read_object", bucket="invoices", key="b"))
    assert [(s["policy"], s["policy_arns"]) for s in edge.sessions()] == [("", [managed])]
