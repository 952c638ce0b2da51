"""The strict AWS edge double: README.md beside this file."""

import argparse
import json
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from faults import Faults
from service import Connection
from state import State

try:
    from http2 import PREFACE, Http2
except ImportError:  # without the package h2 the double speaks HTTP/1.1 only
    Http2 = None

# A connection that says nothing for so long is closed; a hostile test cannot hold threads for ever.
IDLE_SECONDS = 300


def admin_server(state, faults, port):
    class Admin(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def reply(self, text, status=200):
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def body(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return json.loads(raw) if raw else {}

        def do_GET(self):
            url = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(url.query).items()}
            if url.path == "/requests":
                self.reply(state.recorded(int(query.get("since", 0))))
            elif url.path == "/sessions":
                self.reply(json.dumps(state.sessions()))
            elif url.path == "/objects":
                self.reply(json.dumps({b: {k: o.describe("verify" in query) for k, o in list(objects.items())}
                                       for b, objects in list(state.buckets.items())}))
            else:
                self.reply("{}", 200 if url.path == "/health" else 404)

        def do_DELETE(self):
            if self.path == "/requests":
                state.forget()
            elif self.path == "/faults":
                faults.replace([])
            self.reply("{}")

        def do_POST(self):
            try:
                body = self.body()
                if self.path == "/faults":
                    faults.replace(body)
                elif self.path == "/clock":
                    state.offset = float(body["offset"])
                elif self.path == "/sessions/expire":
                    state.expire(body.get("access_key_id"))
                elif self.path == "/keys/expire":
                    state.expire(body.get("access_key_id"), base=True)
                elif self.path == "/config":
                    for name in body:
                        if name not in ("session_seconds", "hash_bodies"):
                            raise ValueError("no setting " + name)
                        setattr(state, name, body[name])
                else:
                    return self.reply('{"error": "no such path"}', 404)
                self.reply("{}")
            except (ValueError, KeyError) as wrong:
                self.reply(json.dumps({"error": str(wrong)}), 400)

    return ThreadingHTTPServer(("127.0.0.1", port), Admin)


def reference_server(port):
    """Stands for servicereference.us-east-1.amazonaws.com: unsigned public data that a server reads at start."""

    class Reference(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

    return ThreadingHTTPServer(("127.0.0.1", port), Reference)


def speaks_http2(sock):
    """By agreement over TLS, by the first bytes of the connection otherwise."""
    if isinstance(sock, ssl.SSLSocket):
        return sock.selected_alpn_protocol() == "h2"
    return sock.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL) == PREFACE[:4]


def accept(listener, context, state, faults):
    while True:
        sock, _ = listener.accept()

        def serve(sock=sock):
            try:
                sock.settimeout(IDLE_SECONDS)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context:
                    sock = context.wrap_socket(sock, server_side=True)
                two = Http2 is not None and speaks_http2(sock)
            except OSError:
                sock.close()
                return
            if two:
                Http2(sock, lambda stream: Connection(state, faults, stream, http=2).serve()).serve()
            else:
                Connection(state, faults, sock).serve()

        threading.Thread(target=serve, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(prog="edge", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--reference-port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--key", action="append", default=[], metavar="ID:SECRET[:ACCOUNT[:USER]]")
    parser.add_argument("--bucket", action="append", default=[])
    options = parser.parse_args()

    state = State()
    faults = Faults(state.lock)
    for key in options.key:
        state.add_key(*key.split(":"))
    state.buckets = {name: {} for name in options.bucket}

    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        if Http2 is not None:
            context.set_alpn_protocols(["h2", "http/1.1"])
    admin, reference = admin_server(state, faults, options.admin_port), reference_server(options.reference_port)
    for server in (admin, reference):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=accept, args=(listener, context, state, faults), daemon=True).start()
    print(json.dumps({
        "endpoint": "%s://127.0.0.1:%d" % ("https" if context else "http", listener.getsockname()[1]),
        "admin": "http://127.0.0.1:%d" % admin.server_address[1],
        "reference": "http://127.0.0.1:%d" % reference.server_address[1],
    }), flush=True)
    sys.stdin.buffer.read()  # until whoever started it goes away


if __name__ == "__main__":
    main()
