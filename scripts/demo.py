"""The story that scripts/demo tells; every step is checked, and the last line says what happened."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "tests"))

from harness import agent  # noqa: E402
from harness.edge import Edge  # noqa: E402
from harness.radosgw import Radosgw  # noqa: E402

REMIT = os.environ["REMIT_BINARY"]
SERVER = root / "build/env/aws-api/bin/awslabs.aws-api-mcp-server"
FOLDER = root / "build/demo"
BOLD, DIM, RED, GREEN, OFF = ("\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("",) * 5

CONFIGURATION = """\
agent: {{ name: demo-agent, user: jane }}
aws:
  base: {{ environment: true }}            # the only real credentials; the agent never has them
  endpoints:
    "*": "{endpoint}"      # a real S3 and STS on this machine
    servicereference.us-east-1.amazonaws.com: "{reference}"
upstreams:
  api:
    command: ["{server}"]
    env:
      FASTMCP_CHECK_FOR_UPDATES: "off"
      AWS_API_MCP_SUPPRESS_DEPRECATION_WARNING: "true"
      AWS_API_MCP_WORKING_DIR: "{work}"
    public_hosts: [servicereference.us-east-1.amazonaws.com]
remits:
  - name: read-invoices
    tools: [api/call_aws]
    role: {role}      # the role itself may do everything in S3
    session:                               # ... a call's session only this
      - Effect: Allow
        Action: [s3:GetObject, s3:ListBucket]
        Resource: ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]
    tags: {{ Team: billing }}
    duration: 15m
ledger: {{ path: "{ledger}" }}
{more}"""


class Unexpected(Exception):
    pass


def step(text):
    print("\n%s%s%s" % (BOLD, text, OFF), flush=True)


def show(text, colour=""):
    for line in text.rstrip("\n").split("\n"):
        print("   %s%s%s" % (colour, line, OFF if colour else ""), flush=True)


def expect(condition, what):
    if not condition:
        raise Unexpected(what)


def configure(name, cloud, reference, more=""):
    path = FOLDER / name
    path.write_text(CONFIGURATION.format(endpoint=cloud.endpoint, reference=reference, server=SERVER, work=FOLDER / "work",
                                         role=cloud.role, ledger=FOLDER / "ledger.db", more=more))
    return path


def environment(cloud, **more):
    return {"PATH": os.environ["PATH"], "HOME": str(FOLDER / "home"), "AWS_ACCESS_KEY_ID": cloud.access_key,
            "AWS_SECRET_ACCESS_KEY": cloud.secret_key, **more}


def remit(cloud, *arguments):
    done = subprocess.run([REMIT, *map(str, arguments)], capture_output=True, text=True, env=environment(cloud))
    expect(done.returncode == 0, "remit %s failed: %s" % (" ".join(map(str, arguments)), done.stdout + done.stderr))
    return done.stdout


def answer_of(text):
    """What the server says in its JSON, for a person."""
    try:
        first = json.loads(text.split("\n")[0])
        response = first[0]["response"] if isinstance(first, list) else first["response"]
        if isinstance(response, dict):
            return response.get("error") or response.get("as_json") or text
        return response or (first[0] if isinstance(first, list) else first).get("error") or text
    except (ValueError, KeyError, IndexError, TypeError):
        return text


async def call(session, command):
    show("agent$ call_aws  %s" % command, DIM)
    return await session.call_tool("call_aws", {"cli_command": command})


async def story(cloud, reference):
    objects = cloud.client("s3")
    config = configure("remit.yaml", cloud, reference)
    step("2. The configuration: which tool acts as whom, and within which limits  (build/demo/remit.yaml)")
    show(config.read_text())

    step("3. An MCP client starts `remit gateway`, and behind it the real awslabs.aws-api-mcp-server")
    started = time.monotonic()
    async with agent.connect([REMIT, "gateway", "--config", config], environment(cloud), cwd=str(FOLDER),
                             log=str(FOLDER / "gateway.log")) as session:
        tools = [tool.name for tool in (await session.list_tools()).tools]
        show("ready in %.1f s; the agent sees exactly what it may call: %s" % (time.monotonic() - started, ", ".join(tools)))
        expect(tools == ["call_aws"], "the tool list is %s" % tools)

        step("4. Calls within the remit")
        result = await call(session, "aws s3 ls s3://invoices/2026/")
        show(answer_of(agent.text_of(result)), GREEN)
        expect("acme.txt" in agent.text_of(result), "the listing lacks the invoice")
        result = await call(session, "aws s3 cp s3://invoices/2026/acme.txt -")
        show(answer_of(agent.text_of(result)), GREEN)
        expect("total: 4200" in agent.text_of(result), "the invoice could not be read")
        receipt = agent.receipt_of(result)
        expect(receipt, "no receipt in the result")
        show("receipt in _meta: " + json.dumps(receipt))

        step("5. A call beyond the remit: refused before it leaves, with the reason")
        refused = await call(session, "aws s3api delete-object --bucket invoices --key 2026/acme.txt")
        for part in refused.content:  # the server's words, then what Remit adds for servers that drop the reason
            show(answer_of(part.text), RED)
        expect("s3:DeleteObject" in agent.text_of(refused), "the refusal does not name the missing permission")
        refused_call = agent.receipt_of(refused)["call"]

    step("6. The same call with Remit's own check switched off: the session itself is too narrow, and S3 refuses it")
    unsafe = configure("unsafe.yaml", cloud, reference, "egress: { unsafe_disable_decision: true }\n")
    async with agent.connect([REMIT, "gateway", "--config", unsafe], environment(cloud, REMIT_UNSAFE_TESTING="1"),
                             cwd=str(FOLDER), log=str(FOLDER / "unsafe.log")) as session:
        result = await call(session, "aws s3api delete-object --bucket invoices --key 2026/acme.txt")
        show(answer_of(agent.text_of(result)), RED)
        expect("AccessDenied" in agent.text_of(result), "S3 did not refuse")
    expect([o["Key"] for o in objects.list_objects_v2(Bucket="invoices")["Contents"]] == ["2026/acme.txt", "2026/zenith.txt"],
           "an object is missing")
    show("both invoices are still there")

    step("7. The ledger tells the whole story of the refused call, and verifies")
    show("$ remit ledger show %s" % refused_call, DIM)
    shown = remit(cloud, "ledger", "show", refused_call, "--ledger", FOLDER / "ledger.db")
    show(shown)
    expect("s3:DeleteObject" in shown, "the ledger does not tell of the refusal")
    show("$ remit ledger verify", DIM)
    show(remit(cloud, "ledger", "verify", "--ledger", FOLDER / "ledger.db"))


def main():
    started = time.monotonic()
    if (FOLDER / "cloud").exists():
        subprocess.run([root / "tests/radosgw/down", FOLDER / "cloud"], capture_output=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "work").mkdir(parents=True)
    (FOLDER / "home").mkdir()
    try:
        step("1. A real S3 and STS: Ceph's RADOS gateway, in memory, on this machine")
        with Radosgw(FOLDER / "cloud") as cloud, Edge() as stand_in:
            objects = cloud.client("s3")
            objects.create_bucket(Bucket="invoices")
            for name, text in (("acme", "total: 4200\n"), ("zenith", "total: 77\n")):
                objects.put_object(Bucket="invoices", Key="2026/%s.txt" % name, Body=text.encode())
            show("%s, ready after %.1f s, with bucket `invoices` and two objects" % (cloud.endpoint, time.monotonic() - started))
            agent.run(story(cloud, stand_in.reference), 180)
    except Exception as wrong:
        while isinstance(wrong, BaseExceptionGroup):
            wrong = wrong.exceptions[0]
        for name in ("gateway.log", "unsafe.log"):
            if (FOLDER / name).exists():
                show("the end of build/demo/%s:" % name, DIM)
                show("\n".join((FOLDER / name).read_text(errors="replace").splitlines()[-10:]), DIM)
        print("\ndemo: failed: %s" % (str(wrong) or type(wrong).__name__))
        return 1
    print("\ndemo: done in %.0f s: a call within its remit worked as its own session; one beyond it was refused by Remit, "
          "and by S3 with Remit's check off; the ledger verifies" % (time.monotonic() - started))
    return 0


if __name__ == "__main__":
    sys.exit(main())
