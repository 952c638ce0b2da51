"""S3's special hosts as botocore itself serialises them, at the endpoint and through the tunnel: docs/clients.md has the table.

What is right is told by the ledger (which action on which resource was decided) and by the double (what arrived, signed anew).
"""

import json
from pathlib import Path

import pytest

from harness.edge import ACCOUNT, Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

pytestmark = pytest.mark.xdist_group("sigv4a")

PROGRAM = Path(__file__).parent / "programs" / "s3_hosts.py"
POINT = "arn:aws:s3:us-east-1:%s:accesspoint/point" % ACCOUNT
LAMBDA = "arn:aws:s3-object-lambda:us-east-1:%s:accesspoint/masked" % ACCOUNT
OUTPOST = "arn:aws:s3-outposts:us-east-1:%s:outpost/op-01ac5d28a6a232904/" % ACCOUNT
EXPRESS = "arn:aws:s3express:us-east-1:%s:" % ACCOUNT
UNKNOWN = None
NO_HOST = "no such host"  # botocore puts something in front of 127.0.0.1, or goes past endpoint and proxy: nothing is asked

# Action, resource (None: the request does not tell it), and whether the endpoint can be asked.
CASES = {
    "access point": ("s3:GetObject", POINT + "/object/k", NO_HOST),
    "access point, alias": ("s3:GetObject", UNKNOWN, "asked"),
    "Object Lambda": ("s3-object-lambda:GetObject", LAMBDA + "/object/k", NO_HOST),
    "Object Lambda, alias": ("s3-object-lambda:GetObject", UNKNOWN, "asked"),
    "Object Lambda, the function's answer": ("s3-object-lambda:WriteGetObjectResponse", UNKNOWN, "asked"),
    "Outposts": ("s3-outposts:GetObject", OUTPOST + "accesspoint/point/object/k", NO_HOST),
    "Outposts, alias": ("s3-outposts:GetObject", UNKNOWN, NO_HOST),
    "directory bucket": ("s3express:CreateSession", EXPRESS + "bucket/work--use1-az4--x-s3", "asked"),
    "directory bucket, list": ("s3express:ListAllMyDirectoryBuckets", "*", "asked"),
    "directory bucket, access point": ("s3express:CreateSession", EXPRESS + "accesspoint/point--use1-az4--xa-s3", "asked"),
    "S3 Control": ("s3:ListAccessPoints", "*", "asked"),
    "S3 Control, an access point": ("s3:GetAccessPoint", "*", "asked"),
    "S3 Control, Outposts": ("s3-outposts:GetBucket", OUTPOST + "bucket/work", "asked"),
}
TOLD = [resource for _, resource, _ in CASES.values() if resource not in (UNKNOWN, "*")]


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("hosts"), {"*": edge.endpoint},
                       {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "narrow", "tools": ["t/run", "t/echo"], "role": ROLE, "session": [
                           allow(["s3:Get*", "s3-object-lambda:*", "s3-outposts:*", "s3express:CreateSession"], TOLD),
                           allow(["s3express:ListAllMyDirectoryBuckets", "s3:ListAccessPoints", "s3:GetAccessPoint"])]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge, agent.made = edge, made
            yield agent


@pytest.mark.parametrize("way", ["endpoint", "tunnel"])
def test_each_host_is_understood(through, way):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "-u", "AWS_ENDPOINT_URL_S3_CONTROL", "AWS_CONFIG_FILE=/dev/null"] if way == "tunnel" else []
    before = len(through.made.records())
    through.edge.forget()
    answer = through.call("run", within=200, seconds=180, command=[*wrapper, str(environment("harness") / "bin" / "python"), str(PROGRAM)])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    said = [json.loads(line) for line in done["out"].splitlines()]
    assert [s["case"] for s in said] == list(CASES)
    decisions = iter([r["body"] for r in through.made.records()[before:] if r["kind"] in ("aws-decided", "refused")])
    arrived = iter(through.edge.requests())
    wrong = []
    for case in said:
        action, resource, at_the_endpoint = CASES[case["case"]]
        asked = way == "tunnel" or at_the_endpoint == "asked"
        assert len(case["left"]) == 1, case
        if not asked:
            if "EndpointConnectionError" not in case["said"] and "Could not connect" not in case["said"]:
                wrong.append("%s: %s" % (case["case"], case))
            continue
        body = next(decisions)
        decision = "denied" if resource is UNKNOWN else "allowed"
        resources = [] if resource is UNKNOWN else [resource]
        if (body.get("actions"), body.get("resources"), body.get("decision")) != ([action], resources, decision):
            wrong.append("%s: %s\n    %s" % (case["case"], case, body))
        elif decision == "allowed":
            request = next(arrived)
            if request.get("session", {}).get("role") != ROLE or request["access_key_id"].startswith("AKIAREMIT"):
                wrong.append("%s arrived as %s" % (case["case"], request))
    assert not wrong, "\n".join(wrong)
    assert next(decisions, None) is None and next(arrived, None) is None
