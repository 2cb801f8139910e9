"""Keep finished parts of a frontier, so that a second run costs only what changed and an interrupted one goes on.

A part is found again by the fingerprint of all that it came from: the code, the people, the design with its parameters,
the scorecard's settings and the seed; an attack's rows moreover by the views that the run gave. Files are JSON, written
whole or not at all, for their owner alone (a run's part holds everybody's score); one that cannot be read is no part.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from blindscore.designs.design import Design, Run
from blindscore.errors import DataError
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.ledger import MAX_LEDGER_BYTES
from blindscore.whole_files import PRIVATE, write_whole

MOST_BYTES = 256 * 2**20  # that a folder of parts keeps
PART = re.compile(r"(?P<code>[0-9a-f]{16})-[0-9a-f]{32}(-[0-9a-f]{32})?\.json")
ABANDONED = 3600.0  # seconds after which a half-written file is nobody's any more
LEFTOVER = re.compile(rf"\.{PART.pattern}\..+")  # of a write that was killed


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
            part = json.loads(path.read_bytes())
            os.utime(path)  # used last now; see `tidy`
            return part
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
            write_whole(self.folder / f"{key}.json", json.dumps(part, allow_nan=False).encode(), PRIVATE)
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot keep results ({error.strerror}); free space, or give another folder"
            ) from error

    def tidy(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove parts of other code, which nothing finds again, and those used longest ago beyond ``most_bytes``.

        Only files named as parts are touched, whatever else the folder holds.
        """
        if self.folder is None or not self.folder.is_dir():
            return
        code, kept = code_fingerprint("blindscore")[:16], 0
        files = [file for file in self.folder.iterdir() if file.is_file() and not file.is_symlink()]
        for file in sorted(files, key=lambda file: file.stat().st_mtime, reverse=True):
            part = PART.fullmatch(file.name)
            kept += file.stat().st_size if part else 0
            abandoned = LEFTOVER.fullmatch(file.name) and time.time() - file.stat().st_mtime > ABANDONED
            if abandoned or (part and (part["code"] != code or kept > most_bytes)):
                file.unlink(missing_ok=True)


def design_key(population: Population, design: Design, scorecard: Scorecard, seed: int) -> str:
    """Return the key of everything that one design's run depends on, hexadecimal; it begins with that of the code."""
    kind = type(design)
    parts: Mapping[str, object] = {
        "code": [code_fingerprint("blindscore"), code_fingerprint(kind.__module__.partition(".")[0])],
        "people": population.fingerprint,
        "design": f"{kind.__module__}.{kind.__qualname__} {design!r}",
        "scorecard": {name: repr(value) for name, value in sorted(scorecard.get_params().items())},
        "seed": seed,
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{code_fingerprint('blindscore')[:16]}-{digest[:32]}"


def attack_key(design: str, run: str, capability: Capability, asked: object = None) -> str:
    """Return the key of one capability's rows: of run, attack with its parameters, and what alone was asked."""
    return f"{design}-{hashlib.sha256(f'{run}|{capability.name}|{capability!r}|{asked}'.encode()).hexdigest()[:32]}"


def run_key(design: str, run: Run) -> str:
    """Return the key of one run's views and scores: equal where every attack would find the same."""
    digest = hashlib.sha256(f"{design}|{run.card.fingerprint}|{run.threshold}|{run.audit_share}".encode())
    digest.update(run.scores.tobytes())
    for role in sorted(run.views):
        digest.update(f"{role}|{run.party_of(role)}|{run.views[role].digest}".encode())
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
