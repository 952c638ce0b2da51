"""Credentials that a call asks AWS for: real clients get placeholders that act within the call's limits and end with it.

The double holds each request to the session whose key signed it, and keeps the real keys: none may be in what a client saw.
"""

import json

import pytest

from harness.edge import Edge
from harness.gateway import READ_STATEMENT, ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

pytestmark = pytest.mark.xdist_group("edge")

DEPLOY = "arn:aws:iam::444455556666:role/deploy"
DIRECTORY = "fast--use1-az4--x-s3"
MAY = [allow(["sts:AssumeRole", "sts:GetSessionToken", "sts:GetFederationToken"]),
       allow(["s3:GetObject", "s3:PutObject", "s3:ListBucket"], ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]),
       allow("s3express:CreateSession", "arn:aws:s3express:us-east-1:111122223333:bucket/" + DIRECTORY)]


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    with Edge(buckets=("invoices", "other", DIRECTORY, "slow--use1-az4--x-s3")) as edge:
        upstream = tools_upstream(env={"AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "false"})
        made = Gateway(tmp_path_factory.mktemp("derived"), {"*": edge.endpoint}, {"t": upstream},
                       [{"name": "deploy", "tools": ["t/run"], "role": ROLE, "session": MAY, "tags": {"Team": "billing"},
                         "transitive": ["AccessType", "Team"]}])
        with made.start() as agent:
            agent.initialize()
            agent.made, agent.edge = made, edge
            yield agent


def shell(lane, script, *arguments):
    """A script with the awscli of the locked environment as `aws`."""
    folder = environment("harness") / "bin"
    answer = lane.call("run", command=["bash", "-ec", 'export PATH="%s:$PATH"\n%s' % (folder, script), "script", *arguments])
    text = answer["result"]["content"][0]["text"]
    assert not answer["result"].get("isError"), text
    done = json.loads(text)
    no_real_key(lane, text)
    return done


def python(lane, program):
    answer = lane.call("run", command=[str(environment("harness") / "bin" / "python"), "-c", "import boto3, json\n" + program])
    done = json.loads(answer["result"]["content"][0]["text"])
    no_real_key(lane, answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-2000:]
    return json.loads(done["out"])


def no_real_key(lane, text):
    for session in lane.edge.sessions():
        assert session["secret"] not in text and session["token"] not in text


ASSUME = """
eval "$(aws sts assume-role --role-arn "$1" --role-session-name mine --output text \\
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' |
  { read -r a b c; echo "export AWS_ACCESS_KEY_ID=$a AWS_SECRET_ACCESS_KEY=$b AWS_SESSION_TOKEN=$c"; })"
"""


def test_assume_role_in_a_script_and_s3_with_what_it_gave(lane):
    lane.edge.forget()
    done = shell(lane, ASSUME + """
echo 42 | aws s3 cp - s3://invoices/total
aws s3 cp s3://invoices/total -
aws s3 ls s3://invoices/
aws sts get-caller-identity --query Arn --output text
aws s3 ls s3://other/ || echo "refused as it should be"
""", DEPLOY)
    assert done["code"] == 0, done["err"]
    assert "42" in done["out"] and "total" in done["out"] and ":assumed-role/deploy/" in done["out"]
    assert "refused as it should be" in done["out"] and "AccessDenied" in done["err"]
    asked = [r for r in lane.edge.requests("sts") if r["operation"] == "AssumeRole" and r["assume_role"]["RoleArn"] == DEPLOY]
    assert len(asked) == 1
    assert asked[0]["session"]["role"] == ROLE, "the call's own session asked"
    assert asked[0]["assume_role"]["RoleSessionName"] != "mine" and "s3:GetObject" in asked[0]["assume_role"]["Policy"]
    used = [r for r in lane.edge.requests("s3")]
    assert used and all(r["session"]["role"] == DEPLOY for r in used), "they arrive as the role that was assumed"
    assert all(r["session"]["tags"] == {"AccessType": "AI", "Team": "billing"} for r in used), "transitive tags hold"
    assert all(r["session"]["source_identity"] == "jane" for r in used)


def test_the_clis_own_role_profile(lane):
    """`role_arn` with `source_profile`: the client assumes the role by itself."""
    done = shell(lane, """
cat "$AWS_CONFIG_FILE" > "$HOME/config"
printf '[profile deploy]\\nrole_arn = %s\\nsource_profile = default\\nregion = us-east-1\\nendpoint_url = %s\\n' "$1" "$AWS_ENDPOINT_URL" >> "$HOME/config"
export AWS_CONFIG_FILE="$HOME/config"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
aws sts get-caller-identity --profile deploy --query Arn --output text
""", DEPLOY)
    assert done["code"] == 0, done["err"]
    assert ":assumed-role/deploy/" in done["out"]


def test_what_the_caller_passed_narrows_further(lane):
    out = python(lane, """
sts = boto3.client("sts")
policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}})
got = sts.assume_role(RoleArn=%r, RoleSessionName="mine", Policy=policy)["Credentials"]
s3 = boto3.client("s3", aws_access_key_id=got["AccessKeyId"], aws_secret_access_key=got["SecretAccessKey"],
                  aws_session_token=got["SessionToken"])
said = []
for name, ask in (("get", lambda: s3.get_object(Bucket="invoices", Key="nothing")),
                  ("put", lambda: s3.put_object(Bucket="invoices", Key="x", Body=b"y")),
                  ("far", lambda: s3.get_object(Bucket="other", Key="a"))):
    try:
        ask(); said.append([name, "ok", ""])
    except Exception as wrong:
        said.append([name, wrong.response["Error"]["Code"], wrong.response["Error"]["Message"]])
print(json.dumps(said))
""" % DEPLOY)
    said = {name: (code, message) for name, code, message in out}
    assert said["get"][0] == "NoSuchKey", "asked AWS"
    assert said["put"][0] == "AccessDenied" and "the policy passed to AssumeRole" in said["put"][1]
    assert said["far"][0] == "AccessDenied" and 'remit "deploy"' in said["far"][1]


def test_session_and_federation_tokens(lane):
    out = python(lane, """
sts = boto3.client("sts")
policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}})
said = []
for got in (sts.get_session_token(DurationSeconds=900), sts.get_federation_token(Name="bob", Policy=policy),
            sts.get_federation_token(Name="nobody")):
    keys = got["Credentials"]
    s3 = boto3.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
                      aws_session_token=keys["SessionToken"])
    for ask in (lambda: s3.list_objects_v2(Bucket="invoices"), lambda: s3.put_object(Bucket="invoices", Key="x", Body=b"y")):
        try:
            ask(); said.append("ok")
        except Exception as wrong:
            said.append(wrong.response["Error"]["Code"])
print(json.dumps(said))
""")
    assert out == ["ok", "ok", "ok", "AccessDenied", "AccessDenied", "AccessDenied"]


def test_what_was_given_ends_with_the_call(lane):
    got = python(lane, """
got = boto3.client("sts").assume_role(RoleArn=%r, RoleSessionName="mine")["Credentials"]
print(json.dumps([got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]]))
""" % DEPLOY)
    said = python(lane, """
s3 = boto3.client("s3", aws_access_key_id=%r, aws_secret_access_key=%r, aws_session_token=%r)
try:
    s3.list_objects_v2(Bucket="invoices"); said = "ok"
except Exception as wrong:
    said = str(wrong)
print(json.dumps(said))
""" % tuple(got))
    assert "call that is over" in said
    records = lane.made.records()
    derived = [r["body"] for r in records if r["kind"] == "session-minted" and r["body"].get("derived") == "AssumeRole"]
    assert derived and all(d["role"] == DEPLOY for d in derived)
    assert "mine" in {d["asked_session_name"] for d in derived}
    assert not any(got[1] in json.dumps(r) or got[2] in json.dumps(r) for r in records)
    lane.made.verify()


@pytest.mark.parametrize("way", ["endpoint", "proxy"])
def test_s3_express_sessions_of_boto3(lane, way):
    lane.edge.forget()
    out = python(lane, """
import os
if %r == "proxy":
    os.environ.pop("AWS_ENDPOINT_URL"); os.environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
s3 = boto3.client("s3")
s3.put_object(Bucket=%r, Key="a", Body=b"hello")
text = s3.get_object(Bucket=%r, Key="a")["Body"].read().decode()
try:
    s3.get_object(Bucket="slow--use1-az4--x-s3", Key="a"); other = "ok"
except Exception as wrong:
    other = wrong.response["Error"]["Code"]
print(json.dumps([text, other]))
""" % (way, DIRECTORY, DIRECTORY))
    assert out == ["hello", "AccessDenied"]
    arrived = lane.edge.requests("s3express")
    assert [r["operation"] for r in arrived] == ["CreateSession", "PutObject", "GetObject"]
    assert all(r["status"] == 200 for r in arrived), arrived
    assert arrived[0]["access_key_id"] != arrived[1]["access_key_id"] == arrived[2]["access_key_id"]
    assert any(n == "x-amz-s3session-token" for n, _ in arrived[1]["headers"])


def test_other_credentials_stay_refused_with_the_reason(lane):
    out = python(lane, """
said = []
for service, operation, more in (("ecr", "get_authorization_token", {}), ("sts", "assume_role_with_web_identity", dict(
        RoleArn="arn:aws:iam::444455556666:role/deploy", RoleSessionName="me", WebIdentityToken="abcdef")),
        ("iam", "create_access_key", {}), ("redshift", "get_cluster_credentials", dict(DbUser="a", ClusterIdentifier="b")),
        ("cognito-identity", "get_credentials_for_identity", dict(IdentityId="us-east-1:1"))):
    try:
        getattr(boto3.client(service), operation)(**more); said.append("ok")
    except Exception as wrong:
        said.append(str(wrong))
print(json.dumps(said))
""")
    assert len(out) == 5 and all("Remit" in text for text in out), out
    for text in (out[0], out[2], out[3]):
        assert "would hand out credentials" in text, text
    assert "another identity" in out[1], out[1]



def test_radosgw_holds_the_assumed_role_to_the_remit_by_itself(radosgw, tmp_path):
    """Ceph's STS enforces session policies: with Remit's own check off, what the derived session may do is what was sent."""
    made = Gateway(tmp_path, {"*": radosgw.endpoint}, {"t": tools_upstream()}, [
        {"name": "chain", "tools": ["t/run"], "role": radosgw.role, "session": [
            READ_STATEMENT, allow("sts:AssumeRole")]}], key=(radosgw.access_key, radosgw.secret_key),
        egress={"unsafe_disable_decision": True})
    made.env["REMIT_UNSAFE_TESTING"] = "1"
    program = """
import boto3, json
got = boto3.client("sts").assume_role(RoleArn=%r, RoleSessionName="mine")["Credentials"]
s3 = boto3.client("s3", aws_access_key_id=got["AccessKeyId"], aws_secret_access_key=got["SecretAccessKey"],
                  aws_session_token=got["SessionToken"])
said = []
for ask in (lambda: s3.get_object(Bucket="invoices", Key="2026/acme.txt"), lambda: s3.put_object(Bucket="invoices", Key="x", Body=b"y"),
            lambda: s3.get_object(Bucket="other", Key="2026/acme.txt")):
    try:
        ask(); said.append("ok")
    except Exception as wrong:
        said.append(wrong.response["Error"]["Code"])
print(json.dumps(said))
""" % radosgw.role
    with made.start() as agent:
        agent.initialize()
        answer = agent.call("run", command=[str(environment("harness") / "bin" / "python"), "-c", program])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-2000:]
    assert json.loads(done["out"]) == ["ok", "AccessDenied", "AccessDenied"]
