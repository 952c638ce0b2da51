"""`remit gateway` in a test: its configuration, its folder, and two ways to talk to it."""

import contextlib
import json
import os
import queue
import subprocess
import threading
from pathlib import Path

import yaml

from . import agent
from .edge import ACCOUNT, BASE_KEY, BASE_SECRET
from .paths import TESTS, environment, remit
from .processes import descendants, stop

ROLE = "arn:aws:iam::%s:role/agents/invoices" % ACCOUNT
READ_STATEMENT = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
                  "Resource": ["arn:aws:s3:::invoices", "arn:aws:s3:::invoices/*"]}


def tools_upstream(**more):
    """The tests' own MCP server, run by the Python that has boto3."""
    return {"command": [str(environment("harness") / "bin" / "python"), "-I", str(TESTS / "servers" / "tools.py")],
            "isolate": "session", "lanes": 4, **more}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


class Gateway:
    """A folder with remit.yaml and a ledger, and the environment with the only real keys."""

    def __init__(self, folder, endpoints, upstreams, remits, *, key=(BASE_KEY, BASE_SECRET), **sections):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.ledger = self.folder / "ledger.db"
        self.log = self.folder / "gateway.log"
        aws = {"base": {"environment": True}, "region": "us-east-1", "endpoints": endpoints, **sections.pop("aws", {})}
        self.config = {"agent": {"name": "pytest", "user": "jane"}, "aws": aws, "upstreams": upstreams, "remits": remits,
                       "ledger": {"path": str(self.ledger)}, **sections}
        self.path = self.folder / "remit.yaml"
        self.path.write_text(yaml.safe_dump(self.config, sort_keys=False, width=1000))
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home), "TMPDIR": str(self.folder)}
        if key:
            self.env.update(AWS_ACCESS_KEY_ID=key[0], AWS_SECRET_ACCESS_KEY=key[1])

    @property
    def command(self):
        return [str(remit()), "gateway", "--config", str(self.path)]

    def session(self):
        """`async with gateway.session() as s`: the official MCP client in front of the gateway."""
        return self._told(agent.connect(self.command, self.env, cwd=str(self.folder), log=str(self.log)))

    @contextlib.asynccontextmanager
    async def _told(self, connection):
        """What the gateway wrote is shown beside a failure."""
        try:
            async with connection as session:
                yield session
        except BaseException:
            print("gateway.log ends:\n" + self.logs()[-3000:])
            raise

    def start(self, wrapper=()):
        """The gateway with a plain line client, for tests that need its process."""
        return Lines([*wrapper, *self.command], self.env, self.folder, self.log)

    def run(self, *arguments, check=True):
        """Another verb of remit, in the same environment."""
        done = subprocess.run([str(remit()), *map(str, arguments)], env=self.env, cwd=self.folder, capture_output=True,
                              text=True, timeout=60)
        if check:
            assert done.returncode == 0, "remit %s: %s %s" % (arguments, done.stdout[-2000:], done.stderr[-2000:])
        return done

    def verify(self):
        return self.run("ledger", "verify", "--ledger", self.ledger)

    def records(self):
        """Every record of the ledger, oldest first."""
        out = self.run("ledger", "export", "--ledger", self.ledger).stdout
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def logs(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Lines:
    """JSON-RPC over the stdio of a process, one line a message. Answers are waited for by id."""

    def __init__(self, command, env, cwd, log):
        self._log = open(log, "ab")
        self.process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self._log, start_new_session=True)
        self._answers, self._lock, self._next = {}, threading.Condition(), 0
        self.ended = False
        self.others = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            try:
                pipe.close()
            except OSError:
                pass

    def _read(self):
        try:
            for line in self.process.stdout:
                message = json.loads(line)
                if "id" in message and "method" not in message:
                    with self._lock:
                        self._answers[message["id"]] = message
                        self._lock.notify_all()
                else:
                    self.others.put(message)
        except ValueError:
            pass
        with self._lock:
            self.ended = True
            self._lock.notify_all()

    def send(self, method, parameters=None, notify=False):
        message = {"jsonrpc": "2.0", "method": method}
        if parameters is not None:
            message["params"] = parameters
        if not notify:
            self._next += 1
            message["id"] = self._next
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return message.get("id")

    def wait(self, number, seconds=60):
        """The whole answer (`result` or `error`); None when the process ended first."""
        with self._lock:
            came = self._lock.wait_for(lambda: number in self._answers or self.ended, seconds)
            assert came, "no answer to request %s within %s s" % (number, seconds)
            return self._answers.get(number)

    def acknowledged(self):
        with self._lock:
            return dict(self._answers)

    def ask(self, method, parameters=None, seconds=60):
        return self.wait(self.send(method, parameters), seconds)

    def initialize(self, seconds=60):
        answer = self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                         "clientInfo": {"name": "lines", "version": "1"}}, seconds)
        assert answer and "result" in answer, answer
        self.send("notifications/initialized", notify=True)
        return answer["result"]

    def call(self, tool, within=60, **arguments):
        return self.ask("tools/call", {"name": tool, "arguments": arguments}, within)

    def children(self):
        return descendants(self.process.pid)
