"""What every attack shares: results computed once, and attacks played side by side in order."""

from __future__ import annotations

import threading
import time

import pytest

from blindscore.surveillance.scene import Memo
from blindscore.surveillance.threads import each


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
    assert len(found) == 4 and len(set(map(id, found))) == 1
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
    with pytest.raises(ZeroDivisionError):
        each(lambda x: 1 // x, [1, 0])
