"""An observer of packets finds what is planted in them, down to 20 microseconds, and nothing in shuffled labels."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.export_traces import export_wflib
from blindscore.surveillance.inference.traces import (
    CUMULATIVE,
    WAITS,
    features,
    lines_features,
    paired_difference,
    waits,
)
from blindscore.surveillance.inference.wire import judged, listen, nearest_neighbour_limit


def exchange(rng, answer_after, down=1500):
    """One request and its answer, as an observer sees them: a heavy-tailed wait around what the service took."""
    wait = answer_after + rng.lognormal(-9.5, 0.6)
    return np.array([[0.0, 900.0], [0.0002, 400.0], [0.0002 + wait, -down], [0.0004 + wait, -60.0]])


def halves(n):
    return np.arange(n) // 2 % 2


def test_a_late_refusal_and_a_longer_answer_are_both_read_off_by_every_attacker():
    rng = np.random.default_rng(1)
    secret = np.arange(400) % 2
    late = features([exchange(rng, 0.001 + 0.006 * s) for s in secret])
    assert min(heard.low for heard in listen(late, secret, halves(400))) > 0.9
    assert nearest_neighbour_limit(late, secret, halves(400)) > 0.9
    longer = features([exchange(rng, 0.001, down=1500 + 8 * s) for s in secret])
    assert max(heard.low for heard in listen(longer, secret, halves(400))) > 0.95


def test_where_nothing_differs_nothing_is_found_and_more_exchanges_make_that_surer():
    rng = np.random.default_rng(2)
    secret = np.arange(2000) % 2
    rows = features([exchange(rng, 0.001) for _ in secret])
    found, fewer = listen(rows, secret, halves(2000)), listen(rows[:400], secret[:400], halves(400))
    assert all(heard.low < 0 < heard.high < 0.12 for heard in found)
    assert found[0].exchanges == 2000
    assert sum(h.high - h.low for h in fewer) > sum(h.high - h.low for h in found)


def test_whoever_was_heard_before_is_not_recognised_as_a_decision():
    rng = np.random.default_rng(3)
    people = np.arange(1200) // 2 % 100  # each speaks at a pace of its own; decisions alternate
    secret = np.arange(1200) % 2
    rows = features([exchange(rng, 0.001 + 0.002 * (2 * person + kind)) for person, kind in zip(people, secret)])
    heard = listen(rows, secret, np.asarray(people // 50, np.int64))
    assert all(one.low < 0.05 for one in heard)  # learnt on people 0-49, judged on 50-99


def test_people_who_were_heard_often_count_as_people_and_not_as_exchanges():
    rng = np.random.default_rng(7)
    who = np.arange(4000) % 20
    kind = rng.integers(0, 2, 20)  # each person's guess falls one way, whenever it is heard
    secret = np.arange(4000) // 20 % 2
    alone = judged("by person", kind[who], secret, 2)
    clustered = judged("by person", kind[who], secret, 2, who)
    assert clustered.high - clustered.low >= alone.high - alone.low
    right = rng.random(20) < 0.5  # decisions are people's own, and so is whether they are told
    own = np.arange(20) % 2
    told = np.where(right[who], own[who], 1 - own[who])
    few, many = judged("own", told, own[who], 2, who), judged("own", told, own[who], 2)
    assert few.high - few.low > 0.6  # twenty people: the exact interval of a coin is wider than this
    assert many.high - many.low < 0.2


def test_two_halves_that_teach_each_other_err_together_and_the_interval_says_so():
    rng = np.random.default_rng(8)
    half, secret, missed = halves(400), np.arange(400) % 2, {False: 0, True: 0}
    for _ in range(400):
        rows = rng.normal(size=(400, 20))  # nothing is to be heard
        guess = np.empty_like(secret)
        for side in (0, 1):
            learnt, kind = half == side, secret == 1
            apart = rows[learnt & kind].mean(axis=0) - rows[learnt & ~kind].mean(axis=0)
            guess[~learnt] = rows[~learnt] @ apart > 0
        for known in missed:
            heard = judged("by means", guess, secret, 2, half=half if known else None)
            missed[known] += not heard.low < 0 < heard.high
    assert missed[True] / 400 < 0.075  # 5% is promised
    assert missed[False] / 400 > 0.1  # as if the directions were independent


def test_which_of_several_is_told_on_the_same_scale():
    rng = np.random.default_rng(4)
    who = rng.permutation(np.arange(400) % 4)
    rows = features([exchange(rng, 0.003 * person) for person in who])
    heard = listen(rows, who, np.arange(400) // 4 % 2)
    assert max(one.advantage for one in heard) > 0.9
    blind = judged("coin", rng.integers(0, 4, 4000), np.arange(4000) % 4, 4)
    assert blind.low < 0 < blind.high < 0.05


def test_a_planted_shift_of_20_microseconds_is_found_in_pairs_and_shuffled_labels_are_not():
    rng = np.random.default_rng(3)
    one = 0.03 + rng.lognormal(-9.5, 0.6, 10_000)
    other = 0.03 + 20e-6 + rng.lognormal(-9.5, 0.6, 10_000)
    found = paired_difference(other, one)
    assert found.wilcoxon_p < 1e-4
    assert found.sign_p < 1e-3
    assert found.median_difference > 5e-6
    flip = rng.random(10_000) < 0.5
    shuffled = paired_difference(np.where(flip, one, other), np.where(flip, other, one))
    assert shuffled.wilcoxon_p > 0.001
    assert paired_difference(one, one).sign_p == 1.0


def test_the_limit_of_neighbours_lies_above_what_an_attacker_reaches_on_known_distributions():
    rng = np.random.default_rng(4)
    secret = np.arange(4000) % 2
    rows = rng.normal(size=(4000, 1)) + secret[:, None]  # the best attacker has 2 Phi(1/2) - 1 = .383
    assert 0.383 < nearest_neighbour_limit(rows, secret, halves(4000)) < 0.65


def test_waits_are_from_a_request_to_its_answer_and_pass_over_packets_without_a_word():
    trace = np.array([[0, 60], [1, -60], [2, 52], [3, 700], [4, -52], [7, -900], [8, 52], [9, 300], [14, -200]], float)
    assert waits(trace).tolist() == [4.0, 5.0] + [0.0] * (WAITS - 2)
    many = np.column_stack([np.arange(40.0), np.tile([500.0, -500.0], 20)])
    assert waits(many)[-1] == 20 - WAITS + 1


def test_a_trace_without_packets_and_lines_that_differ_in_number_are_refused():
    with pytest.raises(ParameterError, match="none may be empty"):
        features([np.zeros((0, 2))])
    one = np.array([[0.0, 100.0]])
    assert features([one]).shape == (1, 44 + WAITS + CUMULATIVE)
    assert lines_features([(one, one)]).shape[1] == 2 * features([one]).shape[1]
    with pytest.raises(ParameterError, match="as many lines"):
        lines_features([(one, one), (one,)])
    with pytest.raises(ParameterError, match="at least"):
        listen(features([one] * 4), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    with pytest.raises(ParameterError, match="missing in one half"):
        listen(features([one] * 100), np.arange(100) % 2, np.arange(100) % 2)


def test_traces_are_written_as_fingerprinting_researchers_read_them(tmp_path):
    line = np.array([[0.0, 900.0], [0.5, -1500.0]])
    longer = np.array([[0.0, 52.0], [0.1, 52.0], [0.4, -52.0]])
    assert export_wflib(tmp_path / "t.npz", [(line, longer), (line,)], np.array([1, 0])) == 5
    with np.load(tmp_path / "t.npz", allow_pickle=False) as file:
        assert file["X"].shape == file["sizes"].shape == (2, 5)
        assert np.sign(file["X"]).tolist() == [[1, -1, 1, 1, -1], [1, -1, 0, 0, 0]]
        assert np.allclose(np.abs(file["X"][0]), [0, 0.5, 0.5, 0.6, 0.9], atol=1e-5)
        assert file["sizes"][1].tolist() == [900, -1500, 0, 0, 0]
        assert file["y"].tolist() == [1, 0]
    with pytest.raises(ParameterError, match="one label each"):
        export_wflib(tmp_path / "t.npz", [(line,)], np.array([1, 0]))
