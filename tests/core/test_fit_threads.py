"""A fit keeps libraries of linear algebra to one thread, and gives them theirs back."""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info, threadpool_limits

from blindscore.scorecard import scorecard as module
from blindscore.scorecard.scorecard import Scorecard


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_a_fit_is_limited_and_its_card_hangs_on_no_thread(monkeypatch):
    rng = np.random.default_rng(0)
    people = pd.DataFrame(rng.normal(size=(900, 3)), columns=["a", "b", "c"])
    bad = rng.random(900) < 0.2 + 0.3 * (people["a"] > 0)
    seen, real = [], module.train

    def watched(*given):
        seen.append(blas_threads())
        return real(*given)

    monkeypatch.setattr(module, "train", watched)
    cards = []
    for threads in (1, 2):
        with threadpool_limits(threads, "blas"):
            cards.append(Scorecard().fit(people, bad).card_)
            assert blas_threads() == {threads}
    assert seen == [{1}, {1}]
    assert cards[0] == cards[1]
