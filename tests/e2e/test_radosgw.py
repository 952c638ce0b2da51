"""The main job on S3 and STS that enforce session policies themselves."""

import pytest

from harness.agent import attempt, receipt_of, run, text_of, value_of
from harness.gateway import READ_STATEMENT, Gateway, allow, tools_upstream

pytestmark = pytest.mark.xdist_group("radosgw")


def gateway(radosgw, folder, env=None, **sections):
    made = Gateway(
        folder, {"*": radosgw.endpoint}, {"t": tools_upstream()},
        [{"name": "read-invoices", "tools": ["t/read_object", "t/write_object", "t/aws"], "role": radosgw.role,
          "session": [READ_STATEMENT], "tags": {"Team": "billing"}, "duration": "15m"},
         {"name": "ask-who", "tools": ["t/who"], "role": radosgw.role, "session": [allow("sts:GetCallerIdentity")]}],
        key=(radosgw.access_key, radosgw.secret_key), **sections)
    made.env.update(env or {})
    return made


def test_reading_the_one_bucket_works_and_has_a_receipt(radosgw, tmp_path):
    made = gateway(radosgw, tmp_path)

    async def scenario():
        async with made.session() as session:
            listed = [tool.name for tool in (await session.list_tools()).tools]
            assert sorted(listed) == ["aws", "read_object", "who", "write_object"], "the list is the check"
            result = await session.call_tool("read_object", {"bucket": "invoices", "key": "2026/acme.txt"})
            assert value_of(result) == "total: 4200\n"
            return receipt_of(result)

    receipt = run(scenario())
    assert receipt["remit"] == "read-invoices" and receipt["role"] == radosgw.role and receipt["session"]
    shown = made.run("ledger", "show", receipt["call"], "--ledger", made.ledger).stdout
    assert "s3:GetObject" in shown and "read-invoices" in shown
    made.verify()


@pytest.mark.parametrize("tool,arguments", [
    ("write_object", {"bucket": "invoices", "key": "new.txt", "body": "x"}),
    ("aws", {"service": "s3", "operation": "delete_object", "parameters": {"Bucket": "invoices", "Key": "2026/acme.txt"}}),
    ("read_object", {"bucket": "other", "key": "2026/acme.txt"}),
    ("aws", {"service": "s3", "operation": "head_object", "parameters": {"Bucket": "other", "Key": "2026/acme.txt"}}),
    ("aws", {"service": "s3", "operation": "list_buckets"}),
])
def test_what_the_session_policy_does_not_allow_is_refused_with_the_reason(radosgw, tmp_path, tool, arguments):
    made = gateway(radosgw, tmp_path)

    async def scenario():
        async with made.session() as session:
            return await session.call_tool(tool, arguments)

    result = run(scenario())
    said = text_of(result)
    action = {"write_object": "s3:PutObject", "read_object": "s3:GetObject"}.get(tool) or {
        "delete_object": "s3:DeleteObject", "head_object": "s3:GetObject", "list_buckets": "s3:ListAllMyBuckets"}[arguments["operation"]]
    assert action in said and "session policy" in said, said
    s3 = radosgw.client("s3")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="invoices")["Contents"]] == ["2026/acme.txt"]
    made.verify()


def test_with_remits_own_check_off_radosgw_refuses_too(radosgw, tmp_path):
    made = gateway(radosgw, tmp_path, env={"REMIT_UNSAFE_TESTING": "1"}, egress={"unsafe_disable_decision": True})

    async def scenario():
        async with made.session() as session:
            read = await session.call_tool("read_object", {"bucket": "invoices", "key": "2026/acme.txt"})
            put = await session.call_tool("write_object", {"bucket": "invoices", "key": "new.txt", "body": "x"})
            other = await session.call_tool("read_object", {"bucket": "other", "key": "2026/acme.txt"})
            return read, put, other

    read, put, other = run(scenario())
    assert value_of(read) == "total: 4200\n"
    for refused in (put, other):
        assert refused.isError and "AccessDenied" in text_of(refused), text_of(refused)
    assert [o["Key"] for o in radosgw.client("s3").list_objects_v2(Bucket="invoices")["Contents"]] == ["2026/acme.txt"]


def test_the_check_is_not_switched_off_without_the_environment_saying_so(radosgw, tmp_path):
    made = gateway(radosgw, tmp_path, egress={"unsafe_disable_decision": True})
    done = made.run("gateway", "--config", made.path, check=False)
    assert done.returncode == 2 and "REMIT_UNSAFE_TESTING" in done.stderr + done.stdout


def test_a_tool_that_no_remit_covers_is_neither_listed_nor_callable(radosgw, tmp_path):
    made = gateway(radosgw, tmp_path)

    async def scenario():
        async with made.session() as session:
            return await attempt(session, "surroundings", {})

    refused, said = run(scenario())
    assert refused and "surroundings" in said


def test_who_am_i_names_the_session_not_the_broker(radosgw, tmp_path):
    """radosgw has no GetCallerIdentity (405): what Remit answers itself or passes on is shown by the edge double."""
    made = gateway(radosgw, tmp_path)

    async def scenario():
        async with made.session() as session:
            return await session.call_tool("who", {})

    assert "broker" not in text_of(run(scenario()))
