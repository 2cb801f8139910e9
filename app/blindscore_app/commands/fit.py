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
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard to people whose outcome is known, and say how well it does on people it has not seen."""
    check_file(out, file, schema)
    from blindscore.designs.plain import declared, fit_card
    from blindscore.people.files.loaders import load_people
    from blindscore.scorecard.forms.json import save_card
    from blindscore.scorecard.quality import auc_interval
    from blindscore.scorecard.scorecard import Scorecard

    people = load_people(file, schema)
    codes = special_codes(special or [], people.features)
    past, unseen = people.history, ~people.history
    trial = fit_card(people, Scorecard(special=codes), list(people.features.columns))
    reached = auc_interval(people.default[unseen], trial.score_points(people.features[unseen]))
    card = Scorecard(special=codes).fit(declared(people.features), people.default).card_
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
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    listed = "".join(f"; special in {name}: {', '.join(f'{c:g}' for c in own)}" for name, own in codes.items())
    typer.echo(
        f"Written: {out} ({len(card.features)} features of {len(people)} people{listed})\n"
        f"Fingerprint: {card.fingerprint}\n"
        f"AUC {reached[0]:.3f} [{reached[1]:.3f}, {reached[2]:.3f}] of a card fitted on the {int(past.sum())} past "
        f"customers, on the {int(unseen.sum())} others; the card written here is fitted on all."
    )
