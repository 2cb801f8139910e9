"""The workload: people, scorecard and true totals of a size, all from fixed seeds; and the check of a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHARACTERISTICS, BINS, BASE = 24, 6, 500
POINTS_SEED, PEOPLE_SEED = 7, 11
SIZES = {0: ("single", 1), 1: ("small", 10_000), 2: ("batch", 1_000_000)}
ROOT = Path(__file__).resolve().parents[1]


def folder(size: int) -> Path:
    """Return the folder that the stages of a size talk through."""
    return ROOT / "io" / str(size)


def points() -> NDArray[np.int64]:
    """Return the server's points, (24, 6), each from -40 to 40."""
    return np.random.default_rng(POINTS_SEED).integers(-40, 41, (CHARACTERISTICS, BINS))


def people(size: int) -> NDArray[np.uint8]:
    """Return everybody's bins, (n, 24), each from 0 to 5."""
    return np.random.default_rng(PEOPLE_SEED).integers(0, BINS, (SIZES[size][1], CHARACTERISTICS), dtype=np.uint8)


def totals(bins: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the true totals, (n,)."""
    own = points()
    return np.asarray(BASE + sum(own[j][bins[:, j]] for j in range(CHARACTERISTICS)))


def write_dataset(size: int) -> None:
    """Write what client and server hold."""
    place = folder(size) / "dataset"
    place.mkdir(parents=True, exist_ok=True)
    np.save(place / "bins.npy", people(size))
    np.save(place / "card.npy", points())


def wrong(size: int) -> int:
    """Return how many totals of a result are not the true ones; all of them where it has another shape."""
    found, true = np.load(folder(size) / "totals.npy", allow_pickle=False), totals(people(size))
    return int((found != true).sum()) if found.shape == true.shape else len(true)
