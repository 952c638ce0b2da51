"""One connection: read, verify, record, answer."""

import hashlib
import hmac
import json
import secrets
import socket
import struct
import time
from email.utils import formatdate
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import events
import s3
import streams
import sts
from sigv4 import S3_SERVICES, Claim, Payload, Refused
from wire import BadRequest, Body, Buffered, Closed, Request, answer, socket_source

BODY_LIMIT = 64 << 20
SHOWN = 4096  # bytes of a small body that the record keeps


class Reset(Exception):
    """A fault: break the connection with an RST."""


def protocol(request, service):
    if service in S3_SERVICES:
        return "s3"
    if request.get("x-amz-target"):
        return "json"
    if request.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if request.get("content-type").startswith("application/x-www-form-urlencoded") or "Action=" in request.query:
        return "ec2" if service == "ec2" else "query"
    return "rest"


def error_reply(kind, refused, request_id):
    code, message = escape(refused.code), escape(refused.message)
    fields = [("x-amzn-RequestId", request_id)]
    if kind == "s3":
        fields += [("Content-Type", "application/xml"), ("x-amz-request-id", request_id)]
        body = "%s<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId><HostId>edge</HostId></Error>" % (
            s3.XML, code, message, request_id)
    elif kind == "ec2":
        fields.append(("Content-Type", "text/xml"))
        body = "%s<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>" % (
            s3.XML, code, message, request_id)
    elif kind == "query":
        fields.append(("Content-Type", "text/xml"))
        body = "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>" % (
            code, message, request_id)
    else:
        fields += [("Content-Type", "application/x-amz-json-1.0" if kind == "json" else "application/json"),
                   ("x-amzn-ErrorType", refused.code)]
        body = json.dumps({"__type": refused.code, "message": refused.message})
    return fields, body.encode()


class Connection:
    def __init__(self, state, faults, sock, http=1):
        self.state, self.faults, self.sock, self.http = state, faults, sock, http
        self.source = socket_source(sock)

    def serve(self):
        try:
            while self.one():
                pass
        except (Closed, BadRequest, Reset) as gone:
            if isinstance(gone, BadRequest):
                self.state.record({"time": self.state.now(), "status": 400, "error": "BadRequest", "message": str(gone)})
                try:
                    answer(self.sock, 400, [("Connection", "close")], str(gone).encode())
                except Closed:
                    return
            if isinstance(gone, Reset):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self.sock.close()

    def one(self):
        head = self.source.until(b"\r\n\r\n", 64 * 1024)
        if head is None:
            return False
        request = Request(head)
        body = Body(request, self.source)
        request_id = secrets.token_hex(8).upper()
        entry = {"time": self.state.now(), "method": request.method, "host": request.get("host"), "path": request.path,
                 "query": request.query, "request_id": request_id, "http": self.http,
                 "headers": [(n, v if n not in ("x-amz-security-token", "x-amz-s3session-token") else "sha256:" + hashlib.sha256(v.encode()).hexdigest())
                             for n, v in request.fields]}
        kind, cut, reply = "rest", None, None
        try:
            claim = Claim(request)
            kind = protocol(request, claim.service)
            entry.update(service=claim.service, region=claim.region, payload=claim.form, presigned=claim.presigned,
                         access_key_id=claim.access_key_id, algorithm=claim.algorithm, region_set=claim.region_set)
            if claim.form == "events":
                self.events(request, claim, body, entry, request_id)
                entry["status"] = 200
                return False
            reply, cut = self.handle(request, claim, body, kind, entry, request_id)
            fields = reply.fields
        except Refused as refused:
            entry.update(error=refused.code, message=refused.message)
            fields, out = error_reply(kind, refused, request_id)
            reply = s3.Reply(refused.status)
            reply.body, reply.length = out, len(out)
        finally:
            entry.update(dict.fromkeys(("sent", "gone")) if reply and reply.events is not None else {})
            entry.setdefault("status", reply.status if reply else "reset")
            self.state.record(entry)
        if reply.events is not None:
            streams.serve(self.sock, entry, reply.events, request_id)
            return False
        fields = [("Date", formatdate(self.state.now(), usegmt=True)), ("x-amz-request-id", request_id), *fields]
        whole = body.ended
        if not whole:
            fields.append(("Connection", "close"))
        answer(self.sock, reply.status, fields, reply.body, reply.length, reply.stream,
               head_only=request.method == "HEAD", cut_after=cut)
        if cut is not None:
            raise Reset
        return whole and request.get("connection").lower() != "close"

    def events(self, request, claim, body, entry, request_id):
        """A stream of signed messages, answered while it comes. The connection ends with it."""
        principal = self.authenticate(request, claim)
        claim.verify(request, principal.secret, claim.declared)
        entry["session" if principal.is_session else "user"] = principal.public()
        entry["operation"] = "%s %s" % (request.method, request.path)
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\nx-amzn-RequestId: %s\r\n\r\n"

        def write(piece):
            try:
                self.sock.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n" if piece else b"0\r\n\r\n")
            except OSError:
                raise Closed from None

        self.sock.sendall((head % request_id).encode())
        events.serve(claim, Buffered(body.fill, short=Closed), write, entry, self.state.now, request.path)
        write(b"")

    def handle(self, request, claim, body, kind, entry, request_id):
        operation, form, whole = "", {}, None
        if kind == "s3":
            operation = s3.operation(request)
        elif kind == "json":
            operation = request.get("x-amz-target").rsplit(".", 1)[-1]
        elif kind == "rest":
            operation = "%s %s" % (request.method, request.path)
        elif kind == "cbor":
            operation = request.path.rsplit("/", 1)[-1]
        fault = None
        if kind != "query" and kind != "ec2":
            fault = self.apply_early(claim.service, operation, request.path)
        principal = self.authenticate(request, claim)
        if claim.form != "absent":
            claim.verify(request, principal.secret, claim.declared)
        if request.get("expect").lower() == "100-continue" and not body.ended:
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        payload = Payload(request, claim, body, Buffered(
            body.fill, short=Refused(400, "IncompleteBody", "the body ended before its last chunk")))
        if fault and fault["do"] == "reset-upload":
            payload = _Breaking(payload, fault.get("bytes", 0))
        if kind != "s3":
            parts, size = [], 0
            while view := payload.some():
                size += len(view)
                if size > BODY_LIMIT:
                    raise Refused(413, "RequestEntityTooLarge", "the double reads at most %d bytes here" % BODY_LIMIT)
                parts.append(bytes(view))
            whole = b"".join(parts)
            if claim.form == "absent":
                claim.verify(request, principal.secret, hashlib.sha256(whole).hexdigest())
            entry.update(body_sha256=hashlib.sha256(whole).hexdigest(), body_length=size,
                         body=whole[:SHOWN].decode("latin-1"))
        if kind in ("query", "ec2"):
            form = dict(parse_qsl(request.query, keep_blank_values=True))
            form.update(parse_qsl(whole.decode("latin-1"), keep_blank_values=True, encoding="utf-8"))
            operation = form.get("Action", "")
            fault = self.apply_early(claim.service, operation, request.path)
        entry["operation"] = operation
        entry["session" if principal.is_session else "user"] = principal.public()
        if claim.service == "sts" and kind == "query":
            text = sts.call(self.state, principal, operation, form, request_id)
            if operation == "AssumeRole":
                entry["assume_role"] = {k: v for k, v in form.items()}
            reply = s3.Reply(body=text, fields=[("Content-Type", "text/xml")])
        elif kind == "s3":
            s3.check_express(request, operation, claim, principal)
            if operation == "CreateSession":
                reply = s3.create_session(self.state, request, principal)
            else:
                reply = s3.call(self.state, request, operation, payload)
            while payload.some():  # what the operation did not read is verified all the same
                pass
            entry.update(body_length=payload.length)
        else:
            reply = self.generic(kind, operation, request_id)
            reply.events = streams.wanted(claim.service, operation, request.path, whole)
        if fault and fault["do"] == "answer":
            reply = s3.Reply(fault.get("status", 200), fault["body"], [f for f in reply.fields if f[0] == "Content-Type"])
        entry.update(verified=["signature"] + payload.verified, chunks=payload.chunks)
        cut = fault.get("bytes", 0) if fault and fault["do"] == "reset-download" else None
        return reply, cut

    def apply_early(self, service, operation, path):
        fault = self.faults.match(service, operation, path)
        if fault is None:
            return None
        if fault["do"] in ("delay", "hang"):
            time.sleep(min(fault.get("seconds", 1), 120))
        if fault["do"] in ("reset", "hang"):
            raise Reset
        if fault["do"] == "error":
            raise Refused(fault.get("status", 500), fault.get("code", "InternalFailure"), fault.get("message", "injected"))
        return fault

    def authenticate(self, request, claim):
        claim.check_headers(request)
        is_s3 = claim.service in S3_SERVICES
        principal = self.state.principals.get(claim.access_key_id)
        if principal is None:
            if is_s3:
                raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
            raise Refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if claim.token and not claim.presigned and "x-amz-security-token" not in claim.signed:
            raise Refused(403, "SignatureDoesNotMatch", "the session token is not signed")
        # Credentials of CreateSession have a header of their own, and are good for nothing but their bucket.
        if principal.bucket and (claim.service != "s3express" or claim.token):
            raise Refused(403, "InvalidToken", "credentials of an S3 Express session, used for something else")
        if claim.express_token and not principal.bucket:
            raise Refused(403, "InvalidToken", "x-amz-s3session-token with other credentials than CreateSession's")
        if not hmac.compare_digest((claim.express_token or claim.token).encode(), principal.token.encode()):
            raise Refused(400 if is_s3 else 403, "InvalidToken" if is_s3 else "InvalidClientTokenId",
                          "The session token does not belong to the access key.")
        claim.check_clock(self.state.now())
        if principal.expires is not None and self.state.now() >= principal.expires:
            code = "ExpiredToken" if is_s3 or claim.service in ("sts", "iam", "ec2") else "ExpiredTokenException"
            raise Refused(400 if is_s3 else 403, code, "The security token included in the request is expired")
        return principal

    def generic(self, kind, operation, request_id):
        if kind == "json":
            return s3.Reply(body="{}", fields=[("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-RequestId", request_id)])
        if kind == "cbor":
            reply = s3.Reply(fields=[("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")])
            reply.body, reply.length = b"\xa0", 1
            return reply
        if kind == "ec2":
            return s3.Reply(body="<{0}Response><requestId>{1}</requestId></{0}Response>".format(escape(operation), request_id),
                            fields=[("Content-Type", "text/xml")])
        if kind == "query":
            return s3.Reply(body="<{0}Response><{0}Result/><ResponseMetadata><RequestId>{1}</RequestId></ResponseMetadata>"
                            "</{0}Response>".format(escape(operation), request_id), fields=[("Content-Type", "text/xml")])
        return s3.Reply(body="{}", fields=[("Content-Type", "application/json"), ("x-amzn-RequestId", request_id)])


class _Breaking:
    """A payload whose connection breaks after so many bytes: a fault."""

    def __init__(self, payload, count):
        self._payload, self._left = payload, count

    def some(self):
        view = self._payload.some()
        self._left -= len(view)
        if self._left < 0:
            raise Reset
        return view

    def __getattr__(self, name):
        return getattr(self._payload, name)
