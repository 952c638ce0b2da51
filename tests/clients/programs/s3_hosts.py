"""boto3 asks S3 at each of its special hosts. Prints for each case the requests that left and the last error."""

import json
import sys

import boto3
from botocore.config import Config

ACCOUNT = "111122223333"
POINT = "arn:aws:s3:us-east-1:%s:accesspoint/point" % ACCOUNT
LAMBDA = "arn:aws:s3-object-lambda:us-east-1:%s:accesspoint/masked" % ACCOUNT
OUTPOST = "arn:aws:s3-outposts:us-east-1:%s:outpost/op-01ac5d28a6a232904/" % ACCOUNT
OBJECT = "get_object"
CASES = {
    "access point": ("s3", OBJECT, {"Bucket": POINT, "Key": "k"}),
    "access point, alias": ("s3", OBJECT, {"Bucket": "point-" + "a" * 34 + "-s3alias", "Key": "k"}),
    "Object Lambda": ("s3", OBJECT, {"Bucket": LAMBDA, "Key": "k"}),
    "Object Lambda, alias": ("s3", OBJECT, {"Bucket": "masked-" + "a" * 30 + "--ol-s3", "Key": "k"}),
    "Object Lambda, the function's answer": ("s3", "write_get_object_response", {"RequestRoute": "io-use1-001", "RequestToken": "t", "Body": b"x"}),
    "Outposts": ("s3", OBJECT, {"Bucket": OUTPOST + "accesspoint/point", "Key": "k"}),
    "Outposts, alias": ("s3", OBJECT, {"Bucket": "point-o01ac5d28a6a232904e8xz5w8ijx1qzlbp3i3kuse10--op-s3", "Key": "k"}),
    "directory bucket": ("s3", OBJECT, {"Bucket": "work--use1-az4--x-s3", "Key": "k"}),
    "directory bucket, list": ("s3", "list_directory_buckets", {}),
    "directory bucket, access point": ("s3", OBJECT, {"Bucket": "point--use1-az4--xa-s3", "Key": "k"}),
    "S3 Control": ("s3control", "list_access_points", {"AccountId": ACCOUNT}),
    "S3 Control, an access point": ("s3control", "get_access_point", {"AccountId": ACCOUNT, "Name": "point"}),
    "S3 Control, Outposts": ("s3control", "get_bucket", {"AccountId": ACCOUNT, "Bucket": OUTPOST + "bucket/work"}),
}

for name, (service, operation, parameters) in CASES.items():
    client = boto3.client(service, config=Config(retries={"total_max_attempts": 1}, connect_timeout=10))
    left, answered = [], []
    client.meta.events.register("before-send", lambda request, left=left, **_: left.append(request.url))
    client.meta.events.register("response-received", lambda answered=answered, **_: answered.append(1))
    try:
        getattr(client, operation)(**parameters)
        said = "done"
    except Exception as wrong:
        said = "%s: %s" % (type(wrong).__name__, wrong)
    print(json.dumps({"case": name, "left": left, "said": said}), flush=True)
