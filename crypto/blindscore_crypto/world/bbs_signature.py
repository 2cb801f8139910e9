"""BBS signatures: several messages under one short signature, and a proof of it that opens some and nothing else.

Source: draft-irtf-cfrg-bbs-signatures, suite BLS12-381 with SHA-256, interface ``H2G_HM2S_``, in the
version whose fixture the tests hold; curve and pairing by the
package py_arkworks_bls12381. Assumptions: q-strong Diffie-Hellman in the pairing groups, SHA-256 as a random oracle.
Hidden: signature and unopened messages. Not hidden: opened messages, their positions, how many there are, the header.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blindscore.errors import ForgeryError
from blindscore.extras import needs

API = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_"
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
BASE_G2 = (
    "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
)
POINT, SCALAR, WIDE = 48, 32, 48  # bytes: a point of G1, a scalar, what a scalar is reduced from
MAX_MESSAGES = 64


@dataclass(frozen=True)
class Interface:
    """One use of the suite, kept apart from every other by its name; some of its messages may be the holder's own."""

    name: bytes
    committed: int = 0  # the last messages, which the signer sees under a commitment only: over points of their own
    told_first: bool = False  # in a challenge opened messages stand before the points, as later drafts have it


PLAIN = Interface(API)


@dataclass(frozen=True)
class Beside:
    """What is proved of the last hidden message besides: its points for an answer and a challenge, and their use."""

    points: Callable[[int, int], tuple[Any, ...]]  # for whoever proves: of the mask and 0
    use: bytes


def _expand(message: bytes, tag: bytes) -> bytes:
    """Return 48 bytes: expand_message_xmd of RFC 9380, 5.3.1, with SHA-256."""
    tag += bytes([len(tag)])
    first = hashlib.sha256(bytes(64) + message + WIDE.to_bytes(2, "big") + b"\x00" + tag).digest()
    block = hashlib.sha256(first + b"\x01" + tag).digest()
    second = bytes(a ^ b for a, b in zip(first, block, strict=True))
    return (block + hashlib.sha256(second + b"\x02" + tag).digest())[:WIDE]


def hash_to_scalar(message: bytes, tag: bytes, name: bytes = API) -> int:
    """Return a scalar below the group's order."""
    return int.from_bytes(_expand(message, name + tag)) % ORDER


def to_scalar(message: bytes | int, name: bytes = API) -> int:
    """Return the scalar that stands for a message; a number stands for itself."""
    return message if isinstance(message, int) else hash_to_scalar(message, b"MAP_MSG_TO_SCALAR_AS_HASH_", name)


@functools.cache
def generators(count: int, seed: bytes = b"MESSAGE_GENERATOR_SEED", name: bytes = API) -> tuple[Any, ...]:
    """Return points that nobody knows a relation between."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point
    state, made = _expand(name + seed, name + b"SIG_GENERATOR_SEED_"), []
    for i in range(1, count + 1):
        state = _expand(state + i.to_bytes(8, "big"), name + b"SIG_GENERATOR_SEED_")
        made.append(G1Point.hash_to_curve(state, name + b"SIG_GENERATOR_DST_"))
    return tuple(made)


def points_of(count: int, interface: Interface) -> tuple[Any, ...]:
    """Return the domain's point and one for each of so many messages."""
    signed = generators(count + 1 - interface.committed, name=interface.name)
    return signed + generators(interface.committed, name=b"BLIND_" + interface.name)


@functools.cache
def _base() -> tuple[Any, Any]:
    """Return the fixed points of G1 and G2."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G2Point
    return generators(1, b"BP_MESSAGE_GENERATOR_SEED")[0], G2Point.from_compressed_bytes(bytes.fromhex(BASE_G2))


def sum_of(points: Sequence[Any], scalars: Sequence[int]) -> Any:
    """Return the sum of points, each times its scalar."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point, Scalar
    total = G1Point.identity()
    for point, scalar in zip(points, scalars, strict=True):
        total = total + point * Scalar(scalar % ORDER)
    return total


def new_key() -> tuple[int, bytes]:
    """Return a fresh secret key and its public key, 96 bytes."""
    with needs("bbs"):
        from py_arkworks_bls12381 import Scalar
    secret = 1 + secrets.randbelow(ORDER - 1)
    return secret, (_base()[1] * Scalar(secret)).to_compressed_bytes()


def domain(public: bytes, count: int, header: bytes, interface: Interface = PLAIN) -> int:
    """Return the scalar that stands for key, number of messages and header."""
    points = b"".join(point.to_compressed_bytes() for point in points_of(count, interface))
    said = public + count.to_bytes(8, "big") + points + interface.name + len(header).to_bytes(8, "big") + header
    return hash_to_scalar(said, b"H2S_", interface.name)


def committed(public: bytes, messages: Sequence[int], header: bytes, interface: Interface = PLAIN) -> Any:
    """Return the point that a signature is over."""
    scalars = [1, domain(public, len(messages), header, interface), *messages]
    return sum_of([_base()[0], *points_of(len(messages), interface)], scalars)


def sign(secret: int, public: bytes, messages: Sequence[bytes], header: bytes) -> bytes:
    """Return a signature, 80 bytes."""
    scalars = [to_scalar(message) for message in messages]
    said = [secret, *scalars, domain(public, len(messages), header)]
    blind = hash_to_scalar(b"".join(s.to_bytes(SCALAR, "big") for s in said), b"H2S_")
    point = sum_of([committed(public, scalars, header)], [pow(secret + blind, -1, ORDER)])
    return bytes(point.to_compressed_bytes()) + blind.to_bytes(SCALAR, "big")


def _paired(left: Any, public: Any, right: Any) -> bool:
    """Tell whether e(left, public) = e(right, base)."""
    with needs("bbs"):
        from py_arkworks_bls12381 import GT
    return bool(GT.pairing(left, public) == GT.pairing(right, _base()[1]))


def holds(
    signature: bytes, public: bytes, messages: Sequence[bytes | int], header: bytes, interface: Interface = PLAIN
) -> bool:
    """Tell whether a signature is good."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point, G2Point
    point, blind = G1Point.from_compressed_bytes(signature[:POINT]), int.from_bytes(signature[POINT:])
    over = committed(public, [to_scalar(message, interface.name) for message in messages], header, interface)
    return _paired(point, G2Point.from_compressed_bytes(public), over + sum_of([point], [-blind]))


def prove(
    signature: bytes,
    public: bytes,
    messages: Sequence[bytes | int],
    header: bytes,
    use: bytes,
    opened: Sequence[int],
    randbelow: Callable[[int], int] = secrets.randbelow,
    interface: Interface = PLAIN,
    beside: Beside | None = None,
) -> bytes:
    """Return a proof of a signature that opens the messages at some positions, good for one ``use``."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point
    scalars = [to_scalar(message, interface.name) for message in messages]
    hidden = [i for i in range(len(messages)) if i not in opened]
    a, e = G1Point.from_compressed_bytes(signature[:POINT]), int.from_bytes(signature[POINT:])
    r1, r2, e_mask, r1_mask, r3_mask, *masks = (1 + randbelow(ORDER - 1) for _ in range(5 + len(hidden)))
    d = sum_of([committed(public, scalars, header, interface)], [r2])
    a_bar = sum_of([a], [r1 * r2])
    b_bar = sum_of([d, a_bar], [r1, -e])
    t1 = sum_of([a_bar, d], [e_mask, r1_mask])
    points = points_of(len(messages), interface)
    t2 = sum_of([d, *(points[1 + i] for i in hidden)], [r3_mask, *masks])
    told = {i: scalars[i] for i in sorted(opened)}
    shown = (a_bar, b_bar, d, t1, t2, *(beside.points(masks[-1], 0) if beside else ()))
    said = _sized(use) + (_sized(beside.use) if beside else b"")
    c = _challenge(told, shown, domain(public, len(messages), header, interface), said, interface)
    r3 = pow(r2, -1, ORDER)
    answers = [e_mask + e * c, r1_mask - r1 * c, r3_mask - r3 * c]
    answers += [mask + scalars[i] * c for mask, i in zip(masks, hidden, strict=True)]
    numbers = b"".join((x % ORDER).to_bytes(SCALAR, "big") for x in (*answers, c))
    return b"".join(point.to_compressed_bytes() for point in (a_bar, b_bar, d)) + numbers


def check(
    proof: bytes,
    public: bytes,
    told: Mapping[int, bytes],
    header: bytes,
    use: bytes,
    interface: Interface = PLAIN,
    beside: Beside | None = None,
) -> None:
    """Return if a proof opens these messages, by position, under this key, header and use.

    Raises
    ------
    ForgeryError
        It does not, or is no proof.
    """
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point, G2Point
    rest = len(proof) - 3 * POINT - 4 * SCALAR
    if rest < 0 or rest % SCALAR or not interface.committed <= rest // SCALAR + len(told) <= MAX_MESSAGES:
        raise ForgeryError("proof refused: it is too short, too long, or cut")
    count = rest // SCALAR + len(told)
    if any(not 0 <= i < count for i in told) or (beside and count - 1 in told):
        raise ForgeryError("proof refused: it opens a message that is not there, or must stay hidden")
    try:
        a_bar, b_bar, d = (G1Point.from_compressed_bytes(proof[i * POINT : (i + 1) * POINT]) for i in range(3))
    except ValueError as error:
        raise ForgeryError("proof refused: no point of the group") from error
    numbers = [int.from_bytes(proof[i : i + SCALAR]) for i in range(3 * POINT, len(proof), SCALAR)]
    if G1Point.identity() in (a_bar, b_bar, d) or not all(0 < x < ORDER for x in numbers):
        raise ForgeryError("proof refused: a point or a number out of range")
    e_hat, r1_hat, r3_hat, *answers, c = numbers
    points, hidden = points_of(count, interface), [i for i in range(count) if i not in told]
    scalars = {i: to_scalar(message, interface.name) for i, message in sorted(told.items())}
    whole = domain(public, count, header, interface)
    t1 = sum_of([b_bar, a_bar, d], [c, e_hat, r1_hat])
    shown = sum_of([_base()[0], points[0], *(points[1 + i] for i in scalars)], [1, whole, *scalars.values()])
    t2 = sum_of([shown, d, *(points[1 + i] for i in hidden)], [c, r3_hat, *answers])
    made = (a_bar, b_bar, d, t1, t2, *(beside.points(answers[-1], c) if beside else ()))
    said = _sized(use) + (_sized(beside.use) if beside else b"")
    if _challenge(scalars, made, whole, said, interface) != c:
        raise ForgeryError("proof refused: not made for these messages and this use")
    if not _paired(a_bar, G2Point.from_compressed_bytes(public), b_bar):
        raise ForgeryError("proof refused: no signature of this issuer stands behind it")


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _challenge(told: Mapping[int, int], points: Sequence[Any], whole: int, use: bytes, interface: Interface) -> int:
    shown = b"".join(point.to_compressed_bytes() for point in points)
    count, places = len(told).to_bytes(8, "big"), [i.to_bytes(8, "big") for i in told]
    scalars = [scalar.to_bytes(SCALAR, "big") for scalar in told.values()]
    if interface.told_first:
        said = count + b"".join(i + scalar for i, scalar in zip(places, scalars, strict=True)) + shown
    else:
        said = shown + count + b"".join((*places, *scalars))
    return hash_to_scalar(said + whole.to_bytes(SCALAR, "big") + use, b"H2S_", interface.name)
