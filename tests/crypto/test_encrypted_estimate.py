"""The published limits, derived again; and that every set costs what its column promises."""

from __future__ import annotations

import math

import pytest

from blindscore_crypto.encrypted.estimate import primal
from blindscore_crypto.encrypted.parameters import (
    LOG2_Q_128,
    LOG2_Q_128_QUANTUM,
    SEAL_ERROR_VARIANCE,
    STANDARD_ERROR,
    TABLE,
)


def largest(degree: int, column: str, near: int) -> int:
    """The largest whole log2 q, around ``near``, at which the primal attack costs 128 bits."""
    return max(
        x for x in range(near - 3, near + 8) if getattr(primal(degree, x, STANDARD_ERROR, degree), column) >= 128
    )


@pytest.mark.parametrize("degree", [1024, 2048, 4096])
def test_the_quantum_column_comes_out_again(degree):
    assert 0 <= largest(degree, "quantum", LOG2_Q_128_QUANTUM[degree]) - LOG2_Q_128_QUANTUM[degree] <= 1


@pytest.mark.parametrize("degree", [1024, 2048, 4096])
def test_the_classical_column_is_stricter_than_the_primal_attack_by_at_most_three_bits_of_modulus(degree):
    """It counts attacks that are not counted here."""
    assert 0 <= largest(degree, "classical", LOG2_Q_128[degree]) - LOG2_Q_128[degree] <= 3


def test_both_columns_at_8192():
    for log2_q, least in ((LOG2_Q_128_QUANTUM[8192], "quantum"), (LOG2_Q_128[8192], "classical")):
        assert 128 <= getattr(primal(8192, log2_q, STANDARD_ERROR, 8192), least) < 132


@pytest.mark.parametrize("p", TABLE.values(), ids=lambda p: p.name)
def test_uploads_and_hidden_points_cost_128_bits_at_the_fullest_card(p):
    """The second is the interpolation that `capacity` rests on, held to a direct derivation."""
    log2_q, hidden = math.log2(p.q), p.degree - p.outputs * p.capacity
    upload = primal(p.degree, log2_q, math.sqrt(SEAL_ERROR_VARIANCE), p.degree)
    points = primal(hidden, log2_q, p.spread / math.sqrt(3), p.degree)
    assert getattr(upload, p.column) >= 128
    assert getattr(points, p.column) >= 128
    fewer = primal(int(0.93 * hidden), log2_q, p.spread / math.sqrt(3), p.degree)
    if p.capacity * p.outputs < 0.4 * p.degree:  # else the half that must stay hidden decides, not the attack
        assert getattr(fewer, p.column) < getattr(points, p.column) - 5


def test_more_error_and_more_unknowns_cost_more_and_a_larger_modulus_less():
    base = primal(1024, 26, 3.2, 1024)
    assert primal(1024, 26, 6.4, 1024).quantum > base.quantum > primal(1024, 30, 3.2, 1024).quantum
    assert primal(1100, 26, 3.2, 1100).classical > base.classical
