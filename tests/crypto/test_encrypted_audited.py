"""Audits: honest transcripts hold, every way to bend a score is proved, and chance catches as often as stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blindscore.designs.design import Design
from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.designs.encrypted_audited import EncryptedAudited
from blindscore_crypto.encrypted.audit import AuditedLender, Auditor, Opened, Transcript, audit, caught, read_result
from blindscore_crypto.encrypted.parameters import RLWE
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.protocol import Applicant, Source
from blindscore_crypto.encrypted.wire import NONCE_BYTES
from tests.crypto.encrypted_world import DAY, random_bins, random_card
from tests.crypto.test_encrypted_design import make_people

CARD = random_card(np.random.default_rng(21), characteristics=8)
ROWS = random_bins(np.random.default_rng(22), CARD, 400)
SOURCE = Source(limit=10**6)


def lender_of(kind: type[AuditedLender] = AuditedLender) -> AuditedLender:
    return kind("the lender", CARD, [SOURCE.public], RLWE, clock=lambda: DAY, limit=10**6)


def auditor_of(lender: AuditedLender, share: float = 1.0) -> Auditor:
    return Auditor(lender.open_card(), lender.commitment, lender.public, lender.parameters, share)


def play(lender: AuditedLender, row) -> Transcript:
    applicant = Applicant("the lender", lender.layout, lender.parameters)
    application = applicant.apply(SOURCE.attest(applicant.ask(), "p-1", row, DAY))
    reply = lender.answer(application)
    opening = applicant.open(reply)
    return Transcript(application, reply, opening, lender.sign(application, reply, opening))


class Shifts(AuditedLender):
    """Reads the true score and signs ten points less."""

    def _score(self, opening: bytes) -> int:
        return super()._score(opening) - 10


class OtherPoints(AuditedLender):
    """Answers with other points than it committed to: one bin is worth less."""

    def answer(self, application: bytes) -> bytes:
        honest = self._points
        self._points = replace(honest, weights=honest.weights - np.eye(1, len(honest.weights), dtype=np.int64)[0])
        try:
            return super().answer(application)
        finally:
            self._points = honest


class OtherCommitment(AuditedLender):
    """Signs under another commitment than the published one."""

    def sign(self, application: bytes, reply: bytes, opening: bytes) -> bytes:
        published, self.commitment = self.commitment, bytes(32)
        try:
            return super().sign(application, reply, opening)
        finally:
            self.commitment = published


def proof(lender: AuditedLender, transcript: Transcript) -> bool:
    return not auditor_of(lender).holds(transcript, lender.reveal(transcript.application))


def test_honest_transcripts_hold_and_give_the_clear_score():
    lender = lender_of()
    for row in ROWS[:20]:
        transcript = play(lender, row)
        assert not proof(lender, transcript)
        assert read_result(transcript, lender.parameters, lender.public).score == CARD.scores(row[None])[0]


@pytest.mark.parametrize("kind", [Shifts, OtherPoints, OtherCommitment])
def test_every_way_to_bend_a_score_is_proved(kind):
    bent, honest = lender_of(kind), lender_of()
    assert proof(bent, play(bent, ROWS[0]))
    assert not proof(honest, play(honest, ROWS[0]))


def test_a_wrong_seed_saves_nobody():
    lender = lender_of()
    transcript = play(lender, ROWS[0])
    assert auditor_of(lender).holds(transcript, lender.reveal(transcript.application))
    assert not auditor_of(lender).holds(transcript, bytes(32))


def test_chance_catches_a_shift_as_often_as_stated():
    """A lender that bends every score, audited at one in ten: proofs among 400 against the binomial."""
    lender, share = lender_of(Shifts), 0.1
    transcripts = [play(lender, row) for row in ROWS]
    proofs = len(audit(auditor_of(lender, share), lender, transcripts))
    spread = np.sqrt(len(ROWS) * share * (1 - share))
    assert abs(proofs - share * len(ROWS)) < 5 * spread
    honest = lender_of()
    assert audit(auditor_of(honest, 0.5), honest, [play(honest, row) for row in ROWS[:40]]) == []


def test_the_chance_of_being_caught_grows_with_every_bent_score():
    assert caught(0.1, 1) == pytest.approx(0.1)
    assert caught(0.1, 44) > 0.99
    assert caught(0.1, 0) == 0


def test_what_the_lender_did_not_sign_proves_nothing():
    lender = lender_of()
    transcript, other = play(lender, ROWS[0]), play(lender, ROWS[1])
    assert read_result(transcript, lender.parameters, lender.public)
    spoilt = bytearray(transcript.result)
    spoilt[20] ^= 1
    for forged in (
        replace(transcript, opening=other.opening),
        replace(transcript, reply=other.reply),
        replace(transcript, application=other.application),
        replace(transcript, result=other.result),
        replace(transcript, result=bytes(spoilt)),
        replace(transcript, result=transcript.result[:-1]),
    ):
        with pytest.raises(ForgeryError):
            auditor_of(lender).holds(forged, bytes(32))
    with pytest.raises(ForgeryError):
        read_result(transcript, lender.parameters, lender_of().public)


def test_a_commitment_binds():
    lender = lender_of()
    other = random_card(np.random.default_rng(1), characteristics=8)
    assert auditor_of(lender)
    for opened in (Opened(other, lender.open_card().salt), Opened(CARD, bytes(32))):
        with pytest.raises(CardError):
            Auditor(opened, lender.commitment, lender.public, lender.parameters, 0.1)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    lender = lender_of()
    with pytest.raises(ParameterError):
        auditor_of(lender, share)
    with pytest.raises(ParameterError):
        EncryptedAudited(share=share)
    with pytest.raises(ParameterError):
        EncryptedAudited(sample=0)


def test_selection_follows_the_share_and_hangs_on_a_secret():
    lender = lender_of()
    transcripts = [Transcript(i.to_bytes(4), b"", b"", b"") for i in range(2000)]
    one, two = auditor_of(lender, 0.2), auditor_of(lender, 0.2)
    picks = [[a.selects(t) for t in transcripts] for a in (one, two)]
    assert abs(np.mean(picks[0]) - 0.2) < 0.05
    assert picks[0] != picks[1]
    assert picks[0] == [one.selects(t) for t in transcripts]


def test_the_design_runs_for_real_and_states_its_share():
    design = EncryptedAudited(sample=6, share=0.25)
    assert isinstance(design, Design)
    run = design.run(make_people(), Scorecard(), np.random.default_rng(3))
    assert run.real_runs == run.real_agree == 6
    assert run.audit_share == 0.25
    assert set(run.costs.us_per_person) == {"applicant", "source", "lender", "auditor"}
    assert list(run.views["lender"].clear.columns) == ["score"]


def test_points_are_not_what_the_auditor_needs_to_read_bins():
    """The auditor holds no key: the two people below differ in every bin and it sees totals alone."""
    lender = lender_of()
    auditor = auditor_of(lender)
    for row in ROWS[:2]:
        transcript = play(lender, row)
        assert auditor.total(transcript, lender.reveal(transcript.application)) == CARD.totals(row[None])[0]
    assert not any("key" in name for name in vars(auditor))
    assert Points.of(CARD).span > 1


def test_a_nonce_that_returns_on_a_later_day_meets_fresh_masks():
    """A wallet may ask its bank twice under one nonce; with one mask for both, the difference would tell the card."""
    now = [DAY]
    lender = AuditedLender("the lender", CARD, [SOURCE.public], RLWE, clock=lambda: now[0])
    applicant = Applicant("the lender", lender.layout, RLWE)
    replies = []
    for _ in range(2):
        replies.append(lender.answer(applicant.apply(SOURCE.attest(applicant.ask(), "p-1", ROWS[0], now[0]))))
        now[0] += 5
    assert replies[0] != replies[1]
    opened = [applicant.open(reply)[HEADER_BYTES + NONCE_BYTES :] for reply in replies]
    assert opened[0] != opened[1]  # same person, same total: only the masks differ
