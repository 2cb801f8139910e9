"""``track``: say where a person is in an hour that was held out.

Attack: a fifth of each person's sightings is held out; the others vote for a place, each with the odds that two
sightings of one person at those two hours are in one place, learnt from auxiliary people. Who reads no visits says
the commonest place among auxiliary people who are alike in one column of the view, or of the public register where
records carry a name: the column that serves best on auxiliary people. Advantage: ``(hit rate - prior)/(1 - prior)``,
prior the hit rate of the commonest place of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.bound import Bound, share_bound
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.knowledge import Knowledge, Places, codes_by_person, row_codes
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.memo import digest_of
from blindscore.surveillance.questions import HELD_OUT
from blindscore.surveillance.truth import Truth

WEEK = 168  # hours
SLOTS = 48  # hours of a working day and of a day of the weekend
SMOOTH = 20.0  # pairs of sightings that the average counts for, in each pair of slots
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """The place that is said for each question."""

    attack: str
    place: NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """A grouping of all people."""

    of: NDArray[np.int64]  # (n,) equal for people who stand together

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the grouping."""
        return digest_of(self.of)


@dataclass(frozen=True)
class Track(Capability):
    """Say where a person is."""

    name = "track"
    question = "say where you are"
    order = 40
    needs = frozenset({"places"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return one, or none where the population's places are unknown to the experimenter too."""
        return [] if truth.places() is None else ["place"]

    def attack(self, knowledge: Knowledge, secret: str) -> Said:
        """Return where the coalition says that each person was in each hour that is asked for."""
        if any(view.visits is not None for view in knowledge.views):
            return Said("own sightings, by how often two such hours share a place", _own(knowledge))
        cells = tuple(cell for view in knowledge.parts for cell in _view_cells(knowledge, view))
        return Said("commonest place of people alike in one column", _alike(knowledge, cells))

    def judge(self, truth: Truth, secret: str, guess: Said) -> Row:
        """Return the row, held against people alike in a column of the register."""
        found = truth.places()
        assert found is not None
        places, right = found

        def hits(said: NDArray[np.int64]) -> Floats:
            return _share_right(places.asked["person"].to_numpy(), said == right)

        def publicly() -> tuple[float, float]:
            public = truth.knowledge({"places"})
            groupings = ((), tuple(_register_cells(public)))
            prior, control = (float(hits(_alike(public, cells)).mean()) for cells in groupings)
            return prior, control

        brought = "" if truth.outside is None else truth.outside.name
        prior, control = truth.once(("track", "public", brought), publicly)
        estimate = mean_interval(hits(guess.place), truth.rng("track"))
        advantage, low, high, beyond = ((rate - prior) / (1.0 - prior) for rate in (*estimate, control))
        bound, reason = _bound(truth, places, right, prior)
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=guess.attack,
            advantage=advantage,
            low=low,
            high=high,
            control=beyond,
            reason=reason,
        ).bounded(bound)


def _own(knowledge: Knowledge) -> NDArray[np.int64]:
    """Return what each person's own other sightings say; all views that read sightings read the same ones."""
    places = _places(knowledge)
    seen = next(view for view in knowledge.views if view.visits is not None)
    visits = seen.visits
    assert visits is not None
    key = ("track", "own", seen.ties)
    return knowledge.once(key, lambda: _by_habit(places.known, visits, places.asked))


def _alike(knowledge: Knowledge, cells: tuple[Cell, ...]) -> NDArray[np.int64]:
    """Return the place that the best of the given groupings says for each question.

    Each grouping learns from every second auxiliary person and is judged on the others, so that one of many small
    cells cannot win by chance. Many views show the same columns, so each grouping is judged once.
    """
    known, asked = _places(knowledge).known, _places(knowledge).asked
    place, person = known["place"].to_numpy(), known["person"].to_numpy()
    learn = person % 2 == 0
    overall = int(known["place"].mode().iloc[0])

    def rate(cell: Cell) -> float:
        group = cell.of
        judged = _said(group[person[learn]], place[learn], group[person[~learn]], overall)
        return float((judged == place[~learn]).mean())

    def attack() -> NDArray[np.int64]:
        best, most = None, float((place[~learn] == overall).mean())
        for cell in cells:
            if (found := knowledge.once(("track", "rate", cell.digest), partial(rate, cell))) > most:
                best, most = cell.of, found
        if best is None:
            return np.full(len(asked), overall, np.int64)
        return _said(best[person], place, best[asked["person"].to_numpy()], overall)

    return knowledge.once(("track", *(cell.digest for cell in cells)), attack)


def _places(knowledge: Knowledge) -> Places:
    assert knowledge.places is not None
    return knowledge.places


def _share_right(person: NDArray[np.integer], right: NDArray[np.bool_]) -> Floats:
    """Return the share of each person's questions that are answered rightly."""
    return pd.Series(right).groupby(person).mean().to_numpy(np.float64)


def _register_cells(knowledge: Knowledge) -> list[Cell]:
    register = knowledge.register
    key = ("track", "register", knowledge.brought)
    return knowledge.once(key, lambda: [Cell(row_codes(register[[name]])) for name in register.columns])


def _view_cells(knowledge: Knowledge, view: View) -> list[Cell]:
    """Return groupings of all people, one a readable column: its values, numbers cut into twentieths."""

    def read() -> list[Cell]:
        cells = list(_register_cells(knowledge)) if view.named else []
        for name in view.values:
            column = view.clear[name]
            if pd.api.types.is_numeric_dtype(column) and column.nunique() > 20:
                column = pd.qcut(column, 20, labels=False, duplicates="drop")
            group = np.full(len(knowledge), -1, np.int64)
            group[view.person] = row_codes(column.to_frame())
            cells.append(Cell(group))
        return cells

    return knowledge.of_run.once(("track", "cells", view.digest), read)


def _bound(truth: Truth, places: Places, right: NDArray[np.int64], prior: float) -> tuple[Bound | None, str]:
    """Return the best that any function of a finite view and the hour of the week can say of the held-out sightings.

    People weigh alike, as they do in the attack's own figure.
    """
    if any(view.visits is not None for view in truth.views):
        return None, "attack only: the coalition reads places"
    if len(truth.views) != 1 or truth.views[0].universe is None or truth.views[0].named:
        return None, "attack only: the view has no small alphabet, or carries names"
    view = truth.views[0]
    code = codes_by_person(len(truth.population), view)
    asked = places.asked
    person = asked["person"].to_numpy()
    often = np.bincount(person)
    people = int((often > 0).sum())
    told = pd.DataFrame(
        {
            "code": code[person],
            "hour": asked["hour"].to_numpy() % WEEK,
            "place": right,
            "weight": 1.0 / often[person] / people,
        }
    )
    best = told.groupby(["code", "hour", "place"])["weight"].sum().groupby(level=[0, 1]).max().sum()
    reason = f"no function of a view of {view.universe} values and the hour of the week does better"
    return share_bound(float(best), prior, people), reason


def _by_habit(known: pd.DataFrame, seen: pd.DataFrame, asked: pd.DataFrame) -> NDArray[np.int64]:
    """Return, for each question, the place that the person's own sightings vote for, each by its habit's strength."""
    strength = _habit(known)
    pairs = _beside(asked, seen)
    pairs["vote"] = strength[_slot(pairs["hour"]), _slot(pairs["hour_seen"])]
    votes = pairs.groupby(["index", "place_seen"], sort=False)["vote"].sum().reset_index()
    best = votes.sort_values("vote").drop_duplicates("index", keep="last").set_index("index")["place_seen"]
    return best.reindex(range(len(asked)), fill_value=-1).to_numpy(np.int64)


def _habit(known: pd.DataFrame) -> Floats:
    """Return the odds, (slots, slots), that two sightings of one person at such hours are in one place."""
    asked = np.random.default_rng(len(known)).random(len(known)) < HELD_OUT
    pairs = _beside(known[asked], known[~asked])
    same = (pairs["place"] == pairs["place_seen"]).to_numpy(np.float64)
    cell = SLOTS * _slot(pairs["hour"]) + _slot(pairs["hour_seen"])
    count, alike = (np.bincount(cell, weights, SLOTS**2) for weights in (None, same))
    usual = same.mean() if len(same) else 0.5
    share = np.minimum((alike + SMOOTH * usual) / (count + SMOOTH), 0.999)
    return np.asarray(share / (1.0 - share)).reshape(SLOTS, SLOTS)


def _beside(asked: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return each question (numbered by ``index``) beside each sighting of the same person."""
    others = seen.rename(columns={"hour": "hour_seen", "place": "place_seen"})
    return asked.reset_index(drop=True).reset_index().merge(others, on="person")


def _slot(hour: pd.Series) -> NDArray[np.int64]:
    of_week = hour.to_numpy(np.int64) % WEEK
    hours: NDArray[np.int64] = np.where(of_week >= 5 * 24, 24, 0) + of_week % 24
    return hours


def _said(
    cell: NDArray[np.int64], place: NDArray[np.integer], asked: NDArray[np.int64], otherwise: int
) -> NDArray[np.int64]:
    counts = pd.DataFrame({"cell": cell, "place": place}).value_counts(sort=True).reset_index()
    top = counts.drop_duplicates("cell").set_index("cell")["place"]
    return pd.Series(asked).map(top).fillna(otherwise).to_numpy(np.int64)
