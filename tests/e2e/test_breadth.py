"""Ten services through egress by boto3, each with a call that is allowed and one that is refused.

moto never evaluates a session policy: what is refused here was refused by Remit, and moto's state shows that it
never arrived.
"""

import boto3
import pytest

from harness.agent import run, text_of, value_of
from harness.gateway import ROLE, Gateway, allow, tools_upstream

pytestmark = pytest.mark.xdist_group("moto")

ALLOWED = ["dynamodb:GetItem", "dynamodb:PutItem", "sqs:ListQueues", "sqs:SendMessage", "sqs:GetQueueUrl", "sns:ListTopics",
           "sns:Publish", "lambda:ListFunctions", "iam:ListRoles", "kms:ListKeys", "kms:Encrypt", "secretsmanager:ListSecrets",
           "cloudformation:ListStacks", "logs:DescribeLogGroups", "ec2:DescribeInstances", "sts:GetCallerIdentity"]

# service, allowed operation and parameters, refused operation and parameters, its action.
CASES = [
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {"id": {"S": "2"}}}, "delete_table", {"TableName": "orders"}, "dynamodb:DeleteTable"),
    ("sqs", "list_queues", {}, "create_queue", {"QueueName": "evil"}, "sqs:CreateQueue"),
    ("sns", "list_topics", {}, "create_topic", {"Name": "evil"}, "sns:CreateTopic"),
    ("lambda", "list_functions", {}, "delete_function", {"FunctionName": "f"}, "lambda:DeleteFunction"),
    ("iam", "list_roles", {}, "create_user", {"UserName": "evil"}, "iam:CreateUser"),
    ("kms", "list_keys", {}, "create_key", {"Description": "evil"}, "kms:CreateKey"),
    ("secretsmanager", "list_secrets", {}, "get_secret_value", {"SecretId": "db"}, "secretsmanager:GetSecretValue"),
    ("cloudformation", "list_stacks", {}, "delete_stack", {"StackName": "prod"}, "cloudformation:DeleteStack"),
    ("logs", "describe_log_groups", {}, "create_log_group", {"logGroupName": "evil"}, "logs:CreateLogGroup"),
    ("ec2", "describe_instances", {}, "create_vpc", {"CidrBlock": "10.9.0.0/16"}, "ec2:CreateVpc"),
]


@pytest.fixture(scope="module")
def seeded(moto):
    # moto keeps accounts apart and finds the account of a key that it minted: the seeds belong to the role's.
    base = {"aws_access_key_id": "AKIABASE", "aws_secret_access_key": "base"}
    sts = boto3.client("sts", endpoint_url=moto.endpoint, region_name="us-east-1", **base)
    minted = sts.assume_role(RoleArn=ROLE, RoleSessionName="seed")["Credentials"]
    keys = {"aws_access_key_id": minted["AccessKeyId"], "aws_secret_access_key": minted["SecretAccessKey"],
            "aws_session_token": minted["SessionToken"]}

    def client(service):
        return boto3.client(service, endpoint_url=moto.endpoint, region_name="us-east-1", **keys)

    client("dynamodb").create_table(TableName="orders", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    client("secretsmanager").create_secret(Name="db", SecretString="a secret that must not be read")
    client("sqs").create_queue(QueueName="work")
    return client


def gateway(moto, folder, **upstream):
    return Gateway(folder, {"*": moto.endpoint}, {"t": tools_upstream(**upstream)},
                   [{"name": "breadth", "tools": ["t/aws", "t/who"], "role": ROLE, "session": [allow(ALLOWED)]}])


def test_each_service_has_an_allowed_and_a_refused_call(moto, seeded, tmp_path):
    made = gateway(moto, tmp_path)

    async def scenario():
        results = {}
        async with made.session() as session:
            for service, good, with_, bad, bad_with, _ in CASES:
                results[service] = (
                    await session.call_tool("aws", {"service": service, "operation": good, "parameters": with_}),
                    await session.call_tool("aws", {"service": service, "operation": bad, "parameters": bad_with}))
        return results

    results = run(scenario())
    wrong = []
    for service, _, _, _, _, action in CASES:
        allowed, refused = results[service]
        if allowed.isError:
            wrong.append("%s: allowed call failed: %s" % (service, text_of(allowed)[:300]))
        said = text_of(refused)
        if not refused.isError or action not in said or not any(w in said for w in ("AccessDenied", "UnauthorizedOperation")):
            wrong.append("%s: not refused as %s: %s" % (service, action, said[:300]))
    assert not wrong, "\n".join(wrong)
    assert seeded("dynamodb").list_tables()["TableNames"] == ["orders"]
    assert not seeded("iam").list_users()["Users"] and not seeded("sns").list_topics()["Topics"]
    made.verify()


def test_boto3_raises_its_usual_exception_for_a_refusal(moto, seeded, tmp_path):
    made = gateway(moto, tmp_path)

    async def scenario():
        async with made.session() as session:
            return await session.call_tool("aws", {"service": "kms", "operation": "create_key", "parameters": {}})

    said = text_of(run(scenario()))
    assert "AccessDeniedException" in said and "CreateKey" in said


def test_a_queue_is_used_by_the_url_that_the_service_gave(moto, seeded, tmp_path):
    """SQS clients use the host of the queue's URL: it must lead through egress again."""
    made = gateway(moto, tmp_path)

    async def scenario():
        async with made.session() as session:
            url = value_of(await session.call_tool("aws", {"service": "sqs", "operation": "get_queue_url", "parameters": {"QueueName": "work"}}))
            return await session.call_tool("aws", {"service": "sqs", "operation": "send_message",
                                                   "parameters": {"QueueUrl": url["QueueUrl"], "MessageBody": "hello"}})

    assert value_of(run(scenario()))["MessageId"]
    queue = seeded("sqs").get_queue_url(QueueName="work")["QueueUrl"]
    got = seeded("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert got[0]["Body"] == "hello"
