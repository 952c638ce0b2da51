"""An MCP server over stdio for the tests, by hand: it starts in 30 ms and does to AWS whatever a test asks for.

It uses what its environment gives it, as an ordinary server does (boto3 with AWS_ENDPOINT_URL, HTTPS_PROXY).
Its tools answer JSON as text, refusals as `isError: true` with boto3's own words.
"""

import json
import os
import sys
import time

READ, WRITE = {"readOnlyHint": True}, {"readOnlyHint": False, "destructiveHint": True}


def text(**properties):
    return {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}, "additionalProperties": False}


def client(service):
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}, read_timeout=60))


def plain(value):
    """boto3's answer as JSON: bodies are read, times become text."""
    if hasattr(value, "read"):
        return value.read().decode("latin-1")
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def echo(text=""):
    return text


def aws(service, operation, parameters=None):
    """Any operation of any service, by boto3's names."""
    return plain(getattr(client(service), operation)(**(parameters or {})))


def read_object(bucket, key):
    return client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode("latin-1")


def write_object(bucket, key, body):
    client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    return "written"


def who():
    return plain(client("sts").get_caller_identity())


def slow_reads(bucket, key, times, gap):
    """Reads again and again, with one client whose keys stay what they were; says when each was."""
    s3, seen = client("s3"), []
    for _ in range(int(times)):
        start = time.time()
        try:
            s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            seen.append({"from": start, "to": time.time(), "ok": True})
        except Exception as wrong:
            seen.append({"from": start, "to": time.time(), "ok": False, "error": str(wrong)})
        time.sleep(float(gap))
    return seen


def surroundings():
    """Everything of this process in which a secret could be found."""
    found = {"environment": dict(os.environ), "pid": os.getpid(), "command": open("/proc/self/cmdline", "rb").read().decode("latin-1"),
             "files": {}, "parent": os.getppid(), "descriptors": []}
    for name, value in os.environ.items():
        if value.startswith("/") and os.path.isfile(value):
            found["files"][name] = open(value, "rb").read().decode("latin-1")
    for number in os.listdir("/proc/self/fd"):
        try:
            found["descriptors"].append(os.readlink("/proc/self/fd/" + number))
        except OSError:
            pass
    return found


def fetch(url):
    """An ordinary web request, through the proxy that the environment names."""
    import ssl
    import urllib.request

    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE")) if url.startswith("https:") else None
    with urllib.request.urlopen(url, timeout=20, context=context) as answer:
        return {"status": answer.status, "body": answer.read(4096).decode("latin-1")}


def crash():
    os._exit(3)


def sleep(seconds):
    time.sleep(float(seconds))
    return "slept"


def spawn(seconds):
    """Starts a process of its own and leaves it behind."""
    import subprocess

    return subprocess.Popen(["sleep", str(seconds)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid


def run(command, seconds=300):
    """An unmodified client as a child of this one, with the environment that Remit gave: how egress is used by any program."""
    import subprocess

    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    return {"code": done.returncode, "out": done.stdout[-20000:], "err": done.stderr[-20000:]}


TOOLS = {
    "echo": (echo, READ, text(text="string")),
    "aws": (aws, WRITE, {"type": "object", "required": ["service", "operation"],
                         "properties": {"service": {"type": "string"}, "operation": {"type": "string"},
                                        "parameters": {"type": "object"}}}),
    "read_object": (read_object, READ, text(bucket="string", key="string")),
    "write_object": (write_object, WRITE, text(bucket="string", key="string", body="string")),
    "who": (who, READ, text()),
    "slow_reads": (slow_reads, READ, text(bucket="string", key="string", times="number", gap="number")),
    "surroundings": (surroundings, READ, text()),
    "fetch": (fetch, READ, text(url="string")),
    "crash": (crash, WRITE, text()),
    "run": (run, WRITE, {"type": "object", "required": ["command"], "properties": {
        "command": {"type": "array", "items": {"type": "string"}}, "seconds": {"type": "number"}}}),
    "sleep": (sleep, READ, text(seconds="number")),
    "spawn": (spawn, WRITE, text(seconds="number")),
}


def handle(message):
    method, parameters = message.get("method"), message.get("params") or {}
    if method == "initialize":
        return {"protocolVersion": parameters.get("protocolVersion", "2025-11-25"), "capabilities": {"tools": {}},
                "serverInfo": {"name": "test-tools", "version": "1"}}
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": [{"name": name, "description": (function.__doc__ or name).strip(), "inputSchema": schema,
                           "annotations": hints} for name, (function, hints, schema) in TOOLS.items()]}
    if method == "tools/call":
        function = TOOLS[parameters["name"]][0]
        try:
            answer, wrong = function(**parameters.get("arguments", {})), False
        except Exception as refused:
            answer, wrong = "%s: %s" % (type(refused).__name__, refused), True
        return {"content": [{"type": "text", "text": answer if wrong else json.dumps(answer)}], "isError": wrong}
    return None


def main():
    if os.environ.get("TOOLS_ASK_AT_START"):  # as some servers do before any call
        who()
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        result = handle(message)
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if result is None:
            answer["error"] = {"code": -32601, "message": "no method " + str(message.get("method"))}
        else:
            answer["result"] = result
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
