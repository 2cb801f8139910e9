"""A synthetic society: a structural causal model of people, from latents to defaults. Nobody in it is real.

Latents -> traits, ledger, device, baskets, browsing, posts, friendships, places, default. All noise is counter-based
(:mod:`blindscore.people.noise`), so one seed gives the same people again and an intervention changes descendants only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.people import equations
from blindscore.people.equations import Floats
from blindscore.people.friends import Edges, friends_mean, friendships
from blindscore.people.money import money
from blindscore.people.noise import coin, labels
from blindscore.people.places import visits
from blindscore.people.population import Population
from blindscore.people.variables import (
    AGE,
    AREA,
    CONDUCT_NAMES,
    DEVICE_NAMES,
    DEVICES,
    HOSTS,
    MONEY_NAMES,
    N_CONDUCT,
    OS,
    SEX,
    SOCIAL_NAMES,
    TRAITS,
    society_schema,
)

PEOPLE_PER_AREA = 400
MAX_PEOPLE = 5_000_000
_HISTORY = 720
_BANDS = ((18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))


@dataclass(frozen=True)
class Society(Population):
    """A synthetic population that can be re-run under an intervention.

    Attributes
    ----------
    seed : int
    default_rate : float
        Expected share of defaults.
    traits : DataFrame, (n, t)
        Every modelled secret; ``sensitive`` holds the chosen ones.
    """

    seed: int = 0
    default_rate: float = 0.0
    roots: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    traits: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    fixed: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    def do(self, conduct: Mapping[str, float], persons: NDArray[np.integer] | None = None) -> Society:
        """Re-run people with other posts, purchases, browsing or friends; all other noise is held fixed.

        Parameters
        ----------
        conduct : mapping
            Conduct feature -> value that replaces its equation. ``"friends"`` is a number of friends: a person keeps
            that many of its present friends, and makes new ones near its row if it has fewer.
        persons : (k,) integer array, or None
            Row numbers; None means everybody.

        Returns
        -------
        Society
            Only descendants differ: a feature of conduct changes itself, what it is a parent of (purchases move
            browsing; a fixed share rescales the other shares; opposition posts are seen by friends), and nothing else.
            Earlier interventions stay in force.

        Raises
        ------
        ParameterError
            An unknown name, a value that is negative or not finite, shares above 1, or a row number out of range.
        """
        rows = _rows(persons, len(self))
        fixed = self.fixed.copy()
        for name, value in conduct.items():
            if not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"do({name}=...): the value must be finite and not negative")
            if name == "friends":
                continue
            if name not in CONDUCT_NAMES:
                raise ParameterError(
                    f"do({name}=...): not a feature of conduct; choose from friends, {', '.join(CONDUCT_NAMES)}"
                )
            fixed[rows, CONDUCT_NAMES.index(name)] = value
        held = fixed[:, [k for k, name in enumerate(CONDUCT_NAMES) if name.startswith("browse_")]]
        sums = np.nansum(held, axis=1)
        if (sums > 1).any() or (np.isfinite(held).all(axis=1) & (sums != 1)).any():
            raise ParameterError(
                "do(browse_...): fixed shares of a person must stay within 1, and be 1 if all are fixed"
            )
        friends = self.friends
        assert friends is not None  # a society always has a graph
        if "friends" in conduct:
            friends = _refriend(friends, len(self), rows, round(conduct["friends"]))
        features = _with_conduct(self.features, self.seed, self.roots, self.traits, fixed, friends)
        return replace(self, features=features, friends=friends, fixed=fixed)


def make_society(
    people: int = 20_000,
    seed: int = 1,
    default_rate: float = 0.06,
    *,
    secrets: tuple[str, ...] = TRAITS,
    thin_files: bool = True,
) -> Society:
    """Make a synthetic society.

    Parameters
    ----------
    people : int
        1 to 5,000,000.
    seed : int
        0 to 2^63 - 1; the same seed gives the same people.
    default_rate : float
        Expected share of defaults, 0.001 to 0.5.
    secrets : tuple of str
        Which traits the ``sensitive`` table holds.
    thin_files : bool
        False gives everybody a financial history.

    Raises
    ------
    ParameterError
        A setting outside its range.
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise ParameterError(f"people must be 1 to {MAX_PEOPLE:,}, got {people}")
    if not 0 <= seed < 2**63:
        raise ParameterError(f"seed must be 0 to 2^63 - 1, got {seed}")
    if not 0.001 <= default_rate <= 0.5:
        raise ParameterError(f"default_rate must be 0.001 to 0.5, got {default_rate}")
    unknown = sorted(set(secrets) - set(TRAITS))
    if unknown:
        raise ParameterError(f"unknown secrets {', '.join(unknown)}; choose from {', '.join(TRAITS)}")
    areas = max(1, people // PEOPLE_PER_AREA)
    root = equations.roots(seed, people, areas)
    if not thin_files:
        from blindscore.people.variables import THIN

        root[:, THIN] = 0.0
    trait = equations.traits(seed, root)
    table = pd.DataFrame(trait, columns=list(TRAITS))
    edges = friendships(seed, root)
    fixed = np.full((people, N_CONDUCT), np.nan)
    outcome = equations.defaults(
        seed, equations.default_latent(root), intercept(default_rate, equations.default_spread())
    )
    return Society(
        features=_with_conduct(_fixed_features(seed, root), seed, root, table, fixed, edges),
        schema=society_schema(tuple(secrets)),
        default=outcome,
        sensitive=table[list(secrets)],
        register=_register(seed, root),
        history=coin(seed, _HISTORY, people),
        friends=edges,
        visits=visits(seed, root, trait, areas),
        name="synthetic society",
        synthetic=True,
        seed=seed,
        default_rate=default_rate,
        roots=root,
        traits=table,
        fixed=fixed,
    )


def intercept(rate: float, spread: float) -> float:
    """Intercept a with E[1 / (1 + exp(-a - spread Z))] = rate, Z standard normal, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        mean = float((weights / (1.0 + np.exp(-middle - spread * nodes))).sum())
        low, high = (middle, high) if mean < rate else (low, middle)
    return 0.5 * (low + high)


def _fixed_features(seed: int, root: Floats) -> pd.DataFrame:
    """Features that no conduct reaches: the ledger's and the device's."""
    columns: dict[str, object] = dict(zip(MONEY_NAMES, money(seed, root).T, strict=True))
    codes = equations.device(seed, root)
    for k, name in enumerate(DEVICE_NAMES):
        words = (DEVICES, OS, HOSTS)[k] if k < 3 else None
        columns[name] = codes[:, k].astype(np.float64) if words is None else np.array(words, dtype=object)[codes[:, k]]
    return pd.DataFrame(columns)


def _with_conduct(
    features: pd.DataFrame, seed: int, root: Floats, traits: pd.DataFrame, fixed: Floats, edges: Edges
) -> pd.DataFrame:
    """Run the equations of conduct and of the friends' aggregates over people whose other features stand."""
    done = equations.conduct(seed, root, traits.to_numpy(np.int8), fixed)
    n = len(root)
    posts = done[:, CONDUCT_NAMES.index("post_opposition")]
    social = (
        np.bincount(edges.ravel(), minlength=n).astype(np.float64),
        friends_mean(edges, n, features["arrears_months"].to_numpy(np.float64)),
        friends_mean(edges, n, posts),
    )
    columns = dict(zip((*CONDUCT_NAMES, *SOCIAL_NAMES), (*done.T, *social), strict=True))
    return features[[*MONEY_NAMES, *DEVICE_NAMES]].assign(**columns)


def _register(seed: int, root: Floats) -> pd.DataFrame:
    """What outsiders know. The mixer is a bijection, so no two people share a legal id."""
    ids = labels(seed, len(root))
    starts = np.array([start for start, _ in _BANDS])
    names = np.array([name for _, name in _BANDS], dtype=object)
    areas = np.array([f"area {k:04d}" for k in range(int(root[:, AREA].max()) + 1)], dtype=object)
    return pd.DataFrame(
        {
            "legal_id": [f"{word:016x}" for word in ids.tolist()],
            "age_band": names[np.searchsorted(starts, root[:, AGE], side="right") - 1],
            "sex": np.array(["male", "female"], dtype=object)[root[:, SEX].astype(int)],
            "region": areas[root[:, AREA].astype(int)],
        }
    )


def _rows(persons: NDArray[np.integer] | None, n: int) -> NDArray[np.int64]:
    rows = np.arange(n) if persons is None else np.asarray(persons, np.int64)
    if rows.ndim != 1 or (rows.size and (rows.min() < 0 or rows.max() >= n)):
        raise ParameterError(f"persons must be row numbers from 0 to {n - 1}")
    return rows


def _refriend(edges: Edges, n: int, rows: NDArray[np.int64], wanted: int) -> Edges:
    """Give each of the rows exactly `wanted` friends where possible: drop the last ones, or add people of near rows."""
    if wanted >= n:
        raise ParameterError(f"do(friends=...): {wanted} friends do not exist among {n} people")
    circle: dict[int, list[int]] = {int(i): [] for i in rows}
    for a, b in edges.tolist():
        if a in circle:
            circle[a].append(b)
        if b in circle:
            circle[b].append(a)
    pairs = {(a, b) for a, b in edges.tolist()}
    for i, known in circle.items():
        known = [j for j in known if (min(i, j), max(i, j)) in pairs]
        for j in known[wanted:]:
            pairs.discard((min(i, j), max(i, j)))
        step = 1
        while len(known) < wanted:
            j = (i + step) % n
            step += 1
            if j != i and (min(i, j), max(i, j)) not in pairs:
                pairs.add((min(i, j), max(i, j)))
                known.append(j)
    return np.array(sorted(pairs), np.int32).reshape(-1, 2)
