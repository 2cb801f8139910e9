"""What ``explain`` shows adds up to the same score in every form: kernel, table, JSON, SQL, ONNX, encrypted, sealed."""

import numpy as np
import pandas as pd
import pytest

from blindscore.scorecard.forms.json import card_from_json, card_to_json
from blindscore.scorecard.forms.onnx import card_to_onnx, onnx_inputs
from blindscore.scorecard.forms.sql import card_to_sql
from blindscore.scorecard.kernel.kernels import score_columns
from blindscore.scorecard.scorecard import Scorecard
from tests.crypto import encrypted_world, sealed_world


@pytest.fixture(scope="module")
def fitted():
    """A card with special codes and missing values, and six people who stand on edges, codes and gaps."""
    rng = np.random.default_rng(0)
    n = 2500
    late = rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0, np.nan], n)
    income = rng.lognormal(8, 0.5, n)
    bad = rng.random(n) < 1 / (1 + np.exp(1.5 - 0.8 * np.nan_to_num(late) + (income > 3000)))
    card = Scorecard(special={"late": [-2, -1]}, max_bins=8).fit(pd.DataFrame({"late": late, "income": income}), bad)
    edge = card.card_.characteristics[1].edges[0]
    few = {
        "late": [-2.0, -1.0, 0.0, np.nan, 2.0, 1.0],
        "income": [edge, np.nextafter(edge, 0), 500.0, np.nan, 9e4, 3e3],
    }
    people = pd.DataFrame(few)
    explained = card.explain(people).sum(axis=1).to_numpy()
    assert len(set(explained)) >= 4
    return card, people, card.card_.clip(explained)


def test_kernel_and_table(fitted):
    card, people, expected = fitted
    columns = [people[name].to_numpy() for name in card.card_.features]
    np.testing.assert_array_equal(score_columns(card.card_.steps, columns), expected)
    table = card.table().set_index(["feature", "bin"]).points
    for at, (_, person) in enumerate(people.iterrows()):
        total = table["(base)"].item()
        for c in card.card_.characteristics:
            x, rows = person[c.feature], table[c.feature]
            total += rows["missing"] if np.isnan(x) else rows.iloc[sum(x >= edge for edge in c.edges)]
        assert min(max(total, 350), 950) == expected[at]


def test_json(fitted):
    card, people, expected = fitted
    again = card_from_json(card_to_json(card.card_))
    np.testing.assert_array_equal(again.scores(again.bins(people)), expected)


def test_sql(fitted):
    duckdb = pytest.importorskip("duckdb")
    card, people, expected = fitted
    connection = duckdb.connect()
    connection.register("people", people)
    found = connection.execute(card_to_sql(card.card_, "people")).fetchnumpy()["score"]
    np.testing.assert_array_equal(found, expected)


def test_onnx(fitted):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    card, people, expected = fitted
    session = runtime.InferenceSession(card_to_onnx(card.card_), providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(["score"], onnx_inputs(card.card_, people))[0], expected)


def test_encrypted(fitted):
    card, people, expected = fitted
    world = encrypted_world.World.of(card.card_)
    for bins, score in zip(card.card_.bins(people).astype(np.int64), expected, strict=True):
        assert world.score(bins).score == score


def test_sealed(fitted):
    """One bit at a time: approved at a threshold of the score itself, refused at one point more."""
    card, people, expected = fitted
    source_of = dict.fromkeys(card.card_.features, "bank")
    rows = zip(people.to_dict("records"), expected, strict=True)
    for at, (record, score) in enumerate(list(rows)[:3]):
        plain = {name: None if np.isnan(x) else x for name, x in record.items()}
        for threshold, approved in ((int(score), True), (int(score) + 1, False)):
            world = sealed_world.World(card.card_, threshold, source_of=source_of)
            assert world.apply(f"person {at}", plain).verdict() is approved
