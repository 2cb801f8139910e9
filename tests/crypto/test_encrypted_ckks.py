"""The CKKS demonstration: right to three decimals, within its error bound, its scale mended, nothing fine comes out."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from blindscore.errors import DataError
from blindscore_crypto.encrypted.research import ckks
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import random_bins, random_card


@pytest.fixture(scope="module")
def person():
    return ckks.Person()


@pytest.fixture(scope="module")
def public(person):
    return person.public()


def log_odds(card, bins) -> np.ndarray:
    return (card.scale.offset - card.totals(bins)) / card.scale.factor


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_are_those_of_the_clear_card(person, public, seed):
    rng = np.random.default_rng(seed)
    card = random_card(rng, characteristics=8)
    lender, layout, bins = ckks.Lender(card, public), Layout.of(card), random_bins(rng, card, 10)
    for row, logit in zip(bins, log_odds(card, bins), strict=True):
        told = person.open(lender.answer(person.ask(layout, row)))
        assert abs(told - 1 / (1 + np.exp(-logit))) <= 0.5 * 10**-ckks.DECIMALS + ckks.ERROR_BOUND / 4


def test_the_error_of_the_log_odds_keeps_to_its_bound(person, public):
    """Looked at past the interface: the bound that the rounding rests on."""
    import tenseal as ts

    rng = np.random.default_rng(5)
    card = random_card(rng, characteristics=24)
    lender, layout, bins = ckks.Lender(card, public), Layout.of(card), random_bins(rng, card, 20)
    away = []
    for row, logit in zip(bins, log_odds(card, bins), strict=True):
        reply = lender.answer(person.ask(layout, row))
        away.append(ts.ckks_vector_from(person._context, reply).decrypt()[0] - logit)
    assert np.abs(away).max() < ckks.ERROR_BOUND
    assert 10.0**-ckks.DECIMALS > 1000 * ckks.ERROR_BOUND


def test_the_drift_is_real_and_as_large_as_the_prime_says():
    """What would go unnoticed: each sum is off by scale over prime. At 26 bits that is eighty times the noise."""
    import tenseal as ts
    import tenseal.sealapi as seal

    assert 0 < abs(ckks.drift() - 1) < 1e-6
    primes, scale = [50, 26, 60], 2.0**26
    expected = scale / seal.CoeffModulus.Create(8192, primes)[1].value() - 1
    context = ts.context(ts.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=primes)
    context.global_scale = scale
    context.generate_galois_keys()
    opened = ts.ckks_vector(context, [1.0] * 8).dot([1.0] * 8).decrypt()[0]
    assert opened / 8 - 1 == pytest.approx(expected, rel=0.15)  # eleven deviations of the noise, measured on 60 keys
    assert expected > 9e-4


def test_no_exact_decryption_comes_out(person, public):
    card = random_card(np.random.default_rng(6), characteristics=4)
    lender, layout = ckks.Lender(card, public), Layout.of(card)
    row = random_bins(np.random.default_rng(7), card, 1)[0]
    told = {person.open(lender.answer(person.ask(layout, row))) for _ in range(8)}  # fresh noise each time
    assert len(told) == 1
    assert told == {round(next(iter(told)), ckks.DECIMALS)}
    shown = {name for name, _ in inspect.getmembers(ckks.Person, inspect.isfunction) if not name.startswith("_")}
    assert shown == {"public", "ask", "open"}


def test_the_lender_holds_no_secret_key(person, public):
    import tenseal as ts

    assert not ts.context_from(public).has_secret_key()
    with pytest.raises(DataError, match="a bin lies outside its characteristic"):
        person.ask(Layout.of(random_card(np.random.default_rng(8), 3)), np.array([99, 0, 0]))
