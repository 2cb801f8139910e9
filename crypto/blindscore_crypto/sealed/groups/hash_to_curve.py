"""Hash to P-256 and P-384: turn a label into a point whose discrete logarithm nobody knows.

Source: RFC 9380, suites P256_XMD:SHA-256_SSWU_RO_ and P384_XMD:SHA-384_SSWU_RO_ (sections 5.2, 5.3.1, 6.6.2, 8.2 and
8.3); the first is checked against the RFC's vectors, the second through those of RFC 9497 and RFC 9578. Who sees what:
inputs here are public labels. Variable time: never hash a secret with it where timing can be seen. Assumption: SHA-256
and SHA-384 behave like random oracles.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from blindscore.errors import ParameterError

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


@dataclass(frozen=True)
class Curve:
    """y^2 = x^3 - 3 x + b over GF(p), p = 3 mod 4, and how to hash to it."""

    p: int
    b: int
    z: int
    field_bytes: int  # L: 128 bits more than p has, so that reduction leaves a bias under 2^-128
    hash_name: str


P256_CURVE = Curve(P, B, P - 10, 48, "sha256")
_P384 = (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1
P384_CURVE = Curve(
    _P384,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    _P384 - 12,
    72,
    "sha384",
)


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


def hash_to_field(message: bytes, dst: bytes, count: int, curve: Curve = P256_CURVE) -> list[int]:
    """Return `count` elements of GF(p) (RFC 9380, section 5.2, m = 1)."""
    size = curve.field_bytes
    uniform = expand_message_xmd(message, dst, count * size, hash_name=curve.hash_name)
    return [int.from_bytes(uniform[i * size : (i + 1) * size], "big") % curve.p for i in range(count)]


def map_to_curve(u: int, curve: Curve = P256_CURVE) -> tuple[int, int]:
    """Simplified SWU map from GF(p) to the curve (RFC 9380, section 6.6.2)."""
    p, b, z = curve.p, curve.b, curve.z
    a = p - 3
    tv = (z * z * pow(u, 4, p) + z * u * u) % p
    x = (-b * pow(a, -1, p) * (1 + pow(tv, -1, p))) % p if tv else (b * pow(z * a, -1, p)) % p
    gx = (x * x * x + a * x + b) % p
    if pow(gx, (p - 1) // 2, p) > 1:  # not a square: take the other candidate, which then is one
        x = z * u * u * x % p
        gx = (x * x * x + a * x + b) % p
    y = pow(gx, (p + 1) // 4, p)  # p = 3 mod 4
    return x, (p - y if (u - y) % 2 else y)  # sgn0(u) == sgn0(y)
