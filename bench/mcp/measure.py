"""Runs mcp_load directly and through `remit gateway` with the edge double as AWS."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.edge import ACCOUNT, BASE_KEY, BASE_SECRET, Edge

build = Path(sys.argv[1]).resolve()
remit = str(build / "src" / "cli" / "remit")
load = str(build / "bench" / "mcp_load")


def configuration(folder, endpoint, durability):
    path = folder / ("remit-%s.yaml" % durability)
    path.write_text("""
agent: {{ name: bench }}
aws:
  base: {{ environment: true }}
  region: us-east-1
  endpoints: {{ "*": "{endpoint}" }}
upstreams:
  echo:
    command: ["{load}", echo]
    lanes: 16
remits:
  - name: echo
    tools: [echo/echo]
    role: arn:aws:iam::{account}:role/agent
    session:
      - {{ Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::invoices/*" }}
ledger: {{ path: "{folder}/ledger-{durability}.db", durability: {durability} }}
""".format(endpoint=endpoint, load=load, account=ACCOUNT, folder=folder, durability=durability))
    return path


def run(what, *command, environment=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit("%s failed: %s" % (what, done.stderr[-2000:]))
    print(json.dumps({"what": what, **json.loads(done.stdout)}), flush=True)


with tempfile.TemporaryDirectory(dir=build) as name, Edge() as edge:
    folder = Path(name)
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=BASE_KEY, AWS_SECRET_ACCESS_KEY=BASE_SECRET)
    for flight in ("1", "16"):
        run("direct", load, "load", "-c", flight, "--", load, "echo")
        for durability in ("process", "disk"):
            config = configuration(folder, edge.endpoint, durability)
            run("gateway, durability " + durability, load, "load", "-c", flight, "--", remit, "gateway", "--config",
                str(config), environment=environment)
    run("start", load, "first", "--", remit, "gateway", "--config", str(configuration(folder, edge.endpoint, "disk")),
        environment=environment)
