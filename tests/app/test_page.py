"""The report page and its command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from blindscore.surveillance.ledger import Ledger
from blindscore_app.report import grid
from blindscore_app.report.checked import parse_checked
from blindscore_app.report.html import as_code, render_page
from tests.app.conftest import HOSTILE, Run, leftovers, make_ledger

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order, and collects texts, tags and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_nothing(ledger: Ledger) -> None:
    page = render_page(ledger)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert all(address.startswith(("data:", "#")) for address in parser.addresses)
    assert re.search(r"url\(|@import", page) is None
    assert len(page) < 3_000_000


def test_page_one_stands_alone(ledger: Ledger) -> None:
    page = render_page(ledger)
    first = page[: page.index("details class")]
    assert "Synthetic society, not a country" in first
    assert grid.lead(ledger, "scorer")[0] in first
    assert first.count('class="door"') == 3
    assert "<svg" not in first
    assert not any(name in first[first.index("<main>") :] for name in ("AUC", "95%", "epsilon"))


def test_a_strangers_names_are_escaped(hostile_ledger: Ledger) -> None:
    page = render_page(hostile_ledger)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_report_writes_the_page_of_a_ledger(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "page.html"
    source.write_text(ledger.to_json())
    answer = run("report", source, "--out", out)
    assert answer.status == 0, answer.err
    assert "sealed" in out.read_text()
    said = json.loads(run("report", source, "--out", out, "--json").out)
    assert said["bytes"] == out.stat().st_size


SLIDER = {"feature": "income", "context": "financial", "unit": "", "positions": [1, 2], "start": 0, "along": []}
PART = {"feature": "income", "slider": "income", "best": 5, "bins": ["a", "b"], "points": [1, 5]}
PERSON = {
    "threshold": 600,
    "low": 350,
    "high": 950,
    "base": 500,
    "parts": [PART],
    "scores": "9QH5AQ==",
    "reasons": "AP////////8=",
}
VIEW = {
    "role": "scorer",
    "party": "scorer",
    "keyed_by": "legal id",
    "fields": ["income"],
    "contexts": ["financial"],
    "stored": ["income"],
    "friends": False,
    "visits": False,
    "opaque_bytes": 0,
    "record": {"income": "2"},
    "wire": "00c1ffee",
    "wire_bytes": 4096,
}


def _whole() -> dict[str, Any]:
    """A ledger in its file's form, with every part that a page shows."""
    plain = make_ledger().to_dict()
    plain["meta"]["person"] = {"sliders": [SLIDER]}
    for design in plain["designs"]:
        design |= {"person": PERSON, "sees": [VIEW]}
    return plain


def test_a_ledger_of_before_views_said_how_long_they_keep_is_shown() -> None:
    page = render_page(parse_checked(_whole()))
    assert "Kept after the decision" in page
    assert "days)" not in page


SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "no designs": lambda p: p.update(designs=[]),
    "design twice": lambda p: p["designs"].append(p["designs"][0]),
    "key missing": lambda p: p["designs"][0].pop("auc"),
    "text for a number": lambda p: p["designs"][0].update(auc="high"),
    "null for a number": lambda p: p["rows"][0].update(advantage=None),
    "number for a text": lambda p: p["rows"][0].update(secret=5),
    "list for a mapping": lambda p: p["designs"][0].update(us_per_person=[1]),
    "row of no design": lambda p: p["rows"][0].update(design="other"),
    "meta without people": lambda p: p["meta"].pop("people"),
    "view without fields": lambda p: p["designs"][0].update(sees=[{"role": "scorer"}]),
    "group of numbers": lambda p: p["designs"][0].update(groups=[{"by": 1}]),
    "rule without source": lambda p: p["designs"][0].update(rules=[{"text": "x", "status": "reported"}]),
    "slider beyond its end": lambda p: p["meta"].update(person={"sliders": [{**SLIDER, "start": 2}]}),
    "points that fit no slider": lambda p: p["designs"][0].update(
        person={**PERSON, "parts": [{**PART, "points": [1, 2, 3], "bins": ["a", "b", "c"]}]}
    ),
    "part of a slider that is not there": lambda p: p["designs"][0].update(
        person={**PERSON, "parts": [{**PART, "slider": "other"}]}
    ),
    "reasons that name no part": lambda p: p["designs"][0].update(person={**PERSON, "reasons": "Af////////8="}),
    "too few reasons": lambda p: p["designs"][0].update(person={**PERSON, "reasons": "AP////8="}),
    "scores that are no base64": lambda p: p["designs"][0].update(person={**PERSON, "scores": "*"}),
    "too few scores": lambda p: p["designs"][0].update(person={**PERSON, "scores": "9QE="}),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_ledger_is_refused_and_an_older_page_stays(run: Run, tmp_path: Path, kind: str) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "page.html"
    out.write_text("older")
    plain = _whole()
    SPOILT[kind](plain)
    source.write_text(json.dumps(plain))
    assert run("report", source, "--out", out).refused()
    assert out.read_text() == "older"
    assert leftovers(tmp_path) == []


def test_a_partys_log_shows_the_message_that_it_received(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "page.html"
    source.write_text(json.dumps(_whole()))
    assert run("report", source, "--out", out).status == 0
    page = out.read_text()
    assert "<code>00c1ffee</code>" in page
    assert "the first 4 of 4096 bytes" in page


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"meta": 1}', "\x00"])
def test_what_is_no_ledger_is_refused_beside_one_that_is(run: Run, tmp_path: Path, text: str) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "page.html"
    source.write_text(text)
    assert run("report", source, "--out", out).refused()
    assert not out.exists()
    source.write_text(json.dumps(_whole()))
    assert run("report", source, "--out", out).status == 0
    assert "Log of the company that scores you" in out.read_text()


def test_wrong_places_are_refused(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    source = tmp_path / "ledger.json"
    source.write_text(ledger.to_json())
    assert run("report", tmp_path / "none.json", "--out", tmp_path / "p.html").refused()
    assert run("report", tmp_path, "--out", tmp_path / "p.html").refused()
    assert run("report", source, "--out", tmp_path).refused()
    assert run("report", source, "--out", tmp_path / "none" / "p.html").refused()
    assert run("report", source, "--out", tmp_path / "p.html", "--coalition", "nobody").refused()
    assert not (tmp_path / "p.html").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run `a --b <c>` & see", "run <code>a --b &lt;c&gt;</code> &amp; see"),
        ("`a` and `b`", "<code>a</code> and <code>b</code>"),
        ("one ` alone <i>", "one ` alone &lt;i&gt;"),
        ("`a` then ` alone", "<code>a</code> then ` alone"),
        ("plain", "plain"),
    ],
)
def test_what_stands_between_backticks_is_code_and_all_else_escaped(text: str, told: str) -> None:
    assert as_code(text) == told
