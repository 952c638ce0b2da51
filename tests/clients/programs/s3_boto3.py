"""boto3 as it is, in the environment that Remit gave: puts the pattern, reads it back, tells what it saw.

    s3_boto3.py endpoint|proxy single|multipart|stream SIZE BUCKET KEY
"""

import hashlib
import io
import json
import os
import sys
import time
from pathlib import Path

way, form, size, bucket, key = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
if way == "proxy":  # the real name over https, through CONNECT
    os.environ.pop("AWS_ENDPOINT_URL")
    os.environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"

import boto3  # noqa: E402
from boto3.s3.transfer import TransferConfig  # noqa: E402
from botocore.config import Config  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "edge"))
import pattern  # noqa: E402


class Source(io.RawIOBase):
    """The pattern as a seekable file that takes no room."""

    def __init__(self):
        self.at = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, size)[whence]
        return self.at

    def read(self, count=-1):
        count = size - self.at if count is None or count < 0 else min(count, size - self.at)
        out = b"".join(pattern.views(self.at, count))
        self.at += len(out)
        return out


class Hashing(io.RawIOBase):
    """Takes a download in order, keeps its hash."""

    def __init__(self):
        self.digest, self.length = hashlib.sha256(), 0

    def writable(self):
        return True

    def write(self, data):
        self.digest.update(data)
        self.length += len(data)
        return len(data)


s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}, read_timeout=300))
start = time.monotonic()
if form == "single":
    s3.put_object(Bucket=bucket, Key=key, Body=Source(), ContentLength=size)
else:
    s3.upload_fileobj(Source(), bucket, key, Config=TransferConfig(multipart_chunksize=16 << 20, max_concurrency=4))
up = time.monotonic() - start
out, start = Hashing(), time.monotonic()
body = s3.get_object(Bucket=bucket, Key=key)["Body"]
for piece in body.iter_chunks(1 << 20):
    out.write(piece)
print(json.dumps({"up_seconds": up, "down_seconds": time.monotonic() - start, "length": out.length,
                  "same": out.digest.hexdigest() == pattern.sha256(0, size)}))
