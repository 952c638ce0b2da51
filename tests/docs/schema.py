#!/usr/bin/env python3
"""Judges the cases of schema_cases.yaml by the published JSON Schema and by the parser (`remit check --json`).

    tests/docs/schema.py REMIT

Each case says what both must answer. `schema: blind` marks a fault that a schema cannot see (two remits on one tool):
then the schema must accept and the parser refuse. The examples of examples/ must be valid for both.
Needs PyYAML and jsonschema (the locked environment `harness`). Exit code: 0 agreed, 1 not, 77 a part is missing.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}; scripts/env harness makes the environment that has it")
    sys.exit(77)


class AsWritten(yaml.SafeLoader):
    """Plain scalars stay what a JSON Schema can judge: integers, booleans written true or false, else texts."""


AsWritten.yaml_implicit_resolvers = {}
AsWritten.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(true|false)$"), list("tf"))
AsWritten.add_implicit_resolver("tag:yaml.org,2002:int", __import__("re").compile("^(0|[1-9][0-9]*)$"),
                                list("0123456789"))
AsWritten.add_implicit_resolver("tag:yaml.org,2002:null", __import__("re").compile("^(~|null|Null|NULL|)$"),
                                ["~", "n", "N", ""])


def parser_accepts(remit: str, text: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "remit.yaml")
        path.write_text(text)
        done = subprocess.run([remit, "check", "--json", "--config", str(path)], text=True, stdout=subprocess.PIPE,
                              env={"HOME": folder, "PATH": "/usr/bin:/bin"}, timeout=60, stdin=subprocess.DEVNULL)
        answer = json.loads(done.stdout)
        # What is not served, or lacks on this machine, is right all the same.
        ignored = ("this version of Remit serves", "cannot be written", "cannot be read")
        return not any(problem["severity"] == "error" and not any(words in problem["message"] for words in ignored)
                       for problem in answer["problems"])


def main() -> int:
    remit = sys.argv[1]
    if not os.access(remit, os.X_OK):
        print(f"skipped: {remit} is not built")
        return 77
    schema = json.loads((ROOT / "schema/remit.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    cases = yaml.safe_load(pathlib.Path(__file__).with_name("schema_cases.yaml").read_text())
    for example in sorted((ROOT / "examples").glob("*.yaml")):
        cases.append({"name": example.name, "valid": True, "yaml": example.read_text()})
    failed = 0
    for case in cases:
        document = yaml.load(case["yaml"], AsWritten)
        by_schema = validator.is_valid(document)
        by_parser = parser_accepts(remit, case["yaml"])
        blind = case.get("schema") == "blind"
        if by_parser == case["valid"] and by_schema == (case["valid"] or blind):
            continue
        failed += 1
        print(f"{case['name']}: valid should be {case['valid']}; parser says {by_parser}, schema says {by_schema}")
        for error in list(validator.iter_errors(document))[:3]:
            print(f"    {error.json_path}: {error.message[:200]}")
    print(f"{len(cases)} cases, {failed} judged differently")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
