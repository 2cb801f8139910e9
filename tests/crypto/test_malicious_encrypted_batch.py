"""Batch: a bank that encrypts falsely, with the key, against the portfolio's engine: what ten of its blocks tell."""

from __future__ import annotations

import os

import numpy as np
import pytest

from blindscore.errors import CardError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.batch import portfolio, rlwe
from blindscore_crypto.encrypted.batch import seal as batch_seal
from blindscore_crypto.encrypted.ring.placement import pack, unpack

POINTS = np.random.default_rng(94).integers(-40, 41, 94)  # what it is after
CANDIDATES = np.arange(-40, 41)
OPEN_ONCE = 0.127  # of a step, when a block's reply dropped eight of 32 bits and q was 2^32


def read_by_false_blocks(blocks: int) -> int:
    """Play a bank that sends malformed blocks to the real engine; return how many points it has for certain.

    Under a secret of zero and an encryption of zero without noise, any word may stand in a column: an answer lies
    within the flood's width of point times word, modulo the step that the mask hides. Each value of a point under
    which it would not is ruled out.
    """
    rng, width = np.random.default_rng(6), rlwe.flood_width(POINTS)
    at = np.arange(rlwe.PEOPLE)
    which = at % len(POINTS)  # the column that place i asks about
    left = np.ones((len(POINTS), len(CANDIDATES)), bool)
    for _ in range(blocks):
        moved = rng.integers(0, 2**rlwe.LOG2_Q, rlwe.PEOPLE)
        body = np.zeros((len(POINTS) + 1, rlwe.PEOPLE), np.int64)
        body[which, at] = moved
        reply = rlwe.evaluate_block(os.urandom(32) + pack(body, rlwe.WORD), POINTS, rlwe.fresh_masks())
        top = unpack(reply[: rlwe.reply_bytes() // 2], rlwe.WORD)
        away = (top[:, None] - moved[:, None] * CANDIDATES) % rlwe.DELTA
        fits = np.minimum(away, rlwe.DELTA - away) <= width
        for point in range(len(POINTS)):
            left[point] &= fits[which == point].all(axis=0)
    certain = left.sum(axis=1) == 1
    return int((CANDIDATES[left.argmax(axis=1)] == POINTS)[certain].sum())


def test_ten_malformed_blocks_gave_a_whole_card_where_an_eighth_of_a_step_was_open(monkeypatch):
    """The control, as the portfolio stood: the whole card, and no score was read."""
    monkeypatch.setattr(rlwe, "flood_width", lambda weights: int((1 - OPEN_ONCE) * rlwe.DELTA / 2))
    assert read_by_false_blocks(10) == len(POINTS)


def test_ten_malformed_blocks_give_no_point_today():
    assert rlwe.uncovered(POINTS) < 1e-6
    assert read_by_false_blocks(10) == 0


@pytest.mark.parametrize("engine", [rlwe, batch_seal], ids=["rlwe", "seal"])
def test_what_false_encryption_tells_in_all_that_one_source_is_answered_is_bounded(engine):
    people = engine.of_source(POINTS)
    assert people >= 10**6  # no portfolio of a bank is refused
    assert -people * np.log2(1 - engine.uncovered(POINTS)) <= 20.001 < len(POINTS) * np.log2(len(CANDIDATES)) / 25


def test_a_source_is_answered_so_many_blocks_under_a_card_and_no_more(tmp_path, monkeypatch):
    import pandas as pd

    card = Card((Characteristic("income", (-25, 10, 40, -10), (1.5, 3.0)),), base=560)
    blank, key = portfolio.without_points(card), bytes(32)
    pd.DataFrame({"income": np.linspace(0, 5, 2 * rlwe.PEOPLE + 1)}).to_parquet(tmp_path / "people")
    assert portfolio.encrypt_file(tmp_path / "people", blank, key, tmp_path / "blocks") == 2 * rlwe.PEOPLE + 1
    monkeypatch.setattr(portfolio, "of_source", lambda weights: 3 * rlwe.PEOPLE)
    asked = tmp_path / "blocks", card, tmp_path / "replies", tmp_path / "masks"
    assert portfolio.evaluate_file(*asked) == 2 * rlwe.PEOPLE + 1  # three blocks, the last with one person
    (tmp_path / "replies").unlink()
    with pytest.raises(CardError, match="one source gets 3 blocks answered under a card"):
        portfolio.evaluate_file(*asked, already=1)
    assert not (tmp_path / "replies").exists()
