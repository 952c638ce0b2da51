#!/usr/bin/env python3
"""`remit check --live` against the strict AWS edge double: what it says when STS denies.

    tests/docs/live.py REMIT

The double denies the first so many AssumeRole calls; the verb asks with less each time, so what it names as missing tells how
often it had to. Needs nothing but Python's standard library. Exit code: 0 right, 1 not, 77 the program is not there.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from harness.edge import BASE_KEY, BASE_SECRET, Edge  # noqa: E402

CONFIG = """
agent: {{ user: jane }}
aws: {{ base: {{ environment: true }}, region: us-east-1, endpoints: {{ "*": "{endpoint}" }} }}
upstreams: {{ api: {{ command: [sh] }} }}
remits:
  - name: read
    tools: [api/x]
    role: {{ argument: account, map: {{ a: "arn:aws:iam::111122223333:role/a", b: "arn:aws:iam::111122223333:role/b" }} }}
    arguments: {{ account: {{ grammar: {{ values: [a, b] }} }}, bucket: bucket }}
    tags: {{ Team: billing }}
    session: {{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::${{arg:bucket}}/*" }}
"""
CASES = (
    (0, (True, True), None),
    (1, (False, True), "allow sts:SetSourceIdentity to"),
    (2, (False, True), "allow sts:TagSession and sts:SetSourceIdentity to"),
    (3, (False, True), "allow sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity to"),
)


def check(remit, edge, home, denied):
    edge.faults({"service": "sts", "operation": "AssumeRole", "count": denied, "do": "error", "status": 403,
                 "code": "AccessDenied"} if denied else {"service": "none", "do": "reset"})
    config = pathlib.Path(home, "remit.yaml")
    config.write_text(CONFIG.format(endpoint=edge.endpoint))
    done = subprocess.run([remit, "check", "--config", str(config), "--live", "--json"], text=True, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env={"HOME": home, "PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": BASE_KEY,
                               "AWS_SECRET_ACCESS_KEY": BASE_SECRET})
    return done.returncode, done.stdout


def main():
    remit = os.path.abspath(sys.argv[1])
    if not os.access(remit, os.X_OK):
        print("skipped: %s is not built" % remit)
        return 77
    failed = 0
    with Edge() as edge, tempfile.TemporaryDirectory() as home:
        for denied, wanted, mend in CASES:
            code, text = check(remit, edge, home, denied)
            live = json.loads(text)["live"]
            right = (tuple(r["ok"] for r in live) == wanted and code == (0 if all(wanted) else 1) and
                     BASE_SECRET not in text and (mend is None or mend in live[0]["mend"]))
            if not right:
                failed += 1
                print("%d denied: exit %d, %s" % (denied, code, text))
    print("%d cases, %d wrong" % (len(CASES), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
