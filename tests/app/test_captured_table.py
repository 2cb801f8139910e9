"""Captured rows are shown: README's table of them, and the page's; the worst of several campaigns stands for a link."""

from __future__ import annotations

from dataclasses import replace

from blindscore.surveillance.ledger import CAPTURED, Ledger, Row
from blindscore_app.report.captured import captured_table
from blindscore_app.report.html import render_page


def row(design: str, coalition: str, capability: str, secret: str, *figures: float) -> Row:
    advantage, low, high = figures
    told = "captured: 0 of 12 people of one town; no bound is claimed"
    return Row(design, coalition, capability, secret, "files", advantage, low, high, 0.0, reason=told, kind=CAPTURED)


CAPTURED_ROWS = (
    row("sealed", "lender", "disclose", "any record", 0.0, 0.0, 0.242),
    row("sealed", "source", "disclose", "any record", 1.0, 0.758, 1.0),
    row("sealed", "observer", "intercept", "decision (by the clock, lan, 1 at once)", -0.006, -0.02, 0.013),
    row("sealed", "observer", "intercept", "decision (by the clock, lan, 16 at once)", 0.004, -0.01, 0.021),
    row("sealed", "observer", "intercept", "decision (none, lan, 1 at once)", 0.925, 0.893, 0.957),
    row("sealed", "observer", "intercept", "which lender (by the clock, lan, 16 at once)", 0.99, 0.97, 1.0),
)


def test_a_line_a_design_shows_orders_the_worst_campaign_of_a_link_and_the_control(ledger: Ledger) -> None:
    head, _, only = captured_table(replace(ledger, captured=CAPTURED_ROWS)).splitlines()
    cells = dict(zip(head.strip("| ").split(" | "), only.strip("| ").split(" | "), strict=True))
    assert cells == {
        "design": "`sealed`",
        "files of its lender": "0.00 [0.00, 0.25]",
        "files of its helper": "·",
        "files of its auditor": "·",
        "files of its source": "1.00 [0.76, 1.00]",
        "line, lan": "0.00 [-0.01, 0.03]",
        "line, dsl": "·",
        "line, mobile": "·",
        "line where the reply is the decision": "0.93 [0.89, 0.96]",
    }


def test_the_page_lists_captured_rows_and_says_nothing_of_them_where_there_are_none(ledger: Ledger) -> None:
    page = render_page(replace(ledger, captured=CAPTURED_ROWS))
    assert page.count("captured: 0 of 12 people") == len(CAPTURED_ROWS)
    assert "which lender (by the clock, lan, 16 at once)" in page
    assert "Captured rows" not in render_page(ledger)
