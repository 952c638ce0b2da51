#!/usr/bin/env python3
"""A scripted MCP server for the gateway's tests: each tool is one way to behave or misbehave."""
import json
import os
import subprocess
import sys
import threading
import time

LOCK = threading.Lock()
ANSWERS = {}


def send(message):
    with LOCK:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def result(request, text, **more):
    send({"jsonrpc": "2.0", "id": request["id"],
          "result": {"content": [{"type": "text", "text": text}], **more}})


def fork_tree():
    """Children that try to outlive us: a plain one, a session of its own, a double fork."""
    script = "import os,time;os.setsid();\nif os.fork():os._exit(0)\nprint(os.getpid(),flush=True)\ntime.sleep(600)"
    pids = [subprocess.Popen(["sleep", "600"]).pid,
            subprocess.Popen(["sleep", "600"], start_new_session=True).pid]
    detached = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pids.append(int(detached.stdout.readline()))
    return pids


def call(request):
    params = request["params"]
    name, arguments = params["name"], params.get("arguments", {})
    if name == "echo":
        result(request, json.dumps(arguments), structuredContent={"n": 1.0})
    elif name == "env":
        result(request, json.dumps(dict(os.environ)))
    elif name == "pid":
        result(request, str(os.getpid()))
    elif name == "slow":
        time.sleep(arguments.get("seconds", 0.2))
        result(request, str(os.getpid()))
    elif name == "crash":
        os._exit(3)
    elif name == "hang":
        time.sleep(600)
    elif name == "garbage":
        for _ in range(50):
            sys.stdout.write("not json at all\n")
        send({"jsonrpc": "2.0", "id": 999999, "result": {}})
        sys.stdout.flush()
        result(request, "still here")
    elif name == "flood":
        while True:
            sys.stdout.write("x" * 100 + "\n")
    elif name == "huge":
        result(request, "x" * (33 << 20))
    elif name == "stderr":
        for i in range(1000):
            print("line", i, file=sys.stderr)
        result(request, "said")
    elif name == "fork":
        result(request, json.dumps(fork_tree() + [os.getpid()]))
    elif name == "progress":
        token = params.get("_meta", {}).get("progressToken")
        for i in (1, 2):
            send({"jsonrpc": "2.0", "method": "notifications/progress",
                  "params": {"progressToken": token, "progress": i}})
        result(request, str(token))
    elif name == "ask":
        send({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create",
              "params": {"message": "really?", "requestedSchema": {"type": "object"}}})
        while "q1" not in ANSWERS:
            time.sleep(0.005)
        result(request, json.dumps(ANSWERS.pop("q1")))
    elif name == "error":
        send({"jsonrpc": "2.0", "id": request["id"],
              "error": {"code": -32000, "message": "the server's own error", "data": {"n": 1}}})
    elif name == "change":
        CHANGED.set()
        send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        result(request, "changed")


CHANGED = threading.Event()
NAMES = ["echo", "env", "pid", "slow", "crash", "hang", "garbage", "flood", "huge", "stderr", "fork",
         "progress", "ask", "error", "change", "hidden"]


def tools():
    names = NAMES + (["pid2"] if CHANGED.is_set() else [])
    for name in names:
        yield {"name": name, "description": "1.50 \u00e9", "inputSchema": {
            "type": "object", "properties": {"bucket": {"type": "string"}}}}


def main():
    if "--exit" in sys.argv:
        print("the reason it gives", file=sys.stderr)
        sys.exit(1)
    if "--silent" in sys.argv:
        time.sleep(600)
    for line in sys.stdin:
        message = json.loads(line)
        method = message.get("method")
        if method == "initialize":
            send({"jsonrpc": "2.0", "id": message["id"], "result": {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "fake", "version": "1"}}})
        elif method == "tools/list":
            listed = list(tools())
            start = int(message.get("params", {}).get("cursor", "0"))
            answer = {"tools": listed[start:start + 10]}
            if start + 10 < len(listed):
                answer["nextCursor"] = str(start + 10)
            send({"jsonrpc": "2.0", "id": message["id"], "result": answer})
        elif method == "tools/call":
            threading.Thread(target=call, args=(message,), daemon=True).start()
        elif method is None:
            ANSWERS[message["id"]] = message.get("result", message.get("error"))
    if "--stubborn" in sys.argv:
        time.sleep(600)


main()
