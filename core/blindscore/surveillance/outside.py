"""Outside registers: what an attacker may bring along beside the public register, each declared and measured apart.

A run that is asked for it plays the attacks that can make something of such a register once more, for each register
alone, and keeps those rows apart (:attr:`blindscore.surveillance.ledger.Ledger.outside`): what a coalition does with a
tax roll in hand is no property of the design alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.people.population import Population
from blindscore.people.registers import LEGAL_ID, REGISTERS


@dataclass(frozen=True)
class Outside:
    """One outside register, beside the public one; row i of both is the same person.

    A column of one name in the register and in a view means the same thing.
    """

    name: str
    columns: pd.DataFrame  # (n, c), missing where the register does not know a person
    ties: NDArray[np.int32] | None = None  # (m, 2) first < second: who is tied to whom in another network


def outside_of(population: Population, name: str) -> Outside:
    """Return an outside register of these people.

    Raises
    ------
    ParameterError
        No register is called so.
    DataError
        These people have none of the kind.
    """
    table = REGISTERS[check_outside([name])[0]](population)
    row = pd.Series(np.arange(len(population)), population.register[LEGAL_ID].to_numpy())
    if "friend_legal_id" in table:
        ties = np.sort(np.column_stack([row.loc[table[c]] for c in (LEGAL_ID, "friend_legal_id")]), axis=1)
        return Outside(name, pd.DataFrame(index=range(len(population))), ties.astype(np.int32))
    columns = table.set_index(LEGAL_ID).reindex(population.register[LEGAL_ID].to_numpy()).reset_index(drop=True)
    return Outside(name, columns)


def check_outside(names: Iterable[str], known: Mapping[str, object] = REGISTERS) -> tuple[str, ...]:
    """Return the names of outside registers, each once, or raise :class:`ParameterError`."""
    found = tuple(dict.fromkeys(names))
    unknown = [name for name in found if name not in known]
    if unknown:
        raise ParameterError(f"no outside register is called {', '.join(unknown)}; there are {', '.join(known)}")
    return found
