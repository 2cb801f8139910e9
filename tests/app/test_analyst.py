"""The analyst's page, command by command, on a small file; and what each new command refuses."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.people.files.loaders import load_people
from blindscore.scorecard.forms.json import load_card
from tests.app.conftest import Files, Run

PAGE = Path(__file__).parents[2] / "docs" / "analyst.md"
PUBLIC = "../shared/data/hmda_boston_1990.csv.gz"


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("blindscore ")]


def small(n: int = 900) -> pd.DataFrame:
    """A stranger's file: an identifier, a date, a constant, a code, a sensitive column, and features that tell."""
    rng = np.random.default_rng(3)
    late = rng.poisson(1.0, n).astype(float)
    income = rng.lognormal(7.5, 0.5, n).round(2)
    purpose = rng.choice(["car", "home", "study"], n)
    risk = -2.6 + 0.7 * late + 0.8 * (purpose == "car") - 0.5 * (np.log(income) - 7.5)
    late[rng.random(n) < 0.1] = -9
    return pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + n),
            "application_date": pd.date_range("2023-01-01", periods=n, freq="D").strftime("%Y-%m-%d"),
            "income": income,
            "monthsLate": late.astype(int),
            "purpose": purpose,
            "country": "xx",
            "sex": rng.choice(["f", "m"], n),
            "default": (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int),
        }
    )


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    small().to_csv(tmp_path / "raw.csv", index=False)
    return tmp_path / "raw.csv"


def test_the_page_walks_from_a_raw_file_to_a_signed_card(run: Run, raw: Path) -> None:
    listed = commands()
    assert {line.split()[1] for line in listed} == {"schema", "fit", "export", "validate", "score", "monitor"}
    for line in listed:
        answer = run(*shlex.split(line.replace(PUBLIC, "raw.csv"))[1:])
        assert answer.status == 0, (line, answer.err)
    scores = pd.read_csv("scores.csv")
    card = load_card(Path("champion.json"))
    people = load_people("raw.csv", "schema.toml")
    np.testing.assert_array_equal(scores["score"], card.scores(card.bins(people.features)))
    document = Path("validation.html").read_text(encoding="utf-8")
    assert card.fingerprint in document
    assert load_card(Path("challenger.json")).fingerprint in document
    assert "Swap set" in document
    assert "src=" not in document  # self-contained
    assert "By sex" in document


def test_the_draft_knows_what_is_what(run: Run, raw: Path) -> None:
    said = json.loads(run("schema", raw, "--json").out)
    assert said["outcome"] == ["default"]
    assert said["feature"] == ["income", "monthsLate", "purpose"]
    assert said["sensitive"] == ["sex"]
    assert set(said["why"]) == {"customer_id", "application_date", "country"}
    assert said["special"] == {"monthsLate": [-9.0]}
    again = run("schema", raw)
    assert again.refused()
    assert "exists" in again.err


def test_a_named_outcome_and_a_foreign_delimiter(run: Run, raw: Path, tmp_path: Path) -> None:
    table = pd.read_csv(raw).rename(columns={"default": "verdict"})
    table["verdict"] = np.where(table["verdict"] == 1, "lost", "kept")
    table["score_then"] = 7.5 + np.arange(len(table)) % 3
    table.to_csv(tmp_path / "semi.csv", sep=";", index=False)
    assert run("schema", "semi.csv", "--out", "a.toml").refused()
    answer = run("schema", "semi.csv", "--out", "a.toml", "--target", "verdict", "--bad", "lost")
    assert answer.status == 0, answer.err
    people = load_people("semi.csv", "a.toml")
    assert people.default.sum() == (table["verdict"] == "lost").sum()
    for wrong in (("--target", "nothing"), ("--target", "verdict", "--bad", "odd"), ("--bad", "lost")):
        assert run("schema", "semi.csv", "--out", "b.toml", *wrong).refused()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("metod = 'woe'", "unknown key 'metod'"),
        ("max_bins = 2.5", "whole number"),
        ("prior = 2", "between 0 and 1"),
        ("exclude = ['nobody']", "nobody"),
        ("[features.income]\ncuts = ['a']", "must be a number"),
        ("monotone = true\n[features.income]\nmonotone = 'increasing'", "not both"),
        ("[features.income]\nlocked = true", "need cuts or groups"),
        ("= 1", "not valid TOML"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    run: Run, files: Files, tmp_path: Path, settings: str, message: str
) -> None:
    (tmp_path / "fit.toml").write_text(settings)
    answer = run("fit", files.people, "--schema", files.schema, "--settings", tmp_path / "fit.toml")
    assert answer.refused()
    assert message in answer.err


def test_settings_are_obeyed(run: Run, files: Files, tmp_path: Path) -> None:
    text = (
        "method = 'woe'\nexclude = ['purpose']\nprior = 0.02\n"
        "[scale]\nbase_score = 600\nbase_odds = 20\npdo = 40\n"
        "[features.income]\ncuts = [1700.0, 2300.0]\nlocked = true\n"
        "[features.arrears]\ncuts = [1, 2, 3]\nmonotone = 'decreasing'\n"
    )
    (tmp_path / "fit.toml").write_text(text)
    asked = ("fit", files.people, "--schema", files.schema, "--hold-out", "--settings", tmp_path / "fit.toml", "--out")
    assert run(*asked, tmp_path / "a.json").status == 0
    card = load_card(tmp_path / "a.json")
    assert set(card.features) <= {"income", "arrears"}
    by_name = {c.feature: c for c in card.characteristics}
    if "income" in by_name:
        assert by_name["income"].edges == (1700.0, 2300.0)
    assert set(by_name["arrears"].edges) <= {1.0, 2.0, 3.0}
    assert list(by_name["arrears"].points[:-1]) == sorted(by_name["arrears"].points[:-1], reverse=True)
    assert (card.scale.base_odds, card.scale.pdo) == (20, 40)
    (tmp_path / "fit.toml").write_text(text.replace("prior = 0.02\n", ""))
    assert run(*asked, tmp_path / "b.json").status == 0
    plain = load_card(tmp_path / "b.json")
    people = load_people(files.people, files.schema)
    rate = people.default[people.history].mean()
    moved = card.scale.factor * (np.log(0.98 / 0.02) - np.log((1 - rate) / rate))
    assert card.base - plain.base == pytest.approx(moved, abs=0.5)


def test_a_date_parts_past_from_new_people(run: Run, raw: Path) -> None:
    assert run("schema", raw).status == 0
    with Path("schema.toml").open("a") as file:
        file.write('\n[history]\ncolumn = "application_date"\nbefore = "2024-07-01"\n')
    people = load_people(raw, "schema.toml")
    expected = pd.read_csv(raw)["application_date"] < "2024-07-01"
    np.testing.assert_array_equal(people.history, expected)
    said = json.loads(run("fit", raw, "--schema", "schema.toml", "--hold-out", "--json").out)
    assert said["fitted_on"] == expected.sum()


def test_monitor_counts_everybody_and_raises_alarms(run: Run, raw: Path) -> None:
    assert run("schema", raw).status == 0
    assert run("fit", raw, "--schema", "schema.toml").status == 0
    new = small()
    new["monthsLate"] = np.where(np.arange(len(new)) % 2, 9, new["monthsLate"])  # half of them much later
    new["default"] = new["default"].astype(object)
    new.loc[new.index % 3 == 0, "default"] = ""  # not ripe yet
    new.loc[0, "application_date"] = ""
    new.to_csv("new.csv", index=False)
    asked = ("monitor", "card.json", raw, "new.csv", "--schema", "schema.toml", "--month", "application_date", "--json")
    said = json.loads(run(*asked).out)
    assert said["new"]["people"] == sum(row["people"] for row in said["months"]) == len(new)
    assert said["new"]["known"] == (new["default"] != "").sum()
    assert said["months"][-1]["month"] == "unknown"
    assert said["stability"]["verdict"] == "moved much"
    assert any("monthsLate" in alarm["what"] for alarm in said["alarms"])
    assert "Month by month" in Path("monitor.html").read_text(encoding="utf-8")
    same = json.loads(run("monitor", "card.json", raw, raw, "--json").out)
    assert same["alarms"] == []
    assert same["calibration"] is None  # without a schema nobody knows which column is the outcome


def test_rejects_show_what_each_assumption_would_change(run: Run, raw: Path) -> None:
    assert run("schema", raw).status == 0
    assert run("fit", raw, "--schema", "schema.toml").status == 0
    small(300).drop(columns="default").to_csv("refused.csv", index=False)
    asked = ("validate", "card.json", raw, "--schema", "schema.toml", "--rejects", "refused.csv", "--json")
    said = json.loads(run(*asked).out)
    assert [row["method"] for row in said["reject"]["table"]] == ["accepts only", "augmentation", "parcelling", "fuzzy"]
    assert said["stability"] is None
    page = Path("validation.html").read_text(encoding="utf-8")
    assert "flatters it" in page
    assert "Nobody knows how the refused would have paid" in page


def test_a_validation_that_makes_no_sense_is_refused(run: Run, files: Files, card: Path) -> None:
    asked = ("validate", card, files.people, "--schema", files.schema)
    for wrong in (
        ("--approve", "1.5"),
        ("--gain", "0", "--loss", "0"),
        ("--harsh", "0"),
        ("--hold-out", "--base", files.people),
        ("--challenger", card),
    ):
        assert run(*asked, *wrong).refused(), wrong


def test_exports_go_where_they_are_told(run: Run, card: Path, tmp_path: Path) -> None:
    shown = run("export", card, "--to", "sql", "--dialect", "bigquery", "--out", "-")
    assert shown.out.startswith("SELECT")
    said = json.loads(run("export", card, "--to", "onnx", "--out", tmp_path / "a.onnx", "--json").out)
    assert (tmp_path / "a.onnx").stat().st_size == said["bytes"]
    for wrong in (("--to", "sas", "--points"), ("--to", "cobol"), ("--to", "sql", "--out", card)):
        assert run("export", card, *wrong).refused()
