"""scikit-learn's own checks, and the company that an estimator must keep."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from blindscore.scorecard.scorecard import Scorecard


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_scikit_learn_finds_nothing_wrong(method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke warnings on purpose
        results = check_estimator(Scorecard(method), on_fail=None, on_skip=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}
    assert sum(result["status"] == "passed" for result in results) > 40


def test_pipelines_and_grid_searches_work():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 2)), columns=["a", "b"])
    bad = rng.random(600) < 1 / (1 + np.exp(1 - X.a))
    pipeline = make_pipeline(FunctionTransformer(lambda table: table * 2), Scorecard("woe"))
    search = GridSearchCV(pipeline, {"scorecard__max_bins": [2, 6]}, scoring="roc_auc", cv=3).fit(X, bad)
    assert search.best_score_ > 0.6
    assert list(search.best_estimator_[-1].feature_names_in_) == ["a", "b"]
