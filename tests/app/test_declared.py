"""What a user declares counts when people are scored: levels of a category, words for missing, the delimiter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.forms.json import load_card, save_card
from blindscore.scorecard.scorecard import Scorecard
from tests.app.conftest import Run

SCHEMA = """[target]
column = "bad"
bad = ["1"]
[[features]]
name = "country"
kind = "category"
levels = ["DE", "FR", "NA", "TO"]
[[features]]
name = "income"
"""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Namibia is a country here, and few come from there; nobody comes from Tonga."""
    rng = np.random.default_rng(1)
    country = np.where(np.arange(2_000) < 5, "NA", rng.choice(["DE", "FR", ""], 2_000, p=[0.45, 0.45, 0.1]))
    risk = np.select([country == "FR", country == ""], [0.4, 0.6], 0.1)
    table = pd.DataFrame({"country": country, "income": rng.normal(2_000, 500, 2_000).round(), "bad": 0})
    table["bad"] = (rng.random(2_000) < risk).astype(int)
    table.to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "schema.toml").write_text(SCHEMA)
    return tmp_path / "people.csv"


def test_a_declared_rare_level_is_the_same_category_at_fit_and_at_scoring(run: Run, people: Path) -> None:
    folder = people.parent
    card_file, out = folder / "card.json", folder / "scores.csv"
    assert run("fit", people, "--schema", folder / "schema.toml", "--out", card_file).status == 0
    card = load_card(card_file)
    country = next(c for c in card.characteristics if c.feature == "country")
    assert country.groups is not None
    assert country.other is not None
    assert {"NA", "TO"} == set(country.groups[country.other])
    assert country.points[country.other] != country.points[-1]  # else the test could not tell them apart
    (folder / "new.csv").write_text("country,income\nNA,2000\nTO,2000\n,2000\nXX,2000\n")
    answer = run("score", card_file, folder / "new.csv", "--out", out, "--json")
    assert answer.status == 0, answer.err
    rare, unseen, missing, unlisted = pd.read_csv(out)["score"]
    assert rare == unseen == unlisted
    assert missing - rare == country.points[-1] - country.points[country.other]
    assert json.loads(answer.out)["unknown"] == {"country": 1}


@pytest.mark.parametrize("unknown", ["error", "missing", "neutral"])
def test_a_declared_level_that_nobody_had_is_never_refused(unknown: str) -> None:
    rng = np.random.default_rng(2)
    job = pd.Series(rng.choice(["cook", "smith"], 600), name="job")
    bad = rng.random(600) < np.where(job == "cook", 0.1, 0.5)
    card = Scorecard(unknown=unknown, levels={"job": ["cook", "smith", "tailor"]}).fit(job.to_frame(), bad)
    assert len(card.score_points(pd.DataFrame({"job": ["tailor", "cook"]}))) == 2
    with pytest.raises(ParameterError, match="levels are those of categories"):
        Scorecard(levels={"x": ["a"]}).fit(pd.DataFrame({"x": rng.random(600)}), bad)


def test_words_for_missing_and_the_delimiter_may_be_given_without_a_schema(run: Run, tmp_path: Path) -> None:
    card, out = tmp_path / "card.json", tmp_path / "scores.csv"
    save_card(Card((Characteristic("a", (-40, 10, -9), (0.5,)), Characteristic("b", (3, 17, 101), (0.5,))), 600), card)
    (tmp_path / "people.csv").write_text("a;b\n1;1\nunknown;0\n-;1\n")
    given = ("--missing", "unknown", "--missing", "-", "--delimiter", ";")
    answer = run("score", card, tmp_path / "people.csv", "--out", out, *given)
    assert answer.status == 0, answer.err
    assert pd.read_csv(out)["score"].tolist() == [627, 594, 608]
    told = run("explain", card, tmp_path / "people.csv", "--row", "all", "--json", *given)
    assert [json.loads(line)["score"] for line in told.out.splitlines()] == [627, 594, 608]
    assert run("score", card, tmp_path / "people.csv", "--out", out).refused()
    assert run("score", card, tmp_path / "people.csv", "--out", out, "--delimiter", "x").refused()
    (tmp_path / "tabs.csv").write_text("a\tb\n1\t1\n")
    assert run("score", card, tmp_path / "tabs.csv", "--out", out, "--delimiter", "tab").status == 0
    assert pd.read_csv(out)["score"].tolist() == [627]
