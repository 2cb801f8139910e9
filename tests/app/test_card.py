"""``fit``, ``score`` and ``explain`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.people.files import blocks as blocks_in
from blindscore.people.files.loaders import load_people
from blindscore.scorecard.forms.json import load_card
from tests.app.conftest import Files, Run, leftovers


def test_fit_says_how_well_the_card_does_on_unseen_people(run: Run, files: Files, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    answer = run("fit", files.people, "--schema", files.schema, "--out", path, "--json")
    said = json.loads(answer.out)
    assert said["fingerprint"] == load_card(path).fingerprint
    assert said["people"] == 400
    assert said["auc_unseen_low"] <= said["auc_unseen"] <= said["auc_unseen_high"]
    assert said["auc_unseen"] > 0.55  # late payers default more, by construction


def test_special_codes_get_bins_of_their_own_in_the_card_and_in_what_explain_shows(
    run: Run, files: Files, tmp_path: Path
) -> None:
    table, path = files.table.copy(), tmp_path / "card.json"
    coded = np.random.default_rng(1).random(len(table)) < 0.3
    table.loc[coded, ["months_late", "bad"]] = [-9, 1]  # whoever has the code is bad; without it, low is good
    table.to_csv(files.people, index=False)
    asked = ("fit", files.people, "--schema", files.schema, "--out", path, "--json")
    plain = json.loads(run(*asked).out)
    assert plain["special"] == {}
    named = json.loads(run(*asked, "--special", "arrears=-9", "--special", "arrears=-8,-9").out)
    assert named["special"] == {"arrears": [-9.0, -8.0]}  # a code that nobody has yet may be named
    every = json.loads(run(*asked, "--special", "-9").out)  # without a feature: where somebody has it
    assert every["special"] == {"arrears": [-9.0]}
    assert len({plain["fingerprint"], named["fingerprint"], every["fingerprint"]}) == 3
    assert plain["fingerprint"] == json.loads(run(*asked).out)["fingerprint"]
    said = run(*asked[:-1], "--special", "-9")
    assert "special in arrears: -9" in said.out
    row = ("--row", int(coded.argmax()), "--json")
    shown = json.loads(run("explain", path, files.people, "--schema", files.schema, *row).out)
    own = next(part for part in shown["characteristics"] if part["feature"] == "arrears")
    assert own["bin"] == "-9"
    assert own["lost"] > 0


@pytest.mark.parametrize(
    ("special", "message"),
    [
        ("months_late=-9", "no feature is called 'months_late'; numbers are income, arrears"),
        ("purpose=1", "'purpose' holds categories"),
        ("arrears=much", "give numbers with commas"),
        ("arrears=", "give numbers with commas"),
        ("arrears=1,,2", "give numbers with commas"),
        ("arrears=nan", "finite"),
        ("arrears=1e999", "finite"),
        ("-77", "no number in the file holds -77"),
        ("arrears=1,2,3,4,5,6,7,8", "at most 7"),
    ],
)
def test_special_codes_that_make_no_sense_are_refused(
    run: Run, files: Files, tmp_path: Path, special: str, message: str
) -> None:
    out = tmp_path / "card.json"
    answer = run("fit", files.people, "--schema", files.schema, "--out", out, "--special", special)
    assert answer.refused()
    assert message in answer.err
    assert not out.exists()


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("result", ["scores.csv", "scores.parquet"])
def test_scores_equal_those_of_the_card(
    run: Run, files: Files, card: Path, tmp_path: Path, kind: str, result: str
) -> None:
    people = tmp_path / f"again.{kind}"
    files.table.to_parquet(people) if kind == "parquet" else files.table.to_csv(people, index=False)
    out = tmp_path / result
    answer = run("score", card, people, "--schema", files.schema, "--out", out, "--id", "area")
    assert answer.status == 0, answer.err
    table = pd.read_csv(out) if result.endswith("csv") else pd.read_parquet(out)
    loaded = load_card(card)
    features = load_people(files.people, files.schema).features
    assert list(table.columns) == ["row", "area", "score"]
    assert table["row"].tolist() == list(range(400))
    assert table["area"].astype(int).tolist() == files.table["area"].tolist()
    np.testing.assert_array_equal(table["score"], loaded.scores(loaded.bins(features)))


def test_scoring_in_small_batches_gives_the_same_bytes(
    run: Run, files: Files, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, whole, parts = tmp_path / "p.parquet", tmp_path / "a.csv", tmp_path / "b.csv"
    files.table.to_parquet(people)
    run("score", card, people, "--schema", files.schema, "--out", whole)
    monkeypatch.setattr(blocks_in, "BATCH_ROWS", 7)
    run("score", card, people, "--schema", files.schema, "--out", parts)
    assert whole.read_bytes() == parts.read_bytes()
    monkeypatch.setattr(blocks_in, "BATCH_BYTES", 500)
    run("score", card, files.people, "--schema", files.schema, "--out", parts)
    assert whole.read_bytes() == parts.read_bytes()


def test_score_without_a_schema_reads_columns_by_the_cards_names(
    run: Run, files: Files, card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.csv"
    refused = run("score", card, files.people, "--out", out)
    assert refused.refused()
    assert "arrears" in refused.err
    renamed = tmp_path / "renamed.csv"
    files.table.rename(columns={"months_late": "arrears"}).to_csv(renamed, index=False)
    assert run("score", card, renamed, "--out", out, "--json").status == 0
    first = pd.read_csv(out)["score"]
    run("score", card, files.people, "--schema", files.schema, "--out", out)
    assert first.tolist() == pd.read_csv(out)["score"].tolist()


def test_explain_shows_points_that_sum_to_the_score(run: Run, files: Files, card: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.csv"
    run("score", card, files.people, "--schema", files.schema, "--out", out)
    scores = pd.read_csv(out)["score"]
    for row in (0, 5, 399):
        said = json.loads(
            run("explain", card, files.people, "--schema", files.schema, "--row", row, "--json").out,
        )
        parts = said["characteristics"]
        assert said["base"] + sum(part["points"] for part in parts) == said["total"]
        assert said["score"] == min(max(said["total"], 350), 950) == scores[row]
        assert all(part["lost"] == part["best"] - part["points"] >= 0 for part in parts)
        assert [part["lost"] for part in parts] == sorted((part["lost"] for part in parts), reverse=True)
    shown = run("explain", card, files.people, "--schema", files.schema, "--row", 5)
    assert "missing" in shown.out  # person 5 has no income on file
    assert f"Score: {scores[5]}." in shown.out


def test_explain_of_a_row_that_does_not_exist_is_refused(run: Run, files: Files, card: Path) -> None:
    for row in (400, -1, "first"):
        assert run("explain", card, files.people, "--schema", files.schema, "--row", row).refused()


def _spoil(files: Files, kind: str) -> None:
    head, *rows = files.people.read_text().splitlines()
    cells = rows[-1].split(",")
    lines = {
        "number is text": [head, *rows[:-1], ",".join(["much", *cells[1:]])],
        "infinity": [head, *rows[:-1], ",".join(["1e999", *cells[1:]])],
        "column missing": [head.replace("income", "wage"), *rows],
        "column twice": [head.replace("area", "income"), *rows],
        "short row": [head, *rows[:-1], "1,2"],
        "header only": [head],
        "empty": [],
    }[kind]
    files.people.write_text("\n".join(lines) + ("\n" if lines else ""))


SPOILT = [
    "number is text",
    "infinity",
    "column missing",
    "column twice",
    "short row",
    "header only",
    "empty",
]


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_file_is_refused_and_an_older_result_stays(
    run: Run, files: Files, card: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "s.csv"
    asked = ("score", card, files.people, "--schema", files.schema, "--out", out)
    assert run(*asked).status == 0
    before = out.read_bytes()
    _spoil(files, kind)
    answer = run(*asked)
    assert answer.refused()
    assert "much" not in answer.err  # a value is somebody's data
    assert out.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_files_that_are_no_table_are_refused(run: Run, card: Path, tmp_path: Path) -> None:
    for name, content in (("x.parquet", b"PAR1 no"), ("x.csv", b"\xff\xfe\x00"), ("x.csv.gz", b"not gzip")):
        (tmp_path / name).write_bytes(content)
        assert run("score", card, tmp_path / name, "--out", tmp_path / "s.csv").refused()
    for nowhere in (tmp_path / "none.csv", tmp_path):
        assert run("score", card, nowhere, "--out", tmp_path / "s.csv").refused()
    assert not (tmp_path / "s.csv").exists()


def test_a_tampered_card_is_refused_and_the_untouched_one_accepted(
    run: Run, files: Files, card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.csv"
    asked = (files.people, "--schema", files.schema)
    plain = json.loads(card.read_text())
    plain["base"] += 100
    tampered = tmp_path / "tampered.json"
    tampered.write_text(json.dumps(plain))
    refused = run("score", tampered, *asked, "--out", out)
    assert refused.refused()
    assert "fingerprint" in refused.err
    assert run("explain", tampered, *asked, "--row", 0).refused()
    assert not out.exists()
    assert run("score", card, *asked, "--out", out).status == 0
    for other in (tmp_path / "none.json", tmp_path, files.people):
        assert run("score", other, *asked, "--out", out).refused()


def test_an_out_that_cannot_be_written_is_refused(run: Run, files: Files, card: Path, tmp_path: Path) -> None:
    asked = ("score", card, files.people, "--schema", files.schema)
    for out in (tmp_path, tmp_path / "none" / "s.csv", tmp_path / "s.xlsx", "/proc/s.csv"):
        assert run(*asked, "--out", out).refused()
    assert run(*asked, "--id", "score", "--out", tmp_path / "s.csv").refused()
    assert run(*asked, "--id", "nothing", "--out", tmp_path / "s.csv").refused()
    assert run("fit", files.people, "--schema", files.schema, "--out", tmp_path).refused()


def test_an_out_that_is_an_input_is_refused_and_the_input_stays(run: Run, files: Files, card: Path) -> None:
    link = files.people.with_name("link.csv")
    link.symlink_to(files.people)
    before = {path: path.read_bytes() for path in (files.people, files.schema, card)}
    asked = ("score", card, files.people, "--schema", files.schema)
    refused = [run(*asked, "--out", out) for out in (files.people, link, card, files.schema)]
    refused += [
        run("fit", files.people, "--schema", files.schema, "--out", out) for out in (files.people, files.schema)
    ]
    for answer in refused:
        assert answer.refused()
        assert "would replace what is read" in answer.err
    assert {path: path.read_bytes() for path in before} == before
