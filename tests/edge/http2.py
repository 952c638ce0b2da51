"""HTTP/2 in front of the double: python-hyper's h2 does the protocol, each stream becomes a connection of HTTP/1.1 within the process."""

import http.client
import socket
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset, TrailersReceived,
                       WindowUpdated)
from h2.exceptions import H2Error, ProtocolError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NEVER = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}


class Http2:
    """`serve_stream(socket)` serves one request of HTTP/1.1 and closes the socket."""

    def __init__(self, sock, serve_stream):
        self.sock, self.serve_stream = sock, serve_stream
        self.conn = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.lock = threading.Condition()
        self.streams = {}
        self.over = False

    def flush(self):
        data = self.conn.data_to_send()
        if data:
            self.sock.sendall(data)

    def serve(self):
        try:
            with self.lock:
                self.conn.initiate_connection()
                self.flush()
            while data := self.sock.recv(65536):
                with self.lock:
                    events = self.conn.receive_data(data)
                    self.flush()
                    self.lock.notify_all()
                for event in events:
                    self.handle(event)
        except (OSError, H2Error):
            pass
        finally:
            with self.lock:
                self.over = True
                try:
                    self.flush()
                except OSError:
                    pass
                self.lock.notify_all()
            for outer in list(self.streams.values()):
                outer.close()
            self.sock.close()

    def handle(self, event):
        if isinstance(event, RequestReceived):
            self.begin(event.stream_id, event.headers, event.stream_ended is not None)
        elif isinstance(event, DataReceived):
            self.pass_on(event.stream_id, b"%x\r\n%s\r\n" % (len(event.data), event.data) if event.data else b"")
            with self.lock:
                self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.flush()
        elif isinstance(event, StreamEnded):
            if event.stream_id in self.streams:
                self.pass_on(event.stream_id, b"0\r\n\r\n")
        elif isinstance(event, StreamReset):
            if outer := self.streams.pop(event.stream_id, None):
                outer.shutdown(socket.SHUT_RDWR)
        elif isinstance(event, TrailersReceived):
            raise ProtocolError("trailers")
        elif isinstance(event, ConnectionTerminated):
            raise ProtocolError("GOAWAY %r" % event.error_code)
        else:
            assert event is not None or isinstance(event, WindowUpdated)

    def begin(self, stream, headers, ended):
        pseudo = {n: v for n, v in headers if n.startswith(":")}
        lines = ["%s %s HTTP/1.1" % (pseudo[":method"], pseudo[":path"])]
        names = [n for n, _ in headers]
        if "host" not in names:
            lines.append("host: " + pseudo[":authority"])
        lines += ["%s: %s" % (n, v) for n, v in headers if not n.startswith(":") and n != "content-length"]
        if not ended:
            lines.append("transfer-encoding: chunked")
        outer, inner = socket.socketpair()
        self.streams[stream] = outer
        threading.Thread(target=self.serve_stream, args=(inner,), daemon=True).start()
        threading.Thread(target=self.answer, args=(stream, outer), daemon=True).start()
        self.pass_on(stream, ("\r\n".join(lines) + "\r\n\r\n").encode())
        if ended:
            self.streams.pop(stream)

    def pass_on(self, stream, data):
        try:
            if stream in self.streams:
                self.streams[stream].sendall(data)
        except OSError:
            self.streams.pop(stream, None)

    def answer(self, stream, outer):
        try:
            reply = http.client.HTTPResponse(outer)
            reply.begin()
            headers = [(":status", str(reply.status))] + [(n.lower(), v) for n, v in reply.getheaders() if n.lower() not in NEVER]
            with self.lock:
                self.conn.send_headers(stream, headers)
                self.flush()
            while data := reply.read1(16384):
                self.send(stream, data)
            with self.lock:
                self.conn.end_stream(stream)
                self.flush()
        except (OSError, H2Error, http.client.HTTPException, KeyError):
            with self.lock:
                try:
                    self.conn.reset_stream(stream, 2)
                    self.flush()
                except (OSError, H2Error):
                    pass
        finally:
            outer.close()

    def send(self, stream, data):
        while data:
            with self.lock:
                while not self.over and self.conn.local_flow_control_window(stream) == 0:
                    self.lock.wait(30)
                if self.over:
                    raise OSError("gone")
                count = min(len(data), self.conn.local_flow_control_window(stream), self.conn.max_outbound_frame_size)
                self.conn.send_data(stream, data[:count])
                self.flush()
            data = data[count:]
