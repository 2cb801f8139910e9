"""Two lenders to whom the same people applied: their files, logs of their processes among them, join nobody."""

from __future__ import annotations

import secrets
import time

import pytest

from blindscore.parties.store import close_store
from blindscore_app.town import board
from blindscore_app.town.folders import folder_of
from blindscore_app.town.playing import tell
from blindscore_app.town.running import LOG, running
from tests.two_lenders import LENDERS, Left, rows_of, shared, windows

PEOPLE, LENGTH, WAIT_S = 2, 16, 120.0


@pytest.fixture(scope="module", params=["sealed", "one-show"])
def left(request, tmp_path_factory):
    """One after the other applies to both lenders; what each application left in either's files."""
    folder = tmp_path_factory.mktemp("town") / "a"
    more = {"history": 500, "delay_s": 1, "lenders": 2}
    town, passphrase, _ = board.prepare(folder, request.param, PEOPLE, 3, **more)
    with running(town, passphrase):
        noted = Left(folder)
        for person in range(PEOPLE):
            for lender in LENDERS:
                wallet, lines = town.wallet(person, lender=lender)
                for command in ("learn", "apply"):
                    tell(wallet, lines, command)
                board.collect(wallet, wallet, lines, time.monotonic() + WAIT_S)
                assert wallet.verdict() is not None
                assert wallet.troubles() == []
                lines.close()
                close_store(wallet.store)
            noted.note(person)
    return folder, noted.rows


def test_no_string_of_a_person_lies_with_both_lenders(left):
    _, found = left
    for lender in LENDERS:
        for person in range(PEOPLE):
            places = {place for place, *_ in found[lender, person]}
            assert {LOG, "table decided", "table spent"} <= places
            assert len(windows(found[lender, person], LENGTH)) > 100
    assert shared(found, LENGTH) == {person: set() for person in range(PEOPLE)}


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
    assert mark in shared(planted, LENGTH)[1]
    assert shared(planted, LENGTH)[0] == set()
    short = {key: rows | {("table decided", mark[:-1])} if key[1] == 1 else rows for key, rows in found.items()}
    assert shared(short, LENGTH)[1] == set()
