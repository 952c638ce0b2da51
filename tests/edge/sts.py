"""STS: AssumeRole with its documented limits, and GetCallerIdentity."""

import datetime
import json
import re
import secrets
import zlib
from xml.sax.saxutils import escape

from sigv4 import Refused
from state import Principal

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROLE = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}|):role/([\w+=,.@/-]{1,576})\Z")
NAME = re.compile(r"[\w+=,.@-]{2,64}\Z", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}\Z", re.ASCII)
POLICY = re.compile("[\t\n\r\x20-\xff]+\\Z")
TAG_CHARACTERS = re.compile(r"[\w\s_.:/=+\-@]*\Z")
PLAIN_LIMIT = 2048
# AWS does not say how it packs. This stands for it: deflated size against what a token can hold.
PACKED_CAPACITY = 1100


def _invalid(message):
    return Refused(400, "ValidationError", message)


def _members(form, prefix):
    found, n = [], 1
    while True:
        part = {k[len("%s.member.%d" % (prefix, n)):].lstrip("."): v
                for k, v in form.items() if re.match(re.escape("%s.member.%d" % (prefix, n)) + r"(\.|\Z)", k)}
        if not part:
            return found
        found.append(part)
        n += 1


def _tags(form, caller):
    tags = {}
    for each in _members(form, "Tags"):
        key, value = each.get("Key", ""), each.get("Value", "")
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise _invalid("tag %r is out of bounds" % key)
        if not TAG_CHARACTERS.match(key) or not TAG_CHARACTERS.match(value):
            raise _invalid("tag %r has a character that tags may not have" % key)
        if key.lower() in (k.lower() for k in tags):
            raise Refused(400, "InvalidParameterValue", "Duplicate tag keys found: %s" % key)
        if key.lower() in (k.lower() for k in caller.transitive):
            raise Refused(403, "AccessDenied", "tag %s is inherited and cannot be set again" % key)
        tags[key] = value
    if len(tags) > 50:
        raise _invalid("more than 50 tags")
    return tags


def _policy(form):
    text = form.get("Policy", "")
    arns = [each.get("arn", "") for each in _members(form, "PolicyArns")]
    if len(arns) > 10:
        raise _invalid("more than 10 policy ARNs")
    if "Policy" in form:
        if not POLICY.match(text):
            raise _invalid("Policy has a character outside its range, or is empty")
        if len(text) > PLAIN_LIMIT:
            raise _invalid("Value at 'policy' failed to satisfy constraint: length less than or equal to 2048")
        try:
            document = json.loads(text)
            statements = document["Statement"]
            statements = statements if isinstance(statements, list) else [statements]
            assert all(s["Effect"] in ("Allow", "Deny") and ("Action" in s or "NotAction" in s) and
                       ("Resource" in s or "NotResource" in s) and "Principal" not in s for s in statements)
        except (ValueError, KeyError, TypeError, AssertionError):
            raise Refused(400, "MalformedPolicyDocument", "The policy is not a session policy.") from None
    return text, arns


def assume_role(state, caller, form):
    arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
    match = ROLE.match(arn)
    if not match:
        raise _invalid("%s is invalid" % arn)
    if not NAME.match(name):
        raise _invalid("RoleSessionName %r" % name)
    text, arns = _policy(form)
    tags = _tags(form, caller)
    transitive = [form[k] for k in sorted(form) if re.match(r"TransitiveTagKeys\.member\.\d+\Z", k)]
    if any(key not in tags for key in transitive):
        raise Refused(400, "InvalidParameterValue", "a transitive tag key that is not among the tags")
    source = form.get("SourceIdentity", "")
    if "SourceIdentity" in form and (not NAME.match(source) or source.lower().startswith("aws:")):
        raise _invalid("SourceIdentity %r" % source)
    if caller.source_identity and source not in ("", caller.source_identity):
        raise Refused(403, "AccessDenied", "the source identity of a chain cannot be changed")
    external = form.get("ExternalId", "")
    if "ExternalId" in form and not EXTERNAL_ID.match(external):
        raise _invalid("ExternalId is out of bounds")
    duration = form.get("DurationSeconds", "3600")
    if not duration.isdigit() or not 900 <= int(duration) <= 43200:
        raise _invalid("DurationSeconds %s" % duration)
    if caller.is_session and int(duration) > 3600:
        raise _invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
    packed_bytes = len(zlib.compress((text + json.dumps([arns, tags])).encode()))
    packed = max(1, packed_bytes * 100 // PACKED_CAPACITY) if text or arns or tags else 0
    if packed > 100:
        raise Refused(400, "PackedPolicyTooLarge", "Packed policy consumes %d%% of allotted space" % packed)

    inherited = {k: v for k, v in caller.tags.items() if k in caller.transitive}
    account, role = match.group(2) or caller.account, match.group(3).rsplit("/", 1)[-1]
    session = Principal(
        "ASIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)),
        secrets.token_urlsafe(30), account,
        "arn:%s:sts::%s:assumed-role/%s/%s" % (match.group(1), account, role, name),
        "AROAEDGEDOUBLE0000001:" + name, token=secrets.token_urlsafe(700),
        expires=state.now() + (state.session_seconds or int(duration)), role=arn, name=name, policy=text,
        policy_arns=arns, tags={**inherited, **tags}, transitive=transitive + list(inherited),
        source_identity=source or caller.source_identity, external_id=external, duration=int(duration),
        packed=packed, caller=caller.arn)
    with state.lock:
        state.principals[session.access_key_id] = session
    expiration = datetime.datetime.fromtimestamp(session.expires, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = (
        "<AssumedRoleUser><AssumedRoleId>%s</AssumedRoleId><Arn>%s</Arn></AssumedRoleUser><Credentials>"
        "<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>"
        "<Expiration>%s</Expiration></Credentials>" % (
            session.user_id, escape(session.arn), session.access_key_id, session.secret, session.token, expiration))
    if packed:
        result += "<PackedPolicySize>%d</PackedPolicySize>" % packed
    if session.source_identity:
        result += "<SourceIdentity>%s</SourceIdentity>" % escape(session.source_identity)
    return result


def call(state, caller, action, form, request_id):
    if action == "AssumeRole":
        result = assume_role(state, caller, form)
    elif action == "GetCallerIdentity":
        result = "<Arn>%s</Arn><UserId>%s</UserId><Account>%s</Account>" % (caller.arn, caller.user_id, caller.account)
    else:
        raise Refused(400, "InvalidAction", "Could not find operation %s" % action)
    return ('<{0}Response xmlns="{1}"><{0}Result>{2}</{0}Result><ResponseMetadata><RequestId>{3}</RequestId>'
            "</ResponseMetadata></{0}Response>").format(action, NAMESPACE, result, request_id)
