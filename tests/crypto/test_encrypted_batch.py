"""Batch: totals of whole blocks against the clear card, exact at the edges, refused when they cannot be."""

from __future__ import annotations

import os

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.encrypted.batch import (
    PEOPLE,
    T,
    _weighted,
    block_bytes,
    encrypt_block,
    evaluate_block,
    flooding_bits,
    fresh_masks,
    open_block,
    reply_bytes,
)
from blindscore_crypto.encrypted.layout import Layout, Points
from tests.crypto.encrypted_world import random_bins, random_card

KEY = os.urandom(32)


def test_totals_of_a_portfolio_agree_with_the_clear_card():
    rng = np.random.default_rng(0)
    card = random_card(rng, characteristics=6, bins=5)
    layout, points, n = Layout.of(card), Points.of(card), 1500
    bins = random_bins(rng, card, n)
    columns = np.zeros((layout.size, n), np.int64)
    for i, row in enumerate(bins):
        columns[layout.ones(row), i] = 1
    masks = fresh_masks()
    reply = evaluate_block(encrypt_block(KEY, columns), points.weights, masks)
    masked = open_block(KEY, reply)
    totals = points.offset + points.low + (masked - masks - points.low)[:n] % T
    assert (totals == card.totals(bins)).all()


def test_every_one_of_many_blocks_is_exact():
    rng = np.random.default_rng(1)
    for _ in range(20):
        columns, weights = rng.integers(0, 8, (24, PEOPLE)), rng.integers(-60, 61, 24)
        opened = open_block(KEY, evaluate_block(encrypt_block(KEY, columns), weights, np.zeros(PEOPLE, np.int64)))
        assert (opened == weights @ columns % T).all()


def test_sizes_depend_on_the_number_of_columns_alone():
    few = encrypt_block(KEY, np.ones((3, 5), np.int64))
    many = encrypt_block(KEY, np.zeros((3, PEOPLE), np.int64))
    assert len(few) == len(many) == block_bytes(3)
    assert len(evaluate_block(few, np.zeros(3, np.int64), fresh_masks())) == reply_bytes()
    assert (block_bytes(24) + reply_bytes()) / PEOPLE < 110


def test_masks_hide_totals():
    columns, weights = np.ones((2, PEOPLE), np.int64), np.array([7, -3])
    opened = open_block(KEY, evaluate_block(encrypt_block(KEY, columns), weights, fresh_masks()))
    assert len(np.unique(opened)) > 1000  # one total for everybody, yet nearly every value comes back
    assert abs(opened.mean() / T - 0.5) < 0.04


def test_another_key_opens_nothing():
    columns, weights = np.ones((2, 9), np.int64), np.array([7, -3])
    reply = evaluate_block(encrypt_block(KEY, columns), weights, np.zeros(PEOPLE, np.int64))
    assert set(open_block(KEY, reply)[:9]) == {4}
    assert set(open_block(os.urandom(32), reply)[:9]) != {4}


def test_the_kernel_agrees_with_its_twin():
    rng = np.random.default_rng(2)
    columns = rng.integers(0, 2**32, (5, PEOPLE), dtype=np.uint64).astype(np.uint32)
    weights = rng.integers(0, 2**32, 5, dtype=np.uint64).astype(np.uint32)
    exact = sum(int(w) * row.astype(object) for w, row in zip(weights, columns, strict=True)) % 2**32
    assert (_weighted(columns, weights) == exact.astype(np.uint32)).all()


def test_what_cannot_be_exact_or_is_malformed_is_refused():
    block = encrypt_block(KEY, np.ones((2, 4), np.int64))
    assert evaluate_block(block, np.array([1, 2]), fresh_masks())
    with pytest.raises(ForgeryError):
        evaluate_block(block[:-1], np.array([1, 2]), fresh_masks())
    with pytest.raises(ForgeryError):
        evaluate_block(block, np.array([1, 2, 3]), fresh_masks())
    with pytest.raises(ForgeryError):
        open_block(KEY, bytes(reply_bytes() - 1))
    with pytest.raises(ParameterError):
        evaluate_block(block, np.array([40_000, 40_000]), fresh_masks())
    for columns in (np.ones(4, np.int64), np.ones((2, PEOPLE + 1), np.int64), np.full((1, 1), T), np.full((1, 1), -1)):
        with pytest.raises(DataError):
            encrypt_block(KEY, columns)


def test_flooding_is_stated_and_falls_with_the_weights():
    assert flooding_bits(np.full(24, 10)) > flooding_bits(np.full(24, 60)) > 3
