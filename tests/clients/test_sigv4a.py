"""Signature Version 4A end to end: clients that sign for a set of regions, Remit verifying and signing anew with it, the double
verifying ECDSA with arithmetic of its own."""

import json
import sys
from pathlib import Path

import pytest

from harness.edge import ACCOUNT, Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import TESTS, client, environment

sys.path.insert(0, str(TESTS / "edge"))
import p256  # noqa: E402

pytestmark = pytest.mark.xdist_group("sigv4a")

PROGRAMS = Path(__file__).parent / "programs"
ALIAS = "mfzwi23gnjvgw.mrap"
POINT = "arn:aws:s3::%s:accesspoint/%s" % (ACCOUNT, ALIAS)
MIB = 1 << 20


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with Edge(buckets=("invoices", ALIAS)) as edge:
        # Custom endpoints would hide which host a client asked for: the Host field tells it.
        made = Gateway(tmp_path_factory.mktemp("sigv4a"), {"*": edge.endpoint},
                       {"t": tools_upstream(timeouts={"start": "30s", "call": "5m", "idle": "10m"})},
                       [{"name": "clients", "tools": ["t/run", "t/echo"], "role": ROLE, "session": [
                           allow(["s3:GetObject", "s3:PutObject"], [POINT + "/object/good/*", "arn:aws:s3:::invoices/*"]),
                           allow("events:PutEvents")]}])
        with made.start() as agent:
            agent.initialize()
            agent.call("echo", text="warm")
            agent.edge = edge
            yield agent


def run(agent, *command, proxy=True):
    wrapper = ["env", "-u", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE=/dev/null"] if proxy else []
    agent.edge.forget()
    answer = agent.call("run", within=150, seconds=120, command=wrapper + [str(c) for c in command])
    assert "result" in answer and not answer["result"].get("isError"), str(answer)[:3000]
    done = json.loads(answer["result"]["content"][0]["text"])
    assert done["code"] == 0, done["err"][-3000:]
    return [json.loads(line) for line in done["out"].splitlines() if line.startswith("{")]


def asymmetric(edge):
    arrived = edge.requests()
    assert all(r["status"] == 200 and r["algorithm"] == "AWS4-ECDSA-P256-SHA256" and r["session"]["role"] == ROLE for r in arrived), arrived
    assert all(not r["access_key_id"].startswith("AKIAREMIT") for r in arrived)
    return arrived


def test_go_uses_a_multi_region_access_point(through):
    steps = run(through, *client("go"), "mrap", POINT, "good/go")
    assert all(s["ok"] for s in steps), steps
    arrived = asymmetric(through.edge)
    assert [r["operation"] for r in arrived] == ["PutObject", "GetObject"] and all(r["region_set"] == "*" for r in arrived)


def test_boto3_uses_a_multi_region_access_point_and_a_global_endpoint(through):
    steps = run(through, environment("crt") / "bin" / "python", PROGRAMS / "sigv4a.py", POINT, "good/boto3")
    assert all(s["ok"] for s in steps), steps
    arrived = asymmetric(through.edge)
    assert [r["operation"] for r in arrived] == ["PutObject", "PutObject", "GetObject", "GetObject", "PutEvents"]
    assert {r["payload"] for r in arrived[:2]} == {"unsigned-trailer", "hash"}


def test_another_key_of_the_access_point_is_refused(through):
    steps = run(through, *client("go"), "mrap", POINT, "bad/go")
    assert not any(s["ok"] for s in steps) and all("AccessDenied" in s["error"] for s in steps), steps
    assert not through.edge.requests()


@pytest.mark.parametrize("form,payload", [("ecdsa", "signed-chunks"), ("ecdsa-trailer", "signed-chunks-trailer")])
@pytest.mark.parametrize("size", [1, 3 * MIB + 1], ids=["1B", "3MiB"])
def test_chunks_are_signed_anew(through, form, payload, size):
    done = run(through, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", form, size, "invoices", "chunks", proxy=False)
    assert done[-1]["status"] == "HTTP/1.1 200 OK", done
    arrived = asymmetric(through.edge)
    assert arrived[0]["payload"] == payload and arrived[0]["region_set"] == "us-east-1,eu-central-1"
    assert through.edge.objects(verify=True)["invoices"]["chunks"]["is_pattern"]


@pytest.mark.parametrize("form", ["ecdsa", "ecdsa-trailer"])
def test_a_changed_chunk_never_arrives(through, form):
    done = run(through, "/usr/bin/python3", PROGRAMS / "s3_signed_chunks.py", form, 3 * MIB, "invoices", "tampered", "tamper", proxy=False)
    assert done[-1]["status"] != "HTTP/1.1 200 OK"
    assert "tampered" not in through.edge.objects()["invoices"]


def test_the_doubles_arithmetic_agrees_with_openssls(tmp_path):
    """One signature by OpenSSL, checked by the double; and the other way round."""
    import subprocess

    number = p256.private_key("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")
    assert number == 0x7FD3BD010C0D9C292141C2B77BFBDE1042C92E6836FFF749D1269EC890FCA1BD  # aws-c-auth's published key
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key], check=True)
    text = tmp_path / "text"
    text.write_bytes(b"some text")
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, text], check=True, capture_output=True).stdout
    shown = subprocess.run(["openssl", "ec", "-in", key, "-text", "-noout"], check=True, capture_output=True, text=True).stdout
    point = bytes.fromhex("".join(shown.split("pub:")[1].split("ASN1")[0].split()).replace(":", ""))
    public = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    assert p256.verify(public, b"some text", signature)
    assert not p256.verify(public, b"some test", signature)
