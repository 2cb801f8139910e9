"""``fit``: a scorecard from people whose outcome is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from blindscore_app.commands.options import AsJson, People
from blindscore_app.commands.special import Special, special_codes
from blindscore_app.files.safely import check_file


def fit(
    file: People,
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the scorecard goes.")] = Path("card.json"),
    special: Special = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse odd columns and rows instead of warning.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard to people whose outcome is known, and say how well it does on people it has not seen."""
    check_file(out, file, schema)
    from blindscore.errors import DataError
    from blindscore.people.files.loaders import load_people
    from blindscore.scorecard.findings import training_findings
    from blindscore.scorecard.folds import FOLDS, out_of_fold
    from blindscore.scorecard.forms.json import save_card
    from blindscore.scorecard.quality import auc_interval
    from blindscore.scorecard.scorecard import Scorecard

    people = load_people(file, schema)
    codes = special_codes(special or [], people.features)
    odd = [str(finding) for finding in training_findings(people.features, people.default)]
    if odd and strict:
        raise DataError(f"{file}: {'. '.join(odd)}")
    for one in odd:
        typer.echo(f"warning: {one}", err=True)
    wish = Scorecard(special=codes)
    reached = auc_interval(people.default, out_of_fold(wish, people.features, people.default))
    fitted = wish.fit(people.features, people.default)
    card, smallest = fitted.card_, fitted.smallest_
    save_card(card, out)
    said: dict[str, Any] = {
        "written": str(out),
        "fingerprint": card.fingerprint,
        "people": len(people),
        "features": card.features,
        "special": codes,
        "auc_unseen": reached[0],
        "auc_unseen_low": reached[1],
        "auc_unseen_high": reached[2],
        "folds": FOLDS,
        "findings": odd,
        "smallest_bin": None if smallest is None else {"feature": smallest.feature, "people": smallest.people},
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    listed = "".join(f"; special in {name}: {', '.join(f'{c:g}' for c in own)}" for name, own in codes.items())
    typer.echo(
        f"Written: {out} ({len(card.features)} features of {len(people)} people{listed})\n"
        f"Fingerprint: {card.fingerprint}\n"
        f"AUC {reached[0]:.3f} [{reached[1]:.3f}, {reached[2]:.3f}], cross-validated: each person scored by a card "
        f"fitted with the same settings on the other {FOLDS - 1} of {FOLDS} parts; the card written is fitted on all."
        + ("" if smallest is None else f"\nSmallest bin: {smallest.people} people ({smallest.feature}).")
    )
