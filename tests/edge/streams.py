"""Answers that are event streams: one message after the other, with time between them.

`entry` tells when each left (`sent`), and `gone`: the peer had left before all were.
"""

import base64
import json
import re
import time

from events import message

GAP = 0.25


def wanted(service, operation, path, body):
    """The messages of this answer as (event type, payload), or None: not such an operation. The request says how many."""
    if service == "bedrock" and (found := re.fullmatch(r"/model/[^/]+/(invoke-with-response-stream|converse-stream)", path)):
        asked = json.loads(body or "{}")
        if found.group(1) == "converse-stream":
            count = asked["inferenceConfig"]["maxTokens"]
            return [("messageStart", {"role": "assistant"})] + [
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "piece %d" % i}}) for i in range(count - 2)] + [
                ("messageStop", {"stopReason": "end_turn"})]
        return [("chunk", {"bytes": base64.b64encode(b"piece %d" % i).decode()}) for i in range(asked["events"])]
    if service == "logs" and operation == "StartLiveTail":
        count = len(json.loads(body)["logStreamNamePrefixes"])
        return [("initial-response", {}), ("sessionStart", {"requestId": "r", "sessionId": "s"})] + [
            ("sessionUpdate", {"sessionMetadata": {"sampled": False}, "sessionResults": [{"message": "line %d" % i}]}) for i in range(count)]
    return None


def serve(sock, entry, messages, request_id):
    entry["sent"], entry["gone"], entry["status"] = [], False, 200
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\nx-amzn-RequestId: %s\r\n\r\n"
    try:
        sock.sendall((head % request_id).encode())
        for number, (kind, payload) in enumerate(messages):
            if number:
                time.sleep(GAP)
            one = message([(":message-type", "event"), (":event-type", kind), (":content-type", "application/json")], json.dumps(payload).encode())
            sock.sendall(b"%x\r\n%b\r\n" % (len(one), one))
            entry["sent"].append(time.time())
        sock.sendall(b"0\r\n\r\n")
    except OSError:
        entry["gone"] = True
