#!/usr/bin/env python3
"""What `remit identify --batch` says of lines that are not as docs/identify.md describes them: which line, column and field, and what would
be right. Given: the program. Exit code: 0 as wanted, 1 not, 77 the program is not built."""

import json
import os
import subprocess
import sys

GOOD = {"method": "GET", "target": "/b/k", "scope": ["us-east-1", "s3"]}
ITS_HEADERS = "`headers` must be an object of strings like {\"content-type\": \"text/xml\"}, not "


def line(**more):
    row = {**GOOD, **more}
    return json.dumps({k: v for k, v in row.items() if v != "absent"})


# The line, and how its error begins; None: it is a request.
CASES = [
    (line(), None),
    (line(id={"a": [1]}, host=None, headers=None, body=None, loopback_target=None), None),
    (line(service="s3", op="GetObject", proto="rest-xml", loopback_candidates=[]), None),
    (line(expected="s3:GetObject"), None),
    (line(scope=None), None),
    (line(headers=[["host", "a"]]), "line 6, column 78: " + ITS_HEADERS + "an array"),
    (line(headers="host: a"), "line 7, column 78: " + ITS_HEADERS + "a string"),
    (line(headers={"content-length": 5}), "line 8, column 97: `headers.content-length` must be a string, not a number"),
    (line(headers={"x": None}), "line 9, column 84: `headers.x` must be a string, not null"),
    (line(headers={"x": ["a", "b"]}), "line 10, column 84: `headers.x` must be a string, not an array"),
    (line(method=5), "line 11, column 12: `method` must be a string, not a number"),
    (line(method="absent"), "line 12: a request needs `method`, a string"),
    (line(target=""), "line 13: a request needs `target`, a string"),
    (line(target={"path": "/"}), "line 14, column 29: `target` must be a string, not an object"),
    (line(host=443), "line 15, column 75: `host` must be a string, not a number"),
    (line(loopback_target=True), "line 16, column 86: `loopback_target` must be a string, not true or false"),
    (line(body={"a": 1}), "line 17, column 75: `body` must be a string, not an object"),
    (line(body_b64="&&&"), "line 18, column 79: `body_b64` must be base64"),
    (line(body_b64=7), "line 19, column 79: `body_b64` must be a string, not a number"),
    (line(body="a", body_b64="YQ=="), "line 20, column 92: `body_b64` and `body` are both given"),
    (line(scope="us-east-1/s3"), "line 21, column 46: `scope` must be two strings, [region, signing name], not a string"),
    (line(scope=["us-east-1"]), "line 22, column 46: `scope` must be two strings, [region, signing name], not 1 values"),
    (line(scope=["us-east-1", "s3", "x"]), "line 23, column 46: `scope` must be two strings, [region, signing name], not 3 values"),
    (line(scope=["us-east-1", 3]), "line 24, column 60: `scope` must be two strings, [region, signing name], not a number"),
    (line(scope={"region": "us-east-1"}), "line 25, column 46: `scope` must be two strings"),
    (line(header={"a": "b"}), "line 26, column 67: `header` is no field, did you mean `headers`?"),
    (line(Host="a"), "line 27, column 67: `Host` is no field, did you mean `host`?"),
    (line(bodyb64="YQ=="), "line 28, column 67: `bodyb64` is no field, did you mean `body_b64`?"),
    ("[1]", "line 29: a request is an object, not an array"),
    ("{\"method\": }", "line 30, column 12: "),
    ("{\"method\":\"GET\",\"method\":\"PUT\"}", "line 31, column 17: "),
    ("GET / HTTP/1.1", "line 32, column 1: "),
]


def main():
    remit = sys.argv[1]
    if not os.access(remit, os.X_OK):
        print("skipped: remit is not built")
        return 77
    text = "".join(given + "\n" for given, _ in CASES)
    done = subprocess.run([remit, "identify", "--batch", "-"], input=text, capture_output=True, text=True)
    answers = [json.loads(each) for each in done.stdout.splitlines()]
    wrong = []
    if len(answers) != len(CASES):
        wrong.append(f"{len(CASES)} lines, {len(answers)} answers")
    for (given, wanted), answer in zip(CASES, answers):
        error = answer.get("error")
        is_input = error is not None and error.startswith("line ")
        if (wanted is None and is_input) or (wanted is not None and not (error or "").startswith(wanted)):
            wrong.append(f"{given}\n  says    {error}\n  wanted  {wanted}")
    if answers and answers[1].get("id") != {"a": [1]}:
        wrong.append("the id is not given back")
    if done.returncode != 2:
        wrong.append(f"exit code {done.returncode}, not 2")
    if done.stderr != "remit identify: the field `expected` means nothing here and was passed over\n":
        wrong.append(f"standard error: {done.stderr!r}")
    # Blank lines count, so that an editor finds the place.
    blank = subprocess.run([remit, "identify", "--batch", "-"], input="\n\n" + line(method=5) + "\n", capture_output=True, text=True)
    if "line 3, column 12" not in blank.stdout:
        wrong.append(f"after two blank lines: {blank.stdout!r}")
    for each in wrong:
        print(each)
    print(f"{len(CASES)} lines, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
