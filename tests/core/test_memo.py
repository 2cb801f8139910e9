"""What every attack shares: results computed once, and attacks played side by side in order."""

from __future__ import annotations

import threading
import time

import numpy as np
import pandas as pd
import pytest

from blindscore.surveillance.memo import Memo
from blindscore.surveillance.planted import people, view_of
from blindscore.threads import each


def test_two_threads_that_ask_for_one_key_compute_it_once():
    memo, calls = Memo(), []
    together = threading.Barrier(4)

    def compute():
        calls.append(threading.get_ident())
        time.sleep(0.05)
        return object()

    found = []

    def ask():
        together.wait()
        found.append(memo.once(("key", 1), compute))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    assert memo.once(("key", 2), lambda: "other") == "other"


def test_a_computation_that_fails_is_tried_again():
    memo, tries = Memo(), []

    def compute():
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")
        return 7

    with pytest.raises(ValueError, match="once"):
        memo.once(("key",), compute)
    assert memo.once(("key",), compute) == 7
    assert len(tries) == 2


def test_each_keeps_the_order_and_passes_an_error_on():
    assert each(lambda x: x * x, range(20)) == [x * x for x in range(20)]
    with pytest.raises(ZeroDivisionError, match="by zero"):
        each(lambda x: 1 // x, [1, 0])


def test_views_that_differ_in_their_edges_alone_are_attacked_apart():
    population = people(50)
    empty = pd.DataFrame(index=range(50))
    edges = np.array([[0, 1], [2, 3]], np.int32)
    whole, half = (view_of(population, empty, friends=shown) for shown in (edges, edges[:1]))
    assert whole.digest != half.digest
    assert whole.digest == view_of(population, empty, friends=edges.copy()).digest


def test_of_a_bounded_memo_what_was_asked_for_last_is_kept():
    memo, calls = Memo(2), []

    def ask(key):
        return memo.once((key,), lambda: calls.append(key) or key * 2)

    assert [ask(key) for key in "aabacab"] == ["aa", "aa", "bb", "aa", "cc", "aa", "bb"]
    assert calls == ["a", "b", "c", "b"]  # b was asked for longest ago when c came
