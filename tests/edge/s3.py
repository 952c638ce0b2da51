"""Enough of S3 for real clients. Bodies over KEEP bytes are hashed and dropped; reading them back gives the pattern."""

import base64
import datetime
import hashlib
import re
import secrets
from urllib.parse import unquote
from xml.sax.saxutils import escape

import pattern
from sigv4 import CHECKSUMS, Refused, pairs
from state import Principal

KEEP = 64 * 1024
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Object:
    def __init__(self, length, digest, data, fields, modified):
        self.parts = [(length, digest)]
        self.length, self.data, self.fields, self.modified = length, data, fields, modified
        self.etag = hashlib.md5(data).hexdigest() if data is not None else (digest or secrets.token_hex(32))[:32]

    def view(self, start, length):
        if self.data is not None:
            return [self.data[start : start + length]]
        return pattern.views(start, length)

    def describe(self, verify):
        found = {"length": self.length, "parts": [{"length": n, "sha256": d} for n, d in self.parts]}
        if verify:
            offset, same = 0, True
            for length, digest in self.parts:
                same = same and digest == pattern.sha256(offset, length)
                offset += length
            found["is_pattern"] = same
        return found


def names(request):
    """(bucket, key) by path style, or by a virtual host of amazonaws.com."""
    path = unquote(request.path)
    host = request.get("host").split(":")[0]
    if alias := re.fullmatch(r"([a-z0-9]+\.mrap)\.accesspoint\.s3-global\.amazonaws\.com", host):
        return alias.group(1), path[1:]
    match = re.match(r"(?:(.+)\.)?s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(\.cn)?\Z", host)
    if match and match.group(1):
        return match.group(1), path[1:]
    bucket, _, key = path[1:].partition("/")
    return bucket, key


def operation(request):
    bucket, key = names(request)
    query = {k.decode() for k, _ in pairs(request.query)}
    method = request.method
    if not bucket:
        return "ListBuckets"
    if key:
        if "uploads" in query:
            return "CreateMultipartUpload" if method == "POST" else "ListMultipartUploads"
        if "uploadId" in query:
            return {"PUT": "UploadPartCopy" if request.get("x-amz-copy-source") else "UploadPart",
                    "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}.get(method, "?")
        if method == "PUT" and request.get("x-amz-copy-source"):
            return "CopyObject"
        return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(method, "?")
    if "delete" in query:
        return "DeleteObjects"
    if method == "GET" and "session" in query:
        return "CreateSession"
    if method == "GET":
        return "GetBucketLocation" if "location" in query else "ListObjectsV2" if "list-type" in query else "ListObjects"
    return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(method, "?")


class Reply:
    events = None  # of an answer that is an event stream: streams.py

    def __init__(self, status=200, body="", fields=(), stream=None, length=None):
        self.status, self.body, self.fields = status, body.encode(), list(fields)
        self.stream, self.length = stream, len(self.body) if length is None else length


def call(state, request, op, payload):
    """Reads the body of `payload` as far as the operation has one, and answers."""
    bucket, key = names(request)
    query = {k.decode(): v.decode() for k, v in pairs(request.query)}
    handler = globals().get("_" + re.sub("(?<!^)(?=[A-Z])", "_", op).lower())
    if handler is None:
        raise Refused(501, "NotImplemented", "the double does not have " + op)
    if op not in ("ListBuckets", "CreateBucket") and bucket not in state.buckets:
        raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
    return handler(state, request, bucket, key, query, payload)


def check_express(request, op, claim, principal):
    """A directory bucket is signed for as s3express, and a session of CreateSession reaches its own bucket only."""
    bucket, _ = names(request)
    directory = bucket.endswith("--x-s3")
    if directory != (claim.service == "s3express"):
        raise Refused(400, "InvalidRequest", "bucket %s is signed for as %s" % (bucket, claim.service))
    if principal.bucket and (principal.bucket != bucket or op == "CreateSession"):
        raise Refused(403, "AccessDenied", "the session is of bucket " + principal.bucket)
    if principal.mode == "ReadOnly" and request.method not in ("GET", "HEAD"):
        raise Refused(403, "AccessDenied", "the session is ReadOnly")


def create_session(state, request, caller):
    bucket, _ = names(request)
    if bucket not in state.buckets:
        raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
    mode = request.get("x-amz-create-session-mode") or "ReadWrite"
    session = Principal(
        "ASIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)), secrets.token_urlsafe(30),
        caller.account, caller.arn, caller.user_id, token=secrets.token_urlsafe(200),
        expires=state.now() + (state.session_seconds or 300), role=caller.role, name=caller.name, policy=caller.policy,
        tags=caller.tags, source_identity=caller.source_identity, caller=caller.arn, bucket=bucket, mode=mode)
    with state.lock:
        state.principals[session.access_key_id] = session
    expires = datetime.datetime.fromtimestamp(session.expires, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Reply(fields=[("Content-Type", "application/xml")], body=(
        XML + "<CreateSessionResult%s><Credentials><SessionToken>%s</SessionToken><SecretAccessKey>%s</SecretAccessKey>"
        "<AccessKeyId>%s</AccessKeyId><Expiration>%s</Expiration></Credentials></CreateSessionResult>" % (
            NS, session.token, session.secret, session.access_key_id, expires)))


def _modified(state):
    return datetime.datetime.fromtimestamp(state.now(), datetime.timezone.utc)


def _receive(state, request, payload):
    hasher = hashlib.sha256() if state.hash_bodies else None
    kept, size = [], 0
    while view := payload.some():
        size += len(view)
        if hasher:
            hasher.update(view)
        if size <= KEEP:
            kept.append(bytes(view))
    fields = [(n, v) for n, v in request.fields if n.startswith("x-amz-meta-") or n == "content-type"]
    sums = [(n, v) for n, v in list(payload.trailer.items()) + request.fields if n in CHECKSUMS]
    data = b"".join(kept) if size <= KEEP else None
    digest = hasher.hexdigest() if hasher else None
    if md5 := request.get("content-md5"):
        if data is not None and base64.b64encode(hashlib.md5(data).digest()).decode() != md5:
            raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    return Object(size, digest, data, fields, _modified(state)), sums


def _list_buckets(state, request, bucket, key, query, payload):
    rows = "".join("<Bucket><Name>%s</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>" % escape(b)
                   for b in sorted(state.buckets))
    return Reply(body=XML + "<ListAllMyBucketsResult%s><Owner><ID>edge</ID></Owner><Buckets>%s</Buckets>"
                 "</ListAllMyBucketsResult>" % (NS, rows))


def _create_bucket(state, request, bucket, key, query, payload):
    state.buckets.setdefault(bucket, {})
    return Reply(fields=[("Location", "/" + bucket)])


def _head_bucket(state, request, bucket, key, query, payload):
    return Reply(fields=[("x-amz-bucket-region", "us-east-1")])


def _delete_bucket(state, request, bucket, key, query, payload):
    if state.buckets[bucket]:
        raise Refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
    del state.buckets[bucket]
    return Reply(204)


def _get_bucket_location(state, request, bucket, key, query, payload):
    return Reply(body=XML + "<LocationConstraint%s/>" % NS)


def _list_objects(state, request, bucket, key, query, payload):
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    common, rows, count = set(), "", 0
    for name, each in sorted(state.buckets[bucket].items()):
        if not name.startswith(prefix):
            continue
        if delimiter and delimiter in name[len(prefix):]:
            common.add(prefix + name[len(prefix):].split(delimiter)[0] + delimiter)
            continue
        count += 1
        rows += ("<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>&quot;%s&quot;</ETag><Size>%d</Size>"
                 "<StorageClass>STANDARD</StorageClass></Contents>" % (
                     escape(name), each.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"), each.etag, each.length))
    rows += "".join("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>" % escape(c) for c in sorted(common))
    return Reply(body=XML + "<ListBucketResult%s><Name>%s</Name><Prefix>%s</Prefix><KeyCount>%d</KeyCount>"
                 "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>%s</ListBucketResult>" % (
                     NS, escape(bucket), escape(prefix), count + len(common), rows))


_list_objects_v2 = _list_objects


def _put_object(state, request, bucket, key, query, payload):
    new, sums = _receive(state, request, payload)
    state.buckets[bucket][key] = new
    return Reply(fields=[("ETag", '"%s"' % new.etag)] + sums)


def _copy_object(state, request, bucket, key, query, payload):
    source_bucket, _, source_key = unquote(request.get("x-amz-copy-source")).lstrip("/").partition("/")
    source = state.buckets.get(source_bucket, {}).get(source_key)
    if source is None:
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")
    state.buckets[bucket][key] = source
    return Reply(body=XML + "<CopyObjectResult%s><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                 "<ETag>&quot;%s&quot;</ETag></CopyObjectResult>" % (NS, source.etag))


def _found(state, bucket, key):
    if key not in state.buckets[bucket]:
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")
    return state.buckets[bucket][key]


def _get_object(state, request, bucket, key, query, payload):
    found = _found(state, bucket, key)
    start, length, status = 0, found.length, 200
    fields = [("ETag", '"%s"' % found.etag), ("Accept-Ranges", "bytes"),
              ("Last-Modified", found.modified.strftime("%a, %d %b %Y %H:%M:%S GMT"))] + found.fields
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.get("range"))
    if match and match.group(0) != "bytes=-":
        first, last = match.groups()
        if first:
            start, end = int(first), min(int(last) if last else found.length - 1, found.length - 1)
        else:
            start, end = max(0, found.length - int(last)), found.length - 1
        if start > end:
            raise Refused(416, "InvalidRange", "The requested range is not satisfiable")
        length, status = end - start + 1, 206
        fields.append(("Content-Range", "bytes %d-%d/%d" % (start, end, found.length)))
    return Reply(status, fields=fields, stream=found.view(start, length), length=length)


_head_object = _get_object


def _delete_object(state, request, bucket, key, query, payload):
    state.buckets[bucket].pop(key, None)
    return Reply(204)


def _delete_objects(state, request, bucket, key, query, payload):
    parts = []
    while view := payload.some():
        parts.append(bytes(view))
    gone = re.findall("<Key>([^<]*)</Key>", b"".join(parts).decode())
    for name in gone:
        state.buckets[bucket].pop(name, None)
    return Reply(body=XML + "<DeleteResult%s>%s</DeleteResult>" % (
        NS, "".join("<Deleted><Key>%s</Key></Deleted>" % name for name in gone)))


def _create_multipart_upload(state, request, bucket, key, query, payload):
    upload = secrets.token_hex(16)
    state.uploads[upload] = (bucket, key, {}, [(n, v) for n, v in request.fields if n.startswith("x-amz-meta-")])
    return Reply(body=XML + "<InitiateMultipartUploadResult%s><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId>"
                 "</InitiateMultipartUploadResult>" % (NS, escape(bucket), escape(key), upload))


def _upload(state, bucket, key, query):
    found = state.uploads.get(query["uploadId"])
    if found is None or found[:2] != (bucket, key):
        raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
    return found


def _upload_part(state, request, bucket, key, query, payload):
    upload = _upload(state, bucket, key, query)
    part, sums = _receive(state, request, payload)
    part.data = None
    upload[2][int(query["partNumber"])] = part
    return Reply(fields=[("ETag", '"%s"' % part.etag)] + sums)


def _list_parts(state, request, bucket, key, query, payload):
    rows = "".join("<Part><PartNumber>%d</PartNumber><ETag>&quot;%s&quot;</ETag><Size>%d</Size></Part>" % (n, p.etag, p.length)
                   for n, p in sorted(_upload(state, bucket, key, query)[2].items()))
    return Reply(body=XML + "<ListPartsResult%s>%s</ListPartsResult>" % (NS, rows))


def _complete_multipart_upload(state, request, bucket, key, query, payload):
    upload = _upload(state, bucket, key, query)
    text = b""
    while view := payload.some():
        text += bytes(view)
    wanted = [(int(re.search(r"<PartNumber>(\d+)<", p).group(1)), re.search("<ETag>(?:&quot;|&#34;|\")?([^<&\"]*)", p).group(1))
              for p in re.findall("<Part>.*?</Part>", text.decode(), re.S)]
    if not wanted or any(n not in upload[2] or upload[2][n].etag != etag for n, etag in wanted):
        raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
    parts = [upload[2][n] for n, _ in wanted]
    if any(p.length < 5 << 20 for p in parts[:-1]):
        raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    whole = Object(sum(p.length for p in parts), None, None, upload[3], _modified(state))
    whole.parts = [p.parts[0] for p in parts]
    whole.etag += "-%d" % len(parts)
    state.buckets[bucket][key] = whole
    del state.uploads[query["uploadId"]]
    return Reply(body=XML + "<CompleteMultipartUploadResult%s><Location>/%s/%s</Location><Bucket>%s</Bucket><Key>%s</Key>"
                 "<ETag>&quot;%s&quot;</ETag></CompleteMultipartUploadResult>" % (
                     NS, escape(bucket), escape(key), escape(bucket), escape(key), whole.etag))


def _abort_multipart_upload(state, request, bucket, key, query, payload):
    _upload(state, bucket, key, query)
    del state.uploads[query["uploadId"]]
    return Reply(204)
