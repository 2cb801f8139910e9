"""``report``: the page of a ledger that was measured before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blindscore_app.commands.options import Language
from blindscore_app.files.safely import check_file


def report(
    ledger: Annotated[Path, typer.Argument(help="A ledger.json.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("report.html"),
    coalition: Annotated[str, typer.Option(help="Whose capabilities the picture shows.")] = "scorer",
    language: Language = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Say as JSON what was written.")] = False,
) -> None:
    """Write the self-contained report page of a ledger."""
    check_file(out, ledger)
    from blindscore.whole_files import write_whole
    from blindscore_app.locale import speaking
    from blindscore_app.report.checked import read_ledger
    from blindscore_app.report.html import render_page

    with speaking(language):
        page = render_page(read_ledger(ledger), coalition).encode()
    write_whole(out, page)
    if as_json:
        import json

        typer.echo(json.dumps({"written": str(out), "bytes": len(page)}))
    else:
        typer.echo(f"Written: {out} ({len(page) / 1e3:.0f} kB)")
