"""``number-alone``: a number that carries the secret is broken, one that does not is not, and none is no attack."""

import numpy as np
from number_alone import NumberAlone

from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import ABSENT, PLAYED
from blindscore.surveillance.planted import people, run_with, truth_of, view_of

PEOPLE = 1500


def row_of(kind, carries):
    """Return the attack's first row against a view with one column of that kind."""
    population = people(PEOPLE)
    secret = population.sensitive.iloc[:, 0].to_numpy()
    code = np.unique(secret, return_inverse=True)[1].astype(float)
    rng = np.random.default_rng(3)
    view = view_of(population, {"x": code if carries else rng.permutation(code)})
    view = type(view)(**{**vars(view), "columns": tuple(c._replace(kind=kind) for c in view.columns)})
    return rows_of(NumberAlone(), truth_of(population, run_with(population, view)))[0]


def test_a_score_that_carries_the_secret_is_broken_and_one_that_does_not_is_not():
    assert row_of("score", carries=True).low > 0.95
    blind = row_of("score", carries=False)
    assert blind.kind == PLAYED
    assert blind.low <= 0 <= blind.high


def test_what_is_no_number_of_the_lender_is_not_looked_at():
    assert row_of("feature", carries=True).kind == ABSENT
