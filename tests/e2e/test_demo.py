"""What README promises: scripts/demo shows the main job and says so in its last line."""

import os
import subprocess

import pytest

from harness.paths import ROOT, environment, remit

pytestmark = pytest.mark.xdist_group("radosgw")


def test_the_demo_tells_its_whole_story(radosgw):
    environment("aws-api")
    done = subprocess.run([ROOT / "scripts" / "demo"], env={**os.environ, "REMIT_BINARY": str(remit())}, capture_output=True,
                          text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done.stdout.rstrip().split("\n")[-1].startswith("demo: done in ")
