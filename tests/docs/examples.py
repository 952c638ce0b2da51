#!/usr/bin/env python3
"""Runs the examples of the documentation and compares what they print.

    tests/docs/examples.py REMIT PAGE.md...

Of each page, in order:
  - a ```yaml or ```json block whose first line is `# file: NAME` is written to NAME (JSON: without that line);
  - a ```console block is run: a line `$ remit ...` is a command, the lines up to the next one are what it must print
    on standard output and standard error together; `[exit N]` as the last line is its exit code, 0 when absent.
    A line of `...` stands for any number of lines; `…` within a line for any text.
A block that follows `<!-- not run: REASON -->` is only shown.

Commands run in an empty folder with the project's examples/ in it, a home of their own that has a profile called
`agents`, and a PATH on which the programs that the examples name exist. Needs nothing but Python's standard library.
Exit code: 0 all as documented, 1 a difference, 77 the program is not there.
"""

import os
import pathlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("uvx", "npx")
BLOCK = re.compile(r"(<!-- not run: [^\n]*-->\n\s*)?^```(console|yaml|json)\n(.*?)^```$", re.M | re.S)


def sandbox(folder: pathlib.Path) -> dict:
    shutil.copytree(ROOT / "examples", folder / "work" / "examples")
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[profile agents]\nregion = us-east-1\n")
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


def run_page(page: pathlib.Path, remit: str) -> tuple:
    ran = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = sandbox(folder)
        work = folder / "work"
        for block in BLOCK.finditer(page.read_text()):
            skipped, language, text = block.groups()
            if skipped:
                continue
            if language != "console":
                first, _, rest = text.partition("\n")
                if named := re.fullmatch(r"# file: (\S+)", first):
                    (work / named[1]).write_text(text if language == "yaml" else rest)
                continue
            for command, wanted, code in commands(text):
                words = shlex.split(command)
                if words[0] != "remit":
                    sys.exit(f"{page}: `{command}` is not a call of remit")
                done = subprocess.run([remit, *words[1:]], cwd=work, env=environment, text=True, timeout=60,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                ran += 1
                if done.returncode == code and matches(wanted, done.stdout.splitlines()):
                    continue
                failed += 1
                print(f"{page}: $ {command}\n--- documented, exit {code}\n" + "\n".join(wanted) +
                      f"\n--- printed, exit {done.returncode}\n{done.stdout}")
    return ran, failed


def main() -> int:
    remit, pages = sys.argv[1], [pathlib.Path(page) for page in sys.argv[2:]]
    if not os.access(remit, os.X_OK):
        print(f"skipped: {remit} is not built")
        return 77
    totals = [run_page(page, os.path.abspath(remit)) for page in pages]
    ran, failed = (sum(column) for column in zip(*totals))
    print(f"{ran} commands of {len(pages)} pages, {failed} not as documented")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
