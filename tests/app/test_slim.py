"""A slimmed drawing says the same, in the same places, in fewer bytes; one that it cannot say stays."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from blindscore.surveillance.ledger import Ledger
from blindscore_app.report import charts
from blindscore_app.report.html import packed
from blindscore_app.report.slim import slim

DRAWN = """<svg width="9" viewBox="0 0 9 9">
<g fill="none" transform="translate(10,20)"><g><g transform="translate(0.5,0.5)">
<line transform="translate(0,4)" x2="250" y2="0" stroke="a"/><line transform="translate(0,8)" x2="0" y2="5" stroke="a"/>
<line x2="3" y2="4" stroke="b" stroke-width="2"/></g></g>
<g><path transform="translate(1,2)" d="M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0" fill="c" stroke-width="2"/>
<path transform="translate(1,2)" d="M-5,-5h10v10h-10Z" fill="c"/><path d="M1,2h3Z" fill="c"/></g>
<g><text text-anchor="start" transform="translate(6,7)" fill="var(--paper)" stroke="var(--paper)" stroke-width="5"
>5 %</text></g>
<g><text text-anchor="start" transform="translate(6,7)" fill="d">5 %</text><text fill="d">&lt;&amp;</text></g></g>
</svg>"""


def test_places_looks_and_words_stay() -> None:
    assert slim(DRAWN) == (
        '<svg width="9" viewBox="0 0 9 9"><g fill="none"><path d="M10.5,24.5h250M10.5,28.5v5" stroke="a"/>'
        '<path d="M10.5,20.5l3,4" stroke="b" stroke-width="2"/><circle cx="11" cy="22" r="5" fill="c"/>'
        '<path d="M6,17h10v10h-10ZM11,22h3Z" fill="c"/><text x="16" y="27" class="halo" fill="d">5 %</text>'
        '<text x="10" y="20" fill="d">&lt;&amp;</text></g></svg>'
    )


@pytest.mark.parametrize(
    "wrong",
    [
        '<g transform="rotate(90)"/>',
        '<g stroke="a"/>',
        "<image/>",
        '<path d="M0,0C1,1,2,2,3,3"/>',
        "<text>a<tspan>b</tspan></text>",
    ],
)
def test_what_would_be_drawn_wrongly_stays_as_it_came(wrong: str) -> None:
    assert slim(f"<svg>{wrong}</svg>") == f"<svg>{wrong}</svg>"


def test_numbers_near_nothing_are_read() -> None:
    line = '<svg><g><line transform="translate(5.684e-14,-1.2e+02)" x2="2e-15" y2="3" stroke="a"/></g></svg>'
    assert slim(line) == '<svg><g fill="none"><path d="M0,-120l0,3" stroke="a"/></g></svg>'
    path = '<svg><path transform="translate(1,2)" d="M1.5e-13,0L3,-4e-14Z" fill="a"/></svg>'
    assert slim(path) == '<svg><g fill="none"><path d="M1,2L4,2Z" fill="a"/></g></svg>'


def test_a_chart_keeps_its_words_in_under_half_of_its_bytes(ledger: Ledger) -> None:
    after = charts.capability_panel(ledger, "scorer", "link")
    before = _unslimmed(ledger)

    def words(svg: str) -> set[str | None]:
        return {text.text for text in ElementTree.fromstring(svg).iter("text")}

    assert words(after) == words(before) != set()
    marks = [re.sub(r' aria-label="[^"]*"', "", svg) for svg in (before, after)]
    assert 2 * len(marks[1]) < len(marks[0])


def _unslimmed(ledger: Ledger) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "slim", lambda svg: svg)
        return charts.capability_panel(ledger, "scorer", "link")


def test_packed_rows_unpack_to_what_they_were() -> None:
    rows = [{"a": "x", "n": 1.5, "b": None}, {"a": "y", "n": 2, "b": True}, {"a": "x", "n": None, "b": 0}]
    told = packed(rows)
    texts = told["texts"]
    assert texts == {"a": ["x", "y"]}
    back = [
        {key: texts[key][value] if key in texts else value for key, value in zip(told["keys"], line, strict=True)}
        for line in told["lines"]
    ]
    assert back == rows
    assert packed([]) == {"keys": [], "texts": {}, "lines": []}
