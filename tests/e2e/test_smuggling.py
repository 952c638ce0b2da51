"""Requests that two readers could read differently, on the raw socket of a running gateway: each is refused, and what stands behind
it on the same connection never arrives anywhere.

Each form is sent with a right signature of the placeholder where one is possible, so that only its form can be what refuses it,
followed by a second request that would be allowed if it were one. RFC 9112 (11.2), and what Boost.Beast 1.81 lets through.
"""

import datetime
import hashlib
import hmac
import json
import re
import socket
import time
from urllib.parse import urlsplit

import pytest

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream

pytestmark = pytest.mark.xdist_group("faults")

EMPTY = hashlib.sha256(b"").hexdigest()


class Lane:
    """The lane's placeholder, while a call is in force on it."""

    def __init__(self, agent, edge):
        self.edge = edge
        answer = agent.call("surroundings")
        found = json.loads(answer["result"]["content"][0]["text"])["environment"]
        self.key, self.secret = found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]
        self.host = urlsplit(found["AWS_ENDPOINT_URL"]).netloc
        agent.send("tools/call", {"name": "sleep", "arguments": {"seconds": 120}})
        # The call is in force when a plain request passes.
        for _ in range(100):
            if self.talk(self.request("GET", "/invoices/first")).startswith(b"HTTP/1.1 404"):
                return
            time.sleep(0.1)
        raise AssertionError("no call came in force")

    def authorization(self, method, path, query="", headers=(), hashed=EMPTY, service="s3"):
        """Date, hash and Authorization lines for the bytes of a target as they are sent."""
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = "%s/us-east-1/%s/aws4_request" % (date[:8], service)
        signed = sorted([("host", self.host), ("x-amz-content-sha256", hashed), ("x-amz-date", date), *headers])
        names = ";".join(n for n, _ in signed)
        canonical = "\n".join([method, path, query, "".join("%s:%s\n" % h for h in signed), names, hashed])
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = "AWS4-HMAC-SHA256\n%s\n%s\n%s" % (date, scope, hashlib.sha256(canonical.encode("latin-1")).hexdigest())
        return "X-Amz-Date: %s\r\nX-Amz-Content-Sha256: %s\r\n%sAuthorization: AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s\r\n" % (
            date, hashed, "".join("%s: %s\r\n" % h for h in headers), self.key, scope, names,
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest())

    def request(self, method, path, more="", body=b"", target=None, hashed=None, **how):
        """A whole request; `more` are header lines that stand beside the signed ones."""
        if hashed is None:
            hashed = hashlib.sha256(body).hexdigest()
        lines = "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n" % (
            method, target or path, self.host, self.authorization(method, path, hashed=hashed, **how), more)
        return lines.encode("latin-1") + body

    def talk(self, data, seconds=5, shut=False):
        """Sends all, returns what comes back until the gateway closes or is silent for a while."""
        address, port = self.host.split(":")
        got = b""
        with socket.create_connection((address, int(port)), timeout=seconds) as sock:
            sock.sendall(data)
            if shut:
                sock.shutdown(socket.SHUT_WR)
            sock.settimeout(1.0)
            try:
                while piece := sock.recv(65536):
                    got += piece
            except (TimeoutError, ConnectionResetError):
                pass
        return got


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("smuggling"), {"*": edge.endpoint}, {"t": tools_upstream()},
                       [{"name": "all", "tools": ["t/*"], "role": ROLE, "session": [
                           allow("s3:*", ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]), allow("dynamodb:ListTables")]}])
        with made.start() as agent:
            agent.initialize()
            yield Lane(agent, edge)


def signed(more="", body=b"", method="PUT", **how):
    return lambda lane: lane.request(method, "/invoices/smuggled", more, body, **how)


def bare(text):
    """Bytes as they are, with the host put in."""
    return lambda lane: text.replace("HOST", lane.host).encode("latin-1")


def with_signature(text):
    """Bytes as they are, with host and a right signature of `PUT /invoices/smuggled` put in."""
    return lambda lane: text.replace("HOST", lane.host).replace(
        "SIGNED", lane.authorization("PUT", "/invoices/smuggled")).encode("latin-1")


CHUNK = b"3\r\nabc\r\n0\r\n\r\n"
FORMS = {
    "two equal Content-Length": signed("Content-Length: 3\r\nContent-Length: 3\r\n", b"abc"),
    "two different Content-Length": signed("Content-Length: 3\r\nContent-Length: 0\r\n", b"abc"),
    "Content-Length as a list": signed("Content-Length: 3, 3\r\n", b"abc"),
    "Content-Length with a plus": signed("Content-Length: +3\r\n", b"abc"),
    "Content-Length negative": signed("Content-Length: -3\r\n", b"abc"),
    "Content-Length in hex": signed("Content-Length: 0x3\r\n", b"abc"),
    "Content-Length beyond 64 bits": signed("Content-Length: 99999999999999999999999\r\n", b"abc"),
    "Content-Length empty": signed("Content-Length:\r\n", b"abc"),
    "Content-Length and Transfer-Encoding": signed("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", CHUNK),
    "Transfer-Encoding and Content-Length": signed("Transfer-Encoding: chunked\r\nContent-Length: 13\r\n", CHUNK),
    "Transfer-Encoding gzip": signed("Transfer-Encoding: gzip\r\n", CHUNK),
    "Transfer-Encoding chunked, gzip": signed("Transfer-Encoding: chunked, gzip\r\n", CHUNK),
    "Transfer-Encoding gzip, chunked": signed("Transfer-Encoding: gzip, chunked\r\n", CHUNK),
    "Transfer-Encoding xchunked": signed("Transfer-Encoding: xchunked\r\n", CHUNK),
    "Transfer-Encoding identity": signed("Transfer-Encoding: identity\r\n", CHUNK),
    "Transfer-Encoding twice": signed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNK),
    "Transfer-Encoding twice, second identity": signed("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNK),
    "Transfer-Encoding after a vertical tab": signed("Transfer-Encoding: \x0bchunked\r\n", CHUNK),
    "Transfer-Encoding in quotes": signed('Transfer-Encoding: "chunked"\r\n', CHUNK),
    "Transfer-Encoding in HTTP/1.0": with_signature("PUT /invoices/smuggled HTTP/1.0\r\nHost: HOST\r\nSIGNEDTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a chunk extension": signed("Transfer-Encoding: chunked\r\n", b"3;a=b\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk size after blanks": signed("Transfer-Encoding: chunked\r\n", b" 3\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk size with 0x": signed("Transfer-Encoding: chunked\r\n", b"0x3\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk size padded with zeros": signed("Transfer-Encoding: chunked\r\n", b"0000000000000000003\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk size that wraps": signed("Transfer-Encoding: chunked\r\n", b"10000000000000003\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk ended by a bare LF": signed("Transfer-Encoding: chunked\r\n", b"3\nabc\n0\n\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a chunk longer than it says": signed("Transfer-Encoding: chunked\r\n", b"2\r\nabc\r\n0\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a trailer nothing announced": signed("Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\nX-Amz-Acl: public-read\r\n\r\n", hashed=hashlib.sha256(b"abc").hexdigest()),
    "a folded header": signed("X-A: b\r\n c\r\n"),
    "a folded Transfer-Encoding": signed("Transfer-Encoding:\r\n chunked\r\n", CHUNK),
    "a header name before a blank and the colon": signed("Content-Length : 3\r\n", b"abc"),
    "a header name after a blank": with_signature("PUT /invoices/smuggled HTTP/1.1\r\n Host: HOST\r\nSIGNED\r\n"),
    "a header without a colon": signed("Nothing\r\n"),
    "a header without a name": signed(": nothing\r\n"),
    "bare LF between headers": with_signature("PUT /invoices/smuggled HTTP/1.1\r\nHost: HOST\r\nSIGNEDX-A: b\nContent-Length: 3\r\n\r\nabc"),
    "bare LF at all ends": bare("GET /invoices/smuggled HTTP/1.1\nHost: HOST\n\n"),
    "bare CR in a value": signed("X-A: b\rContent-Length: 3\r\n", b"abc"),
    "NUL in a value": signed("X-A: b\x00c\r\n"),
    "NUL in a name": signed("X-A\x00: b\r\n"),
    "an 8-bit byte in a name": signed("X-\xc4: b\r\n"),
    "no Host": with_signature("PUT /invoices/smuggled HTTP/1.1\r\nSIGNED\r\n"),
    "two Hosts": signed("Host: s3.amazonaws.com\r\n"),
    "Host with another name": bare("GET /invoices/smuggled HTTP/1.1\r\nHost: s3.amazonaws.com\r\n\r\n"),
    "Host with user information": bare("GET /invoices/smuggled HTTP/1.1\r\nHost: x@HOST\r\n\r\n"),
    "absolute form of another host": with_signature("PUT http://s3.amazonaws.com/invoices/smuggled HTTP/1.1\r\nHost: HOST\r\nSIGNED\r\n"),
    "absolute form, own host, another Host": with_signature("PUT http://HOST/invoices/smuggled HTTP/1.1\r\nHost: s3.amazonaws.com\r\nSIGNED\r\n"),
    "asterisk form": bare("OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "a target without a slash": bare("GET invoices/smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "a fragment in the target": bare("GET /invoices/smuggled#x HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "an 8-bit byte in the target": bare("GET /invoices/\xc4 HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "a control byte in the target": bare("GET /invoices/\x01 HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "a blank in the target": bare("GET /invoices/a b HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "a tab behind the method": bare("GET\t/invoices/smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "HTTP/1.2": bare("GET /invoices/smuggled HTTP/1.2\r\nHost: HOST\r\n\r\n"),
    "HTTP/0.9": bare("GET /invoices/smuggled\r\n\r\n"),
    "HTTP/2's preface with a field": bare("PRI * HTTP/2.0\r\nHost: HOST\r\n\r\nSM\r\n\r\n"),
    "a method that is no token": bare("GE(T /invoices/smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    "Upgrade to HTTP/2": signed("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 1\r\nContent-Length: 0\r\n", b"a"),
    "Expect of something else": signed("Expect: 200-ok\r\nContent-Length: 3\r\n", b"abc"),
    "a head of 100 KiB": signed("X-A: " + "a" * 100_000 + "\r\n"),
    "a thousand headers": signed("".join("X-%d: a\r\n" % n for n in range(1000)) + "X-B: " + "b" * 60_000 + "\r\n"),
    "a target of 70 KiB": bare("GET /invoices/" + "a" * 70_000 + " HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    # Of what AWS reads of a target.
    "dot segments outside S3": signed(method="GET", target="/2015-03-31/../functions", service="lambda"),
    "encoded dot segments outside S3": signed(method="GET", target="/2015-03-31/%2e%2e/functions", service="lambda"),
    "an empty segment outside S3": signed(method="GET", target="//functions", service="lambda"),
    "a percent sign that encodes nothing": signed(method="GET", target="/invoices/%zz"),
    "a percent sign at the end": signed(method="GET", target="/invoices/a%2"),
    "an encoded NUL in another bucket's name": signed(method="GET", target="/invoices%00/a"),
    "an encoded slash in the bucket": signed(method="GET", target="/invoices%2Fsmuggled"),
    "a doubly encoded slash in the bucket": signed(method="GET", target="/invoices%252Fsmuggled"),
    "a plus in the query": signed(method="GET", target="/invoices?list-type=2&prefix=a+b"),
    "a semicolon in the query": signed(method="GET", target="/invoices?list-type=2;policy"),
    "a sub-resource hidden behind another": signed(method="GET", target="/invoices?acl&policy"),
    "a parameter twice": signed(method="GET", target="/invoices?list-type=2&list-type=1"),
    "a signature for another target": signed(method="GET", target="/invoices/else"),
    "a signature for another method": lambda lane: lane.request("GET", "/invoices/smuggled").replace(b"GET", b"DELETE", 1),
    "two Authorizations": lambda lane: lane.request("GET", "/invoices/smuggled", lane.authorization("GET", "/invoices/smuggled").split("\r\n")[2] + "\r\n"),
    "an x-amz header that is not signed": signed("x-amz-acl: public-read\r\nContent-Length: 0\r\n"),
    "an override of the method": signed("X-HTTP-Method-Override: DELETE\r\nContent-Length: 1\r\nContent-Length: 1\r\n", b"a"),
}
# What is one request, and refused as one: the connection may live on, and the second request with it. What arrives is only that.
WELL_FRAMED = {400, 403, 421}


@pytest.mark.parametrize("name", FORMS)
def test_is_refused_and_nothing_behind_it_arrives(lane, name):
    lane.edge.forget()
    first = FORMS[name](lane)
    second = lane.request("GET", "/invoices/second")
    got = lane.talk(first + second)
    statuses = [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3}) ", got)]
    assert statuses and statuses[0] in WELL_FRAMED, got[:400]
    arrived = [r["path"] for r in lane.edge.requests()]
    # Of a request whose end is in doubt nothing more is read. Of one that ends for sure, what follows is what the client sent.
    assert not [path for path in arrived if path != "/invoices/second"], arrived
    assert len(statuses) <= 2 and len(arrived) == max(0, len(statuses) - 1), (statuses, arrived)


FRAMING = [name for name in FORMS if re.match("(two|Content-Length|Transfer-Encoding|a chunk|a folded|bare|NUL|HTTP|no Host)", name)
           and name not in ("two Authorizations",)]


@pytest.mark.parametrize("name", FRAMING)
def test_a_broken_frame_ends_the_connection(lane, name):
    lane.edge.forget()
    got = lane.talk(FORMS[name](lane) + lane.request("GET", "/invoices/second"))
    assert got.count(b"HTTP/1.1 ") == 1, got[:600]
    assert not lane.edge.requests()


@pytest.mark.parametrize("behind", [b"", b"SM\r\n\r\n"])
def test_http2s_preface_makes_nothing_of_http1_behind_it(lane, behind):
    lane.edge.forget()
    got = lane.talk(b"PRI * HTTP/2.0\r\n\r\n" + behind + lane.request("GET", "/invoices/second"))
    assert b"HTTP/1.1" not in got and not lane.edge.requests(), got[:400]


def test_http2s_preface_has_no_place_behind_a_request(lane):
    lane.edge.forget()
    got = lane.talk(lane.request("GET", "/invoices/first") + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + lane.request("GET", "/invoices/second"))
    assert [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)] == [404, 400], got[:600]
    assert len(lane.edge.requests()) == 1


def test_a_client_that_half_closes_gets_its_answer(lane):
    """It said all it had to say; it is not gone. Slower than the gateway's look at its peers."""
    lane.edge.forget()
    lane.edge.faults({"service": "s3", "operation": "PutObject", "do": "delay", "seconds": 1.5})
    try:
        address, port = lane.host.split(":")
        with socket.create_connection((address, int(port)), timeout=10) as sock:
            sock.sendall(lane.request("PUT", "/invoices/half", "Content-Length: 3\r\n", b"abc"))
            sock.shutdown(socket.SHUT_WR)
            got = b""
            while piece := sock.recv(65536):
                got += piece
        assert got.startswith(b"HTTP/1.1 200"), got[:300]
    finally:
        lane.edge.faults()


def test_100_continue_comes_only_after_the_decision(lane):
    lane.edge.forget()
    more = "Expect: 100-continue\r\nContent-Length: 3\r\n"
    hashed = hashlib.sha256(b"abc").hexdigest()
    refused = lane.talk(lane.request("PUT", "/other/x", more, hashed=hashed))
    assert refused.startswith(b"HTTP/1.1 403") and b"100 Continue" not in refused and not lane.edge.requests()
    asked = lane.talk(lane.request("PUT", "/invoices/x", more, hashed=hashed))
    assert asked.startswith(b"HTTP/1.1 100 Continue")
    wrong = lane.talk(lane.request("PUT", "/invoices/x", more, hashed=hashed).replace(b"Signature=", b"Signature=0"))
    assert wrong.startswith(b"HTTP/1.1 40") and b"100 Continue" not in wrong


def test_redirects_are_passed_on_and_not_followed(lane):
    lane.edge.forget()
    lane.edge.faults({"service": "s3", "operation": "GetObject", "do": "error", "status": 301, "code": "PermanentRedirect"})
    try:
        got = lane.talk(lane.request("GET", "/invoices/moved"))
    finally:
        lane.edge.faults()
    assert got.startswith(b"HTTP/1.1 301"), got[:200]
    assert len(lane.edge.requests()) == 1
