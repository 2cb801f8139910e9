"""Audits: honest transcripts hold, every way to bend a result is proved, and chance catches as often as stated."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from blindscore.designs.design import Design
from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.encrypted_audited import EncryptedAudited
from blindscore_crypto.encrypted.parameters import RLWE
from blindscore_crypto.encrypted.parties.auditor import Auditor, Opened, caught
from blindscore_crypto.encrypted.results import RESULT_BYTES, Result, Transcript, left_out
from blindscore_crypto.encrypted.wire import reply_bytes
from tests.crypto.encrypted_world import World, random_bins, random_card
from tests.crypto.test_encrypted_design import make_people

CARD = random_card(np.random.default_rng(21), characteristics=8)
ROWS = random_bins(np.random.default_rng(22), CARD, 40)


def world_of(share: float = 1.0, **settings) -> World:
    return World.of(CARD, RLWE, "sign", share=share, rows=ROWS, limit=10**6, **settings)


def test_honest_results_hold_and_give_the_clear_score_and_decision():
    world = world_of()
    for i, row in enumerate(ROWS[:10]):
        wallet = world.play(who=f"p-{i + 1}")
        score = CARD.scores(row[None])[0]
        assert (wallet.score, wallet.decision) == (score, score >= 600)
    assert world.auditor.proofs == []
    read = {row["total"] for _, row in world.auditor.store.items("read")}
    assert read == set(CARD.totals(ROWS[:10]).tolist())


def test_a_wrong_seed_proves_nothing():
    world = world_of()
    transcript = world.play().transcript
    seed = world.lender.way.seed(transcript.application)
    assert world.auditor.holds(transcript, seed)
    with pytest.raises(ForgeryError, match="signed another"):
        world.auditor.holds(transcript, bytes(32))


def test_the_chance_of_being_caught_grows_with_every_bent_score():
    assert caught(0.1, 1) == pytest.approx(0.1)
    assert caught(0.1, 44) > 0.99
    assert caught(0.1, 0) == 0


def test_what_the_lender_did_not_sign_proves_nothing():
    world = world_of()
    transcript, other = world.play().transcript, world.play().transcript
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
        with pytest.raises(ForgeryError, match="refused"):
            world.auditor.holds(forged, bytes(32))
    with pytest.raises(ForgeryError, match="signature"):
        Result.read(transcript, RLWE, world_of().terms.signs)


def test_a_transcript_comes_back_from_its_bytes():
    transcript = world_of().play().transcript
    assert Transcript.decode(transcript.encode(), RLWE) == transcript
    for wrong in (transcript.encode()[:-1], transcript.encode() + b"\0", b"", None):
        with pytest.raises(ForgeryError, match="bytes are needed"):
            Transcript.decode(wrong, RLWE)


def test_a_commitment_binds_card_and_threshold():
    world = world_of()
    way, other = world.lender.way, random_card(np.random.default_rng(1), characteristics=8)
    rest = (world.terms.commitment, "the lender", world.terms.signs, [world.bank.public], RLWE, 0.1)
    for opened in (Opened(other, 600, way.salt), Opened(CARD, 601, way.salt), Opened(CARD, 600, bytes(32))):
        with pytest.raises(CardError, match="committed"):
            Auditor("auditor", opened, *rest, world.auditor.store)
    assert Auditor("auditor", Opened(CARD, 600, way.salt), *rest, world.auditor.store)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ParameterError, match="audited share"):
        world_of(share)
    with pytest.raises(ParameterError, match="audited share"):
        EncryptedAudited(share=share)
    with pytest.raises(ParameterError, match="sample"):
        EncryptedAudited(sample=0)


def test_selection_follows_the_share_and_hangs_on_a_secret():
    results = [os.urandom(RESULT_BYTES) for _ in range(2000)]
    one, two = world_of(0.2).auditor, world_of(0.2).auditor
    picks = [[a.selects(r) for r in results] for a in (one, two)]
    assert abs(np.mean(picks[0]) - 0.2) < 0.05
    assert picks[0] != picks[1]
    assert picks[0] == [one.selects(r) for r in results]


def test_the_design_runs_for_real_and_states_its_share():
    design = EncryptedAudited(sample=6, share=0.25)
    assert isinstance(design, Design)
    run = design.run(make_people(), Scorecard(), np.random.default_rng(3))
    assert run.real_runs == run.real_agree == 6
    assert run.audit_share == 0.25
    assert set(run.views) == {"scorer", "lender", "source", "auditor"}
    assert all(view.basis == "observed" for view in run.views.values())
    assert run.views["lender"].values == ["total"]


def test_the_auditor_holds_no_key_and_reads_totals_alone():
    world = world_of()
    world.play()
    assert world.auditor.store.specs["read"].fields[0].name == "total"
    assert not any("key" in name for name in vars(world.auditor) if name != "_key")
    assert world.auditor._key == world.terms.signs  # the lender's public one


def test_a_nonce_that_returns_on_a_later_day_meets_fresh_masks():
    """A wallet may ask its bank twice under one nonce; with one mask for both, the difference would tell the card."""
    world = world_of()
    wallet = world.wallet()
    opened = []
    for _ in range(2):
        answer = world.answer(world.application(wallet))
        opened.append(wallet.open(answer)[-64 - 16 : -64])
        world.clock.advance(5 * 86_400)
        world.lender.store.sweep(30_000)
    assert opened[0] != opened[1]  # same person, same total: only the masks differ


def test_the_log_shows_what_is_left_out_changed_or_put_elsewhere():
    world = world_of()
    wallets = [world.play() for _ in range(4)]
    receipts = [wallet.receipt for wallet in wallets]
    entries = world.lender.way.entries(world.lender)
    assert left_out(entries, receipts) == []
    for bent in (entries[:-1], entries[::-1], [*entries[:2], bytes(32), entries[3]], []):
        assert left_out(bent, receipts)
    assert left_out([*entries, bytes(32)], receipts) == []  # more may come later


def test_a_reply_without_a_receipt_for_it_is_not_opened():
    world = world_of()
    one, two = world.wallet(), world.wallet()
    first, second = (world.answer(world.application(wallet)) for wallet in (one, two))
    length = reply_bytes(RLWE)
    with pytest.raises(ForgeryError, match="other messages"):
        one.open(first[:length] + second[length:])
    with pytest.raises(ForgeryError, match="bytes"):
        one.open(first[:length])
    assert one.open(first)
