"""Tasks: each reads some files and writes one result, whole or not at all, and may be run twice without harm.

A result is written under a hidden temporary name and moved to its own when complete, so a reader, a second copy of the
same task, and the next run after a crash see either nothing or all of it. The manifest says which results are
finished, from what, and with what hash; a run does only what is missing, changed or damaged.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from blindscore.errors import DataError, ParameterError
from blindscore_app.files.safely import replacing, replacing_folder
from blindscore_app.scale.manifest import Done, Source, load_manifest, save_manifest

SAVE_SECONDS = 1.0  # between two writes of the manifest; what is not in it is done again after a crash
TEMPORARY = re.compile(r"\.(?P<target>.+)\.[a-z0-9_]{8}(\.part)?")  # a portfolio's step writes beside it, to .part


@dataclass(frozen=True)
class Task:
    """One result to be made. Travels to other processes, so ``work`` is a function of a module, or a partial of one."""

    name: str  # unique in a run
    target: Path
    recipe: str  # fingerprint of all that the result depends on but the sources
    sources: tuple[Path, ...]
    work: Callable[[Path], Mapping[str, int]] = field(compare=False)  # writes to the path that it is given
    folder: bool = False  # the result is a folder of files


Engine = Callable[[Sequence[Task]], Iterator[Done]]
Progress = Callable[[str, int, int], None]


def perform(task: Task) -> Done:
    """Run one task and say what it made; safe to run twice, also at the same time.

    Raises
    ------
    DataError
        A source changed while it was read, or the result cannot be written. What stood there before stays.
    """
    try:
        sources = tuple(Source.of(path) for path in task.sources)
        task.target.parent.mkdir(parents=True, exist_ok=True)
        with (replacing_folder if task.folder else replacing)(task.target) as temporary:
            facts = dict(task.work(temporary))
            if any(not source.unchanged(path) for source, path in zip(sources, task.sources, strict=True)):
                raise DataError(f"{task.name}: its input changed while it was read; run again when it is complete")
            digest = hash_of(temporary)
    except OSError as error:
        raise DataError(
            f"{error.filename or task.target}: {error.strerror or error}; "
            "check the path, its rights and the space left, and run again: finished parts are kept"
        ) from error
    return Done(task.name, task.recipe, sources, digest, facts)


def local(tasks: Sequence[Task]) -> Iterator[Done]:
    """Engine: one task after the other, in this process."""
    yield from map(perform, tasks)


@dataclass(frozen=True)
class Ran:
    """What a run knows at its end."""

    results: list[Done]  # in the order of the tasks
    kept: int  # of them, as an earlier run left them


def run(tasks: Sequence[Task], engine: Engine, manifest: Path, progress: Progress, label: str) -> Ran:
    """Make every result that is missing, changed or damaged.

    Parameters
    ----------
    manifest
        In a folder that exists. Only one run at a time may use the folder.

    Raises
    ------
    ParameterError
        Two tasks of one name or target.
    DataError
        A task failed, or another run is at work. Finished results stay, and the manifest knows them.
    """
    for what in ({task.name for task in tasks}, {task.target for task in tasks}):
        if len(what) != len(tasks):
            raise ParameterError("two files would give results of one name; give them names that differ before the dot")
    with _only_one(manifest.absolute().parent):
        _sweep(tasks)
        known = load_manifest(manifest)
        done = {task.name: kept for task in tasks if (kept := _still_good(task, known.get(task.name))) is not None}
        left = [task for task in tasks if task.name not in done]
        progress(label, len(done), len(tasks))
        saved = 0.0
        try:
            for made in engine(left) if left else ():
                done[made.name] = made
                progress(label, len(done), len(tasks))
                if time.monotonic() - saved > SAVE_SECONDS:
                    save_manifest(manifest, done.values())
                    saved = time.monotonic()
        finally:
            _sweep(tasks)  # workers that were killed cannot tidy up
            save_manifest(manifest, done.values())
        return Ran([done[task.name] for task in tasks], len(tasks) - len(left))


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and files, hexadecimal."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hash_of_all({part.name: hash_of(part) for part in path.iterdir()})


def hash_of_all(results: Mapping[str, str]) -> str:
    """Return one SHA-256 over named results, whatever their order, hexadecimal."""
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(results.items()))
    return hashlib.sha256(b"blindscore/results/v1\n" + lines.encode()).hexdigest()


def _still_good(task: Task, known: Done | None) -> Done | None:
    """Return what is known of a task if its result need not be made again."""
    if known is None or known.recipe != task.recipe or len(known.sources) != len(task.sources):
        return None
    try:
        if task.target.is_dir() != task.folder or hash_of(task.target) != known.sha256:
            return None
        sources = []
        for before, path in zip(known.sources, task.sources, strict=True):
            now = before if before.unchanged(path) else Source.of(path)
            if now.sha256 != before.sha256:
                return None
            sources.append(now)
    except OSError:
        return None
    return Done(task.name, task.recipe, tuple(sources), known.sha256, known.facts)


def _sweep(tasks: Sequence[Task]) -> None:
    """Remove temporary files of these tasks that somebody died over."""
    names = {task.target for task in tasks}
    for folder in {task.target.parent for task in tasks}:
        for entry in os.scandir(folder) if folder.is_dir() else ():
            name = entry.name
            while (match := TEMPORARY.fullmatch(name)) is not None and folder / name not in names:
                name = match["target"]  # a result that is written whole within another: a temporary file of one
            if name != entry.name and folder / name in names:
                if entry.is_dir():
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the operating system lets go of it when this process dies."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DataError(f"{folder}: another run is writing here; wait for it, or give another --out") from error
    finally:
        os.close(handle)
