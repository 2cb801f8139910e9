"""The manifest: which results are finished, from what, and with what hash. JSON, replaced whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blindscore_app.files.safely import replacing

FORMAT, VERSION = "blindscore-manifest", 1
MAX_BYTES = 512 * 2**20  # about a million results


@dataclass(frozen=True)
class Source:
    """A file that was read, as it was then."""

    bytes: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Look at a file and hash all of it."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        now = path.stat()
        return cls(now.st_size, now.st_mtime_ns, digest)

    def unchanged(self, path: Path) -> bool:
        """Say whether size and time of change are still the same; the content is not read again."""
        now = path.stat()
        return (self.bytes, self.mtime_ns) == (now.st_size, now.st_mtime_ns)


@dataclass(frozen=True)
class Done:
    """A finished task."""

    name: str
    recipe: str
    sources: tuple[Source, ...]
    sha256: str  # of the result
    facts: dict[str, int]  # what the task counted


def save_manifest(path: Path, results: Iterable[Done]) -> None:
    """Replace the manifest; a reader sees the old one or the new one."""
    plain = {"format": FORMAT, "version": VERSION, "results": [asdict(done) for done in results]}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(plain, indent=1), encoding="utf-8")


def load_manifest(path: Path) -> dict[str, Done]:
    """Return what a manifest says, by name; one that is absent, too large or malformed says nothing."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        plain = json.loads(path.read_bytes())
        if (plain["format"], plain["version"]) != (FORMAT, VERSION):
            return {}
        return {part["name"]: _done(part) for part in plain["results"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _done(part: dict[str, Any]) -> Done:
    sources = tuple(Source(int(s["bytes"]), int(s["mtime_ns"]), str(s["sha256"])) for s in part["sources"])
    facts = {str(name): int(count) for name, count in part["facts"].items()}
    return Done(str(part["name"]), str(part["recipe"]), sources, str(part["sha256"]), facts)
