"""Where things are, and whether they are there."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
CORPORA = Path(os.environ.get("REMIT_CORPORA", ROOT.parent / "shared" / "corpora"))


def skip(reason):
    import pytest  # only where tests run: the double is started by other programs too

    pytest.skip(reason)


def remit():
    """The program under test: REMIT_BINARY, or the dev build's."""
    path = Path(os.environ.get("REMIT_BINARY", ROOT / "build" / "dev" / "src" / "cli" / "remit"))
    if not path.exists():
        skip("no remit program at %s: build it first" % path)
    return path


def environment(name):
    """The folder of a locked environment (scripts/env makes it when it is missing)."""
    done = subprocess.run([ROOT / "scripts" / "env", name], capture_output=True, text=True)
    if done.returncode != 0:
        skip("the environment %s cannot be made here: %s" % (name, done.stderr.strip()[-200:]))
    return Path(done.stdout.strip())


def program(path, why):
    """`path` when it exists; otherwise the test is skipped with the reason."""
    if not Path(path).exists():
        skip("no %s: %s" % (path, why))
    return Path(path)


def client(language):
    """The command of the test client in `language`, which scripts/client builds when it is missing."""
    done = subprocess.run([ROOT / "scripts" / "client", language], capture_output=True, text=True)
    if done.returncode == 3:
        skip("the %s client cannot be built here: %s" % (language, done.stderr.strip()[-200:]))
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()
