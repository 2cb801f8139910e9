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
Language = Annotated[str, typer.Option(help="Language of page and reasons: en or de.")]
