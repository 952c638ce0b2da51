#!/usr/bin/env python3
"""Identification against what botocore itself serialises, with random valid inputs.

    differential.py REMIT [--seed N] [--services N] [--rounds N]

For a sample of services (the twelve that matter most are always in it) botocore builds each
operation from random input that its own validation accepts; the request is caught before it is sent
and given to `remit identify --batch -`, with its host and as it would reach the loopback endpoint.
Exit codes: 0 all found, 1 misses (printed), 77 without botocore.
"""

import argparse
import base64
import json
import random
import subprocess
import sys

try:
    import botocore.awsrequest
    import botocore.config
    import botocore.session
except ImportError:
    print("skipped: no botocore in this Python (scripts/env harness)")
    sys.exit(77)

SPINE = ["s3", "sts", "dynamodb", "sqs", "sns", "lambda", "iam", "kms", "secretsmanager",
         "cloudformation", "logs", "ec2"]


class Inputs:
    """Random input of an operation."""

    def __init__(self, rng):
        self.rng = rng

    def text(self, name, shape):
        if shape.enum:
            return self.rng.choice(shape.enum)
        low = name.lower()
        if low == "bucket":
            return "my-bucket"
        if low.endswith("arn") and self.rng.random() < 0.7:
            return "arn:aws:service:us-west-2:111122223333:thing/" + self.word(6)
        if low == "accountid" or low.endswith("awsaccountid"):
            return "111122223333"
        least = max(shape.metadata.get("min", 1), 1)
        most = max(least, min(shape.metadata.get("max", least + 12), least + 12))
        return self.word(self.rng.randint(least, most))

    def word(self, size):
        return "".join(self.rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(size))

    def value(self, name, shape, depth):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth + 1)
        if kind == "list":
            least = max(shape.metadata.get("min", 0), 1)
            return [self.value(name, shape.member, depth + 1) for _ in range(min(least, 20))]
        if kind == "map":
            return {self.text(name, shape.key): self.value(name, shape.value, depth + 1)}
        if kind in ("integer", "long"):
            return max(shape.metadata.get("min", 1), 1)
        if kind in ("float", "double"):
            return float(max(shape.metadata.get("min", 1), 1))
        if kind == "boolean":
            return self.rng.random() < 0.5
        if kind == "timestamp":
            return 1700000000
        if kind == "blob":
            return b"blob"
        return self.text(name, shape)

    def structure(self, shape, depth=0):
        members = shape.members
        if getattr(shape, "is_tagged_union", False) and members:
            name = self.rng.choice(sorted(members))
            return {name: self.value(name, members[name], depth)}
        chance = 0.3 if depth < 2 else 0.0
        return {name: self.value(name, member, depth) for name, member in members.items()
                if (name in shape.required_members or self.rng.random() < chance) and depth < 8}


class Caught(Exception):
    def __init__(self, request):
        super().__init__("caught")
        self.request = request


def catch(request, **_):
    raise Caught(request)


def line_of(request, service, operation, loopback):
    authorization = request.headers.get("Authorization", b"")
    if isinstance(authorization, bytes):
        authorization = authorization.decode()
    scope = None
    if "Credential=" in authorization:
        parts = authorization.split("Credential=")[1].split(",")[0].split("/")
        scope = [parts[2], parts[3]] if len(parts) == 5 else ["", parts[2]]
    host, _, path = request.url.split("://", 1)[1].partition("/")
    headers = {}
    for name, value in request.headers.items():
        if name.lower() not in ("authorization", "x-amz-date", "x-amz-security-token"):
            headers[name.lower()] = value.decode("latin-1") if isinstance(value, bytes) else value
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    row = {"id": f"{service}:{operation}", "method": request.method, "target": "/" + path,
           "headers": headers, "body_b64": base64.b64encode(body).decode(), "scope": scope}
    if not loopback:
        row["host"] = host
    return row


def requests_of(service, rng, rounds, loopback, only=None):
    session = botocore.session.Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    config = botocore.config.Config(retries={"total_max_attempts": 1},
                                    inject_host_prefix=not loopback, parameter_validation=True,
                                    s3={"addressing_style": "path"} if loopback else {})
    client = session.create_client(
        service, region_name="us-west-2", config=config,
        endpoint_url="http://127.0.0.1:9" if loopback else None)
    client.meta.events.register("before-send", catch)
    model = client.meta.service_model
    for name in only or model.operation_names:
        operation = model.operation_model(name)
        method = next(m for m, n in client.meta.method_to_api_mapping.items() if n == name)
        for _ in range(rounds):
            given = Inputs(rng).structure(operation.input_shape) if operation.input_shape else {}
            try:
                getattr(client, method)(**given)
            except Caught as caught:
                yield line_of(caught.request, service, name, loopback)
            except Exception:  # its own validation or endpoint rules say no: not a request
                continue


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("remit")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--services", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    others = sorted(set(botocore.session.Session().get_available_services()) - set(SPINE))
    chosen = SPINE + sorted(rng.sample(others, min(args.services, len(others))))
    rows = []
    for service in chosen:
        for loopback in (False, True):
            rows += requests_of(service, rng, args.rounds, loopback)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run([args.remit, "identify", "--batch", "-", "--account", "111122223333"],
                          input=text, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(rows):
        print(f"{len(rows)} requests, {len(answers)} answers: {done.stderr}")
        return 1
    misses = []
    for row, answer in zip(rows, answers):
        if row["id"] not in answer.get("candidates", []) and not same_action(row["id"], answer):
            misses.append((row["id"], row.get("host", "loopback"), row["method"], row["target"],
                           answer.get("error") or answer.get("candidates")))
    print(f"{len(rows)} requests of {len(chosen)} services, {len(misses)} missed (seed {args.seed})")
    for miss in misses[:40]:
        print("  ", *miss)
    return 1 if len(misses) * 1000 > len(rows) else 0


def same_action(label, answer):
    """Pairs of S3 operations with one form, and services with one API."""
    service, name = label.split(":")
    for candidate in answer.get("candidates", []):
        other, other_name = candidate.split(":")
        if service == other == "s3" and other_name == name + "Configuration":
            return True
        if name == other_name and {service, other} <= {"rds", "docdb", "neptune"}:
            return True
    # The clients of timestream ask for their endpoints first.
    return service.startswith("timestream") and answer.get("operation") == "DescribeEndpoints"


if __name__ == "__main__":
    sys.exit(main())
