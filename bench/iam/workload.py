#!/usr/bin/env python3
"""Writes the workload that all engines decide: ten identity policies, a boundary, an SCP, a session
policy and requests; as IAM documents, and translated to Cedar and to Rego (README.md says how)."""
import json
import sys
from pathlib import Path

ACCOUNT = "111122223333"
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/agent/session-1"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource, **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def team(i):
    return policy(
        allow(["s3:GetObject", "s3:ListBucket"], [f"arn:aws:s3:::team{i}", f"arn:aws:s3:::team{i}/*"]),
        allow(["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:*:*:team{i}-*"),
        allow(["dynamodb:GetItem", "dynamodb:Query"], f"arn:aws:dynamodb:*:*:table/team{i}",
              Condition={"StringEquals": {"aws:PrincipalTag/Team": f"t{i}"}}),
        deny("s3:PutBucketPolicy", "*"))


BOUNDARY = policy(allow(["s3:*", "sqs:*", "dynamodb:*"], "*"), deny("iam:*", "*"))
SCP = policy(allow("*", "*"),
             deny("*", "*", Condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}),
             deny("organizations:LeaveOrganization", "*"))
SESSION = policy(allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::team7", "arn:aws:s3:::team7/*"]))
CONTEXT = {"aws:RequestedRegion": "eu-west-1", "aws:PrincipalTag/Team": "t7"}
REQUESTS = [
    ("s3:GetObject", "arn:aws:s3:::team7/reports/11.csv", True),
    ("s3:GetObject", "arn:aws:s3:::team8/reports/11.csv", False),
    ("s3:PutBucketPolicy", "arn:aws:s3:::team7", False),
]


def listed(value):
    return value if isinstance(value, list) else [value]


# Cedar: an action is Action::"s3:getobject"; a resource carries its ARN; identity statements become permit
# and forbid, and each limiting layer one forbid for what it does not allow.
def cedar_pattern(text):
    return json.dumps(text)


def cedar_test(statement):
    tests = []
    actions = listed(statement["Action"])
    if "*" not in actions:
        tests.append("(" + " || ".join(f"context.action like {cedar_pattern(a)}" for a in actions) + ")")
    resources = listed(statement["Resource"])
    if "*" not in resources:
        tests.append("(" + " || ".join(f"resource.arn like {cedar_pattern(r)}" for r in resources) + ")")
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            name = key.replace("aws:", "").replace("/", "_")
            equal = " || ".join(f"context.{name} == {json.dumps(v)}" for v in listed(values))
            tests.append(f"({equal})" if operator == "StringEquals" else f"!({equal})")
    return " && ".join(tests) or "true"


def cedar(policies, limits):
    out = []
    for document in policies:
        for s in document["Statement"]:
            verb = "permit" if s["Effect"] == "Allow" else "forbid"
            out.append(f"{verb}(principal, action, resource) when {{ {cedar_test(s)} }};")
    for document in limits:
        grants = [cedar_test(s) for s in document["Statement"] if s["Effect"] == "Allow"]
        out.append("forbid(principal, action, resource) unless { " + " || ".join(grants) + " };")
        for s in document["Statement"]:
            if s["Effect"] == "Deny":
                out.append(f"forbid(principal, action, resource) when {{ {cedar_test(s)} }};")
    return "\n".join(out) + "\n"


# Rego: one rule a statement; patterns become startswith and endswith tests, or regular expressions compiled once.
def rego_like(field, text):
    if "*" not in text:
        return f"{field} == {json.dumps(text)}"
    if text.count("*") == 1 and text.endswith("*"):
        return f"startswith({field}, {json.dumps(text[:-1])})"
    pattern = "^" + "".join(".*" if c == "*" else ("\\" + c if c in ".:/-" and c == "." else c) for c in text) + "$"
    return f"regex.match({json.dumps(pattern)}, {field})"


def rego_rules(name, effect, document):
    out = []
    for s in document["Statement"]:
        if s["Effect"] != effect:
            continue
        actions, resources = listed(s["Action"]), listed(s["Resource"])
        for action in actions:
            for resource in resources:
                body = []
                if action != "*":
                    body.append(rego_like("input.action", action))
                if resource != "*":
                    body.append(rego_like("input.resource", resource))
                for operator, block in s.get("Condition", {}).items():
                    for key, values in block.items():
                        test = f"input.context[{json.dumps(key)}] in {json.dumps(listed(values))}"
                        body.append(test if operator == "StringEquals" else "not " + test)
                out.append(f"{name} if {{\n\t" + "\n\t".join(body or ["true"]) + "\n}")
    return out


def rego(policies, limits):
    out = ["package remit", "import rego.v1", "default allow := false", "default denied := false"]
    for document in policies:
        out += rego_rules("identity", "Allow", document) + rego_rules("denied", "Deny", document)
    for i, document in enumerate(limits):
        out += rego_rules(f"limit{i}", "Allow", document) + rego_rules("denied", "Deny", document)
    names = "\n\t".join(["identity"] + [f"limit{i}" for i in range(len(limits))])
    out.append(f"allow if {{\n\tnot denied\n\t{names}\n}}")
    return "\n".join(out) + "\n"


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    stacks = {
        "single": ([team(7)], []),
        "stack": ([team(i) for i in range(10)], [BOUNDARY, SCP, SESSION]),
        "hundred": ([team(i) for i in range(100)], []),
        "ten-thousand": ([team(i) for i in range(10000)], []),
        # The same, the policy that allows attached last.
        "ten-thousand-last": ([team(i) for i in range(10000) if i != 7] + [team(7)], []),
    }
    for name, (identity, limits) in stacks.items():
        requests = [r for r in REQUESTS]
        if not limits:
            # Without limits the second request is allowed where its team's policy is attached.
            requests = [REQUESTS[0], (REQUESTS[1][0], REQUESTS[1][1], len(identity) > 8), REQUESTS[2]]
        whole = {"principal": PRINCIPAL, "account": ACCOUNT, "context": CONTEXT, "identity": identity,
                 "boundary": limits[:1], "scp": limits[1:2], "session": limits[2:],
                 "requests": [{"action": a, "resource": r, "allowed": e} for a, r, e in requests]}
        (folder / f"{name}.json").write_text(json.dumps(whole))
        (folder / f"{name}.cedar").write_text(cedar(identity, limits))
        (folder / f"{name}.rego").write_text(rego(identity, limits))


main()
