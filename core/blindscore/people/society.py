"""A synthetic society: a structural causal model of people, from latents to defaults. Nobody in it is real.

Latents -> traits, ledger, device, baskets, browsing, posts, friendships, places, default. All noise is counter-based
(:mod:`blindscore.people.counter_draws`), so one seed gives the same people again and an intervention changes
descendants only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.people import latents
from blindscore.people.applying import BANKS, banks, times
from blindscore.people.assemble import feature_table, lasting_features, register_table, texts
from blindscore.people.conduct import conduct as conduct_of
from blindscore.people.counter_draws import coin
from blindscore.people.disparities import disparate
from blindscore.people.friends import friendships, refriend
from blindscore.people.latents import Floats
from blindscore.people.money import LEDGER, MONTHS, enquired, ledger, money
from blindscore.people.places import visits
from blindscore.people.population import Population, check_months
from blindscore.people.variables import (
    BROWSE,
    CONDUCT_NAMES,
    DISPARATE_SECRETS,
    MONEY_NAMES,
    N_BROWSE,
    SECRETS,
    SOCIAL_NAMES,
    TRAITS,
    society_schema,
)

Kind = Literal["independent", "disparate"]
KINDS: Mapping[Kind, str] = MappingProxyType(
    {"independent": "synthetic society", "disparate": "synthetic society with disparities"}
)
PEOPLE_PER_AREA = 400
SETTABLE = (*CONDUCT_NAMES, *SOCIAL_NAMES)  # what `do` can set, in the order of a plan's columns
MAX_PEOPLE = 5_000_000
MAX_LATER = 24  # months
_HISTORY = 720  # variable number in the noise


@dataclass(frozen=True)
class Society(Population):
    """A synthetic population that can be re-run under an intervention, or some months later.

    Attributes
    ----------
    seed : int
    default_rate : float
        Expected share of defaults.
    month : int
        Months since the society was made; features are those of this month and of the 24 months of ledger before it.
    traits : DataFrame, (n, t)
        Every modelled secret as 0/1, ``ethnicity`` as the number of the group; ``sensitive`` holds the chosen ones.
    officials : (n,) bool
        Who holds public office.
    roots, plans, plan
        State of the model: latents (n, r), interventions (p, c) and which of them a person is under (n,).
    """

    seed: int = 0
    default_rate: float = 0.0
    month: int = 0
    traits: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    officials: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_), repr=False)
    roots: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    plans: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    plan: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32), repr=False)

    def do(self, conduct: Mapping[str, float], persons: NDArray[np.integer[Any]] | None = None) -> Society:
        """Re-run people with other posts, purchases, browsing or friends; all other noise is held fixed.

        Parameters
        ----------
        conduct : mapping
            Conduct feature -> value that replaces its equation. ``"friends"`` is a number of friends: a person keeps
            its first friends up to that number, and makes new ones near its row if it has fewer. A social feature
            (``"friends_mean_arrears"``) sets what is seen of the friends and leaves the graph alone.
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
        for name, value in conduct.items():
            if name != "friends" and name not in SETTABLE:
                raise ParameterError(
                    f"do({name}=...): not a feature of conduct; choose from friends, {', '.join(SETTABLE)}"
                )
            if not (math.isfinite(value) and value >= 0):
                raise ParameterError(f"do({name}=...): the value must be finite and not negative")
        plans, plan = _replan(self.plans, self.plan, rows, {k: v for k, v in conduct.items() if k != "friends"})
        friends = self.friends
        assert friends is not None  # a society always has a graph
        if "friends" in conduct:
            wanted = round(conduct["friends"])
            if wanted >= len(self):
                raise ParameterError(f"do(friends={wanted}): there are only {len(self)} people")
            friends = refriend(friends, len(self), rows, wanted)
        return _rerun(replace(self, plans=plans, plan=plan, friends=friends))

    def later(self, months: int = 1) -> Society:
        """Return the same people some months on: the ledger has moved, and conduct and places are another month's.

        Traits, devices, friendships, outcome and interventions stay as they are.

        Raises
        ------
        ParameterError
            Fewer than 1 month, or more than 24 since the society was made.
        """
        month = self.month + months
        if months < 1 or month > MAX_LATER:
            raise ParameterError(f"months must be 1 or more, and at most {MAX_LATER} since the society was made")
        accounts = pd.DataFrame(money(self.seed, self.roots, MONTHS + month), columns=list(MONEY_NAMES))
        moved = replace(
            self,
            month=month,
            features=self.features.assign(**accounts),
            visits=visits(self.seed, month, self.roots, _codes(self.traits), _areas(len(self))),
        )
        return _rerun(moved)

    def ledger(self, persons: NDArray[np.integer[Any]] | None = None) -> pd.DataFrame:
        """Return the 24 monthly rows behind each person's financial features.

        Columns: person, month (0 = oldest), then income, rent, bills, spending, balance, card_debt, card_limit in
        EUR, and late_bill, missed, enquiry as 0/1. Thin files have a ledger too; no source holds it.
        """
        rows = _rows(persons, len(self))
        table = ledger(self.seed, self.roots, MONTHS + self.month, rows).reshape(-1, len(LEDGER))
        out = pd.DataFrame(table, columns=list(LEDGER))
        out.insert(0, "month", np.tile(np.arange(MONTHS), rows.size))
        out.insert(0, "person", np.repeat(rows, MONTHS))
        return out

    def applications(self, months: int = 1) -> pd.DataFrame:
        """See :meth:`Population.applications`; the model is that of :mod:`blindscore.people.applying`.

        Month 0 is now: everybody applies once. Later months are those of the ledger after it.
        """
        check_months(months)
        later = enquired(self.seed, self.roots, MONTHS + self.month, months)
        night = self.features["night_order"].to_numpy() == 1
        found = times(self.seed, self.month, self.roots, night, later)
        table = pd.DataFrame(found[:, :4], columns=["person", "month", "day", "hour"])
        return table.assign(bank=texts(BANKS, found[:, 4]))

    def banks(self) -> pd.DataFrame:
        """See :meth:`Population.banks`."""
        held = banks(self.seed, self.roots)
        first, second = (texts((*BANKS, ""), held[:, k]) for k in (0, 1))  # -1 is the last of them
        return pd.DataFrame({"bank": first, "second_bank": second.mask(second == "")})


def make_society(
    people: int = 20_000,
    seed: int = 1,
    default_rate: float = 0.06,
    *,
    kind: str = "independent",
    secrets: tuple[str, ...] | None = None,
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
    kind : "independent" or "disparate"
        Whether party, religion, orientation, ethnicity and sex are independent of money by construction, or groups
        differ in money, place and friends as published figures say; see :mod:`blindscore.people.disparities`.
    secrets : tuple of str, or None
        Which traits the ``sensitive`` table holds, of :data:`blindscore.people.variables.TRAITS`; None = those usual
        for the kind.
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
    kind = check_kind(kind)
    if secrets is None:
        secrets = DISPARATE_SECRETS if kind == "disparate" else SECRETS
    unknown = sorted(set(secrets) - set(TRAITS))
    if unknown:
        raise ParameterError(f"unknown secrets {', '.join(unknown)}; choose from {', '.join(TRAITS)}")
    areas = _areas(people)
    root = latents.roots(seed, people, areas, thin_files)
    if kind == "disparate":
        root = disparate(seed, root, areas)
    trait = latents.traits(seed, root)
    table = pd.DataFrame(trait, columns=list(TRAITS))
    odds = latents.intercept(default_rate, latents.default_spread())
    edges = friendships(seed, root)
    plans, plan = np.full((1, len(SETTABLE)), np.nan), np.zeros(people, np.int32)
    doings = conduct_of(seed, 0, root, trait, plans, plan)
    return Society(
        features=feature_table(lasting_features(seed, root), doings, edges, plans, plan),
        schema=society_schema(tuple(secrets), named=kind == "disparate"),
        default=latents.defaults(seed, latents.default_latent(root), odds),
        sensitive=table[list(secrets)],
        register=register_table(seed, root, named=kind == "disparate"),
        history=coin(seed, _HISTORY, people),
        friends=edges,
        visits=visits(seed, 0, root, trait, areas),
        name=KINDS[kind],
        synthetic=True,
        seed=seed,
        default_rate=default_rate,
        traits=table,
        officials=latents.officials(seed, root),
        roots=root,
        plans=plans,
        plan=plan,
    )


def check_kind(name: str) -> Kind:
    """Return the name of a society, or raise :class:`ParameterError`."""
    for kind in KINDS:
        if name == kind:
            return kind
    raise ParameterError(f"no society is called {str(name)[:40]!r}; there are {', '.join(KINDS)}")


def _codes(traits: pd.DataFrame) -> NDArray[np.int8]:
    """Return the traits as the model made them, row by row: kernels are compiled for that form alone."""
    return np.ascontiguousarray(traits.to_numpy(np.int8))


def _areas(people: int) -> int:
    return max(1, people // PEOPLE_PER_AREA)


def _rerun(society: Society) -> Society:
    """Run the equations of conduct and of the friends' aggregates again, everything before them as it stands."""
    assert society.friends is not None  # a society always has a graph
    trait = _codes(society.traits)
    doings = conduct_of(society.seed, society.month, society.roots, trait, society.plans, society.plan)
    return replace(
        society, features=feature_table(society.features, doings, society.friends, society.plans, society.plan)
    )


def _replan(
    plans: Floats, plan: NDArray[np.int32], rows: NDArray[np.int64], fixed: Mapping[str, float]
) -> tuple[Floats, NDArray[np.int32]]:
    """Put the rows under their present plan with the given variables fixed on top."""
    if not fixed or not rows.size:
        return plans, plan
    old, which = np.unique(plan[rows], return_inverse=True)
    new = plans[old].copy()
    new[:, [SETTABLE.index(name) for name in fixed]] = list(fixed.values())
    held = new[:, BROWSE : BROWSE + N_BROWSE]
    sums = np.nansum(held, axis=1)
    if (sums > 1 + 1e-9).any() or (np.isfinite(held).all(axis=1) & (sums < 1 - 1e-9)).any():
        raise ParameterError("do(browse_...): fixed shares of a person must stay within 1, and be 1 if all are fixed")
    plan = plan.copy()
    plan[rows] = len(plans) + which
    return np.concatenate([plans, new]), plan


def _rows(persons: NDArray[np.integer[Any]] | None, n: int) -> NDArray[np.int64]:
    rows = np.arange(n) if persons is None else np.unique(np.asarray(persons, np.int64))
    if rows.ndim != 1 or (rows.size and (rows[0] < 0 or rows[-1] >= n)):
        raise ParameterError(f"persons must be row numbers from 0 to {n - 1}")
    return rows
