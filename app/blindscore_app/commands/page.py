"""``report``: the page of a ledger that was measured before, or one design's data protection impact assessment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blindscore.errors import ParameterError
from blindscore_app.commands.options import Language
from blindscore_app.files.safely import check_file


def report(
    ledger: Annotated[Path, typer.Argument(help="A ledger.json.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where the page goes; report.html, or dpia.html.", show_default=False)
    ] = None,
    coalition: Annotated[str, typer.Option(help="Whose capabilities the picture shows.")] = "scorer",
    language: Language = "en",
    dpia: Annotated[
        bool, typer.Option("--dpia", help="Write the data protection impact assessment of --design, in English.")
    ] = False,
    design: Annotated[str, typer.Option(help="Whose assessment --dpia writes.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Say as JSON what was written.")] = False,
) -> None:
    """Write the self-contained report page of a ledger."""
    if dpia != bool(design):
        raise ParameterError("--dpia and --design go together: name the design that is assessed")
    if dpia and language != "en":
        raise ParameterError("--dpia writes English alone; leave out --language")
    out = Path("dpia.html" if dpia else "report.html") if out is None else out
    check_file(out, ledger)
    from blindscore.whole_files import write_whole
    from blindscore_app.locale import speaking
    from blindscore_app.report.checked import read_ledger

    with speaking(language):
        if dpia:
            from blindscore_app.report.dpia import render_dpia

            page = render_dpia(read_ledger(ledger), design).encode()
        else:
            from blindscore_app.report.html import render_page

            page = render_page(read_ledger(ledger), coalition).encode()
    write_whole(out, page)
    if as_json:
        import json

        typer.echo(json.dumps({"written": str(out), "bytes": len(page)}))
    else:
        typer.echo(f"Written: {out} ({len(page) / 1e3:.0f} kB)")
