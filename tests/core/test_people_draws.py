"""No two equations of the society share a draw: each reads noise of its own, in every month that can be asked for."""

from collections import Counter
from types import ModuleType

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from blindscore.people import conduct, device, friends, latents, money, places
from blindscore.people import counter_draws as noise
from blindscore.people.society import _HISTORY, MAX_LATER
from blindscore.people.variables import N_CONDUCT

SEED, N, AREAS = 5, 60, 5
Draws = Counter[tuple[int, int]]


def recorded(module: ModuleType, monkeypatch: pytest.MonkeyPatch, person: int = 0) -> Draws:
    """Run the module's kernels in plain Python from now on, and count every (variable, draw) of one person."""
    seen: Draws = Counter()

    def draw(of):
        def wrapped(seed: int, variable: int, number: int, who: int) -> float:
            if who == person:
                seen[int(variable), int(number)] += 1
            return float(of(seed, variable, number, who))

        return wrapped

    for name, value in list(vars(module).items()):
        if name in ("uniform", "normal"):
            monkeypatch.setattr(module, name, draw(value))
        elif isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__:
            monkeypatch.setattr(module, name, value.py_func)
    return seen


@pytest.fixture(scope="module")
def root() -> np.ndarray:
    out = latents.roots(SEED, N, AREAS, True)
    out[0, latents.SOCIABLE] = 4.0  # the most sociable person draws most ties
    return out


@pytest.fixture(scope="module")
def trait(root: np.ndarray) -> np.ndarray:
    return latents.traits(SEED, root)


@pytest.fixture
def drawn(root: np.ndarray, trait: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> dict[str, Draws]:
    """What each block draws for one person."""
    seen = {m.__name__: recorded(m, monkeypatch) for m in (latents, device, conduct, money, friends, places)}
    latents.roots(SEED, 1, AREAS, True)
    latents.traits(SEED, root)
    latents.officials(SEED, root)
    latents.defaults(SEED, np.zeros(1), 0.0)
    device.device(SEED, root)
    plans, plan = np.full((1, N_CONDUCT), np.nan), np.zeros(1, np.int32)
    conduct.conduct(SEED, 0, root[:1], trait, plans, plan)
    conduct.conduct(SEED, MAX_LATER, root[:1], trait, plans, plan)
    money.money(SEED, root[:1], money.MONTHS + MAX_LATER)
    friends.friendships(SEED, root)
    for week in range(MAX_LATER + 1):
        places._sightings(SEED, week, root[:1], trait, AREAS)
    return seen


def test_every_block_draws_something_of_its_own(drawn: dict[str, Draws]) -> None:
    taken: set[tuple[int, int]] = {(_HISTORY, 0)}
    for block, seen in drawn.items():
        assert len(seen) >= 8, block
        assert not taken & set(seen), block
        taken |= set(seen)


def test_no_draw_is_read_by_two_equations(drawn: dict[str, Draws]) -> None:
    # Only what lasts is read again: habits in each of the two months, home and work in each of the weeks.
    again = {block: max(seen.values()) for block, seen in drawn.items()}
    assert again.pop(conduct.__name__) == 2
    assert again.pop(places.__name__) == MAX_LATER + 1
    assert set(again.values()) == {1}
    lasting = [place for place, times in drawn[conduct.__name__].items() if times == 2]
    assert {number for _, number in lasting} == {0}
    assert {place for place, times in drawn[places.__name__].items() if times > 1} == {(900, 0), (900, 1)}


def test_draws_stay_within_their_variable(drawn: dict[str, Draws]) -> None:
    assert all(0 <= number < noise.DRAWS for seen in drawn.values() for _, number in seen)
    assert len(drawn[friends.__name__]) > 4 * friends.LOOKS * noise.DRAWS / 2  # the sociable fill several variables
