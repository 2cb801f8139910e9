"""Conclusions held to several runs: the worst first, and what a file cannot speak to said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import REFUSES, Ledger, Row
from blindscore_app.report.conclusions import table
from tests.app.conftest import Run, make_ledger

ONE_BIT = "one bit tells a secret (`one-show`, scorer)"
LIMIT = "... and no attack tells more than"


def _run(advantage: float, bound: float | None = 0.5, exposed: int = 7) -> Ledger:
    """Return a run in which one bit tells a secret to a degree, silence works, and an order exposes so many of ten."""
    base = make_ledger()
    told = Row("one-show", "scorer", "profile", "illness", "trees", advantage, advantage - 0.1, advantage + 0.1)
    rows = (
        replace(told, bound=bound, control=0.4),
        Row("sealed", "scorer", "steer", "no answer", "silence", 1.0, 0.99, 1.0, adversary=REFUSES),
        Row("one-show", "source", "disclose", "any record", "order", 1.0, 1.0, 1.0, people_exposed=exposed),
    )
    designs = tuple(replace(base.designs[0], design=name) for name in ("one-show", "sealed"))
    return Ledger({**base.meta, "people": 10}, designs, rows)


def _lines(text: str) -> dict[str, list[str]]:
    split = [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    return {cells[0]: cells[1:] for cells in split}


def test_the_run_that_is_worst_for_people_stands_first() -> None:
    mild, hard = _run(0.5, bound=0.5, exposed=3), _run(0.7, bound=0.801, exposed=9)
    lines = _lines(table({"mild": mild, "hard": hard}))
    assert lines[ONE_BIT] == [
        "hard",
        "illness 0.50 [0.40, 0.60] (public 0.40)",
        "illness 0.70 [0.60, 0.80] (public 0.40)",
    ]
    assert lines[LIMIT] == ["hard", "0.50", "0.81"]  # a bound is rounded up, never down
    assert lines["an order to the source exposes (`one-show`)"] == ["hard", "3 of 10", "9 of 10"]
    assert lines["whoever does not answer refuses a named person (`sealed`)"][0] == "all alike"
    swapped = _lines(table({"hard": hard, "mild": mild}))
    assert all(swapped[sentence][0] == cells[0] for sentence, cells in lines.items())


def test_what_a_run_cannot_speak_to_is_said_and_is_never_the_worst() -> None:
    lines = _lines(table({"told": _run(0.5), "silent": _run(0.7, bound=None)}))
    assert lines[LIMIT] == ["told", "0.50", "none"]
    assert lines["`bureau`'s scorer guesses a secret"] == ["·", "not run on these people", "not run on these people"]
    assert lines["points of AUC that leaving out conduct outside finance costs"][1] == (
        "no conduct outside finance in the file"
    )


def test_no_run_is_refused() -> None:
    with pytest.raises(ParameterError, match="name at least one"):
        table({})


def test_the_command_writes_the_table(run: Run, tmp_path: Path) -> None:
    for name, advantage in (("a", 0.5), ("b", 0.7)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ledger.json").write_text(_run(advantage).to_json())
    a, b = tmp_path / "a" / "ledger.json", tmp_path / "b" / "ledger.json"
    done = run("conclusions", a, f"hard={b}", "--out", tmp_path / "table.md")
    assert done.status == 0
    text = (tmp_path / "table.md").read_text()
    assert text.splitlines()[0] == "| conclusion | worst | a | hard |"
    assert _lines(text)[ONE_BIT][0] == "hard"
    told = json.loads(run("conclusions", a, f"hard={b}", "--json").out)
    assert {"conclusion": LIMIT, "run": "hard", "words": "0.50", "worse": 0.5} in told
    for asked, said in (
        ((a, a), "name of its own"),
        ((a, "--out", a), "would replace"),
        ((tmp_path / "none.json",), "cannot be read"),
    ):
        answer = run("conclusions", *asked)
        assert answer.refused()
        assert said in answer.err
