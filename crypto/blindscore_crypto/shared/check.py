"""Check: what lender and helper compute and hold against each other, once both halves of an application are there.

::

    lender                                                helper
      MASKED     delta = w - b  ------------------------->
      chi as dealt?    <-----  CHALLENGE  chi, rho, its opened sums
      PROOF      G, its opened sums, total and defect --->  points enrolled? shares dealt and valid?
                       <-----  TOKEN      its total and defect, its share of the token at total + r
      shares dealt and valid? token one of the two?

What each opens is a linear function of rows that the source dealt and tagged; in place of its tags it sends their
digest, which the other computes from its own key and pads. So a change passes with probability t^-3, whatever the bins
are: a refusal tells nothing of the person. Each message is computed from what stands in the store, and once.
"""

from __future__ import annotations

import hmac

import numpy as np

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.encrypted.compare.dcf import MODULUS
from blindscore_crypto.shared.deal import HelpersHalf, LendersHalf, challenge, chi_hash, token_hash
from blindscore_crypto.shared.field import DEGREE, Numbers, T, cubic, digest, dot, encode, expand
from blindscore_crypto.shared.points import CardKey, Enrolled
from blindscore_crypto.shared.rows import Shape, tags_of
from blindscore_crypto.shared.wire import Challenge, Masked, Proof, TokenShare


def weights(shape: Shape, rho: bytes) -> Numbers:
    """Return the weights of the one-hot check, (m, 3), that grow from the helper's seed."""
    return expand(rho, b"rho", DEGREE * shape.indicators).reshape(-1, DEGREE)


def _told(nonce: bytes, who: bytes, *tags: Numbers) -> bytes:
    return digest(b"tags/" + who, nonce, *(encode(tag) for tag in tags))


def _require(kind: Kind, sent: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(sent, expected):
        raise refuse(kind, "what it opens is not what the source dealt")


def helpers_opening(half: HelpersHalf, nonce: bytes, rho: bytes) -> Challenge:
    """Return the helper's challenge, with its part of the sums under the weights that grow from ``rho``."""
    shape, r = half.shape, weights(half.shape, rho)
    opened = shape.masked(r, half.rows)
    tags = _told(nonce, b"helper opens", shape.masked(r, half.tags))
    return Challenge(nonce, half.chi, rho, opened, tags)


def lenders_proof(half: LendersHalf, enrolled: Enrolled, delta: Numbers, asked: Challenge) -> Proof:
    """Return the lender's proof.

    Raises
    ------
    ForgeryError
        The helper opened other shares than it was dealt, or shows other weights.
    """
    shape, grown, r = half.shape, half.grown, weights(half.shape, asked.rho)
    if chi_hash(asked.nonce, asked.chi) != half.chi:
        raise refuse(Kind.CHALLENGE, "its weights are not those that the source dealt")
    expected = tags_of(grown.key, asked.opened, shape.masked(r, grown.pads))
    _require(Kind.CHALLENGE, asked.tags, _told(asked.nonce, b"helper opens", expected))
    points = enrolled.proof(challenge(shape, asked.chi), half.point_tag)
    opened, total, defect = _opened(shape, r, delta, asked.opened, grown.rows)
    tags = _told(
        asked.nonce,
        b"lender",
        shape.masked(r, half.tags),
        shape.total(delta[1:], half.tags),
        shape.defect(r, (asked.opened + opened) % T, half.tags),
    )
    return Proof(asked.nonce, points, opened, total[:1], defect, tags)


def _opened(
    shape: Shape, r: Numbers, delta: Numbers, others: Numbers, rows: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    opened = shape.masked(r, rows)
    return opened, shape.total(delta[1:], rows), shape.defect(r, (opened + others) % T, rows)


def check_proof(half: HelpersHalf, card: CardKey, masked: Masked, rho: bytes, proof: Proof) -> Numbers:
    """Return the opened sums, (d, 3), if the lender's proof holds.

    Raises
    ------
    ForgeryError
        Its points are not the enrolled ones, it opened other shares than it was dealt, or both servers' shares do not
        stand for at most one one a characteristic.
    """
    shape, grown, r, delta = half.shape, half.grown, weights(half.shape, rho), masked.delta
    if (card.expects(challenge(shape, half.chi), delta, grown.point_pad) != proof.points).any():
        raise refuse(Kind.PROOF, "its points are not the enrolled card's")
    own = shape.masked(r, half.rows)
    opened = (own + proof.opened) % T
    expected = (
        tags_of(grown.key, proof.opened, shape.masked(r, grown.pads)),
        tags_of(grown.key, cubic(proof.total)[0], shape.total(delta[1:], grown.pads)),
        tags_of(grown.key, proof.defect, shape.defect(r, opened, grown.pads)),
    )
    _require(Kind.PROOF, proof.tags, _told(masked.nonce, b"lender", *expected))
    require_valid(opened, proof.defect, shape.defect(r, opened, half.rows))
    return opened


def require_valid(opened: Numbers, lenders: Numbers, helpers: Numbers) -> None:
    """Return if the shares hold at most one one a characteristic.

    Raises
    ------
    ForgeryError
        They do not.
    """
    if ((dot(opened, opened) + lenders + helpers) % T).any():
        raise ForgeryError("shares refused: they are not those of one bin a characteristic; apply again")


def helpers_token(half: HelpersHalf, masked: Masked, rho: bytes, opened: Numbers, proof: Proof) -> TokenShare:
    """Return the helper's last word, for a proof that holds."""
    shape, r, delta = half.shape, weights(half.shape, rho), masked.delta
    total, defect = shape.total(delta[1:], half.rows), shape.defect(r, opened, half.rows)
    tags = _told(masked.nonce, b"helper", shape.total(delta[1:], half.tags), shape.defect(r, opened, half.tags))
    share = half.token_share(_point(proof.total, total[:1], delta))
    return TokenShare(masked.nonce, total[:1], defect, share, tags)


def lenders_decision(half: LendersHalf, delta: Numbers, asked: Challenge, last: TokenShare) -> tuple[bool, int]:
    """Return the decision, and the token that stands for it.

    Raises
    ------
    ForgeryError
        The helper opened other shares than it was dealt, they are not valid, or its share gives neither token.
    """
    shape, grown, r = half.shape, half.grown, weights(half.shape, asked.rho)
    own, total, defect = _opened(shape, r, delta, asked.opened, grown.rows)
    opened = (own + asked.opened) % T
    expected = (
        tags_of(grown.key, cubic(last.total)[0], shape.total(delta[1:], grown.pads)),
        tags_of(grown.key, last.defect, shape.defect(r, opened, grown.pads)),
    )
    _require(Kind.TOKEN, last.tags, _told(last.nonce, b"helper", *expected))
    require_valid(opened, defect, last.defect)
    token = (half.token_share(_point(total[:1], last.total, delta)) + last.token) % MODULUS
    found = token_hash(last.nonce, token)
    if found not in half.hashes:
        raise refuse(Kind.TOKEN, "it does not belong to the keys that the source dealt")
    return found == half.hashes[1], token


def _point(lenders: Numbers, helpers: Numbers, delta: Numbers) -> int:
    """Return total less threshold plus r, which hides both from either server."""
    return int(np.sum(lenders + helpers + delta[0]) % T)
