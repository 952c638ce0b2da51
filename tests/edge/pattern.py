"""The bytes of every large test object: one block of a prime length, repeated.

A test writes the pattern, the double checks it by hash without keeping it, and gives it back by computing it.
The prime length makes each part of a multipart upload different from its neighbours.

    python3 pattern.py LENGTH > file
"""

import functools
import hashlib
import random
import sys

PERIOD = 1_048_583
_BLOCK = random.Random(20261121).randbytes(PERIOD)
_TWICE = memoryview(_BLOCK + _BLOCK)


def views(offset, length):
    """Views of the pattern from `offset`, `length` bytes in all."""
    while length > 0:
        at = offset % PERIOD
        count = min(length, PERIOD)
        yield _TWICE[at : at + count]
        offset += count
        length -= count


@functools.lru_cache(maxsize=4096)
def sha256(offset, length):
    digest = hashlib.sha256()
    for view in views(offset, length):
        digest.update(view)
    return digest.hexdigest()


if __name__ == "__main__":
    for piece in views(0, int(sys.argv[1])):
        sys.stdout.buffer.write(piece)
