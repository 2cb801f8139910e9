"""Tables, picture and sentences, on made-up ledgers."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import REFUSES, Ledger, Row
from blindscore_app.report import figures, grid, sentences
from blindscore_app.report.picture import draw_frontier
from blindscore_app.report.tables import clean, decimals, print_ledger
from tests.app.conftest import HOSTILE


def _printed(ledger: Ledger, width: int | None = None, coalition: str = "scorer", *, details: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=width is not None, no_color=True, color_system=None)
    print_ledger(ledger, coalition, console, details=details)
    return out.getvalue()


@pytest.mark.parametrize("width", [None, 80])
def test_the_tables_fit_80_columns_and_say_all_figures(ledger: Ledger, width: int | None) -> None:
    text = _printed(ledger, width)
    assert max(map(len, text.splitlines())) <= 80
    for words in ("64/64 real runs agree", ".720", ".015–.027", "≤ .12", "no bound", "removed", "politics", "23.8 kB"):
        assert words in text
    assert "…" not in text


def test_without_details_it_ends_on_the_grid_and_breaks_no_word(ledger: Ledger) -> None:
    text = _printed(ledger, width=80, details=False)
    lines = [line.rstrip() for line in text.splitlines()]
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    assert "no bound" not in text
    assert lines[-1].split()[0] == ledger.designs[-1].design
    assert "no, proven" in lines[-1]
    words = set(" ".join(_printed(ledger, width=400, details=False).split()).split())
    assert set(text.split()) - words <= {"─" * n for n in range(400)} | set(text.split("\n"))


def test_the_other_coalition_can_head_the_table(ledger: Ledger) -> None:
    assert "Capabilities of the scorer+source" in " ".join(_printed(ledger, coalition="scorer+source").split())
    with pytest.raises(ParameterError, match="nobody"):
        _printed(ledger, coalition="nobody")


def test_a_strangers_name_cannot_style_the_terminal(hostile_ledger: Ledger) -> None:
    assert "[red]" in _printed(replace(hostile_ledger, meta={"command": HOSTILE}))
    assert clean("a\x1b[31mb\nc") == "a?[31mb?c"
    assert clean("x" * 30) == "x" * 23 + "…"


def test_the_headline_follows_the_figures(ledger: Ledger) -> None:
    said = sentences.headline(_with_views(ledger, "financial", "posts"), "scorer")
    assert said.startswith("sealed leaves out everything outside finance, costs 2.1 points of AUC [1.5 to 2.7]")
    assert "removes 3 of 4 measured capabilities of the scorer (link, steer, disclose)" in said
    kept = tuple(replace(row, removed=False) for row in ledger.rows)
    assert sentences.headline(replace(ledger, rows=kept), "scorer") == (
        "No design of this run removes any of the 4 measured capabilities of the scorer."
    )


def _with_views(ledger: Ledger, *contexts: str) -> Ledger:
    view = {"role": "scorer", "contexts": list(contexts), "fields": [], "stored": [], "keyed_by": "legal id"}
    return replace(ledger, designs=(replace(ledger.designs[0], sees=(view,)), *ledger.designs[1:]))


def test_leaving_out_what_nobody_reads_is_no_news(ledger: Ledger) -> None:
    said = sentences.headline(_with_views(ledger, "financial", "register", "decision"), "scorer")
    assert "outside finance" not in said
    assert said.startswith("sealed costs 2.1 points of AUC")


def test_what_the_public_register_gives_is_said_beside_none_found(ledger: Ledger) -> None:
    rows = tuple(
        replace(r, advantage=0.38, low=0.37, high=0.39, control=0.38, bound=None, removed=False)
        if (r.design, r.coalition, r.capability) == ("bureau", "scorer", "link")
        else r
        for r in ledger.rows
    )
    (said,) = [s for s in sentences.what_stays(replace(ledger, rows=rows), "scorer") if s.startswith("bureau")]
    assert "none found, not excluded: link 0.38 (public 0.38)" in said


def test_coalitions_side_by_side_show_one_secret(ledger: Ledger) -> None:
    changed = {
        ("scorer+source", "religion"): (0.77, 0.70, 0.84, 0.72),
        ("scorer+source", "politics"): (0.05, 0.01, 0.09, 0.0),
        ("scorer", "religion"): (0.90, 0.85, 0.95, 0.0),
    }
    rows = tuple(
        replace(r, **dict(zip(("advantage", "low", "high", "control"), changed[r.coalition, r.secret], strict=True)))
        if r.design == "bureau" and (r.coalition, r.secret) in changed
        else r
        for r in ledger.rows
    )
    told = replace(ledger, rows=rows)
    own = figures.worst(told, "bureau", "scorer+source", "profile")
    shown = [figures.comparable(told, "bureau", who, "profile") for who in ("scorer", "scorer+source")]
    assert own is not None
    assert own.secret == "politics"
    assert [row.secret for row in shown if row is not None] == ["religion", "religion"]


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"removed": True, "advantage": 0.0, "low": 0.0, "high": 0.01, "bound": 0.02}, grid.PROVEN),
        ({"removed": False, "advantage": 0.0, "low": 0.0, "high": 0.01, "bound": None}, grid.TRIED),
        ({"removed": False, "advantage": 0.3, "low": 0.06, "high": 0.5}, grid.YES),
        ({"removed": False, "advantage": 0.3, "low": 0.04, "high": 0.5}, grid.UNCLEAR),
        ({"removed": False, "advantage": 0.4, "low": 0.39, "high": 0.41, "control": 0.4}, grid.TRIED),
        ({"kind": "absent", "advantage": 0.0, "low": 0.0, "high": 0.0, "removed": True}, grid.NOTHING),
        ({"kind": "by role", "advantage": 1.0, "low": 1.0, "high": 1.0}, grid.YES),
    ],
)
def test_a_cell_follows_its_rows(changed: dict[str, Any], answer: str) -> None:
    row = Row("d", "scorer", "steer", "s", "a", 0.0, 0.0, 0.0, control=0.0, bound=0.0)
    removed = replace(row, removed=True)
    own = replace(row, **changed)
    assert grid.answer([own]) == answer
    if own.kind == "played":
        assert grid.answer([removed, own]) == answer  # one secret that is learnt is enough
    assert grid.answer([]) == grid.NOTHING


def test_the_lead_follows_the_figures(ledger: Ledger) -> None:
    assert grid.lead(ledger, "scorer")[0].startswith("In none of the designs")
    view = {"role": "scorer", "contexts": ["decision"], "fields": ["approved"], "stored": [], "keyed_by": "one-time"}
    blind = replace(ledger.design("sealed"), sees=(view,))
    told = replace(ledger, designs=(*ledger.designs[:-1], blind))
    said = " ".join(grid.lead(told, "scorer"))
    assert said.startswith("A lender can decide as well as today's bureau while learning one yes or no.")
    assert "ranks 72 rightly" in said
    assert "ranks 74" in said
    worse = replace(ledger, designs=(*ledger.designs[:-1], replace(blind, auc=0.60)))
    assert "as well as" not in grid.lead(worse, "scorer")[0]


def test_the_weak_spot_names_the_coalition_that_keeps_most(ledger: Ledger) -> None:
    assert sentences.weak_spot(ledger, "scorer") == ""  # the other coalition does no better
    rows = tuple(
        replace(r, removed=False, advantage=0.9, low=0.85, high=0.95)
        if (r.design, r.coalition, r.secret) == ("sealed", "scorer+source", "legal id")
        else r
        for r in ledger.rows
    )
    said = sentences.weak_spot(replace(ledger, rows=rows), "scorer")
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


def test_a_chart_shows_the_cells_largest_bound_and_none_where_one_secret_has_none(ledger: Ledger) -> None:
    def drawn(religion: float | None) -> float | None:
        rows = tuple(
            replace(r, bound=religion)
            if (r.design, r.capability, r.secret) == ("encrypted", "profile", "religion")
            else r
            for r in ledger.rows
        )
        shown = figures.drawn(replace(ledger, rows=rows), "encrypted", "scorer", "profile")
        assert shown is not None
        assert shown.secret == "politics"
        return shown.bound

    assert [drawn(0.60), drawn(0.06), drawn(None)] == [0.60, 0.12, None]


def test_numbers_read_well() -> None:
    assert [decimals(x) for x in (0.83, 1.0, -0.02, 0.0)] == [".83", "1.00", "-.02", ".00"]
    assert [figures.fixed(x) for x in (-0.001, -0.02, 0.5)] == ["0.00", "-0.02", "0.50"]
    assert figures.quantity(15_600, ("B", "kB", "MB")) == "15.6 kB"
    assert figures.quantity(999, ("B", "kB", "MB")) == "999 B"
    assert figures.quantity(0.1, ("µs", "ms", "s")) == "0.1 µs"


def test_limits_name_the_made_up_people_only_where_they_are(ledger: Ledger) -> None:
    assert "synthetic society" in sentences.not_shown(ledger)[0]
    real = replace(ledger, meta={**ledger.meta, "population": "people.csv", "synthetic": False})
    assert all("synthetic" not in limit for limit in sentences.not_shown(real))


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
    assert sentences.not_tried(whole).startswith("3 rows more")
    assert "2 of coalitions that lack" in sentences.not_tried(whole)
    assert sentences.not_tried(figures.tried(whole)) == ""
    assert figures.public_words(row("played")) == "public 0.50"
    assert figures.public_words(replace(row("played"), capability="repeat")) == ""


def test_who_can_only_keep_silent_bends_nothing() -> None:
    bound = Row("d", "scorer", "steer", "named person", "a", 0.0, 0.0, 0.0, bound=0.0, removed=True)
    silent = replace(bound, advantage=1.0, low=1.0, high=1.0, bound=None, removed=False, adversary=REFUSES)
    assert grid.answer([bound]) == grid.PROVEN
    assert grid.answer([bound, silent]) == grid.SILENT
    assert grid.answer([replace(bound, removed=False, bound=None), silent]) == grid.SILENT
    assert grid.answer([replace(bound, removed=False, low=0.9, advantage=0.9, high=0.9), silent]) == grid.YES
    assert grid.answer([silent]) == grid.YES
