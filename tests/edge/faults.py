"""Faults that a test asks for. A rule:

    {"service": "sts", "operation": "AssumeRole", "path": "/bucket/.*",      which requests; all optional
     "count": 3, "after": 1,                                                 how many, after letting how many by
     "do": "delay",  "seconds": 2}                                           wait, then go on as usual
     "do": "error",  "status": 503, "code": "SlowDown"}                      answer this, in the protocol's form
     "do": "answer", "status": 200, "body": "<ListRolesResponse>…"}          verified as usual, then this body
     "do": "reset"}                                                          break the connection at once
     "do": "reset-upload", "bytes": 1000000}                                 ... after so much of the request's body
     "do": "reset-download", "bytes": 1000000}                               ... after so much of the answer's body
     "do": "hang",   "seconds": 60}                                          no answer for so long, then a reset
"""

import re

KINDS = ("delay", "error", "answer", "reset", "reset-upload", "reset-download", "hang")


class Faults:
    def __init__(self, lock):
        self._lock, self._rules = lock, []

    def replace(self, rules):
        for rule in rules:
            if rule.get("do") not in KINDS:
                raise ValueError("do is one of %s" % (KINDS,))
        with self._lock:
            self._rules = [dict(rule) for rule in rules]

    def match(self, service, operation, path):
        with self._lock:
            for rule in self._rules:
                if rule.get("service", service) != service or rule.get("operation", operation) != operation:
                    continue
                if not re.match(rule.get("path", ""), path):
                    continue
                if rule.get("after", 0) > 0:
                    rule["after"] -= 1
                    continue
                if rule.get("count") == 0:
                    continue
                if rule.get("count"):
                    rule["count"] -= 1
                return rule
        return None
