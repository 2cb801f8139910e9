"""Holder: the two numbers that stand for a person, and the nullifier that one lender sees once an epoch.

A person's *holder* number is derived from the legal id, so that every source derives the same one; legal ids can be
guessed, so it is never shown but inside commitments. The wallet's *secret* k is drawn by the wallet and known to nobody
else: a source signs it unseen, as the element K = k S with a proof of knowledge, and takes one K a customer and epoch.
Towards a lender, N = k H(lender's key, epoch): the same whenever one person comes back in one epoch, and unrelated
to K and to what another lender or epoch sees.

Who sees what: a source sees K, a lender sees N. Assumptions: discrete logarithms (nobody shows another's N), decisional
Diffie-Hellman (source and lender together do not find K in N), random oracle. Not protected: a person whom every
source lets change its secret within an epoch; who gives k away lets somebody else use up its place.
"""

from __future__ import annotations

import hashlib

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.sealed.groups.group import Group, Point, independent_bases
from blindscore_crypto.sealed.proofs import linear_proof
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term
from blindscore_crypto.sealed.wire import Reader, u32


def holder_scalar(group: Group, legal_id: str) -> int:
    """Return the number that stands for a person inside commitments; every source derives the same one."""
    digest = hashlib.sha512(b"blindscore/sealed/v1/holder" + legal_id.encode()).digest()
    return int.from_bytes(digest, "big") % group.order


def secret_base(group: Group) -> Point:
    """Return S, the base that carries a wallet's secret wherever it is signed."""
    return independent_bases(group, b"wallet secret", 1)[0]


def scope(group: Group, lender: VerifyingKey, epoch: int) -> Point:
    """Return H(lender, epoch): an element of unknown discrete logarithm."""
    message = lender.raw + u32("epoch", epoch)
    return group.hash_to_point(message, b"blindscore/sealed/v1/scope/" + group.name.encode())


def nullifier(group: Group, shown: Point) -> bytes:
    """Return the 32 bytes under which a lender notes an N."""
    return hashlib.sha256(b"blindscore/sealed/v1/holder-nullifier" + group.encode(shown)).digest()


def request_bytes(group: Group) -> int:
    """Bytes of a wallet's request to a source."""
    return group.point_bytes + LinearProof.size(group, 1, 1) + 2


def request(group: Group, secret: int, source: VerifyingKey, epoch: int, count: int) -> bytes:
    """Return what a wallet asks a source with: K, a proof that it knows k, and how many signatures it wants.

    The proof is for one source, epoch (its number) and count. A request that is late, and arrives when the source has
    passed to the next epoch, would else take the one place that its person has there, with a secret of the last one.
    """
    public = group.mul(secret, secret_base(group))
    proof = linear_proof.prove(group, [_known(group, public)], [secret], _context(group, source, epoch, count))
    return group.encode(public) + proof.encode(group) + count.to_bytes(2, "big")


def read_request(group: Group, data: bytes, source: VerifyingKey, epoch: int, most: int) -> tuple[Point, int]:
    """Return (K, count) of a wallet's request to this source in this epoch.

    Raises
    ------
    ForgeryError
        Malformed, more than `most` or none are asked for, or no proof that the asker knows k.
    """
    reader = Reader("request to a source", data)
    encoded, proof = reader.take(group.point_bytes), reader.take(LinearProof.size(group, 1, 1))
    count = reader.count(2, most)
    reader.end()
    if not count:
        raise ForgeryError("request to a source: it asks for nothing")
    public = group.decode(encoded)
    shown = LinearProof.decode(group, 1, 1, proof)
    if not linear_proof.verify(group, [_known(group, public)], 1, shown, _context(group, source, epoch, count)):
        raise ForgeryError("request to a source: no proof that the wallet knows its secret")
    return public, count


def _known(group: Group, public: Point) -> Equation:
    return Equation(public, (Term(secret_base(group), ((0, 1),)),))


def _context(group: Group, source: VerifyingKey, epoch: int, count: int) -> Transcript:
    transcript = Transcript(b"wallet secret", group)
    transcript.absorb(b"source", source.raw)
    transcript.absorb(b"epoch", u32("epoch", epoch))
    transcript.absorb(b"count", count.to_bytes(2, "big"))
    return transcript
