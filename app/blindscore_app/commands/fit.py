"""``fit``: a scorecard from people whose outcome is known."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blindscore_app.commands.options import AsJson, People
from blindscore_app.commands.special import Special, special_codes
from blindscore_app.files.safely import check_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blindscore.people.files.file_schema import FileSchema
    from blindscore.scorecard.settings.read import FitSettings


def fit(
    file: People,
    schema: Annotated[Path, typer.Option(help="TOML file that says what each column is.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the scorecard goes.")] = Path("card.json"),
    settings: Annotated[
        Path | None,
        typer.Option(help="TOML of bins, scale, monotone, weights, ...: see docs/analyst.md.", show_default=False),
    ] = None,
    method: Annotated[str, typer.Option(help="sparse or woe; replaces that of the settings.", show_default=False)] = "",
    exclude: Annotated[
        list[str] | None, typer.Option(help="A feature to leave out; may be repeated.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Of what is drawn at random.", show_default=False)
    ] = None,
    hold_out: Annotated[
        bool,
        typer.Option("--hold-out", help="Fit on the past customers of [history] alone, and test on the others."),
    ] = False,
    special: Special = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse odd columns and rows instead of warning.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard to people whose outcome is known, and say how well it does on people it has not seen.

    A column and a date in the schema's [history] make --hold-out a test out of time.
    """
    check_file(out, file, schema, settings)
    import numpy as np

    from blindscore.errors import DataError, ParameterError
    from blindscore.people.files.file_schema import load_schema
    from blindscore.people.files.loaders import load_people
    from blindscore.scorecard.findings import training_findings
    from blindscore.scorecard.folds import FOLDS, out_of_fold
    from blindscore.scorecard.forms.json import save_card
    from blindscore.scorecard.quality import auc_interval
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore.scorecard.settings.read import FitSettings, load_settings, with_prior
    from blindscore_app.progress import bar

    wish = FitSettings() if settings is None else load_settings(settings)
    wish = _with_options(wish, method, exclude or [], seed)
    with bar() as progress:
        progress("reading", 0, 3)
        plan, people = load_schema(schema), load_people(file, schema)
        absent = sorted(set(wish.exclude) - set(people.features.columns))
        if absent:
            raise ParameterError(f"no feature to exclude is called {', '.join(absent)}")
        features = people.features.drop(columns=list(wish.exclude))
        if not len(features.columns):
            raise ParameterError("every feature is excluded; leave one")
        odd = [str(finding) for finding in training_findings(features, people.default)]
        if odd and strict:
            raise DataError(f"{file}: {'. '.join(odd)}")
        weight = _weights(file, plan, wish.weights)
        codes = _codes(plan, wish, special_codes(special or [], features), list(features.columns))
        chosen: dict[str, Any] = {key: value for key, value in wish.estimator.items() if key != "special"}

        rows = people.history if hold_out else np.ones(len(people), bool)
        progress("fitting", 1, 3)
        levels = {f.feature.name: f.levels for f in plan.features if f.levels and f.feature.name in features.columns}
        own = Scorecard(special=codes, levels=levels, **chosen)
        final = own.fit(features.loc[rows], people.default[rows], None if weight is None else weight[rows])
        progress("scoring people unseen", 2, 3)
        unseen = ~rows if hold_out else rows
        told = (
            -final.decision_function(features.loc[unseen])
            if hold_out
            else out_of_fold(final, features, people.default, weight)
        )
        reached = auc_interval(people.default[unseen], told)
        progress("fitted", 3, 3)
    for one in odd:
        typer.echo(f"warning: {one}", err=True)
    card = final.card_
    if wish.prior is not None:
        card = with_prior(
            card, float(np.average(people.default[rows], weights=None if weight is None else weight[rows])), wish.prior
        )
    save_card(card, out)
    smallest = final.smallest_
    said: dict[str, Any] = {
        "written": str(out),
        "fingerprint": card.fingerprint,
        "people": len(people),
        "fitted_on": int(rows.sum()),
        "features": card.features,
        "left_out": final.left_out_,
        "special": codes,
        "smallest_bin": None if smallest is None else asdict(smallest),
        "findings": odd,
        "folds": None if hold_out else FOLDS,
        "auc_unseen": reached[0],
        "auc_unseen_low": reached[1],
        "auc_unseen_high": reached[2],
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    listed = "".join(f"; special in {name}: {', '.join(f'{c:g}' for c in own)}" for name, own in codes.items())
    how = (
        f"of this card, which was fitted on the {int(rows.sum())} past customers, on the {int(unseen.sum())} others."
        if hold_out
        else f"cross-validated: each person scored by a card fitted with the same settings on the other {FOLDS - 1} of "
        f"{FOLDS} parts; the card written here is fitted on all."
    )
    gone = "".join(f"\nLeft out: {name}: {why}." for name, why in final.left_out_.items())
    least = "" if smallest is None else f"\nSmallest bin: {smallest.people} people ({smallest.feature})."
    typer.echo(
        f"Written: {out} ({len(card.features)} features of {int(rows.sum())} people{listed})\n"
        f"Fingerprint: {card.fingerprint}\n"
        f"AUC {reached[0]:.3f} [{reached[1]:.3f}, {reached[2]:.3f}] {how}{least}{gone}"
    )


def _with_options(wish: FitSettings, method: str, exclude: list[str], seed: int | None) -> FitSettings:
    """Let the command line have the last word."""
    estimator = dict(wish.estimator)
    if method:
        estimator["method"] = method
    if seed is not None:
        estimator["random_state"] = seed
    return replace(wish, estimator=estimator, exclude=(*wish.exclude, *exclude))


def _codes(
    plan: FileSchema, wish: FitSettings, given: dict[str, list[float]], features: list[str]
) -> dict[str, list[float]]:
    """Special codes of schema, settings and command line together."""
    found: dict[str, list[float]] = {f.feature.name: list(f.special) for f in plan.features if f.special}
    for source in (wish.estimator.get("special", {}), given):
        for name, codes in source.items():
            found[name] = list(dict.fromkeys([*found.get(name, []), *map(float, codes)]))
    return {name: codes for name, codes in found.items() if name in features}


def _weights(file: Path, plan: FileSchema, column: str) -> NDArray[np.float64] | None:
    """For how many people each row stands, as a column says."""
    if not column:
        return None
    import numpy as np

    from blindscore.people.files.blocks import Ask
    from blindscore.people.files.cells import numbers
    from blindscore.people.files.lines import Place
    from blindscore.people.files.tables import read_table

    ask = Ask((column,), missing=plan.missing, delimiter=plan.delimiter)
    place = Place(file, ask.kind(file))
    values = numbers(read_table(file, ask)[0][column].chunk(0), column, plan.missing, place).astype(np.float64)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        raise place.refuse(column, "a weight must be a number, 0 or more", wrong)
    return values
