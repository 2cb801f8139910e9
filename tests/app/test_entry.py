"""Submissions: packed, held to account figure by figure, refused where they were tampered with."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import PLAYED, Ledger
from blindscore_app.commands.designs import choose_designs
from blindscore_app.entry import check, leaderboard, submission
from blindscore_app.entry.origin import origin_of
from blindscore_app.entry.submission import Submission, pack, parse, read
from blindscore_app.report.checked import ledger_schema, parse_checked
from tests.app.conftest import HOSTILE, Run, quick_capabilities

pytest.importorskip("lightgbm", reason="attackers need the extra frontier")
REFERENCE = {"ed25519_verify_us": 500.0, "memory_read_gb_per_s": 8.0}


@pytest.fixture(scope="module")
def measured() -> Ledger:
    designs = choose_designs("bureau,minimal", 1, 300)
    people = make_society(people=300, seed=3)
    return measure(people, designs, Scorecard(), seed=3, command="c", capabilities=quick_capabilities())


@pytest.fixture(scope="module")
def packed(measured: Ledger) -> Submission:
    return replace(pack(measured, "ours"), reference=REFERENCE)


@pytest.fixture(scope="module")
def again(packed: Submission) -> Ledger:
    return check.measure_again(origin_of(packed.ledger), packed.ledger, lambda *_: None)


def test_a_submission_reads_back_equal_and_packs_to_the_same_bytes(packed: Submission, tmp_path: Path) -> None:
    path = tmp_path / "s.json.gz"
    path.write_bytes(packed.to_bytes())
    assert read(path).to_bytes() == packed.to_bytes()
    assert packed.division == "open"
    assert len(packed.code["blindscore"]) == 64


def test_a_system_description_names_no_machine_and_no_path(packed: Submission) -> None:
    import platform

    told = json.dumps(packed.system)
    assert platform.node() not in told
    assert "/" not in told.replace("(R)", "")


def test_the_closed_division_is_the_whole_society_under_five_seeds(measured: Ledger) -> None:
    full = replace(measured, meta={**measured.meta, "people": 20_000, "seeds": [1, 2, 3, 4, 5]})
    assert submission.is_closed(full)
    assert not submission.is_closed(replace(full, meta={**full.meta, "seeds": [1]}))
    assert not submission.is_closed(replace(full, meta={**full.meta, "synthetic": False, "population": "loans.csv"}))


def test_what_was_really_measured_comes_out_the_same(packed: Submission, again: Ledger) -> None:
    found = check.differences(packed, again, REFERENCE)
    assert [one for one in found if one.kind == check.FIGURE] == []


def test_one_figure_that_was_improved_is_found(packed: Submission, again: Ledger) -> None:
    rows = list(packed.ledger.rows)
    at = next(k for k, row in enumerate(rows) if row.advantage > 0.5)
    rows[at] = replace(rows[at], advantage=rows[at].advantage - 1e-9)
    designs = (replace(packed.ledger.designs[0], auc=0.9), *packed.ledger.designs[1:])
    bent = replace(packed, ledger=replace(packed.ledger, rows=tuple(rows), designs=designs))
    found = [one for one in check.differences(bent, again, REFERENCE) if one.kind == check.FIGURE]
    assert [one.where.rpartition(": ")[2] for one in found] == ["auc", "advantage"]


def test_a_row_that_was_left_out_is_found(packed: Submission, again: Ledger) -> None:
    bent = replace(packed, ledger=replace(packed.ledger, rows=packed.ledger.rows[1:]))
    found = [one for one in check.differences(bent, again, REFERENCE) if one.kind == check.FIGURE]
    assert [one.submitted for one in found] == [None]


def test_times_are_held_to_the_machines_own_reference(packed: Submission, again: Ledger) -> None:
    def timed(ledger: Ledger, factor: float) -> Ledger:
        designs = tuple(replace(d, us_per_person={"scorer": 2.0 * factor}, real_runs=0) for d in ledger.designs)
        return replace(ledger, designs=designs)

    def times(factor: float, speed: float) -> int:
        own = {**REFERENCE, "memory_read_gb_per_s": REFERENCE["memory_read_gb_per_s"] * speed}
        found = check.differences(replace(packed, ledger=timed(packed.ledger, 1)), timed(again, factor), own)
        return sum(one.kind == check.TIME for one in found)

    assert times(1, 1) == times(2.9, 1) == times(5, 1 / 5) == 0  # five times as slow on a machine five times as slow
    assert times(3.1, 1) == times(1, 5) == 2


def test_intervals_that_do_not_meet_under_other_people_are_counted(measured: Ledger) -> None:
    played = [k for k, row in enumerate(measured.rows) if row.kind == PLAYED]
    assert check.apart(measured, measured) == (0, len(played))
    rows = list(measured.rows)
    moved = [(played[0], 5.0), (played[1], -5.0)]
    for k, by in moved:
        rows[k] = replace(rows[k], low=rows[k].low + by, high=rows[k].high + by)
    rows.pop(played[2])  # a row that only one of the two has is not compared
    assert check.apart(replace(measured, rows=tuple(rows)), measured) == (2, len(played) - 1)


def test_a_hidden_seed_takes_the_submitters_place(packed: Submission) -> None:
    origin = check.origin_under(packed, 77)
    assert origin.seeds == (77,)
    assert origin.population(77).fingerprint != packed.ledger.meta["fingerprint"]


def damaged(packed: Submission, **changes: Any) -> Any:
    return json.loads(gzip.decompress(packed.to_bytes())) | changes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "format"),
        ({"name": "<b>"}, "name"),
        ({"division": "mine"}, "division"),
        ({"reference": {"ed25519_verify_us": 0, "memory_read_gb_per_s": 1}}, "reference"),
        ({"extra": 1}, "additionalProperties"),
        ({"ledger": {}}, "not the one that was packed"),
    ],
)
def test_a_damaged_submission_is_refused(packed: Submission, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        parse(damaged(packed, **changes))
    assert parse(damaged(packed)).name == "ours"


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"[" * 100_000, mtime=0), gzip.compress(b"\xff", mtime=0)],
    ids=["empty", "no gzip", "nested", "no text"],  # the bytes differ from run to run of another zlib
)
def test_what_is_no_submission_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.json\.gz"):
        read(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "MAX_UNPACKED", 1000)
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(bytes(10**6)))
    with pytest.raises(DataError, match="unpacks to over"):
        read(path)


def test_a_name_that_would_mark_up_the_page_is_refused(measured: Ledger) -> None:
    with pytest.raises(ParameterError, match="letters"):
        pack(measured, "a|b")


def listed(packed: Submission) -> dict[str, bool]:
    """Return the page's designs, and whether nothing beats them."""
    lines = [line for line in leaderboard.page([("a.json.gz", packed)]).splitlines() if line.startswith("| `")]
    return {line.split("`")[1]: "●" in line for line in lines}


def test_the_page_ranks_nothing_and_marks_what_nothing_beats(packed: Submission) -> None:
    assert list(listed(packed)) == ["bureau", "minimal"]
    own = packed.ledger.designs
    better = replace(own[1], design="better", auc_loss=-1.0, bytes_up=0, bytes_down=0, us_per_person={})
    dominated = replace(packed, ledger=replace(packed.ledger, designs=(*own, better)))
    assert listed(dominated) == {"bureau": False, "minimal": False, "better": True}


def test_a_strangers_words_cannot_mark_up_the_page(packed: Submission) -> None:
    meta = {**packed.ledger.meta, "command": HOSTILE + "`|\n# x"}
    text = leaderboard.page([("a", replace(packed, ledger=replace(packed.ledger, meta=meta)))])
    assert "<script" not in text
    assert "\n# x" not in text


def test_commands_pack_check_and_list(
    packed: Submission, again: Ledger, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "measure_again", lambda *_: again)  # measured once, above
    ledger = tmp_path / "ledger.json"
    ledger.write_text(packed.ledger.to_json())
    board = tmp_path / "board"
    board.mkdir()
    assert run("submit", ledger, "--name", "ours", "--out", board / "a.json.gz").status == 0
    told = json.loads(run("check", board / "a.json.gz", "--json").out)
    assert [one for one in told["differences"] if one["kind"] == "figure"] == []
    assert run("leaderboard", board, "--out", tmp_path / "page.md").status == 0
    assert "`minimal`" in (tmp_path / "page.md").read_text()
    assert run("check", board / "a.json.gz", "--seed", 5).refused()
    assert run("check", ledger).refused()
    assert run("leaderboard", tmp_path / "none").refused()


def test_the_published_schema_is_the_programs_and_takes_its_ledgers(measured: Ledger) -> None:
    published = json.loads((Path(__file__).parents[2] / "docs" / "ledger.schema.json").read_text())
    assert published == ledger_schema()
    plain = measured.to_dict()
    plain["rows"] = plain["rows"][:200]
    jsonschema.Draft202012Validator(published).validate(plain)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("rows", "advantage", "1"),
        ("rows", "removed", 1),
        ("designs", "us_per_person", {"a": "b"}),
        ("designs", "sees", [1]),
    ],
)
def test_schema_and_reader_refuse_the_same(measured: Ledger, part: str, key: str, value: Any) -> None:
    plain = json.loads(json.dumps(measured.to_dict()))
    plain["rows"] = plain["rows"][:20]
    parse_checked(plain)
    plain[part][0][key] = value
    assert list(jsonschema.Draft202012Validator(ledger_schema()).iter_errors(plain))
    with pytest.raises(DataError, match=key):
        parse_checked(plain)
