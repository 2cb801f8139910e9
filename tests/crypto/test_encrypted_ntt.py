"""The transform against the schoolbook product, with primes up to its limit."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.errors import ParameterError
from blindscore_crypto.encrypted.parameters import LEAN, RLWE
from blindscore_crypto.encrypted.ring.ntt import MAX_PRIME, back, multiply, reduced, tables, transform


def schoolbook(a, b, p):
    """Product modulo X^N + 1 and p, in whole numbers: the definition."""
    n, out = len(a), [0] * len(a)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            k = i + j
            out[k % n] += x * y if k < n else -x * y
    return [v % p for v in out]


@pytest.mark.parametrize("p", [*RLWE.primes, *LEAN.primes, 97], ids=str)
@pytest.mark.parametrize("degree", [2, 8, 16])
def test_the_transform_multiplies(p, degree):
    rng = np.random.default_rng(degree)
    table = tables(p, degree)
    for a, b in (
        (rng.integers(0, p, degree), rng.integers(-min(p, 5000) + 1, min(p, 5000), degree)),
        (np.full(degree, p - 1), np.full(degree, p - 1)),
        (np.zeros(degree, np.int64), rng.integers(0, p, degree)),
    ):
        assert (back(transform(a, table), table) == a).all()
        assert multiply(b, transform(a, table), table).tolist() == schoolbook(a.tolist(), b.tolist(), p)


def test_the_transform_multiplies_at_full_size():
    """One coefficient of a full-size product, and X^N = -1."""
    p, n = LEAN.primes[0], LEAN.degree
    table = tables(p, n)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, p, n), rng.integers(0, p, n)
    product = multiply(b, transform(a, table), table)
    last = sum(int(x) * int(y) for x, y in zip(a, b[::-1], strict=True)) % p
    assert product[-1] == last
    top = np.zeros(n, np.int64)
    top[-1] = 1
    one = np.zeros(n, np.int64)
    one[1] = 1
    assert multiply(top, transform(one, table), table).tolist() == [p - 1] + [0] * (n - 1)


@pytest.mark.parametrize("prime", [9007198966198273, MAX_PRIME + 1, 101])
def test_a_prime_that_does_not_fit_is_refused(prime):
    assert tables(LEAN.primes[0], 16)
    with pytest.raises(ParameterError, match=f"prime {prime}: the transform needs one below"):
        tables(prime, 16)


def test_reduction_covers_its_whole_range():
    p = LEAN.primes[0]
    values = np.array([-p + 1, -1, 0, 1, p - 1, p, p + 1, 2 * p - 1])
    assert reduced(values, p).tolist() == (values % p).tolist()
