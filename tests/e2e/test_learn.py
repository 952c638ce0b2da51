"""`remit learn`: what a tool was seen to do becomes its policy, which `remit check` accepts and under which it works again."""

import json

import pytest
import yaml

from harness.agent import attempt, run, value_of
from harness.gateway import ROLE, Gateway, allow, tools_upstream

pytestmark = pytest.mark.xdist_group("edge")

WIDE = [allow(["s3:*", "sqs:*", "dynamodb:*", "sts:AssumeRole"]), {**allow("ec2:*"), "Sid": "Machines"}]
DEPLOY = "arn:aws:iam::444455556666:role/deploy"


def work(session):
    async def all_of_it():
        said = []

        async def aws(service, operation, **parameters):
            said.append(await attempt(session, "aws", {"service": service, "operation": operation, "parameters": parameters}))

        for month in ("01", "02", "03"):
            await aws("s3", "list_objects_v2", Bucket="invoices", Prefix="2026/%s/" % month)
            await aws("s3", "put_object", Bucket="invoices", Key="2026/%s/a" % month, Body="x")
        await aws("s3", "copy_object", Bucket="invoices", Key="copy", CopySource="other/2026/a")
        for name in ("orders-eu", "orders-us", "orders-ap"):
            await aws("sqs", "send_message", QueueUrl="https://sqs.us-east-1.amazonaws.com/111122223333/" + name, MessageBody="x")
        await aws("dynamodb", "get_item", TableName="Orders", Key={"id": {"S": "1"}})
        await aws("sts", "assume_role", RoleArn=DEPLOY, RoleSessionName="mine")
        await aws("sts", "get_caller_identity")
        await aws("iam", "list_users")
        return said

    return all_of_it()


def gateway(edge, folder, session, **ledger):
    made = Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream()},
                   [{"name": "work", "tools": ["t/aws"], "role": ROLE, "session": session}])
    made.config["ledger"].update(ledger)
    made.path.write_text(yaml.safe_dump(made.config, sort_keys=False, width=1000))
    return made


def do(made):
    async def scenario():
        async with made.session() as session:
            return await work(session)

    return run(scenario())


def learnt(made, *flags, check=True):
    return made.run("learn", "--config", made.path, *flags, check=check)


@pytest.mark.parametrize("observe", [True, False], ids=["with conditions", "without"])
def test_what_was_seen_is_learnt_pasted_checked_and_works_again(edge, tmp_path, observe):
    made = gateway(edge, tmp_path / "wide", WIDE, observe=observe)
    before = do(made)
    text = learnt(made).stdout
    session = yaml.safe_load(text)["session"]
    tool = json.loads(learnt(made, "--json").stdout)["tools"][0]
    assert tool["tool"] == "aws" and tool["remit"] == "work" and tool["session"] == [
        {**s, "Action": s["Action"] if isinstance(s["Action"], list) else [s["Action"]],
         "Resource": s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]],
         **({"Condition": {op: {k: v if isinstance(v, list) else [v] for k, v in keys.items()}
                           for op, keys in s["Condition"].items()}} if "Condition" in s else {})} for s in session]

    actions = {a for s in tool["session"] for a in s["Action"]}
    assert actions == {"s3:ListBucket", "s3:PutObject", "s3:GetObject", "sqs:SendMessage", "dynamodb:GetItem", "sts:AssumeRole"}
    resources = {a: s["Resource"] for s in tool["session"] for a in s["Action"]}
    assert resources["s3:GetObject"] == ["arn:aws:s3:::other/2026/a"], "the source of the copy and nothing else"
    assert resources["sqs:SendMessage"] == ["arn:aws:sqs:us-east-1:111122223333:orders-*"]
    assert resources["sts:AssumeRole"] == [DEPLOY]
    conditions = json.dumps([s.get("Condition") for s in tool["session"]])
    assert ("2026/*" in conditions) == observe
    assert "iam:ListUsers" in json.dumps(tool["left_out"]) and "iam:ListUsers" not in json.dumps(tool["session"])
    changes = " ".join(c["text"] for c in tool["changes"])
    assert "Machines" in changes and "never used" in changes

    again = gateway(edge, tmp_path / "least", session)
    checked = json.loads(again.run("check", "--config", again.path, "--json").stdout)
    assert not [p for p in checked.get("problems", []) if p["severity"] == "error"], checked
    after = do(again)
    assert [refused for refused, _ in after] == [refused for refused, _ in before], list(zip(before, after))

    async def beyond():
        async with again.session() as session:
            return await attempt(session, "aws", {"service": "s3", "operation": "delete_object",
                                                  "parameters": {"Bucket": "invoices", "Key": "copy"}})

    assert run(beyond())[0], "what was never used is gone"


def test_bound_arguments_are_put_back_and_bind_again(edge, tmp_path):
    """Reads of two buckets by their argument: one statement with ${arg:bucket} comes of it, and works for each, but not across."""
    def bound(folder, session):
        return Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream()},
                       [{"name": "read", "tools": ["t/read_object"], "role": ROLE, "session": session,
                         "arguments": {"bucket": "bucket", "key": "key"}}])

    def reads(made, *objects):
        async def scenario():
            async with made.session() as session:
                return [await attempt(session, "read_object", {"bucket": b, "key": k}) for b, k in objects]

        return run(scenario())

    wide = [allow("s3:*", "arn:aws:s3:::${arg:bucket}/*")]
    made = bound(tmp_path / "wide", wide)
    reads(made, ("invoices", "2026/a"), ("other", "2026/b"))
    (tool,) = json.loads(learnt(made, "--json").stdout)["tools"]
    assert [s["Resource"] for s in tool["session"]] == [["arn:aws:s3:::${arg:bucket}/2026/a", "arn:aws:s3:::${arg:bucket}/2026/b"]]
    assert "put the arguments back" not in json.dumps(tool["changes"])
    again = bound(tmp_path / "least", yaml.safe_load(learnt(made).stdout)["session"])
    reads(again, ("other", "2026/a"), ("invoices", "2026/c"))
    decisions = [r["body"]["decision"] for r in again.records() if r["kind"] == "aws-decided"]
    assert decisions == ["allowed", "denied"]


def test_refused_requests_are_learnt_only_when_asked_for(edge, tmp_path):
    made = gateway(edge, tmp_path, [allow("s3:ListBucket", "arn:aws:s3:::invoices")])
    do(made)
    assert "s3:PutObject" not in json.dumps([t["session"] for t in json.loads(learnt(made, "--json").stdout)["tools"]])
    with_refused = json.loads(learnt(made, "--json", "--include-refused").stdout)["tools"][0]
    assert "s3:PutObject" in json.dumps(with_refused["session"]) and "iam:ListUsers" in json.dumps(with_refused["session"])
    assert any(c["kind"] == "added" for c in with_refused["changes"])


def test_nothing_to_learn_and_wrong_use(edge, tmp_path):
    made = gateway(edge, tmp_path, [allow("s3:ListBucket", "arn:aws:s3:::invoices")])

    async def nothing():
        async with made.session() as session:
            await session.list_tools()

    run(nothing())
    assert learnt(made, check=False).returncode == 1
    assert learnt(made, "--tool", "nonsense", check=False).returncode == 2
    assert learnt(made, "--since", "yesterday", check=False).returncode == 2
    assert learnt(made, "--ledger", tmp_path / "none", check=False).returncode == 2
