"""Where people are: a compact set of (person, hour, place) sightings in a week, as a phone or a card would log them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from blindscore.people.equations import Floats
from blindscore.people.noise import uniform
from blindscore.people.variables import AREA, ILLNESS, PARTY, RELIGION

SIGHTINGS = 36  # rows a person
HOURS = 168  # of one week
PER_AREA = 12  # places (cells) in a postal area
_PLACE = 900


@njit(cache=True)
def _sightings(
    seed: int, root: Floats, trait: NDArray[np.int8], areas: int
) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]:
    n = root.shape[0]
    person = np.empty(n * SIGHTINGS, np.int32)
    hour = np.empty(n * SIGHTINGS, np.int16)
    place = np.empty(n * SIGHTINGS, np.int32)
    for i in range(n):
        area = int(root[i, AREA])
        town = area // 5 * 5
        size = min(5, areas - town)
        home = area * PER_AREA + int(PER_AREA * uniform(seed, _PLACE, 0, i))
        work = (town + int(size * uniform(seed, _PLACE, 1, i))) * PER_AREA + int(PER_AREA * uniform(seed, _PLACE, 2, i))
        for k in range(SIGHTINGS):
            row = i * SIGHTINGS + k
            # One sighting in each stretch of the week: hours rise and never repeat.
            h = int((k + uniform(seed, _PLACE + 1, k, i)) * HOURS / SIGHTINGS)
            day, clock = h // 24, h % 24
            u = uniform(seed, _PLACE + 2, k, i)
            v = uniform(seed, _PLACE + 3, k, i)
            cell = home
            if day < 5 and 9 <= clock < 17:
                cell = work if u < 0.8 else town * PER_AREA + int(size * PER_AREA * v)
            elif 8 <= clock < 23 and u < 0.5:
                cell = town * PER_AREA + int(size * PER_AREA * v * v)
            if trait[i, RELIGION] == 1 and day == 4 and 11 <= clock < 15 and u < 0.5:
                cell = town * PER_AREA + 1
            if trait[i, PARTY] == 1 and day == 5 and 14 <= clock < 20 and u < 0.25:
                cell = town * PER_AREA + 2
            if trait[i, ILLNESS] == 1 and day == 1 and 8 <= clock < 13 and u < 0.5:
                cell = town * PER_AREA + 3
            person[row], hour[row], place[row] = i, h, cell
    return person, hour, place


def visits(seed: int, root: Floats, trait: NDArray[np.int8], areas: int) -> pd.DataFrame:
    """Sightings: person (row number), hour of the week (0..167, Monday first), place (cell number)."""
    person, hour, place = _sightings(seed, root, trait, areas)
    return pd.DataFrame({"person": person, "hour": hour, "place": place}, copy=False)
