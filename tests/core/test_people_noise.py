"""Counter-based noise against its definition in plain integers, and against the distributions it claims."""

import math

import numpy as np
import pytest
from scipy import stats

from blindscore.people.counter_draws import DRAWS, bits, coin, count, labels, mix, normal, quantile, uniform

WORD = (1 << 64) - 1
GOLDEN, ODD = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03


def mix_naive(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & WORD
    return x ^ (x >> 31)


def bits_naive(seed: int, variable: int, draw: int, person: int) -> int:
    key = mix_naive((seed + GOLDEN * (variable * DRAWS + draw + 1)) & WORD)
    return mix_naive((key + ODD * (person + 1)) & WORD)


def count_naive(mean: float, u: float) -> int:
    k, total = 0, math.exp(-mean)
    while total < u and k < 200:
        k += 1
        total += math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1))
    return k


PLACES = [
    (seed, variable, draw, person)
    for seed in (0, 1, 2**63 - 1)
    for variable in (0, 910)
    for draw in (0, 63)
    for person in (0, 5, 4_999_999)
]


def test_the_mixer_gives_splitmix64s_published_first_words() -> None:
    # SplitMix64 seeded with 1234567: its first outputs, as commonly published with reference code.
    state, words = 1234567, []
    for _ in range(2):
        state = (state + GOLDEN) & WORD
        words.append(int(mix(np.uint64(state))))
    assert words == [6457827717110365317, 3203168211198807973]


@pytest.mark.parametrize("place", PLACES)
def test_bits_are_those_of_the_plain_twin(place: tuple[int, int, int, int]) -> None:
    assert int(bits(*place)) == bits_naive(*place)
    assert uniform(*place) == ((bits_naive(*place) >> 11) + 0.5) * 2.0**-53
    assert 0.0 < uniform(*place) < 1.0


def test_draws_differ_between_seeds_variables_draws_and_people() -> None:
    words = {int(bits(s, v, d, p)) for s in range(4) for v in range(8) for d in range(DRAWS) for p in range(8)}
    assert len(words) == 4 * 8 * DRAWS * 8


def test_the_quantile_agrees_with_scipy() -> None:
    p = np.concatenate([np.geomspace(1e-15, 0.5, 400), 1 - np.geomspace(1e-10, 0.5, 400)])
    np.testing.assert_allclose([quantile(x) for x in p], stats.norm.ppf(p), rtol=2e-9, atol=2e-9)


def test_uniform_and_normal_draws_have_their_distributions() -> None:
    n = 20_000
    assert stats.kstest([uniform(3, 7, 0, i) for i in range(n)], "uniform").pvalue > 0.001
    assert stats.kstest([normal(3, 7, 1, i) for i in range(n)], "norm").pvalue > 0.001


def test_neighbouring_draws_are_uncorrelated() -> None:
    table = np.array([[normal(3, v, d, i) for v in (7, 8) for d in (0, 1)] for i in range(20_000)])
    shifted = np.column_stack([table, np.roll(table[:, 0], 1)])
    off = np.corrcoef(shifted.T) - np.eye(5)
    assert np.abs(off).max() < 4.5 / math.sqrt(20_000)


@pytest.mark.parametrize("mean", [0.05, 1.0, 7.5, 39.9])
def test_counts_are_poisson_by_inversion(mean: float) -> None:
    for u in (1e-9, 0.1, 0.5, 0.9, 0.999):
        assert count(mean, u) == count_naive(mean, u)


def test_large_counts_have_the_mean_and_variance_of_poisson() -> None:
    draws = np.array([count(100.0, (k + 0.5) / 10_000) for k in range(10_000)])
    assert abs(draws.mean() - 100) < 0.5
    assert abs(draws.var() - 100) < 3


def test_labels_never_repeat_and_coins_are_fair() -> None:
    assert len(set(labels(1, 50_000).tolist())) == 50_000
    assert abs(coin(1, 720, 50_000).mean() - 0.5) < 0.01
