"""Requests signed by botocore, for src/aws/sigv4_botocore_test.cc: an oracle that shares nothing with it.

    sign_with_botocore.py SEED COUNT > JSON Lines: method, target, fields, body_sha256

The key is AKIAREMITORACLE00000 with the secret of the aws documentation; the time is botocore's own (now).
"""

import hashlib
import json
import random
import sys
from urllib.parse import quote, urlsplit

from botocore.auth import (S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth)
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEYS = Credentials("AKIAREMITORACLE00000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEXT = "abcXYZ019-._~/ !$'()*,;:@&=+#?%\u00e9\u1234"


def text(chance, most):
    return "".join(chance.choice(TEXT) for _ in range(chance.randint(1, most)))


def make(chance):
    s3 = chance.random() < 0.5
    service = "s3" if s3 else chance.choice(["dynamodb", "sqs", "execute-api", "lambda", "s3-control", "sts"])
    path = "/" + quote(text(chance, 20), safe="/~")
    if not s3:  # what "/a/." becomes is not agreed on, and egress refuses dot segments but in S3's keys
        path = "/" + "/".join(part for part in path.split("/") if part.strip("."))
    pairs = ["%s=%s" % (quote(text(chance, 6), safe="~"), quote(text(chance, 8), safe="~")) for _ in range(chance.randint(0, 4))]
    url = "https://host.example.com:4433" + path + ("?" + "&".join(pairs) if pairs else "")
    presigned = chance.random() < 0.3
    body = b"" if presigned else text(chance, 50).encode()  # botocore moves a body into a presigned query
    request = AWSRequest(method=chance.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]), url=url, data=body)
    request.headers["Content-Type"] = "text/plain;  charset=utf-8"
    for i in range(chance.randint(0, 3)):
        request.headers["X-Amz-Meta-%d" % i] = chance.choice(["a", "b  c", " d ", "e, f", "g;h=i"])
    if s3 and chance.random() < 0.3:
        request.context["payload_signing_enabled"] = False
    kind = (S3SigV4QueryAuth if s3 else SigV4QueryAuth) if presigned else (S3SigV4Auth if s3 else SigV4Auth)
    signer = kind(KEYS, service, chance.choice(["us-east-1", "eu-central-1"]), *([900] if presigned else []))
    signer.add_auth(request)
    parts = urlsplit(request.url)
    fields = [["Host", "host.example.com:4433"]] + [[k, v] for k, v in request.headers.items() if k.lower() != "host"]
    return {"method": request.method, "target": parts.path + ("?" + parts.query if parts.query else ""), "fields": fields,
            "body_sha256": hashlib.sha256(body).hexdigest()}


def main():
    chance = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        print(json.dumps(make(chance)))


if __name__ == "__main__":
    main()
