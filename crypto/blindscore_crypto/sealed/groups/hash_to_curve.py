"""Hash to P-256: turn a label into a point whose discrete logarithm nobody knows.

Source: RFC 9380, suite P256_XMD:SHA-256_SSWU_RO_ (sections 5.2, 5.3.1, 6.6.2 and 8.2), checked against its vectors.
Who sees what: inputs here are public labels. Variable time: never hash a secret with it where timing can be seen.
Assumption: SHA-256 behaves like a random oracle.
"""

from __future__ import annotations

import hashlib

from blindscore.errors import ParameterError

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
A = P - 3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Z = P - 10
FIELD_BYTES = 48  # L of RFC 9380: 256 bits and 128 more, so that reduction leaves a bias under 2^-128


def expand_message_xmd(message: bytes, dst: bytes, length: int, *, hash_name: str = "sha256") -> bytes:
    """Return `length` uniform bytes from `message` under the domain `dst` (RFC 9380, section 5.3.1).

    Raises
    ------
    ParameterError
        `length` exceeds 255 hash blocks or 65535 bytes.
    """
    out_bytes = hashlib.new(hash_name).digest_size
    block_bytes = hashlib.new(hash_name).block_size
    blocks = -(-length // out_bytes)
    if blocks > 255 or length > 65535:
        raise ParameterError(f"expand_message_xmd gives at most {255 * out_bytes} bytes, {length} were asked for")
    if len(dst) > 255:  # section 5.3.3
        dst = hashlib.new(hash_name, b"H2C-OVERSIZE-DST-" + dst).digest()
    suffix = dst + bytes([len(dst)])
    b0 = hashlib.new(hash_name, bytes(block_bytes) + message + length.to_bytes(2, "big") + b"\0" + suffix).digest()
    block = hashlib.new(hash_name, b0 + b"\x01" + suffix).digest()
    out = block
    for i in range(2, blocks + 1):
        mixed = bytes(x ^ y for x, y in zip(b0, block, strict=True))
        block = hashlib.new(hash_name, mixed + bytes([i]) + suffix).digest()
        out += block
    return out[:length]


def hash_to_field(message: bytes, dst: bytes, count: int) -> list[int]:
    """Return `count` elements of GF(p) (RFC 9380, section 5.2, m = 1)."""
    uniform = expand_message_xmd(message, dst, count * FIELD_BYTES)
    return [int.from_bytes(uniform[i * FIELD_BYTES : (i + 1) * FIELD_BYTES], "big") % P for i in range(count)]


def map_to_curve(u: int) -> tuple[int, int]:
    """Simplified SWU map from GF(p) to the curve (RFC 9380, section 6.6.2)."""
    tv = (Z * Z * pow(u, 4, P) + Z * u * u) % P
    x = (-B * pow(A, -1, P) * (1 + pow(tv, -1, P))) % P if tv else (B * pow(Z * A, -1, P)) % P
    gx = (x * x * x + A * x + B) % P
    if pow(gx, (P - 1) // 2, P) > 1:  # not a square: take the other candidate, which then is one
        x = Z * u * u * x % P
        gx = (x * x * x + A * x + B) % P
    y = pow(gx, (P + 1) // 4, P)  # p = 3 mod 4
    return x, (P - y if (u - y) % 2 else y)  # sgn0(u) == sgn0(y)
