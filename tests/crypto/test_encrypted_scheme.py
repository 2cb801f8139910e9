"""Engines: one contract for all, held against the clear scorecard over random cards and people."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
import tenseal.sealapi as seal
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import CardError, DataError, ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.engines.seal import engine
from blindscore_crypto.encrypted.engines.seal_bytes import cipher_bytes, load, object_bytes, plain_bytes, save
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import (
    BARE,
    DEFAULT,
    LEAN,
    LOG2_Q_128,
    LOG2_Q_128_QUANTUM,
    REPLY_BYTES,
    RLWE,
    SEED_BYTES,
    TABLE,
    WIDE,
    Parameters,
    fitting,
)
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.ring.kernels import rounded
from blindscore_crypto.encrypted.ring.placement import _primes, pack, secret_of, top_of_product, unpack
from blindscore_crypto.encrypted.ring.sampling import below, centred, expand, ternary
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import random_bins, random_card

SCHEMES = [scheme_for(p) for p in TABLE.values()]
BY_NAME = {"ids": lambda scheme: f"{type(scheme).__name__}-{scheme.parameters.name}"}


def score_blind(scheme, card: Card, bins) -> list[int]:
    """Totals of people, shape (n, d), computed under encryption."""
    points, layout, out = Points.of(card), Layout.of(card), []
    for row in bins:
        key = os.urandom(32)
        mask = Mask.fresh(scheme.t, scheme.outputs, os.urandom)
        upload = scheme.encrypt(key, layout.ones(row))
        scheme.check(upload)
        reply = scheme.evaluate(upload, mask.weights(points.weights), mask.shifts, os.urandom)
        assert (len(upload), len(reply)) == (scheme.upload_bytes, scheme.reply_bytes)
        total = mask.settle(scheme.open(key, reply), points.low, points.high)
        assert total is not None
        out.append(points.offset + total)
    return out


@pytest.mark.parametrize("scheme", SCHEMES, **BY_NAME)
def test_agrees_with_the_clear_scorecard(scheme):
    rng = np.random.default_rng(scheme.parameters.code)
    cards = {"bare": 300, "default": 150, "wide": 20, "rlwe": 400, "lean": 800}[scheme.parameters.name]
    for _ in range(cards):
        card = random_card(rng, characteristics=int(rng.integers(1, 25)))
        bins = random_bins(rng, card, 4)
        assert score_blind(scheme, card, bins) == card.totals(bins).tolist()


@pytest.mark.parametrize("scheme", SCHEMES, **BY_NAME)
def test_a_card_of_zero_points_scores(scheme):
    card = Card((Characteristic("a", (0, 0)), Characteristic("b", (0, 0, 0), (1.0,))), 500)
    assert score_blind(scheme, card, np.array([[0, 2], [1, 0]])) == [500, 500]


@pytest.mark.parametrize("scheme", SCHEMES, **BY_NAME)
def test_a_full_card_scores_at_both_ends(scheme):
    """As many bins as the set takes, and every characteristic at its best, then at its worst."""
    widest = min(16 * (scheme.capacity // 17), 24)
    p = scheme.parameters
    largest = min(p.t // (2 * widest + 2), 250)
    card = Card(
        tuple(Characteristic(f"f{j}", (-largest, largest, 0)[: 2 + j % 2], (0.0,) * (j % 2)) for j in range(widest)),
        500,
    )
    bins = np.array([[0] * widest, [1] * widest])
    assert score_blind(scheme, card, bins) == [card.min_total, card.max_total]


@pytest.mark.parametrize("scheme", SCHEMES, **BY_NAME)
def test_a_residue_beyond_its_prime_is_refused(scheme):
    p = scheme.parameters
    upload = scheme.encrypt(os.urandom(32), np.array([0, 3]))
    scheme.check(upload)
    beyond = upload[: -p.residue_bytes] + p.primes[-1].to_bytes(p.residue_bytes, "little")
    with pytest.raises(ForgeryError, match="a residue is not below its prime"):
        scheme.check(beyond)
    with pytest.raises(ForgeryError, match=f"encrypted bins refused: {len(upload) - 1} bytes, not {len(upload)}"):
        scheme.check(upload[:-1])
    with pytest.raises(ForgeryError, match=f"bytes, not {scheme.reply_bytes}"):
        scheme.open(os.urandom(32), bytes(scheme.reply_bytes + 1))


@pytest.mark.parametrize("pair", [(BARE, LEAN), (DEFAULT, RLWE)], ids=["bare", "default"])
def test_both_engines_give_the_same_bytes(pair):
    """One format: what one engine encrypts the other evaluates, to the last bit."""
    ours, theirs = (scheme_for(p) for p in pair)
    upload = ours.encrypt(os.urandom(32), np.array([0, 7]))
    weights = np.full((ours.outputs, 9), 11, np.int64)
    masks = np.arange(ours.outputs, dtype=np.int64)
    replies = {s.evaluate(upload, weights, masks, expand(b"seed" * 8, b"x")) for s in (ours, theirs)}
    assert len(replies) == 1
    assert len({s.evaluate(upload, weights, masks, os.urandom) for s in (ours, theirs)}) == 2


def test_another_key_opens_nothing():
    scheme, key = scheme_for(DEFAULT), os.urandom(32)
    weights = np.full((4, 3), 7, np.int64)
    shifts = np.arange(4, dtype=np.int64)
    reply = scheme.evaluate(scheme.encrypt(key, np.array([1])), weights, shifts, os.urandom)
    assert scheme.open(key, reply).tolist() == [7, 8, 9, 10]
    assert scheme.open(os.urandom(32), reply).tolist() != [7, 8, 9, 10]


def test_the_same_draw_gives_the_same_reply():
    """What an auditor relies on; fresh noise gives another reply with the same content."""
    scheme, key = scheme_for(DEFAULT), os.urandom(32)
    upload = scheme.encrypt(key, np.array([1]))
    weights, shifts = np.ones((4, 3), np.int64), np.zeros(4, np.int64)
    first, again = (scheme.evaluate(upload, weights, shifts, expand(b"seed" * 8, b"x")) for _ in range(2))
    other = scheme.evaluate(upload, weights, shifts, expand(b"other" * 8, b"x"))
    assert first == again != other
    assert scheme.open(key, first).tolist() == scheme.open(key, other).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("p", TABLE.values(), ids=lambda p: p.name)
def test_parameter_sets_hold_what_they_promise(p):
    assert math.log2(p.q * max(p.special, 1)) <= LOG2_Q_128[p.degree]
    assert p.largest == p.t // 2 or p.outputs == 1
    rest = p.degree - p.outputs * p.capacity
    assert rest >= p.degree / 2
    error = p.spread / math.sqrt(3)
    assert math.log2(p.q / (error / 3.2)) <= p.limits[p.degree] * rest / p.degree + 1e-9
    assert p.most_bins(LOG2_Q_128_QUANTUM) < p.most_bins(LOG2_Q_128)
    assert (p.column == "quantum") == (p.outputs > 1)  # `bare` and `lean` are over that limit, and the page says so
    if p.outputs > 1:
        assert math.log2(p.q) <= LOG2_Q_128_QUANTUM[p.degree]
        assert p.capacity >= 144
        assert p.uncovered < 0.01
        assert p.flooding_bits(p.capacity) >= 40
        assert p.soundness_bits(1500) >= 40


def test_the_limits_are_those_of_the_guidelines_of_2024():
    """Bossuat et al., eprint 2024/463: 128 bits, ternary secret, classical and quantum."""
    assert LOG2_Q_128 == {1024: 26, 2048: 53, 4096: 106, 8192: 214}
    assert LOG2_Q_128_QUANTUM == {1024: 20, 2048: 40, 4096: 80, 8192: 161}


def test_weak_parameters_are_refused():
    good = {"name": "x", "code": 9, "engine": "seal", "degree": 4096, "primes": DEFAULT.primes, "special": 0, "t": 8191}
    good |= {"outputs": 4, "spread": 1024, "largest": 4095}
    assert Parameters(**good).capacity > 0
    with pytest.raises(ParameterError, match="128 bits"):
        Parameters(**{**good, "primes": (*DEFAULT.primes, DEFAULT.primes[0])})
    with pytest.raises(ParameterError, match="table"):
        Parameters(**{**good, "degree": 512})
    bare = {**good, "degree": 2048, "primes": BARE.primes, "t": BARE.t, "outputs": 1, "largest": 255}
    assert Parameters(**bare, column="classical").capacity > 0
    with pytest.raises(ParameterError, match="quantum column allows 40"):
        Parameters(**bare)
    with pytest.raises(ParameterError, match="modulo"):
        Parameters(**{**good, "t": 8179})


def test_the_smallest_set_that_fits_is_taken():
    assert fitting(DEFAULT.capacity, 1500) is DEFAULT
    assert fitting(DEFAULT.capacity + 1, 1500) is WIDE
    assert fitting(200, 6000) is WIDE
    assert fitting(600, 1500) is WIDE
    with pytest.raises(ParameterError, match="2000 bins and 1500 possible totals fits no parameter set"):
        fitting(2000, 1500)
    with pytest.raises(ParameterError, match="200 bins and 100000 possible totals fits no parameter set"):
        fitting(200, 100_000)


def test_points_reproduce_the_card_and_say_when_they_do_not_fit():
    rng = np.random.default_rng(5)
    card = random_card(rng)
    bins = random_bins(rng, card, 50)
    layout, points = Layout.of(card), Points.of(card)
    totals = [points.offset + points.weights[layout.ones(row)].sum() for row in bins]
    assert totals == card.totals(bins).tolist()
    assert (points.offset + points.low, points.offset + points.high) == (card.min_total, card.max_total)
    points.check_fits(DEFAULT)
    far = Card((Characteristic("a", (-9000, 9000)),), 0)
    with pytest.raises(CardError, match="18001 possible totals"):
        Points.of(far).check_fits(DEFAULT)
    uneven = Card((Characteristic("a", (-300, 300)),), 0)
    with pytest.raises(CardError, match=r"points within \+-300 of their middle; set bare"):
        Points.of(uneven).check_fits(BARE)


def test_layout_tells_edges_not_points():
    a = Card((Characteristic("a", (1, 2, 3), (0.5,)),), 500)
    other_points = Card((Characteristic("a", (9, 8, 7), (0.5,)),), 400)
    other_edges = Card((Characteristic("a", (1, 2, 3), (0.6,)),), 500)
    assert Layout.of(a) == Layout.of(other_points) != Layout.of(other_edges)


@pytest.mark.parametrize(
    ("bins", "said"),
    [([3], "outside its characteristic"), ([-1], "outside its characteristic"), ([0, 0], "this layout has 1")],
)
def test_bins_outside_the_layout_are_refused(bins, said):
    layout = Layout.of(Card((Characteristic("a", (1, 2, 3), (0.5,)),), 500))
    assert layout.ones(np.array([2])).tolist() == [2]
    with pytest.raises(DataError, match=said):
        layout.ones(np.array(bins))


def test_the_mac_catches_every_single_change_and_accepts_the_truth():
    mask = Mask.fresh(DEFAULT.t, 4, os.urandom)
    values = (mask.factors * 123 + mask.shifts) % DEFAULT.t
    assert mask.settle(values, -500, 500) == 123
    assert mask.settle(values, -500, 100) is None
    for k in range(4):
        for delta in (1, 5, DEFAULT.t - 1):
            spoilt = values.copy()
            spoilt[k] = (spoilt[k] + delta) % DEFAULT.t
            assert mask.settle(spoilt, -500, 500) is None


def test_mac_soundness_is_as_stated_at_a_small_modulus():
    """Best strategy: guess the factors for one shift. Counted over all factors of a field of 11, two outputs."""
    t, span = 11, 4
    wins = 0
    for a in range(1, t):
        for b in range(1, t):
            mask = Mask(t, np.array([a, b]), np.array([3, 8]))
            values = (mask.factors * 1 + mask.shifts) % t
            changed = mask.settle((values + np.array([2, 5])) % t, 0, span - 1)
            wins += changed is not None and changed != 1
    assert 0 < wins / (t - 1) ** 2 <= (span - 1) / (t - 1) ** 2


def test_masked_values_are_uniform_whatever_the_score():
    seen = np.zeros((2, 5))
    for which, total in enumerate((0, 3)):
        for _ in range(4000):
            mask = Mask.fresh(5, 2, os.urandom)
            seen[which, (mask.factors[0] * total + mask.shifts[0]) % 5] += 1
    assert (np.abs(seen / 4000 - 0.2) < 0.04).all()  # six standard errors


def test_samplers():
    assert set(np.unique(ternary(3000, os.urandom))) == {-1, 0, 1}
    assert np.abs(np.bincount(ternary(30_000, os.urandom) + 1) / 30_000 - 1 / 3).max() < 0.02
    wide = centred(20_000, 64, os.urandom)
    assert (wide.min(), wide.max()) == (-64, 63)
    assert all(0 <= below(7, os.urandom) < 7 for _ in range(50))
    assert expand(b"a" * 16, b"x")(40) == expand(b"a" * 16, b"x")(40) != expand(b"a" * 16, b"y")(40)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**53 - 1), min_size=1, max_size=20))
def test_packing_returns_what_went_in(values):
    assert unpack(pack(np.array(values, np.int64), 7), 7).tolist() == values


def whole(p: Parameters, residues) -> list[int]:
    """Integers in [0, q) of residues, shape (primes, n), by the Chinese remainder theorem."""
    basis = [(p.q // prime) * pow(p.q // prime, -1, prime) for prime in p.primes]
    return [sum(int(r) * b for r, b in zip(column, basis, strict=True)) % p.q for column in residues.T]


@pytest.mark.parametrize("p", TABLE.values(), ids=lambda p: p.name)
def test_rounding_agrees_with_whole_numbers(p):
    rng = np.random.default_rng(1)
    residues = np.stack([rng.integers(0, prime, 200) for prime in p.primes])
    residues[:, :2] = [[0, prime - 1] for prime in p.primes]
    error = rng.integers(-p.spread, p.spread, 200)
    for width in (3, REPLY_BYTES):
        units = 2 ** (8 * width)
        got = rounded(residues, error, *_primes(p), width).astype(np.int64) @ (256 ** np.arange(width))
        exact = [((c + int(e)) % p.q * units + p.q // 2) // p.q for c, e in zip(whole(p, residues), error, strict=True)]
        away = (got - np.array(exact) + units // 2) % units - units // 2
        assert np.abs(away).max() <= 1


@pytest.mark.parametrize("p", TABLE.values(), ids=lambda p: p.name)
def test_the_top_of_a_product_agrees_with_the_schoolbook(p):
    rng = np.random.default_rng(2)
    words = np.stack([rng.integers(0, prime, p.degree) for prime in p.primes])
    words[:, :9] = np.array(p.primes)[:, None] - 1
    by = rng.integers(-p.largest, p.largest + 1, p.degree)
    clear, expected = whole(p, words), []
    for e in range(p.degree - p.outputs, p.degree):
        terms = [c * int(by[(e - j) % p.degree]) * (1 if j <= e else -1) for j, c in enumerate(clear)]
        expected.append(sum(terms) % p.q)
    assert top_of_product(p, words, by) == expected


@pytest.mark.parametrize("p", [p for p in TABLE.values() if p.engine == "seal"], ids=lambda p: p.name)
def test_seal_itself_opens_our_ciphertext(p):
    """An upload is a true BFV ciphertext: SEAL's own decryptor, given the key, returns the person's ones."""
    context, evaluator = engine(p)
    key, ones = os.urandom(32), np.array([0, 5, 17])
    upload = scheme_for(p).encrypt(key, ones)
    secret = load(seal.Plaintext(), context, plain_bytes(secret_of(p, key) % p.t))
    evaluator.transform_to_ntt_inplace(secret, context.key_parms_id())
    one = np.eye(1, p.degree, dtype=np.int64)[0]
    a = scheme_for(p).product(upload[:SEED_BYTES], one)
    whole_cipher = cipher_bytes(context.first_parms_id(), scheme_for(p).words(upload), a)
    cipher = load(seal.Ciphertext(), context, whole_cipher)
    plain = seal.Plaintext()
    decryptor = seal.Decryptor(context, load(seal.SecretKey(), context, object_bytes(save(secret))))
    decryptor.decrypt(cipher, plain)
    assert plain.to_string() == f"1x^{17 * p.outputs} + 1x^{5 * p.outputs} + 1"
    assert decryptor.invariant_noise_budget(cipher) > 20
