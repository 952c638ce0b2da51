"""A remit pinned to regions and accounts, asked by boto3 for places outside of them, in both modes."""

import json

import pytest

from harness.edge import ACCOUNT, Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

pytestmark = pytest.mark.xdist_group("edge")

PROGRAM = r"""
import boto3, json, sys
from botocore.config import Config

for asked in json.loads(sys.argv[1]):
    config = Config(retries={"total_max_attempts": 1}, **asked.get("config", {}))
    client = boto3.client(asked["service"], region_name=asked["region"], config=config)
    try:
        getattr(client, asked["operation"])(**asked.get("parameters", {}))
        said = "done"
    except Exception as wrong:
        said = str(wrong)
    print(json.dumps(said))
"""

OTHER = "999988887777"


def ask(service, region, operation, parameters=None, **config):
    return {"service": service, "region": region, "operation": operation, "parameters": parameters or {}, "config": config}


# What is asked for, and what the refusal says; None: it passes.
ENDPOINT = [
    (ask("sqs", "eu-central-1", "list_queues"), None),
    (ask("sqs", "eu-west-3", "list_queues"), None),
    (ask("s3", "eu-central-1", "get_object", {"Bucket": "invoices", "Key": "a"}), None),
    (ask("iam", "eu-central-1", "list_roles"), "`global` in `regions` admits"),
    (ask("sqs", "us-east-1", "list_queues"), "signed for region us-east-1"),
    (ask("dynamodb", "eu-central-2", "list_tables"), "signed for region eu-central-2"),
    (ask("sqs", "cn-north-1", "list_queues"), "region cn-north-1 of partition aws-cn"),
    (ask("sqs", "us-gov-west-1", "list_queues"), "region us-gov-west-1 of partition aws-us-gov"),
    (ask("sqs", "eusc-de-east-1", "list_queues"), "region eusc-de-east-1 of partition aws-eusc"),
    (ask("sqs", "us-iso-east-1", "list_queues"), "region us-iso-east-1 of partition aws-iso"),
    (ask("ec2", "eu-central-1", "copy_snapshot", {"SourceRegion": "us-west-2", "SourceSnapshotId": "snap-1"}), "names region us-west-2"),
    (ask("dynamodb", "eu-central-1", "get_item", {"TableName": "arn:aws:dynamodb:us-east-1:%s:table/t" % ACCOUNT, "Key": {"a": {"S": "b"}}}),
     "names a resource in region us-east-1"),
    (ask("dynamodb", "eu-central-1", "get_item", {"TableName": "arn:aws:dynamodb:eu-central-1:%s:table/t" % OTHER, "Key": {"a": {"S": "b"}}}),
     "names a resource of account " + OTHER),
    (ask("sts", "eu-central-1", "assume_role", {"RoleArn": "arn:aws:iam::%s:role/x" % OTHER, "RoleSessionName": "work"}),
     "names a resource of account " + OTHER),
    (ask("ecr", "eu-central-1", "batch_get_image", {"registryId": OTHER, "repositoryName": "repo", "imageIds": [{"imageTag": "t"}]}),
     "account " + OTHER),
]
TUNNEL = [
    (ask("sqs", "eu-central-1", "list_queues"), None),
    (ask("sqs", "eu-west-1", "list_queues", use_fips_endpoint=True), None),
    (ask("sqs", "us-east-1", "list_queues", use_fips_endpoint=True), "signed for region us-east-1"),
    (ask("sqs", "us-east-1", "list_queues", use_dualstack_endpoint=True), "signed for region us-east-1"),
    (ask("s3", "us-east-1", "get_object", {"Bucket": "invoices", "Key": "a"}), "signed for region us-east-1"),
    (ask("s3", "eu-central-1", "get_object", {"Bucket": "arn:aws:s3:us-west-2:%s:accesspoint/p" % ACCOUNT, "Key": "a"}, s3={"use_arn_region": True}),
     "signed for region us-west-2"),
    (ask("s3", "eu-central-1", "get_object", {"Bucket": "arn:aws:s3:eu-central-1:%s:accesspoint/p" % OTHER, "Key": "a"}),
     "names a resource of account " + OTHER),
    (ask("s3control", "eu-central-1", "list_access_points", {"AccountId": OTHER}), "account " + OTHER),
    (ask("iam", "eu-central-1", "list_roles"), "`global` in `regions` admits"),
    (ask("route53", "aws-global", "list_hosted_zones"), "`global` in `regions` admits"),
    (ask("sts", "aws-global", "get_session_token"), "signed for region us-east-1"),
]


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("pins"), {"*": edge.endpoint}, {"t": tools_upstream()},
                       [{"name": "europe", "tools": ["t/run", "t/echo"], "role": ROLE, "session": [allow("*")],
                         "regions": ["eu-central-1", "eu-west-*"], "accounts": [ACCOUNT]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.gateway = edge, made
            yield agent


def run(agent, asked, proxy):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "-u", "AWS_ENDPOINT_URL_S3_CONTROL", "AWS_CONFIG_FILE=/dev/null"] if proxy else ["env"]
    agent.edge.forget()
    answer = agent.call("run", within=270, seconds=240, command=[
        *wrapper, str(environment("harness") / "bin" / "python"), "-c", PROGRAM, json.dumps(asked)])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    return [json.loads(line) for line in done["out"].splitlines()]


@pytest.mark.parametrize("rows,proxy", [(ENDPOINT, False), (TUNNEL, True)], ids=["endpoint", "tunnel"])
def test_what_is_outside_of_the_pins_does_not_leave(pinned, rows, proxy):
    said = run(pinned, [asked for asked, _ in rows], proxy)
    wrong = []
    for (asked, reason), answer in zip(rows, said, strict=True):
        refused = "is pinned to" in answer or "is of partition aws" in answer
        if (reason is None and refused) or (reason is not None and (reason not in answer or not refused)):
            wrong.append("%s: %s" % (asked, answer[:400]))
    assert not wrong, "\n".join(wrong)
    scopes = {r.get("region") for r in pinned.edge.requests()}
    assert scopes and all(s.startswith("eu-") for s in scopes), scopes
    pinned.gateway.verify()


def test_the_session_is_told_of_the_accounts(pinned):
    policy = json.loads(pinned.edge.sessions()[-1]["policy"])
    assert policy["Statement"][-1] == {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"Null": {"aws:ResourceAccount": "false"}, "StringNotEquals": {"aws:ResourceAccount": ACCOUNT}}}


def test_endpoint_mode_in_another_partition(tmp_path):
    """Where a client cannot say which host it means, Remit knows those of `aws-iso` too: nothing else stands in for AWS here."""
    with Edge() as edge:
        hosts = ["sts.us-iso-east-1.c2s.ic.gov", "iam.us-iso-east-1.c2s.ic.gov", "sqs.us-iso-west-1.c2s.ic.gov"]
        made = Gateway(tmp_path, {host: edge.endpoint for host in hosts}, {"t": tools_upstream()},
                       [{"name": "iso", "tools": ["t/run"], "role": ROLE.replace("arn:aws:", "arn:aws-iso:"), "session": [allow("*")]}],
                       aws={"region": "us-iso-east-1"})
        with made.start() as agent:
            agent.initialize()
            asked = [ask("sqs", "us-iso-west-1", "list_queues"), ask("iam", "us-iso-west-1", "list_roles"), ask("sqs", "us-east-1", "list_queues")]
            command = [str(environment("harness") / "bin" / "python"), "-c", PROGRAM, json.dumps(asked)]
            answer = agent.call("run", command=command)
            done = json.loads(answer["result"]["content"][0]["text"])
            assert done["code"] == 0, done
            said = [json.loads(line) for line in done["out"].splitlines()]
            assert said[:2] == ["done", "done"] and "region us-east-1 of partition aws" in said[2], said
        arrived = {(r["service"], r["region"]) for r in edge.requests() if r["service"] != "sts"}
        assert arrived == {("sqs", "us-iso-west-1"), ("iam", "us-iso-east-1")}, arrived
