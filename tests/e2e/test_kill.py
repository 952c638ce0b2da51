"""SIGKILL at random moments under load, fifty times: what was acknowledged is in the ledger."""

import random
import threading
import time

import pytest

from harness.gateway import READ_STATEMENT, ROLE, Gateway, tools_upstream
from harness.processes import alive, wait_until
from test_sessions import OBJECT, seed

pytestmark = pytest.mark.xdist_group("kill")

KILLS = 50


def call_ids(answers):
    """Call ids of every answer the agent got, allowed or not."""
    found = []
    for answer in answers.values():
        receipt = ((answer.get("result") or {}).get("_meta") or {}).get("remit/receipt")
        if receipt:
            found.append(receipt["call"])
    return found


def test_every_acknowledged_decision_survives_fifty_kills(edge, tmp_path):
    seed(edge)
    made = Gateway(tmp_path, {"*": edge.endpoint}, {"t": tools_upstream(lanes=2)},
                   [{"name": "read", "tools": ["t/echo", "t/read_object"], "role": ROLE, "session": [READ_STATEMENT]}])
    chance = random.Random(20261121)
    acknowledged, orphans, rounds_with_answers = [], [], 0
    for kill in range(KILLS):
        with made.start() as agent:
            agent.initialize()
            stop = threading.Event()

            def load():
                number = 0
                try:
                    while not stop.is_set():
                        number += 1
                        if number % 20 == 0:
                            agent.send("tools/call", {"name": "read_object", "arguments": OBJECT})
                        agent.send("tools/call", {"name": "echo", "arguments": {"text": "%d-%d" % (kill, number)}})
                        if number % 8 == 0:
                            time.sleep(0.004)
                except OSError:
                    pass  # the gateway is gone

            worker = threading.Thread(target=load)
            worker.start()
            wait_until(lambda: len(agent.acknowledged()) > 2 or agent.ended, 30, "the first answers")
            time.sleep(chance.uniform(0, 0.25))
            children = agent.children()
            agent.process.kill()
            agent.process.wait()
            stop.set()
            worker.join()
            wait_until(lambda: agent.ended, 10, "the pipe closes")
            ids = call_ids(agent.acknowledged())
            rounds_with_answers += bool(ids)
            acknowledged += ids
            try:
                wait_until(lambda: not any(alive(pid) for pid in children), 5, "children end")
            except AssertionError:
                orphans += [pid for pid in children if alive(pid)]
    assert rounds_with_answers == KILLS and len(acknowledged) > 10 * KILLS
    assert not orphans, "%d children survived" % len(orphans)
    made.verify()
    recorded = {record.get("call") for record in made.records()}
    print("%d kills, %d acknowledged calls, %d records" % (KILLS, len(acknowledged), len(recorded)))
    lost = [call for call in acknowledged if call not in recorded]
    assert not lost, "%d of %d acknowledged calls are not in the ledger: %s" % (len(lost), len(acknowledged), lost[:3])
