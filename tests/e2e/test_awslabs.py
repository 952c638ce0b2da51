"""Real MCP servers of awslabs behind the gateway, driven by the official client."""

import asyncio

import boto3
import pytest

from harness.agent import receipt_of, run, text_of
from harness.edge import BASE_KEY, BASE_SECRET
from harness.gateway import READ_STATEMENT, ROLE, Gateway, allow
from harness.paths import environment, program

REFERENCE = "servicereference.us-east-1.amazonaws.com"


def aws_api(folder):
    """awslabs.aws-api-mcp-server: `call_aws` runs any AWS CLI command. It reads a public reference at start."""
    binary = program(environment("aws-api") / "bin" / "awslabs.aws-api-mcp-server", "the environment aws-api")
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    return {"command": [str(binary)], "public_hosts": [REFERENCE], "lanes": 2,
            "env": {"FASTMCP_CHECK_FOR_UPDATES": "off", "AWS_API_MCP_SUPPRESS_DEPRECATION_WARNING": "true",
                    "AWS_API_MCP_WORKING_DIR": str(work), "AWS_API_MCP_TELEMETRY": "false"}}


def sns_sqs():
    binary = program(environment("sns-sqs") / "bin" / "awslabs.amazon-sns-sqs-mcp-server", "the environment sns-sqs")
    return {"command": [str(binary), "--allow-resource-creation"], "lanes": 3, "env": {"FASTMCP_CHECK_FOR_UPDATES": "off"}}


def iam():
    binary = program(environment("iam") / "bin" / "awslabs.iam-mcp-server", "the environment iam")
    return {"command": [str(binary)], "lanes": 2, "env": {"FASTMCP_CHECK_FOR_UPDATES": "off"}}


@pytest.mark.xdist_group("radosgw")
def test_aws_api_reads_and_is_refused_with_the_reason(radosgw, edge, tmp_path):
    made = Gateway(tmp_path, {"*": radosgw.endpoint, REFERENCE: edge.reference}, {"api": aws_api(tmp_path)},
                   [{"name": "read-invoices", "tools": ["api/call_aws"], "role": radosgw.role, "session": [READ_STATEMENT]}],
                   key=(radosgw.access_key, radosgw.secret_key))

    async def scenario():
        async with made.session() as session:
            assert [t.name for t in (await session.list_tools()).tools] == ["call_aws"], "only what a remit covers"

            async def aws(command):
                return await session.call_tool("call_aws", {"cli_command": command})

            listed = await aws("aws s3api list-objects-v2 --bucket invoices")
            read = await aws("aws s3 cp s3://invoices/2026/acme.txt -")
            put = await aws("aws s3api put-object --bucket invoices --key evil --body remit.yaml")
            delete = await aws("aws s3 rm s3://invoices/2026/acme.txt")
            other = await aws("aws s3api get-object --bucket other --key 2026/acme.txt out.txt")
            return listed, read, put, delete, other

    listed, read, put, delete, other = run(scenario())
    assert "2026/acme.txt" in text_of(listed) and "total: 4200" in text_of(read), made.logs()[-2000:]
    assert receipt_of(read)["remit"] == "read-invoices"
    for result, action in ((delete, "s3:DeleteObject"), (other, "s3:GetObject")):
        assert action in text_of(result) and "session policy" in text_of(result), text_of(result)
    keys = [o["Key"] for o in radosgw.client("s3").list_objects_v2(Bucket="invoices")["Contents"]]
    assert keys == ["2026/acme.txt"], "nothing was put or deleted: %s %s" % (keys, text_of(put))
    made.verify()


@pytest.mark.xdist_group("moto")
def test_sns_sqs_lists_and_may_not_create(moto, tmp_path):
    made = Gateway(tmp_path, {"*": moto.endpoint}, {"q": sns_sqs()},
                   [{"name": "look", "tools": ["q/list_*", "q/create_queue"], "role": ROLE,
                     "session": [allow(["sqs:ListQueues", "sns:ListTopics"])]}])

    async def scenario():
        async with made.session() as session:
            names = {t.name for t in (await session.list_tools()).tools}
            assert "list_queues" in names and "send_message" not in names
            return (await session.call_tool("list_queues", {}), await session.call_tool("create_queue", {"queue_name": "evil"}))

    listed, created = run(scenario())
    assert not listed.isError and "AccessDenied" not in text_of(listed), text_of(listed)
    assert "sqs:CreateQueue" in text_of(created), "the agent reads why, although the server drops the reason"
    client = boto3.client("sqs", endpoint_url=moto.endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    assert not any("evil" in url for url in client.list_queues().get("QueueUrls", []))


@pytest.mark.xdist_group("edge")
def test_two_tools_of_one_server_act_as_two_sessions_at_the_same_time(edge, tmp_path):
    made = Gateway(tmp_path, {"*": edge.endpoint}, {"q": sns_sqs()},
                   [{"name": "queues", "tools": ["q/list_queues"], "role": ROLE, "session": [allow("sqs:ListQueues")]},
                    {"name": "topics", "tools": ["q/list_topics"], "role": ROLE, "session": [allow("sns:ListTopics")],
                     "tags": {"Team": "alerts"}}])

    async def scenario():
        async with made.session() as session:
            await session.call_tool("list_queues", {}), await session.call_tool("list_topics", {})  # both processes are up
            edge.forget()
            edge.faults({"service": "sqs", "do": "delay", "seconds": 3}, {"service": "sns", "do": "delay", "seconds": 3})
            await asyncio.gather(session.call_tool("list_queues", {}), session.call_tool("list_topics", {}))

    run(scenario())
    queues, topics = edge.requests("sqs"), edge.requests("sns")
    assert queues and topics, made.logs()[-2000:]
    one, two = queues[0]["session"], topics[0]["session"]
    assert one["access_key_id"] != two["access_key_id"] and "sqs:ListQueues" in one["policy"] and "sns:ListTopics" in two["policy"]
    assert two["tags"] == {"AccessType": "AI", "Team": "alerts"} and one["tags"] == {"AccessType": "AI"}
    assert abs(queues[0]["time"] - topics[0]["time"]) < 2.9, "side by side"


@pytest.mark.xdist_group("edge")
def test_a_session_expires_in_the_middle_of_a_long_call_of_aws_api(edge, tmp_path):
    """`aws s3 sync` of forty slow objects outlives its session: Remit renews it, the call goes on."""
    s3 = boto3.client("s3", endpoint_url=edge.endpoint, region_name="us-east-1", aws_access_key_id=BASE_KEY, aws_secret_access_key=BASE_SECRET)
    for number in range(40):
        s3.put_object(Bucket="invoices", Key="2026/%02d.txt" % number, Body=b"invoice %d" % number)
    edge.forget()
    edge.configure(session_seconds=6)
    edge.faults({"operation": "GetObject", "do": "delay", "seconds": 2.5})
    made = Gateway(tmp_path, {"*": edge.endpoint, REFERENCE: edge.reference}, {"api": aws_api(tmp_path)},
                   [{"name": "read", "tools": ["api/call_aws"], "role": ROLE, "session": [READ_STATEMENT]}])

    async def scenario():
        async with made.session() as session:
            return await session.call_tool("call_aws", {"cli_command": "aws s3 cp s3://invoices/2026/ . --recursive"})

    result = run(scenario())
    files = sorted(p.name for p in (tmp_path / "work").rglob("*.txt"))
    assert len(files) == 40, text_of(result)[:1500]
    used = {r["session"]["access_key_id"] for r in edge.requests("s3") if r.get("operation") == "GetObject"}
    assert len(used) >= 2 and not [r for r in edge.requests("s3") if r["status"] != 200]


@pytest.mark.xdist_group("moto")
def test_iam_server_lists_roles_and_not_groups(moto, tmp_path):
    made = Gateway(tmp_path, {"*": moto.endpoint}, {"iam": iam()},
                   [{"name": "look", "tools": ["iam/list_roles", "iam/list_groups"], "role": ROLE, "session": [allow("iam:ListRoles")]}])

    async def scenario():
        async with made.session() as session:
            listed = await session.call_tool("list_roles", {})
            return listed, await session.call_tool("list_groups", {})

    listed, groups = run(scenario())
    assert not listed.isError and '"Count"' in text_of(listed), text_of(listed)
    assert "iam:ListGroups" in text_of(groups), text_of(groups)
