"""The main job: run every design over one population, attack every view, and keep the ledger."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import blindscore
from blindscore.designs.design import Design, Run
from blindscore.designs.parameters import settings_of
from blindscore.errors import DataError, ParameterError, SchemaError
from blindscore.memory import give_back
from blindscore.people.population import Population
from blindscore.scorecard.quality import auc_interval, auc_loss_interval, ks
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.account.crowds import crowds
from blindscore.surveillance.account.one_person import Person, choose_person, score_person
from blindscore.surveillance.account.who_loses import who_loses
from blindscore.surveillance.account.who_sees import who_sees
from blindscore.surveillance.attacks.registry import load_capabilities
from blindscore.surveillance.cache import Cache, attack_key, design_key, run_key
from blindscore.surveillance.capability import Capability, rows_of
from blindscore.surveillance.coalitions import Coalition
from blindscore.surveillance.frameworks import labels_of, sources_of
from blindscore.surveillance.ledger import FORMAT, DesignRow, Ledger, Row, parse_ledger, row_dict
from blindscore.surveillance.marks import Key, marked
from blindscore.surveillance.memo import Memo
from blindscore.surveillance.outside import Outside, check_outside, outside_of
from blindscore.surveillance.truth import Truth, auxiliary_people, truths_of
from blindscore.threads import cores, each

Progress = Callable[[str, int, int], None]


class Tell(Protocol):
    """Say what is done next, how many steps were finished since, and which share of the next one is done."""

    def __call__(self, label: str, finished: int, begun: float = 0.0) -> None:
        """Say it."""


GRAIN = 100  # parts of a step that progress is told in: an attack plays many coalitions, and may take minutes
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
    cache: Cache | None = None,
    wanted: Collection[Key] | None = None,
    outside: Sequence[str] = (),
    elsewhere: Population | None = None,
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
    cache
        Where finished parts are kept and found again; nothing is kept if None.
    wanted
        The rows to play (design, coalition, capability, secret); all if None.
    outside
        Outside registers (:mod:`blindscore.surveillance.outside`) that attackers bring along, each with its own rows.
    elsewhere
        Other people, all of whom the attackers know and learn from too.

    Raises
    ------
    ParameterError
        No design is given, or one is given twice, or no outside register is called so.
    DataError
        These people have no such outside register, or no design can run on them; where some cannot, the ledger's
        ``meta`` names each under "skipped", with the reason.
    """
    names = [design.name for design in designs]
    if not designs or len(set(names)) != len(names):
        raise ParameterError(f"give at least one design and none twice, got: {', '.join(names) or 'none'}")
    started = time.perf_counter()
    attacks = tuple(load_capabilities() if capabilities is None else capabilities)
    if population.stand_in:  # nobody's outcome is known, so nobody can ask who taught a card by it
        attacks = tuple(attack for attack in attacks if "records" not in attack.needs)
    stage = _Stage(
        population=population,
        scorecard=scorecard,
        capabilities=attacks,
        seed=seed,
        auxiliary=auxiliary_people(population, seed),
        person=choose_person(population),
        cache=cache or Cache(),
        wanted=None if wanted is None else frozenset(wanted),
        elsewhere=elsewhere,
        outside=tuple(outside_of(population, name) for name in check_outside(outside)),
    )
    done, steps = 0, GRAIN * len(designs) * (1 + len(stage.games))

    def tell(label: str, finished: int, begun: float = 0.0) -> None:
        nonlocal done
        done += GRAIN * finished
        if progress is not None:
            progress(label, done + int(GRAIN * begun), steps)

    # The attackers' fits are small, and several secrets are attacked at once: waking more threads for each loop costs
    # several times what it saves.
    played: list[_Played] = []
    skipped: list[dict[str, str]] = []
    with threadpool_limits(1):
        for design in designs:
            before = done
            try:
                played.append(stage.play(design, tell))
            except (DataError, SchemaError) as error:  # these people lack what the design needs; others may run
                skipped.append({"design": design.name, "reason": str(error)})
                tell(f"{design.name}: skipped", 1 + len(stage.games) - (done - before) // GRAIN)
    if not played:
        reasons = "; ".join(f"{one['design']}: {one['reason']}" for one in skipped)
        raise DataError(f"{population.name}: no design can run on these people: {reasons}")
    tell("done", 0)
    ran = [part.design.design for part in played]
    return Ledger(
        meta={
            "version": blindscore.__version__,
            "seed": seed,
            "seeds": [seed],
            "people": len(population),
            "population": population.name,
            "synthetic": population.synthetic,
            "fingerprint": population.fingerprint,
            "outcome": "stand-in" if population.stand_in else "known",
            "default_rate": None if population.stand_in else float(population.default.mean()),
            "skipped": skipped,
            "auxiliary_people": int(stage.auxiliary.sum()),
            "sample": max(part.design.real_runs for part in played),
            "baseline": _baseline(ran),
            "command": command,
            "elsewhere": None if elsewhere is None else f"{len(elsewhere)} people, {elsewhere.fingerprint[:16]}",
            "outside": [register.name for register in stage.outside],
            "questions": {capability.name: capability.question for capability in stage.capabilities},
            "frameworks": labels_of(capability.name for capability in stage.capabilities),
            "sources": sources_of(population.schema),
            "person": {} if stage.person is None else stage.person.to_dict(),
            "features": {f.name: {"plain": f.label, "unit": f.unit} for f in population.schema.features},
            "scorecard": {k: v for k, v in scorecard.get_params().items() if isinstance(v, bool | int | float | str)},
            "seconds": round(time.perf_counter() - started, 1),
        },
        designs=_against_the_best(population, played),
        rows=tuple(marked([row for part in played for row in part.rows if not row.outside], _baseline(ran))),
        outside=tuple(row for part in played for row in part.rows if row.outside),
    )


@dataclass(frozen=True)
class _Played:
    """One design's part of a ledger, before it is held against the others."""

    design: DesignRow  # its AUC loss still 0
    ranks: NDArray[np.integer]
    rows: tuple[Row, ...]


def run_design(population: Population, design: Design, scorecard: Scorecard, seed: int) -> Run:
    """Run one design over people: whoever runs it again from the same seed and settings gets the same scores.

    Each design has a stream of its own, by its name: which others run beside it changes nothing.
    """
    stream = int.from_bytes(hashlib.sha256(design.name.encode()).digest()[:8])
    return design.run(population, scorecard, np.random.default_rng([seed, stream]))


@dataclass(frozen=True)
class _Stage:
    """What is the same for every design of one run."""

    population: Population
    scorecard: Scorecard
    capabilities: tuple[Capability, ...]
    seed: int
    auxiliary: NDArray[np.bool_]
    person: Person | None
    cache: Cache
    wanted: frozenset[Key] | None = None
    outside: tuple[Outside, ...] = ()
    elsewhere: Population | None = None
    memo: Memo = field(default_factory=Memo)
    answers: Memo = field(default_factory=Memo)

    @property
    def games(self) -> list[tuple[Capability, Outside | None]]:
        """What is played: every attack, and once more with each outside register if it can make something of one."""
        plain: list[tuple[Capability, Outside | None]] = [(capability, None) for capability in self.capabilities]
        return plain + [(one, register) for register in self.outside for one in self.capabilities if one.brings]

    def play(self, design: Design, tell: Tell) -> _Played:
        """Run a design and attack its views, or take both from the cache."""
        tell(f"{design.name}: run", 0)
        key = design_key(self.population, design, self.scorecard, self.seed)
        kept = self._found(key, design)
        if kept is not None:
            tell(f"{design.name}: as before", 1 + len(self.games))
            return kept
        run = run_design(self.population, design, self.scorecard, self.seed)
        of_run = run_key(design.name, run)
        truths = truths_of(self.population, design, run, self.auxiliary, self.seed, self.memo, self.answers)
        rows: list[Row] = []
        finished = 1
        for capability, register in self.games:
            label = f"{design.name}: {capability.name}" + (f" with {register.name}" if register else "")
            tell(label, finished)
            begun = partial(tell, label, 0)
            brought = [replace(truth, outside=register, elsewhere=self.elsewhere) for truth in truths]
            of_attack = attack_key(key, of_run, capability, self._asked(design, capability, register))
            rows += self._attack(capability, brought, of_attack, begun)
            finished = 1
        tell(f"{design.name}: done", finished)
        give_back()
        row = _design_row(self.population, design, run, self.person)
        plain = Ledger({}, (row,)).to_dict()["designs"][0]
        self.cache.save(key, {"design": plain, "ranks": run.ranks.tolist(), "run": of_run})
        return _Played(row, run.ranks, tuple(rows))

    def _found(self, key: str, design: Design) -> _Played | None:
        """Return a design's part from the cache, where its run and the rows of every attack on it are kept."""
        kept = self.cache.load(key)
        if kept is None:
            return None
        rows: list[Row] = []
        for capability, register in self.games:
            found = self._found_rows(
                attack_key(key, kept["run"], capability, self._asked(design, capability, register))
            )
            if found is None:
                return None
            rows += found
        row = parse_ledger({"format": FORMAT, "meta": {}, "designs": [kept["design"]], "rows": []}).designs[0]
        return _Played(row, np.asarray(kept["ranks"], np.int32), tuple(rows))

    def _asked(self, design: Design, capability: Capability, register: Outside | None) -> object:
        """Return what a capability is asked beside the usual: what it brings along, and (coalition, secret) pairs."""
        own = (design.name, capability.name)
        pairs = None if self.wanted is None else sorted((k[1], k[3]) for k in self.wanted if (k[0], k[2]) == own)
        brought = None if register is None else register.name
        return pairs, brought, None if self.elsewhere is None else self.elsewhere.fingerprint

    def _found_rows(self, key: str) -> tuple[Row, ...] | None:
        kept = self.cache.load(key)
        return None if kept is None else parse_ledger({"format": FORMAT, "meta": {}, "designs": [], "rows": kept}).rows

    def _attack(
        self, capability: Capability, truths: Sequence[Truth], key: str, begun: Callable[[float], None]
    ) -> tuple[Row, ...]:
        """Return one capability's rows: a run that was interrupted goes on with the attack that it was at."""
        found = self._found_rows(key)
        if found is not None:
            return found
        if self.wanted is not None:
            rows = self._some(capability, truths)
            self.cache.save(key, [row_dict(row) for row in rows])
            return rows
        fresh = [truth for truth in truths if not truth.coalition.same_as]
        count, one_at_a_time = itertools.count(1), threading.Lock()

        def rows_for(truth: Truth) -> list[Row]:
            found = rows_of(capability, truth)
            with one_at_a_time:
                begun(next(count) / len(fresh))
            return found

        # Several secrets are asked side by side; coalitions too would hold twice the evidence in memory, and wait for
        # each other's answers.
        several = len(capability.secrets(fresh[0])) >= cores()
        found_rows = [rows_for(truth) for truth in fresh] if several else each(rows_for, fresh)
        played = dict(zip([t.coalition.name for t in fresh], found_rows, strict=True))
        rows = tuple(chain.from_iterable(_rows_for(truth.coalition, played) for truth in truths))
        self.cache.save(key, [row_dict(row) for row in rows])
        return rows

    def _some(self, capability: Capability, truths: Sequence[Truth]) -> tuple[Row, ...]:
        """Return the wanted rows alone; a coalition that equals a smaller one is asked itself."""
        asked: dict[str, list[str]] = {}
        for design, coalition, name, secret in sorted(self.wanted or ()):
            if (design, name) == (truths[0].design, capability.name):
                asked.setdefault(coalition, []).append(secret)
        chosen = [truth for truth in truths if truth.coalition.name in asked]
        found = each(lambda truth: rows_of(capability, truth, asked[truth.coalition.name]), chosen)
        return tuple(chain.from_iterable(found))


def _rows_for(coalition: Coalition, played: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return a coalition's rows, or those of the smaller one that has everything that it has, under its own name."""
    rows = played[coalition.same_as or coalition.name]
    return [replace(row, coalition=coalition.name, same_as=coalition.same_as) for row in rows]


def _baseline(names: Sequence[str]) -> str | None:
    return next((name for name in BASELINES if name in names), None)


def _design_row(population: Population, design: Design, run: Run, person: Person | None) -> DesignRow:
    """Return a design's quality, measured on people who did not train the card, and its costs."""
    fresh = ~population.history
    outcome, scores = population.default[fresh], run.ranks[fresh].astype(np.float64)
    unknown = population.stand_in
    reached: tuple[float | None, ...] = (None, None, None) if unknown else auc_interval(outcome, scores)
    zero = None if unknown else 0.0
    return DesignRow(
        design=design.name,
        summary=design.summary,
        parameters={**settings_of(design), **run.parameters},
        auc=reached[0],
        auc_low=reached[1],
        auc_high=reached[2],
        auc_loss=zero,
        auc_loss_low=zero,
        auc_loss_high=zero,
        ks=None if unknown else ks(outcome, scores),
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
        crowds=crowds(population, run),
        person={} if person is None else score_person(person, run),
    )


def _against_the_best(population: Population, played: Sequence[_Played]) -> tuple[DesignRow, ...]:
    """Return the designs with their loss of AUC against the best of the run, paired on the same applicants."""
    if population.stand_in:
        return tuple(part.design for part in played)
    fresh = ~population.history
    outcome = population.default[fresh]
    scores = [part.ranks[fresh].astype(np.float64) for part in played]
    best = max(range(len(played)), key=lambda i: played[i].design.auc or 0.0)
    rows = []
    for part, own in zip(played, scores, strict=True):
        loss, low, high = auc_loss_interval(outcome, scores[best], own)
        rows.append(replace(part.design, auc_loss=loss, auc_loss_low=low, auc_loss_high=high))
    return tuple(rows)
