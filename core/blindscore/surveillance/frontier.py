"""The main job: run every design over one population, attack every view, and keep the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

import blindscore
from blindscore.designs.design import Design, Run
from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.scorecard.quality import auc_interval, auc_loss_interval, ks
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.groups import who_loses
from blindscore.surveillance.ledger import DesignRow, Ledger, Row
from blindscore.surveillance.person import Person, choose_person, score_person
from blindscore.surveillance.registry import load_capabilities
from blindscore.surveillance.scene import Capability, auxiliary_people, scenes_of
from blindscore.surveillance.sees import who_sees

Progress = Callable[[str, int, int], None]
BASELINES = ("platform", "integrated", "bureau")  # certified removal is held against the first of these that ran


def measure(
    population: Population,
    designs: Sequence[Design],
    scorecard: Scorecard,
    *,
    seed: int,
    command: str,
    progress: Progress | None = None,
    capabilities: Sequence[Capability] | None = None,
) -> Ledger:
    """Run designs, attack their views, and return the ledger.

    Parameters
    ----------
    population
        People; past customers train the cards, the others measure quality, a fifth of all are the attackers' own.
    designs
        In table order.
    scorecard
        Unfitted; each design fits a clone on the features it may use.
    seed
        Of the simulation: equal seeds, people and parameters give equal figures, except times and, for designs whose
        protecting noise comes from the operating system, what depends on that noise.
    command
        How to get this ledger again; kept in its ``meta``.
    progress
        Called with (what is done next, steps done, steps in all).
    capabilities
        Attacks to play; all that are registered if None.

    Raises
    ------
    ParameterError
        No design is given, or one is given twice.
    """
    names = [design.name for design in designs]
    if not designs or len(set(names)) != len(names):
        raise ParameterError(f"give at least one design and none twice, got: {', '.join(names) or 'none'}")
    started = time.perf_counter()
    if capabilities is None:
        capabilities = load_capabilities()
    auxiliary = auxiliary_people(population, seed)
    memo: dict[object, object] = {}
    runs: list[Run] = []
    rows: list[Row] = []
    steps = len(designs) * (1 + len(capabilities))
    done = 0

    def tell(label: str) -> None:
        if progress is not None:
            progress(label, done, steps)

    for number, design in enumerate(designs):
        tell(f"{design.name}: run")
        run = design.run(population, scorecard, np.random.default_rng([seed, number]))
        runs.append(run)
        done += 1
        scenes = scenes_of(population, design, run, auxiliary, seed, memo)
        for capability in capabilities:
            tell(f"{design.name}: {capability.name}")
            for scene in scenes:
                rows += capability.measure(scene)
            done += 1
    tell("done")
    person = choose_person(population)
    return Ledger(
        meta={
            "version": blindscore.__version__,
            "seed": seed,
            "people": len(population),
            "population": population.name,
            "synthetic": population.synthetic,
            "fingerprint": population.fingerprint,
            "default_rate": float(population.default.mean()),
            "auxiliary_people": int(auxiliary.sum()),
            "sample": max((run.real_runs for run in runs), default=0),
            "baseline": _baseline(names),
            "command": command,
            "person": {} if person is None else person.to_dict(),
            "seconds": round(time.perf_counter() - started, 1),
        },
        designs=tuple(_design_rows(population, designs, runs, person)),
        rows=tuple(_judged(rows, _baseline(names))),
    )


def _baseline(names: Sequence[str]) -> str | None:
    return next((name for name in BASELINES if name in names), None)


def _judged(rows: Sequence[Row], baseline: str | None) -> list[Row]:
    reference = {(r.coalition, r.capability, r.secret): r for r in rows if r.design == baseline}
    return [row.judged(reference.get((row.coalition, row.capability, row.secret))) for row in rows]


def _design_rows(
    population: Population, designs: Sequence[Design], runs: Sequence[Run], person: Person | None
) -> list[DesignRow]:
    """Return the designs' quality, measured on people who did not train the cards, and their costs."""
    fresh = ~population.history
    outcome = population.default[fresh]
    scores = [run.scores[fresh].astype(np.float64) for run in runs]
    aucs = [auc_interval(outcome, score) for score in scores]
    best = max(range(len(runs)), key=lambda i: aucs[i][0])
    rows = []
    for design, run, score, reached in zip(designs, runs, scores, aucs, strict=True):
        loss = auc_loss_interval(outcome, scores[best], score)
        rows.append(
            DesignRow(
                design=design.name,
                summary=design.summary,
                parameters=dict(run.parameters),
                auc=reached[0],
                auc_low=reached[1],
                auc_high=reached[2],
                auc_loss=loss[0],
                auc_loss_low=loss[1],
                auc_loss_high=loss[2],
                ks=ks(outcome, score),
                us_per_person=dict(run.costs.us_per_person),
                bytes_up=run.costs.bytes_up,
                bytes_down=run.costs.bytes_down,
                keys_bytes=run.costs.keys_bytes,
                real_runs=run.real_runs,
                real_agree=run.real_agree,
                enforces=tuple(sorted(design.enforces)),
                rules=tuple(asdict(rule) for rule in design.rules),
                sees=who_sees(population, run),
                groups=who_loses(population, run),
                person={} if person is None else score_person(person, run),
            )
        )
    return rows
