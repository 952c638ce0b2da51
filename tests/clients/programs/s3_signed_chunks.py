"""An upload in signed chunks, as the SDKs for Java, .NET and C++ send it over plain http; written from S3's description,
since no client on hand emits it.

    s3_signed_chunks.py plain|trailer|ecdsa|ecdsa-trailer SIZE BUCKET KEY [tamper]

`ecdsa`: Signature Version 4A. `tamper` changes the last byte of the body after it was signed.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import socket
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "edge"))
import p256  # noqa: E402
import pattern  # noqa: E402

CHUNK = 1 << 20
form, size, bucket, key = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
trailer, ecdsa, tamper = form.endswith("trailer"), form.startswith("ecdsa"), sys.argv[5:] == ["tamper"]
host = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
access, secret, token = (os.environ.get("AWS_" + n, "") for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
algorithm = "AWS4-ECDSA-P256-SHA256" if ecdsa else "AWS4-HMAC-SHA256"
scope = date[:8] + ("/s3/aws4_request" if ecdsa else "/us-east-1/s3/aws4_request")
WIDTH = 144 if ecdsa else 64
signer = ("AWS4" + secret).encode()
for part in scope.split("/"):
    signer = hmac.new(signer, part.encode(), hashlib.sha256).digest()


def sign(text):
    if ecdsa:
        return p256.sign(p256.private_key(access, secret), text.encode()).hex()
    return hmac.new(signer, text.encode(), hashlib.sha256).hexdigest()


lines = ["%x;chunk-signature=%s\r\n" % (n, "0" * WIDTH) for n in [min(CHUNK, size - o) for o in range(0, size, CHUNK)] + [0]]
tail = len("x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:%s\r\n" % ("0" * WIDTH)) if trailer else 0
length = size + sum(len(line) for line in lines) + 2 * (len(lines) - 1) + tail + 2
headers = {"content-encoding": "aws-chunked", "content-length": str(length), "host": host,
           "x-amz-content-sha256": "STREAMING-" + algorithm + "-PAYLOAD" + ("-TRAILER" if trailer else ""),
           "x-amz-date": date, "x-amz-decoded-content-length": str(size)}
if trailer:
    headers["x-amz-trailer"] = "x-amz-checksum-crc32"
if ecdsa:
    headers["x-amz-region-set"] = "us-east-1,eu-central-1"
if token:
    headers["x-amz-security-token"] = token
names = ";".join(sorted(headers))
canonical = "PUT\n/%s/%s\n\n%s\n%s\n%s" % (bucket, key, "".join("%s:%s\n" % (n, headers[n]) for n in sorted(headers)), names,
                                           headers["x-amz-content-sha256"])
previous = sign(algorithm + "\n%s\n%s\n%s" % (date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
headers["authorization"] = algorithm + " Credential=%s/%s,SignedHeaders=%s,Signature=%s" % (access, scope, names, previous)

address, port = host.split(":")
sock = socket.create_connection((address, int(port)), timeout=120)
sock.sendall(("PUT /%s/%s HTTP/1.1\r\n" % (bucket, key) + "".join("%s: %s\r\n" % h for h in headers.items()) + "\r\n").encode())
crc, answer = 0, b""


def send(data):
    """False when the server has closed already, having answered."""
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


for offset in list(range(0, size, CHUNK)) + [size]:
    data = b"".join(pattern.views(offset, min(CHUNK, size - offset)))
    crc = zlib.crc32(data, crc)
    previous = sign(algorithm + "-PAYLOAD\n%s\n%s\n%s\n%s\n%s" % (
        date, scope, previous, hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()))
    if tamper and data and offset + len(data) == size:
        data = data[:-1] + bytes([data[-1] ^ 1])
    if not send(b"%x;chunk-signature=%s\r\n" % (len(data), previous.ljust(WIDTH, "*").encode()) + (data + b"\r\n" if data else b"")):
        break
if trailer:
    line = "x-amz-checksum-crc32:" + base64.b64encode(crc.to_bytes(4, "big")).decode()
    previous = sign(algorithm + "-TRAILER\n%s\n%s\n%s\n%s" % (date, scope, previous, hashlib.sha256((line + "\n").encode()).hexdigest()))
    send((line + "\r\nx-amz-trailer-signature:" + previous.ljust(WIDTH, "*") + "\r\n").encode())
send(b"\r\n")
try:
    answer = sock.recv(65536)
except ConnectionResetError:
    pass
print(json.dumps({"status": answer.split(b"\r\n")[0].decode()}))
