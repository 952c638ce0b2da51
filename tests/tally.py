"""Counts results: JUnit files of ctest, GoogleTest and pytest, and single checks.

    tally.py one DIR NAME passed|failed|skipped [REASON]    notes a single check
    tally.py summary DIR                                     the count so far
    tally.py report DIR                                      failures, reasons of skips, the closing line; exit 1 on failures
"""

import collections
import json
import pathlib
import sys
import xml.etree.ElementTree as Tree


def cases(folder):
    """(name, outcome, reason) of everything that ran."""
    for path in sorted(folder.glob("*.xml")):
        try:
            root = Tree.parse(path).getroot()
        except Tree.ParseError as broken:
            yield path.name, "failed", "unreadable results: %s" % broken
            continue
        for case in root.iter("testcase"):
            name = "%s %s.%s" % (path.stem, case.get("classname", ""), case.get("name", ""))
            if case.get("status") in ("notrun", "disabled") and case.find("skipped") is None:
                yield name, "skipped", "disabled"
            elif (bad := next((e for e in case if e.tag in ("failure", "error")), None)) is not None:
                yield name, "failed", (bad.get("message") or bad.text or "").strip()
            elif case.get("status") == "fail":
                yield name, "failed", ""
            elif (skip := case.find("skipped")) is not None:
                out = case.findtext("system-out") or ""
                yield name, "skipped", reason_of(skip.get("message") or "", out)
            else:
                yield name, "passed", ""
    for path in sorted(folder.glob("*.json")):
        for line in path.read_text().splitlines():
            yield tuple(json.loads(line))


def reason_of(message, output):
    """ctest only says that a test was skipped: the reason is in what GoogleTest printed."""
    if message and "SKIP_" not in message:
        return message.split("\n")[-1].strip() if "\n" in message else message
    lines = output.splitlines()
    for at, line in enumerate(lines):
        if line.rstrip().endswith(": Skipped") and at + 1 < len(lines):
            return lines[at + 1].strip()
        if line.startswith("skipped: "):
            return line.removeprefix("skipped: ")
    return message


def closing(count):
    return "%d passed, %d failed, %d skipped" % (count["passed"], count["failed"], count["skipped"])


def main():
    verb, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if verb == "one":
        with open(folder / "checks.json", "a") as out:
            out.write(json.dumps([sys.argv[3], sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else ""]) + "\n")
        return 0
    found = list(cases(folder))
    count = collections.Counter(outcome for _, outcome, _ in found)
    if verb == "report":
        reasons = collections.defaultdict(list)
        for name, outcome, reason in found:
            if outcome == "skipped":
                reasons[reason or "no reason given"].append(name)
        for reason, names in sorted(reasons.items()):
            print("skipped %d: %s (%s%s)" % (len(names), reason[:200], names[0], ", ..." if len(names) > 1 else ""))
        for name, outcome, reason in found:
            if outcome == "failed":
                print("failed: %s  %s" % (name, " ".join(reason.split())[:200]))
    print(closing(count))
    return 1 if verb == "report" and (count["failed"] or not count["passed"]) else 0


if __name__ == "__main__":
    sys.exit(main())
