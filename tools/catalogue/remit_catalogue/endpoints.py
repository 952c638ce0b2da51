"""What a service's endpoint rules give for a plain region: host and region to sign for, without FIPS and dual stack.

A small evaluator of the rules' language (https://smithy.io/2.0/additional-specs/rules-engine/),
as far as services without resource-dependent hosts use it; what it does not know gives no host.
"""

import collections
import re

from . import hosts

class _NoHost(Exception):
    pass


class _Rules:
    def __init__(self, rules, partitions, region, given):
        self.partitions = partitions
        self.names = {}
        for name, parameter in rules["parameters"].items():
            if "default" in parameter:
                self.names[name] = parameter["default"]
        self.names.update(given)
        self.names["Region"] = region
        if any(p.get("required") and self.names.get(n) is None for n, p in rules["parameters"].items()):
            raise _NoHost
        self.rules = rules["rules"]

    def value(self, node):
        if isinstance(node, dict):
            if "ref" in node:
                return self.names.get(node["ref"])
            return self.call(node["fn"], node["argv"])
        if isinstance(node, str):
            return re.sub(r"\{([^}]+)\}", lambda m: str(self.lookup(m.group(1))), node)
        return node

    def lookup(self, path):
        name, _, attribute = path.partition("#")
        found = self.names.get(name)
        if attribute:
            found = (found or {}).get(attribute)
        if found is None:
            raise _NoHost
        return found

    def call(self, name, arguments):
        if name == "isSet":
            return self.value(arguments[0]) is not None
        values = [self.value(a) for a in arguments]
        if name in ("booleanEquals", "stringEquals"):
            return values[0] == values[1]
        if name == "not":
            return not values[0]
        if name == "getAttr":
            return values[0].get(values[1]) if isinstance(values[0], dict) else None
        if name == "aws.partition":
            for partition in self.partitions:
                if values[0] in partition["regions"]:
                    return partition["outputs"]
            return None
        if name == "isValidHostLabel":
            return bool(re.fullmatch(r"[A-Za-z0-9-]{1,63}", values[0] or ""))
        return None

    def endpoint(self, node):
        """Host and region to sign for; the latter is empty when it is the client's own."""
        url = self.value(node["url"])
        if not isinstance(url, str) or not url.startswith("https://"):
            raise _NoHost
        signed = ""
        for scheme in node.get("properties", {}).get("authSchemes", []):
            if scheme.get("name") == "sigv4":
                signed = self.value(scheme.get("signingRegion", ""))
        own = self.names["Region"]
        host = url.removeprefix("https://").split("/")[0]
        if self.is_of_another_partition(host):
            raise _NoHost
        return host, "" if signed == own else signed

    def is_of_another_partition(self, host):
        """Some rules name a host of AWS's first partition for all of them: keys of one are worth nothing in another."""
        for suffix in hosts.suffixes(self.partitions):
            if host.endswith("." + suffix):
                return all(suffix not in (p["outputs"]["dnsSuffix"], p["outputs"]["dualStackDnsSuffix"])
                           for p in self.partitions if self.names["Region"] in p["regions"])
        return False

    def run(self, rules):
        for rule in rules:
            for condition in rule.get("conditions", []):
                result = self.value(condition)
                if result is None or result is False:
                    break
                if "assign" in condition:
                    self.names[condition["assign"]] = result
            else:
                if rule["type"] == "endpoint":
                    return self.endpoint(rule["endpoint"])
                if rule["type"] == "error":
                    raise _NoHost
                return self.run(rule["rules"])
        raise _NoHost


def _endpoint(rules, partitions, region, given):
    try:
        return _Rules(rules, partitions, region, given).run(rules["rules"])
    except _NoHost:
        return "", ""


def regions(partition):
    """Its real regions: aws-global and the like are names of rules only."""
    return [r for r in partition["regions"] if re.search(partition["regionRegex"], r)]


def _general(host, region):
    """'sqs.us-west-2.amazonaws.com' as 'sqs.{r}.amazonaws.com'."""
    return ".".join("{r}" if label == region else label for label in host.split("."))


def _most(counted):
    return max(sorted(counted), key=counted.get) if counted else ""


def _of_partition(rules, partitions, partition, given):
    names = regions(partition)
    found = {r: _endpoint(rules, partitions, r, given) if rules else ("", "") for r in names}
    if len(names) > 1 and len({host for host, _ in found.values()}) == 1:
        usual, others = found[names[0]][0], ""  # one for all regions, be it in one of them
        signed = [s for _, s in found.values()]
    else:
        general = {r: _general(host, r) for r, (host, _) in found.items()}
        usual = _most(collections.Counter(general.values()))
        others = "".join(f"|{r}={found[r][0]}" for r in sorted(names) if general[r] != usual)
        signed = [s for r, (_, s) in found.items() if general[r] == usual]
    return usual + others, _most(collections.Counter(s for s in signed if s))


def defaults(service, partitions, given):
    """(host, region to sign for) in each partition; '{r}' stands for the region. Regions that differ follow, each with
    its own: 'sdb.{r}.amazonaws.com|us-east-1=sdb.amazonaws.com'. No host: the rules need to know more. `given`: what the
    model says of an operation (staticContextParams)."""
    return [_of_partition(service.rules, partitions, p, given) for p in partitions]
