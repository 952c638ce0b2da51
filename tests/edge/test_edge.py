"""Proves the double: unmodified clients are accepted, what was tampered with is refused."""

import hashlib
import hmac
import http.client
import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
from botocore.config import Config

from harness.edge import ACCOUNT, BASE_KEY, BASE_SECRET, Edge, make_certificates

sys.path.insert(0, str(Path(__file__).parent))
import pattern  # noqa: E402

ROLE = "arn:aws:iam::%s:role/agents/invoices" % ACCOUNT
CREDENTIALS = {"aws_access_key_id": BASE_KEY, "aws_secret_access_key": BASE_SECRET, "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def edge():
    with Edge() as started:
        yield started


@pytest.fixture(scope="module")
def tls_edge(tmp_path_factory):
    ca, cert, key = make_certificates(tmp_path_factory.mktemp("tls"))
    with Edge(tls=(cert, key)) as started:
        started.ca = str(ca)
        yield started


def client(edge, service, **more):
    config = more.pop("config", Config(retries={"max_attempts": 1}))
    return boto3.client(service, endpoint_url=edge.endpoint, verify=getattr(edge, "ca", None), config=config,
                        **{**CREDENTIALS, **more})


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def session_keys(answer):
    c = answer["Credentials"]
    return {"aws_access_key_id": c["AccessKeyId"], "aws_secret_access_key": c["SecretAccessKey"],
            "aws_session_token": c["SessionToken"]}


@pytest.mark.parametrize("key", ["plain", "with blank", "plus+and&amp", "söd/ünicode", "a//b", "~tilde.-_", "100%", "a=b?c"])
def test_boto3_puts_gets_and_deletes_keys_of_every_shape(edge, key):
    s3 = client(edge, "s3")
    s3.put_object(Bucket="invoices", Key=key, Body=b"hello", Metadata={"who": "two  blanks"})
    got = s3.get_object(Bucket="invoices", Key=key)
    assert got["Body"].read() == b"hello"
    assert s3.head_object(Bucket="invoices", Key=key)["ContentLength"] == 5
    assert key in [o["Key"] for o in s3.list_objects_v2(Bucket="invoices")["Contents"]]
    s3.delete_object(Bucket="invoices", Key=key)
    assert refusal(s3.get_object, Bucket="invoices", Key=key) == "NoSuchKey"


@pytest.mark.parametrize("size", [0, 1, 70_000, 8 << 20])
@pytest.mark.parametrize("plain", [True, False], ids=["http", "https"])
def test_boto3_uploads_in_the_form_it_uses_for_each_scheme(edge, tls_edge, size, plain):
    where = edge if plain else tls_edge
    body = b"".join(bytes(v) for v in pattern.views(0, size))
    s3 = client(where, "s3")
    s3.put_object(Bucket="invoices", Key="sized", Body=body)
    last = where.requests("s3")[-1]
    assert last["payload"] == ("hash" if plain else "unsigned-trailer")
    assert "x-amz-checksum-crc32" in last["verified"]
    assert where.objects()["invoices"]["sized"]["parts"] == [{"length": size, "sha256": hashlib.sha256(body).hexdigest()}]
    assert s3.get_object(Bucket="invoices", Key="sized")["Body"].read() == body


def test_boto3_multipart_upload_and_ranged_download(edge):
    s3 = client(edge, "s3")
    size = 40 << 20
    s3.upload_fileobj(io.BytesIO(b"".join(bytes(v) for v in pattern.views(0, size))), "invoices", "parts")
    found = edge.objects(verify=True)["invoices"]["parts"]
    assert found["length"] == size and found["is_pattern"] and len(found["parts"]) == 5
    out = io.BytesIO()
    s3.download_fileobj("invoices", "parts", out)
    assert hashlib.sha256(out.getvalue()).hexdigest() == pattern.sha256(0, size)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_other_checksums_are_verified_in_trailers(tls_edge, algorithm):
    client(tls_edge, "s3").put_object(Bucket="invoices", Key="sum", Body=b"123456789", ChecksumAlgorithm=algorithm)
    assert "x-amz-checksum-" + algorithm.lower() in tls_edge.requests("s3")[-1]["verified"]


def test_slow_checksums_have_their_published_check_values():
    import sigv4

    for name, value in [("x-amz-checksum-crc32c", "e3069283"), ("x-amz-checksum-crc64nvme", "ae8b14860a799888")]:
        summer = sigv4.CHECKSUMS[name]()
        summer.update(b"123456789")
        assert summer.digest().hex() == value


def test_presigned_urls_work_and_expire(edge):
    s3 = client(edge, "s3", config=Config(signature_version="s3v4"))
    s3.put_object(Bucket="invoices", Key="pre", Body=b"signed")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "invoices", "Key": "pre"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"signed"
    for bad in [url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), url.replace("/pre?", "/other?")]:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(bad)
    edge.clock(120)
    try:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        assert b"Request has expired" in caught.value.read()
    finally:
        edge.clock(0)


@pytest.mark.parametrize("service,call,arguments", [
    ("dynamodb", "list_tables", {}),
    ("sqs", "list_queues", {"QueueNamePrefix": "a b+c"}),
    ("sns", "list_topics", {}),
    ("lambda", "list_functions", {}),
    ("iam", "list_roles", {"PathPrefix": "/agents/"}),
    ("kms", "list_keys", {}),
    ("secretsmanager", "list_secrets", {}),
    ("cloudformation", "describe_stacks", {"StackName": "søm"}),
    ("logs", "describe_log_groups", {}),
    ("ec2", "describe_instances", {}),
    ("apigateway", "get_resources", {"restApiId": "a1"}),
])
def test_every_protocol_of_boto3_is_accepted_and_recorded(edge, service, call, arguments):
    getattr(client(edge, service), call)(**arguments)
    last = edge.requests()[-1]
    assert last["status"] == 200 and "signature" in last["verified"] and last["user"]["arn"].endswith("user/broker")


def test_assume_role_keeps_all_that_makes_the_session(edge):
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    answer = client(edge, "sts").assume_role(
        RoleArn=ROLE, RoleSessionName="remit-1", Policy=policy, DurationSeconds=900, ExternalId="ext-1",
        Tags=[{"Key": "AccessType", "Value": "AI"}, {"Key": "Team", "Value": "billing + ops"}],
        TransitiveTagKeys=["AccessType"], SourceIdentity="jane")
    assert 0 < answer["PackedPolicySize"] <= 100 and answer["SourceIdentity"] == "jane"
    session = edge.sessions()[-1]
    assert session["policy"] == policy and session["tags"] == {"AccessType": "AI", "Team": "billing + ops"}
    assert session["external_id"] == "ext-1" and session["transitive"] == ["AccessType"] and session["duration"] == 900
    keys = session_keys(answer)
    who = client(edge, "sts", **keys).get_caller_identity()
    assert who["Arn"] == "arn:aws:sts::%s:assumed-role/invoices/remit-1" % ACCOUNT
    # A chained session inherits, may not override, and lives an hour at most.
    chained = client(edge, "sts", **keys)
    assert refusal(chained.assume_role, RoleArn=ROLE, RoleSessionName="two", DurationSeconds=3601) == "ValidationError"
    assert refusal(chained.assume_role, RoleArn=ROLE, RoleSessionName="two",
                   Tags=[{"Key": "accesstype", "Value": "human"}]) == "AccessDenied"
    chained.assume_role(RoleArn=ROLE, RoleSessionName="two")
    assert edge.sessions()[-1]["tags"] == {"AccessType": "AI"} and edge.sessions()[-1]["source_identity"] == "jane"


@pytest.mark.parametrize("change,code", [
    ({"RoleSessionName": "with blank"}, "ValidationError"),
    ({"DurationSeconds": 43201}, "ValidationError"),
    ({"SourceIdentity": "aws:jane"}, "ValidationError"),
    ({"Policy": "{}"}, "MalformedPolicyDocument"),
    ({"Policy": '{"Statement":[' + " " * 2048 + "]}"}, "ValidationError"),
    ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"),
    ({"Tags": [{"Key": "k", "Value": "no;semicolon"}]}, "ValidationError"),
    ({"TransitiveTagKeys": ["absent"]}, "InvalidParameterValue"),
    ({"Tags": [{"Key": os.urandom(24).hex(), "Value": os.urandom(100).hex()} for _ in range(20)]}, "PackedPolicyTooLarge"),
])
def test_assume_role_refuses_what_aws_refuses(edge, change, code):
    sts = client(edge, "sts", config=Config(parameter_validation=False))
    assert refusal(sts.assume_role, **{"RoleArn": ROLE, "RoleSessionName": "ok", **change}) == code


def test_a_session_token_belongs_to_its_key_and_expires(edge):
    sts = client(edge, "sts")
    one, two = (session_keys(sts.assume_role(RoleArn=ROLE, RoleSessionName=n)) for n in ("one", "two"))
    assert client(edge, "s3", **one).list_buckets()["Buckets"]
    swapped = {**one, "aws_session_token": two["aws_session_token"]}
    assert refusal(client(edge, "s3", **swapped).list_buckets) == "InvalidToken"
    assert refusal(client(edge, "s3", **{**one, "aws_session_token": None}).list_buckets) == "InvalidToken"
    assert refusal(client(edge, "s3", aws_secret_access_key="wrong").list_buckets) == "SignatureDoesNotMatch"
    edge.expire_sessions()
    assert refusal(client(edge, "s3", **one).list_buckets) == "ExpiredToken"
    assert refusal(client(edge, "dynamodb", **two).list_tables) == "ExpiredTokenException"


def test_an_express_session_is_of_one_bucket_and_one_mode():
    fast, slow = "fast--use1-az4--x-s3", "slow--use1-az4--x-s3"
    with Edge(buckets=(fast, slow)) as edge:
        s3 = client(edge, "s3")
        s3.put_object(Bucket=fast, Key="a", Body=b"hello")
        assert s3.get_object(Bucket=fast, Key="a")["Body"].read() == b"hello"
        first, put, _ = edge.requests("s3express")
        assert first["operation"] == "CreateSession" and first["access_key_id"] != put["access_key_id"]

        keys = s3.create_session(Bucket=fast, SessionMode="ReadOnly")["Credentials"]
        mine = botocore.credentials.Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

        def ask(method, bucket):
            url = "%s/%s/a" % (edge.endpoint, bucket)
            request = botocore.awsrequest.AWSRequest(method, url, data=b"")
            botocore.auth.S3ExpressAuth(mine, "s3express", "us-east-1", identity_cache={}).add_auth(request)
            sent = urllib.request.Request(url, method=method, headers=dict(request.headers.items()))
            try:
                return urllib.request.urlopen(sent, timeout=10).status
            except urllib.error.HTTPError as wrong:
                return wrong.code

        assert [ask("GET", fast), ask("PUT", fast), ask("GET", slow)] == [200, 403, 403]


def test_a_clock_off_by_an_hour_is_refused(edge):
    edge.clock(3600)
    try:
        assert refusal(client(edge, "sts").get_caller_identity) == "SignatureDoesNotMatch"
        # boto3 corrects its clock by the answer's Date for S3; a raw request shows the refusal.
        status, text = send(edge, sign(edge, "GET", "/"))
        assert status == 403 and "RequestTimeTooSkewed" in text
    finally:
        edge.clock(0)


def test_faults_are_injected_and_end(edge):
    edge.faults({"service": "sts", "do": "error", "status": 400, "code": "Throttling", "count": 1})
    assert refusal(client(edge, "sts", config=Config(retries={"total_max_attempts": 1})).get_caller_identity) == "Throttling"
    client(edge, "sts").get_caller_identity()
    edge.faults({"operation": "GetObject", "do": "reset-download", "bytes": 1000, "count": 1})
    s3 = client(edge, "s3", config=Config(retries={"total_max_attempts": 1}))
    s3.put_object(Bucket="invoices", Key="cut", Body=b"x" * 5000)
    with pytest.raises(Exception):
        s3.get_object(Bucket="invoices", Key="cut")["Body"].read()
    edge.faults({"service": "sts", "do": "delay", "seconds": 0.5, "count": 1})
    start = time.monotonic()
    client(edge, "sts").get_caller_identity()
    assert time.monotonic() - start >= 0.5
    edge.faults()


# --- Raw requests: what a well-behaved client never sends -------------------------------------------


def sign(edge, method, path, body=b"", headers=None, token=None):
    """A request signed by botocore, as http.client takes it."""
    request = botocore.awsrequest.AWSRequest(method, edge.endpoint + path, headers=dict(headers or {}), data=body)
    botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(BASE_KEY, BASE_SECRET, token), "s3", "us-east-1").add_auth(request)
    return method, path, dict(request.headers.items()), body


def send(edge, request, **change):
    method, path, headers, body = request
    headers = {**headers, **change.pop("headers", {})}
    connection = http.client.HTTPConnection(urlsplit(edge.endpoint).netloc, timeout=10)
    connection.request(change.get("method", method), change.get("path", path), body=change.get("body", body), headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("change,code", [
    ({"body": b"HELLO"}, "XAmzContentSHA256Mismatch"),
    ({"path": "/invoices/raw2"}, "SignatureDoesNotMatch"),
    ({"path": "/invoices/raw?acl"}, "SignatureDoesNotMatch"),
    ({"method": "POST"}, "SignatureDoesNotMatch"),
    ({"headers": {"x-amz-acl": "public-read"}}, "not signed"),
    ({"headers": {"x-amz-meta-a": "2"}}, "SignatureDoesNotMatch"),
    ({"headers": {"X-Amz-Date": "20260101T000000Z"}}, "scope&apos;s day|scope's day"),
    ({"headers": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}}, "IncompleteSignature"),
    ({"headers": {"Authorization": "AWS AKIA:sig"}}, "IncompleteSignature"),
])
def test_a_tampered_request_is_refused(edge, change, code):
    good = sign(edge, "PUT", "/invoices/raw", b"hello", {"x-amz-meta-a": "1"})
    assert send(edge, good)[0] == 200
    status, text = send(edge, good, **change)
    assert status in (400, 403) and any(c in text for c in code.split("|")), text


def chunked(edge, body, trailer=False, spoil=None):
    """A signed-chunks upload by hand, from S3's description; `spoil` changes the bytes of one place."""
    import sigv4

    form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    headers = {"X-Amz-Content-SHA256": form, "x-amz-decoded-content-length": str(len(body)),
               "Content-Encoding": "aws-chunked"}
    if trailer:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    request = botocore.awsrequest.AWSRequest("PUT", edge.endpoint + "/invoices/chunked", headers=headers)
    auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(BASE_KEY, BASE_SECRET), "s3", "us-east-1")
    auth.payload = lambda _: form
    auth._should_sha256_sign_payload = lambda _: False
    request.context["client_config"] = None
    request.headers["X-Amz-Content-SHA256"] = form
    auth.canonical_request = (lambda plain: lambda r: plain(r).rsplit("\n", 1)[0] + "\n" + form)(auth.canonical_request)
    auth.add_auth(request)
    del request.headers["X-Amz-Content-SHA256"]
    request.headers["X-Amz-Content-SHA256"] = form
    date = request.headers["X-Amz-Date"]
    scope = "/".join([date[:8], "us-east-1", "s3", "aws4_request"])
    key = sigv4.signing_key(BASE_SECRET, date[:8], "us-east-1", "s3")
    previous = request.headers["Authorization"].rsplit("=", 1)[1]

    def link(kind, *hashes):
        text = "\n".join([kind, date, scope, previous, *hashes])
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    out, size = b"", 65536
    pieces = [body[i : i + size] for i in range(0, len(body), size)] + [b""]
    for piece in pieces:
        previous = link("AWS4-HMAC-SHA256-PAYLOAD", sigv4.EMPTY_SHA256, hashlib.sha256(piece).hexdigest())
        out += b"%x;chunk-signature=%s\r\n" % (len(piece), previous.encode())
        out += piece + b"\r\n" if piece else b""
    if trailer:
        import base64
        import zlib

        line = "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        previous = link("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256((line + "\n").encode()).hexdigest())
        out += (line + "\r\nx-amz-trailer-signature:" + previous + "\r\n").encode()
    out += b"\r\n"
    if spoil:
        assert spoil[0] in out
        at = out.rindex(spoil[0])
        out = out[:at] + spoil[1] + out[at + len(spoil[0]):]
    return send(edge, ("PUT", "/invoices/chunked", dict(request.headers.items()), out))


@pytest.mark.parametrize("trailer", [False, True])
def test_signed_chunks_are_verified_one_by_one(edge, trailer):
    body = os.urandom(200_000)
    large = os.urandom(5_000_000)  # several fills of every buffer on the way
    assert chunked(edge, large, trailer) == (200, "")
    assert edge.objects()["invoices"]["chunked"]["parts"][0]["sha256"] == hashlib.sha256(large).hexdigest()
    assert chunked(edge, body, trailer) == (200, "")
    last = edge.requests("s3")[-1]
    assert "chunk-signatures" in last["verified"] and last["chunks"] == 4
    assert edge.objects()["invoices"]["chunked"]["parts"][0]["sha256"] == hashlib.sha256(body).hexdigest()
    spoils = [(body[100_000:100_010], b"0123456789"), (b"chunk-signature=", b"chunk-signatur3="), (b"\r\n0;", b"\r\n1;")]
    if trailer:
        spoils += [(b"x-amz-trailer-signature:", b"x-amz-trailer-signatur3:"), (b"crc32:", b"crc32c:")]
    for spoil in spoils:
        assert chunked(edge, body, trailer, spoil)[0] in (400, 403), spoil


@pytest.mark.parametrize("head", [
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
])
def test_ambiguous_framing_is_refused(edge, head):
    host, port = urlsplit(edge.endpoint).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sock.sendall(head)
        assert sock.recv(4096).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("where", ["debian", "locked"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_both_versions_of_the_aws_cli_are_accepted(edge, tls_edge, tmp_path, where, secure):
    program = Path("/usr/bin/aws") if where == "debian" else Path(sys.prefix) / "bin" / "aws"
    if not program.exists():
        pytest.skip("no %s" % program)
    target = tls_edge if secure else edge
    size = 20 << 20
    big, back = tmp_path / "big", tmp_path / "back"
    big.write_bytes(b"".join(bytes(v) for v in pattern.views(0, size)))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": BASE_KEY,
           "AWS_SECRET_ACCESS_KEY": BASE_SECRET, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    if secure:
        env["AWS_CA_BUNDLE"] = target.ca

    def aws(*arguments):
        done = subprocess.run([str(program), "--endpoint-url", target.endpoint, *arguments], env=env, capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    aws("s3", "cp", "--quiet", str(big), "s3://invoices/cli")
    assert target.objects(verify=True)["invoices"]["cli"]["is_pattern"]
    aws("s3", "cp", "--quiet", "s3://invoices/cli", str(back))
    assert back.read_bytes() == big.read_bytes()
    assert '"Arn": "arn:aws:iam::%s:user/broker"' % ACCOUNT in aws("sts", "get-caller-identity")
    assert "cli" in aws("s3", "ls", "s3://invoices/")
    aws("s3", "rm", "--quiet", "s3://invoices/cli")
