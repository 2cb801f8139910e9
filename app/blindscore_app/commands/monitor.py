"""``monitor``: has the population moved, and does the card still hold."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from blindscore.extras import require
from blindscore_app.commands.options import AsJson, CardFile, SchemaFile


def monitor(
    card: CardFile,
    base: Annotated[Path, typer.Argument(metavar="BASE", help="People before, such as the development sample.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="People now.")],
    schema: SchemaFile = None,
    month: Annotated[
        str, typer.Option(help="Column of NEW with a month or a date, to follow month by month.", show_default=False)
    ] = "",
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("monitor.html"),
    as_json: AsJson = False,
) -> None:
    """Compare people now with people before: stability of score and features, calibration, KS by month, alarms.

    Outcomes are used where the schema's [target] names their column and the file has it; who has none yet is counted.
    """
    require("review")
    from blindscore.scorecard.forms.json import load_card
    from blindscore_app.files.safely import check_file, replacing
    from blindscore_app.progress import bar
    from blindscore_app.review.figures import monitoring, plain
    from blindscore_app.review.html import monitor_page
    from blindscore_app.review.sample import seen

    check_file(out, card, base, new, schema)
    loaded = load_card(card)
    with bar() as progress:
        progress("reading", 0, 3)
        before, now = seen(base, loaded, schema), seen(new, loaded, schema, month)
        figures = monitoring(before, now, progress)
        command = f"blindscore monitor {shlex.quote(card.name)} {shlex.quote(base.name)} {shlex.quote(new.name)}"
        command += f" --schema {shlex.quote(schema.name)}" if schema else ""
        command += f" --month {shlex.quote(month)}" if month else ""
        with replacing(out) as temporary:
            temporary.write_text(monitor_page(now, figures, command), encoding="utf-8")
    if as_json:
        typer.echo(
            json.dumps(plain({"written": str(out), "fingerprint": loaded.fingerprint, **figures}), allow_nan=False)
        )
        return
    stability, alarms = figures["stability"], figures["alarms"]
    typer.echo(
        f"Written: {out} ({len(now)} people against {len(before)}, card {loaded.fingerprint[:16]})\n"
        f"Score: stability index {stability['psi']:.3f}, {stability['verdict']}; alarms: {len(alarms)}"
    )
    for alarm in alarms:
        typer.echo(f"  {alarm['level']}: {alarm['what']}: {alarm['value']:.3f} (limit {alarm['limit']:.3f})")
