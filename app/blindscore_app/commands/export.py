"""``export``: a card in the language of other systems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blindscore_app.commands.options import AsJson, CardFile

if TYPE_CHECKING:
    from blindscore.scorecard.card import Card


class Form(StrEnum):
    """What a card can become."""

    SQL = "sql"
    ONNX = "onnx"
    PMML = "pmml"
    HTML = "html"
    SAS = "sas"
    EXCEL = "excel"
    OPTBINNING = "optbinning"
    SETTINGS = "settings"


class Dialect(StrEnum):
    """Databases whose SQL can be written."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    SPARK = "spark"
    BIGQUERY = "bigquery"


ENDINGS = {
    Form.SQL: ".sql",
    Form.ONNX: ".onnx",
    Form.PMML: ".pmml",
    Form.HTML: ".html",
    Form.SAS: ".sas",
    Form.EXCEL: ".xlsx",
    Form.OPTBINNING: ".pkl",
    Form.SETTINGS: ".toml",
}


def export(
    card: CardFile,
    to: Annotated[Form, typer.Option(help="`settings` is the TOML of bins for the next `fit`.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(help="Where it goes, - for stdout; beside nothing: the card's name here.", show_default=False),
    ] = None,
    dialect: Annotated[Dialect, typer.Option(help="Whose SQL.")] = Dialect.DUCKDB,
    table: Annotated[str, typer.Option(help="Table (SQL) or data set (SAS) of the people.")] = "people",
    points: Annotated[bool, typer.Option("--points", help="SQL: also the points of each feature.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a card as SQL, ONNX, PMML, a page, a SAS data step, an Excel workbook, or a scorecard of optbinning.

    Every form gives the same scores. What differs (people who cannot be scored, digits of Excel) is said in
    docs/analyst.md. The file for optbinning is a pickle, the only kind it reads: open none from strangers.
    """
    from blindscore.errors import ParameterError
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.safely import check_file, replacing

    writers: dict[Form, Callable[[Card], bytes]] = {
        Form.SQL: lambda card: _sql(card, table, dialect, points),
        Form.ONNX: _onnx,
        Form.PMML: _pmml,
        Form.HTML: _html,
        Form.SAS: lambda card: _sas(card, table),
        Form.EXCEL: _excel,
        Form.OPTBINNING: _optbinning,
        Form.SETTINGS: _settings,
    }
    if to is not Form.SQL and (points or dialect is not Dialect.DUCKDB):
        raise ParameterError("--dialect and --points are for --to sql; leave them out")
    if out is not None and str(out) == "-":
        if as_json:
            raise ParameterError("--json and --out - both want stdout; give one of them")
        typer.echo(writers[to](load_card(card)), nl=False)
        return
    path = Path(card.stem + ENDINGS[to]) if out is None else out
    check_file(path, card)
    loaded = load_card(card)
    made = writers[to](loaded)
    with replacing(path) as temporary:
        temporary.write_bytes(made)
    said = {
        "written": str(path),
        "to": str(to),
        "bytes": len(made),
        "sha256": hashlib.sha256(made).hexdigest(),
        "fingerprint": loaded.fingerprint,
    }
    typer.echo(
        json.dumps(said) if as_json else f"Written: {path} ({len(made):,} bytes, card {loaded.fingerprint[:16]})"
    )


def _sql(card: Card, table: str, dialect: Dialect, points: bool) -> bytes:
    from blindscore.scorecard.forms.dialects import card_to_dialect

    return card_to_dialect(card, table, dialect, points=points).rstrip().encode() + b"\n"


def _onnx(card: Card) -> bytes:
    from blindscore.scorecard.forms.onnx import card_to_onnx

    return card_to_onnx(card)


def _pmml(card: Card) -> bytes:
    from blindscore.scorecard.forms.pmml import card_to_pmml

    return card_to_pmml(card).encode()


def _html(card: Card) -> bytes:
    from blindscore.scorecard.forms.html import card_page
    from blindscore.scorecard.scorecard import Scorecard

    return card_page(Scorecard.from_card(card)).encode()


def _sas(card: Card, table: str) -> bytes:
    from blindscore.scorecard.forms.sas import card_to_sas

    return card_to_sas(card, table).encode()


def _excel(card: Card) -> bytes:
    from blindscore.scorecard.forms.excel import card_to_excel

    return card_to_excel(card)


def _optbinning(card: Card) -> bytes:
    import tempfile

    from blindscore.scorecard.forms.to_optbinning import to_optbinning

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "card.pkl"
        to_optbinning(card).save(str(path))
        return path.read_bytes()


def _settings(card: Card) -> bytes:
    from blindscore.scorecard.settings.write import card_to_settings

    return card_to_settings(card).encode()
