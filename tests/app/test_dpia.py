"""The data protection impact assessment of a design: headings, and figures that are read back from the ledger."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from blindscore.surveillance.ledger import Ledger, parse_ledger
from blindscore_app.report.dpia import render_dpia
from tests.app.conftest import HOSTILE, Files, Run

VOID = {"meta"}
STATIC = re.compile(r"95%|WP216")  # the only digits of the form itself, outside <cite>


class Read(HTMLParser):
    """Splits an assessment into quoted figures, quoted texts, and the form's own words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str, bool, str]] = []  # value, place, rounded up, shown
        self.texts: list[tuple[str, str]] = []
        self.own: list[str] = []
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tag, given = self.open[-1] if self.open else ("", {})
        if tag == "data":
            self.figures.append((given["value"] or "", given["data-from"] or "", "data-rounded" in given, data))
        elif "data-from" in given:
            self.texts.append((given["data-from"] or "", data))
        elif tag not in ("cite", "style"):
            self.own.append(data)


def at(plain: Any, place: str) -> Any:
    for step in re.findall(r"[^.\[\]]+", place):
        plain = plain[int(step)] if isinstance(plain, list) else plain[step]
    return plain


def strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {str(key) for key in value}.union(*(strings(one) for one in value.values()))
    return set().union(*map(strings, value)) if isinstance(value, list) else {str(value)}


@pytest.fixture
def measured(files: Files, run: Run, plain_designs: None, tmp_path: Path) -> Path:
    """The ledger of a few plain designs over 400 made-up people, as the command writes it."""
    out = tmp_path / "out"
    arguments = ("--schema", files.schema, "--designs", "bureau,minimal", "--quick", "--no-cache", "--out", out)
    assert run("audit", files.people, *arguments).status == 0
    return out / "ledger.json"


def check(page: str, plain: dict[str, Any]) -> Read:
    """Hold every figure and text of an assessment against the ledger."""
    read = Read(page)
    for value, place, rounded, shown in read.figures:
        stands = at(plain, place)
        assert float(value) == stands, place
        places = len(shown.partition(".")[2])
        seen = float(shown.replace(",", ""))
        if rounded:
            assert stands - 1e-9 <= seen <= stands + 0.01
        else:
            assert math.isclose(seen, stands, abs_tol=0.51 * 10**-places)
    for place, text in read.texts:
        below = strings(at(plain, place))
        assert text in below or any(text in one for one in below) or text.split(" as ")[0] in below, (place, text)
    own = STATIC.sub("", " ".join(read.own))
    assert re.findall(r".{0,20}\d.{0,20}", own) == []
    return read


def test_every_number_of_an_assessment_is_read_back_from_the_ledger(measured: Path) -> None:
    plain = json.loads(measured.read_text())
    for design in ("bureau", "minimal"):
        read = check(render_dpia(parse_ledger(plain), design), plain)
        places = {place.rpartition(".")[2] for _, place, _, _ in read.figures}
        assert {
            "auc",
            "auc_loss",
            "advantage",
            "low",
            "high",
            "people",
            "good_refused",
            "smallest",
            "alone",
            "told",
        } <= places
    # A figure that the ledger does not hold is found by the same check.
    page = render_dpia(parse_ledger(plain), "minimal")
    spoilt = re.sub(r'(<data value=")0\.', r"\g<1>7.", page, count=1)
    assert spoilt != page
    for other in (spoilt, page.replace("</main>", "<p>nearly 3 of them</p></main>")):
        with pytest.raises(AssertionError):
            check(other, plain)


def test_it_has_the_headings_and_leaves_open_what_no_figure_says(ledger: Ledger) -> None:
    page = render_dpia(ledger, "sealed")
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert [heading.split(":")[0].split(" ")[0] for heading in headings] == [
        "Context", "Data", "Purposes", "Necessity", "Rights", "Measures", "Risks", "Residual", "What",
    ]  # fmt: skip
    for step in ("CNIL 1.1", "CNIL 1.2", "CNIL 2.1", "CNIL 2.2", "CNIL 3.1", "CNIL 3.2", "CNIL 4"):
        assert step in page
    assert {int(n) for n in re.findall(r"ICO step (\d)", page)} == set(range(1, 8))
    assert page.count('class="fill"') >= 6
    check(page, ledger.to_dict())


def test_what_works_and_what_is_removed_stand_where_they_belong(ledger: Ledger) -> None:
    page = render_dpia(ledger, "encrypted")
    residual = page[page.index("<h2>Residual risk") : page.index("<h2>What is not")]
    works = residual[residual.index("An attack works") : residual.index("Removed, by attack")]
    assert "steer" in works
    assert "steer" not in residual[residual.index("Removed, by attack") :]
    assert "link" in residual[residual.index("Removed, by attack") :]


def test_a_strangers_names_are_escaped(hostile_ledger: Ledger) -> None:
    page = render_dpia(hostile_ledger, "bureau")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page


def test_the_command_writes_it_and_refuses_half_an_order(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    source, out = tmp_path / "ledger.json", tmp_path / "d.html"
    source.write_text(ledger.to_json())
    done = run("report", source, "--dpia", "--design", "sealed", "--out", out, "--json")
    assert done.status == 0
    assert json.loads(done.out)["bytes"] == out.stat().st_size
    for wrong in (
        ("--dpia",),
        ("--design", "sealed"),
        ("--dpia", "--design", "nobody"),
        ("--dpia", "--design", "sealed", "--language", "de"),
    ):
        assert run("report", source, *wrong, "--out", tmp_path / "other.html").refused()
    assert not (tmp_path / "other.html").exists()
