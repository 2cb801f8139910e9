"""Truth: what the experimenter knows, and judges attacks by.

It hands an attack its :class:`Knowledge`, in which whatever is asked for is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import BY_PROTOCOL, PUBLIC_CARD, Design, Run
from blindscore.designs.plain import LEGAL_ID
from blindscore.parties.view import Kind, View
from blindscore.people.population import Population
from blindscore.surveillance.arrivals import arrivals_of, shown
from blindscore.surveillance.coalitions import Coalition, coalitions_of, parts_of, pool, seen_by
from blindscore.surveillance.knowledge import (
    UNKNOWN,
    Elsewhere,
    Knowledge,
    Labels,
    Need,
    Pairs,
    Places,
    Published,
    Records,
    codes_by_person,
    rng_for,
)
from blindscore.surveillance.memo import Memo
from blindscore.surveillance.outside import Outside
from blindscore.surveillance.questions import HeldOut, held_out, pairs_of, recurring

AUXILIARY_SHARE = 0.2
DECISION, MEMBERSHIP = "decision", "membership"  # secrets that a run makes, beside the people's own
T = TypeVar("T")


@dataclass(frozen=True)
class Truth:
    """One coalition in front of one run, and what is true of everybody."""

    population: Population
    design: str
    enforces: frozenset[str]
    run: Run
    coalition: Coalition
    auxiliary: NDArray[np.bool_]  # (n,) people whose secrets the attacker knows
    seed: int
    memo: Memo = field(default_factory=Memo)  # attacks already played on the same view; the attackers' own
    answers: Memo = field(default_factory=Memo)  # what was worked out of the truth; no attack can ask it
    pooled: Memo = field(default_factory=Memo)  # views joined, and what was judged, of this run alone
    of_run: Memo = field(default_factory=Memo)  # what attackers worked out that no other run can use
    outside: Outside | None = None  # a register that the coalition brings along
    elsewhere: Population | None = None  # other people, all of whom the attacker knows

    @property
    def targets(self) -> NDArray[np.bool_]:
        """The people on whom every figure is reported, (n,)."""
        return ~self.auxiliary

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The coalition's views, joined where they can be."""
        return pool(self.run, self.coalition.roles, self.pooled)

    @cached_property
    def parts(self) -> tuple[View, ...]:
        """The coalition's views, and those of every smaller one within it."""
        return self.pooled.once(
            ("parts", *self.coalition.roles), lambda: parts_of(self.run, self.coalition.roles, self.pooled)
        )

    @property
    def basis(self) -> str:
        """What the coalition's views rest on; see :attr:`blindscore.surveillance.ledger.Row.basis`."""
        if any(view.basis == "observed" for view in self.views):
            return "observed"
        if self.run.real_runs:
            return "executed"
        return "modelled" if self.enforces & BY_PROTOCOL else "clear"

    @property
    def secrets(self) -> list[str]:
        """Names of the people's own secrets."""
        return [str(name) for name in self.population.sensitive.columns]

    def once(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """Return ``compute()``, done once for equal keys."""
        return self.answers.once(key, compute)

    def rng(self, *purpose: str) -> np.random.Generator:
        """Return a generator that depends on the seed and the purpose alone."""
        return rng_for(self.seed, *purpose)

    def plays(self, role: str) -> bool:
        """Tell whether a member of the coalition plays a role of the run ("scorer", "lender", ...)."""
        return self.run.party_of(role) in {self.run.party_of(member) for member in self.coalition.roles}

    def classes(self, secret: str) -> NDArray[np.int64]:
        """Return everybody's class of a secret, (n,): the people's own, the decision, or membership.

        UNKNOWN for people whose secret is missing: :meth:`asked` leaves them out.
        """
        if secret == DECISION:
            return self.run.decisions.astype(np.int64)
        if secret == MEMBERSHIP:
            return self.population.history.astype(np.int64)
        return self.once(("classes", secret), lambda: classes_of(self.population.sensitive[secret]))

    def codes(self, view: View) -> NDArray[np.int64]:
        """Return one number a target, equal where its record's values in a view are equal."""
        return codes_by_person(len(self.population), view)[self.targets]

    def asked(self, secret: str) -> NDArray[np.bool_]:
        """Return the targets whose secret is known to the experimenter, (n,): figures are reported on these."""
        asked: NDArray[np.bool_] = self.targets & (self.classes(secret) != UNKNOWN)
        return asked

    def pairs(self) -> Pairs | None:
        """Return the pairs asked about, with who is friends with whom; None where nobody's friendships are known."""
        return pairs_of(self.population, self.views, self.auxiliary, self.rng("map", "pairs"), self.answers)

    def places(self) -> tuple[Places, NDArray[np.int64]] | None:
        """Return the sightings asked for and the places that are right; None where none are known."""
        asked = self._held_out()
        return None if asked is None else (asked.public, asked.right)

    def _held_out(self) -> HeldOut | None:
        """Return the sightings asked for: the same of every coalition and under every design."""
        return self.once(
            ("held out",), lambda: held_out(self.population, self.auxiliary, self.rng("track", "held out"))
        )

    def _kept(self, asked: HeldOut, view: View) -> View:
        """Return a view without the sightings asked for; ``pooled`` keeps the view, so that its id stays its own."""
        return self.pooled.once(("kept", id(view)), lambda: asked.kept_in(view))

    def knowledge(self, needs: Collection[Need] = ()) -> Knowledge:
        """Return what the coalition may use, with what an attack declared to need and nothing else."""
        run, secrets = self.run, (*self.secrets, DECISION, MEMBERSHIP)
        public = self.plays("scorer") or PUBLIC_CARD in self.enforces
        knows = Knowledge(
            coalition=self.coalition,
            acts=frozenset(role for role in run.views if self.plays(role)),
            views=self.views,
            seen=seen_by(run, self.coalition.roles, self.pooled),
            parts=self.parts,
            register=self._register(),
            auxiliary=self.auxiliary,
            labels=MappingProxyType({name: self._labels(name) for name in secrets}),
            published=Published(
                self.design, self.enforces, run.threshold, run.card if public else None, totals_of(run)
            ),
            seed=self.seed,
            memo=self.memo,
            of_run=self.of_run,
            outside=self.outside,
            elsewhere=self._elsewhere(),
        )
        if "pairs" in needs and (pairs := self.pairs()) is not None:
            hidden = np.where(pairs.auxiliary, pairs.friends, UNKNOWN)
            knows = replace(knows, pairs=replace(pairs, friends=hidden))
        if "places" in needs:
            asked = self._held_out()
            if asked is not None:
                views, parts = (tuple(self._kept(asked, view) for view in some) for some in (knows.views, knows.parts))
                knows = replace(knows, places=asked.public, views=views, seen=(), parts=parts)
        if "months" in needs and (months := recurring(self.population, self._view_in, self.answers)) is not None:
            knows = replace(knows, months=months)
        if "rehearsal" in needs and public:
            own = self.population.features[self.auxiliary]
            knows = replace(knows, rehearsal=self.once(("rehearsal", run.card.fingerprint), lambda: run.card.bins(own)))
        if "arrivals" in needs:
            knows = replace(knows, arrivals=self.arrivals(self.coalition.roles))
        if "records" in needs:
            train = run.train if public else None
            records = Records(self.population.features, self.population.default, train)
            knows = replace(knows, records=records)
        return knows

    def _view_in(self, later: Population, view: View) -> View:
        return view_in(later, self.run, view, self.pooled)

    def arrivals(self, roles: Sequence[str]) -> pd.DataFrame:
        """Return what parties of these roles are shown of everybody's arrivals, one row a person."""
        return self.once(("arrivals",), lambda: arrivals_of(self.population))[shown(self.run, roles)]

    def _register(self) -> pd.DataFrame:
        public = self.once(("register",), lambda: public_register(self.population))
        more = [] if self.outside is None else [c for c in self.outside.columns if c not in public]
        return public if self.outside is None else pd.concat([public, self.outside.columns[more]], axis=1)

    def _elsewhere(self) -> Elsewhere | None:
        other, run = self.elsewhere, self.run
        if other is None:
            return None
        shared = [name for name in self.secrets if name in other.sensitive]
        classes = {name: classes_as(self.population.sensitive[name], other.sensitive[name]) for name in shared}
        return Elsewhere(lambda view: view_of_others(other, run, view), public_register(other), classes)

    def _labels(self, secret: str) -> Labels:
        """Return a secret with targets' classes taken out."""

        def hidden() -> Labels:
            code = self.classes(secret)
            return Labels(np.where(self.auxiliary, code, UNKNOWN), max(1, int(code.max()) + 1))

        memo = self.pooled if secret == DECISION else self.answers  # a run makes its own decisions
        return memo.once(("labels", secret), hidden)


def truths_of(
    population: Population,
    design: Design,
    run: Run,
    auxiliary: NDArray[np.bool_],
    seed: int,
    memo: Memo | None = None,
    answers: Memo | None = None,
) -> list[Truth]:
    """Return every coalition in front of one run; ``memo`` and ``answers`` keep what the next run can use again."""
    kept, known = Memo() if memo is None else memo, Memo() if answers is None else answers
    pooled, of_run = Memo(), Memo()
    return [
        Truth(population, design.name, design.enforces, run, coalition, auxiliary, seed, kept, known, pooled, of_run)
        for coalition in coalitions_of(run, design.feared)
    ]


def auxiliary_people(population: Population, seed: int) -> NDArray[np.bool_]:
    """Return a seeded random fifth of the people: those whose secrets every attacker knows."""
    n = len(population)
    chosen = np.random.default_rng([seed, 0xA0]).permutation(n) < max(1, round(AUXILIARY_SHARE * n))
    return np.asarray(chosen, np.bool_)


def classes_of(secret: pd.Series) -> NDArray[np.int64]:
    """Return a sensitive column as classes 0..k-1; UNKNOWN where nobody said: a missing answer is no secret."""
    said = secret.notna().to_numpy()
    code = np.full(len(secret), UNKNOWN, np.int64)
    code[said] = secret[said].astype("str").astype("category").cat.codes
    return code


def classes_as(secret: pd.Series, other: pd.Series) -> NDArray[np.int64]:
    """Return other people's classes in the numbers that :func:`classes_of` gives; UNKNOWN for what nobody has there."""
    known = secret[secret.notna()].astype("str").astype("category").cat.categories
    said = other.notna().to_numpy()
    code = np.full(len(other), UNKNOWN, np.int64)
    code[said] = known.get_indexer(pd.Index(other[said].astype("str")))
    return code


def public_register(population: Population) -> pd.DataFrame:
    """Return what outsiders know of everybody: the register without the legal id."""
    return population.register.drop(columns=LEGAL_ID, errors="ignore")


def totals_of(run: Run) -> int | None:
    """Return how many totals the protocol lets a card give, where a run says so: whoever makes the card can use all."""
    totals = run.parameters.get("totals_at_most")
    return totals if isinstance(totals, int) else None


def view_of_others(others: Population, run: Run, view: View) -> View:
    """Return what a view would show of other people: their figures and register, and what the same card gives."""
    scores = run.score(others)
    made: Mapping[Kind, Callable[[], NDArray[np.generic]]] = {
        "score": lambda: scores,
        "decision": lambda: (scores >= run.threshold).astype(np.int8),
        "total": lambda: run.card.totals(run.card.bins(others.features)),
    }
    columns: dict[str, object] = {}
    for name, kind in view.kinds.items():
        table = {"feature": others.features, "register": others.register}.get(kind)
        if table is not None and name in table:
            columns[name] = table[name].to_numpy()
        elif kind in made:
            columns[name] = made[kind]()
    told = tuple(column for column in view.columns if column.name in columns)
    n = len(others)
    return View(view.role, view.keyed_by, pd.DataFrame(columns, index=range(n)), told, np.arange(n, dtype=np.int64))


def view_in(later: Population, run: Run, view: View, memo: Memo | None = None) -> View:
    """Return the same view of another month: features as they are then, score and decision by the same card.

    ``memo`` keeps what the card gives in that month, which is the same in every view of the run, for as long as
    whoever asks keeps those people.
    """
    kept = Memo() if memo is None else memo
    scores = kept.once(("scores", id(later)), lambda: run.score(later))
    fresh: dict[Kind, NDArray[np.generic]] = {
        "score": scores,
        "decision": (scores >= run.threshold).astype(np.int8),
    }
    if view.of("total"):
        card = run.card
        fresh["total"] = kept.once(("totals", id(later)), lambda: card.totals(card.bins(later.features)))
    columns: dict[str, object] = {}
    for name, kind in view.kinds.items():
        if kind == "feature" and name in later.features.columns:
            columns[name] = later.features[name].array[view.person]
        elif kind in fresh:
            columns[name] = fresh[kind][view.person]
        else:
            columns[name] = view.clear[name].array
    return replace(view, clear=pd.DataFrame(columns))
