"""Botocore's service models, merged over versions and cut down to what identification needs."""

import dataclasses
import re

PROTOCOLS = {"query": 0, "ec2": 1, "json-1.0": 2, "json-1.1": 3, "rest-json": 4, "rest-xml": 5,
             "smithy-rpc-v2-cbor": 6}

# Operation flags: src/aws/catalogue_tables.h
UNSIGNED, BLOB_PAYLOAD, EVENT_STREAM_IN, RETURNS_CREDENTIALS, DEPRECATED, PASSES_ROLE = (
    1, 2, 4, 8, 16, 32)

KINDS = {"string": 0, "integer": 1, "long": 1, "float": 1, "double": 1, "timestamp": 1,
         "boolean": 2, "blob": 3, "list": 4, "map": 5, "structure": 6}
BODY, LABEL, GREEDY, QUERY, HEADER, PREFIX, PAYLOAD = range(7)
REQUIRED = 1

# How a member carries tags: src/aws/catalogue_tables.h
TAG_NONE, TAG_MAP, TAG_LIST, TAG_KEYS, TAG_SPECIFICATIONS = range(5)


@dataclasses.dataclass
class Member:
    name: str
    wire: str
    location: int
    kind: int
    required: bool
    tags: int = TAG_NONE


@dataclasses.dataclass
class Operation:
    name: str
    method: str
    uri: str
    host_prefix: str
    flags: int
    members: list
    role_members: bool = False
    aliases: dict = dataclasses.field(default_factory=dict)  # members known by another name
    bound: dict = dataclasses.field(default_factory=dict)  # what exceptions.toml binds
    older: list = dataclasses.field(default_factory=list)  # (method, URI) of older models
    given: tuple = ()  # what it tells the endpoint rules: ((name, value), ...)


@dataclasses.dataclass
class Service:
    name: str
    service_id: str
    signing_name: str
    endpoint_prefix: str
    api_version: str
    target_prefix: str
    protocols: int
    operations: dict
    rules: object = None  # the newest endpoint rules
    all_rules: list = dataclasses.field(default_factory=list)


def _protocols(metadata):
    bits = 0
    for name in metadata.get("protocols", [metadata["protocol"]]):
        if name == "json":
            name = "json-" + metadata.get("jsonVersion", "1.0")
        bits |= 1 << PROTOCOLS[name]
    if bits & (1 << PROTOCOLS["json-1.0"] | 1 << PROTOCOLS["json-1.1"]):
        # Clients differ in the version they write for one service: both name the same operation.
        bits |= 1 << PROTOCOLS["json-1.0"] | 1 << PROTOCOLS["json-1.1"]
    if "awsQueryCompatible" in metadata:
        bits |= 1 << PROTOCOLS["query"]  # what older clients of the service still speak
    return bits


def _has_event_stream(shapes, shape):
    return any(shapes[m["shape"]].get("eventstream") for m in shape.get("members", {}).values())


def _secret_output(shapes, name, seen):
    """Whether the output carries AWS keys: a secret access key, or a secret key beside an access key's id (a secret
    key alone is a member of a secret: IoT's destinations)."""
    if name in seen:
        return False
    seen.add(name)
    shape = shapes[name]
    if shape["type"] == "structure":
        names = {re.sub("[^a-z]", "", member.lower()) for member in shape["members"]}
        for member, ref in shape["members"].items():
            plain = re.sub("[^a-z]", "", member.lower())
            if (plain in ("secretaccesskey", "awssecretaccesskey") or
                    plain == "secretkey" and "accesskeyid" in names) and \
                    shapes[ref["shape"]]["type"] == "string":
                return True
            if _secret_output(shapes, ref["shape"], seen):
                return True
    elif shape["type"] == "list":
        return _secret_output(shapes, shape["member"]["shape"], seen)
    elif shape["type"] == "map":
        return _secret_output(shapes, shape["value"]["shape"], seen)
    return False


def _says_role(plain):
    """Whether a member's name, in lower case, says that it holds a role: serviceRoleOverride, RoleARNUpdate ..."""
    for end in ("override", "update", "forlogging"):
        plain = plain.removesuffix(end)
    return plain.endswith(("role", "rolearn", "rolename", "rolenamearn", "roleidentifier")) or \
        "instanceprofile" in plain or "iamrole" in plain


def _mentions_role(shapes, name, seen, depth=0):
    """Whether a text member somewhere below has a name that says it holds a role."""
    if name in seen or depth > 8:
        return False
    seen.add(name)
    shape = shapes[name]
    if shape["type"] == "structure":
        for member, ref in shape["members"].items():
            plain = member.lower()
            kind = shapes[ref["shape"]]["type"]
            if kind == "string" and _says_role(plain) or plain == "iaminstanceprofile":
                return True
            if kind == "list" and plain.endswith(("rolearns", "iamroles", "rolearnlist")) and \
                    shapes[shapes[ref["shape"]]["member"]["shape"]]["type"] == "string":
                return True
            if _mentions_role(shapes, ref["shape"], seen, depth + 1):
                return True
    elif shape["type"] == "list":
        return _mentions_role(shapes, shape["member"]["shape"], seen, depth + 1)
    elif shape["type"] == "map":
        return _mentions_role(shapes, shape["value"]["shape"], seen, depth + 1)
    return False


def _tags(shapes, name, shape):
    plain = name.lower()
    kind = shape["type"]
    if plain in ("tags", "taglist", "tagslist", "tagset", "resourcetags") and kind == "map":
        return TAG_MAP
    if plain in ("tags", "taglist", "tagslist", "tagset", "resourcetags") and kind == "list":
        element = shapes[shape["member"]["shape"]]
        fields = {f.lower() for f in element.get("members", {})}
        if {"key", "value"} <= fields or {"tagkey", "tagvalue"} <= fields:
            return TAG_LIST
    if plain in ("tagkeys", "tagkeylist", "resourcetagkeys") and kind == "list":
        return TAG_KEYS
    if plain == "tagspecifications" and kind == "list":
        return TAG_SPECIFICATIONS
    return TAG_NONE


def _wire(member, ref, shape, protocol):
    if protocol == "ec2":
        if "queryName" in ref:
            return ref["queryName"]
        name = ref.get("locationName", member)
        return name[0].upper() + name[1:]
    if protocol == "query" and shape["type"] == "list":
        if shape.get("flattened"):
            inner = shape["member"].get("locationName")
            return inner or ref.get("locationName", member)
    return ref.get("locationName", member)


def _members(shapes, operation, protocol):
    if "input" not in operation:
        return [], 0
    top = shapes[operation["input"]["shape"]]
    required = set(top.get("required", []))
    payload = top.get("payload")
    flags = 0
    members = []
    for name, ref in top.get("members", {}).items():
        shape = shapes[ref["shape"]]
        location = {"uri": LABEL, "querystring": QUERY, "header": HEADER, "headers": PREFIX}.get(
            ref.get("location"), BODY)
        if location == BODY and name == payload:
            location = PAYLOAD
            if shape["type"] in ("blob", "string"):
                flags |= BLOB_PAYLOAD
        wire = _wire(name, ref, shape, protocol)
        if location == LABEL and "{" + wire + "+}" in operation["http"]["requestUri"]:
            location = GREEDY
        members.append(Member(name, wire, location, KINDS.get(shape["type"], 7), name in required,
                              _tags(shapes, name, shape)))
    if _has_event_stream(shapes, top):
        flags |= EVENT_STREAM_IN
    return members, flags


def _operation(model, name, protocol):
    raw = model["operations"][name]
    shapes = model["shapes"]
    members, flags = _members(shapes, raw, protocol)
    if raw.get("authtype") == "none":
        flags |= UNSIGNED
    if raw.get("deprecated"):
        flags |= DEPRECATED
    if "output" in raw and _secret_output(shapes, raw["output"]["shape"], set()):
        flags |= RETURNS_CREDENTIALS
    roles = "input" in raw and _mentions_role(shapes, raw["input"]["shape"], set())
    prefix = raw.get("endpoint", {}).get("hostPrefix", "")
    given = {k: v["value"] for k, v in raw.get("staticContextParams", {}).items()}
    return Operation(name, raw["http"]["method"], raw["http"]["requestUri"], prefix, flags,
                     members, roles, given=tuple(sorted(given.items())))


def read(versions):
    """{name: Service} of several Botocore readers, the newest first."""
    services = {}
    for reader in versions:
        for name in reader.services():
            model = reader.model(name)
            metadata = model["metadata"]
            protocol = metadata["protocol"]
            signing = metadata.get("signingName") or metadata["endpointPrefix"]
            service = services.get(name)
            if service is None:
                service = services[name] = Service(
                    name, metadata.get("serviceId", name), signing, metadata["endpointPrefix"],
                    metadata["apiVersion"], metadata.get("targetPrefix", ""), 0, {})
                service.rules = reader.rules(name)
            service.all_rules.append(reader.rules(name))
            service.protocols |= _protocols(metadata)
            for operation in sorted(model["operations"]):
                http = model["operations"][operation]["http"]
                known = service.operations.get(operation)
                if known is None:
                    made = service.operations[operation] = _operation(model, operation, protocol)
                    if name == "s3":
                        # They tell of directory buckets, whose hosts src/aws/identify.cc makes of their names. The rules
                        # look at the bucket too: without it they would send every bucket's settings there.
                        made.given = ()
                elif (http["method"], http["requestUri"]) != (known.method, known.uri):
                    known.older.append((http["method"], http["requestUri"]))
    return services
