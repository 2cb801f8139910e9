"""The designs of a ledger, run again, so that one made-up person can be scored anew by the real kernels."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blindscore.designs.design import Run
from blindscore.errors import DataError
from blindscore.people.population import Population
from blindscore.scorecard.reasons import REASONS
from blindscore.scorecard.reasons import parts as costs
from blindscore.surveillance.account.one_person import Person, choose_person, moved
from blindscore.surveillance.ledger import Ledger
from blindscore_app.entry.origin import origin_of
from blindscore_app.progress import Report


@dataclass(frozen=True)
class Live:
    """One person and the runs that score it."""

    population: Population
    person: Person
    runs: Mapping[str, Run]
    departs: tuple[str, ...]  # designs whose scores differ from the ledger's: their training noise is fresh

    @property
    def features(self) -> tuple[str, ...]:
        """Features that a question may set."""
        return tuple(slider.feature for slider in self.person.sliders)

    def score(self, values: Mapping[str, float]) -> list[dict[str, Any]]:
        """Return score, decision and reasons of the person under every design.

        Raises
        ------
        DataError
            A feature that is not offered, or a value that is not finite.
        """
        for name, value in values.items():
            if name not in self.features:
                raise DataError(f"no feature {name!r} can be set here; there are {', '.join(self.features)}")
            if not np.isfinite(value):
                raise DataError(f"{name} must be a finite number")
        own = {name: float(self.population.features[name].iloc[self.person.row]) for name in self.features}
        asked = {name: np.array([value]) for name, value in {**own, **values}.items()}
        one = moved(self.population, self.person.row, self.person.sliders, asked)
        return [_answer(name, run, one) for name, run in self.runs.items()]


def _answer(name: str, run: Run, one: Population) -> dict[str, Any]:
    card = run.card
    bins = card.bins(one.features)
    score = int(run.score(one)[0])
    parts = [
        {name: getattr(part, name) for name in ("feature", "bin", "points", "lost")} for part in costs(card, bins)[0]
    ]
    return {
        "design": name,
        "score": score,
        "threshold": int(run.threshold),
        "approved": score >= run.threshold,
        "base": card.base,
        "rule": score - int(card.scores(bins)[0]),
        "parts": parts,
        "reasons": [part for part in parts if part["lost"] > 0][:REASONS],
    }


def rerun(ledger: Ledger, progress: Report) -> Live:
    """Run the ledger's designs again over the ledger's people, with the settings that it states for each.

    Raises
    ------
    DataError
        The people were real (they are not in the ledger), or no such person can be chosen, or a design is unknown.
    """
    from blindscore.designs.parameters import sampled
    from blindscore.surveillance.frontier import run_design

    # One real protocol run is enough here: how many there are moves no score.
    origin = origin_of(ledger)
    population = origin.population(origin.seeds[0])
    if population.fingerprint != ledger.meta.get("fingerprint"):
        raise DataError("this version makes other people from that seed than the ledger's; run the frontier again")
    person = choose_person(population)
    if person is None:
        raise DataError("these people have none of the features that can be set")
    runs = {}
    for number, design in enumerate(sampled(design, 1) for design in origin.designs):
        progress(f"{design.name}: run", number, len(origin.designs))
        runs[design.name] = run_design(population, design, origin.scorecard, origin.seeds[0])
    departs = tuple(
        name
        for name, run in runs.items()
        if base64.b64encode(run.score(person.copies).astype("<i2").tobytes()).decode()
        != ledger.design(name).person.get("scores")
        or run.threshold != ledger.design(name).person.get("threshold")
    )
    return Live(population, person, runs, departs)
