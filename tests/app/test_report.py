"""Tables, picture and sentences, on made-up ledgers."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import Ledger, Row
from blindscore_app.report import figures
from blindscore_app.report.picture import draw_frontier
from blindscore_app.report.tables import clean, decimals, print_ledger
from tests.app.conftest import HOSTILE


def _printed(ledger: Ledger, width: int | None = None, coalition: str = "scorer") -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=width is not None, no_color=True, color_system=None)
    print_ledger(ledger, coalition, console)
    return out.getvalue()


def test_the_table_fits_a_log_and_says_all_figures(ledger: Ledger) -> None:
    text = _printed(ledger)
    assert max(map(len, text.splitlines())) <= 120
    for words in ("64/64 real runs agree", ".720", ".015–.027", "≤ .12", "no bound", "removed", "politics", "23.8 kB"):
        assert words in text
    assert "…" not in text


def test_a_narrow_terminal_gets_two_tables_with_the_same_figures(ledger: Ledger) -> None:
    text = _printed(ledger, width=100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("sealed ") > _printed(ledger).count("sealed ")
    for words in ("64/64 real runs agree", ".720", ".015–.027", "≤ .12", "no bound", "removed"):
        assert words in text


def test_the_other_coalition_can_head_the_table(ledger: Ledger) -> None:
    assert "Capabilities of the scorer+source" in _printed(ledger, coalition="scorer+source")
    with pytest.raises(ParameterError, match="nobody"):
        _printed(ledger, coalition="nobody")


def test_a_strangers_name_cannot_style_the_terminal(hostile_ledger: Ledger) -> None:
    assert "[red]" in _printed(replace(hostile_ledger, meta={"command": HOSTILE}))
    assert clean("a\x1b[31mb\nc") == "a?[31mb?c"
    assert clean("x" * 30) == "x" * 23 + "…"


def test_the_headline_follows_the_figures(ledger: Ledger) -> None:
    said = figures.headline(ledger, "scorer")
    assert said.startswith("sealed leaves out everything outside finance, costs 2.1 points of AUC [1.5 to 2.7]")
    assert "removes 3 of 4 measured capabilities of the scorer (link, steer, disclose)" in said
    kept = tuple(replace(row, removed=False) for row in ledger.rows)
    assert figures.headline(replace(ledger, rows=kept), "scorer") == (
        "No design of this run removes any of the 4 measured capabilities of the scorer."
    )


def test_the_weak_spot_names_the_coalition_that_keeps_most(ledger: Ledger) -> None:
    assert figures.weak_spot(ledger, "scorer") == ""  # the other coalition does no better
    rows = tuple(
        replace(r, removed=False, advantage=0.9, low=0.85, high=0.95)
        if (r.design, r.coalition, r.secret) == ("sealed", "scorer+source", "legal id")
        else r
        for r in ledger.rows
    )
    said = figures.weak_spot(replace(ledger, rows=rows), "scorer")
    assert said == ("Where scorer and source pool what they saw, sealed removes 2 of 4; attacks work for link 0.90.")


def test_findings_tell_removed_from_merely_not_found(ledger: Ledger) -> None:
    assert figures.finding(ledger, "sealed", "scorer", "steer") == "removed"
    assert figures.finding(ledger, "encrypted", "scorer", "steer") == "works"
    assert figures.finding(ledger, "sealed", "scorer", "profile") != "works"
    assert figures.finding(ledger, "sealed", "nobody", "profile") == "not measured"
    rows = tuple(replace(r, bound=None, removed=False) for r in ledger.rows)
    assert figures.finding(replace(ledger, rows=rows), "sealed", "scorer", "steer") == "none found"


def test_the_worst_secret_is_the_surest_not_the_noisiest(ledger: Ledger) -> None:
    rows = [r for r in ledger.rows if r.design == "bureau" and r.capability == "profile"]
    noisy = replace(rows[1], advantage=0.9, low=-0.5, high=1.0)
    changed = replace(ledger, rows=tuple(noisy if r is rows[1] else r for r in ledger.rows))
    found = figures.worst(changed, "bureau", rows[1].coalition, "profile")
    assert found is not None
    assert found.secret == "politics"


def test_printed_bounds_are_never_rounded_down() -> None:
    assert figures.rounded_up(0.0001) == 0.01
    assert figures.rounded_up(0.05) == 0.05
    assert figures.rounded_up(0.0) == 0.0


def test_numbers_read_well() -> None:
    assert [decimals(x) for x in (0.83, 1.0, -0.02, 0.0)] == [".83", "1.00", "-.02", ".00"]
    assert [figures.fixed(x) for x in (-0.001, -0.02, 0.5)] == ["0.00", "-0.02", "0.50"]
    assert figures.quantity(15_600, ("B", "kB", "MB")) == "15.6 kB"
    assert figures.quantity(999, ("B", "kB", "MB")) == "999 B"
    assert figures.quantity(0.1, ("µs", "ms", "s")) == "0.1 µs"


def test_limits_name_the_made_up_people_only_where_they_are(ledger: Ledger) -> None:
    assert "synthetic society" in figures.not_shown(ledger)[0]
    real = replace(ledger, meta={**ledger.meta, "population": "people.csv", "synthetic": False})
    assert all("synthetic" not in limit for limit in figures.not_shown(real))


def test_the_picture_is_drawn_for_any_names(ledger: Ledger, hostile_ledger: Ledger) -> None:
    for each in (ledger, hostile_ledger, replace(ledger, rows=())):
        picture = draw_frontier(each, dpi=40)
        assert picture.startswith(b"\x89PNG")
    assert draw_frontier(ledger, dpi=40) != draw_frontier(ledger, "scorer+source", dpi=40)


def test_rows_that_no_attack_stands_behind_are_counted_and_left_out_of_tables() -> None:
    def row(kind: str) -> Row:
        return Row("d", "scorer", "steer", kind, "a", 0.0, 0.0, 0.0, control=0.5, bound=0.0, kind=kind)

    whole = Ledger({}, (), tuple(map(row, ("played", "absent", "absent", "by role"))))
    assert [r.secret for r in figures.tried(whole).rows] == ["played"]
    assert figures.not_tried(whole).startswith("3 rows more")
    assert "2 of coalitions that lack" in figures.not_tried(whole)
    assert figures.not_tried(figures.tried(whole)) == ""
    assert figures.public_words(row("played")) == "public 0.50"
    assert figures.public_words(replace(row("played"), capability="repeat")) == ""
