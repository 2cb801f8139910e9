"""Odd columns and rows are named before a fit, and ordinary ones are not; cross-validation speaks of people unseen."""

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError
from blindscore.scorecard.findings import training_findings
from blindscore.scorecard.folds import out_of_fold
from blindscore.scorecard.quality import auc
from blindscore.scorecard.scorecard import Scorecard


def people(n=1000):
    rng = np.random.default_rng(0)
    income = rng.lognormal(8, 0.5, n)
    bad = rng.random(n) < 1 / (1 + np.exp(0.5 + (income > 3000)))
    home = rng.choice(["own", "rent"], n)
    return pd.DataFrame({"income": income, "home": home, "months": rng.integers(0, 60, n)}), bad


def test_ordinary_people_raise_no_finding():
    assert training_findings(*people()) == []


@pytest.mark.parametrize(
    ("column", "word"),
    [
        (lambda n, bad: [f"c{k}" for k in range(n)], "customer number"),
        (lambda n, bad: np.random.default_rng(1).permutation(n) + 1_000_000, "customer number"),
        (lambda n, bad: np.arange(n) + 9_007_199_254_740_993, "customer number"),  # beyond what floats tell apart
        (lambda n, bad: np.append(np.arange(n - 3) * 7, [7, 14, 21]), "customer number"),  # three people twice
        (lambda n, bad: pd.date_range("2020-01-01", periods=n), "date"),
        (lambda n, bad: [f"2024-{1 + k % 12:02d}-01" for k in range(n)], "date"),
        (lambda n, bad: [20240101 + k % 28 for k in range(n)], "date"),
        (lambda n, bad: bad.astype(float), "copy"),
        (lambda n, bad: np.where(bad, "charged off", "paid"), "copy"),
        (lambda n, bad: np.full(n, 3.0), "same value"),
        (lambda n, bad: [None] * n, "nobody has a value"),
    ],
)
def test_an_odd_column_is_named_once_with_advice(column, word):
    table, bad = people()
    found = training_findings(table.assign(odd=column(len(bad), bad)), bad)
    assert [finding.column for finding in found] == ["odd"]
    assert word in str(found[0])
    assert "'odd'" in str(found[0])


def test_few_people_and_rows_that_repeat_are_told():
    table, bad = people()
    assert "only 150 people" in str(training_findings(table[:150], bad[:150])[0])
    rows = np.append(np.arange(1000), np.arange(100))
    assert "100 of 1100 rows repeat" in str(training_findings(table.iloc[rows], bad[rows])[0])


def test_everybody_is_scored_by_a_card_fitted_without_them():
    rng = np.random.default_rng(0)
    noise, bad = pd.DataFrame(rng.normal(size=(400, 8))).rename(columns=str), rng.random(400) < 0.3
    flattering = auc(bad, -Scorecard("woe").fit(noise, bad).decision_function(noise))
    honest = auc(bad, out_of_fold(Scorecard("woe"), noise, bad))
    assert flattering > 0.6
    assert abs(honest - 0.5) < 0.1
    with pytest.raises(DataError, match="5 goods"):
        out_of_fold(Scorecard("woe"), noise[:10], np.arange(10) < 2)
