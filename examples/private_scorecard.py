"""Train a scorecard that says next to nothing about any one person it was trained on.

Run it: ``python examples/private_scorecard.py``. Every claim is checked on the line after it.
"""

import numpy as np
import pandas as pd

from blindscore.errors import ParameterError
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.private_model.accounting import NEIGHBOURS, Budget, epsilon_of, epsilon_rdp
from blindscore_crypto.private_model.domains import Category, Domains, Number
from blindscore_crypto.private_model.estimator import PrivateScorecard


def make_customers(n, seed):
    """Made-up people: some are in trouble, which shows in their records and in how they pay."""
    rng = np.random.default_rng(seed)
    trouble = rng.normal(size=n)
    people = pd.DataFrame(
        {
            "income": np.exp(8 - 0.4 * trouble + 0.6 * rng.normal(size=n)).round(),
            "months_late": rng.poisson(np.exp(0.7 * trouble - 0.7)).astype(float),
            "home": np.where(rng.random(n) < 0.4 + 0.1 * (trouble > 0), "rent", "own"),
        }
    )
    return people, rng.random(n) < 1 / (1 + np.exp(2 - 1.2 * trouble))


def refusal(model, people, outcome):
    """The message with which training is refused; empty where it is not."""
    try:
        model.fit(people, outcome)
    except ParameterError as error:
        return str(error)
    return ""


customers, bad = make_customers(10_000, seed=1)
strangers, theirs = make_customers(10_000, seed=2)

# A bank says what it knows without looking: the answers on its form, the range of a figure, round bin edges. What it
# does not declare costs budget (the edges of income), and what it forgets is refused rather than read off the data.
domains = Domains.declared(
    {
        "income": Number(0, 20_000),
        "months_late": Number(edges=(1.0, 2.0, 3.0)),
        "home": Category.of(["own", "rent"]),
    }
)
assert "no domain declared for age" in refusal(PrivateScorecard(domains=domains), customers.assign(age=40.0), bad)

# One line trains it. The card is an ordinary card: whole points, the same kernel, the same file.
model = PrivateScorecard(epsilon=1.0, delta=1e-5, domains=domains).fit(customers, bad)
assert all(isinstance(point, int) for c in model.card_.characteristics for point in c.points)

# Privacy costs little here: the ranking of strangers is nearly that of a scorecard without noise.
clear = auc(theirs, Scorecard().fit(customers, bad).score_points(strangers))
private = auc(theirs, model.score_points(strangers))
print(f"AUC without noise {clear:.3f}, with epsilon 1: {private:.3f}")
assert private > clear - 0.03

# Everything that left the private data is on record, and adds up to no more than was granted.
for release in model.releases_:
    print(f"  {release.what}: noise of {release.multiplier:.1f} times what one person can add")
print(f"  together epsilon {model.epsilon_spent_:.3f} at delta {model.delta:g}, neighbours: {NEIGHBOURS}")
assert model.epsilon_spent_ == epsilon_of(model.releases_, 1e-5) <= 1.0
assert epsilon_rdp(model.releases_, 1e-5) < 1.1  # a second accountant, whose bounds are wider, comes near

# Trying again is not free. An account shared by all fits on the same people refuses when it is empty.
account = Budget(1.0, 1e-5)
PrivateScorecard(0.9, domains=domains, account=account).fit(customers, bad)
assert "the budget is 1" in refusal(PrivateScorecard(0.9, domains=domains, account=account), customers, bad)

# What this does not do: the applicant's own figures lie in the open before whoever scores them.
assert list(strangers.columns) == model.card_.features
