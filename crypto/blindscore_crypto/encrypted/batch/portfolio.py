"""Portfolio: a bank's customers, scored by a lender it does not show them to, from file to file, 4,096 at a time.

Four steps, two parties: the bank encrypts a Parquet file, the lender evaluates, the bank opens, the lender settles.
Files may be larger than memory: blocks stream through, and work is shared out to processes (the kernels hold the
interpreter's lock, so threads would not help).

Who sees what, what is assumed and what is not protected: see :mod:`~blindscore_crypto.encrypted.batch.rlwe`; above all
there is no MAC, so the lender believes the bank's opening. The lender's masks file is its secret, and serves once. A
bank that encrypts falsely reads a bound of 20 bits of a card, if the lender counts what it answers it.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from blindscore.errors import CardError, DataError, ForgeryError
from blindscore.scorecard.card import Card
from blindscore.whole_files import replacing
from blindscore_crypto.encrypted.batch.rlwe import (
    PEOPLE,
    T,
    block_bytes,
    encrypt_block,
    evaluate_block,
    flood_width,
    fresh_masks,
    of_source,
    open_block,
    reply_bytes,
)
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.layout import Layout

_HEADER = struct.Struct(">4sBxH32s")  # magic, version, kind of file, layout
_PEOPLE = struct.Struct(">I")
_VERSION = 2
_BLOCKS, _REPLIES, _MASKS, _TOTALS = range(4)
_TOTAL_BYTES = 2 * PEOPLE
Progress = Callable[[int], None]
A = TypeVar("A")
B = TypeVar("B")


def without_points(card: Card) -> Card:
    """Return the public half of a card, all points zero: what a bank needs to sort its customers into bins."""
    blank = tuple(replace(c, points=(0,) * c.n_bins, woe=None) for c in card.characteristics)
    return replace(card, characteristics=blank, base=0)


def encrypt_file(
    people: Path, blank: Card, key: bytes, out: Path, processes: int = 1, progress: Progress | None = None
) -> int:
    """Bank: encrypt every row of a Parquet file; return how many people it holds.

    Parameters
    ----------
    blank
        The lender's card without points (:func:`without_points`).
    key
        Thirty-two bytes from the operating system; needed again to open.
    progress
        Called with the number of people done so far.

    Raises
    ------
    DataError
        Columns missing, or values that the layout does not know.
    """
    file = pq.ParquetFile(people)
    missing = sorted(set(blank.features) - set(file.schema_arrow.names))
    if missing:
        raise DataError(f"{people.name}: columns missing for this scorecard: {', '.join(missing)}")
    frames = (b.to_pandas() for b in file.iter_batches(batch_size=PEOPLE, columns=blank.features))
    work = partial(_encrypt, blank, key)
    return _write(out, _BLOCKS, Layout.of(blank), _shared(work, frames, processes), progress)


def _encrypt(blank: Card, key: bytes, frame: pd.DataFrame) -> tuple[int, bytes]:
    layout, bins = Layout.of(blank), blank.bins(frame)
    columns = np.zeros((layout.size, len(bins)), np.int64)
    starts = np.cumsum(layout.n_bins) - np.array(layout.n_bins)
    columns[(starts + bins).T, np.arange(len(bins))] = 1
    return len(bins), encrypt_block(key, columns)


def evaluate_file(
    blocks: Path,
    card: Card,
    replies: Path,
    masks: Path,
    processes: int = 1,
    progress: Progress | None = None,
    already: int = 0,
) -> int:
    """Lender: answer every block; return the number of people. ``replies`` goes to the bank, ``masks`` stays secret.

    Parameters
    ----------
    already
        Blocks that this bank was answered under this card before.

    Raises
    ------
    ForgeryError
        The file is malformed or made for another layout.
    CardError
        The card has more possible totals than a block can tell apart, or this bank has had as many answers under it
        as a source gets (:func:`.rlwe.of_source`): take other points.
    """
    layout, points = Layout.of(card), Points.of(card)
    if points.span > T:
        raise CardError(f"card of {points.span} possible totals; a block tells {T} apart")
    flood_width(points.weights)  # refuses points that are too large before any file is opened
    most = of_source(points.weights) // PEOPLE
    with _created(masks, _MASKS, layout) as kept:

        def bounded() -> Iterator[tuple[int, bytes]]:
            # A block has answers in all of its places, however many people it says that it holds.
            for count, record in enumerate(_records(blocks, _BLOCKS, layout), already + 1):
                if count > most:
                    raise CardError(f"one source gets {most} blocks answered under a card; this one asks for more")
                yield record

        def answered() -> Iterator[tuple[int, bytes]]:
            work = partial(_evaluate, points.weights)
            for n, reply, mask in _shared(work, bounded(), processes):
                kept.write(_PEOPLE.pack(n) + mask)
                yield n, reply

        return _write(replies, _REPLIES, layout, answered(), progress)


def _evaluate(weights: NDArray[np.int64], record: tuple[int, bytes]) -> tuple[int, bytes, bytes]:
    masks = fresh_masks()
    return record[0], evaluate_block(record[1], weights, masks), masks.astype("<u2").tobytes()


def open_file(replies: Path, blank: Card, key: bytes, totals: Path, processes: int = 1) -> int:
    """Bank: decrypt every reply into masked totals for the lender; return the number of people."""
    layout = Layout.of(blank)
    work = partial(_open, key)
    return _write(totals, _TOTALS, layout, _shared(work, _records(replies, _REPLIES, layout), processes), None)


def _open(key: bytes, record: tuple[int, bytes]) -> tuple[int, bytes]:
    return record[0], open_block(key, record[1]).astype("<u2").tobytes()


def settle_file(totals: Path, masks: Path, card: Card, scores: Path) -> int:
    """Lender: take off the masks and write a Parquet file of scores, in the order of the bank's file.

    Raises
    ------
    ForgeryError
        Files that do not belong together, or a total that the card cannot give.
    """
    layout, points, done = Layout.of(card), Points.of(card), 0
    schema = pa.schema([("score", pa.int16())])
    with replacing(scores) as part, pq.ParquetWriter(part, schema) as writer:
        pairs = zip(_records(totals, _TOTALS, layout), _records(masks, _MASKS, layout), strict=True)
        while (both := _next(pairs, totals, masks)) is not None:
            (n, opened), (also, mask) = both
            masked, by = (np.frombuffer(raw, "<u2", n).astype(np.int64) for raw in (opened, mask))
            sums = points.low + (masked - by - points.low) % T
            if n != also or (sums > points.high).any():
                raise ForgeryError(f"{totals.name}: totals that this card cannot give; ask the bank to open again")
            writer.write_table(pa.table({"score": card.clip(points.offset + sums)}, schema=schema))
            done += n
    return done


def _next(pairs: Iterator[tuple[A, B]], totals: Path, masks: Path) -> tuple[A, B] | None:
    """Return the next pair of blocks, or None after the last."""
    try:
        return next(pairs, None)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        # Of zip itself: one file has more blocks than the other.
        raise ForgeryError(f"{totals.name} and {masks.name} differ in length") from error


def _shared(work: Callable[[A], B], items: Iterable[A], processes: int) -> Iterator[B]:
    """Yield ``work(item)`` in order, by this process or by several with a bounded number of items in flight."""
    if processes == 1:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[B]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _created(path: Path, kind: int, layout: Layout) -> Iterator[BinaryIO]:
    """Open a file of records for writing that appears under its name only if all went well."""
    with replacing(path) as part, part.open("wb") as file:
        file.write(_HEADER.pack(b"BLSP", _VERSION, kind, layout.fingerprint))
        yield file


def _write(
    path: Path, kind: int, layout: Layout, records: Iterable[tuple[int, bytes]], progress: Progress | None
) -> int:
    done = 0
    with _created(path, kind, layout) as file:
        for n, raw in records:
            file.write(_PEOPLE.pack(n) + raw)
            done += n
            if progress is not None:
                progress(done)
    return done


def _records(path: Path, kind: int, layout: Layout) -> Iterator[tuple[int, bytes]]:
    """Yield (people, bytes) of each record; sizes follow from the kind, never from the file."""
    size = (block_bytes(layout.size), reply_bytes(), _TOTAL_BYTES, _TOTAL_BYTES)[kind]
    with path.open("rb") as file:
        if file.read(_HEADER.size) != _HEADER.pack(b"BLSP", _VERSION, kind, layout.fingerprint):
            raise ForgeryError(f"{path.name}: not a portfolio file of this kind and layout; ask for a fresh one")
        while head := file.read(_PEOPLE.size):
            raw = file.read(size)
            if len(head) != _PEOPLE.size or len(raw) != size or not 1 <= _PEOPLE.unpack(head)[0] <= PEOPLE:
                raise ForgeryError(f"{path.name}: cut short or damaged; ask for a fresh one")
            yield _PEOPLE.unpack(head)[0], raw
