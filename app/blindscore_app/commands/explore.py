"""``explore``: the report as an interactive page on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blindscore_app.commands.options import Language


def explore(
    ledger: Annotated[Path, typer.Argument(help="A ledger.json.")] = Path("out/ledger.json"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="On 127.0.0.1, this machine alone.")] = 8750,
    live: Annotated[bool, typer.Option("--live", help="Score the one person anew, by the real kernels.")] = False,
    language: Language = "en",
) -> None:
    """Serve a ledger as an interactive page on this machine."""
    from blindscore_app.locale import speaking
    from blindscore_app.report.checked import read_ledger

    read = read_ledger(ledger)
    from blindscore_app.explorer.serve import check_port, serve

    check_port(port)
    with speaking(language):
        serve(read, port, live=live)
