"""Where the gateway's own credentials come from: each source, with the double as STS and local stand-ins for the rest."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness.agent import run, text_of, value_of
from harness.edge import ACCOUNT, BASE_KEY, BASE_SECRET
from harness.gateway import READ_STATEMENT, ROLE, Gateway, tools_upstream

pytestmark = pytest.mark.xdist_group("edge")

BROKER = "arn:aws:iam::%s:role/broker" % ACCOUNT


def broker(edge, **parameters):
    import boto3

    return boto3.client("sts", endpoint_url=edge.endpoint, region_name="us-east-1", aws_access_key_id=BASE_KEY,
                        aws_secret_access_key=BASE_SECRET, **parameters)


def seed(edge):
    import boto3

    boto3.client("s3", endpoint_url=edge.endpoint, region_name="us-east-1", aws_access_key_id=BASE_KEY,
                 aws_secret_access_key=BASE_SECRET).put_object(Bucket="invoices", Key="a", Body=b"hello")
    edge.forget()


def temporary(edge):
    """A session of the role `broker`, in the form of container and instance credentials."""
    made = broker(edge).assume_role(RoleArn=BROKER, RoleSessionName="host", DurationSeconds=3600)["Credentials"]
    return {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"],
            "Token": made["SessionToken"], "Expiration": made["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}


class Local:
    """A small HTTP server on loopback: `routes` maps "METHOD path" to a function of the headers that gives (status, body)."""

    def __init__(self, routes):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                asked.append("%s %s" % (self.command, self.path))
                status, body = routes.get(asked[-1], lambda headers: (404, ""))(self.headers)
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def gateway(edge, folder, base, config="", env=None):
    made = Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream()},
                   [{"name": "read", "tools": ["t/read_object"], "role": ROLE, "session": [READ_STATEMENT]}], key=None,
                   aws={"base": base})
    (made.home / ".aws").mkdir()
    (made.home / ".aws" / "config").write_text(config)
    made.env.update(env or {})
    return made


def read(made):
    async def scenario():
        async with made.session() as session:
            return await session.call_tool("read_object", {"bucket": "invoices", "key": "a"})

    return run(scenario())



def test_a_profile_with_a_credential_process(edge, tmp_path):
    seed(edge)
    program = tmp_path / "give keys"
    program.write_text("#!/bin/sh\ncat <<X\n%s\nX\n" % json.dumps(
        {"Version": 1, "AccessKeyId": BASE_KEY, "SecretAccessKey": BASE_SECRET}))
    program.chmod(0o755)
    made = gateway(edge, tmp_path / "g", {"profile": "agents"}, '[profile agents]\ncredential_process = "%s"\n' % program)
    assert value_of(read(made)) == "hello"


def test_a_profile_with_a_role_and_its_source(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, {"profile": "agents"},
                   "[profile agents]\nrole_arn = %s\nsource_profile = keys\nrole_session_name = laptop\n"
                   "[profile keys]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (BROKER, BASE_KEY, BASE_SECRET))
    assert value_of(read(made)) == "hello"
    roles = [s["role"] for s in edge.sessions()]
    assert roles == [BROKER, ROLE], roles


def test_the_container_endpoint_with_its_token_file(edge, tmp_path):
    seed(edge)
    token = tmp_path / "token"
    token.write_text("eks-token\n")
    answer = temporary(edge)

    def give(headers):
        return (200, answer) if headers.get("Authorization") == "eks-token" else (401, "")

    with Local({"GET /v1/credentials": give}) as local:
        made = gateway(edge, tmp_path / "g", {}, env={
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": local.url + "/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)})
        assert value_of(read(made)) == "hello"
        assert local.asked == ["GET /v1/credentials"]


def test_the_instance_metadata_service_in_version_two(edge, tmp_path):
    seed(edge)
    answer = temporary(edge)
    path = "/latest/meta-data/iam/security-credentials/"

    def with_token(reply):
        return lambda headers: (200, reply) if headers.get("x-aws-ec2-metadata-token") == "T" else (401, "")

    with Local({"PUT /latest/api/token": lambda headers: (200, "T"), "GET " + path: with_token("host-role"),
                "GET " + path + "host-role": with_token(answer)}) as local:
        made = gateway(edge, tmp_path, {}, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": local.url})
        assert value_of(read(made)) == "hello"
        assert local.asked == ["PUT /latest/api/token", "GET " + path, "GET " + path + "host-role"]


def test_version_one_of_the_metadata_service_is_never_used(edge, tmp_path):
    seed(edge)
    with Local({"GET /latest/meta-data/iam/security-credentials/": lambda headers: (200, "host-role")}) as local:
        made = gateway(edge, tmp_path, {}, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": local.url})
        result = read(made)
        assert result.isError
        assert all(asked.startswith("PUT") for asked in local.asked), local.asked
    assert edge.sessions() == []


@pytest.mark.parametrize("config,wanted", [
    ("[profile agents]\nsso_session = x\n", "export-credentials"),
    ("[profile agents]\naws_access_key_id = AKIAX\n", "does not have both"),
    ("[profile other]\nregion = x\n", "there is no profile"),
    ("[profile agents]\ncredential_process = /nonexistent/tool\n", "credential_process"),
])
def test_a_broken_source_is_told_and_nothing_else_is_tried(edge, tmp_path, config, wanted):
    seed(edge)
    made = gateway(edge, tmp_path, {"profile": "agents"}, config, env={
        "AWS_ACCESS_KEY_ID": BASE_KEY, "AWS_SECRET_ACCESS_KEY": BASE_SECRET, "AWS_EC2_METADATA_DISABLED": "true"})
    result = read(made)
    assert result.isError
    told = text_of(result) + made.logs() + json.dumps(made.records())
    assert wanted in told, told[-2000:]
    assert edge.sessions() == []
