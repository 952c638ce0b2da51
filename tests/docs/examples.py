#!/usr/bin/env python3
"""Runs the examples of the documentation and compares what they print.

    tests/docs/examples.py REMIT PAGE.md...

Of each page, in order:
  - a ```yaml or ```json block whose first line is `# file: NAME` is written to NAME (JSON: without that line; for a NAME
    that ends in .jsonl, lines that begin with a space go on the line before);
  - a ```console block is run: a line `$ remit ...` is a command, the lines up to the next one are what it must print
    on standard output and standard error together; `[exit N]` as the last line is its exit code, 0 when absent.
    A line of `...` stands for any number of lines; `…` within a line for any text;
  - a ```python block is run, and must end well.
A block that follows `<!-- not run: REASON -->` is only shown.

Commands run in an empty folder with the project's examples/ in it, a home of their own that has a profile called
`agents` and a ledger of one call (written here, after docs/ledger.md; also as ledger.db in the folder), and a PATH on which
the programs that the examples name exist. Every verb that `remit --help` names must be run by a page, or shown with the
reason why it is not run. Needs nothing but Python's standard library.
Exit code: 0 all as documented, 1 a difference, 77 the program is not there.
"""

import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("uvx", "npx")
BLOCK = re.compile(r"(<!-- not run: [^\n]*-->\n\s*)?^```(console|yaml|json|python)\n(.*?)^```$", re.M | re.S)
CALL = "01JDC7Q8M2"
RECORDS = (
    ("call-decided", {"agent": "claude-code", "decision": "allowed", "remit": "read-invoices", "tool": "call_aws",
                      "upstream": "api", "user": "jane"}),
    ("session-minted", {"packed_policy_size": 34, "reused": False, "role": "arn:aws:iam::111122223333:role/r",
                        "session_name": "remit-1", "tags": {"AccessType": "AI"}}),
    ("aws-decided", {"actions": ["s3:PutObject"], "decision": "denied", "layer": "session policy",
                     "reason": "no statement allows it", "resources": ["arn:aws:s3:::b/k"]}),
    ("aws-done", {"answers": [{"decided": 3, "request_id": "R1", "status": 200}]}),
    ("call-done", {"duration_ms": 160, "is_error": True, "outcome": "result", "refused": 1}),
)


def write_ledger(path: pathlib.Path) -> None:
    """A ledger of one call, by the form that docs/ledger.md gives."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(f"""
        PRAGMA journal_mode = WAL; PRAGMA application_id = {0x524D4C47}; PRAGMA user_version = 1;
        CREATE TABLE record (seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind TEXT NOT NULL, call TEXT NOT NULL,
                             body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;""")
    previous = bytes(32)
    for seq, (kind, members) in enumerate(RECORDS, 1):
        time_ms, body = 1795275000000 + 40 * seq, json.dumps(members, sort_keys=True, separators=(",", ":"))
        frame = b"remit-ledger-1\n" + previous + struct.pack(">QQ", seq, time_ms)
        for text in (kind, CALL, body):
            frame += struct.pack(">I", len(text.encode())) + text.encode()
        previous = hashlib.sha256(frame).digest()
        database.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", (seq, time_ms, kind, CALL, body, previous))
    database.execute("INSERT INTO head VALUES (1, ?, ?)", (len(RECORDS), previous))
    database.close()
    path.chmod(0o600)


def sandbox(folder: pathlib.Path) -> dict:
    shutil.copytree(ROOT / "examples", folder / "work" / "examples")
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[profile agents]\nregion = us-east-1\n")
    ledger = home / ".local" / "state" / "remit" / "ledger.db"
    ledger.parent.mkdir(parents=True)
    write_ledger(ledger)
    shutil.copy2(ledger, folder / "work" / "ledger.db")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        program = programs / name
        program.write_text("#!/bin/sh\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def commands(block: str):
    """Of a console block: (command, the lines it prints, exit code)."""
    command, lines = None, []
    for line in [*block.splitlines(), "$ "]:
        if not line.startswith("$ "):
            # A command goes on where its line ends in a backslash.
            if command is not None and command.endswith("\\"):
                command = command[:-1] + line.strip()
            else:
                lines.append(line)
            continue
        if command is not None:
            code = 0
            if lines and (exit_line := re.fullmatch(r"\[exit (\d+)\]", lines[-1])):
                code = int(exit_line[1])
                lines.pop()
            yield command, lines, code
        command, lines = line[2:], []


def matches(wanted: list, got: list) -> bool:
    if not wanted:
        return not got
    if wanted[0] == "...":
        return any(matches(wanted[1:], got[i:]) for i in range(len(got) + 1))
    if not got:
        return False
    pattern = ".*".join(re.escape(part) for part in wanted[0].split("…"))
    return re.fullmatch(pattern, got[0]) is not None and matches(wanted[1:], got[1:])


def write_file(folder: pathlib.Path, language: str, text: str) -> None:
    first, _, rest = text.partition("\n")
    if named := re.fullmatch(r"# file: (\S+)", first):
        if named[1].endswith(".jsonl"):
            rest = re.sub(r"\n +", "", rest)
        (folder / named[1]).write_text(text if language == "yaml" else rest)


def run_page(page: pathlib.Path, remit: str, shown: set) -> tuple:
    ran = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = sandbox(folder)
        work = folder / "work"

        def run(words: list):
            return subprocess.run(words, cwd=work, env=environment, text=True, timeout=60, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def tell(what: str, code: int, wanted: list, done) -> None:
            print(f"{page}: {what}\n--- documented, exit {code}\n" + "\n".join(wanted) +
                  f"\n--- printed, exit {done.returncode}\n{done.stdout}")

        for block in BLOCK.finditer(page.read_text()):
            skipped, language, text = block.groups()
            if language == "console":
                shown.update(shlex.split(command)[1] for command, _, _ in commands(text))
            if skipped:
                continue
            if language == "python":
                done = run([sys.executable, "-c", text])
                ran += 1
                if done.returncode != 0:
                    failed += 1
                    tell("python", 0, [], done)
                continue
            if language != "console":
                write_file(work, language, text)
                continue
            for command, wanted, code in commands(text):
                words = shlex.split(command)
                if words[0] != "remit":
                    sys.exit(f"{page}: `{command}` is not a call of remit")
                done = run([remit, *words[1:]])
                ran += 1
                if done.returncode != code or not matches(wanted, done.stdout.splitlines()):
                    failed += 1
                    tell(f"$ {command}", code, wanted, done)
    return ran, failed


def main() -> int:
    remit, pages = os.path.abspath(sys.argv[1]), [pathlib.Path(page) for page in sys.argv[2:]]
    if not os.access(remit, os.X_OK):
        print(f"skipped: {remit} is not built")
        return 77
    shown = set()
    totals = [run_page(page, remit, shown) for page in pages]
    ran, failed = (sum(column) for column in zip(*totals))
    usage = subprocess.run([remit, "--help"], text=True, stdout=subprocess.PIPE, check=True).stdout
    for verb in re.findall(r"^  (\w+) ", usage.partition("Subcommands:")[2], re.M):
        if verb not in shown:
            failed += 1
            print(f"no page shows a call of remit {verb}")
    print(f"{ran} examples of {len(pages)} pages, {failed} not as documented")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
