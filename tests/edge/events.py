"""Event streams (application/vnd.amazon.eventstream): messages, and the signature that each message of a request carries.

A message: total length, header length, their CRC-32, headers, payload, CRC-32 of all before. A signed one wraps another: its
headers are `:date` and `:chunk-signature`, its payload is the message itself; the last one wraps nothing.
"""

import datetime
import hashlib
import hmac
import struct
import zlib

from sigv4 import Refused

MOST = 24 << 20
# What follows the type byte of a header's value, by type: a fixed size, or None where two bytes of length come first.
SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: None, 7: None, 8: 8, 9: 16}


def headers_of(raw):
    """name: (type, value bytes, the header's own bytes)"""
    found, at = {}, 0
    while at < len(raw):
        start, count = at, raw[at]
        name = raw[at + 1:at + 1 + count].decode()
        kind = raw[at + 1 + count]
        at += 2 + count
        size = SIZES[kind]
        if size is None:
            size = struct.unpack_from(">H", raw, at)[0]
            at += 2
        value = raw[at:at + size]
        if len(value) != size or name in found:
            raise Refused(400, "SerializationException", "malformed headers of an event")
        at += size
        found[name] = (kind, value, raw[start:at])
    return found


def message(headers, payload):
    raw = b"".join(bytes([len(n)]) + n.encode() + b"\x07" + struct.pack(">H", len(v)) + v.encode() for n, v in headers)
    prelude = struct.pack(">II", 16 + len(raw) + len(payload), len(raw))
    text = prelude + struct.pack(">I", zlib.crc32(prelude)) + raw + payload
    return text + struct.pack(">I", zlib.crc32(text))


class Signed:
    """Reads the signed messages of a request's body."""

    def __init__(self, claim, source, now):
        self._claim, self._source, self._now, self._signature = claim, source, now, claim.signature
        self.count = 0

    def next(self):
        """The wrapped message; None after the one that wraps nothing."""
        prelude = self._source.exactly(12)
        total, count, crc = struct.unpack(">III", prelude)
        if zlib.crc32(prelude[:8]) != crc or not 16 <= total <= MOST or count > total - 16:
            raise Refused(400, "SerializationException", "malformed prelude of an event")
        rest = self._source.exactly(total - 12)
        if zlib.crc32(rest[:-4], crc_of(prelude)) != struct.unpack(">I", rest[-4:])[0]:
            raise Refused(400, "SerializationException", "an event with a wrong CRC")
        headers, payload = headers_of(rest[:count]), rest[count:-4]
        if set(headers) != {":date", ":chunk-signature"} or headers[":date"][0] != 8 or headers[":chunk-signature"][0] != 6:
            raise Refused(403, "SignatureDoesNotMatch", "an event without its signature")
        when = struct.unpack(">q", headers[":date"][1])[0] / 1000
        if abs(when - self._now()) > 900:
            raise Refused(403, "SignatureDoesNotMatch", "an event of another time")
        stamp = datetime.datetime.fromtimestamp(int(when), datetime.timezone.utc)
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", stamp.strftime("%Y%m%dT%H%M%SZ"),
                          "%s/%s/%s/aws4_request" % (stamp.strftime("%Y%m%d"), self._claim.region, self._claim.service),
                          self._signature, hashlib.sha256(headers[":date"][2]).hexdigest(), hashlib.sha256(payload).hexdigest()])
        expected = hmac.new(self._claim.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, headers[":chunk-signature"][1].hex()):
            raise Refused(403, "SignatureDoesNotMatch", "event %d: signature does not match" % self.count)
        self._signature = expected
        self.count += 1
        return payload or None


def crc_of(prelude):
    return zlib.crc32(prelude)


def transcript(inner):
    """What Transcribe answers, whatever it heard."""
    return message([(":message-type", "event"), (":event-type", "TranscriptEvent"), (":content-type", "application/json")],
                   b'{"Transcript":{"Results":[]}}')


ANSWERS = {"/stream-transcription": transcript}


def serve(claim, source, write, entry, now, path):
    """Answers each wrapped message with itself, or as the path's service does, at once; ends when the client does. `write` takes
    one chunk of the answer."""
    answer = ANSWERS.get(path, lambda inner: inner)
    signed = Signed(claim, source, now)
    try:
        while inner := signed.next():
            write(answer(inner))
    except Refused as refused:
        entry.update(error=refused.code, message=refused.message)
        write(message([(":message-type", "exception"), (":exception-type", refused.code), (":content-type", "application/json")],
                      b'{"message":"%s"}' % refused.message.encode()))
    finally:
        entry["events"] = signed.count
