"""``track``: say where a person is in an hour that was held out.

Attack: a fifth of each person's sightings is held out; the others vote for a place, each with the odds that two
sightings of one person at those two hours are in one place, learnt from auxiliary people. Who reads no visits says
the commonest place among auxiliary people who are alike in one column of the view, or of the public register where
records carry a name: the column that serves best on auxiliary people. Advantage: ``(hit rate - prior)/(1 - prior)``,
prior the hit rate of the commonest place of all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.inference.intervals import mean_interval
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene, codes_by_person, public_register, row_codes

HELD_OUT = 0.2  # share of sightings
WEEK = 168  # hours
SLOTS = 48  # hours of a working day and of a day of the weekend
SMOOTH = 20.0  # pairs of sightings that the average counts for, in each pair of slots
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """Say where a person is."""

    name = "track"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row, or none where the population's places are unknown to the experimenter too."""
        visits = scene.population.visits
        if visits is None or len(visits) == 0:
            return []
        reads = any(view.visits is not None for view in scene.views)
        prior = float(_hits(scene, ()).mean())
        public = _hits(scene, tuple(_register_cells(scene)))
        if reads:
            attack, hits = (
                "own sightings, by how often two such hours share a place",
                scene.once(("track", "own"), lambda: _own_hits(scene)),
            )
        else:
            cells = tuple(cell for view in scene.views for cell in _view_cells(scene, view))
            attack, hits = "commonest place of people alike in one column", _hits(scene, cells)
        estimate = mean_interval(hits, scene.rng("track"))
        advantage, low, high, control = ((rate - prior) / (1.0 - prior) for rate in (*estimate, float(public.mean())))
        bound, reason = (None, "attack only: the coalition reads places") if reads else _bound(scene, prior)
        return [
            Row(
                design=scene.design,
                coalition=scene.coalition.name,
                capability=self.name,
                secret="place",
                attack=attack,
                advantage=advantage,
                low=low,
                high=high,
                control=control,
                bound=bound,
                reason=reason,
            )
        ]


def _held_out(scene: Scene) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return auxiliary people's sightings, all that are not held out, and the targets' held-out ones."""
    visits = scene.population.visits
    assert visits is not None
    held = scene.rng("track", "held out").random(len(visits)) < HELD_OUT
    known = scene.auxiliary[visits["person"].to_numpy()]
    return visits[known], visits[~held], visits[held & ~known]


def _own_hits(scene: Scene) -> Floats:
    known, seen, asked = _held_out(scene)
    return _share_right(asked, _by_habit(known, seen, asked))


def _hits(scene: Scene, cells: tuple[bytes, ...]) -> Floats:
    """Return the share of each target's held-out sightings that the best of the given groupings places rightly."""

    def attack() -> Floats:
        known, _, asked = _held_out(scene)
        groupings = [np.frombuffer(cell, np.int64) for cell in cells]
        return _share_right(asked, _commonest_by_cell(known, asked, groupings))

    return scene.once(("track", cells), attack)


def _share_right(asked: pd.DataFrame, said: NDArray[np.int64]) -> Floats:
    right = pd.Series(said == asked["place"].to_numpy()).groupby(asked["person"].to_numpy()).mean()
    return right.to_numpy(np.float64)


def _register_cells(scene: Scene) -> list[bytes]:
    register = public_register(scene.population)
    return [row_codes(register[[name]]).tobytes() for name in register.columns]


def _view_cells(scene: Scene, view: View) -> list[bytes]:
    """Return groupings of all people, one a readable column: its values, numbers cut into twentieths."""
    cells = _register_cells(scene) if view.named else []
    for name in view.values:
        column = view.clear[name]
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > 20:
            column = pd.qcut(column, 20, labels=False, duplicates="drop")
        group = np.full(len(scene.population), -1, np.int64)
        group[view.person] = row_codes(column.to_frame())
        cells.append(group.tobytes())
    return cells


def _bound(scene: Scene, prior: float) -> tuple[float | None, str]:
    """Return the best that any function of a finite view can say of the held-out hours, hour by hour ignored."""
    if len(scene.views) != 1 or scene.views[0].universe is None or scene.views[0].keyed_by == "legal id":
        return None, "attack only: the view has no small alphabet, or carries names"
    view = scene.views[0]
    _, _, asked = _held_out(scene)
    code = codes_by_person(scene, view)
    told = pd.DataFrame(
        {
            "code": code[asked["person"].to_numpy()],
            "hour": asked["hour"].to_numpy() % WEEK // 8,
            "place": asked["place"],
        }
    )
    best = told.groupby(["code", "hour", "place"]).size().groupby(level=[0, 1]).max().sum() / len(told)
    reason = f"no function of a view of {view.universe} values and an eight-hour stretch does better on these sightings"
    return (float(best) - prior) / (1.0 - prior), reason


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
    return asked.reset_index(drop=True).reset_index().merge(seen, on="person", suffixes=("", "_seen"))


def _slot(hour: pd.Series) -> NDArray[np.int64]:
    of_week = hour.to_numpy(np.int64) % WEEK
    return np.where(of_week >= 5 * 24, 24, 0) + of_week % 24


def _commonest_by_cell(
    known: pd.DataFrame, asked: pd.DataFrame, groupings: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Return the commonest place of auxiliary people of the same cell, in the grouping that serves best.

    Each grouping learns from every second auxiliary person and is judged on the others, so that one of many small
    cells cannot win by chance.
    """
    overall = int(known["place"].mode().iloc[0])
    place, person = known["place"].to_numpy(), known["person"].to_numpy()
    learn = person % 2 == 0
    best, rate = np.full(len(asked), overall, np.int64), float((place[~learn] == overall).mean())
    for group in groupings:
        judged = _said(group[person[learn]], place[learn], group[person[~learn]], overall)
        if (hit := float((judged == place[~learn]).mean())) > rate:
            rate = hit
            best = _said(group[person], place, group[asked["person"].to_numpy()], overall)
    return best


def _said(
    cell: NDArray[np.int64], place: NDArray[np.integer], asked: NDArray[np.int64], otherwise: int
) -> NDArray[np.int64]:
    counts = pd.DataFrame({"cell": cell, "place": place}).value_counts(sort=True).reset_index()
    top = counts.drop_duplicates("cell").set_index("cell")["place"]
    return pd.Series(asked).map(top).fillna(otherwise).to_numpy(np.int64)
