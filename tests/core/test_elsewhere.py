"""What another society taught is tried here, judged on auxiliary people, and played only where it serves better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from blindscore.surveillance.attacks.profile import Profile, infer_trait
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.knowledge import UNKNOWN
from blindscore.surveillance.planted import CARD, people, run_with, truth_of, view_of
from blindscore.surveillance.truth import classes_as, classes_of, view_of_others

N = 400


def town(n, seed, leak, flip=False):
    """Return people whose income hides their party in stripes, which some do not show."""
    rng = np.random.default_rng(seed)
    income = rng.uniform(0, 1, n)
    party = (np.floor(income * 12).astype(int) % 2 + flip) % 2
    party = np.where(rng.random(n) < leak, party, rng.integers(0, 2, n))
    return people(n, features=pd.DataFrame({"income": income}), sensitive=pd.DataFrame({"party": party}))


def measured(here, other):
    view = view_of(here, {"income": here.features["income"]})
    truth = replace(truth_of(here, run_with(here, view)), elsewhere=other)
    return rows_of(Profile(), truth)[0], infer_trait(truth.knowledge(), "party")


def test_many_people_elsewhere_teach_what_few_here_cannot():
    here = town(N, 1, leak=0.9)
    alone, _ = measured(here, None)
    taught, _ = measured(here, town(3000, 2, leak=0.9))
    assert taught.attack.startswith("learnt elsewhere")
    assert taught.low > 0.7
    assert taught.advantage > alone.advantage + 0.2


def test_what_does_not_hold_here_is_not_played():
    here = town(N, 1, leak=0.9)
    alone, own = measured(here, None)
    misled, chosen = measured(here, town(3000, 2, leak=0.9, flip=True))
    assert (misled, chosen.loss) == (alone, own.loss)


def test_an_independent_view_tells_nothing_whoever_taught():
    row, _ = measured(town(1500, 3, leak=0.0), town(3000, 4, leak=0.9))
    assert row.low <= 0 <= row.high


def test_classes_are_counted_as_here_and_a_view_of_others_is_made_of_their_own_figures():
    here = pd.Series(["b", "c", None])
    assert classes_of(here).tolist() == [0, 1, UNKNOWN]
    assert classes_as(here, pd.Series(["c", "a", None, "b"])).tolist() == [1, UNKNOWN, UNKNOWN, 0]
    one, two = people(300, seed=1), people(200, seed=2)
    held = {"income": one.features["income"], "score": np.zeros(300), "key": np.arange(300)}
    view = view_of(one, held, handles=("key",))
    shown = view_of_others(two, run_with(one, view), view)
    assert list(shown.clear) == ["income", "score"]
    assert np.array_equal(shown.clear["income"], two.features["income"])
    assert np.array_equal(shown.clear["score"], CARD.scores(CARD.bins(two.features)))
    assert len(shown.person) == 200
