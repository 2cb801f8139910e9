"""Keep finished parts of a frontier, so that a second run costs only what changed and an interrupted one goes on.

A part is found again by the fingerprint of all that it came from: the code, the people, the design with its parameters,
the scorecard's settings and the seed. Files are JSON, written whole or not at all; one that cannot be read is no part.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from blindscore.designs.design import Design, Run
from blindscore.errors import DataError
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.ledger import MAX_LEDGER_BYTES, write_atomic


@dataclass(frozen=True)
class Cache:
    """Finished parts in one folder; with no folder nothing is kept."""

    folder: Path | None = None

    def load(self, key: str) -> Any | None:
        """Return what was kept under a key, or None."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.json"
        try:
            if path.stat().st_size > MAX_LEDGER_BYTES:
                return None
            return json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None

    def save(self, key: str, part: Any) -> None:
        """Keep a part under a key.

        Raises
        ------
        DataError
            The folder cannot be written.
        """
        if self.folder is None:
            return
        try:
            write_atomic(self.folder / f"{key}.json", json.dumps(part, allow_nan=False).encode())
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot keep results ({error.strerror}); free space, or give another folder"
            ) from error


def design_key(
    population: Population, design: Design, scorecard: Scorecard, seed: int, attacks: tuple[str, ...]
) -> str:
    """Return the key of everything that one design's part of the ledger depends on, hexadecimal."""
    kind = type(design)
    parts: Mapping[str, object] = {
        "code": [code_fingerprint("blindscore"), code_fingerprint(kind.__module__.partition(".")[0])],
        "people": population.fingerprint,
        "design": f"{kind.__module__}.{kind.__qualname__} {design!r}",
        "scorecard": {name: repr(value) for name, value in sorted(scorecard.get_params().items())},
        "seed": seed,
        "attacks": attacks,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def run_key(design: str, run: Run) -> str:
    """Return the key of one run's views and scores: equal where every attack would find the same."""
    digest = hashlib.sha256(f"{design}|{run.card.fingerprint}|{run.threshold}|{run.audit_share}".encode())
    digest.update(run.scores.tobytes())
    for role in sorted(run.views):
        digest.update(f"{role}{run.views[role].digest}".encode())
    return digest.hexdigest()


@lru_cache(maxsize=8)
def code_fingerprint(package: str) -> str:
    """Return a SHA-256 over the source files of an imported package (or single module), hexadecimal."""
    module = sys.modules[package]
    roots = [Path(folder) for folder in getattr(module, "__path__", [])]
    files = [file for root in roots for file in root.rglob("*.py")]
    if not files and module.__file__ is not None:
        files = [Path(module.__file__)]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}|{file.stat().st_size}|".encode() + file.read_bytes())
    return digest.hexdigest()
