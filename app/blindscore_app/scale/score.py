"""Score a folder of files (partitions): one file a task, one result a file."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from blindscore.errors import DataError
from blindscore_app.files.blocks import PARQUET, check_header, is_parquet
from blindscore_app.files.people import Wanted
from blindscore_app.files.score_file import score_file
from blindscore_app.scale.tasks import Task

TABLES = (*PARQUET, ".csv.gz", ".csv")
RESULT_VERSION = 2  # goes up when equal inputs would give other bytes


def is_many(given: Path) -> bool:
    """Say whether an input is a folder or a pattern rather than a file."""
    return given.is_dir() or (glob.has_magic(str(given)) and not given.exists())


def partitions(given: Path) -> tuple[Path, list[Path]]:
    """Return (the folder that names are told from, files in name order) of a folder or a glob.

    Names that begin with a dot or an underscore are no data, as Arrow, Spark and Hive hold it.

    Raises
    ------
    DataError
        No CSV or Parquet file is there.
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
        if not hidden and file.name.lower().endswith(TABLES) and file.is_file():
            files.append(file)
    if not files:
        raise DataError(f"{given}: no file that ends in {', '.join(TABLES)}; give a file, a folder or a quoted pattern")
    return root, files


def score_tasks(root: Path, files: Sequence[Path], want: Wanted, out: Path, parquet: bool) -> list[Task]:
    """Return one task a file, after a look at every file's header; a result keeps the file's name and subfolder.

    Raises
    ------
    DataError
        A file cannot be read, lacks a column, or names one twice: nothing is scored then.
    """
    for file in files:
        check_header(file, want)
    names = [_result(file.relative_to(root), parquet) for file in files]
    return [score_task(file, want, out / name, name) for file, name in zip(files, names, strict=True)]


def score_task(file: Path, want: Wanted, target: Path, name: str) -> Task:
    """Return the task of one file; the target's ending says whether it becomes CSV or Parquet."""
    source, parquet = file.absolute(), is_parquet(target)
    work = partial(_work, source, want, parquet)
    return Task(name, target.absolute(), recipe_of(want, parquet), (source,), work)


def _result(file: Path, parquet: bool) -> str:
    end = next(end for end in TABLES if file.name.lower().endswith(end))
    return str(file.with_name(file.name[: -len(end)] + (".parquet" if parquet else ".csv")))


def recipe_of(want: Wanted, parquet: bool) -> str:
    """Return the fingerprint of all that a result depends on but the people, hexadecimal."""
    import pyarrow

    parts = {
        "version": RESULT_VERSION,
        "card": want.card.fingerprint,
        "columns": want.column_of,
        "missing": want.missing,
        "keep": want.keep,
        "parquet": f"pyarrow {pyarrow.__version__}" if parquet else None,  # it stands in the file
    }
    return hashlib.sha256(b"blindscore/score/v1" + json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _work(file: Path, want: Wanted, parquet: bool, temporary: Path) -> Mapping[str, int]:
    return {"people": score_file(file, want, temporary, parquet)}
