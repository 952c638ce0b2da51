"""Signature Version 4 as the receiving side checks it, from the bytes that arrived.

Written from the public description of SigV4 and of S3's streaming forms; it shares nothing with src/aws.
"""

import base64
import datetime
import hashlib
import hmac
import re
import zlib
from urllib.parse import unquote_to_bytes

import p256

ALGORITHM = "AWS4-HMAC-SHA256"
ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SKEW = 15 * 60
S3_SERVICES = ("s3", "s3express", "s3-object-lambda", "s3-outposts")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
HEX64 = re.compile(r"[0-9a-f]{64}\Z")
# What x-amz-content-sha256 may say, and what that means for the body.
FORMS = {
    "UNSIGNED-PAYLOAD": "unsigned",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": "unsigned-trailer",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": "signed-chunks",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": "signed-chunks-trailer",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": "signed-chunks",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER": "signed-chunks-trailer",
    "STREAMING-AWS4-HMAC-SHA256-EVENTS": "events",
}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def encode(raw, keep=b""):
    return "".join(chr(b) if b in UNRESERVED or b in keep else "%%%02X" % b for b in raw)


def canonical_path(path, service):
    if service in S3_SERVICES:  # once, as it is: %2F stays within its segment (S3 Control's ARNs)
        return "/".join(encode(unquote_to_bytes(segment)) for segment in path.split("/"))
    out = []
    for segment in path.split("/"):
        if segment == "..":
            out = out[:-1]
        elif segment not in ("", "."):
            out.append(segment)
    normal = "/" + "/".join(out)
    if path.endswith("/") and normal != "/":
        normal += "/"
    return encode(normal.encode("latin-1"), b"/")  # what is encoded once already, a second time


def pairs(query):
    """The raw query as decoded byte pairs. `+` is a plus here, as SigV4 has it."""
    found = []
    for piece in query.split("&") if query else []:
        key, _, value = piece.partition("=")
        found.append((unquote_to_bytes(key), unquote_to_bytes(value)))
    return found


def canonical_query(query, without=()):
    return "&".join(
        "%s=%s" % pair
        for pair in sorted((encode(k), encode(v)) for k, v in pairs(query) if k.decode("latin-1") not in without)
    )


def signing_key(secret, day, region, service):
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def parse_date(text):
    if not re.fullmatch(r"\d{8}T\d{6}Z", text):
        raise Refused(403, "AccessDenied", "X-Amz-Date is not a basic ISO 8601 time: %r" % text)
    when = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    return when.timestamp()


class Claim:
    """What a request says about its signature, before anything is verified."""

    def __init__(self, request):
        self.presigned = False
        self.express_token = ""
        header = request.get("authorization")
        query = {k.decode("latin-1"): v.decode("latin-1") for k, v in pairs(request.query)}
        if header and "X-Amz-Algorithm" in query:
            raise Refused(400, "InvalidRequest", "signed in the header and in the query")
        if header:
            match = re.fullmatch(
                r"(AWS4-HMAC-SHA256|AWS4-ECDSA-P256-SHA256) +Credential=([^ ,]+), *SignedHeaders=([^ ,]+), *Signature=([0-9a-f]{64,144})",
                header)
            if not match:
                raise Refused(400, "IncompleteSignature", "not a complete SigV4 Authorization header")
            self.algorithm, credential, signed, self.signature = match.groups()
            self.region_set = request.get("x-amz-region-set")
            self.date, self.token = request.get("x-amz-date"), request.get("x-amz-security-token")
            self.express_token = request.get("x-amz-s3session-token")
        elif "X-Amz-Algorithm" in query:
            self.presigned = True
            self.algorithm = query["X-Amz-Algorithm"]
            if self.algorithm not in (ALGORITHM, ASYMMETRIC):
                raise Refused(400, "AuthorizationQueryParametersError", "algorithm " + self.algorithm)
            self.region_set = query.get("X-Amz-Region-Set", "")
            try:
                credential, signed = query["X-Amz-Credential"], query["X-Amz-SignedHeaders"]
                self.signature, self.date = query["X-Amz-Signature"], query["X-Amz-Date"]
                self.expires = int(query["X-Amz-Expires"])
            except (KeyError, ValueError):
                raise Refused(400, "AuthorizationQueryParametersError", "a presigned parameter is missing") from None
            if not 1 <= self.expires <= 604800:
                raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires out of range")
            self.token = query.get("X-Amz-Security-Token", "")
        else:
            raise Refused(403, "MissingAuthenticationToken", "the request is not signed")
        scope = credential.split("/")
        self.asymmetric = self.algorithm == ASYMMETRIC
        self.scope = "/".join(scope[1:])
        if self.asymmetric:  # no region in the scope: a set of them stands beside it
            scope[2:2] = [self.region_set]
        if len(scope) != 5 or scope[4] != "aws4_request" or not all(scope):
            raise Refused(400, "IncompleteSignature", "the credential scope is not id/day/region/service/aws4_request")
        if self.asymmetric != (len(self.signature) != 64):
            raise Refused(400, "IncompleteSignature", "the signature is not one of its algorithm")
        self.access_key_id, self.day, self.region, self.service = scope[:4]
        self.signed = signed.split(";")
        self.time = parse_date(self.date)
        declared = request.get("x-amz-content-sha256") or (query.get("X-Amz-Content-Sha256", "") if self.presigned else "")
        if self.presigned and self.service in S3_SERVICES and not declared:
            declared = "UNSIGNED-PAYLOAD"
        self.declared = declared
        events = request.get("content-type") == "application/vnd.amazon.eventstream"
        if not declared:
            # The SDK for Rust signs the head of an event stream as one without a body.
            self.form, self.declared = ("events", EMPTY_SHA256) if events else ("absent", "")
        elif declared in FORMS:
            self.form = FORMS[declared]
        elif HEX64.match(declared):
            self.form = "hash"
        else:
            raise Refused(400, "InvalidArgument", "x-amz-content-sha256 is neither a hash nor a known form")
        if self.declared.startswith("STREAMING-AWS4") and self.asymmetric != ("ECDSA" in self.declared):
            raise Refused(400, "InvalidArgument", "the payload form is not of the signature's algorithm")

    def check_headers(self, request):
        names = [name for name, _ in request.fields]
        if self.signed != sorted(set(self.signed)):
            raise Refused(403, "SignatureDoesNotMatch", "SignedHeaders is not sorted and unique")
        if "host" not in self.signed:
            raise Refused(403, "SignatureDoesNotMatch", "host is not signed")
        for name in names:
            if name.startswith("x-amz-") and name not in self.signed:
                raise Refused(403, "AccessDenied", "header %s is present and not signed" % name)
        for name in self.signed:
            if name not in names:
                raise Refused(403, "SignatureDoesNotMatch", "signed header %s is absent" % name)
        if self.service in S3_SERVICES and self.form == "absent":
            raise Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        if self.date[:8] != self.day:
            raise Refused(403, "SignatureDoesNotMatch", "the scope's day is not that of X-Amz-Date")

    def check_clock(self, now):
        if self.presigned:
            if now > self.time + self.expires:
                raise Refused(403, "AccessDenied", "Request has expired")
            if now < self.time - SKEW:
                raise Refused(403, "AccessDenied", "Request is not yet valid")
        elif abs(now - self.time) > SKEW:
            if self.service in S3_SERVICES:
                raise Refused(403, "RequestTimeTooSkewed",
                              "The difference between the request time and the current time is too large.")
            code = "SignatureDoesNotMatch" if self.service in ("sts", "iam") else "InvalidSignatureException"
            word = "expired" if self.time < now else "not yet current"
            raise Refused(403, code, "Signature %s: %s" % (word, self.date))

    def verify(self, request, secret, payload_hash):
        """Raises unless the signature is that of these bytes; keeps what chunk signatures go on from."""
        headers = ""
        for name in self.signed:
            values = [re.sub(" +", " ", value.strip()) for value in request.all(name)]
            headers += "%s:%s\n" % (name, ",".join(values))
        query = canonical_query(request.query, ("X-Amz-Signature",) if self.presigned else ())
        canonical = "\n".join([request.method, canonical_path(request.path, self.service), query, headers,
                               ";".join(self.signed), payload_hash])
        to_sign = "\n".join([self.algorithm, self.date, self.scope, hashlib.sha256(canonical.encode("latin-1")).hexdigest()])
        if self.asymmetric:
            self.key = p256.public_key(self.access_key_id, secret)
        else:
            self.key = signing_key(secret, self.day, self.region, self.service)
        if not self.signed_as(to_sign, self.signature):
            raise Refused(403, "SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided. "
                          "Canonical request here: " + canonical.replace("\n", "|"))


    def signed_as(self, text, signature):
        """Whether `signature` (hex) is that of `text` with the key of a head that verify() found right."""
        if self.asymmetric:
            return p256.verify(self.key, text.encode(), bytes.fromhex(signature))
        return hmac.compare_digest(hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest(), signature)


# --- Bodies ------------------------------------------------------------------------------------


def _crc_table(polynomial, width):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    return table, (1 << width) - 1


class _SlowCrc:
    """CRC-32C and CRC-64/NVME, byte by byte: only for bodies of a few megabytes."""

    LIMIT = 2 << 20

    def __init__(self, polynomial, width):
        self._table, self._mask = _crc_table(polynomial, width)
        self._value, self._bytes, self._seen = self._mask, width // 8, 0

    def update(self, data):
        self._seen += len(data)
        if self._seen > self.LIMIT:
            return
        value, table = self._value, self._table
        for byte in bytes(data):
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self):
        return None if self._seen > self.LIMIT else (self._value ^ self._mask).to_bytes(self._bytes, "big")


class _Crc32:
    def __init__(self):
        self._value = 0

    def update(self, data):
        self._value = zlib.crc32(data, self._value)

    def digest(self):
        return self._value.to_bytes(4, "big")


CHECKSUMS = {
    "x-amz-checksum-crc32": _Crc32,
    "x-amz-checksum-crc32c": lambda: _SlowCrc(0x82F63B78, 32),
    "x-amz-checksum-crc64nvme": lambda: _SlowCrc(0x9A6C9329AC4BC9B5, 64),
    "x-amz-checksum-sha1": hashlib.sha1,
    "x-amz-checksum-sha256": hashlib.sha256,
}


class Payload:
    """Reads a body in its signed form, verifying as it goes; some() yields the decoded bytes."""

    def __init__(self, request, claim, body, buffered):
        self._claim, self._body, self._form = claim, body, claim.form
        self._aws_chunked = self._form in ("unsigned-trailer", "signed-chunks", "signed-chunks-trailer")
        self._source = buffered if self._aws_chunked else None
        self._chunk_signature = claim.signature if self._form.startswith("signed") else None
        self._left, self._open = 0, False
        self._sha = hashlib.sha256() if self._form == "hash" else None
        self._chunk_sha = None
        self.length, self.chunks, self.ended = 0, 0, False
        self.trailer = {}
        self.verified = []  # which checks were made, for the record
        self._decoded = None
        if self._aws_chunked:
            decoded = request.get("x-amz-decoded-content-length")
            if not decoded.isdigit():
                raise Refused(411, "MissingContentLength", "no x-amz-decoded-content-length")
            self._decoded = int(decoded)
            if "aws-chunked" not in request.get("content-encoding") and self._form != "unsigned-trailer":
                raise Refused(400, "InvalidRequest", "no Content-Encoding: aws-chunked")
        self._named = [name.strip().lower() for name in request.get("x-amz-trailer").split(",") if name.strip()]
        if self._form.endswith("trailer") != bool(self._named):
            raise Refused(400, "InvalidRequest", "x-amz-trailer and the payload form do not agree")
        self._sums, self._expected = {}, {}
        for name, make in CHECKSUMS.items():
            if request.get(name) or name in self._named:
                self._sums[name] = make()
                if request.get(name):
                    self._expected[name] = request.get(name)

    def some(self):
        if self.ended:
            return b""
        view = self._next_chunked() if self._aws_chunked else self._body.some()
        if view:
            self.length += len(view)
            if self._sha:
                self._sha.update(view)
            for each in self._sums.values():
                each.update(view)
            return view
        self.ended = True
        self._finish()
        return b""

    def _next_chunked(self):
        # A chunk's end is read at the next call: reading on would overwrite the view that was given out.
        if self._left == 0:
            if self._open:
                self._end_chunk()
            if not self._start_chunk():
                return b""
        view = self._source.some(self._left)
        if not view:
            raise Refused(400, "IncompleteBody", "the body ended inside a chunk")
        self._left -= len(view)
        if self._chunk_sha:
            self._chunk_sha.update(view)
        return view

    def _start_chunk(self):
        head = self._source.line().decode("latin-1")
        size, _, extension = head.partition(";")
        if not re.fullmatch("[0-9a-fA-F]{1,15}", size):
            raise Refused(400, "InvalidRequest", "bad chunk size %r" % head[:40])
        self._left = int(size, 16)
        self._given = None
        if self._chunk_signature is not None:
            # One of ECDSA varies in length: it is filled up with '*'.
            width = "chunk-signature=([0-9a-f]+)[*]*" if self._claim.asymmetric else "chunk-signature=([0-9a-f]{64})"
            match = re.fullmatch(width, extension) if not self._claim.asymmetric or len(extension) == 160 else None
            if not match:
                raise Refused(403, "SignatureDoesNotMatch", "a chunk without its signature")
            self._given = match.group(1)
            self._chunk_sha = hashlib.sha256()
        elif extension:
            raise Refused(400, "InvalidRequest", "an extension on an unsigned chunk")
        if self._left:
            self._open = True
            return True
        if self._given is not None:
            self._check_chunk()
        self._read_trailer()
        return False

    def _end_chunk(self):
        if self._source.exactly(2) != b"\r\n":
            raise Refused(400, "InvalidRequest", "a chunk not ended by CRLF")
        if self._given is not None:
            self._check_chunk()
        self.chunks += 1
        self._open = False

    def _check_chunk(self):
        self._check_link("-PAYLOAD", [EMPTY_SHA256, self._chunk_sha.hexdigest()], self._given)

    def _check_link(self, kind, hashes, given):
        claim = self._claim
        text = "\n".join([claim.algorithm + kind, claim.date, claim.scope, self._chunk_signature] + hashes)
        if not claim.signed_as(text, given):
            raise Refused(403, "SignatureDoesNotMatch", "chunk %d: signature does not match" % self.chunks)
        self._chunk_signature = given

    def _read_trailer(self):
        """Lines after the last chunk: `name:value`, the signature of them last, an empty line."""
        given, canonical = None, ""
        while line := self._source.line().decode("latin-1"):
            name, colon, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if not colon:
                raise Refused(400, "MalformedTrailerError", "bad trailer line")
            if name == "x-amz-trailer-signature":
                given = value.rstrip("*") if self._claim.asymmetric else value
                continue
            self.trailer[name] = value
            canonical += "%s:%s\n" % (name, value)
        if sorted(self.trailer) != sorted(self._named):
            raise Refused(400, "MalformedTrailerError", "trailers %s, announced %s" % (sorted(self.trailer), self._named))
        if self._form == "signed-chunks-trailer":
            if given is None:
                raise Refused(403, "SignatureDoesNotMatch", "no x-amz-trailer-signature")
            self._check_link("-TRAILER", [hashlib.sha256(canonical.encode("latin-1")).hexdigest()], given)
            self.verified.append("trailer-signature")
        elif given is not None:
            raise Refused(400, "MalformedTrailerError", "a trailer signature that nothing announced")

    def _finish(self):
        if self._aws_chunked:
            while self._source.some(1):  # nothing may follow inside the entity
                raise Refused(400, "IncompleteBody", "bytes after the last chunk")
            if self._decoded != self.length:
                raise Refused(400, "IncompleteBody", "x-amz-decoded-content-length is not the body's length")
            self.verified.append("chunk-signatures" if self._chunk_signature is not None else "chunk-framing")
        if self._sha:
            if self._sha.hexdigest() != self._claim.declared:
                raise Refused(400, "XAmzContentSHA256Mismatch",
                              "The provided 'x-amz-content-sha256' header does not match what was computed.")
            self.verified.append("payload-hash")
        for name, summer in self._sums.items():
            digest = summer.digest()
            if digest is None:
                continue  # a slow checksum over a large body; said by its absence from `verified`
            said = self.trailer.get(name, self._expected.get(name))
            if base64.b64encode(digest).decode() != said:
                raise Refused(400, "BadDigest", "The %s you specified did not match what was computed." % name)
            self.verified.append(name)
