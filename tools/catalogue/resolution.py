#!/usr/bin/env python3
"""Hosts and signing regions against what botocore's own resolver says, for every service in every region of every partition.

    resolution.py REMIT [--services N] [--seed N]

One request of each service (one for each kind of operation that its endpoint rules tell apart) is signed for each region of botocore's
partitions and given to `remit identify --batch -` twice: as it would reach the loopback endpoint, where Remit must name the host and
the region to sign for, and with that host, where it must be known as the service's. Where the rules name a host of another partition,
Remit must name none. --services takes a sample.
Exit codes: 0 all the same, 1 differences (printed), 77 without botocore.
"""

import argparse
import json
import random
import re
import subprocess
import sys

try:
    import botocore.endpoint_provider
    import botocore.exceptions
    import botocore.session
except ImportError:
    print("skipped: no botocore in this Python (scripts/env harness)")
    sys.exit(77)

import differential


def static_of(operation):
    return tuple(sorted((p.name, p.value) for p in operation.static_context_parameters))


def rows_of(service, session):
    """(what the rules are told, whether a host prefix comes on top, request) for each kind of operation."""
    kinds = {}
    model = session.get_service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        prefixed = bool((operation.endpoint or {}).get("hostPrefix"))
        kinds.setdefault(static_of(operation), []).append((prefixed, name))
    for given, names in sorted(kinds.items()):
        for prefixed, name in sorted(names):
            row = next(differential.requests_of(service, random.Random(7), 1, True, {name}), None)
            if row and row["scope"]:
                # What S3's operations say of directory buckets counts only beside such a bucket's name, and its scope.
                yield {} if row["scope"][1] == "s3" else dict(given), prefixed, row
                break


def resolved(provider, given, region):
    """Host and region to sign for; None where the rules want more than a region."""
    try:
        found = provider.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False, **given)
    except botocore.exceptions.EndpointProviderError:
        return None
    schemes = [s for s in found.properties.get("authSchemes", []) if s["name"] == "sigv4"]
    signed = next((s["signingRegion"] for s in schemes if "signingRegion" in s), region)
    return found.url.removeprefix("https://").split("/")[0], signed


def is_of_another(own, partitions, host):
    """Rules of a few services name a host below api.aws for every partition."""
    def suffixes(partition):
        return {"." + partition["outputs"][name] for name in ("dnsSuffix", "dualStackDnsSuffix")}
    known = {s for p in partitions for s in suffixes(p) if host.endswith(s)}
    return bool(known) and not known & suffixes(own)


def questions(services, session, partitions):
    loader = session.get_component("data_loader")
    for service in services:
        rules = loader.load_service_model(service, "endpoint-rule-set-1")
        provider = botocore.endpoint_provider.EndpointProvider(rules, partitions)
        for given, prefixed, row in rows_of(service, session):
            for partition in partitions["partitions"]:
                for region in partition["regions"]:
                    if not re.search(partition["regionRegex"], region):
                        continue
                    wanted = resolved(provider, given, region)
                    if wanted is None:
                        continue
                    host, signed = wanted
                    if is_of_another(partition, partitions["partitions"], host):
                        host = "nothing"
                    asked = dict(row, scope=[region, row["scope"][1]])
                    yield asked, prefixed, host, signed
                    if not prefixed and host != "nothing":
                        yield dict(asked, host=host, scope=[signed, row["scope"][1]]), prefixed, None, signed


def ask(remit, rows):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run([remit, "identify", "--batch", "-", "--account", "111122223333"], input=text, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(rows):
        sys.exit(f"{len(rows)} requests, {len(answers)} answers: {done.stderr}")
    return answers


def wrong(row, answer, prefixed, host, signed):
    if "error" in answer:
        return answer["error"]
    if row["id"] not in answer["candidates"] and not differential.same_action(row["id"], answer):
        return f"taken for {answer['candidates']}"
    if answer["candidates"][0].split(":")[0] != row["id"].split(":")[0]:
        return None  # another service of the same API and the same actions comes first
    told = answer.get("host", "nothing")
    if host and told != host and not (prefixed and told.endswith(host)):
        return f"host {told}, botocore says {host}"
    if host != "nothing" and answer["region"] != signed:
        return f"signed for {answer['region']}, botocore signs for {signed}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("remit")
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    session = botocore.session.Session()
    partitions = session.get_component("data_loader").load_data("partitions")
    services = session.get_available_services()
    services = sorted(random.Random(args.seed).sample(services, min(args.services, len(services))))
    asked = list(questions(services, session, partitions))
    answers = ask(args.remit, [row for row, *_ in asked])
    found = [(row, reason) for (row, *rest), answer in zip(asked, answers)
             if (reason := wrong(row, answer, *rest))]
    print(f"{len(asked)} requests of {len(services)} services in {len(partitions['partitions'])} partitions, {len(found)} differ")
    for row, reason in found[:40]:
        print("  ", row["id"], row["scope"], row.get("host", "loopback"), reason)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
