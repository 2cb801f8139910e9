"""Two lenders to whom the same people applied: their files, logs of their processes among them, join nobody."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter

import pytest

from blindscore.parties.store import close_store
from blindscore_app.town import board
from blindscore_app.town.folders import folder_of
from blindscore_app.town.order import cell, of_party
from blindscore_app.town.playing import tell
from blindscore_app.town.running import LOG, running

PEOPLE, LENGTH, WAIT_S = 2, 16, 120.0
LENDERS = ("lender", "lender-2")
TIME = re.compile(rb'"ms": [0-9.]+')  # how long an answer took is no string of anybody's


def rows_of(folder, name):
    """All that a lender keeps, row by row and line by line: how often each, its cells as bytes."""
    held = Counter()
    for place in of_party(folder, name):
        lines = [(line,) for line in TIME.sub(b"", place.blob).splitlines()]
        held.update((place.name, *map(cell, row)) for row in (place.rows or lines))
    return held


def windows(rows):
    """Every run of bytes of that length in any cell."""
    return {c[at : at + LENGTH] for _, *cells in rows for c in cells for at in range(len(c) - LENGTH + 1)}


def shared(left):
    """Strings that both lenders hold of one person and hold of nobody else.

    Parameters
    ----------
    left
        By lender and person: the rows that were there after the person had applied, and not before.
    """
    found = {}
    for person in range(PEOPLE):
        own, other = (windows(left[lender, person]) for lender in LENDERS)
        of_others = {w for lender in LENDERS for n in range(PEOPLE) if n != person for w in windows(left[lender, n])}
        found[person] = (own & other) - of_others
    return found


@pytest.fixture(scope="module", params=["sealed", "one-show"])
def left(request, tmp_path_factory):
    """One after the other applies to both lenders; what each application left in either's files."""
    folder = tmp_path_factory.mktemp("town") / "a"
    more = {"history": 500, "delay_s": 1, "lenders": 2}
    town, passphrase, _ = board.prepare(folder, request.param, PEOPLE, 3, **more)
    found = {}
    with running(town, passphrase):
        before = {lender: rows_of(folder, lender) for lender in LENDERS}
        for person in range(PEOPLE):
            for lender in LENDERS:
                wallet, lines = town.wallet(person, lender=lender)
                for command in ("learn", "apply"):
                    tell(wallet, lines, command)
                board._collect(wallet, wallet, lines, time.monotonic() + WAIT_S)
                assert wallet.verdict() is not None
                assert wallet.troubles() == []
                lines.close()
                close_store(wallet.store)
            for lender in LENDERS:
                after = rows_of(folder, lender)
                found[lender, person] = set(after - before[lender])
                before[lender] = after
    return folder, found


def test_no_string_of_a_person_lies_with_both_lenders(left):
    _, found = left
    for lender in LENDERS:
        for person in range(PEOPLE):
            places = {place for place, *_ in found[lender, person]}
            assert {LOG, "table decided", "table spent"} <= places
            assert len(windows(found[lender, person])) > 100
    assert shared(found) == {person: set() for person in range(PEOPLE)}


@pytest.mark.parametrize("where", ["log", "rows"])
def test_what_is_planted_is_found(left, where):
    """The control: a string of 16 bytes in both lenders' files, however often in one; one of 15 is too short."""
    folder, found = left
    mark = secrets.token_hex(LENGTH // 2).encode()
    planted = dict(found)
    for lender in LENDERS:
        if where == "rows":
            planted[lender, 1] = found[lender, 1] | {("table decided", b"x" + mark), ("table spent", mark)}
            continue
        path = folder_of(folder, lender) / LOG
        kept = path.read_bytes()
        try:
            path.write_bytes(kept + b'{"noted": "' + mark + b'"}\n')
            planted[lender, 1] = found[lender, 1] | {row for row in rows_of(folder, lender) if mark in row[-1]}
        finally:
            path.write_bytes(kept)
    assert mark in shared(planted)[1]
    assert shared(planted)[0] == set()
    short = {key: rows | {("table decided", mark[:-1])} if key[1] == 1 else rows for key, rows in found.items()}
    assert shared(short)[1] == set()
