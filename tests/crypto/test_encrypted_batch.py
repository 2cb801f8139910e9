"""Batch: totals of whole blocks against the clear card, exact at the edges, refused when they cannot be."""

from __future__ import annotations

import os

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.encrypted.batch import rlwe as batch
from blindscore_crypto.encrypted.batch import seal as batch_seal
from blindscore_crypto.encrypted.batch.rlwe import _weighted
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import random_bins, random_card

KEY = os.urandom(32)


@pytest.fixture(params=[batch, batch_seal], ids=["rlwe", "seal"])
def engine(request):
    return request.param


def test_totals_of_a_portfolio_agree_with_the_clear_card(engine):
    rng = np.random.default_rng(0)
    card = random_card(rng, characteristics=6, bins=5)
    layout, points, n = Layout.of(card), Points.of(card), 1500
    bins = random_bins(rng, card, n)
    columns = np.zeros((layout.size, n), np.int64)
    for i, row in enumerate(bins):
        columns[layout.ones(row), i] = 1
    masks = engine.fresh_masks()
    reply = engine.evaluate_block(engine.encrypt_block(KEY, columns), points.weights, masks)
    masked = engine.open_block(KEY, reply)
    totals = points.offset + points.low + (masked - masks - points.low)[:n] % engine.T
    assert (totals == card.totals(bins)).all()


def test_every_one_of_many_blocks_is_exact(engine):
    rng = np.random.default_rng(1)
    for _ in range(20):
        columns, weights = rng.integers(0, 8, (24, engine.PEOPLE)), rng.integers(-60, 61, 24)
        opened = engine.open_block(
            KEY, engine.evaluate_block(engine.encrypt_block(KEY, columns), weights, np.zeros(engine.PEOPLE, np.int64))
        )
        assert (opened == weights @ columns % engine.T).all()


def test_sizes_depend_on_the_number_of_columns_alone(engine):
    few = engine.encrypt_block(KEY, np.ones((3, 5), np.int64))
    many = engine.encrypt_block(KEY, np.zeros((3, engine.PEOPLE), np.int64))
    assert len(few) == len(many) == engine.block_bytes(3)
    assert len(engine.evaluate_block(few, np.zeros(3, np.int64), engine.fresh_masks())) == engine.reply_bytes()
    assert (engine.block_bytes(24) + engine.reply_bytes()) / engine.PEOPLE < {batch: 165, batch_seal: 190}[engine]


def test_masks_hide_totals(engine):
    columns, weights = np.ones((2, engine.PEOPLE), np.int64), np.array([7, -3])
    opened = engine.open_block(
        KEY, engine.evaluate_block(engine.encrypt_block(KEY, columns), weights, engine.fresh_masks())
    )
    assert len(np.unique(opened)) > 1000  # one total for everybody, yet nearly every value comes back
    assert abs(opened.mean() / engine.T - 0.5) < 0.04


def test_another_key_opens_nothing(engine):
    columns, weights = np.ones((2, 9), np.int64), np.array([7, -3])
    reply = engine.evaluate_block(engine.encrypt_block(KEY, columns), weights, np.zeros(engine.PEOPLE, np.int64))
    assert set(engine.open_block(KEY, reply)[:9]) == {4}
    assert set(engine.open_block(os.urandom(32), reply)[:9]) != {4}


def test_the_kernel_agrees_with_its_twin():
    rng = np.random.default_rng(2)
    columns = rng.integers(0, 2**64, (5, batch.PEOPLE), dtype=np.uint64)
    weights = rng.integers(0, 2**64, 5, dtype=np.uint64)
    exact = sum(int(w) * row.astype(object) for w, row in zip(weights, columns, strict=True)) % 2**64
    assert (_weighted(columns, weights) == exact.astype(np.uint64)).all()


def test_products_with_whole_words_are_exact_modulo_q():
    rng = np.random.default_rng(3)
    word, small = rng.integers(0, 2**63, batch.PEOPLE), rng.integers(-1, 2, batch.PEOPLE)
    got = batch._times(word, batch.transform(small, batch._TABLE))
    for at in (0, 1, 77, batch.PEOPLE - 1):
        signs = np.concatenate([small[at::-1], -small[:at:-1]]).astype(object)
        assert (int(got[at]) - int(signs @ word.astype(object))) % 2**batch.LOG2_Q == 0


def test_what_cannot_be_exact_or_is_malformed_is_refused(engine):
    block = engine.encrypt_block(KEY, np.ones((2, 4), np.int64))
    assert engine.evaluate_block(block, np.array([1, 2]), engine.fresh_masks())
    with pytest.raises(ForgeryError, match=f"batch block refused: {len(block) - 1} bytes, not {len(block)}"):
        engine.evaluate_block(block[:-1], np.array([1, 2]), engine.fresh_masks())
    with pytest.raises(ForgeryError, match=f"batch block refused: {len(block)} bytes, not"):
        engine.evaluate_block(block, np.array([1, 2, 3]), engine.fresh_masks())
    with pytest.raises(ForgeryError, match=r"batch reply refused: .* bytes, not"):
        engine.open_block(KEY, bytes(engine.reply_bytes() - 1))
    with pytest.raises(ParameterError, match="leave no room for an exact total"):
        engine.evaluate_block(block, np.array([2**30, 2**30]), engine.fresh_masks())
    for columns, said in (
        (np.ones(4, np.int64), r"got shape \(4,\)"),
        (np.ones((2, engine.PEOPLE + 1), np.int64), f"columns of 1 to {engine.PEOPLE} people"),
        (np.full((1, 1), engine.T), f"whole numbers from 0 to {engine.T - 1}"),
        (np.full((1, 1), -1), f"whole numbers from 0 to {engine.T - 1}"),
    ):
        with pytest.raises(DataError, match=said):
            engine.encrypt_block(KEY, columns)


def test_flooding_is_stated_and_falls_with_the_weights(engine):
    assert engine.flooding_bits(np.full(24, 10)) > engine.flooding_bits(np.full(24, 60)) > 20


def test_a_residue_beyond_its_prime_is_refused():
    block = batch_seal.encrypt_block(KEY, np.ones((2, 4), np.int64))
    with pytest.raises(ForgeryError, match="a residue is not below its prime"):
        batch_seal.evaluate_block(block[:-7] + b"\xff" * 7, np.array([1, 2]), batch_seal.fresh_masks())
    assert batch_seal.evaluate_block(block, np.array([1, 0]), batch_seal.fresh_masks())
