"""The kernel equals its plain twin bit for bit, and both equal the card's own rule."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import CardError, DataError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore.scorecard.kernel.kernels import (
    round_up_to_float32,
    score_columns,
    score_columns_plain,
    score_rows,
    steps_of,
)
from blindscore.scorecard.kernel.lanes import BLOCK, LANES, search_steps

EDGES = [-1e300, -3.0, -0.5, -1e-45, 0.0, 1e-45, 1e-30, 0.1, 0.2, 0.3, 1.0, 2.5, 7.0, 1e6, 3e38, 1e39, 1e300]
numbers = st.one_of(st.floats(width=32, allow_infinity=False), st.sampled_from([np.nan, -0.0, *EDGES[1:-2]]))


@st.composite
def cards(draw):
    characteristics = []
    for j in range(draw(st.integers(1, 9))):
        edges = tuple(sorted(draw(st.lists(st.sampled_from(EDGES), max_size=15, unique=True))))
        points = tuple(draw(st.lists(st.integers(-200, 200), min_size=len(edges) + 2, max_size=len(edges) + 2)))
        characteristics.append(Characteristic(f"x{j}", points=points, edges=edges))
    return Card(tuple(characteristics), draw(st.integers(300, 700)), Scale())


def people_for(data, card, dtypes):
    """A few dozen rows: a drawn pool of values, laid out at random, so that every lane and tail is met."""
    pool = np.array(data.draw(st.lists(numbers, min_size=1, max_size=30)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = data.draw(st.integers(1, 40))
    return [rng.choice(pool, rows).astype(dtype) for dtype, _ in zip(dtypes, card.features, strict=False)]


@given(st.data(), cards(), st.lists(st.sampled_from(["float32", "float64"]), min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_kernel_equals_its_plain_twin_and_the_card(data, card, dtypes):
    columns = people_for(data, card, dtypes)
    plain = score_columns_plain(card, columns)
    people = pd.DataFrame(dict(zip(card.features, columns, strict=True)))
    assert card.scores(card.bins(people)).tolist() == plain
    assert score_columns(steps_of(card), columns).tolist() == plain


@given(st.data(), cards(), st.sampled_from(["float32", "float64"]))
@settings(max_examples=40, deadline=None)
def test_rows_score_like_columns(data, card, dtype):
    columns = people_for(data, card, [dtype] * 9)
    table = np.ascontiguousarray(np.array(columns).T)
    plain = score_columns_plain(card, columns)
    assert score_rows(steps_of(card), table).tolist() == plain
    assert score_rows(steps_of(card), np.asfortranarray(table)).tolist() == plain


@given(st.floats(-1e30, 1e30), st.floats(width=32, allow_nan=False))
def test_rounding_an_edge_up_changes_no_comparison(edge, value):
    rounded = round_up_to_float32(np.array([edge]))[0]
    assert (np.float32(value) >= rounded) == (value >= edge)


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 255, 256, 257, 1025, BLOCK - 1, BLOCK, BLOCK + 1])
def test_every_length_of_block_and_tail(rows):
    rng = np.random.default_rng(rows)
    card = wide_card(rng, 5)
    table = rng.normal(size=(rows, 5)).astype(np.float32)
    expected = card.scores(card.bins(pd.DataFrame(table, columns=card.features)))
    np.testing.assert_array_equal(score_rows(steps_of(card), table), expected)
    np.testing.assert_array_equal(score_columns(steps_of(card), list(table.T)), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [1, 9, 40, BLOCK - 1, BLOCK, BLOCK + 17])
def test_columns_may_start_anywhere_in_memory(dtype, rows):
    """The kernel first scores the few people before a line of memory begins, whatever the column's address."""
    rng = np.random.default_rng(rows)
    card = wide_card(rng, 3)
    table = rng.normal(size=(3, rows)).astype(dtype)
    expected = card.scores(card.bins(pd.DataFrame(table.T, columns=card.features)))
    for shift in range(17):
        columns = []
        for j, column in enumerate(table):
            room = np.full(rows + 40, np.inf, dtype)  # a read beyond the column would be seen
            start = (shift + j) % 17
            room[start : start + rows] = column
            columns.append(room[start : start + rows])
        np.testing.assert_array_equal(score_columns(steps_of(card), columns), expected)


def wide_card(rng, features, edges=15):
    return Card(
        tuple(
            Characteristic(
                f"x{j}",
                points=tuple(int(p) for p in rng.integers(-30, 31, edges + 2)),
                edges=tuple(map(float, np.sort(rng.normal(size=edges)))),
            )
            for j in range(features)
        ),
        base=600,
    )


def test_strided_and_read_only_input_scores_alike():
    rng = np.random.default_rng(0)
    card = wide_card(rng, 3)
    table = rng.normal(size=(100, 6))
    table.setflags(write=False)
    half = table[:, ::2]
    expected = card.scores(card.bins(pd.DataFrame(half, columns=card.features)))
    np.testing.assert_array_equal(score_columns(steps_of(card), list(half.T)), expected)
    np.testing.assert_array_equal(score_rows(steps_of(card), half), expected)
    np.testing.assert_array_equal(score_rows(steps_of(card), half[::-1]), expected[::-1])


def test_threads_change_nothing():
    rng = np.random.default_rng(2)
    card, table = wide_card(rng, 4), rng.normal(size=(200_000, 4)).astype(np.float32)
    one = score_rows(steps_of(card), table, threads=1)
    for threads in (2, 3, None):
        np.testing.assert_array_equal(score_rows(steps_of(card), table, threads=threads), one)
        np.testing.assert_array_equal(score_columns(steps_of(card), list(table.T), threads=threads), one)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", [0, 15, 16, 33])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_infinity_anywhere_is_named(dtype, row, threads):
    card = wide_card(np.random.default_rng(0), 6)
    table = np.zeros((34, 6), dtype)
    assert len(score_rows(steps_of(card), table, threads=threads)) == 34
    table[row, 4] = -np.inf
    for call in (
        lambda: score_rows(steps_of(card), table, threads=threads),
        lambda: score_columns(steps_of(card), list(table.T), threads=threads),
    ):
        with pytest.raises(DataError, match=f"'x4', row {row}: infinity"):
            call()
    with pytest.raises(DataError, match="'x4'"):
        score_columns_plain(card, list(table.T))


def test_totals_far_off_the_scale_are_clipped_not_wrapped():
    points = (10_000, -10_000, 0)
    card = Card(tuple(Characteristic(f"x{j}", points=points, edges=(0.0,)) for j in range(50)), 0)
    table = np.array([[-1.0] * 50, [1.0] * 50, [np.nan] * 50])
    assert score_rows(steps_of(card), table).tolist() == [950, 350, 350]


def test_what_the_kernel_cannot_score_is_refused():
    with pytest.raises(CardError, match="home"):
        steps_of(Card((Characteristic("home", points=(1, 0), groups=(("own",),)),), 600))
    steps = steps_of(wide_card(np.random.default_rng(0), 2))
    good = np.zeros(3)
    assert len(score_columns(steps, [good, good])) == 3
    for columns in ([good], [good, np.zeros(4)], [good, np.zeros(3, int)], []):
        with pytest.raises(DataError, match="needed"):
            score_columns(steps, columns)
    for table in (np.zeros((3, 3)), np.zeros(2), np.zeros((3, 2), int)):
        with pytest.raises(DataError, match="needed"):
            score_rows(steps, table)


def test_a_search_over_fifteen_edges_takes_four_steps():
    assert [skipped for _, skipped in search_steps(15)] == [8, 4, 2, 1]
    assert [skipped for _, skipped in search_steps(7)] == [4, 2, 1]
    assert sum(bit for bit, _ in search_steps(15)) < LANES  # every place is a lane


@pytest.mark.parametrize("n_edges", [3, 7, 15])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_signalling_nan_is_missing_and_hides_no_infinity(n_edges, dtype):
    """It lacks the quiet bit as an infinity does: the kernel looks again, and says what is there."""
    rng = np.random.default_rng(n_edges)
    card = Card(
        tuple(
            Characteristic(f"x{j}", tuple(int(p) for p in rng.integers(-30, 30, n_edges + 2)), tuple(range(n_edges)))
            for j in range(5)
        ),
        600,
    )
    signalling = np.array([0x7F800001 if dtype is np.float32 else 0x7FF0000000000001])
    signalling = signalling.astype(np.uint32 if dtype is np.float32 else np.uint64).view(dtype)[0]
    table = rng.uniform(-1, n_edges, (300, 5)).astype(dtype)
    table[[3, 77, 299], [0, 4, 2]] = np.nan
    expected = score_rows(steps_of(card), table)
    table[[3, 77, 299], [0, 4, 2]] = signalling
    assert (score_rows(steps_of(card), table) == expected).all()
    assert (score_columns(steps_of(card), list(table.T.copy())) == expected).all()
    table[5, 4] = np.inf
    with pytest.raises(DataError, match="'x4', row 5: infinity"):
        score_columns(steps_of(card), list(table.T.copy()))


def test_a_processor_without_wide_registers_scores_alike(tmp_path):
    """The same scores from code compiled for the oldest x86-64, which has no register permutes."""
    program = (
        "import numpy as np, sys; sys.path[:0] = sys.argv[1:]\n"
        "from test_kernels import wide_card\n"
        "from blindscore.scorecard.kernel import lanes\n"
        "from blindscore.scorecard.kernel.kernels import score_rows, score_columns_plain, steps_of\n"
        "assert not lanes.PERMUTE\n"
        "rng = np.random.default_rng(1); card = wide_card(rng, 5)\n"
        "table = rng.normal(size=(50, 5)).astype(np.float32)\n"
        "assert score_rows(steps_of(card), table).tolist() == score_columns_plain(card, list(table.T))\n"
    )
    environment = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    here = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", program, here], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
