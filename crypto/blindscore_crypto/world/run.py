"""run: what every executed system of the world does around its own parties: fit, draw a sample, record the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import Run
from blindscore.designs.plain import LEGAL_ID, financial
from blindscore.extras import require
from blindscore.parties.cast import Cast
from blindscore.parties.store import MemoryStore
from blindscore.parties.view import Kind, View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Executed, Fitted, execute, fit, legal_ids, recorded, records_of
from blindscore_crypto.designs.sample import check_sample
from blindscore_crypto.world.parties import ACCOUNTS, accounts_spec

Row = dict[str, str | int | float | bool | None]


@dataclass(frozen=True)
class ReadsAccounts:
    """What the designs share in which somebody reads accounts; each names its extra."""

    approve: float = 0.75  # share of past customers whom the threshold approves
    sample: int = 16  # people for whom the protocol is run

    extra: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_sample(self.sample)


def known_of(population: Population, chosen: NDArray[np.integer]) -> dict[str, Row]:
    """Return what a bank knows of the chosen people, by legal id: figures, and the register without the id."""
    records, ids = records_of(population, financial(population), chosen), legal_ids(population)
    register = population.register.drop(columns=LEGAL_ID)
    return {
        ids[i]: {**records[ids[i]], **{str(k): str(v) for k, v in register.iloc[i].items()}} for i in map(int, chosen)
    }


def kinds_of(population: Population) -> tuple[dict[str, Kind], dict[str, Kind]]:
    """Return the columns that a bank holds of a person, by kind: figures; and the register, without the legal id."""
    register: dict[str, Kind] = {str(c): "register" for c in population.register if c != LEGAL_ID}
    return dict.fromkeys(financial(population), "feature"), register


def accounts_of(kinds: Mapping[str, Kind], known: Mapping[str, Row]) -> MemoryStore:
    """Return a bank's store, with the accounts of those whom it knows."""
    accounts = MemoryStore(accounts_spec(kinds))
    for legal_id, row in known.items():
        accounts.put(ACCOUNTS, legal_id.encode(), row)
    return accounts


def play_accounts(
    population: Population,
    scorecard: Scorecard,
    rng: np.random.Generator,
    design: ReadsAccounts,
    cast_of: Callable[[Population, Fitted, NDArray[np.integer]], Cast],
    views_of: Callable[[Population, Fitted], dict[str, View]],
) -> tuple[Fitted, NDArray[np.integer], Cast, Executed]:
    """Fit, draw people in pairs, and play them; return card, people, parties, and what was observed of them.

    Raises
    ------
    MissingExtraError
        The design's extra is not installed.
    """
    require(design.extra)
    fitted = fit(population, scorecard, design.approve)
    chosen = in_pairs(fitted.scores, design.sample, rng)
    cast, views = cast_of(population, fitted, chosen), views_of(population, fitted)
    done = execute(cast, population, chosen, views, fitted.decisions, sizes_vary=True)
    return fitted, chosen, cast, done


def run_of(
    done: Executed,
    fitted: Fitted,
    *,
    scorer: str,
    plays: Mapping[str, tuple[str, ...]],
    parameters: Mapping[str, object],
) -> Run:
    """Return the run: observed views, the costs on the tape, and the view of the role that scores as the scorer's."""
    views = {**done.views, "lender": sized(done, fitted)}
    views["scorer"] = replace(views[scorer], role="scorer")
    run = recorded(fitted, done, {**parameters, "threshold": fitted.threshold})
    return replace(run, views=MappingProxyType(views), plays=plays)


def in_pairs(scores: NDArray[np.integer], sample: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return people, two of each score: a string that says no more than the score is then nobody's own.

    Parameters
    ----------
    scores
        Of everybody, (n,).
    sample
        How many people are wanted; an odd one is left without company, and rounded up.
    """
    order = rng.permutation(len(scores))
    by_score = order[np.argsort(scores[order], kind="stable")]
    first = np.flatnonzero(np.diff(scores[by_score]) == 0)
    taken: list[int] = []
    for i in rng.permutation(first):
        pair = [int(by_score[i]), int(by_score[i + 1])]
        if len(taken) < sample and not set(pair) & set(taken):
            taken += pair
    return np.array(taken, np.int64)


def sized(done: Executed, fitted: Fitted) -> View:
    """Return the lender's view with the answers' sizes as they were on the line: they differ by the decision."""
    lengths: dict[bool, list[int]] = {True: [], False: []}
    for passage in done.table.tape.passages:
        if passage.sender == "lender" and passage.kind == "decision":
            lengths[bool(fitted.decisions[passage.person])].append(len(passage.body))
    lender = done.views["lender"]
    before = lender.messages["bytes_down"] - int(np.median(lengths[True] + lengths[False]))
    # Where nobody in the sample got a decision, its length is known all the same: JSON's false is a byte longer.
    yes = lengths[True][0] if lengths[True] else lengths[False][0] - 1
    down = before + np.where(fitted.decisions, yes, yes + 1)
    return replace(lender, messages=lender.messages.assign(bytes_down=down))
