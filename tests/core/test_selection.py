"""Rules that leave features out before a fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.scorecard import Scorecard
from blindscore.scorecard.stepwise import stepwise


@pytest.fixture(scope="module")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    risk = rng.normal(size=3_000)
    table = pd.DataFrame(
        {
            "strong": risk,
            "again": risk + 0.05 * rng.normal(size=3_000),
            "mirrored": -risk + 0.4 * rng.normal(size=3_000),
            "noise": rng.normal(size=3_000),
            "word": rng.choice(["a", "b", "c"], 3_000),
            "gaps": np.where(rng.random(3_000) < 0.97, np.nan, risk),
        }
    )
    return table, rng.random(3_000) < 1 / (1 + np.exp(2 - 1.5 * risk))


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_each_rule_leaves_out_what_breaks_it_and_says_why(people, method):
    table, bad = people
    own = Scorecard(method, select={"most_missing": 0.95, "least_iv": 0.02, "most_alike": 0.7}).fit(table, bad)
    assert own.card_.features == ["strong"]
    assert set(own.left_out_) == {"again", "mirrored", "noise", "word", "gaps"}
    assert "97" in own.left_out_["gaps"]
    assert "information value" in own.left_out_["noise"]
    assert "strong" in own.left_out_["again"]
    assert "strong" in own.left_out_["mirrored"]  # evidence has no direction: its mirror image says the same


def test_without_rules_nothing_is_left_out_and_the_card_is_the_same(people):
    table, bad = people
    plain, easy = Scorecard("woe").fit(table, bad), Scorecard("woe", select={"least_iv": 0.0}).fit(table, bad)
    assert plain.left_out_ == easy.left_out_ == {}
    assert plain.card_ == easy.card_


def test_a_column_of_special_codes_is_judged_with_them(people):
    table, bad = people
    rng = np.random.default_rng(4)
    coded = pd.DataFrame({"code": np.where(bad & (rng.random(len(bad)) < 0.8), -1.0, rng.random(len(bad)))})
    both = coded.assign(strong=table["strong"])
    assert Scorecard("woe", special={"code": [-1]}, select={"least_iv": 0.5}).fit(both, bad).left_out_ == {}


def test_stepwise_keeps_what_adds_something_and_lets_little_noise_in(people):
    table, bad = people
    rng = np.random.default_rng(5)
    noise = {f"noise {k}": rng.normal(size=len(bad)) for k in range(40)}
    many = table[["strong", "again", "word"]].assign(**noise)
    own = Scorecard("woe", select={"stepwise": 0.01}).fit(many, bad)
    kept = set(many.columns) - set(own.left_out_)
    assert len(kept & {"strong", "again"}) == 1
    assert "word" not in kept
    assert len(kept & set(noise)) <= 2  # 0.4 are expected: a feature of k bins is tested with k - 1 degrees of freedom
    assert "p-value" in own.left_out_["word"]


def test_stepwise_lets_a_feature_leave_that_others_explain_together():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 4000))
    both = 0.9 * (one + other) + 0.7 * rng.normal(size=4000)  # best alone, and needless beside the two
    bad = rng.random(4000) < expit(-1 - one - other)
    evidence = np.column_stack([both, one, other, -one])
    assert stepwise(evidence[:, :1], np.ones(1, np.int64), bad, 0.001) == [0]
    assert sorted(stepwise(evidence, np.ones(4, np.int64), bad, 0.001)) == [1, 2]
    assert stepwise(rng.normal(size=(4000, 3)), np.ones(3, np.int64), bad, 1e-6) == []


def test_the_first_to_enter_has_the_greatest_score_statistic():
    rng = np.random.default_rng(6)
    evidence = rng.normal(size=(500, 4))
    bad = rng.random(500) < expit(-evidence @ [0.2, 0.9, 0.0, 0.5])
    good = 1.0 - bad
    centred = evidence - evidence.mean(axis=0)
    score = (centred.T @ (good - good.mean())) ** 2 / (good.var() * (centred**2).sum(axis=0))
    assert stepwise(evidence, np.ones(4, np.int64), bad, 1e-4)[0] == int(np.argmax(score)) == 1


def test_rules_that_are_none_or_leave_nothing_are_refused(people):
    table, bad = people
    for wish in ({"least": 1.0}, {"most_missing": 2.0}, {"most_alike": 0.0}, {"stepwise": 0.0}):
        with pytest.raises(ParameterError, match="select"):
            Scorecard(select=wish).fit(table, bad)
    with pytest.raises(DataError, match="select leaves no feature"):
        Scorecard(select={"least_iv": 50.0}).fit(table, bad)


def test_settings_of_the_command_line_reach_the_rules(tmp_path):
    from blindscore.errors import SchemaError
    from blindscore.scorecard.settings.read import load_settings

    path = tmp_path / "settings.toml"
    path.write_text("max_pvalue = 0.1\n[select]\nleast_iv = 0.02\nmost_missing = 0.9\nstepwise = 0.05\n")
    asked = load_settings(path).estimator
    assert asked["select"] == {"least_iv": 0.02, "most_missing": 0.9, "stepwise": 0.05}
    assert asked["max_pvalue"] == 0.1
    path.write_text("[select]\nleast = 1\n")
    with pytest.raises(SchemaError, match=r"\[select\]: unknown key"):
        load_settings(path)
