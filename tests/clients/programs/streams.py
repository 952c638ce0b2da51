"""boto3 reads an answer that is an event stream: OPERATION EVENTS READ. Prints when each event came; leaves after READ of them."""

import json
import sys
import time

import boto3
from botocore.config import Config

MODEL = "amazon.nova-lite-v1:0"
operation, events, read = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
if operation == "invoke":
    answer = boto3.client("bedrock-runtime", config=config).invoke_model_with_response_stream(
        modelId=MODEL, body=json.dumps({"events": events}))
    stream = answer["body"]
elif operation == "converse":
    answer = boto3.client("bedrock-runtime", config=config).converse_stream(
        modelId=MODEL, messages=[{"role": "user", "content": [{"text": "hello"}]}], inferenceConfig={"maxTokens": events})
    stream = answer["stream"]
else:
    answer = boto3.client("logs", config=config).start_live_tail(
        logGroupIdentifiers=["arn:aws:logs:us-east-1:111122223333:log-group:work"], logStreamNamePrefixes=["s%d" % i for i in range(events)])
    stream = answer["responseStream"]
for number, event in enumerate(stream, 1):
    print(json.dumps({"at": time.time(), "event": next(iter(event))}), flush=True)
    if number == read:
        stream.close()
        break
print(json.dumps({"read": number}), flush=True)
time.sleep(3 if number < events else 0)
