"""``banded`` keeps the contract of all designs, and its lender holds bands and no figure."""

import numpy as np
import pandas as pd
from banded import Banded, banded, marks_of

from blindscore.designs.contract import check_design
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard


def test_it_keeps_the_contract_and_the_lender_holds_bands_alone():
    run = check_design(Banded(bands=3))
    lender = run.views["lender"]
    figures = lender.clear[lender.of("feature")].select_dtypes("number")
    assert figures.shape[1] > 3
    assert set(np.unique(figures.to_numpy()[~np.isnan(figures.to_numpy())])) <= {0.0, 1.0, 2.0}


def test_other_people_are_scored_by_the_same_marks():
    society = make_society(600, seed=7)
    run = Banded().run(society, Scorecard(method="woe"), np.random.default_rng(1))
    assert (run.rescore(society) == run.scores).all()


def test_bands_are_those_between_the_quantiles():
    figures = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, np.nan], "word": list("abcde")})
    marks = marks_of(figures, 2)
    assert list(marks) == ["x"]
    assert marks["x"].tolist() == [2.5]
    np.testing.assert_array_equal(banded(figures, marks)["x"], [0.0, 0.0, 1.0, 1.0, np.nan])
