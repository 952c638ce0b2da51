"""HTTP/2 on the listener of a running gateway: python-hyper's h2 as a client, decent and hostile, and curl.

tests/clients/test_http2.py has the SDKs.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_smuggling import Lane

from harness.edge import Edge
from harness.gateway import ROLE, Gateway, allow, tools_upstream
from harness.paths import environment

(PACKAGES,) = environment("h2").glob("lib/python3*/site-packages")
sys.path.insert(0, str(PACKAGES))

from h2.config import H2Configuration  # noqa: E402
from h2.connection import H2Connection  # noqa: E402
from h2.errors import ErrorCodes  # noqa: E402
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset, WindowUpdated  # noqa: E402
from h2.settings import SettingCodes  # noqa: E402

pytestmark = pytest.mark.xdist_group("faults")

MIB = 1 << 20


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    with Edge() as edge:
        made = Gateway(tmp_path_factory.mktemp("http2"), {"*": edge.endpoint}, {"t": tools_upstream()},
                       [{"name": "all", "tools": ["t/*"], "role": ROLE, "session": [
                           allow("s3:*", ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]), allow("dynamodb:ListTables")]}])
        with made.start() as agent:
            agent.initialize()
            lane = Lane(agent, edge)
            lane.pid = agent.process.pid
            yield lane


class Client:
    """One connection; keeps what came back of each stream."""

    def __init__(self, lane, window=None):
        self.lane = lane
        address, port = lane.host.split(":")
        self.sock = socket.create_connection((address, int(port)), timeout=10)
        self.conn = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
                                                 normalize_outbound_headers=False))
        self.conn.initiate_connection()
        if window is not None:
            self.conn.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.status, self.bodies, self.ended, self.reset, self.gone = {}, {}, set(), {}, None
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def flush(self):
        self.sock.sendall(self.conn.data_to_send())

    def headers(self, method, path, more=(), hashed=None, host=None):
        lines = self.lane.authorization(method, path, **({"hashed": hashed} if hashed else {})).split("\r\n")
        fields = [tuple(part.split(": ", 1)) for part in lines if part]
        return [(":method", method), (":scheme", "http"), (":authority", host or self.lane.host), (":path", path),
                *((n.lower(), v) for n, v in fields), *more]

    def ask(self, method, path, body=None, **how):
        stream = self.conn.get_next_available_stream_id()
        self.conn.send_headers(stream, self.headers(method, path, **how), end_stream=body is None)
        self.flush()
        view = memoryview(body or b"")
        while body is not None:
            room = min(self.conn.local_flow_control_window(stream), self.conn.max_outbound_frame_size, len(view))
            if room or not view:
                self.conn.send_data(stream, bytes(view[:room]), end_stream=room == len(view))
                self.flush()
                if room == len(view):
                    break
                view = view[room:]
            else:
                self.read(lambda: self.conn.local_flow_control_window(stream) > 0)
        return stream

    def read(self, until, seconds=20, take=True):
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, ConnectionError):
                break
            if not data:
                self.gone = self.gone or "closed"
                break
            for event in self.conn.receive_data(data):
                if isinstance(event, ResponseReceived):
                    self.status[event.stream_id] = int(dict(event.headers)[":status"])
                elif isinstance(event, DataReceived):
                    self.bodies[event.stream_id] = self.bodies.get(event.stream_id, 0) + len(event.data)
                    if take:
                        self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self.ended.add(event.stream_id)
                elif isinstance(event, StreamReset):
                    self.reset[event.stream_id] = event.error_code
                elif isinstance(event, ConnectionTerminated):
                    self.gone = event.error_code
                else:
                    assert event is not None or isinstance(event, WindowUpdated)
            try:
                self.flush()
            except OSError:
                self.gone = self.gone or "closed"
        return until()


def resident(pid):
    fields = dict(line.split(":", 1) for line in Path("/proc/%d/status" % pid).read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) * 1024


def still_serves(lane):
    return lane.talk(lane.request("GET", "/invoices/none")).startswith(b"HTTP/1.1 404")


def test_a_hundred_requests_at_once_on_one_connection(lane):
    lane.edge.forget()
    with Client(lane) as client:
        client.read(lambda: client.conn.remote_settings.max_concurrent_streams == 100)
        streams = [client.ask("GET", "/invoices/key-%d" % n) for n in range(100)]
        assert client.read(lambda: len(client.ended) == 100), (len(client.ended), client.reset, client.gone)
        assert {client.status[s] for s in streams} == {404}
    assert len(lane.edge.requests()) == 100


def test_each_request_is_decided_by_itself(lane):
    lane.edge.forget()
    with Client(lane) as client:
        allowed, refused = client.ask("GET", "/invoices/a"), client.ask("GET", "/other/a")
        elsewhere = client.ask("GET", "/invoices/a", host="s3.amazonaws.com")
        unsigned = client.conn.get_next_available_stream_id()
        client.conn.send_headers(unsigned, client.headers("GET", "/invoices/a")[:4], end_stream=True)
        client.flush()
        assert client.read(lambda: len(client.ended) == 4), (client.status, client.reset)
        assert [client.status[s] for s in (allowed, refused, elsewhere, unsigned)] == [404, 403, 421, 400]
    assert len(lane.edge.requests()) == 1


def test_bodies_of_many_mebibytes_pass_both_ways_in_little_memory(lane):
    before = resident(lane.pid)
    size = 64 * MIB
    with Client(lane) as client:
        put = client.ask("PUT", "/invoices/large", bytes(size), hashed="UNSIGNED-PAYLOAD",
                         more=[("content-length", str(size))])
        assert client.read(lambda: put in client.ended) and client.status[put] == 200, (client.status, client.reset)
        get = client.ask("GET", "/invoices/large")
        assert client.read(lambda: get in client.ended, seconds=60), (client.bodies, client.reset)
        assert client.bodies[get] == size
    assert resident(lane.pid) - before < 24 * MIB


def test_a_reader_that_takes_nothing_costs_little(lane):
    """Fifty answers of 64 MiB each that nobody reads: windows that never open."""
    with Client(lane) as client:
        put = client.ask("PUT", "/invoices/large", bytes(64 * MIB), hashed="UNSIGNED-PAYLOAD", more=[("content-length", str(64 * MIB))])
        assert client.read(lambda: put in client.ended)
    before = resident(lane.pid)
    with Client(lane, window=0) as client:
        streams = [client.ask("GET", "/invoices/large") for _ in range(50)]
        assert client.read(lambda: len(client.status) == 50), (client.status, client.reset, client.gone)
        client.read(lambda: False, seconds=1.5)
        assert not client.bodies
        assert resident(lane.pid) - before < 50 * MIB, streams
    assert still_serves(lane)


def test_rapid_reset_ends_the_connection_and_little_arrives(lane):
    lane.edge.forget()
    with Client(lane) as client:
        client.read(lambda: client.conn.remote_settings.max_concurrent_streams == 100)
        try:
            for n in range(1000):
                stream = client.conn.get_next_available_stream_id()
                client.conn.send_headers(stream, client.headers("GET", "/invoices/r%d" % n), end_stream=True)
                client.conn.reset_stream(stream, ErrorCodes.CANCEL)
                client.flush()
        except OSError:
            pass
        client.read(lambda: client.gone is not None, seconds=5)
        assert client.gone is not None
    assert len(lane.edge.requests()) < 400
    assert still_serves(lane)


@pytest.mark.parametrize("name,value", [("transfer-encoding", "chunked"), ("connection", "close"), ("x", "a\r\nb: c"), ("x", "a\x00"),
                                        ("host", "s3.amazonaws.com"), ("X-Upper", "a"), ("x y", "a"), (":path", "/invoices/b"),
                                        ("content-length", "7"), ("upgrade", "h2c"), ("te", "chunked")])
def test_a_malformed_field_resets_its_stream_alone(lane, name, value):
    lane.edge.forget()
    with Client(lane) as client:
        bad = client.ask("GET", "/invoices/smuggled", more=[(name, value)])
        good = client.ask("GET", "/invoices/good")
        assert client.read(lambda: good in client.ended and bad in client.reset), (client.status, client.reset, client.gone)
        assert client.status == {good: 404} and client.reset[bad] == ErrorCodes.PROTOCOL_ERROR
    assert [r["path"] for r in lane.edge.requests()] == ["/invoices/good"]


def test_a_request_without_an_end_is_given_up_with_its_client(lane):
    lane.edge.forget()
    with Client(lane) as client:
        stream = client.conn.get_next_available_stream_id()
        client.conn.send_headers(stream, client.headers("PUT", "/invoices/half", hashed="UNSIGNED-PAYLOAD"))
        client.conn.send_data(stream, b"half of it")
        client.flush()
        time.sleep(0.3)
    time.sleep(0.3)
    assert "half" not in str(lane.edge.objects()["invoices"])
    assert still_serves(lane)


def test_curl_speaks_it(lane):
    if not shutil.which("curl"):
        pytest.skip("no curl")
    done = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-o", "-", "-w", "\n%{http_version} %{http_code}", "--user",
                           lane.key + ":" + lane.secret, "--aws-sigv4", "aws:amz:us-east-1:dynamodb", "-H",
                           "X-Amz-Target: DynamoDB_20120810.ListTables", "-H", "Content-Type: application/x-amz-json-1.0", "-d", "{}",
                           "http://" + lane.host + "/"], capture_output=True, text=True, timeout=30)
    body, last = done.stdout.rsplit("\n", 1)
    assert last == "2 200" and json.loads(body) == {}, done
