"""TLS on the client's side (CONNECT) and on both, and a thousand lanes at once: what each costs egress. See lanes.

    tls_lanes.py BUILD SECONDS

The load comes from this program, which is slower than egress: read the processor time a request, not the rate.
"""

import base64
import json
import os
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

build, seconds = Path(sys.argv[1]), float(sys.argv[2])
ROOT = Path(tempfile.mkdtemp(prefix="remit-bench-tls-"))
TICKS = os.sysconf("SC_CLK_TCK")
started = []

TLS_UPSTREAM = """
worker_processes 1; daemon off; pid {root}/nginx.pid; error_log {root}/nginx.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;
    location / {{ return 200 "{body}"; }} }} }}
"""


def start(cpu, argv, **kwargs):
    process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, argv)], **kwargs)
    started.append(process)
    return process


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nothing listens at %d" % port)


def cpu_seconds(pid):
    fields = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid):
    return next(int(line.split()[1]) / 1024 for line in Path("/proc/%d/status" % pid).read_text().splitlines() if line.startswith("VmRSS"))


def egress(upstream, lanes=1, ca=""):
    """(process, what it told)"""
    folder = Path(tempfile.mkdtemp(dir=ROOT))
    process = start(0, [build / "bench/egress/bench_egress", upstream, folder / "ledger.db", "process", lanes, ca], stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def bytes_of(told, kind="small", host=None):
    fields = dict(told[kind]["fields"])
    if host:
        fields["Host"] = host
    return ("GET %s HTTP/1.1\r\n" % told[kind]["target"] + "".join("%s: %s\r\n" % f for f in fields.items()) + "\r\n").encode()


def load(sockets, requests, length):
    """One request in flight on each socket, for so long: (requests answered, latencies in ms)."""
    selector, sent, took, done = selectors.DefaultSelector(), {}, [], 0
    for index, sock in enumerate(sockets):
        selector.register(sock, selectors.EVENT_READ, requests[index % len(requests)])
        sock.sendall(requests[index % len(requests)])
        sent[sock] = time.perf_counter()
    end = time.perf_counter() + length
    got = {sock: b"" for sock in sockets}
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(0.1):
            sock = key.fileobj
            piece = sock.recv(65536)
            while isinstance(sock, ssl.SSLSocket) and sock.pending():
                piece += sock.recv(65536)
            if not piece:
                raise RuntimeError("egress closed a connection")
            got[sock] += piece
            if not got[sock].startswith(b"HTTP/1.1 200"):
                raise RuntimeError(got[sock][:300])
            head = got[sock].find(b"\r\n\r\n")
            if head < 0 or len(got[sock]) < head + 4 + 1024:
                continue
            got[sock] = b""
            done += 1
            now = time.perf_counter()
            took.append((now - sent[sock]) * 1000)
            sock.sendall(key.data)
            sent[sock] = now
    return done, took


def measure(name, process, connect, told, count, requests):
    warm = connect(told, 8)
    load(warm, requests[:8], 0.5)
    for sock in warm:
        sock.close()
    sockets = connect(told, count)
    before = cpu_seconds(process.pid)
    done, took = load(sockets, requests, seconds)
    line = {"what": name, "requests": done, "per_second": done / seconds, "cpu_us": (cpu_seconds(process.pid) - before) / done * 1e6,
            "p50_ms": statistics.median(took), "p99_ms": sorted(took)[int(len(took) * 0.99)], "resident_mib": resident(process.pid)}
    print("%-44s %8d/s %8.1f us %8.2f ms %8.2f ms %7.1f MiB" % (name, line["per_second"], line["cpu_us"], line["p50_ms"], line["p99_ms"], line["resident_mib"]))
    return line


def plain(told, count):
    return [socket.create_connection(("127.0.0.1", told["port"])) for _ in range(count)]


def tunnels(told, count, host="s3.us-east-1.amazonaws.com"):
    """Connections through CONNECT with TLS inside."""
    context = ssl.create_default_context(cadata=told["ca"])
    proxy = base64.b64encode(("%s:%s" % (told["proxy_user"], told["proxy_password"])).encode()).decode()
    made = []
    for sock in plain(told, count):
        sock.sendall(("CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\nProxy-Authorization: Basic %s\r\n\r\n" % (host, host, proxy)).encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200"), "no tunnel"
        made.append(context.wrap_socket(sock, server_hostname=host))
    return made


def main():
    upstream_port = free_port()
    start(1, [build / "bench/egress/bench_upstream", upstream_port])
    listening(upstream_port)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", ROOT / "key.pem", "-out", ROOT / "cert.pem"], check=True, capture_output=True)
    tls_port = free_port()
    (ROOT / "nginx.conf").write_text(TLS_UPSTREAM.format(root=ROOT, port=tls_port, body="x" * 1024))
    start(1, ["nginx", "-c", ROOT / "nginx.conf", "-e", ROOT / "nginx.log"])
    listening(tls_port)
    print("%-44s %10s %11s %11s %11s" % ("small signed S3 GET, 1 KiB answer", "requests", "cpu/request", "p50", "p99"))
    lines = []
    process, told = egress("http://127.0.0.1:%d" % upstream_port)
    lines.append(measure("plain, plain upstream, 32 connections", process, plain, told, 32, [bytes_of(told)]))
    lines.append(measure("TLS to egress, plain upstream", process, tunnels, told, 32, [bytes_of(told, "small_tunnel")]))
    process, told = egress("https://127.0.0.1:%d" % tls_port, ca=ROOT / "cert.pem")
    lines.append(measure("plain to egress, TLS upstream", process, plain, told, 32, [bytes_of(told)]))
    lines.append(measure("TLS on both sides", process, tunnels, told, 32, [bytes_of(told, "small_tunnel")]))
    process, told = egress("http://127.0.0.1:%d" % upstream_port, lanes=1000)
    lanes = [bytes_of({"small": each}) for each in told["lanes"]]
    lines.append(measure("1,000 lanes, a connection and a call each", process, plain, told, 1000, lanes))
    lines.append(measure("1,000 lanes, 32 connections at a time", process, plain, told, 32, lanes[:32]))
    print()
    for line in lines:
        print(json.dumps(line))


try:
    main()
finally:
    for process in started:
        process.terminate()
    for process in started:
        process.wait()
