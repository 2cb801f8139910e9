"""Banks that train together: the sum is the pooled one bit for bit, dropouts are survived, forgeries bounce."""

import numpy as np
import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.private_model import federated
from blindscore_crypto.private_model.accounting import epsilon_of
from blindscore_crypto.private_model.counts import label_counts, pair_counts
from blindscore_crypto.private_model.domains import Number, characteristic
from blindscore_crypto.private_model.federated import Bank, Plan, card_from_sum, collect, releases
from blindscore_crypto.private_model.layout import Layout

LAYOUT = Layout((4, 4, 4), (True, True, True))
PLAN = Plan(LAYOUT, banks=5, threshold=3, epsilon=1.0, delta=1e-5)
TOTAL = 12


def people_of(number, n=400):
    rng = np.random.default_rng(number)
    bins = rng.integers(0, 4, (n, 3))
    return bins + LAYOUT.starts[:-1], rng.random(n) < 0.1 + 0.15 * bins[:, 0]


def play(dropped=(), spoil=None):
    """Play one round; the named banks vanish after dealing their shares."""
    banks = [Bank(PLAN, k, *people_of(k)) for k in range(PLAN.banks)]
    keys = {bank.number: bank.public_key() for bank in banks}
    dealt = {bank.number: bank.deal(keys) for bank in banks}
    present = [bank for bank in banks if bank.number not in dropped]
    vectors = {bank.number: bank.masked() for bank in present}
    if spoil is not None:
        spoil(keys, dealt, vectors)
    shares = {
        bank.number: bank.reveal({sender: dealt[sender][bank.number] for sender in dealt}, vectors) for bank in present
    }
    return banks, keys, vectors, shares


def pooled(numbers):
    columns, bad = (np.concatenate(part) for part in zip(*[people_of(k) for k in numbers], strict=True))
    return label_counts(columns, bad, TOTAL), pair_counts(columns, TOTAL)


@pytest.mark.parametrize("dropped", [(), (1,), (0, 4)])
def test_without_noise_the_sum_equals_pooling_bit_for_bit(dropped, monkeypatch):
    monkeypatch.setattr(federated, "with_noise", lambda counts, variance: counts)
    _, keys, vectors, shares = play(dropped)
    labels, pairs = collect(PLAN, keys, vectors, shares)
    expected = pooled([k for k in range(5) if k not in dropped])
    np.testing.assert_array_equal(labels, expected[0])
    np.testing.assert_array_equal(pairs, expected[1])


def test_no_collector_sees_an_exact_sum_and_the_noise_is_every_banks():
    _, keys, vectors, shares = play()
    got = np.concatenate([(a - b).ravel() for a, b in zip(collect(PLAN, keys, vectors, shares), pooled(range(5)))])
    got = got[got != 0]
    by_outcome, by_pair = PLAN.shares_of_noise
    assert got.size > 60
    sizes = [PLAN.sigma(by_outcome, 5), PLAN.sigma(by_pair, 5)]
    assert 0.7 * min(sizes) < got.std() < 1.4 * max(sizes)


def test_the_honest_banks_noise_alone_pays_for_the_budget():
    assert PLAN.honest == 2
    assert 0.95 < epsilon_of(releases(PLAN), PLAN.delta) <= PLAN.epsilon
    trusting = Plan(LAYOUT, banks=5, threshold=3, epsilon=1.0, delta=1e-5, colluders=0)
    assert trusting.shares_of_noise[0].sigma < PLAN.shares_of_noise[0].sigma
    with pytest.raises(ParameterError, match="colluders < threshold"):
        Plan(LAYOUT, banks=5, threshold=3, epsilon=1.0, delta=1e-5, colluders=3)


def test_a_bank_draws_its_noise_once_so_that_asking_twice_averages_nothing_away():
    bank = play()[0][2]
    np.testing.assert_array_equal(bank.masked(), bank.masked())


def test_a_masked_vector_looks_random():
    bank = play()[0][2]
    words = bank.masked()
    assert words.dtype == np.uint64
    assert np.unpackbits(words.view(np.uint8)).mean() == pytest.approx(0.5, abs=0.05)
    assert not np.array_equal(words, play()[0][2].masked())


def test_too_many_dropouts_are_refused():
    with pytest.raises(ForgeryError, match="too few"):
        play(dropped=(0, 1, 2))


def test_a_bank_never_opens_both_seeds_of_another():
    """Whoever holds a bank's pairwise key and own mask reads its counts; a second list of banks would give both."""
    banks = [Bank(PLAN, k, *people_of(k)) for k in range(5)]
    keys = {bank.number: bank.public_key() for bank in banks}
    dealt = {bank.number: bank.deal(keys) for bank in banks}
    sealed = {sender: dealt[sender][0] for sender in dealt}
    assert len(banks[0].reveal(sealed, range(5))[3]) == 32
    with pytest.raises(ForgeryError, match="already"):
        banks[0].reveal(sealed, [0, 1, 2])


def test_tampered_shares_are_refused_and_untouched_ones_are_not():
    play(spoil=lambda keys, dealt, vectors: None)

    def flip(keys, dealt, vectors):
        envelope = bytearray(dealt[1][2])
        envelope[40] ^= 1
        dealt[1][2] = bytes(envelope)

    with pytest.raises(ForgeryError, match="bank 1 were tampered"):
        play(spoil=flip)

    def cut(keys, dealt, vectors):
        dealt[1][2] = dealt[1][2][:-1]

    with pytest.raises(ForgeryError, match="wrong size"):
        play(spoil=cut)


def test_a_malformed_vector_or_too_few_shares_are_refused():
    _, keys, vectors, shares = play()
    collect(PLAN, keys, vectors, shares)
    with pytest.raises(ForgeryError, match="words"):
        collect(PLAN, keys, {**vectors, 2: vectors[2][:-1]}, shares)
    with pytest.raises(ForgeryError, match="3 are needed"):
        collect(PLAN, keys, vectors, dict(list(shares.items())[:2]))


def test_keys_that_are_missing_doubled_or_malformed_are_refused():
    bank, others = Bank(PLAN, 0, *people_of(0)), [Bank(PLAN, k, *people_of(k)) for k in range(1, 5)]
    keys = {b.number: b.public_key() for b in [bank, *others]}
    assert len(bank.deal(keys)) == 5
    with pytest.raises(ForgeryError, match="different public key"):
        bank.deal({**keys, 1: keys[2]})
    with pytest.raises(ForgeryError, match="different public key"):
        bank.deal({k: v for k, v in keys.items() if k != 3})
    with pytest.raises(ForgeryError, match="X25519"):
        bank.deal({**keys, 1: bytes(32)})


@pytest.mark.parametrize(("banks", "threshold"), [(1, 1), (5, 2), (4, 2), (5, 6), (100, 60)])
def test_a_plan_out_of_range_is_refused(banks, threshold):
    with pytest.raises(ParameterError, match="plan"):
        Plan(LAYOUT, banks, threshold, epsilon=1.0, delta=1e-5)


def test_the_card_of_the_sum_is_private_and_useful():
    _, keys, vectors, shares = play()
    labels, pairs = collect(PLAN, keys, vectors, shares)
    empty = [characteristic(name, Number(edges=(1.0, 2.0))) for name in "abc"]
    card = card_from_sum(PLAN, len(vectors), labels, pairs, empty)
    points = card.characteristics[0].points
    assert points[0] > points[2]  # a low first bin pays better, as the people were made
