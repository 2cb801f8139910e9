"""The hint: exact, 3.5 KB, refuses what does not fit; and what its thin flood costs, by an attack."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.parameters import SEAL_ERROR_VARIANCE, TAIL, hidden_needed
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.research.hint import HINTED, Lender, common, encrypt, fresh_mask, open_answer
from blindscore_crypto.encrypted.ring.kernels import bits_packed, bits_unpacked
from blindscore_crypto.encrypted.ring.ntt import back, multiply, transform
from blindscore_crypto.encrypted.ring.sampling import expand, ternary
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import random_bins, random_card

P = HINTED


def opened(lender: Lender, points: Points, layout: Layout, epoch: int, row) -> int:
    """One application's total, through bytes."""
    key, mask = os.urandom(32), fresh_mask(P)
    upload = encrypt(P, common(P, layout, epoch), key, layout.ones(row))
    answer = lender.answer(upload, mask)
    assert (len(upload), len(answer), len(lender.hint)) == (3456, 4, 2688)
    masked = open_answer(P, key, lender.hint, answer)
    return points.offset + points.low + (masked - mask - points.low) % P.t


def test_agrees_with_the_clear_scorecard():
    rng = np.random.default_rng(1)
    for epoch in range(250):
        card = random_card(rng, int(rng.integers(1, 25)), largest=40)
        points, layout = Points.of(card), Layout.of(card)
        lender, bins = Lender(P, points, layout, epoch), random_bins(rng, card, 8)
        assert [opened(lender, points, layout, epoch, row) for row in bins] == card.totals(bins).tolist()


def test_a_card_at_its_ends_is_exact():
    """Every characteristic at its best, then at its worst, with as many totals as the set can tell apart."""
    card = Card(tuple(Characteristic(f"f{j}", (-43, 44, 0), (0.0,)) for j in range(24)), 600)
    points, layout = Points.of(card), Layout.of(card)
    assert points.span == 2089 <= P.t
    lender = Lender(P, points, layout, 1)
    for choice in (0, 1, 2):
        row = np.full(24, choice)
        assert {opened(lender, points, layout, 1, row) for _ in range(20)} == {int(card.totals(row[None])[0])}


def test_the_noise_keeps_to_its_bound():
    """Measured with the key over replies: within what the bound counts with, and no idle bound."""
    card = random_card(np.random.default_rng(2), 24, largest=40)
    points, layout = Points.of(card), Layout.of(card)
    lender, a = Lender(P, points, layout, 3), common(P, layout, 3)
    row = random_bins(np.random.default_rng(3), card, 1)[0]
    total, away = int(points.weights[layout.ones(row)].sum()), []
    published = bits_unpacked(np.frombuffer(lender.hint, np.uint8), P.bits - P.dropped, P.degree) << P.dropped
    for _ in range(300):
        key = os.urandom(32)
        answer = int.from_bytes(lender.answer(encrypt(P, a, key, layout.ones(row)), 0), "little")
        secret = ternary(P.degree, expand(key, b"hint secret"))
        phase = answer + int((published + 2 ** (P.dropped - 1)) @ secret[::-1]) - total * ((P.prime - 1) // P.t)
        away.append((phase + P.prime // 2) % P.prime - P.prime // 2)
    assert max(map(abs, away)) < P.prime / (2 * P.t)
    assert 0.7 < np.std(away) * TAIL / (P.prime / (2 * P.t)) < 1.1  # the flood fills the room, and no more


def test_security_is_asserted_for_set_and_card():
    with pytest.raises(ParameterError):
        replace(P, prime=268_521_473)  # 28 bits
    with pytest.raises(ParameterError):
        replace(P, t=2111)
    many = Card(tuple(Characteristic(f"f{j}", (0, 1), ()) for j in range(90)), 0)
    with pytest.raises(CardError):
        Lender(P, Points.of(many), Layout.of(many), 1)  # 180 bins leave too few coefficients to hide them
    steep = Card((Characteristic("a", (-1000, 1000)),), 0)
    with pytest.raises(CardError):
        Lender(P, Points.of(steep), Layout.of(steep), 1)
    card = random_card(np.random.default_rng(4), 24, largest=40)
    lender = Lender(P, Points.of(card), Layout.of(card), 1)
    hidden = P.degree - len(Points.of(card).weights)
    assert hidden >= hidden_needed(P.degree, P.prime, lender._error_left())


def test_hostile_bytes_are_refused_and_replies_are_bounded():
    card = random_card(np.random.default_rng(5), 6, largest=40)
    points, layout = Points.of(card), Layout.of(card)
    lender = Lender(replace(P, replies=2), points, layout, 1)
    key, row = os.urandom(32), random_bins(np.random.default_rng(6), card, 1)[0]
    upload = encrypt(P, common(P, layout, 1), key, layout.ones(row))
    for bad in (upload[:-1], upload + b"\0", b"\xff" * len(upload), b""):
        with pytest.raises(ForgeryError):
            lender.answer(bad, 0)
    answer = lender.answer(upload, 0)
    for hint, sent in ((lender.hint[1:], answer), (lender.hint, answer + b"\0"), (lender.hint, b"\xff" * 4)):
        with pytest.raises(ForgeryError):
            open_answer(P, key, hint, sent)
    lender.answer(upload, 0)
    with pytest.raises(ParameterError):
        lender.answer(upload, 0)


def test_the_hint_gives_no_point_away_and_one_without_error_gives_all():
    """Division by a, which everybody knows: all points from ``a W``, none from what is published."""
    card = random_card(np.random.default_rng(7), 20, largest=40)
    points, layout = Points.of(card), Layout.of(card)
    lender, table = Lender(P, points, layout, 1), P.tables
    a = common(P, layout, 1)
    inverse = np.array([pow(int(v), -1, P.prime) for v in a])
    D = len(points.weights)

    def divided(polynomial) -> np.ndarray:
        quotient = transform(polynomial, table).astype(object) * inverse % P.prime
        centred = back(quotient.astype(np.int64), table)
        return np.where(centred > P.prime // 2, centred - P.prime, centred)[-D:][::-1]

    naive = multiply(lender._backwards[::-1].copy(), a, table)
    assert (divided(naive) == points.weights).all()
    published = bits_unpacked(np.frombuffer(lender.hint, np.uint8), P.bits - P.dropped, P.degree) << P.dropped
    assert (divided(published) == points.weights).sum() <= 3


def test_how_many_pooled_replies_give_the_points_away():
    """The best linear attack by key holders who pool what they know: their own e, and each answer's ``e . W + flood``.

    Given to the attacker besides: the hint's part of the noise, and the blinding u. A thousand replies, an epoch,
    take about a third off its error of 23 points; some millions would give nearly every point.
    """
    rng = np.random.default_rng(8)
    card = random_card(rng, 24, largest=40)
    points = Points.of(card)
    lender = Lender(P, points, Layout.of(card), 1)
    D, weights = len(points.weights), points.weights
    e = rng.binomial(42, 0.5, (2000, D)) - 21.0
    spread = np.sqrt(lender._flood_variance)

    def error(replies: int) -> tuple[float, float]:
        """Deviation of the attacker's guess, and share of points that it finds; replies beyond 2,000 as less flood."""
        rows, less = (replies, 1.0) if replies <= 2000 else (2000, np.sqrt(2000 / replies))
        seen = e[:rows] @ weights + rng.normal(0, spread * less, rows)
        ridge = (spread * less) ** 2 / weights.var() * np.eye(D)
        guess = np.linalg.solve(e[:rows].T @ e[:rows] + ridge, e[:rows].T @ seen)
        return float((guess - weights).std()), float((np.rint(guess) == weights).mean())

    prior = float(weights.std())
    assert error(30)[0] > 0.9 * prior
    assert 0.5 * prior < error(P.replies)[0] < prior
    assert error(P.replies)[1] < 0.15
    assert error(4_000_000)[1] > 0.7
    assert P.replies * lender.leak_bits < 0.2 * D * np.log2(81)  # what the capacity bound allows of what points hold
    assert np.isclose(lender.leak_bits, 0.5 * np.log2(1 + SEAL_ERROR_VARIANCE * (weights**2).sum() / spread**2))


def test_flooding_is_stated_as_none():
    card = random_card(np.random.default_rng(9), 24, largest=40)
    assert Lender(P, Points.of(card), Layout.of(card), 1).flooding_bits == 0.0


def test_epochs_and_layouts_have_polynomials_of_their_own():
    card, other = (random_card(np.random.default_rng(seed), 3) for seed in (10, 11))
    one, two = Layout.of(card), Layout.of(other)
    assert (common(P, one, 1) == common(P, one, 1)).all()
    assert (common(P, one, 1) != common(P, one, 2)).mean() > 0.99
    assert (common(P, one, 1) != common(P, two, 1)).mean() > 0.99


@pytest.mark.parametrize("width", [21, 27, 48])
def test_bits_return_what_went_in(width):
    values = np.random.default_rng(width).integers(0, 2**width, 64)
    raw = bits_packed(values, width)
    assert raw.size == 8 * width
    assert (bits_unpacked(raw, width, 64) == values).all()
