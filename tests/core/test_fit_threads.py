"""A fit keeps libraries of linear algebra to one thread, and gives them theirs back."""

import subprocess
import sys

# A process of its own: other tests load further libraries, and leave them limits of their own.
CODE = """
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info, threadpool_limits

from blindscore.scorecard import scorecard as module
from blindscore.scorecard.scorecard import Scorecard

def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

rng = np.random.default_rng(0)
people = pd.DataFrame(rng.normal(size=(900, 3)), columns=["a", "b", "c"])
bad = rng.random(900) < 0.2 + 0.3 * (people["a"] > 0)
seen, real = [], module.train

def watched(*given):
    seen.append(blas_threads())
    return real(*given)

module.train = watched
cards = []
for threads in (1, 2):
    with threadpool_limits(threads, "blas"):
        cards.append(Scorecard().fit(people, bad).card_)
        print("after", blas_threads() == {threads})
print("within", seen == [{1}, {1}], "cards", cards[0] == cards[1])
"""


def test_a_fit_is_limited_and_its_card_hangs_on_no_thread():
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert told.stdout.split("\n")[:3] == ["after True", "after True", "within True cards True"]
