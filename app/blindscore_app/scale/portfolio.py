"""Encrypted portfolios as tasks: one file of a bank's customers a task, through each of the four steps.

Who sees what: :mod:`blindscore_crypto.encrypted.batch.portfolio`. The bank's key travels to the bank's workers inside
its tasks, over mutual TLS: run the bank's steps on the bank's cluster and the lender's on the lender's. No key and no
mask enters a manifest. Encryption is fresh every time, so a result made again has another hash and the same scores; a
reply and its masks are made, moved and made again together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from blindscore.errors import DataError
from blindscore.scorecard.card import Card
from blindscore_app.scale.tasks import Task
from blindscore_crypto.encrypted.batch.portfolio import encrypt_file, evaluate_file, open_file, settle_file

REPLIES, MASKS = "replies.bin", "masks.bin"  # in the folder of one task of the lender; only the first goes to the bank


def encrypt_tasks(people: Path, blank: Card, key: bytes, out: Path) -> list[Task]:
    """Bank: encrypt every Parquet file of a folder under one key of thirty-two bytes."""
    work = partial(_encrypt, blank, key)
    return [_task("encrypt", out / f"{p.stem}.blocks", (p,), work, blank, key) for p in _files(people, "*.parquet")]


def evaluate_tasks(blocks: Path, card: Card, out: Path) -> list[Task]:
    """Lender: answer every file of blocks; each result is a folder of replies and of masks, which stay secret."""
    work = partial(_evaluate, card)
    return [_task("evaluate", out / p.stem, (p,), work, card, folder=True) for p in _files(blocks, "*.blocks")]


def open_tasks(answers: Path, blank: Card, key: bytes, out: Path) -> list[Task]:
    """Bank: open the replies, which stand in one folder a file, into masked totals."""
    work = partial(_open, blank, key)
    found = _files(answers, f"*/{REPLIES}")
    return [_task("open", out / f"{p.parent.name}.totals", (p,), work, blank, key) for p in found]


def settle_tasks(totals: Path, answers: Path, card: Card, out: Path) -> list[Task]:
    """Lender: take off the masks and write Parquet files of scores."""
    work = partial(_settle, card)
    return [
        _task("settle", out / f"{p.stem}.parquet", (p, answers / p.stem / MASKS), work, card)
        for p in _files(totals, "*.totals")
    ]


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(path.absolute() for path in folder.glob(pattern))
    if not found:
        raise DataError(f"{folder}: no {pattern} there; run the step before this one first")
    return found


def _task(
    step: str,
    target: Path,
    sources: tuple[Path, ...],
    work: Callable[..., Mapping[str, int]],
    card: Card,
    key: bytes = b"",
    folder: bool = False,
) -> Task:
    """Return a task whose recipe tells keys apart without telling them: a key holds 256 bits, so no hash betrays it."""
    recipe = hashlib.sha256(b"blindscore/portfolio/v1|" + step.encode() + card.fingerprint.encode() + key).hexdigest()
    sources = tuple(path.absolute() for path in sources)
    return Task(target.name, target.absolute(), recipe, sources, partial(work, sources), folder)


def _encrypt(blank: Card, key: bytes, sources: tuple[Path], temporary: Path) -> Mapping[str, int]:
    return {"people": encrypt_file(sources[0], blank, key, temporary)}


def _evaluate(card: Card, sources: tuple[Path], temporary: Path) -> Mapping[str, int]:
    return {"people": evaluate_file(sources[0], card, temporary / REPLIES, temporary / MASKS)}


def _open(blank: Card, key: bytes, sources: tuple[Path], temporary: Path) -> Mapping[str, int]:
    return {"people": open_file(sources[0], blank, key, temporary)}


def _settle(card: Card, sources: tuple[Path, Path], temporary: Path) -> Mapping[str, int]:
    return {"people": settle_file(sources[0], sources[1], card, temporary)}
