"""Assembles the catalogue's tables from the models and the IAM data."""

import re
import struct

from . import bind, endpoints, hosts, iam, layout, models

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
KEY_TYPES = ["String", "ArrayOfString", "ARN", "ArrayOfARN", "Bool", "ArrayOfBool", "Numeric",
             "ArrayOfNumeric", "Date", "ArrayOfDate", "IPAddress", "ArrayOfIPAddress", "Binary",
             "ArrayOfBinary", "IPARN"]
NONE = 0xFF
ANY = 0xFE  # of a binding: what AWS chooses, or all there are
LABEL_MARK = 0x8000  # in a route's segment: a greedy label


def key_pattern(key):
    """'aws:ResourceTag/${TagKey}' and 's3:ExistingObjectTag/<key>' end in a name of one's own."""
    return re.sub(r"(\$\{[^}]*\}|<[^>]*>)", "*", key)


class Builder:
    def __init__(self, services, data, actions, exceptions, partitions):
        self.services = services
        self.data = data
        self.rules = actions
        self.exceptions = exceptions
        self.partitions = partitions
        self.strings = layout.Strings()
        self.lists = layout.Lists()
        self.records = {name: [] for name in layout.SECTIONS}
        self.condition_ids, self.action_ids, self.type_ids = {}, {}, {}
        self.member_lists = {}
        self.slots = []

    # -- IAM

    def condition_key(self, key, kind):
        key = key_pattern(key)
        if key not in self.condition_ids:
            self.condition_ids[key] = len(self.condition_ids)
            number = KEY_TYPES.index(kind) if kind in KEY_TYPES else NONE
            self.records["condition_keys"].append((self.strings.want(key), number))
        return self.condition_ids[key]

    def add_iam(self):
        for prefix in self.data.prefixes():
            kinds = {k: v.get("type", "") for k, v in self.data.condition_keys(prefix).items()}
            for key in sorted(self.data.resource_types(prefix)):
                entry = self.data.resource_types(prefix)[key]
                keys = sorted(self.condition_key(k, kinds.get(k.lower(), ""))
                              for k in entry.get("conditionKeys", []))
                self.type_ids[(prefix, key)] = len(self.type_ids)
                self.records["resource_types"].append(
                    (self.strings.want(key), self.strings.want(entry["arn"]), self.lists.add(keys)))
        # Sorted by their lower-case names: readers look actions up by binary search.
        names = {f"{p}:{e['name']}" for p in self.data.prefixes()
                 for e in self.data.actions(p).values()}
        for service in self.services.values():
            for operation in service.operations.values():
                names.update(self.rules.of(service, operation))
        for name in sorted(names, key=lambda n: (n.lower(), n)):
            prefix = name.split(":")[0]
            kinds = {k: v.get("type", "") for k, v in self.data.condition_keys(prefix).items()}
            self.add_action(name, self.rules.record(name), kinds)

    def add_action(self, name, entry, kinds):
        prefix = name.split(":")[0]
        used, keys = [], set()
        for key in (entry or {}).get("conditionKeys", []):
            keys.add(self.condition_key(key, kinds.get(key.lower(), "")))
        for use in (entry or {}).get("resourceTypes", []):
            kind = (prefix, use["name"].lower())
            if kind not in self.type_ids:
                continue
            used.append(self.type_ids[kind] << 1 | bool(use["required"]))
            types = self.data.resource_types(prefix)[kind[1]]
            for key in use["conditionKeys"] + types.get("conditionKeys", []):
                keys.add(self.condition_key(key, kinds.get(key.lower(), "")))
        self.action_ids[name] = len(self.action_ids)
        self.records["actions"].append((
            self.strings.want(name), self.lists.add(sorted(used)), self.lists.add(sorted(keys)),
            iam.level(entry["accessLevel"]) if entry else 0, entry is not None,
            bool(entry and entry.get("isPermissionOnly"))))

    # -- operations

    def member_list(self, operation, needed):
        kept = [m for m in operation.members
                if m.name in needed or m.tags or m.location in
                (models.LABEL, models.GREEDY, models.QUERY) or
                (m.location == models.HEADER and m.required)]
        kept.sort(key=lambda m: (m.location, m.name))
        if len(kept) >= ANY:
            raise ValueError(f"{operation.name}: {len(kept)} members")
        key = tuple((m.name, m.wire, m.location, m.kind, m.required, m.tags) for m in kept)
        if key not in self.member_lists:
            self.member_lists[key] = len(self.records["members"])
            for name, wire, location, kind, required, tags in key:
                self.records["members"].append((self.strings.want(name), self.strings.want(wire),
                                                location, kind, int(required), tags))
        return self.member_lists[key], {m.name: i for i, m in enumerate(kept)}, len(kept)

    def add_recipes(self, found, prefix, index):
        first = len(self.records["recipes"])
        for recipe in found:
            at = len(self.records["bindings"])
            for name in recipe.bindings:
                self.records["bindings"].append(
                    NONE if name is None else ANY if name == bind.ANY else index[name])
            self.records["recipes"].append((
                self.type_ids[(prefix, recipe.resource_type)], at, len(recipe.bindings),
                NONE if recipe.arn_member is None else index[recipe.arn_member],
                int(recipe.required), int(recipe.one_of)))
        return first, len(found)

    def add_operation(self, service_id, service, operation, variant):
        names = self.rules.of(service, operation)
        iam.reviewed(service, operation, self.exceptions)
        plans = []
        for name in names:
            entry = self.rules.record(name)
            prefix = name.split(":")[0]
            plans.append((name, prefix, bind.recipes(operation, entry,
                                                     self.data.resource_types(prefix))
                          if entry else []))
        needed = {n for _, _, rs in plans for r in rs for n in [r.arn_member, *r.bindings]
                  if n and n != bind.ANY}
        first, index, count = self.member_list(operation, needed)
        uses = []
        for name, prefix, found in plans:
            at, many = self.add_recipes(found, prefix, index)
            uses += [self.action_ids[name], at, many]
        flags = operation.flags
        if f"{service.name}:{operation.name}" in self.exceptions.credentials:
            flags |= models.RETURNS_CREDENTIALS
        if f"{service.name}:{operation.name}" in self.exceptions.passes_role:
            flags |= models.PASSES_ROLE
        elif operation.role_members and any(
                self.rules.record(n) is None or self.records["actions"][self.action_ids[n]][3] not in
                (1, 2) for n in names):
            flags |= models.PASSES_ROLE
        self.records["operations"].append((
            self.strings.want(operation.name), self.strings.want(operation.host_prefix), first, self.lists.add(uses)[0], service_id,
            flags, count, len(names), METHODS.index(operation.method), variant))
        return index

    def add_route(self, operation_id, operation, index, method, uri):
        path, _, query = uri.partition("?")
        segments, greedy = [], NONE
        wires = {(m.wire, m.location): m.name for m in operation.members}
        labels = re.findall(r"\{([^}]+?)(\+?)\}", path)
        if any((w, models.GREEDY if g else models.LABEL) not in wires for w, g in labels):
            return None  # an older form with labels that the newer one does not have
        parts = [p for p in path.split("/")[1:]]
        if parts and parts[-1] == "":
            parts.pop()
        for at, part in enumerate(parts):
            if part.startswith("{"):
                wide = part.endswith("+}")
                wire = part[1:-2] if wide else part[1:-1]
                name = wires[(wire, models.GREEDY if wide else models.LABEL)]
                if wide:
                    greedy = at
                segments.append(("label", index[name] | (LABEL_MARK if wide else 0)))
            else:
                segments.append(("literal", self.strings.want(part)))
        literals = []
        for item in query.split("&") if query else []:
            name, equals, value = item.partition("=")
            literals.append((self.strings.want(name), self.strings.want(value), int(bool(equals))))
        return (operation_id, segments, literals, greedy, METHODS.index(method))

    def add_endpoints(self, service):
        """{what an operation tells the endpoint rules: number of its endpoints among the service's}"""
        variants, numbers = {}, {}
        for name in sorted(service.operations):
            given = service.operations[name].given
            if given in variants:
                continue
            made = tuple(endpoints.defaults(service, self.partitions, dict(given)))
            if not any(host for host, _ in made):
                # They only want to see input of the operation (S3 Control's account, which its host prefix says too).
                made = tuple(endpoints.defaults(service, self.partitions, {}))
            if made not in numbers:
                numbers[made] = len(numbers)
                self.records["endpoints"] += [(self.strings.want(host), self.strings.want(region))
                                              for host, region in made]
            variants[given] = numbers[made]
        return variants

    def add_partitions(self):
        for partition in self.partitions:
            # What the names of its regions begin with; the first partition has several beginnings.
            shape = re.fullmatch(r"\^((?:\w|\\-)+?)(?:\(\w+\)\\-)?\\w\+\\-\\d\+\$",
                                 partition["regionRegex"])
            prefix = shape.group(1).replace("\\-", "-") if shape else ""
            if not shape and partition["id"] != "aws":
                raise SystemExit(f"partition {partition['id']}: {partition['regionRegex']} has a new form")
            outputs = partition["outputs"]
            self.records["partitions"].append([self.strings.want(t) for t in (
                partition["id"], outputs["dnsSuffix"], outputs["dualStackDnsSuffix"],
                outputs["implicitGlobalRegion"], prefix)])

    def add_service(self, service_id, name):
        service = self.services[name]
        rest = service.protocols & (1 << 4 | 1 << 5)
        first = len(self.records["operations"])
        first_endpoint = len(self.records["endpoints"])
        variants = self.add_endpoints(service)
        routes = []
        for operation_name in sorted(service.operations):
            operation = service.operations[operation_name]
            at = len(self.records["operations"])
            index = self.add_operation(service_id, service, operation, variants[operation.given])
            if rest:
                for method, uri in [(operation.method, operation.uri), *operation.older]:
                    route = self.add_route(at, operation, index, method, uri)
                    if route:
                        routes.append(route)
        routes.sort(key=lambda r: (r[4], NONE if r[3] != NONE else len(r[1]), r[0]))
        first_route = len(self.records["routes"])
        for operation_id, segments, literals, greedy, method in routes:
            self.records["routes"].append((
                operation_id, len(self.records["segments"]), len(self.records["literals"]),
                len(segments), greedy, method, len(literals)))
            self.records["segments"] += segments
            self.records["literals"] += literals
        first_host = len(self.records["hosts"])
        for template in hosts.templates(service, self.partitions):
            self.records["hosts"].append(self.strings.want(template))
        regions = hosts.signing_regions(service, self.partitions)
        first_region = len(self.records["regions"])
        self.records["regions"] += [self.strings.want(r) for r in regions]
        self.records["services"].append((
            [self.strings.want(t) for t in (
                name, service.service_id, service.signing_name, self.rules.prefix(service),
                service.endpoint_prefix, service.api_version, service.target_prefix,
                self.exceptions.passed_to.get(name, ""))],
            [first, len(self.records["operations"]) - first, first_route, len(routes), first_host,
             len(self.records["hosts"]) - first_host, first_region, len(regions), first_endpoint,
             len(self.records["endpoints"]) - first_endpoint],
            service.protocols,
            int(bool(self.exceptions.services.get(name, {}).get("verbs")))))

    # -- indexes: names of three kinds in one hash table, told apart by their first character

    def index_entries(self):
        signing, targets = {}, {}
        ids = {name: i for i, name in enumerate(sorted(self.services))}
        for name in sorted(self.services):
            service = self.services[name]
            signing.setdefault(service.signing_name, set()).add(ids[name])
            if service.target_prefix:
                targets.setdefault(service.target_prefix, set()).add(ids[name])
        for extra, names in self.exceptions.signing.items():
            signing.setdefault(extra, set()).update(ids[n] for n in names)
        entries = {}
        for mark, table in (("s", signing), ("t", targets)):
            for key, values in table.items():
                entries[mark + key] = self.lists.add(sorted(values))
        for name, at in ids.items():
            entries["n" + name] = self.lists.add([at])
        return entries

    def build(self, date, sources):
        self.add_iam()
        self.add_partitions()
        for service_id, name in enumerate(sorted(self.services)):
            self.add_service(service_id, name)
        slots = layout.hash_slots(self.index_entries())
        for slot in slots:
            if slot:
                self.strings.want(slot[0])
        suffixes = hosts.suffixes(self.partitions)
        meta = [date, sources] + suffixes
        for text in meta:
            self.strings.want(text)
        return layout.write(self.pack(slots, meta))

    def pack(self, slots, meta):
        pool = self.strings.lay_out()
        ref = self.strings.ref
        r = self.records
        out = {"strings": (len(pool), pool)}

        def section(name, rows):
            rows = list(rows)
            out[name] = (len(rows), b"".join(rows))

        section("services", (struct.pack("<18I2H", *map(ref, texts), *numbers, protocols, verbs)
                             for texts, numbers, protocols, verbs in r["services"]))
        section("operations", (struct.pack("<4I2H4B", ref(name), ref(prefix), members,
                                           uses, service, flags, count, actions, method,
                                           variant)
                               for name, prefix, members, uses, service, flags, count,
                               actions, method, variant in r["operations"]))
        section("members", (struct.pack("<2I4B", ref(name), ref(wire), location, kind, required,
                                        tags)
                            for name, wire, location, kind, required, tags in r["members"]))
        section("routes", (struct.pack("<3I4B", *row) for row in r["routes"]))
        section("segments", (struct.pack("<I", value << 10 if kind == "label" else ref(value))
                             for kind, value in r["segments"]))
        section("literals", (struct.pack("<3I", ref(name), ref(value), has)
                             for name, value, has in r["literals"]))
        section("actions", (struct.pack("<3I4B", ref(name), types[0], keys[0], types[1], keys[1],
                                        level, known | only << 1)
                            for name, types, keys, level, known, only in r["actions"]))
        section("resource_types", (struct.pack("<4I", ref(name), ref(arn), *keys)
                                   for name, arn, keys in r["resource_types"]))
        section("condition_keys", (struct.pack("<2I", ref(key), kind)
                                   for key, kind in r["condition_keys"]))
        section("recipes", (struct.pack("<2I4B", kind, first, count, arn, required, one_of)
                            for kind, first, count, arn, required, one_of in r["recipes"]))
        section("bindings", (struct.pack("<B", b) for b in r["bindings"]))
        section("lists", (struct.pack("<I", v) for v in self.lists.values))
        section("hosts", (struct.pack("<I", ref(t)) for t in r["hosts"]))
        section("regions", (struct.pack("<I", ref(t)) for t in r["regions"]))
        section("partitions", (struct.pack("<5I", *map(ref, texts)) for texts in r["partitions"]))
        section("endpoints", (struct.pack("<2I", ref(host), ref(region))
                              for host, region in r["endpoints"]))
        section("slots", (struct.pack("<3I", ref(s[0]), s[1], s[2]) if s else
                          struct.pack("<3I", 0xFFFFFFFF, 0, 0) for s in slots))
        section("meta", (struct.pack("<I", ref(t)) for t in meta))
        return out
