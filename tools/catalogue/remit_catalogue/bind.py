"""Binds the variables of ARN templates to members of an operation's input.

Only names that leave no doubt are bound; a variable that stays unbound makes the resource unknown,
which Remit reads as "any resource".
"""

import dataclasses
import re

from . import models

BUILT_IN = {"Partition", "Region", "Account", "AccountId"}
ANY = "*"  # what AWS chooses, or all there are


def plain(text):
    return re.sub("[^a-z0-9]", "", text.lower())


def variables(template):
    """The variables of an ARN template, in order, without partition, region and account."""
    head = template.split(":", 5)
    tail = head[5] if len(head) == 6 else ""
    fifth = re.findall(r"\$\{(\w+)\}", ":".join(head[:5]))
    found = [v for v in fifth if v not in BUILT_IN]
    return found + [v for v in re.findall(r"\$\{(\w+)\}", tail) if v not in
                    ("Partition", "Region", "Account")]


@dataclasses.dataclass
class Recipe:
    resource_type: str
    required: bool
    arn_member: str | None
    bindings: list  # member names, ANY, None when unbound; one per variable of the template
    one_of: bool = False  # of the action's required types, the request names one (reviewed)


def _stem(name):
    """'FunctionName', 'functionArn', 'FunctionIdentifier' -> 'function'."""
    return re.sub("(identifier|name|arn|uuid|id|key)$", "", plain(name))


def _singular(name):
    low = plain(name)
    if low.endswith("list"):
        low = low[:-4]
    if low.endswith("ies"):
        return low[:-3] + "y"
    if low.endswith("s") and not low.endswith("ss"):
        return low[:-1]
    return low


def _candidates(operation):
    for member in operation.members:
        known_as = operation.aliases.get(member.name, member.name)
        if member.kind in (0, 1):
            yield member.name, plain(known_as), member
        elif member.kind == 4:
            yield member.name, _singular(known_as), member


def _reviewed(variable, operation):
    """(whether exceptions.toml says what fills the variable, what that is)."""
    for key in (f"{operation.name}.{variable}", variable):
        given = operation.bound.get(key)
        for name in [given] if isinstance(given, str) else given or []:
            if name == "-":
                return True, None
            if name == ANY or any(m.name == name for m in operation.members):
                return True, name
    return False, None


def _object(operation):
    """'DeleteTable' -> 'table': what the operation is about."""
    return plain(re.sub("^[A-Z][a-z]+", "", operation.name))


def _bind_variable(variable, type_name, only_type, only_variable, operation):
    said, name = _reviewed(variable, operation)
    if said:
        return name
    want = plain(variable).removesuffix("withpath")
    exact = [n for n, p, _ in _candidates(operation) if p == want]
    if len(exact) == 1:
        return exact[0]
    stem = _stem(variable.removesuffix("WithPath"))
    kind = plain(type_name)
    if stem:
        # TableName <-> Table, tableId, TableIdentifier
        close = [n for n, p, m in _candidates(operation)
                 if not p.endswith("arn") and _stem(p) == stem and
                 (m.kind != 4 or p.endswith(("id", "name", "arn")) or _stem(p) == p)]
        if len(close) == 1:
            return close[0]
    if stem in ("", "resource", kind) or only_type:
        # ${Id} of type 'analyzer' <-> analyzerName, analyzerId
        typed = [n for n, p, _ in _candidates(operation)
                 if p in (kind, kind + "id", kind + "name", kind + "identifier")]
        if len(typed) == 1:
            return typed[0]
        # Beside the ARN that the operation wants, a bare name is another thing's, or a new one.
        if any(p == kind + "arn" and m.required for _, p, m in _candidates(operation)):
            return None
        if only_type and stem in ("", "resource", kind):
            bare = [n for n, p, _ in _candidates(operation) if p in ("id", "name", "identifier")]
            if len(bare) == 1:
                return bare[0]
    if kind == _object(operation) and (only_variable or stem == kind):
        # The Name of DeleteTable is the table's.
        bare = [n for n, p, m in _candidates(operation)
                if p in ("name", "id") and m.required and plain(variable).endswith(p)]
        if len(bare) == 1:
            return bare[0]
    return None


def _bind_arn(type_name, only_type, variables_of, operation):
    kind = plain(type_name)
    said, name = _reviewed("arn", operation)
    if said:
        return name
    named = [n for n, p, _ in _candidates(operation) if p == kind + "arn"]
    if len(named) == 1:
        return named[0]
    general = [n for n, p, _ in _candidates(operation) if p in ("arn", "resourcearn")]
    if len(general) == 1:
        return general[0]
    stems = {_stem(v) for v in variables_of} - {""}
    by_stem = [n for n, p, _ in _candidates(operation) if p.endswith("arn") and _stem(p) in stems]
    if len(by_stem) == 1:
        return by_stem[0]
    if only_type:
        any_arn = [n for n, p, m in _candidates(operation) if p.endswith("arn") and m.required]
        if len(any_arn) == 1 and "role" not in plain(any_arn[0]) and \
                "kms" not in plain(any_arn[0]):
            return any_arn[0]
    return None


def recipes(operation, action, resource_types):
    """How the action's resources are told by the operation's input: a list of Recipe."""
    found = []
    used = action["resourceTypes"]
    for use in used:
        kind = resource_types.get(use["name"].lower())
        if kind is None or (not use["required"] and f"{operation.name}.{use['name']}" in
                            operation.bound.get("elsewhere", [])):
            continue
        only = len(used) == 1
        names = variables(kind["arn"])
        bound = [_bind_variable(v, use["name"], only and len(names) == 1, len(names) == 1,
                                operation)
                 for v in names]
        members = {m.name: m for m in operation.members}
        taken = [b for b in bound if b and b != ANY]
        if not taken and not any(f"{operation.name}.{v}" in operation.bound for v in names):
            bound = [None] * len(names)  # that AWS chooses the rest says nothing by itself
        if sum(1 for b in taken if members[b].kind == 4) > 1 or len(taken) != len(set(taken)):
            bound = [None] * len(names)
        arn = _bind_arn(use["name"], only, names, operation)
        fixed = use["name"] in operation.bound.get("fixed", [])
        if arn is None and len(used) > 1 and not any(bound) and not fixed:
            continue
        found.append(Recipe(use["name"].lower(), bool(use["required"]), arn, bound,
                            operation.name in operation.bound.get("one_of", [])))
    return found
