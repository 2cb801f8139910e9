"""Portfolios from file to file: exact scores, flat memory, and damaged files refused with nothing half-written."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import CardError, DataError, ForgeryError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.batch.portfolio import (
    encrypt_file,
    evaluate_file,
    open_file,
    settle_file,
    without_points,
)

CARD = Card(
    (
        Characteristic("income", (-25, 10, 40, -10), (1.5, 3.0)),
        Characteristic("age", (-15, 0, 20, 0), (12.0, 60.0)),
        Characteristic("kind", (5, -5, 0), groups=(("a", "b"), ("c",))),
    ),
    base=560,
)
BLANK = without_points(CARD)
KEY = os.urandom(32)


def people(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    income = rng.normal(2, 1, n)
    income[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {"name": "x", "income": income, "age": rng.uniform(0, 90, n), "kind": rng.choice(["a", "b", "c"], n)}
    )


def play(folder, frame: pd.DataFrame, processes: int = 1) -> pd.DataFrame:
    frame.to_parquet(folder / "people.parquet")
    names = ("blocks", "replies", "masks", "totals", "scores.parquet")
    blocks, replies, masks, totals, scores = (folder / name for name in names)
    seen: list[int] = []
    assert encrypt_file(folder / "people.parquet", BLANK, KEY, blocks, processes, seen.append) == len(frame)
    assert seen[-1] == len(frame)
    assert evaluate_file(blocks, CARD, replies, masks) == len(frame)
    assert open_file(replies, BLANK, KEY, totals) == len(frame)
    assert settle_file(totals, masks, CARD, scores) == len(frame)
    return pd.read_parquet(scores)


@pytest.mark.parametrize(("n", "processes"), [(1, 1), (4096, 1), (9000, 2)])
def test_scores_are_the_clear_ones_in_order(tmp_path, n, processes):
    frame = people(n)
    assert (play(tmp_path, frame, processes)["score"].to_numpy() == CARD.scores(CARD.bins(frame))).all()
    assert not list(tmp_path.glob("*.part"))


def test_the_public_card_tells_no_points():
    assert not BLANK.points.any()
    assert BLANK.base == 0
    assert [c.edges for c in BLANK.characteristics] == [c.edges for c in CARD.characteristics]


def test_memory_does_not_grow_with_the_number_of_people(tmp_path):
    peaks = []
    for n in (8192, 40_960):
        folder = tmp_path / str(n)
        folder.mkdir()
        people(n).to_parquet(folder / "people.parquet", row_group_size=4096)
        tracemalloc.start()
        encrypt_file(folder / "people.parquet", BLANK, KEY, folder / "blocks")
        evaluate_file(folder / "blocks", CARD, folder / "replies", folder / "masks")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_damaged_and_foreign_files_are_refused_and_leave_nothing(tmp_path):
    frame = people(5000)
    play(tmp_path, frame)
    whole = (tmp_path / "blocks").read_bytes()
    strange, damaged = "not a portfolio file of this kind and layout", "cut short or damaged"
    spoilt = {
        "cut": (whole[:-1], damaged),
        "header": (b"X" + whole[1:], strange),
        "layout": (whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], strange),
        "count": (whole[:40] + b"\xff" * 4 + whole[44:], damaged),
        "empty": (b"", strange),
    }
    for name, (raw, said) in spoilt.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(ForgeryError, match=f"{name}: {said}"):
            evaluate_file(tmp_path / name, CARD, tmp_path / "new", tmp_path / "new masks")
        assert not (tmp_path / "new").exists()
        assert not (tmp_path / "new masks").exists()
    with pytest.raises(ForgeryError, match=f"replies: {strange}"):
        evaluate_file(tmp_path / "replies", CARD, tmp_path / "new", tmp_path / "new masks")
    assert evaluate_file(tmp_path / "blocks", CARD, tmp_path / "new", tmp_path / "new masks") == 5000


def test_openings_that_do_not_belong_are_refused(tmp_path):
    play(tmp_path, people(5000))
    short = (tmp_path / "masks").read_bytes()[: 40 + 4 + 8192]
    (tmp_path / "short").write_bytes(short)
    with pytest.raises(ForgeryError, match="totals and short differ in length"):
        settle_file(tmp_path / "totals", tmp_path / "short", CARD, tmp_path / "new")
    evaluate_file(tmp_path / "blocks", CARD, tmp_path / "other replies", tmp_path / "other masks")
    with pytest.raises(
        ForgeryError, match="totals that this card cannot give"
    ):  # other masks: totals fall outside what the card can give
        settle_file(tmp_path / "totals", tmp_path / "other masks", CARD, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert settle_file(tmp_path / "totals", tmp_path / "masks", CARD, tmp_path / "new") == 5000


def test_people_and_cards_that_do_not_fit_are_refused(tmp_path):
    people(10).drop(columns="age").to_parquet(tmp_path / "less")
    with pytest.raises(DataError, match="age"):
        encrypt_file(tmp_path / "less", BLANK, KEY, tmp_path / "blocks")
    assert not (tmp_path / "blocks").exists()
    wide = Card((Characteristic("income", (-3000, 3000)),), 0)
    with pytest.raises(CardError, match="card of 6001 possible totals"):
        evaluate_file(tmp_path / "less", wide, tmp_path / "r", tmp_path / "m")
