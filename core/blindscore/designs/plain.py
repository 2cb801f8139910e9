"""What every design shares: fitting on past customers, the decision rule, and the records that parties hold anyway."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from blindscore.designs.design import Run
from blindscore.errors import DataError, ParameterError
from blindscore.parties.costs import Costs
from blindscore.parties.view import Column, Kind, View
from blindscore.people.population import FINANCIAL, Population
from blindscore.scorecard.binning import kind_of
from blindscore.scorecard.card import Card
from blindscore.scorecard.reasons import costliest, lost_points
from blindscore.scorecard.scorecard import Scorecard

LEGAL_ID = "legal_id"
LENDER_SCORES: Mapping[str, tuple[str, ...]] = MappingProxyType({"lender": ("scorer", "lender")})  # see `Run.plays`


def fit_card(population: Population, scorecard: Scorecard, features: list[str]) -> Scorecard:
    """Return a clone of ``scorecard`` fitted on the past customers, with the named features only.

    Raises
    ------
    DataError
        No feature is named, or the past customers' outcomes are all alike.
    """
    if not features:
        raise DataError(f"{population.name}: this design finds no feature it may use; give the schema some")
    past = population.history
    people = declared(population.features[features])
    fitted: Scorecard = clone(scorecard).fit(people.loc[past], population.default[past])
    return fitted


def declared(features: pd.DataFrame) -> pd.DataFrame:
    """Return the table with every category of a column declared, also those that only later customers have.

    A card fitted on past customers can then score the others: a category never seen joins the bin nearest the average.
    """
    words = [name for name in features.columns if kind_of(features[name]) == "category"]
    return features.astype(dict.fromkeys(words, "category"))


@dataclass(frozen=True)
class Scored:
    """A population scored in the clear: what every plain design starts from."""

    card: Card
    scores: NDArray[np.int16]
    totals: NDArray[np.int32]  # before clipping, moved by whatever else moves the scores
    threshold: int
    messages: pd.DataFrame
    us_per_person: float  # to bin and add up, microseconds
    train: Callable[[NDArray[np.bool_]], Card]

    def run(self, views: Mapping[str, View], parameters: Mapping[str, object], **more: Any) -> Run:
        """Return the run with the given views; nothing was executed under cryptography."""
        up, down = (int(self.messages[column].median()) for column in ("bytes_up", "bytes_down"))
        return Run(
            decisions=self.scores >= self.threshold,
            scores=self.scores,
            totals=self.totals,
            threshold=self.threshold,
            card=self.card,
            views=views,
            costs=Costs(MappingProxyType({"scorer": round(self.us_per_person, 3)}), up, down),
            parameters=MappingProxyType({**parameters, "threshold": self.threshold}),
            train=self.train,
            **more,
        )


def score_in_clear(
    population: Population,
    scorecard: Scorecard,
    features: list[str],
    approve: float,
    adjust: Callable[[Population, NDArray[np.int16]], NDArray[np.int16]] | None = None,
) -> Scored:
    """Fit on past customers, score everybody, choose the threshold, and answer over an ordinary encrypted line.

    Parameters
    ----------
    adjust
        What a design does to the card's scores afterwards (penalties), given the people.
    """
    card = fit_card(population, scorecard, features).card_
    bins, totals, us_per_person = timed(card, population.features)
    scores = card.clip(totals)
    if adjust is not None:
        adjusted = adjust(population, scores)
        totals = totals + adjusted - scores
        scores = adjusted
    threshold = choose_threshold(scores[population.history], approve, card.scale.low, card.scale.high)
    down = reply_bytes(card, bins, scores >= threshold)
    wire = messages(population, up=8 * len(features), down=down)
    return Scored(card, scores, totals, threshold, wire, us_per_person, retrain(population, scorecard, features))


def timed(card: Card, people: pd.DataFrame) -> tuple[NDArray[np.uint8], NDArray[np.int32], float]:
    """Return bins (n, k), totals (n,), and the microseconds a person that they took.

    The best of three turns is told: a first one may compile the kernel.
    """
    times = []
    for _ in range(3):
        started = time.perf_counter()
        bins = card.bins(people)
        totals = card.totals(bins)
        card.clip(totals)
        times.append(time.perf_counter() - started)
    return bins, totals, 1e6 * min(times) / len(people)


def choose_threshold(scores: NDArray[np.integer], approve: float = 0.75, low: int = 350, high: int = 950) -> int:
    """Return the published threshold that approves about the share ``approve`` of the given people.

    Rounded down to a multiple of 5, so that it is a figure that a lender would print, and kept in (low, high].
    """
    if not 0 < approve < 1:
        raise ParameterError(f"approve must lie strictly between 0 and 1, got {approve}")
    exact = float(np.quantile(scores, 1 - approve))
    return int(np.clip(5 * (exact // 5), low + 1, high))


def financial(population: Population) -> list[str]:
    """Return the names of the features that come from the financial context."""
    return population.schema.names(contexts=(FINANCIAL,))


def own_records(population: Population, columns: list[str]) -> pd.DataFrame:
    """Return the register (legal id and quasi-identifiers) beside the named features, one row a person."""
    register = population.register[[c for c in population.register.columns if c not in columns]]
    return pd.concat([register, population.features[columns]], axis=1)


def bank_view(population: Population, **handles: NDArray[np.generic]) -> View:
    """Return what a bank holds of its own customers under any design: its ledger, by legal id.

    Parameters
    ----------
    **handles
        Join keys that the design's protocol leaves with the bank, one value a person.
    """
    clear = own_records(population, financial(population)).assign(**handles)
    kinds: dict[str, Kind] = dict.fromkeys(handles, "handle")
    return View("source", "legal id", clear, columns_of(population, clear, **kinds), everyone(population))


def columns_of(population: Population, clear: pd.DataFrame, **kinds: Kind) -> tuple[Column, ...]:
    """Return what the columns of a view's table are.

    Parameters
    ----------
    clear
        Columns of the people's register and features under their own names, and others.
    **kinds
        Of those others, by name; they go before what the people's tables say.

    Raises
    ------
    ParameterError
        A column is neither the people's nor given a kind.
    """
    known: dict[str, Kind] = {
        **dict.fromkeys(population.register.columns, "register"),
        **dict.fromkeys(population.features.columns, "feature"),
        LEGAL_ID: "handle",
        **kinds,
    }
    unknown = [name for name in clear.columns if name not in known]
    if unknown:
        raise ParameterError(f"say of what kind the columns {', '.join(map(str, unknown))} are")
    return tuple(Column(str(name), known[name]) for name in clear.columns)


def scoring_lender(view: View) -> dict[str, View]:
    """Return the views of scorer and lender where one party is both; the run says so with :data:`LENDER_SCORES`."""
    return {"scorer": replace(view, role="scorer"), "lender": replace(view, role="lender")}


def everyone(population: Population) -> NDArray[np.int64]:
    """Return the index of every person: the ``person`` column of a view with one record each."""
    return np.arange(len(population), dtype=np.int64)


def messages(population: Population, up: int, down: int | NDArray[np.integer]) -> pd.DataFrame:
    """Return one exchange a person: the hour of day of the application, and its bytes each way, as on the wire.

    The same people apply at the same hours under every design, so that the observer's view differs by sizes alone. The
    hours are a person's own where the people know them (:meth:`~blindscore.people.population.Population.applications`).
    """
    n = len(population)
    hours = population.applications().sort_values("person", kind="stable")["hour"].to_numpy(np.int64)
    return pd.DataFrame({"hour": hours, "bytes_up": np.full(n, up), "bytes_down": np.full(n, down)})


def reply_bytes(card: Card, bins: NDArray[np.uint8], approved: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length of each person's decision as a plain service would send it, JSON, bytes.

    A refusal names its four principal reasons, as lenders must (ECOA, Regulation B, 12 CFR 1002.9(b)(2)); encryption
    in transit does not hide the length that this adds.
    """
    score = card.scores(bins)
    lost = lost_points(card, bins)
    order = costliest(lost)
    given = np.take_along_axis(lost, order, axis=1) > 0
    names = np.array([len(json.dumps(c.feature)) for c in card.characteristics])
    separators = 2 * np.maximum(given.sum(axis=1) - 1, 0)
    reasons = (names[order] * given).sum(axis=1) + separators + len(', "reasons": []')
    plain = np.array(
        [len(json.dumps({"approved": bool(a), "score": int(s)})) for a, s in zip(approved, score, strict=True)]
    )
    return np.asarray(np.where(approved, plain, plain + reasons), np.int64)


def retrain(population: Population, scorecard: Scorecard, features: list[str]) -> Callable[[NDArray[np.bool_]], Card]:
    """Return how to fit the card again with other people as past customers: what a membership attacker rehearses."""

    people, default = declared(population.features[features]), population.default

    def train(past: NDArray[np.bool_]) -> Card:
        card: Card = clone(scorecard).fit(people.loc[past], default[past]).card_
        return card

    return train
