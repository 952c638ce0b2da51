"""boto3 with the AWS Common Runtime: S3 through a multi-region access point, and EventBridge through a global endpoint. Both are
signed with SigV4a.

    sigv4a.py ARN KEY

Prints one JSON line for each step: {"step", "ok", "error"}.
"""

import json
import sys
import urllib.request

import boto3
from botocore.config import Config

arn, key = sys.argv[1:]


def step(name, work):
    try:
        wrong = work()
        print(json.dumps({"step": name, "ok": not wrong, "error": wrong}))
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": "%s: %s" % (type(error).__name__, error)}))


def client(service, **more):
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1}, **more))


def read():
    body = client("s3").get_object(Bucket=arn, Key=key)["Body"].read()
    return None if body == b"hello" else "read %r" % body


def presigned():
    url = client("s3").generate_presigned_url("get_object", Params={"Bucket": arn, "Key": key})
    with urllib.request.urlopen(url, timeout=30) as answer:
        body = answer.read()
    return None if body == b"hello" and "X-Amz-Region-Set" in url else "read %r from %s" % (body, url)


step("put", lambda: client("s3").put_object(Bucket=arn, Key=key, Body=b"hello") and None)
step("put-unsigned", lambda: client("s3", request_checksum_calculation="when_required").put_object(Bucket=arn, Key=key, Body=b"hello") and None)
step("get", read)
step("presigned", presigned)
step("events", lambda: client("events").put_events(EndpointId="abcde.veo", Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}]) and None)
