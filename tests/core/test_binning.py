"""Binning: one rule, every kind of column, and messages that name the row but never the value."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError
from blindscore.scorecard.binning import bin_column, bin_labels, check_columns, kind_of
from blindscore.scorecard.card import Characteristic
from blindscore.scorecard.special import code_edges

AGE = Characteristic("age", points=(1, 2, 3, 0), edges=(18.0, 65.0))
HOME = Characteristic("home", points=(5, -5, 0), groups=(("own",), ("rent", "other")))


def test_an_edge_opens_the_upper_bin():
    column = pd.Series([17.9, 18.0, 64.0, 65.0, np.nan], name="age")
    assert bin_column(AGE, column).tolist() == [0, 1, 1, 2, 3]
    assert bin_column(AGE, column).dtype == np.uint8


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([17, 18, 70], name="age"),
        pd.Series([17, 18, 70], dtype="Int64", name="age"),
        pd.Series([17, 18, 70], dtype="float32", name="age"),
        pd.Series([17, 18, 70], dtype="uint8", name="age"),
        pd.Series([17, 18.0, np.float32(70)], dtype=object, name="age"),
        pd.Series([17, 18, 70], dtype="int64[pyarrow]", name="age"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_numeric_type_gives_the_same_bins(column):
    assert bin_column(AGE, column).tolist() == [0, 1, 2]


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_every_kind_of_nothing_is_missing(nothing):
    assert bin_column(AGE, pd.Series([20, nothing], dtype=object, name="age")).tolist() == [1, 3]
    assert bin_column(HOME, pd.Series(["own", nothing], dtype=object, name="home")).tolist() == [0, 2]
    assert bin_column(HOME, pd.Series([nothing, nothing], name="home")).tolist() == [2, 2]


def test_nullable_columns_keep_their_missing_values():
    assert bin_column(AGE, pd.Series([20, None], dtype="Int64", name="age")).tolist() == [1, 3]
    assert bin_column(AGE, pd.Series([True, None], dtype="boolean", name="age")).tolist() == [0, 3]


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string", "string[pyarrow]"])
def test_category_columns_of_every_type(dtype):
    assert bin_column(HOME, pd.Series(["rent", "own", None], dtype=dtype, name="home")).tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("characteristic", "column", "row"),
    [
        (AGE, pd.Series([1.0, 2.0, np.inf]), 2),
        (AGE, pd.Series([1.0, -np.inf, np.inf]), 1),
        (AGE, pd.Series([1, "SECRET"], dtype=object), 1),
        (AGE, pd.Series([10**400, 1], dtype=object), 0),
        (HOME, pd.Series(["own", "SECRET"]), 1),
        (HOME, pd.Series(["own", "SECRET"], dtype="category"), 1),
        (HOME, pd.Series(["own", "own", 7], dtype=object), 2),
    ],
)
def test_a_bad_value_is_named_by_row_and_never_repeated(characteristic, column, row):
    column = column.rename(characteristic.feature)
    with pytest.raises(DataError, match=f"'{characteristic.feature}', row {row}") as caught:
        bin_column(characteristic, column)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("characteristic", "column"),
    [
        (AGE, pd.Series(["a", "b"])),
        (AGE, pd.Series(pd.to_datetime(["2020-01-01"]))),
        (AGE, pd.Series([1 + 2j])),
        (HOME, pd.Series([1.0, 2.0])),
        (HOME, pd.Series([["own"]], dtype=object)),
    ],
)
def test_a_wrong_type_is_refused(characteristic, column):
    with pytest.raises(DataError, match=characteristic.feature):
        bin_column(characteristic, column.rename(characteristic.feature))


def test_columns_must_be_there_once():
    people = pd.DataFrame([[1, 2, 3]], columns=["age", "home", "age"])
    check_columns(["home"], people)
    with pytest.raises(DataError, match="occur twice: age"):
        check_columns(["age", "home"], people)
    with pytest.raises(DataError, match="missing for this scorecard: income"):
        check_columns(["income"], people)


def test_kinds_of_columns():
    assert kind_of(pd.Series([True, False])) == "number"
    assert kind_of(pd.Series([1, None], dtype=object)) == "number"
    assert kind_of(pd.Series(["a", None])) == "category"
    assert kind_of(pd.Series(["a", 1], dtype=object)) == "category"


@pytest.mark.parametrize(("other", "unknown"), [(2, "neutral"), (3, "missing")])
def test_a_category_on_no_list_falls_into_its_bin_and_is_counted(other, unknown):
    home = Characteristic("home", points=(5, -5, 1, 0), groups=(("own",), ("rent",), ()), other=other)
    seen = Counter()
    assert home.unknown == unknown
    assert bin_column(home, pd.Series(["boat", "own", None, "tent"], name="home"), seen).tolist() == [
        other,
        0,
        3,
        other,
    ]
    assert seen == {"home": 2}
    assert HOME.unknown == "error"


def test_a_code_that_float32_cannot_hold_is_the_same_bin_in_both_widths():
    for code in (-999.9, -0.1, 0.7, 1e-60, 3.3e38, -1.0):
        low, end = code_edges(code)
        c = Characteristic("x", points=(1, 50, 2, 0), edges=(low, end))
        assert c.codes == {1: code}
        assert c.plain_bins == (0, 2)
        assert bin_labels(c)[1] == f"{code:.10g}"
        for kind in (np.float32, np.float64):
            assert bin_column(c, pd.Series(np.array([code], kind), name="x")).tolist() == [1]
        beside = pd.Series([np.nextafter(low, -np.inf), end], name="x")
        assert bin_column(c, beside).tolist() == [0, 2]


def test_labels_say_what_the_rule_does():
    assert bin_labels(AGE) == ["< 18", "18 to < 65", ">= 65", "missing"]
    assert bin_labels(HOME) == ["own", "rent, other", "missing"]
    assert bin_labels(Characteristic("x", points=(0, 0))) == ["any value", "missing"]
