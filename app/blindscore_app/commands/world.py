"""``world``: what the world's own systems hide, what they leave linkable, and who learns of it, in one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blindscore_app.files.safely import write_all


def world(out: Annotated[Path, typer.Option(help="File to write, Markdown.")] = Path("world.md")) -> None:
    """Ask the four questions of each of the world's systems, run the credentials, and write one page."""
    from blindscore_app.report.world import world_page

    write_all(out.parent, {out.name: world_page().encode()})
    typer.echo(f"Written to {out}")
