"""HTTP/1.1 as bytes: a strict reader of requests that streams bodies, and a writer of answers."""

import socket

MAX_HEAD = 64 * 1024
BUFFER = 1 << 20


class BadRequest(Exception):
    """The peer broke the protocol; the connection is closed after a 400."""


class Closed(Exception):
    """The peer went away."""


class Buffered:
    """A buffer over `fill(view) -> count`. Views returned by some() hold until the next call."""

    def __init__(self, fill, size=BUFFER, short=Closed):
        self._fill = fill
        self._short = short  # what to raise when the source ends too early
        self._bytes = bytearray(size)
        self._view = memoryview(self._bytes)
        self._start = self._end = 0

    def some(self, most):
        """Between 1 and `most` bytes; an empty view at the end of the source."""
        if self._start == self._end:
            self._start, self._end = 0, self._fill(self._view)
        count = min(most, self._end - self._start)
        view = self._view[self._start : self._start + count]
        self._start += count
        return view

    def until(self, mark, limit):
        """The bytes before `mark`, which is consumed; None when the source ends before the first byte."""
        while True:
            at = self._bytes.find(mark, self._start, self._end)
            if at >= 0:
                found = bytes(self._view[self._start : at])
                self._start = at + len(mark)
                return found
            if self._end - self._start > limit:
                raise BadRequest("line or head too long")
            if self._start:
                rest = bytes(self._view[self._start : self._end])
                self._view[: len(rest)] = rest
                self._start, self._end = 0, len(rest)
            count = self._fill(self._view[self._end :])
            if not count:
                if self._start == self._end:
                    return None
                raise self._short
            self._end += count

    def line(self, limit=8192):
        found = self.until(b"\r\n", limit)
        if found is None:
            raise self._short
        return found

    def exactly(self, count):
        parts = []
        while count:
            view = self.some(count)
            if not view:
                raise self._short
            parts.append(bytes(view))
            count -= len(view)
        return b"".join(parts)


class Request:
    """A request head. `fields` keeps order, case-folded names and trimmed values."""

    def __init__(self, head):
        lines = head.split(b"\r\n")
        parts = lines[0].split(b" ")
        if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise BadRequest("bad request line")
        self.method = parts[0].decode("ascii")
        target = parts[1].decode("latin-1")
        if not target.startswith("/"):
            raise BadRequest("only origin-form targets")
        self.path, _, self.query = target.partition("?")
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name.strip() != name or line[:1] in b" \t":
                raise BadRequest("bad header line")
            self.fields.append((name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")))
        for single in ("host", "content-length", "transfer-encoding", "authorization"):
            if len(self.all(single)) > 1:
                raise BadRequest("two " + single)
        if not self.get("host"):
            raise BadRequest("no host")

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def get(self, name, default=""):
        found = self.all(name)
        return ",".join(found) if found else default


class Body:
    """The entity of a request, its transfer coding removed."""

    def __init__(self, request, source):
        coding, length = request.get("transfer-encoding").lower(), request.get("content-length")
        if coding and length:
            raise BadRequest("both Content-Length and Transfer-Encoding")
        if coding not in ("", "chunked"):
            raise BadRequest("transfer coding " + coding)
        if length and not (length.isascii() and length.isdigit()):
            raise BadRequest("bad Content-Length")
        self._source = source
        self.chunked = bool(coding)
        self._left = int(length or 0)  # of the body, or of the present chunk
        self.ended = not self.chunked and self._left == 0
        self._first = True
        self.length = 0

    def some(self, most=BUFFER):
        if self.ended:
            return b""
        if self.chunked and self._left == 0:
            if not self._first and self._source.line() != b"":
                raise BadRequest("chunk not ended by CRLF")
            self._first = False
            size = self._source.line()
            if not size or len(size) > 15 or any(c not in b"0123456789abcdefABCDEF" for c in size):
                raise BadRequest("bad chunk size")
            self._left = int(size, 16)
            if self._left == 0:
                while self._source.line() != b"":
                    pass
                self.ended = True
                return b""
        view = self._source.some(min(most, self._left))
        if not view:
            raise Closed
        self._left -= len(view)
        self.length += len(view)
        if not self.chunked and self._left == 0:
            self.ended = True
        return view

    def fill(self, view):
        got = self.some(len(view))
        view[: len(got)] = got
        return len(got)

    def all(self, limit):
        parts, size = [], 0
        while view := self.some():
            size += len(view)
            if size > limit:
                raise BadRequest("body larger than %d" % limit)
            parts.append(bytes(view))
        return b"".join(parts)


def socket_source(sock):
    def fill(view):
        try:
            return sock.recv_into(view)
        except (ConnectionError, socket.timeout, OSError):
            raise Closed from None

    return Buffered(fill)


REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 400: "Bad Request", 403: "Forbidden",
           404: "Not Found", 409: "Conflict", 416: "Range Not Satisfiable", 500: "Internal Server Error",
           501: "Not Implemented", 503: "Service Unavailable"}


def answer(sock, status, fields, body=b"", length=None, stream=None, head_only=False, cut_after=None):
    """Writes one answer. `stream` yields views; `cut_after` bytes of body the caller wants no more."""
    size = len(body) if length is None else length
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status"))]
    lines += ["%s: %s" % pair for pair in fields]
    if status != 204:
        lines.append("Content-Length: %d" % size)
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    try:
        if head_only:
            sock.sendall(head)
        elif stream is None and cut_after is None:
            sock.sendall(head + body)
        else:
            sock.sendall(head)
            for view in stream if stream is not None else [body]:
                if cut_after is not None and len(view) >= cut_after:
                    sock.sendall(view[:cut_after])
                    return
                if cut_after is not None:
                    cut_after -= len(view)
                sock.sendall(view)
    except (ConnectionError, OSError):
        raise Closed from None
