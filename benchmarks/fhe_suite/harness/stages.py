"""What the stages of our entries share: folders, and times of their own work without interpreter and imports."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workload import CHARACTERISTICS, folder


@contextmanager
def timed(place: Path, name: str) -> Iterator[None]:
    """Add the seconds of a block to what the submission reports of itself."""
    begun = time.perf_counter()
    yield
    path = place / "reported.json"
    told = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(told | {f"{name}_s": time.perf_counter() - begun}))


def write(place: Path, name: str, data: bytes) -> None:
    """Write a file into a folder that need not be there yet."""
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def ones(bins: NDArray[np.uint8], width: int) -> NDArray[np.int64]:
    """Return the positions of a person's ones among the bins of all characteristics, (24,)."""
    return np.arange(CHARACTERISTICS) * width + bins.astype(np.int64)


def main(stages: Mapping[str, Any]) -> None:
    """Run the stage and size that the command line names; ``stages`` are the names of a submission's file."""
    stages[sys.argv[1]](folder(int(sys.argv[2])))
