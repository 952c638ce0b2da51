"""The host that a service's endpoint rules give for a plain region: no FIPS, no dual stack.

A small evaluator of the rules' language (https://smithy.io/2.0/additional-specs/rules-engine/),
as far as services without resource-dependent hosts use it; what it does not know gives no host.
"""

import re

PARTITIONS = {"aws": ("eu-west-1", "ap-south-1"), "aws-cn": ("cn-north-1", "cn-northwest-1"),
              "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"), "aws-eusc": ("eusc-de-east-1",)}


class _NoHost(Exception):
    pass


class _Rules:
    def __init__(self, rules, partitions, region):
        self.partitions = partitions
        self.names = {}
        for name, parameter in rules["parameters"].items():
            if "default" in parameter:
                self.names[name] = parameter["default"]
        self.names["Region"] = region
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
                    return self.value(rule["endpoint"]["url"])
                if rule["type"] == "error":
                    raise _NoHost
                return self.run(rule["rules"])
        raise _NoHost


def _host(rules, partitions, region):
    try:
        url = _Rules(rules, partitions, region).run(rules["rules"])
    except _NoHost:
        return None
    if not isinstance(url, str) or not url.startswith("https://"):
        return None
    return url.removeprefix("https://").split("/")[0]


def defaults(service, partitions):
    """The host of each of PARTITIONS, '{r}' for the region, '' when the rules give none."""
    found = []
    for regions in PARTITIONS.values():
        hosts = [_host(service.rules, partitions, r) if service.rules else None for r in regions]
        if len(regions) > 1 and len(set(hosts)) == 1:
            found.append(hosts[0] or "")  # one host for all regions
            continue
        made = {h.replace(f".{r}.", ".{r}.") if h else "" for h, r in zip(hosts, regions)}
        found.append(made.pop() if len(made) == 1 else "")
    return found
