#!/usr/bin/env python3
"""Judges `remit lint --format sarif` by the validator of SARIF's own authors, which has the published schema.

    tests/docs/sarif.py REMIT MULTITOOL

MULTITOOL is `Sarif.Multitool` of the locked environment `sarif`. Documents with many kinds of findings, in files with
awkward names, and none at all. Exit code: 0 valid, 1 not, 77 the validator is missing.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FAULTY = {
    "a b#c%.json": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Nothing","iam:PassRole"],"Resource":"*"}]}',
    "sub/c:d.yaml": "Statement:\n- Effect: Allow\n  Action: s3:*\n  Resource: '*'\n  Condition:\n    Bool: {aws:CalledViaAWSMCP: 'true'}\n",
    "é.json": '{"Version":"2012-10-17","Statement":[{"Sid":"é","Effect":"Deny","Action":"aws-mcp:*","Resource":"*"}]}',
    "broken.json": "{",
    "trust.json": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},'
                  '"Action":"sts:AssumeRoleWithWebIdentity"}}',
}
CLEAN = {"good.json": '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}'}


def judge(remit, multitool, folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    lint = subprocess.run([remit, "lint", "--format", "sarif", *files], cwd=folder, capture_output=True, text=True)
    assert lint.returncode in (0, 1), lint.stderr
    log = folder / "out.sarif"
    log.write_text(lint.stdout)
    results = json.loads(lint.stdout)["runs"][0]["results"]
    report = folder / "report.sarif"
    run = subprocess.run([multitool, "validate", "out.sarif", "--output", str(report), "--log", "ForceOverwrite"],
                         cwd=folder, capture_output=True, text=True,
                         env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"})
    errors = [r for r in json.loads(report.read_text(encoding="utf-8-sig"))["runs"][0]["results"]
              if r.get("level", "warning") == "error"]
    for error in errors:
        print(error["ruleId"], error["message"])
    assert run.returncode == 0, run.stdout + run.stderr
    print(f"{len(results)} results of {len(files)} files: {len(errors)} errors of the validator")
    return results, errors


def tell_of_the_others(remit, folder):
    """A file that cannot be read hides none of the findings of the others."""
    (folder / "bad.json").write_text(FAULTY["a b#c%.json"])
    alone, beside = (subprocess.run([remit, "lint", "--format", "sarif", *files], cwd=folder, capture_output=True, text=True)
                     for files in (["bad.json"], ["missing.json", "bad.json"]))
    assert alone.returncode == 1 and beside.returncode == 2 and beside.stdout == alone.stdout, beside
    assert "missing.json: cannot be read" in beside.stderr, beside.stderr


def main():
    remit, multitool = (str(pathlib.Path(argument).absolute()) for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        tell_of_the_others(remit, pathlib.Path(folder))
    if not pathlib.Path(multitool).exists():
        print("skipped: scripts/env sarif was not run")
        return 77
    os.chmod(multitool, 0o755)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        faulty, wrong = judge(remit, multitool, folder, FAULTY)
        clean, more = judge(remit, multitool, folder, CLEAN)
    return 1 if wrong or more or len(faulty) < 8 or clean else 0


sys.exit(main())
