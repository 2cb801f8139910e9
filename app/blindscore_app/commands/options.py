"""The arguments that the commands of a card share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Say the result as JSON, and nothing else, on stdout.")]
CardFile = Annotated[Path, typer.Argument(metavar="CARD", help="A card.json of `fit`.", show_default=False)]
People = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet, one row a person.", show_default=False)]
SchemaFile = Annotated[
    Path | None, typer.Option(help="Schema of `fit`, where it renames columns or missing values.", show_default=False)
]
MissingWords = Annotated[
    list[str] | None,
    typer.Option("--missing", help="A word that means a missing value too; may be repeated.", show_default=False),
]
Delimiter = Annotated[
    str,
    typer.Option(
        help="What stands between cells of a text file: comma, ';', tab or '|'; else as its ending or the schema says.",
        show_default=False,
    ),
]
Language = Annotated[str, typer.Option(help="Language of page and reasons: en or de.")]
