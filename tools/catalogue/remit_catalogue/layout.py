"""The catalogue's file: a header, a directory of sections, flat tables of little-endian integers.

src/aws/catalogue_tables.h reads exactly this; docs/catalogue.md describes it. A string is one
u32: its offset in the pool (22 bits) and its length (10 bits); a list is (first, count) into a
section of u32. Nothing depends on the order in which Python happens to visit a dictionary.
"""

import hashlib
import struct

MAGIC = b"REMITCAT"
VERSION = 2

SECTIONS = ["strings", "services", "operations", "members", "routes", "segments", "literals",
            "actions", "resource_types", "condition_keys", "recipes", "bindings", "lists",
            "hosts", "regions", "partitions", "endpoints", "slots", "meta"]


class Strings:
    """Collects strings; each becomes a reference once the pool is laid out."""

    def __init__(self):
        self.wanted = {""}
        self.offsets = None

    def want(self, text):
        if len(text.encode()) > 1023:
            raise ValueError(f"string too long for the catalogue: {text[:60]}...")
        self.wanted.add(text)
        return text

    def lay_out(self):
        """A string that ends another one shares its bytes ('GetObject' in 's3:GetObject')."""
        pool = bytearray()
        self.offsets = {}
        previous, start = b"", 0
        for reverse in sorted((t.encode()[::-1] for t in self.wanted), reverse=True):
            text = reverse[::-1]
            if not previous.endswith(text):
                start = len(pool)
                pool += text
                previous = text
            self.offsets[text.decode()] = start + len(previous) - len(text)
        if len(pool) >= 1 << 22:
            raise ValueError("string pool beyond 4 MiB")
        return bytes(pool)

    def ref(self, text):
        return self.offsets[text] << 10 | len(text.encode())


class Lists:
    """Lists of u32, equal ones stored once."""

    def __init__(self):
        self.values = []
        self.seen = {}

    def add(self, values):
        key = tuple(values)
        if key not in self.seen:
            self.seen[key] = len(self.values)
            self.values.extend(key)
        return self.seen[key], len(key)


def fnv1a(key):
    value = 0x811C9DC5
    for byte in key:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def hash_slots(entries):
    """Open addressing, power of two, at most half full: slots of (key string, list first, count)."""
    size = 16
    while size < 2 * len(entries):
        size *= 2
    slots = [None] * size
    for key in sorted(entries):
        at = fnv1a(key.encode()) & (size - 1)
        while slots[at] is not None:
            at = (at + 1) & (size - 1)
        slots[at] = (key, *entries[key])
    return slots


def write(sections):
    """The whole file from {name: (record count, bytes)}."""
    header_size = 8 + 4 + 4 + 32 + len(SECTIONS) * 12
    body, directory, offset = bytearray(), bytearray(), header_size
    for name in SECTIONS:
        count, data = sections[name]
        directory += struct.pack("<III", offset, count, len(data))
        padded = data + bytes(-len(data) % 4)
        body += padded
        offset += len(padded)
    tail = bytes(directory) + bytes(body)
    return MAGIC + struct.pack("<II", VERSION, offset) + hashlib.sha256(tail).digest() + tail
