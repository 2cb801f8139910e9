"""The layout: one encoding, one fingerprint, and bins as the card makes them; whatever else arrives is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import CardError, DataError, ForgeryError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.layout import MAX_BYTES, Layout

CARD = Card(
    (
        Characteristic("income", (1, 2, 3, 4), (10.0, 20.5)),
        Characteristic("job", (5, 6, 7), groups=(("clerk", "nurse"), ("other",))),
        Characteristic("debt", (0, 9), ()),
    ),
    500,
)
LAYOUT = Layout.of(CARD)


def test_points_stay_out_and_equal_bins_are_equal_layouts():
    other = Card(tuple(Characteristic(c.feature, (7,) * c.n_bins, c.edges, c.groups) for c in CARD.characteristics), 1)
    assert Layout.of(other) == LAYOUT
    assert Layout.of(other).fingerprint == LAYOUT.fingerprint
    assert (LAYOUT.n_bins, LAYOUT.size) == (CARD.n_bins, 9)
    assert all(set(c.points) == {0} for c in LAYOUT.characteristics)


def test_the_encoding_is_known_and_comes_back():
    assert LAYOUT.encode() == (
        b'[["income",[10.0,20.5],null],["job",[],[["clerk","nurse"],["other"]]],["debt",[],null]]'
    )
    assert Layout.decode(LAYOUT.encode()) == LAYOUT
    assert LAYOUT.fingerprint.hex() == "6536d0580b6aef2afe5c47add7839ef7f48d8f8cdcd2fa0180450a4f77e786d9"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"nonsense",
        LAYOUT.encode() + b" ",
        LAYOUT.encode().replace(b"10.0", b"10"),
        LAYOUT.encode().replace(b"10.0", b"NaN"),
        LAYOUT.encode().replace(b"10.0", b"-0.0"),
        LAYOUT.encode().replace(b"10.0", b"30.0"),
        LAYOUT.encode().replace(b"debt", b"income"),
        LAYOUT.encode().replace(b'"debt"', b"7"),
        LAYOUT.encode().replace(b"debt", b"d" * 257),
        LAYOUT.encode().replace(b"nurse", b"clerk"),
        b"[" * 100_000,
        b" " * (MAX_BYTES + 1),
        json.dumps([["f", [float(i) for i in range(17)], None]], separators=(",", ":")).encode(),
        LAYOUT.encode().decode(),
        None,
    ],
)
def test_anything_but_an_encoding_is_refused(data):
    with pytest.raises(ForgeryError, match="layout refused"):
        Layout.decode(data)


def test_one_moved_edge_is_another_fingerprint():
    moved = Layout.decode(LAYOUT.encode().replace(b"20.5", b"20.500000000000004"))
    assert moved.fingerprint != LAYOUT.fingerprint


VALUES = [-math.inf, 9.99, 10, 10.0, np.float32(20.5), 20.5, np.nextafter(20.5, 0), 1e300, None, math.nan, pd.NA, True]


@pytest.mark.parametrize("value", VALUES[1:])
@pytest.mark.parametrize("job", ["clerk", "nurse", "other", None])
def test_a_record_falls_into_the_bins_of_the_card(value, job):
    record = {"income": value, "job": job, "debt": 3, "posts": 99}
    frame = pd.DataFrame({"income": pd.Series([value], dtype=object), "job": [job], "debt": [3]})
    assert LAYOUT.bins(record) == CARD.bins(frame)[0].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"income": math.inf}, "'income': a finite number"),
        ({"income": "12"}, "'income': a finite number"),
        ({"job": "thief"}, "'job': a category that the scorecard does not know"),
        ({"job": 3}, "'job': a category"),
    ],
)
def test_a_record_that_cannot_be_binned_is_refused_and_its_value_not_repeated(change, message):
    with pytest.raises(DataError, match=message) as caught:
        LAYOUT.bins({"income": 1.0, "job": "clerk", "debt": 3, **change})
    assert "thief" not in str(caught.value)
    with pytest.raises(DataError, match="does not hold job, debt"):
        LAYOUT.bins({"income": 1.0})


def test_a_part_is_one_sources_share_in_card_order():
    assert LAYOUT.part(["debt", "income"]).features == ["income", "debt"]
    with pytest.raises(CardError, match="does not have posts"):
        LAYOUT.part(["posts"])
    with pytest.raises(CardError, match="none of them twice"):
        LAYOUT.part([])


def test_ones_and_indicators_stand_for_the_bins():
    assert LAYOUT.ones([1, 0, 1]).tolist() == [1, 4, 8]
    assert LAYOUT.indicators([1, 0, 1]) == [1, 0, 0, 0, 0, 1]
    for wrong in ([1, 0], [4, 0, 0], [-1, 0, 0]):
        with pytest.raises(DataError, match="bin"):
            LAYOUT.indicators(wrong)


def test_a_bin_for_every_other_category_belongs_to_the_layout():
    """Two layouts that bin a new category differently are two layouts, and a source bins as the card does."""
    listed = (("clerk",), ("nurse",))
    plain, kept = (Layout((Characteristic("job", (0, 5, 9), groups=listed, other=other),)) for other in (None, 1))
    assert Layout.decode(kept.encode()) == kept
    assert kept.fingerprint != plain.fingerprint
    assert (kept.bins({"job": "smith"}), kept.bins({"job": None})) == ([1], [2])
    with pytest.raises(DataError, match="does not know"):
        plain.bins({"job": "smith"})
    for bad in (
        b'[["job",[],[["clerk"],["nurse"]],true]]',
        b'[["job",[],[["clerk"],["nurse"]],7]]',
        b'[["job",[],null,1]]',
    ):
        with pytest.raises(ForgeryError, match="layout refused: not the encoding of features"):
            Layout.decode(bad)
