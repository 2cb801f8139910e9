"""Where people are: a compact set of (person, hour, place) sightings in a week, as a phone or a card would log them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.kernel_cache import njit
from blindscore.people.counter_draws import uniform
from blindscore.people.friends import AREAS_PER_TOWN
from blindscore.people.latents import Floats
from blindscore.people.variables import AREA, ILLNESS, PARTY, RELIGION

SIGHTINGS = 42  # rows a person
AWAKE, FIRST_HOUR = 12, 8  # hours of a day in which phones and cards are used, and the first of them
PER_AREA = 3  # places (cells) in a postal area
WORSHIP, SQUARE, CLINIC = 1, 2, 3  # places of a town that tell on those who go there
_PLACE, _WEEK = 900, 10  # first variable number in the noise; variables a week


@njit(cache=True)
def _sightings(
    seed: int, week: int, root: Floats, trait: NDArray[np.int8], areas: int
) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]:
    n = root.shape[0]
    person = np.empty(n * SIGHTINGS, np.int32)
    hour = np.empty(n * SIGHTINGS, np.int16)
    place = np.empty(n * SIGHTINGS, np.int32)
    noise = _PLACE + _WEEK * (week + 1)
    for i in range(n):
        area = int(root[i, AREA])
        town = area // AREAS_PER_TOWN * AREAS_PER_TOWN
        size = min(AREAS_PER_TOWN, areas - town)
        first, cells = town * PER_AREA, size * PER_AREA
        home = area * PER_AREA + int(PER_AREA * uniform(seed, _PLACE, 0, i))
        work = first + int(cells * uniform(seed, _PLACE, 1, i))
        for k in range(SIGHTINGS):
            row = i * SIGHTINGS + k
            # One sighting in each stretch of the week: hours rise and never repeat.
            awake = int((k + uniform(seed, noise, k, i)) * 7 * AWAKE / SIGHTINGS)
            day, clock = awake // AWAKE, FIRST_HOUR + awake % AWAKE
            u, v = uniform(seed, noise + 1, k, i), uniform(seed, noise + 2, k, i)
            cell = home
            if day < 5 and 9 <= clock < 17:
                cell = work if u < 0.8 else first + int(cells * v)
            elif u < 0.5:
                cell = first + int(cells * v * v * v)  # some corners draw most people
            if trait[i, RELIGION] == 1 and day == 4 and 11 <= clock < 15 and u < 0.5:
                cell = first + WORSHIP % cells
            if trait[i, PARTY] == 1 and day == 5 and 14 <= clock < 20 and u < 0.25:
                cell = first + SQUARE % cells
            if trait[i, ILLNESS] == 1 and day == 1 and 8 <= clock < 13 and u < 0.5:
                cell = first + CLINIC % cells
            person[row], hour[row], place[row] = i, 24 * day + clock, cell
    return person, hour, place


def visits(seed: int, week: int, root: Floats, trait: NDArray[np.int8], areas: int) -> pd.DataFrame:
    """Sightings of one week: person (row number), hour (0..167, Monday first), place (cell number)."""
    person, hour, place = _sightings(seed, week, root, trait, areas)
    return pd.DataFrame({"person": person, "hour": hour, "place": place}, copy=False)
