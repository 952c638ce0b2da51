#!/usr/bin/env python3
"""The man pages and completions say what --help says, and the programs that read them have nothing to complain of.

    tests/cli/pages.py REMIT SHARE      SHARE: the folder with man/, bash-completion/, zsh/, fish/

Each verb's --help is read with its options, values and arguments: all must be in the verb's page and in what bash, zsh and
fish complete. Pages are read by mandoc and groff, completions by the shells themselves, which are also asked to complete;
what of these is not installed is said. Needs nothing but Python's standard library. Exit code: 0 right, 1 not, 77 there is
nothing to test.
"""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
wrong = []
missing = []


def have(program):
    if shutil.which(program):
        return True
    missing.append(program)
    return False


def output(command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, **more)


def help_of(remit, path):
    return output([remit, *path, "--help"], env={"HOME": "/home/nobody", "PATH": os.environ["PATH"]}).stdout


def options_in(text):
    """Names of options, with the choices of their values."""
    found = {}
    for names, rest in re.findall(r"^  ((?:-\w,)?--?[\w-]+)([^\n]*)", text, re.M):
        choices = re.match(r" [\w/=]+:\{([^}]*)\}", rest)
        for name in names.split(","):
            found[name] = choices[1].split(",") if choices else []
    return found


def verbs_in(text):
    return re.findall(r"^  ([a-z]\w+) ", text.partition("Subcommands:")[2], re.M)


def words(page):
    """A man page as plain words: what roff reads, without fonts and escapes."""
    text = re.sub(r"\\f[BIR]|\\:|\\&", "", page.read_text())
    for escape, plain in (("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\e", "\\")):
        text = text.replace(escape, plain)
    return text


def bash_words(share, line):
    script = f"""
source {share}/bash-completion/completions/remit
COMP_WORDS=({line}); [[ {line!r} == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _remit; printf '%s\\n' "${{COMPREPLY[@]}}" """
    return output(["bash", "--norc", "-c", script]).stdout.split()


def fish_words(share, line):
    done = output(["fish", "--no-config", "-c", f"source {share}/fish/vendor_completions.d/remit.fish; complete -C {line!r}"],
                  env={**os.environ, "HOME": "/nonexistent"})
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def check_help(remit, share):
    top = help_of(remit, [])
    verbs = verbs_in(top)
    if len(verbs) < 5:
        wrong.append("remit --help names no verbs")
    program = words(share / "man/man1/remit.1")
    cases = []  # a line to complete, and what must be offered
    for name in options_in(top):
        if name not in program:
            wrong.append(f"remit(1) lacks {name}")
    cases.append(("remit ", verbs))
    for verb in verbs:
        if f"remit-{verb}(1)" not in program:
            wrong.append(f"remit(1) lacks remit-{verb}(1)")
        page = words(share / f"man/man1/remit-{verb}.1")
        subs = verbs_in(help_of(remit, [verb]))
        if subs:
            cases.append((f"remit {verb} ", subs))
        for path in [[verb], *([verb, sub] for sub in subs)]:
            text = help_of(remit, path)
            for name, choices in options_in(text).items():
                for word in (name, *choices):
                    if word not in page:
                        wrong.append(f"remit-{verb}(1) lacks {word} of remit {' '.join(path)}")
                if choices:
                    cases.append((f"remit {' '.join(path)} {name} ", choices))
            cases.append((f"remit {' '.join(path)} --", [n for n in options_in(text) if n.startswith("--")]))
            if len(path) == 2 and f"remit {verb} {path[1]}" not in page:
                wrong.append(f"remit-{verb}(1) lacks {path[1]}")
    return cases


def check_schema(share):
    """Every key of the published schema is in remit.yaml(5), save those of IAM's own language."""
    page = words(share / "man/man5/remit.yaml.5")

    def keys(value):
        if isinstance(value, dict):
            if isinstance(value.get("properties"), dict):
                yield from value["properties"]
            for part in value.values():
                yield from keys(part)
        elif isinstance(value, list):
            for part in value:
                yield from keys(part)

    for key in sorted(set(keys(json.loads((ROOT / "schema/remit.schema.json").read_text())))):
        if key[0].islower() and not re.search(rf"\b{re.escape(key)}\b", page):
            wrong.append(f"remit.yaml(5) lacks {key}")


def check_pages(share):
    pages = sorted(share.glob("man/man?/*"))
    for program, command in (("mandoc", ["mandoc", "-T", "lint", "-W", "style"]),
                             ("groff", ["groff", "-mandoc", "-ww", "-z", "-Tutf8", "-K", "utf8"])):
        if not have(program):
            continue
        for page in pages:
            said = output([*command, str(page)]).stdout
            if program == "mandoc":  # which pages of others are installed is no matter of ours
                said = "\n".join(row for row in said.splitlines() if "referenced manual not found" not in row)
            if said.strip():
                wrong.append(f"{program} {page.name}: {said.strip()[:600]}")
    return len(pages)


def check_shells(share, cases):
    if have("bash"):
        said = output(["bash", "-n", f"{share}/bash-completion/completions/remit"]).stdout
        if said:
            wrong.append(f"bash: {said}")
    for shell, ask in (("bash", bash_words), ("fish", fish_words)):
        if not have(shell):
            continue
        for line, wanted in cases:
            offered = ask(share, line)
            lacking = [word for word in wanted if word not in offered]
            if lacking:
                wrong.append(f"{shell}: {line!r} does not offer {lacking}, but {offered[:30]}")
    if have("zsh"):
        check_zsh(share, cases)


def check_zsh(share, cases):
    """In a terminal of its own; what a line offers is shown by the list of choices."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "dumb", "COLUMNS": "400", "LINES": "200", "HOME": "/nonexistent"})
        os.execvp("zsh", ["zsh", "-f", "-i"])

    def read_until(mark, seconds=20.0):
        text, end = "", time.monotonic() + seconds
        while mark not in text and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    text += os.read(terminal, 65536).decode(errors="replace")
                except OSError:
                    break
        return text

    def say(text):
        os.write(terminal, text.encode())

    say(f"PROMPT=; stty cols 400 rows 300; fpath=({share}/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D; "
        "LISTMAX=10000; setopt auto_list no_list_beep; print -r READY''NOW\n")
    read_until("READYNOW")
    for line, wanted in cases:
        say(f"{line}\x04")  # ^D lists the choices
        offered, end = "", time.monotonic() + 10
        again = time.monotonic() + 2
        while time.monotonic() < end and not all(re.search(rf"(^|[\s(]){re.escape(w)}($|[\s)])", offered) for w in wanted):
            if time.monotonic() > again:  # it came before the shell's editor had the terminal
                say(f"\x15{line}\x04")
                again += 2
            if select.select([terminal], [], [], 0.2)[0]:
                offered += os.read(terminal, 65536).decode(errors="replace")
        lacking = [w for w in wanted if not re.search(rf"(^|[\s(]){re.escape(w)}($|[\s)])", offered)]
        if lacking:
            wrong.append(f"zsh: {line!r} does not offer {lacking}, but {offered[-600:]!r}")
        say("\x15")  # ^U empties the line
    say("exit\n")
    os.close(terminal)
    os.waitpid(pid, 0)


def main():
    remit, share = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    if not os.access(remit, os.X_OK) or not (share / "man/man1/remit.1").exists():
        print("skipped: remit or its pages are not built")
        return 77
    cases = check_help(remit, share)
    check_schema(share)
    pages = check_pages(share)
    check_shells(share, cases)
    for line in wrong:
        print(line)
    print(f"{pages} pages, {len(cases)} completions, {len(wrong)} faults" +
          (f"; not installed: {', '.join(missing)}" if missing else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
