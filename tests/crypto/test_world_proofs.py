"""Proofs over credentials: good for one use, silent about what is not asked, and as good a crowd as their registry."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from blindscore.errors import ForgeryError
from blindscore.extras import missing
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.world import anoncreds, longfellow, mdoc
from blindscore_crypto.world.linking import linked

NONCE, THRESHOLD = b"n" * 16, 620


REFUSALS = "presentation refused: (the proof does not hold|it proves another predicate|it is no proof|not a proof of)"


def refused(checking, *uses):
    for presentation, nonce, audience in uses:
        with pytest.raises(ForgeryError, match=REFUSALS):
            checking.check(presentation, nonce, audience)


@pytest.fixture(scope="module")
def bureau():
    if missing("anoncreds"):
        pytest.skip("the extra anoncreds is not installed")
    return anoncreds.scheme(THRESHOLD)


@pytest.mark.parametrize("score", [619, 620])
def test_a_predicate_tells_the_side_of_the_threshold_and_not_the_score(bureau, score):
    holder = bureau.holding()
    shown = holder.present(bureau.issuing.issue(holder.ask(), {"score": score}), (), NONCE, "lender")
    assert bureau.checking.check(shown, NONCE, "lender") == {"approved": score >= THRESHOLD}
    assert f'"{score}"'.encode() not in shown
    other = bytes([1 - shown[0]]) + shown[1:]  # the same proof for the other side
    told, lie = (b'"GE"', b'"LT"') if score >= THRESHOLD else (b'"LT"', b'"GE"')
    assert told in shown
    refused(
        bureau.checking,
        (shown, b"m" * 16, "lender"),
        (shown, NONCE, "other"),
        (other, NONCE, "lender"),
        (other.replace(told, lie), NONCE, "lender"),
        (shown[:-9], NONCE, "lender"),
        (b"", NONCE, "lender"),
    )


def test_a_proof_for_another_threshold_is_refused(bureau):
    lower = replace(bureau.checking, threshold=300)
    holder = bureau.holding()
    holder.threshold = 300
    shown = holder.present(bureau.issuing.issue(holder.ask(), {"score": 400}), (), NONCE, "lender")
    assert lower.check(shown, NONCE, "lender") == {"approved": True}
    refused(bureau.checking, (shown, NONCE, "lender"))


def test_one_who_was_revoked_proves_nothing(bureau):
    holder = bureau.holding()
    credential = bureau.issuing.issue(holder.ask(), {"score": 700})
    before = holder.present(credential, (), NONCE, "lender")
    assert bureau.checking.check(before, NONCE, "lender")["approved"]
    bureau.issuing.revoke(bureau.issuing.issued % bureau.issuing.size)
    after = holder.present(credential, (), NONCE, "lender")
    refused(bureau.checking, (before, NONCE, "lender"), (after, NONCE, "lender"))


def test_a_registry_of_one_is_a_name_and_a_larger_one_is_a_crowd():
    if missing("anoncreds"):
        pytest.skip("the extra anoncreds is not installed")
    people = make_society(400, seed=7)
    alone = replace(anoncreds.Anoncreds.kept, linkable=True, scheme=partial(anoncreds.scheme, registry=1))
    (one,) = linked(alone, people, Scorecard(method="woe"), (1,), sample=2)
    (many,) = linked(anoncreds.Anoncreds.kept, people, Scorecard(method="woe"), (1,), sample=2)
    assert (one.lenders, one.issuer) == (1.0, 1.0)
    assert (many.lenders, many.issuer) == (0.0, 0.0)


def test_a_proof_over_an_ordinary_document_shows_nothing_of_it():
    if missing("longfellow"):
        pytest.skip("the extra longfellow is not installed")
    bureau, other = longfellow.scheme(), longfellow.scheme()
    holder = bureau.holding()
    document = bureau.issuing.issue(holder.ask(), {"approved": True, "hidden": 7})
    plain = mdoc.Holding(holder.device.key).present(document, ("approved",), NONCE, "lender")
    opened = mdoc.checking(bureau.issuing).check(plain, NONCE, "lender")
    assert opened["approved"] is True  # the same document, shown in the ordinary way
    shown = holder.present(document, (), NONCE, "lender")
    assert bureau.checking.check(shown, NONCE, "lender") == {"approved": True}
    assert holder.ask()[1:33] not in shown
    refused(
        bureau.checking,
        (shown, b"m" * 16, "lender"),
        (b"\x00" + shown[1:], NONCE, "lender"),
        (b"\x02" + shown[1:], NONCE, "lender"),
    )
    refused(other.checking, (shown, NONCE, "lender"))
