"""``frontier`` and ``audit`` from the command line, on small inputs."""

from __future__ import annotations

import gzip
import html
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from blindscore.surveillance.ledger import load_ledger, row_keys
from tests.app.conftest import Files, Run, leftovers

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
WRITTEN = {"ledger.csv", "ledger.json", "frontier.png", "report.html"}
FEW = ("--people", 300, "--sample", 2, "--seeds", 2)  # two, so that marks of several seeds are made
# Attacks at full length are on trial in tests/core (test_whole_ledger.py plays them all); here two audits play them.


@pytest.mark.usefixtures("plain_designs")
def test_the_frontier_prints_the_table_and_writes_four_files(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    answer = run("frontier", *FEW, "--quick", "--designs", "platform,bureau", "--details", "--out", out)
    assert answer.status == 0, answer.err
    assert {path.name for path in out.iterdir()} == WRITTEN | {"parts"}
    assert "SYNTHETIC SOCIETY" in answer.out
    for word in ("platform", "bureau", "profile", "link", "steer", "disclose", "AUC loss", "bytes"):
        assert word in answer.out
    assert "platform: run" in answer.err  # progress goes to stderr
    ledger = load_ledger(out / "ledger.json")
    assert [d.design for d in ledger.designs] == ["platform", "bureau"]
    assert f"{ledger.design('bureau').auc:.3f}".removeprefix("0") in answer.out
    table = pd.read_csv(out / "ledger.csv")
    assert list(table.columns) == list(row_keys())
    assert len(table) == len(ledger.rows)
    assert (out / "frontier.png").read_bytes().startswith(b"\x89PNG")
    assert "Synthetic society" in (out / "report.html").read_text()


@pytest.mark.usefixtures("plain_designs")
def test_json_prints_the_ledger_and_nothing_else(run: Run, tmp_path: Path) -> None:
    answer = run("frontier", *FEW, "--quick", "--designs", "bureau", "--json", "--out", tmp_path)
    assert answer.out == (tmp_path / "ledger.json").read_text()
    assert json.loads(answer.out)["meta"]["people"] == 300


@pytest.mark.usefixtures("plain_designs")
def test_quick_plays_the_short_attacks_and_says_so(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("frontier", *FEW, "--quick", "--designs", "bureau", "--json", "--out", tmp_path).out)
    assert {row["capability"] for row in told["rows"]} == {"profile", "link", "steer", "intercept", "disclose"}
    assert told["meta"]["command"].endswith("--designs bureau --quick")


@pytest.mark.usefixtures("plain_designs")
def test_a_cache_gives_the_same_rows_without_the_work(run: Run, tmp_path: Path) -> None:
    given = ("frontier", *FEW, "--quick", "--designs", "bureau", "--json")
    kept = tmp_path / "kept"
    first = run(*given, "--out", tmp_path / "a", "--cache", kept)
    again = run(*given, "--out", tmp_path / "b", "--cache", kept)
    assert "bureau: link" in first.err
    assert "bureau: as before" in again.err
    assert json.loads(first.out)["rows"] == json.loads(again.out)["rows"]
    assert {path.name for path in (tmp_path / "a").iterdir()} == WRITTEN
    refused = run(*given, "--out", tmp_path / "a", "--cache", tmp_path / "a" / "ledger.csv")
    assert refused.status == 2
    assert "not a directory" in refused.err


@pytest.mark.usefixtures("plain_designs")
def test_parts_are_kept_beside_the_ledger_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    given = ("frontier", *FEW, "--quick", "--designs", "bureau", "--out", tmp_path)
    assert "bureau: link" in run(*given).err
    assert (tmp_path / "parts").is_dir()
    assert "bureau: as before" in run(*given).err
    assert "bureau: link" in run(*given, "--no-cache").err
    assert "bureau: link" in run(*given, "--set", "bureau.approve=0.6").err  # another design, another part
    both = run(*given, "--no-cache", "--cache", tmp_path / "parts")
    assert both.status == 2
    assert "exclude each other" in both.err


@pytest.mark.usefixtures("plain_designs")
def test_a_parameter_is_set_and_stands_in_the_ledger_and_its_command(run: Run, tmp_path: Path) -> None:
    given = ("frontier", *FEW, "--quick", "--designs", "minimal", "--json", "--out", tmp_path)
    told = json.loads(run(*given, "--set", "minimal.tolerance=0.5", "--set", "minimal.approve=0.6").out)
    assert told["designs"][0]["parameters"]["tolerance"] == 0.5
    assert told["designs"][0]["parameters"]["approve"] == 0.6
    assert "--set minimal.tolerance=0.5 --set minimal.approve=0.6" in told["meta"]["command"]


@pytest.mark.usefixtures("plain_designs")
def test_the_society_with_disparities_is_measured_on_its_own_secrets(run: Run, tmp_path: Path) -> None:
    given = ("--people", 1000, "--sample", 2, "--society", "disparate", "--quick", "--designs", "bureau")
    told = json.loads(run("frontier", *given, "--json", "--out", tmp_path).out)
    assert "--society disparate" in told["meta"]["command"]
    secrets = {row["secret"] for row in told["rows"] if row["capability"] == "profile"}
    assert {"ethnicity", "single"} <= secrets
    assert "pregnant" in secrets


@pytest.mark.usefixtures("plain_designs")
def test_the_command_in_the_ledger_gives_the_same_figures_again(run: Run, tmp_path: Path) -> None:
    few = ("--people", 300, "--sample", 2, "--seeds", 1, "--seed", 3, "--quick")
    first = json.loads(run("frontier", *few, "--designs", "bureau", "--json", "--out", tmp_path).out)
    again = first["meta"]["command"].split()[1:]
    second = json.loads(run(*again, "--json", "--out", tmp_path).out)
    assert first["rows"] == second["rows"]
    assert first["meta"]["fingerprint"] == second["meta"]["fingerprint"]
    from blindscore.people.society import make_society

    assert make_society(people=300, seed=3).fingerprint == first["meta"]["fingerprint"]
    assert make_society(people=300, seed=4).fingerprint != first["meta"]["fingerprint"]


@pytest.mark.usefixtures("plain_designs")
def test_audit_gives_the_table_for_a_file(run: Run, files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out"
    few = ("--sample", 2, "--seeds", 2, "--designs", "bureau,minimal")
    answer = run("audit", files.people, "--schema", files.schema, *few, "--out", out)
    assert answer.status == 0, answer.err
    assert "SYNTHETIC" not in answer.out
    assert "Synthetic society" not in (out / "report.html").read_text()
    ledger = load_ledger(out / "ledger.json")
    assert {row.secret for row in ledger.find(capability="profile")} == {"sex"}
    assert all(not seen["record"] for design in ledger.designs for seen in design.sees)  # no real person's data
    assert str(tmp_path) not in ledger.meta["command"]


@pytest.mark.usefixtures("plain_designs")
def test_a_category_that_only_later_customers_have_stops_nobody(run: Run, files: Files, tmp_path: Path) -> None:
    table = files.table.assign(year="past")
    table.loc[300:, "year"] = "new"
    table.loc[399, "purpose"] = "boat"
    table.to_csv(files.people, index=False)
    files.schema.write_text(files.schema.read_text() + '[history]\ncolumn = "year"\npast = ["past"]\n')
    asked = (files.people, "--schema", files.schema)
    few = ("--sample", 2, "--quick", "--designs", "bureau,minimal")
    answer = run("audit", *asked, *few, "--out", tmp_path / "out")
    assert answer.status == 0, answer.err
    assert run("fit", *asked, "--out", tmp_path / "card.json").status == 0
    scored = run("score", tmp_path / "card.json", files.people, "--schema", files.schema, "--out", tmp_path / "s.csv")
    assert scored.status == 0, scored.err


@pytest.mark.parametrize(
    ("name", "secrets", "short"),  # one file by attacks at full length, the other by short ones
    [
        ("taiwan_default", {"sex", "age_band", "marital_status"}, ["--quick", "--designs", "bureau,minimal"]),
        ("german_credit", {"sex", "age_band"}, ["--seeds", "1", "--designs", "bureau"]),
    ],
)
@pytest.mark.usefixtures("plain_designs")
def test_audit_of_a_real_file(run: Run, tmp_path: Path, name: str, secrets: set[str], short: list[str]) -> None:
    source = DATA / f"{name}.csv.gz"
    if not source.exists():
        pytest.skip(f"{source.name} is not at hand: real data are never part of this repository")
    head = tmp_path / f"{name}.csv"
    with gzip.open(source, "rt") as file:
        head.write_text("".join(line for _, line in zip(range(601), file, strict=False)))
    schema = ROOT / "examples" / "schemas" / f"{name}.toml"
    answer = run("audit", head, "--schema", schema, *short, "--json", "--out", tmp_path / "out")
    assert answer.status == 0, answer.err
    rows = json.loads(answer.out)["rows"]
    assert secrets <= {row["secret"] for row in rows if row["capability"] == "profile"}


@pytest.mark.parametrize(
    "wrong",
    [
        ("--people", 0),
        ("--people", -5),
        ("--people", "many"),
        ("--people", 10**9),
        ("--seed", -1),
        ("--seed", 2**32),
        ("--seed", 1.5),
        ("--society", "fair"),
        ("--designs", "platform,nonsense"),
        ("--designs", "bureau,bureau"),
        ("--designs", " , "),
        ("--sample", 0),
        ("--people", 300, "--sample", 301),
        ("--unknown", 1),
        ("--designs", "bureau", "--coalition", "nobody"),
        ("--designs", "bureau", "--set", "bureau.approve=2"),
        ("--designs", "bureau", "--set", "platform.approve=.5"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("plain_designs")
def test_a_wrong_setting_is_refused_and_nothing_is_written(run: Run, tmp_path: Path, wrong: tuple[object, ...]) -> None:
    out = tmp_path / "out"
    people = () if "--people" in wrong else ("--people", 300)
    sample = () if "--sample" in wrong else ("--sample", 2)
    assert run("frontier", *people, *sample, *wrong, "--out", out).refused()
    assert not out.exists()


@pytest.mark.usefixtures("plain_designs")
def test_an_out_that_is_a_file_is_refused_before_any_work(run: Run, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for out in (taken, taken / "below"):
        answer = run("frontier", *FEW, "--out", out)
        assert answer.refused()
        assert "not a directory" in answer.err
        assert "run" not in answer.err.replace("running", "")
    assert taken.read_text() == "mine"
    assert run("frontier", *FEW, "--out", "/proc/blindscore").refused()


@pytest.mark.usefixtures("plain_designs")
def test_a_failure_in_mid_run_leaves_finished_parts_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blindscore.errors import DataError
    from blindscore_app.report import picture

    def broken(*_: object) -> bytes:
        raise DataError("no ink")

    monkeypatch.setattr(picture, "draw_frontier", broken)
    out = tmp_path / "out"
    assert run("frontier", *FEW, "--quick", "--designs", "bureau", "--out", out).refused()
    assert {path.name for path in out.iterdir()} == {"parts"}
    monkeypatch.undo()


@pytest.mark.usefixtures("plain_designs")
def test_interrupting_says_so_and_ends_with_130(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blindscore.people import society

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(society, "make_society", interrupted)
    answer = run("frontier", *FEW, "--out", tmp_path / "out")
    assert answer.status == 130
    assert "interrupted" in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "out").exists()


def _lines(files: Files) -> list[str]:
    return files.people.read_text().splitlines()


def _spoil(files: Files, kind: str) -> None:
    """Rewrite the lender's file with one fault."""
    head, *rows = _lines(files)
    cells = rows[0].split(",")
    spoilt = {
        "empty": [],
        "header only": [head],
        "column missing": [head.replace("income", "wage"), *rows],
        "column twice": [head.replace("area", "income"), *rows],
        "number is text": [head, ",".join(["much", *cells[1:]]), *rows[1:]],
        "infinity": [head, ",".join(["inf", *cells[1:]]), *rows[1:]],
        "one class": [head, *(f"{row[: row.rindex(',')]},0" for row in rows)],
        "outcome missing": [head, ",".join([*cells[:-1], ""]), *rows[1:]],
        "third outcome": [head, ",".join([*cells[:-1], "7"]), *rows[1:]],
        "short row": [head, "1,2", *rows[1:]],
    }[kind]
    files.people.write_text("\n".join(spoilt) + ("\n" if spoilt else ""))


FAULTS = [
    "empty",
    "header only",
    "column missing",
    "column twice",
    "number is text",
    "infinity",
    "one class",
    "outcome missing",
    "third outcome",
    "short row",
]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.usefixtures("plain_designs")
def test_a_spoilt_file_is_refused_by_audit_and_fit(run: Run, files: Files, tmp_path: Path, kind: str) -> None:
    _spoil(files, kind)
    out, card = tmp_path / "out", tmp_path / "card.json"
    assert run("audit", files.people, "--schema", files.schema, "--sample", 2, "--out", out).refused()
    assert run("fit", files.people, "--schema", files.schema, "--out", card).refused()
    assert not out.exists()
    assert not card.exists()
    assert leftovers(tmp_path) == []


@pytest.mark.usefixtures("plain_designs")
def test_files_that_are_not_there_are_refused(run: Run, files: Files, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.csv"
    for people, schema in ((nowhere, files.schema), (files.people, nowhere), (tmp_path, files.schema)):
        assert run("audit", people, "--schema", schema, "--sample", 2, "--out", tmp_path / "out").refused()
    files.schema.write_text("[target\n")
    assert run("audit", files.people, "--schema", files.schema, "--sample", 2, "--out", tmp_path / "out").refused()
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:opacus", "ignore::DeprecationWarning:torch")
def test_cryptographic_designs_run_for_real_behind_the_table(run: Run, tmp_path: Path) -> None:
    one = ("--people", 300, "--sample", 2, "--seeds", 1, "--quick")
    answer = run("frontier", *one, "--designs", "encrypted,sealed", "--details", "--out", tmp_path / "out")
    assert answer.status == 0, answer.err
    assert answer.out.count("2/2 real runs agree") == 2
    ledger = load_ledger(tmp_path / "out" / "ledger.json")
    for design in ledger.designs:
        assert (design.real_runs, design.real_agree) == (2, 2)
        assert design.bytes_up > 0
        scorer = next(seen for seen in design.sees if seen["role"] == "scorer")
        assert "financial" not in scorer["contexts"]
        assert scorer["opaque_bytes"] > 0


@pytest.mark.usefixtures("plain_designs")
def test_audit_without_an_outcome_measures_capabilities_and_says_nothing_of_quality(
    run: Run, files: Files, tmp_path: Path
) -> None:
    files.schema.write_text(re.sub(r"(?s)\[target\].*?\n\[", "\n[", files.schema.read_text()))
    out = tmp_path / "out"
    asked = ("audit", files.people, "--schema", files.schema, "--quick", "--designs", "bureau,minimal", "--out", out)
    answer = run(*asked)
    assert answer.status == 0, answer.err
    assert "No outcome is known of these people" in answer.out
    assert "No outcome is known of these people" in html.unescape((out / "report.html").read_text())
    ledger = load_ledger(out / "ledger.json")
    assert ledger.meta["outcome"] == "stand-in"
    assert ledger.meta["default_rate"] is None
    assert all(d.auc is d.auc_low is d.auc_loss is d.ks is None for d in ledger.designs)
    assert all(g["good_refused"] is g["bad_approved"] is None for d in ledger.designs for g in d.groups)
    assert {row.capability for row in ledger.rows} >= {"profile", "link"}
    assert not ledger.find(capability="remember")
    assert run("report", out / "ledger.json", "--out", tmp_path / "again.html").status == 0


@pytest.mark.usefixtures("plain_designs")
def test_a_design_that_these_people_cannot_play_is_skipped_with_its_reason(
    run: Run, files: Files, tmp_path: Path
) -> None:
    files.schema.write_text(files.schema.read_text().replace("[[features]]\n", '[[features]]\ncontext = "shopping"\n'))
    out = tmp_path / "out"
    asked = ("audit", files.people, "--schema", files.schema, "--quick", "--out", out)
    answer = run(*asked, "--designs", "platform,bureau")
    assert answer.status == 0, answer.err
    (skipped,) = load_ledger(out / "ledger.json").meta["skipped"]
    assert skipped["design"] == "bureau"
    assert "no feature it may use" in skipped["reason"]
    assert [d.design for d in load_ledger(out / "ledger.json").designs] == ["platform"]
    assert "Not run on these people: bureau" in answer.out
    assert "Not run on these people: bureau" in html.unescape((out / "report.html").read_text())
    refused = run(*asked, "--designs", "bureau")
    assert refused.refused()
    assert "no design can run on these people" in refused.err


@pytest.mark.usefixtures("plain_designs")
def test_attackers_trained_on_another_society_are_asked_for_by_its_name(run: Run, tmp_path: Path) -> None:
    asked = ("frontier", *FEW, "--designs", "bureau", "--quick", "--out", tmp_path / "out")
    answer = run(*asked, "--trained-on", "disparate", "--json")
    assert answer.status == 0, answer.err
    meta = json.loads(answer.out)["meta"]
    assert "--trained-on disparate" in meta["command"]
    assert meta["elsewhere"].startswith("300 people")
    assert run(*asked, "--trained-on", "nowhere").refused()
    assert run(*asked, "--trained-on", "disparate", "--engine", "dask").refused()
