"""Applicants that cheat, each beside its accepted twin: layouts, parameters, openings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import ForgeryError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parameters import DEFAULT
from blindscore_crypto.encrypted.wire import CODE_AT, Ask, Opening
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import WHO, World, random_bins, random_card

CARD = random_card(np.random.default_rng(11), characteristics=10)
ROW = random_bins(np.random.default_rng(12), CARD, 1)[0]
TOTAL = CARD.totals(ROW[None])[0]


@pytest.fixture
def world():
    made = World.of(CARD)
    made.holds(ROW)
    return made


def ask_with(world, wallet, **change):
    return replace(Ask.decode(wallet.ask()), **change).encode()


def test_a_layout_of_other_widths_does_not_reach_the_lenders_bins(world):
    """The ones would land in better bins: the source computes the fingerprint from edges that it bins by itself."""
    wallet = world.wallet()
    moved = list(CARD.characteristics)
    moved[0] = Characteristic(moved[0].feature, (0, 0, 0), (-9e9,))
    better = Layout(tuple(moved))
    forged = wallet.apply(world.bank.attest(ask_with(world, wallet, layout=better), WHO))
    with pytest.raises(ForgeryError, match="another scorecard layout"):
        world.answer(forged)
    assert world.score(ROW).total == TOTAL


def test_an_ask_carries_neither_widths_nor_a_fingerprint():
    """So that there is nothing to forge: both follow from the edges, at the source."""
    world = World.of(CARD)
    wallet = world.wallet()
    assert world.terms.layout.fingerprint not in wallet.ask()
    assert wallet.ask().endswith(world.terms.layout.encode())


@pytest.mark.parametrize("code", [0, 6, 9, 255])
def test_parameters_of_ones_own_making_are_not_signed(world, code):
    ask = bytearray(world.wallet().ask())
    ask[CODE_AT] = code
    with pytest.raises(ForgeryError, match="parameter set refused"):
        world.bank.attest(bytes(ask), WHO)
    ask[CODE_AT] = DEFAULT.code
    assert world.bank.attest(bytes(ask), WHO)


@pytest.mark.parametrize("cut", [0, 11, 12, 100, -1])
def test_a_cut_ask_is_refused(world, cut):
    ask = world.wallet().ask()
    with pytest.raises(ForgeryError, match="refused"):
        world.bank.attest(ask[:cut], WHO)


def test_an_ask_with_one_receiver_of_keys_is_refused(world):
    with pytest.raises(ForgeryError, match="one receiver"):
        world.bank.attest(ask_with(world, world.wallet(), lender_box=b"\1" * 32), WHO)


@pytest.mark.parametrize("value", range(4))
def test_a_lie_about_one_value_is_caught_and_ends_the_application(world, value):
    wallet, honest = world.wallet(), world.wallet()
    truth = wallet.open(world.answer(world.application(wallet)))
    opened = Opening.read(truth, DEFAULT)
    values = opened.values.copy()
    values[value] = (values[value] + 1) % DEFAULT.t
    lie = replace(opened, values=values).sign(DEFAULT, wallet._signer)
    with pytest.raises(ForgeryError, match="not what the reply contained"):
        world.conclude(lie)
    with pytest.raises(ForgeryError, match="waits"):  # one attempt each: the truth afterwards comes too late
        world.conclude(truth)
    assert world.conclude(honest.open(world.answer(world.application(honest)))).total == TOTAL


def test_somebody_else_cannot_open_or_spoil_an_application(world):
    wallet, other = world.wallet(), world.wallet()
    truth = wallet.open(world.answer(world.application(wallet)))
    stranger = Opening.read(truth, DEFAULT).sign(DEFAULT, SigningKey())
    with pytest.raises(ForgeryError, match="waits"):  # another key is another nonce
        world.conclude(stranger)
    spoilt = bytearray(truth)
    spoilt[HEADER_BYTES + 70] ^= 1
    with pytest.raises(ForgeryError, match="signature"):
        world.conclude(bytes(spoilt))
    other_opening = other.open(world.answer(world.application(other)))
    swapped = replace(Opening.read(truth, DEFAULT), values=Opening.read(other_opening, DEFAULT).values)
    assert world.conclude(truth).total == TOTAL  # neither attempt has used it up
    with pytest.raises(ForgeryError, match="waits"):
        world.conclude(swapped.sign(DEFAULT, wallet._signer))


def test_values_out_of_range_are_refused(world):
    wallet = world.wallet()
    opened = Opening.read(wallet.open(world.answer(world.application(wallet))), DEFAULT)
    wrong = replace(opened, values=np.full(4, DEFAULT.t)).sign(DEFAULT, wallet._signer)
    with pytest.raises(ForgeryError, match="range"):
        world.conclude(wrong)
    assert world.conclude(opened.sign(DEFAULT, wallet._signer)).total == TOTAL


def test_a_card_that_reads_bins_passes_under_an_honest_layout():
    """Not caught, and said so: points of a positional system under the very same layout read every bin of a person."""
    honest = Card(tuple(Characteristic(f"f{j}", (1, 2, 3, 0), (0.0, 1.0)) for j in range(6)), 600)
    reading = Card(
        tuple(
            Characteristic(c.feature, tuple(4**j * b for b in range(4)), c.edges)
            for j, c in enumerate(honest.characteristics)
        ),
        600,
    )
    assert Layout.of(reading).fingerprint == Layout.of(honest).fingerprint
    row = np.array([3, 0, 2, 1, 1, 2])
    total = World.of(reading).score(row).total - 600
    assert [total // 4**j % 4 for j in range(6)] == row.tolist()
