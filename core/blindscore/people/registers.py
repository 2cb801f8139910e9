"""Registers that others hold of the same people, by legal id: what an attacker may bring along from outside.

Each function takes a population and returns a table whose rows are people (or ties) under their legal ids, in an order
that says nothing. A run that lets an attacker use one declares it. None of them is part of any party's view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import DataError, ParameterError
from blindscore.kernel_cache import njit
from blindscore.people.assemble import texts
from blindscore.people.counter_draws import uniform
from blindscore.people.names import NAMES, names
from blindscore.people.population import Population
from blindscore.people.society import Society

LEGAL_ID = "legal_id"
_TIE = 1050  # variable number in the noise


def tax_roll(population: Population, column: str = "income") -> pd.DataFrame:
    """Everybody's income as the tax office has it: the same figure, to the euro, that the bank holds.

    Columns: legal_id, income.

    Raises
    ------
    DataError
        The population has no such column of numbers.
    """
    if column not in population.features or not pd.api.types.is_numeric_dtype(population.features[column].dtype):
        raise DataError(f"{population.name}: no column of numbers {column!r} for a tax roll; name the income column")
    return _by_id(population, pd.DataFrame({"income": population.features[column]}))


def credit_register(population: Population) -> pd.DataFrame:
    """What a credit bureau holds of everybody with a history: legal_id, then the features whose source is the bureau.

    Raises
    ------
    DataError
        No feature comes from a bureau.
    """
    held = population.schema.names(sources=("bureau",))
    if not held:
        raise DataError(f"{population.name}: no feature has the source 'bureau'; a credit register would be empty")
    table = _by_id(population, population.features[held])
    return table[table[held].notna().any(axis=1)].reset_index(drop=True)


def name_register(population: Population) -> pd.DataFrame:
    """Given names of everybody: legal_id, name.

    Raises
    ------
    DataError
        Not a synthetic society, and the register has no column ``name``.
    """
    if "name" in population.register:
        given = population.register["name"]
    elif isinstance(population, Society):
        given = texts(NAMES, names(population.seed, population.roots))
    else:
        raise DataError(f"{population.name}: no names known; give the register a column 'name'")
    return _by_id(population, pd.DataFrame({"name": given}))


def friend_list(population: Population, share: float = 0.5) -> pd.DataFrame:
    """Ties of another network, where the given share of friendships stands again: legal_id, friend_legal_id.

    Which ties those are depends on the population's seed alone (1 if it has none), and a larger share keeps them.

    Raises
    ------
    DataError
        The population has no friendships.
    ParameterError
        The share is not in (0, 1].
    """
    if population.friends is None:
        raise DataError(f"{population.name}: no friendships, so no friend list of another network")
    if not 0.0 < share <= 1.0:
        raise ParameterError(f"share must lie in (0, 1], got {share}")
    seed = population.seed if isinstance(population, Society) else 1
    edges = population.friends[_kept(seed, len(population), population.friends.astype(np.int64), share)]
    ids = population.register[LEGAL_ID].to_numpy()[edges]
    return pd.DataFrame({LEGAL_ID: ids[:, 0], "friend_legal_id": ids[:, 1]}).sort_values(
        [LEGAL_ID, "friend_legal_id"], ignore_index=True
    )


REGISTERS: Mapping[str, Callable[[Population], pd.DataFrame]] = MappingProxyType(
    {"tax roll": tax_roll, "credit register": credit_register, "names": name_register, "friend list": friend_list}
)


def _by_id(population: Population, columns: pd.DataFrame) -> pd.DataFrame:
    table = pd.concat([population.register[[LEGAL_ID]], columns], axis=1)
    return table.sort_values(LEGAL_ID, ignore_index=True)


@njit(cache=True)
def _kept(seed: int, n: int, edges: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    out = np.empty(edges.shape[0], np.bool_)
    for k in range(edges.shape[0]):
        out[k] = uniform(seed, _TIE, 0, edges[k, 0] * n + edges[k, 1]) < share
    return out
