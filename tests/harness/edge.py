"""Starting the strict AWS edge double, and its certificates."""

import json
import os
import subprocess
import urllib.request

from .paths import TESTS, environment

BASE_KEY = "AKIAEDGEBASE00000001"
BASE_SECRET = "Tm90QVJlYWxTZWNyZXQvZm9yIHRlc3Rz+edge/0"
ACCOUNT = "111122223333"


class Edge:
    def __init__(self, *arguments, buckets=("invoices", "other"), tls=None, keys=(), http2=False):
        command = ["/usr/bin/python3", str(TESTS / "edge"), "--key", "%s:%s:%s:broker" % (BASE_KEY, BASE_SECRET, ACCOUNT)]
        for key in keys:
            command += ["--key", key]
        for bucket in buckets:
            command += ["--bucket", bucket]
        if tls:
            command += ["--tls", str(tls[0]), str(tls[1])]
        variables = dict(os.environ)
        if http2:
            (packages,) = environment("h2").glob("lib/python3*/site-packages")
            variables["PYTHONPATH"] = str(packages)
        self.process = subprocess.Popen(command + list(arguments), env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        self.__dict__.update(json.loads(self.process.stdout.readline()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _ask(self, method, path, body=None, seconds=30):
        request = urllib.request.Request(self.admin + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.read().decode()

    def requests(self, service=None):
        """What arrived, oldest first."""
        found = [json.loads(line) for line in self._ask("GET", "/requests").splitlines()]
        return [r for r in found if service in (None, r.get("service"))]

    def forget(self):
        self._ask("DELETE", "/requests")

    def sessions(self):
        return json.loads(self._ask("GET", "/sessions"))

    def objects(self, verify=False):
        # To verify gigabytes is to hash the pattern again.
        return json.loads(self._ask("GET", "/objects" + ("?verify=1" if verify else ""), seconds=300))

    def faults(self, *rules):
        self._ask("POST", "/faults", list(rules))

    def clock(self, offset):
        self._ask("POST", "/clock", {"offset": offset})

    def configure(self, **settings):
        self._ask("POST", "/config", settings)

    def expire_sessions(self):
        self._ask("POST", "/sessions/expire", {})

    def expire_keys(self):
        self._ask("POST", "/keys/expire", {})


def make_certificates(folder, names=("127.0.0.1", "localhost")):
    """A private CA and a server's certificate: (ca, certificate, key), made by the openssl program."""
    def run(*arguments, text=None):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, input=text)

    ca, ca_key, cert, key, request, ext = (folder / n for n in ("ca.pem", "ca.key", "s.pem", "s.key", "s.csr", "s.ext"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=edge double",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=edge")
    ext.write_text("subjectAltName=" + ",".join(("IP:" if n[0].isdigit() else "DNS:") + n for n in names) + "\n")
    run("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert, "-days", "2",
        "-extfile", ext)
    return ca, cert, key
