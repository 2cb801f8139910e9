"""The decision alone: comparison keys add up, every decision is the clear one, and nobody holds more than is said."""

from __future__ import annotations

import os
from itertools import product

import numpy as np
import pytest

from blindscore.designs.design import ONE_BIT, Design
from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.encrypted_decision import EncryptedDecision
from blindscore_crypto.encrypted.compare import dcf
from blindscore_crypto.encrypted.compare.deal import (
    HELPER,
    LENDER,
    HelpersHalf,
    LendersHalf,
    SealedKeys,
    deal,
    keys_bytes,
    seal,
    window,
)
from blindscore_crypto.encrypted.compare.exchange import frame_bytes
from blindscore_crypto.encrypted.compare.window import deal_window
from blindscore_crypto.encrypted.parameters import DEFAULT, WIDE
from tests.crypto.encrypted_world import World, random_bins, random_card
from tests.crypto.test_encrypted_design import make_people

CARD = random_card(np.random.default_rng(31), characteristics=8)
ROWS = random_bins(np.random.default_rng(32), CARD, 30)


@pytest.mark.parametrize("alpha", [0, 1, 7, 8, 15])
def test_two_keys_add_up_below_alpha_and_to_nothing_above(alpha):
    beta = int.from_bytes(os.urandom(8))
    keys = dcf.generate(4, alpha, beta)
    for x in range(16):
        added = sum(dcf.evaluate(party, keys[party], 4, x) for party in (0, 1)) % dcf.MODULUS
        assert added == (beta if x < alpha else 0)


def test_the_generator_is_chacha_with_keys_of_128_bits():
    """Block 0 of test case 1 of draft-strombergson-chacha-test-vectors-00: key and nonce zero, 20 rounds."""
    known = (
        "89670952608364fd00b2f90936f031c8e756e15dba04b8493d00429259b20f46"
        "cc04f111246b6c2ce066be3bfb32d9aa0fddfbc12123d4b9e44f34dca05a103f"
    )
    assert dcf.keystream(bytes(16), 0).astype("<u4").tobytes().hex() == known


@pytest.mark.parametrize("t", [13, 8191, 65521])
def test_a_window_is_where_it_begins_and_wraps_round(t):
    width = t // 4
    for begin in (0, 1, width, t - width, t - width + 1, t - 1):
        halves = deal_window(t, begin, 2**63 + 9)
        for m in {0, 1, width - 1, width, begin, begin - 1, begin + width - 1, begin + width, t - 1}:
            added = sum(half.share(t, width, m % t) for half in halves) % dcf.MODULUS
            assert added == (2**63 + 9 if (m - begin) % t < width else 0)


def test_a_key_of_another_length_is_not_read():
    key = dcf.generate(4, 3, 5)[0]
    for wrong in (key[:-1], key + b"\0", b""):
        with pytest.raises(ForgeryError, match="refused"):
            dcf.evaluate(0, wrong, 4, 3)


def test_keys_have_one_length_and_one_key_alone_is_unlike_from_run_to_run():
    keys = [dcf.generate(13, alpha, 5) for alpha in (0, 0, 4000, 8000)]
    assert {len(key) for pair in keys for key in pair} == {dcf.key_bytes(13)}
    outputs = [dcf.evaluate(0, pair[0], 13, 17) for pair in keys]
    assert len(set(outputs)) == len(outputs)


def test_no_bit_of_a_share_hangs_on_the_output():
    """The lowest bit above all: a share of 0 and a share of beta look alike to one party alone."""
    ones = np.zeros((2, 64))
    for below, _ in product((0, 1), range(400)):
        key = dcf.generate(3, 4, 1)[0]
        share = dcf.evaluate(0, key, 3, 3 if below else 4)
        ones[below] += [(share >> bit) & 1 for bit in range(64)]
    assert np.abs(ones / 400 - 0.5).max() < 0.15  # six standard deviations


@pytest.mark.parametrize("p", [DEFAULT, WIDE], ids=lambda p: p.name)
def test_a_deal_says_yes_in_its_window_and_nowhere_else(p):
    helper, lender = deal(p)
    begin = (helper.beta + lender.offset) % p.t
    edges = [0, 1, window(p) - 1, window(p), p.t - 1, p.t // 2, 77]
    for d in edges:
        m = (begin + d) % p.t
        added = (helper.share(p, m) + lender.share(p, m)) % dcf.MODULUS
        assert added == (lender.delta if d < window(p) else 0)


def test_halves_come_back_from_their_bytes_and_nothing_else_does():
    helper, lender = deal(DEFAULT)
    assert HelpersHalf.decode(DEFAULT, helper.encode()) == helper
    assert LendersHalf.decode(DEFAULT, lender.encode()) == lender
    for kind, half in ((HelpersHalf, helper), (LendersHalf, lender)):
        with pytest.raises(ForgeryError, match="bytes, not"):
            kind.decode(DEFAULT, half.encode()[:-1])
        with pytest.raises(ForgeryError, match="modulus"):
            kind.decode(DEFAULT, b"\xff\xff" + half.encode()[2:])
        assert str(half.window.gain) not in repr(half)


def test_keys_are_read_by_their_receiver_alone():
    signer, (secret, box) = SigningKey(), new_box()
    helper, _ = deal(DEFAULT)
    frame = seal(DEFAULT, helper, box, bytes(32), 7, signer)
    assert len(frame) == keys_bytes(DEFAULT, HELPER)
    sources = {signer.public.id: signer.public}
    read = SealedKeys.read(DEFAULT, frame, HELPER, sources)
    assert HelpersHalf.decode(DEFAULT, read.open(DEFAULT, secret)) == helper
    with pytest.raises(ForgeryError, match="not sealed to this receiver"):
        read.open(DEFAULT, new_box()[0])
    with pytest.raises(ForgeryError, match="other party"):
        SealedKeys.read(DEFAULT, frame, LENDER, sources)
    with pytest.raises(ForgeryError, match="source"):
        SealedKeys.read(DEFAULT, frame, HELPER, {})
    with pytest.raises(ForgeryError, match="X25519"):
        seal(DEFAULT, helper, bytes(32), bytes(32), 7, signer)


def test_every_decision_is_the_clear_one_at_threshold_and_beside_it():
    for row in ROWS[:6]:
        score = int(CARD.scores(row[None])[0])
        for threshold in (score - 1, score, score + 1):
            if not 350 < threshold <= 950:
                continue
            world = World.of(CARD, way="decision", threshold=threshold)
            world.holds(row)
            assert world.play().decision is (score >= threshold)


@pytest.mark.parametrize("threshold", [351, 950])
def test_where_all_or_none_pass_that_is_the_decision(threshold):
    card = Card((Characteristic("a", (0, 5), ()), Characteristic("b", (-5, 3), ())), 600)
    world = World.of(card, way="decision", threshold=threshold)
    for row in (np.array([0, 0]), np.array([1, 1])):
        world.holds(row)
        assert world.play().decision is (threshold == 351)


def test_a_card_with_more_totals_than_the_window_is_refused():
    wide = Card((Characteristic("a", (-1100, 1100), ()),), 600)
    with pytest.raises(ParameterError, match="a comparison under default takes 2048"):
        World.of(wide, way="decision")


def test_the_lender_writes_down_one_bit_and_the_helper_nothing():
    world = World.of(CARD, way="decision")
    world.holds(ROWS[0])
    world.play()
    told = [row["approved"] for _, row in world.lender.store.items("decisions")]
    assert told == [int(CARD.scores(ROWS[:1])[0] >= 600)]
    kinds = {field.kind for spec in world.helper.store.specs.values() for field in (spec.key, *spec.fields)}
    assert kinds == {"own"}
    assert "scores" not in world.lender.store.specs


def test_messages_between_the_servers_have_one_size():
    sizes = set()
    for row in ROWS[:4]:
        world = World.of(CARD, way="decision")
        world.holds(row)
        world.play()
        sizes.add(tuple(len(m.body) for _, m in world.sent))
    assert len(sizes) == 1
    from blindscore_crypto.channel.frames import Kind

    between = sum(frame_bytes(DEFAULT, k) for k in (Kind.CHECK, Kind.COMMITMENT, Kind.TELLING, Kind.SHARE))
    assert between < 700


@pytest.mark.parametrize("row", [0, 1])
def test_what_the_helper_sees_is_uniform_for_the_best_and_the_worst(row, monkeypatch):
    """The point at which the shares are compared, over many applications of one person."""
    world = World.of(Card((Characteristic("a", (-400, 400), ()),), 600), way="decision", limit=10**6)
    world.holds(np.array([row]))
    points, share = [], HelpersHalf.share
    monkeypatch.setattr(HelpersHalf, "share", lambda half, p, m: (points.append(m / p.t), share(half, p, m))[1])
    for _ in range(60):
        world.play()
    assert abs(np.mean(points) - 0.5) < 0.19  # five standard deviations of a uniform mean
    assert np.std(points) > 0.2


def test_the_design_runs_for_real_and_lets_the_lender_read_one_bit():
    design = EncryptedDecision(sample=6)
    assert isinstance(design, Design)
    assert ONE_BIT in design.enforces
    run = design.run(make_people(), Scorecard(), np.random.default_rng(3))
    assert run.real_runs == run.real_agree == 6
    assert run.views["lender"].values == ["approved"]
    assert run.views["helper"].values == []
    assert run.views["helper"].basis == "observed"
    assert set(run.costs.us_per_person) == {"wallet", "source", "lender", "helper"}
    assert run.costs.lines["source > wallet"] > 41_000 > run.costs.lines["helper > lender"]
