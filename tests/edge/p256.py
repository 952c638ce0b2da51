"""ECDSA on the curve P-256 as SigV4a uses it: the key that belongs to an AWS secret, and the check of a signature.

Written from SigV4a's description and the textbook; slow (some 10 ms a signature), which is enough for a double.
"""

import functools
import hashlib
import hmac
import secrets

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def _add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(number, point):
    out = None
    while number:
        if number & 1:
            out = _add(out, point)
        point, number = _add(point, point), number >> 1
    return out


def private_key(access_key_id, secret):
    """The number that belongs to an AWS key, by a counter mode of HMAC (NIST SP 800-108)."""
    for counter in range(1, 255):
        text = (b"\0\0\0\1" + b"AWS4-ECDSA-P256-SHA256" + b"\0" + access_key_id.encode() + bytes([counter]) + (256).to_bytes(4, "big"))
        number = int.from_bytes(hmac.new(b"AWS4A" + secret.encode(), text, hashlib.sha256).digest(), "big")
        if number <= N - 2:
            return number + 1
    raise ValueError("no key")


@functools.lru_cache(maxsize=256)
def public_key(access_key_id, secret):
    return _times(private_key(access_key_id, secret), G)


def sign(number, text):
    """A signature as SEQUENCE of r and s; only for programs of the tests that stand for a client."""
    digest, nonce = int.from_bytes(hashlib.sha256(text).digest(), "big"), secrets.randbelow(N - 1) + 1
    r = _times(nonce, G)[0] % N
    s = pow(nonce, -1, N) * (digest + r * number) % N

    def integer(value):
        raw = value.to_bytes(value.bit_length() // 8 + 1, "big")  # a leading zero keeps it positive
        return bytes([2, len(raw)]) + raw

    both = integer(r) + integer(s)
    return bytes([0x30, len(both)]) + both


def _integer(der, at):
    if der[at] != 2 or der[at + 1] > 33:
        raise ValueError("not an integer")
    end = at + 2 + der[at + 1]
    return int.from_bytes(der[at + 2:end], "big"), end


def verify(key, text, der):
    """Whether `der` (SEQUENCE of r and s) is a signature of `text`."""
    try:
        if der[0] != 0x30 or der[1] != len(der) - 2:
            return False
        r, at = _integer(der, 2)
        s, at = _integer(der, at)
    except (IndexError, ValueError):
        return False
    if at != len(der) or not (0 < r < N and 0 < s < N):
        return False
    digest, inverse = int.from_bytes(hashlib.sha256(text).digest(), "big"), pow(s, -1, N)
    point = _add(_times(digest * inverse % N, G), _times(r * inverse % N, key))
    return point is not None and point[0] % N == r
