"""The process between the gateway and each upstream: which program it is, and what its end means."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness.gateway import READ_STATEMENT, ROLE, Gateway, Lines, tools_upstream
from harness.paths import remit
from harness.processes import alive, descendants, wait_until

pytestmark = pytest.mark.xdist_group("supervisor")

SMALL = b"remit-supervise-lane"
# A system that executes no file in memory: the sysctl holds for the process namespace it is set in.
REFUSES = ["unshare", "--user", "--map-root-user", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child", "sh", "-c",
           'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"', "sh"]


def gateway(edge, folder):
    return Gateway(folder, {"*": edge.endpoint}, {"t": tools_upstream()},
                   [{"name": "read", "tools": ["t/echo", "t/run"], "role": ROLE, "session": [READ_STATEMENT]}])


def words(pid):
    try:
        return Path("/proc/%d/cmdline" % pid).read_bytes().split(b"\0")
    except OSError:
        return []


def supervisors(agent):
    """Of the lanes that run, as process ids."""
    return [pid for pid in agent.children() if words(pid)[:1] == [SMALL] or words(pid)[1:2] == [b"supervise-lane"]]


def works(agent):
    answer = agent.call("echo", text="x")
    return "result" in answer and not answer["result"].get("isError", False)


def test_remit_alone_is_enough_and_looks_for_nothing(edge, tmp_path):
    """One file, copied away from all others; a program of the supervisor's name lies wherever it might be looked for."""
    made = gateway(edge, tmp_path)
    home = tmp_path / "elsewhere"
    home.mkdir()
    alone = shutil.copy(remit(), home / "remit")
    decoys = [tmp_path / "path", tmp_path, home]
    for folder in decoys:
        folder.mkdir(exist_ok=True)
        for name in (SMALL.decode(), "supervise-lane"):
            decoy = folder / name
            decoy.write_text("#!/bin/sh\ntouch %s/decoy-ran\n" % tmp_path)
            decoy.chmod(0o755)
    made.env["PATH"] = "%s:%s:%s" % (tmp_path / "path", home, made.env["PATH"])
    with Lines([str(alone), *made.command[1:]], made.env, made.folder, made.log) as agent:
        agent.initialize()
        assert works(agent)
        pid, = supervisors(agent)
        assert words(pid)[0] == SMALL
        assert os.readlink("/proc/%d/exe" % pid) == "/memfd:remit-supervise-lane (deleted)"
        assert Path("/proc/%d/comm" % pid).read_text() == "remit-supervise\n"
    assert not (tmp_path / "decoy-ran").exists()
    assert "supervisor.not_sealed" not in made.logs()


def test_where_no_file_in_memory_may_run_remit_supervises_itself(edge, tmp_path):
    if not shutil.which("unshare") or subprocess.run([*REFUSES, "true"], capture_output=True).returncode != 0:
        pytest.skip("vm.memfd_noexec cannot be set for one namespace here (Linux 6.6, unshare)")
    made = gateway(edge, tmp_path)
    with made.start(wrapper=REFUSES) as agent:
        agent.initialize()
        assert works(agent)
        pid, = supervisors(agent)
        assert words(pid)[:2] == [b"/proc/self/exe", b"supervise-lane"]
        assert Path("/proc/%d/comm" % pid).read_text() == "remit-supervise\n"
        before = descendants(pid)
        assert before
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(alive(one) for one in [pid, *before]), 5, "the lane ends")
        assert works(agent), "the next call gets a lane of its own"
    assert "supervisor.not_sealed" in made.logs()
    made.verify()


# SIGKILL leaves it no time: the kernel ends the upstream's first process, and what that started goes on (threat model).
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_supervisor_that_is_ended_ends_its_lane_and_the_next_call_works(edge, tmp_path, number):
    made = gateway(edge, tmp_path)
    with made.start() as agent:
        agent.initialize()
        assert works(agent)
        pid, = supervisors(agent)
        call = agent.send("tools/call", {"name": "run", "arguments": {"command": ["sleep", "600"]}})
        wait_until(lambda: any(words(one)[:1] == [b"sleep"] for one in descendants(pid)), 20, "the call is under way")
        lane = descendants(pid)
        os.kill(pid, number)
        answer = agent.wait(call, 20)
        assert "error" in answer or answer["result"]["isError"], answer
        left = lane[1:] if number == signal.SIGKILL else []
        wait_until(lambda: not any(alive(one) for one in [pid, *lane] if one not in left), 5, "the lane ends")
        for one in filter(alive, left):
            os.kill(one, signal.SIGKILL)
        assert works(agent)
    made.verify()
