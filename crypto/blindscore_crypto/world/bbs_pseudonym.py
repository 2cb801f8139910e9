"""Pseudonyms by verifier, beside a BBS proof: one holder, one name at each verifier, and none that two verifiers share.

Source: draft-irtf-cfrg-bbs-per-verifier-linkability (a vector of one secret, as its fixtures in the tests) over
:mod:`blindscore_crypto.world.bbs_signature`. The holder commits to a secret and proves that it knows what it committed
to; the issuer adds a number of its own and signs unseen. To a verifier the holder shows ``point * secret``, the point
hashed from the verifier's context, and the proof's answer for the hidden secret proves this product too.

Assumptions: those of the signature, and Diffie-Hellman in G1 (decisional): pseudonyms of two contexts look unrelated.
Hidden: from the issuer the secret, from a verifier secret and commitment. Not hidden: that the same credential came
before, to the verifier of one context. Not protected: a holder who hands out its secret; verifiers who agree on one
context, which are then one verifier; whoever is issued two credentials has two pseudonyms.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world import bbs_signature
from blindscore_crypto.world.bbs_signature import ORDER, POINT, SCALAR, Beside, Interface, points_of, sum_of

NAME = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_PSEUDONYM_"
OWN = Interface(NAME, committed=2, told_first=True)  # the last two messages: what blinds the commitment, and the secret
SECRETS = (1).to_bytes(8, "big")  # how many secrets a credential has, behind the header
COMMITMENT = POINT + 3 * SCALAR  # bytes
MAX_CONTEXT = 1024  # bytes


def new_scalar() -> int:
    """Return a fresh scalar that is not nought."""
    return 1 + secrets.randbelow(ORDER - 1)


def commit(blind: int, own: int, randbelow: Callable[[int], int] = secrets.randbelow) -> bytes:
    """Return a commitment to the holder's secret and a proof that it is known, 144 bytes."""
    points = points_of(OWN.committed, OWN)[1:]
    point, masks = sum_of(points, [blind, own]), [1 + randbelow(ORDER - 1) for _ in range(2)]
    c = _committing(point, sum_of(points, masks))
    answers = [(mask + x * c) % ORDER for mask, x in zip(masks, (blind, own), strict=True)]
    return bytes(point.to_compressed_bytes()) + b"".join(x.to_bytes(SCALAR, "big") for x in (*answers, c))


def sign(
    secret: int, public: bytes, messages: Sequence[bytes], header: bytes, commitment: bytes, entropy: int
) -> bytes:
    """Return a signature, 80 bytes, over messages and, unseen, over the committed secret plus ``entropy``.

    Raises
    ------
    ForgeryError
        The commitment is none, or whoever sent it does not know what is in it.
    """
    if len(commitment) != COMMITMENT:
        raise ForgeryError(f"issuing refused: a commitment has {COMMITMENT} bytes")
    point, (blind_hat, own_hat, c) = _point(commitment[:POINT]), _scalars(commitment[POINT:])
    points = points_of(OWN.committed, OWN)[1:]
    if _committing(point, sum_of([*points, point], [blind_hat, own_hat, -c])) != c:
        raise ForgeryError("issuing refused: the sender does not know what it committed to")
    scalars = [bbs_signature.to_scalar(message, NAME) for message in messages]
    over = bbs_signature.committed(public, [*scalars, 0, entropy], header + SECRETS, OWN) + point
    if over == point - point:
        raise ForgeryError("issuing refused: nothing is left to sign")
    said = secret.to_bytes(SCALAR, "big") + bytes(over.to_compressed_bytes())
    e = bbs_signature.hash_to_scalar(said, b"H2S_", NAME)
    return bytes(sum_of([over], [pow(secret + e, -1, ORDER)]).to_compressed_bytes()) + e.to_bytes(SCALAR, "big")


def entropy_for(secret: int, commitment: bytes) -> int:
    """Return the issuer's part of the secret: the same for the same commitment, so that a new day keeps the names."""
    return bbs_signature.hash_to_scalar(secret.to_bytes(SCALAR, "big") + commitment[:POINT], b"ENTROPY_", NAME)


def pseudonym(context: bytes, own: int) -> bytes:
    """Return the one name of a secret in a context, 48 bytes."""
    return bytes(sum_of([_of(context)], [own]).to_compressed_bytes())


def prove(
    signature: bytes,
    public: bytes,
    messages: Sequence[bytes],
    own: tuple[int, int],
    header: bytes,
    use: bytes,
    opened: Sequence[int],
    context: bytes,
) -> bytes:
    """Return a pseudonym and a proof of a signature that opens some messages.

    Parameters
    ----------
    own
        What blinded the commitment; the whole secret, the issuer's part added.
    """
    name = pseudonym(context, own[1])
    whole: list[bytes | int] = [*messages, *own]
    return name + bbs_signature.prove(
        signature, public, whole, header + SECRETS, use, opened, interface=OWN, beside=_beside(name, context)
    )


def check(
    shown: bytes,
    public: bytes,
    told: Mapping[int, bytes],
    header: bytes,
    use: bytes,
    context: bytes,
    interface: Interface = OWN,
) -> bytes:
    """Return the pseudonym of whoever holds the signature, if a proof opens these messages in this context.

    Raises
    ------
    ForgeryError
        It does not, or is no proof.
    """
    name = shown[:POINT]
    bbs_signature.check(shown[POINT:], public, told, header + SECRETS, use, interface, _beside(name, context))
    return name


def _beside(name: bytes, context: bytes) -> Beside:
    """Return the proof that a pseudonym is the context's point times the last hidden message."""
    shown, point = _point(name), _of(context)

    def points(answer: int, c: int) -> tuple[Any, ...]:
        made = sum_of([point, shown], [answer, -c])
        if made == point - point:
            raise ForgeryError("proof refused: a pseudonym that proves nothing")
        return shown, made

    return Beside(points, context)


def _of(context: bytes) -> Any:
    """Return a context's point, of which nobody knows a relation to any other."""
    if not 0 < len(context) <= MAX_CONTEXT:
        raise ForgeryError(f"pseudonym refused: a context has 1 to {MAX_CONTEXT} bytes")
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point
    return G1Point.hash_to_curve(context, NAME)


def _point(data: bytes) -> Any:
    """Return a point of the group other than nought."""
    with needs("bbs"):
        from py_arkworks_bls12381 import G1Point
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise ForgeryError("pseudonym refused: no point of the group") from error
    if point == G1Point.identity():
        raise ForgeryError("pseudonym refused: no point of the group but nought")
    return point


def _scalars(data: bytes) -> list[int]:
    numbers = [int.from_bytes(data[i : i + SCALAR]) for i in range(0, len(data), SCALAR)]
    if not all(0 < x < ORDER for x in numbers):
        raise ForgeryError("issuing refused: a number out of range")
    return numbers


def _committing(point: Any, masked: Any) -> int:
    points = (*points_of(OWN.committed, OWN)[1:], point, masked)
    said = (OWN.committed - 1).to_bytes(8, "big") + b"".join(p.to_compressed_bytes() for p in points)
    return bbs_signature.hash_to_scalar(said, b"H2S_", NAME)
