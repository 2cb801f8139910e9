"""``validate``: the document that a model-risk reviewer signs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from blindscore.extras import require
from blindscore_app.commands.options import AsJson, CardFile, People


def validate(
    card: CardFile,
    file: People,
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the document goes.")] = Path("validation.html"),
    hold_out: Annotated[
        bool,
        typer.Option("--hold-out", help="Judge by those who are no past customers ([history]), as fit --hold-out."),
    ] = False,
    base: Annotated[
        Path | None, typer.Option(help="The development people, for stability.", show_default=False)
    ] = None,
    challenger: Annotated[Path | None, typer.Option(help="Another card.json.", show_default=False)] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="People who were refused, without outcomes.", show_default=False)
    ] = None,
    threshold: Annotated[
        int | None, typer.Option(help="Approve from this score; else that of --approve.", show_default=False)
    ] = None,
    approve: Annotated[float, typer.Option(help="Share of people to approve.")] = 0.75,
    gain: Annotated[float, typer.Option(min=0, help="Money that an approved good brings.")] = 1.0,
    loss: Annotated[float, typer.Option(min=0, help="Money that an approved bad costs.")] = 5.0,
    harsh: Annotated[float, typer.Option(help="Risk of the refused over that of the accepted at equal score.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of what is drawn at random.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write one page with every figure of a validation, ready to print and sign."""
    require("review")
    from blindscore.errors import ParameterError
    from blindscore.scorecard.forms.json import load_card
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore_app.files.safely import check_file, replacing
    from blindscore_app.progress import bar
    from blindscore_app.review.figures import Request, plain, validation
    from blindscore_app.review.html import validation_page
    from blindscore_app.review.sample import judged, seen

    check_file(out, card, file, schema, base, challenger, rejects)
    if not 0 < approve < 1:
        raise ParameterError(f"--approve must lie strictly between 0 and 1, got {approve}")
    if gain + loss <= 0 or harsh <= 0:
        raise ParameterError("--gain and --loss must not both be 0, and --harsh must be positive")
    if base is not None and hold_out:
        raise ParameterError("--hold-out takes the past customers for development people; leave out --base")
    champion = load_card(card)
    with bar() as progress:
        progress("reading", 0, 8)
        sample, developed = judged(file, champion, schema, hold_out=hold_out)
        if base is not None:
            developed = seen(base, champion, schema)
        rival = None
        if challenger is not None:
            other = load_card(challenger)
            if other.fingerprint == champion.fingerprint:
                raise ParameterError(f"{challenger}: is the champion itself; give another card")
            rival = judged(file, other, schema, hold_out=hold_out)[0]
        refused = None if rejects is None else seen(rejects, champion, schema)
        request = Request(threshold, approve, gain, loss, harsh, seed)
        figures = validation(sample, developed, rival, refused, request, progress)
        given = {"--base": base, "--challenger": challenger, "--rejects": rejects, "--threshold": threshold}
        more = " --hold-out" if hold_out else ""
        more += "".join(
            f" {name} {shlex.quote(Path(str(value)).name)}" for name, value in given.items() if value is not None
        )
        command = (
            f"blindscore validate {shlex.quote(card.name)} {shlex.quote(file.name)} --schema {shlex.quote(schema.name)}"
        )
        page = validation_page(sample, figures, command + more, Scorecard.from_card(champion).table())
        with replacing(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
    said = {"written": str(out), "fingerprint": champion.fingerprint, **figures}
    if as_json:
        typer.echo(json.dumps(plain(said), allow_nan=False))
        return
    auc, found = figures["discrimination"]["auc"], figures["findings"]
    typer.echo(
        f"Written: {out} ({len(sample)} people, card {champion.fingerprint[:16]})\n"
        f"AUC {auc[0]:.3f} [{auc[1]:.3f}, {auc[2]:.3f}]; findings: {len(found)}"
    )
    for alarm in found:
        typer.echo(f"  {alarm['level']}: {alarm['what']}: {alarm['value']:.3f} (limit {alarm['limit']:.3f})")
