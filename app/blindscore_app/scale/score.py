"""Score a folder of files (partitions): one file a task, one result a file."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from blindscore.errors import DataError
from blindscore.people.files.blocks import check_header
from blindscore.people.files.kinds import KINDS, FileKind, ending_of
from blindscore_app.files.people import Wanted
from blindscore_app.files.score_file import SCORE_ALONE, Columns, score_file
from blindscore_app.scale.tasks import Task

UNKNOWN = "unknown "  # before a feature's name, in what a task counted
RESULT_VERSION = 3  # goes up when equal inputs would give other bytes


def is_many(given: Path) -> bool:
    """Say whether an input is a folder or a pattern rather than a file."""
    return given.is_dir() or (glob.has_magic(str(given)) and not given.exists())


def partitions(given: Path) -> tuple[Path, list[Path]]:
    """Return (the folder that names are told from, files in name order) of a folder or a glob.

    Names that begin with a dot or an underscore are no data, as Arrow, Spark and Hive hold it.

    Raises
    ------
    DataError
        No file of a known kind is there.
    """
    if given.is_dir():
        root, found = given, sorted(given.rglob("*"))
    else:
        found = sorted(Path(name) for name in glob.glob(str(given), recursive=True))
        fixed = [part for part in given.parts[:-1] if not glob.has_magic(part)]
        root = Path(*given.parts[: len(fixed)]) if fixed else Path()
        while any(root not in file.parents for file in found if root != Path()):
            root = root.parent
    files = []
    for file in found:
        hidden = any(part[0] in "._" for part in file.relative_to(root).parts)
        if not hidden and ending_of(file) and file.is_file():
            files.append(file)
    if not files:
        raise DataError(f"{given}: no file that ends in {', '.join(KINDS)}; give a file, a folder or a quoted pattern")
    return root, files


def score_tasks(
    root: Path, files: Sequence[Path], want: Wanted, out: Path, ending: str, columns: Columns = SCORE_ALONE
) -> list[Task]:
    """Return one task a file, after a look at every file's header; a result keeps the file's name and subfolder.

    Parameters
    ----------
    ending
        Of the results' names; it says their kind.

    Raises
    ------
    DataError
        A file cannot be read, lacks a column, or names one twice: nothing is scored then.
    """
    for file in files:
        check_header(file, want.ask)
    names = [_result(file.relative_to(root), ending) for file in files]
    return [score_task(file, want, out / name, name, columns) for file, name in zip(files, names, strict=True)]


def score_task(file: Path, want: Wanted, target: Path, name: str, columns: Columns = SCORE_ALONE) -> Task:
    """Return the task of one file; the target's ending says what it becomes."""
    source, kind = file.absolute(), KINDS[str(ending_of(target))]
    work = partial(_work, source, want, kind, columns)
    return Task(name, target.absolute(), recipe_of(want, kind, columns), (source,), work)


def _result(file: Path, ending: str) -> str:
    return str(file.with_name(file.name[: -len(str(ending_of(file)))] + ending))


def recipe_of(want: Wanted, kind: FileKind, columns: Columns) -> str:
    """Return the fingerprint of all that a result depends on but the people, hexadecimal."""
    import pyarrow

    plain = kind.form == "csv" and not kind.packed
    parts = {
        "version": RESULT_VERSION,
        "card": want.card.fingerprint,
        "columns": want.column_of,
        "plain": dict(want.plain),
        "missing": sorted(want.missing),
        "delimiter": want.delimiter,
        "keep": want.keep,
        "kind": asdict(kind),
        "also": asdict(columns),
        "pyarrow": None if plain else pyarrow.__version__,  # it stands in the file, or packs it
    }
    return hashlib.sha256(b"blindscore/score/v1" + json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _work(file: Path, want: Wanted, kind: FileKind, columns: Columns, temporary: Path) -> Mapping[str, int]:
    people, unknown = score_file(file, want, temporary, kind, columns)
    return {"people": people, **{f"{UNKNOWN}{feature}": count for feature, count in unknown.items()}}
