"""Message catalogues: complete, compiled, and used by the page."""

from __future__ import annotations

import io
import json
import re
import string
from pathlib import Path

import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.surveillance.ledger import Ledger
from blindscore_app.locale import LANGUAGES, _, language, speaking
from blindscore_app.report import grid
from blindscore_app.report.html import render_page
from tests.app.conftest import Files, Run

pytest.importorskip("babel", reason="the catalogues are checked with Babel")

from blindscore_app.locale.gather import catalogue_path, messages

FORMATTED = re.compile(r"%\(\w+\)s|%%")


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_no_message_lacks_a_translation(code: str) -> None:
    from babel.messages.pofile import read_po

    catalogue = read_po(io.BytesIO(catalogue_path(code, "po").read_bytes()), locale=code)
    said = messages()
    assert len(said) > 200
    assert "{loss} points of AUC [{low} to {high}]" in said
    known = {m.id: m for m in catalogue if m.id}
    assert [m for m in said if m not in known or not known[m].string] == []
    assert [m for m in known if m not in said] == []
    assert [m.id for m in known.values() if m.fuzzy] == []
    for message in known.values():
        assert _values(str(message.string)) == _values(str(message.id)), message.id


def _values(text: str) -> list[str]:
    named = [str(name) for _text, name, _spec, _how in string.Formatter().parse(text) if name is not None]
    return sorted([*named, *FORMATTED.findall(text)])


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_the_compiled_catalogue_is_that_of_the_text(code: str) -> None:
    from babel.messages.pofile import read_po

    catalogue = read_po(io.BytesIO(catalogue_path(code, "po").read_bytes()), locale=code)
    with speaking(code):
        assert [m.id for m in catalogue if m.id and _(str(m.id)) != m.string] == []


def test_the_page_speaks_the_language_asked_for(ledger: Ledger) -> None:
    english = render_page(ledger)
    with speaking("de"):
        assert language() == "de"
        german = render_page(ledger)
        assert grid.lead(ledger, "scorer")[0] in german
    assert language() == "en"
    assert '<html lang="de">' in german
    assert "Künstliche Gesellschaft, kein Land" in german
    assert "Synthetic society, not a country" not in german
    assert "Künstliche" not in english
    with pytest.raises(ParameterError, match="en, de"), speaking("xx"):
        pass


def test_the_command_writes_a_german_page(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "ledger.json").write_text(ledger.to_json())
    assert run("report", folder / "ledger.json", "--out", folder / "p.html", "--language", "de").status == 0
    assert "Anordnung zustellen" in (folder / "p.html").read_text()
    assert run("report", folder / "ledger.json", "--out", folder / "q.html", "--language", "xx").refused()
    assert not (folder / "q.html").exists()


def test_reasons_are_said_in_the_language_asked_for(run: Run, files: Files, card: Path, tmp_path: Path) -> None:
    text = files.schema.read_text()
    schema = tmp_path / "plain.toml"
    schema.write_text(text.replace('name = "arrears"', 'name = "arrears"\nplain = "months in arrears"'))
    assert schema.read_text() != text
    asked = ("explain", card, files.people, "--schema", schema, "--row", "5")  # who has no income on file
    english, german = run(*asked).out, run(*asked, "--language", "de").out
    assert ("missing" in english, "fehlt" in english) == (True, False)
    assert ("missing" in german, "fehlt" in german) == (False, True)
    assert ("months in arrears" in english, "Monate im Rückstand" in german) == (True, True)
    assert ("characteristic" in german, "Grundwert und Punkte ergeben" in german) == (False, True)
    said, sagt = (
        json.loads(run(*asked, "--json", *more).out)["characteristics"] for more in ((), ("--language", "de"))
    )
    figures = ("feature", "points", "best", "lost")
    assert [[part[key] for key in figures] for part in said] == [[part[key] for key in figures] for part in sagt]
    assert {part["bin"] for part in said if part["feature"] == "income"} == {"missing"}
    assert {part["bin"] for part in sagt if part["feature"] == "income"} == {"fehlt"}
    out = tmp_path / "scores.csv"
    assert (
        run("score", card, files.people, "--schema", schema, "--out", out, "--reasons", 3, "--language", "de").status
        == 0
    )
    words = pd.read_csv(out)[[f"reason_{k}" for k in (1, 2, 3)]].stack()
    assert words.str.startswith("Monate im Rückstand: ").any()
    assert not words.str.contains("months| to |missing").any()
    assert run("score", card, files.people, "--out", tmp_path / "no.csv", "--language", "xx").refused()
