"""What the double remembers: keys, sessions, its clock, what arrived."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Principal:
    """A base key of a user, or a session of a role."""

    access_key_id: str
    secret: str
    account: str
    arn: str
    user_id: str
    token: str = ""
    expires: float | None = None
    # Sessions only.
    role: str = ""
    name: str = ""
    policy: str = ""
    policy_arns: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    transitive: list = field(default_factory=list)
    source_identity: str = ""
    external_id: str = ""
    duration: int = 0
    packed: int = 0
    caller: str = ""
    # Of S3 Express only: the one bucket, and the mode of CreateSession.
    bucket: str = ""
    mode: str = ""

    @property
    def is_session(self):
        return bool(self.token)

    def public(self):
        """For the record of a request: who it was, without secrets."""
        return {"arn": self.arn, "role": self.role, "name": self.name, "policy": self.policy, "tags": self.tags,
                "source_identity": self.source_identity, "access_key_id": self.access_key_id}


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.principals = {}
        self.offset = 0.0
        self.session_seconds = None  # sessions live this long, whatever was asked
        self.hash_bodies = True
        self.buckets = {}
        self.uploads = {}
        self.requests = []
        self._next = 0

    def now(self):
        return time.time() + self.offset

    def add_key(self, access_key_id, secret, account="111122223333", user="broker"):
        self.principals[access_key_id] = Principal(
            access_key_id, secret, account, "arn:aws:iam::%s:user/%s" % (account, user),
            "AIDA" + hashlib.sha256(user.encode()).hexdigest()[:16].upper())

    def sessions(self):
        with self.lock:
            return [dict(vars(p)) for p in self.principals.values() if p.is_session]

    def expire(self, access_key_id=None, base=False):
        with self.lock:
            for each in self.principals.values():
                if access_key_id in (None, each.access_key_id) and each.is_session != base:
                    each.expires = 0.0

    def record(self, entry):
        with self.lock:
            entry["seq"] = self._next
            self._next += 1
            self.requests.append(entry)

    def recorded(self, since=0):
        with self.lock:
            found = [r for r in self.requests if r["seq"] >= since]
        return "".join(json.dumps(r) + "\n" for r in found)

    def forget(self):
        with self.lock:
            self.requests.clear()
