"""The report page and its command."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from blindscore.surveillance.ledger import Ledger
from blindscore_app.report.html import render_page
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
    first = page[: page.index("Who sees what")]
    assert "Synthetic society, not a country" in first
    assert "costs 2.1 points of AUC [1.5 to 2.7] against platform" in first
    assert "removes 3 of 4 measured capabilities" in first
    assert first.count("<svg") == 5  # quality and four capabilities


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


def _edited(path: Path, kind: str) -> None:
    plain = make_ledger().to_dict()
    match kind:
        case "not JSON":
            path.write_text("{")
            return
        case "a list":
            path.write_text("[]")
            return
        case "no designs":
            plain["designs"] = []
        case "key missing":
            del plain["designs"][0]["auc"]
        case "text for a number":
            plain["designs"][0]["auc"] = "high"
        case "null for a number":
            plain["rows"][0]["advantage"] = None
        case "number for a text":
            plain["rows"][0]["secret"] = 5
        case "list for a mapping":
            plain["designs"][0]["us_per_person"] = [1]
        case "row of no design":
            plain["rows"][0]["design"] = "other"
    path.write_text(json.dumps(plain))


@pytest.mark.parametrize(
    "kind",
    [
        "not JSON",
        "a list",
        "no designs",
        "key missing",
        "text for a number",
        "null for a number",
        "number for a text",
        "list for a mapping",
        "row of no design",
    ],
)
def test_a_spoilt_ledger_is_refused_and_an_older_page_stays(run: Run, tmp_path: Path, kind: str) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "page.html"
    out.write_text("older")
    _edited(source, kind)
    assert run("report", source, "--out", out).refused()
    assert out.read_text() == "older"
    assert leftovers(tmp_path) == []


def test_wrong_places_are_refused(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    source = tmp_path / "ledger.json"
    source.write_text(ledger.to_json())
    assert run("report", tmp_path / "none.json", "--out", tmp_path / "p.html").refused()
    assert run("report", tmp_path, "--out", tmp_path / "p.html").refused()
    assert run("report", source, "--out", tmp_path).refused()
    assert run("report", source, "--out", tmp_path / "none" / "p.html").refused()
    assert run("report", source, "--out", tmp_path / "p.html", "--coalition", "nobody").refused()
    assert not (tmp_path / "p.html").exists()
