"""Executed: what every cryptographic design does: fit, play real parties of bytes, and hold the views to what was seen.

::

    fit card, threshold -> ideal views, one a role  ----------------------.
    cast of parties     -> play a sample at a table -> observe stores, tape -> every role's declared view is held to it

A view passes only if the party wrote down and was sent nothing more, every value that it wrote down is the ideal one,
and every string that two parties both hold is a declared handle. Only then does it count for everybody ("observed").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.designs.plain import (
    LEGAL_ID,
    LENDER_SCORES,
    choose_threshold,
    financial,
    fit_card,
    messages,
    retrain,
    scoring_lender,
)
from blindscore.parties.cast import Cast, Ending, StoreOf, play
from blindscore.parties.costs import Costs, costs_of
from blindscore.parties.observe import (
    ObservationError,
    Observed,
    kept_as_found,
    observe,
    require_declared,
    require_handles,
)
from blindscore.parties.store import MemoryStore
from blindscore.parties.table import Table
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard

Records = Mapping[str, Mapping[str, float | str | None]]  # by legal id: what a source holds of a person


class Sampled(Protocol):
    """A design that is played for a sample of people."""

    @property
    def approve(self) -> float:
        """Share of past customers whom the threshold approves."""
        ...

    @property
    def sample(self) -> int:
        """People for whom the protocol is executed."""
        ...


@dataclass(frozen=True)
class Fitted:
    """A card fitted on all financial features, and what it says of everybody in the clear."""

    card: Card
    totals: NDArray[np.int32]  # (n,)
    scores: NDArray[np.int16]  # (n,)
    threshold: int
    decisions: NDArray[np.bool_]  # (n,)
    train: Callable[[NDArray[np.bool_]], Card]


def fit(population: Population, scorecard: Scorecard, approve: float) -> Fitted:
    """Fit on past customers and choose the threshold that approves about the share ``approve`` of them."""
    features = financial(population)
    card = fit_card(population, scorecard, features).card_
    totals = card.totals(card.bins(population.features))
    scores = card.clip(totals)
    threshold = choose_threshold(scores[population.history], approve, card.scale.low, card.scale.high)
    return Fitted(card, totals, scores, threshold, scores >= threshold, retrain(population, scorecard, features))


def legal_ids(population: Population) -> NDArray[np.object_]:
    """Return everybody's legal id as text, (n,)."""
    return population.register[LEGAL_ID].astype(str).to_numpy()


def records_of(population: Population, features: Sequence[str], chosen: NDArray[np.integer]) -> Records:
    """Return what a source's ledger says of the chosen people: numbers, categories, None where it is missing."""
    frame = population.features.iloc[chosen][list(features)]
    return {
        legal_id: {name: _plain(value) for name, value in zip(features, row, strict=True)}
        for legal_id, row in zip(legal_ids(population)[chosen], frame.itertuples(index=False), strict=True)
    }


def _plain(value: object) -> float | str | None:
    """Return a value as a store keeps it."""
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Executed:
    """What a played sample came to, once every view has been held to it."""

    views: Mapping[str, View]  # basis "observed"
    costs: Costs
    real_runs: int
    real_agree: int  # of them: ended as the clear scorecard decides; none where lengths differed from person to person
    table: Table
    seen: Mapping[str, Observed]
    endings: Mapping[int, Ending]


def execute_sample(
    design: Sampled,
    population: Population,
    scorecard: Scorecard,
    rng: np.random.Generator,
    cast: Callable[[Card, int, Records, StoreOf], Cast],
    ideal: Callable[[Population, Fitted, np.random.Generator], Mapping[str, View]],
) -> tuple[Fitted, Cast, Executed]:
    """Fit a design's card, play its parties for a random sample, and hold the ideal views to what was observed.

    Parameters
    ----------
    cast
        Makes the parties of card, threshold, what the source holds of the sample, and stores.
    ideal
        Makes the ideal view of everybody, by role; see :func:`execute`.

    Raises
    ------
    ObservationError
        As :func:`execute`.
    """
    fitted = fit(population, scorecard, design.approve)
    chosen = rng.choice(len(population), min(design.sample, len(population)), replace=False)
    records = records_of(population, fitted.card.features, chosen)
    views = ideal(population, fitted, rng)
    parties = cast(fitted.card, fitted.threshold, records, lambda name: MemoryStore())
    return fitted, parties, execute(parties, population, chosen, views, fitted.decisions)


def execute(
    cast: Cast,
    population: Population,
    chosen: NDArray[np.integer],
    views: Mapping[str, View],
    decisions: NDArray[np.bool_],
    *,
    sizes_vary: bool = False,
) -> Executed:
    """Play the chosen people's applications and hold the declared views to what was observed.

    Parameters
    ----------
    cast
        Parties whose roles are the keys of ``views``, and wallets.
    chosen
        Indices of the people, (m,).
    views
        The ideal view of everybody, by role, for each role but the wallet's.
    decisions
        What the card decides in the clear, (n,).
    sizes_vary
        The design does not claim that every person's messages have one size.

    Raises
    ------
    ObservationError
        A party had more, or other, than its view declares; it has no view; or two parties hold an undeclared string.
    """
    people = sorted(map(int, chosen))
    ids = legal_ids(population)
    table, endings = play(cast, {i: ids[i] for i in people})
    seen = observe(table, _facts(population, people))
    without = set(seen) - set(views) - {"wallet"}
    if without:
        raise ObservationError(f"{', '.join(sorted(without))}: took part, and the design declares no view of it")
    for role, view in views.items():
        rows = view.clear.set_axis(view.person)
        require_declared(seen[role], rows, view.kinds, [view.keyed_by])
    for a, b in combinations(sorted(views), 2):
        require_handles((seen[a], seen[b]), declared_joins(views[a], views[b]))
    costs = costs_of(table.tape, cast.keys_bytes)
    wire = messages(population, costs.bytes_up, costs.bytes_down)
    held = {
        role: replace(
            view,
            columns=kept_as_found(seen[role], view.columns),
            basis="observed",
            received=seen[role].received,
            opaque_bytes=_held_bytes(table, role, people),
            messages=wire if role == "lender" else view.messages,
        )
        for role, view in views.items()
    }
    # Chance alone decides whose transcript an auditor asks for, so that its line says nothing of the person.
    sizes = [told for line, told in table.tape.sizes().items() if "auditor" not in line]
    one_size = sizes_vary or all(len(sequences) == 1 for sequences in sizes)
    agree = sum(
        one_size and endings[i].decision is not None and bool(endings[i].decision) == bool(decisions[i]) for i in people
    )
    return Executed(MappingProxyType(held), costs, len(people), agree, table, seen, MappingProxyType(endings))


def recorded(fitted: Fitted, done: Executed, parameters: Mapping[str, object], *, audit_share: float = 0.0) -> Run:
    """Return the run of a played design whose lender scores: observed views, the tape's costs, what was agreed on."""
    views = dict(done.views)
    lender = views.pop("lender")
    return Run(
        decisions=fitted.decisions,
        scores=fitted.scores,
        threshold=fitted.threshold,
        totals=fitted.totals,
        card=fitted.card,
        views={**scoring_lender(lender), **views},
        costs=done.costs,
        parameters=MappingProxyType(dict(parameters)),
        real_runs=done.real_runs,
        real_agree=done.real_agree,
        audit_share=audit_share,
        train=fitted.train,
        plays=LENDER_SCORES,
    )


def declared_joins(a: View, b: View) -> frozenset[int]:
    """Return the people whom a handle that both views declare joins; a negative handle is none."""
    joined: set[int] = set()
    for name in set(a.of("handle")) & set(b.of("handle")):
        whose = dict(zip(a.clear[name].tolist(), a.person.tolist(), strict=True))
        pairs = zip(b.clear[name].tolist(), b.person.tolist(), strict=True)
        joined |= {p for value, p in pairs if whose.get(value) == p and not (isinstance(value, int) and value < 0)}
    return frozenset(joined)


def _facts(population: Population, people: list[int]) -> pd.DataFrame:
    """Return figures and names to look for in messages, by person."""
    facts = pd.concat([population.register.iloc[list(people)], population.features.iloc[list(people)]], axis=1)
    return facts.set_axis(list(people))


def _held_bytes(table: Table, role: str, people: Sequence[int]) -> int:
    """Return how many bytes of one person a role was sent, median."""
    by_person = dict.fromkeys(people, 0)
    for passage in table.tape.received(role):
        by_person[passage.person] += len(passage.body)
    return int(np.median([*by_person.values()]))
