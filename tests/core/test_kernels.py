"""The kernel equals its plain twin bit for bit, and both equal the card's own rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import CardError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore.scorecard.kernels import add_column, add_column_plain, round_up_to_float32, score_columns, steps_of

EDGES = [-3.0, -0.5, 0.0, 0.1, 1.0, 1e-30, 2.5, 1e6, 1e-45]
numbers = st.one_of(st.floats(width=32, allow_infinity=False), st.sampled_from([np.nan, -0.0, *EDGES]))


@st.composite
def cards(draw):
    characteristics = []
    for j in range(draw(st.integers(1, 4))):
        edges = tuple(sorted(set(draw(st.lists(st.sampled_from(EDGES), max_size=7)))))
        points = tuple(draw(st.lists(st.integers(-200, 200), min_size=len(edges) + 2, max_size=len(edges) + 2)))
        characteristics.append(Characteristic(f"x{j}", points=points, edges=edges))
    return Card(tuple(characteristics), draw(st.integers(300, 700)), Scale())


@given(st.data(), cards(), st.sampled_from(["float32", "float64"]))
@settings(max_examples=150, deadline=None)
def test_the_kernel_equals_the_card(data, card, dtype):
    rows = data.draw(st.lists(st.lists(numbers, min_size=len(card.features), max_size=len(card.features)), min_size=1))
    with np.errstate(over="ignore"):
        people = pd.DataFrame(np.array(rows, dtype), columns=card.features)
    columns = [people[name].to_numpy() for name in card.features]
    np.testing.assert_array_equal(score_columns(steps_of(card), columns), card.scores(card.bins(people)))


@given(st.lists(numbers, min_size=1), st.lists(st.sampled_from(EDGES), unique=True), st.integers(-99, 99))
@settings(max_examples=100, deadline=None)
def test_the_kernel_equals_its_plain_twin(values, edges, missing):
    column, edges = np.array(values, np.float64), np.array(sorted(edges), np.float64)
    deltas = np.arange(1, len(edges) + 1, dtype=np.int32)
    fast, plain = np.zeros(len(column), np.int32), np.zeros(len(column), np.int32)
    add_column(column, edges, deltas, np.int32(missing), fast)
    add_column_plain(column, edges, deltas, missing, plain)
    np.testing.assert_array_equal(fast, plain)


@given(st.floats(-1e30, 1e30), st.floats(width=32, allow_nan=False))
def test_rounding_an_edge_up_changes_no_comparison(edge, value):
    rounded = round_up_to_float32(np.array([edge]))[0]
    assert (np.float32(value) >= rounded) == (value >= edge)


def test_strided_and_read_only_columns_score_alike():
    card = Card((Characteristic("x", points=(-5, 5, 1), edges=(0.0,)), Characteristic("y", points=(3, 0))), 600)
    table = np.arange(-20, 20, dtype=np.float64).reshape(20, 2)
    expected = card.scores(card.bins(pd.DataFrame(table, columns=["x", "y"])))
    table.setflags(write=False)
    np.testing.assert_array_equal(score_columns(steps_of(card), [table[:, 0], table[:, 1]]), expected)
    assert len(set(expected)) == 2


def test_a_card_with_categories_is_not_for_the_kernel():
    with pytest.raises(CardError, match="home"):
        steps_of(Card((Characteristic("home", points=(1, 0), groups=(("own",),)),), 600))
