"""Lenders that cheat, each beside its honest twin: bent results, invented openings, other questions to the helper."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.compare.exchange import Check, Telling
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import RLWE
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.sign_score import SignScore
from blindscore_crypto.encrypted.results import Result, Transcript, commit, seed_commitment
from blindscore_crypto.encrypted.ring.sampling import expand
from blindscore_crypto.encrypted.wire import Opening, application_bytes
from tests.crypto.encrypted_world import World, random_bins, random_card

CARD = random_card(np.random.default_rng(21), characteristics=8)
ROWS = random_bins(np.random.default_rng(22), CARD, 40)


class Shifts(SignScore):
    """Reads the true score and signs ten points less."""

    def read(self, lender, opening):
        score, line = super().read(lender, opening)
        return score - 10, line


class OtherThreshold(SignScore):
    """Signs the true score and decides by another threshold than it committed to."""

    def commitment(self, lender):
        return commit(lender.scorer.card, 600, self.salt)

    def _sign(self, lender, frame):
        return super(OtherThreshold, replace(self, threshold=601))._sign(lender, frame)


class Invents(SignScore):
    """Knows its masks, so it writes an opening for any score that it likes, and signs that."""

    def _sign(self, lender, frame):
        p = lender.scorer.parameters
        sent = bytes(lender.store.get("sent", Opening.read(frame, p).nonce)["messages"])
        application, reply = sent[: application_bytes(p)], sent[application_bytes(p) :]
        seed = self.seed(application)
        mask = Mask.fresh(p.t, p.outputs, expand(seed, b"application"))
        points = lender.scorer.points
        values = (mask.factors * points.low + mask.shifts) % p.t
        opening = Opening(b"", values, hashlib.sha256(reply).digest()).sign(p, SigningKey())
        score = int(lender.scorer.card.clip(np.array([points.offset + points.low]))[0])
        honest = Opening.read(frame, p)
        transcript = Transcript(application, reply, opening, b"")
        result = Result(
            honest.nonce,
            score,
            self.threshold,
            False,
            self.commitment(lender),
            transcript.digest,
            seed_commitment(seed),
        ).sign(p, self.signer)
        transcript = replace(transcript, result=result)
        lender.store.put("signed", honest.nonce, {"transcript": transcript.encode()})
        return [Message("wallet", "result", result), Message(self.auditor, "result", result)]


class OtherPoints(BlindScorer):
    """Answers with other points than it committed to: one bin is worth less."""

    def answer(self, attested, draw):
        honest = self.points
        self.points = replace(honest, weights=honest.weights - np.eye(1, len(honest.weights), dtype=np.int64)[0])
        try:
            return super().answer(attested, draw)
        finally:
            self.points = honest


def world_of(**settings) -> World:
    return World.of(CARD, RLWE, "sign", rows=ROWS, limit=10**6, **settings)


@pytest.mark.parametrize(
    "cheat",
    [
        {"sign_class": Shifts},
        {"sign_class": OtherThreshold},
        {"sign_class": Invents},
        {"scorer_class": OtherPoints},
    ],
    ids=lambda cheat: next(iter(cheat.values())).__name__,
)
def test_every_bent_result_is_proved_when_all_are_picked_and_no_honest_one(cheat):
    bent, honest = world_of(**cheat), world_of()
    for i in range(len(ROWS)):
        bent.play(who=f"p-{i + 1}", forgiving=True)
        assert honest.play(who=f"p-{i + 1}").score is not None
    given = {bytes(row["transcript"]) for _, row in bent.lender.store.items("signed")}
    assert len(bent.auditor.proofs) == len(given) > 0
    if cheat != {"scorer_class": OtherPoints}:
        assert len(given) == len(ROWS)  # 40 of 40
    assert honest.auditor.proofs == []


def test_a_result_under_another_card_is_refused_by_the_wallet_itself():
    world = world_of()
    world.lender.way = replace(world.lender.way, salt=bytes(32))
    with pytest.raises(ForgeryError, match="under another card"):
        world.play()
    assert world_of().play().score is not None


def test_an_honest_lender_is_not_framed_by_what_a_caller_supplies():
    """It signs over what it stored itself, so whoever hands it other messages gets nothing signed over them."""
    world = world_of()
    wallet = world.play()
    for spoilt in (
        replace(wallet.transcript, reply=wallet.transcript.reply[:-1] + b"\0"),
        replace(wallet.transcript, application=bytes(len(wallet.transcript.application))),
    ):
        if spoilt == wallet.transcript:
            continue
        with pytest.raises(ForgeryError, match="other messages"):
            world.auditor.holds(spoilt, world.lender.way.seed(wallet.transcript.application))
    other = world.wallet()
    other.open(world.answer(world.application(other)))
    lie = Opening(b"", Opening.read(other._opening, RLWE).values, bytes(32)).sign(RLWE, other._signer)
    told = world.lender.handle(Message("the lender", "opening", lie, "wallet"))
    assert [m.kind for m in told] == ["refusal"]
    assert world.auditor.proofs == []


# -- the decision alone -----------------------------------------------------------------------------------------------


def deciding() -> World:
    world = World.of(CARD, way="decision", limit=10**6)
    world.holds(ROWS[0])
    return world


def test_ten_checks_for_one_application_are_answered_once():
    world = deciding()
    world.play()
    check = next(m for name, m in world.sent if m.kind == "check")
    telling = next(m for name, m in world.sent if m.kind == "telling")
    for message in [check, telling] * 5:
        again = world.helper.handle(replace(message, sender="the lender"))
        assert [m.kind for m in again] == ["refusal"]


def reframe(world, change):
    """Put a changed check or telling, signed by the lender itself, in the place of the honest one."""
    way, p = world.lender.way, world.lender.scorer.parameters

    def put(sender, message):
        if message.kind == "check" and "check" in change:
            read = Check.read(p, message.body, way.signer.public)
            return replace(message, body=change["check"](read, p).write(p, way.signer))
        if message.kind == "telling" and "telling" in change:
            read = Telling.read(p, message.body, way.signer.public)
            return replace(message, body=change["telling"](read, p).write(p, way.signer))
        return message

    return put


@pytest.mark.parametrize(
    "change",
    [
        {"telling": lambda t, p: replace(t, moved_bar=(t.moved_bar + 1) % p.t)},
        {"telling": lambda t, p: replace(t, factors=(t.factors[0] % (p.t - 1) + 1, *t.factors[1:]))},
        {"telling": lambda t, p: replace(t, differences=(0, *t.differences[1:]))},
        {"telling": lambda t, p: replace(t, kappa=(0, *t.kappa[1:]))},
        {"check": lambda c, p: replace(c, moved=((c.moved[0] + 1) % p.t, *c.moved[1:]))},
        {"check": lambda c, p: replace(c, telling=bytes(32))},
    ],
    ids=["threshold", "factors", "differences", "kappa", "moved", "commitment"],
)
def test_what_the_lender_tells_is_what_it_committed_to(change):
    world = deciding()
    honest = deciding().play()
    assert honest.decision is not None
    assert world.play(change=reframe(world, change)).decision is None
    assert world.lender.store.items("decisions") == []


def test_factors_that_would_show_another_function_of_the_bins_are_refused():
    """Committed and told alike, but not those under which the applicant's values stand for one number."""
    world = deciding()
    way, p = world.lender.way, world.lender.scorer.parameters
    told = {}
    make = type(way)._telling

    def other(self, lender, nonce, mask, half, salt):
        telling = make(self, lender, nonce, mask, half, salt)
        told[nonce] = replace(telling, differences=((telling.differences[0] + 1) % p.t, *telling.differences[1:]))
        return told[nonce]

    type(way)._telling = other
    try:
        assert world.play().decision is None
    finally:
        type(way)._telling = make
    assert told
    assert [m.kind for name, m in world.sent if name == "helper"] == ["commitment", "refusal"]


def test_another_threshold_for_one_person_shows_in_the_terms():
    world = deciding()
    world.play()
    world.lender.way = replace(world.lender.way, threshold=650)
    assert world.play().decision is None  # the helper holds the lender to the terms that it began with
    world.lender.way = replace(world.lender.way, threshold=600)
    assert world.play().decision is not None


def test_keys_for_a_box_that_the_lender_gave_out_serve_once():
    world = deciding()
    wallet = world.wallet()
    box = world.lender.handle(Message("the lender", "begin", b"", "wallet"))[0].body
    attested = world.bank.attest(wallet.ask(box), "p-1")
    assert world.answer(wallet.apply(attested))
    other = world.wallet()
    with pytest.raises(ForgeryError, match="box that this lender has given out"):
        world.answer(other.apply(world.bank.attest(other.ask(box), "p-1")))


def test_boxes_of_the_applicants_own_are_refused():
    """Else it would read the lender's keys, and total minus threshold together with the helper."""
    from blindscore_crypto.channel.hpke import new_box

    world = deciding()
    wallet = world.wallet()
    with pytest.raises(ForgeryError, match="box that this lender has given out"):
        world.answer(wallet.apply(world.bank.attest(wallet.ask(new_box()[1]), "p-1")))
    assert world.play().decision is not None
