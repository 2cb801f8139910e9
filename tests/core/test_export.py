"""Every form of a card gives the same scores and the same points: kernel, table, SQL, ONNX, PMML."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import CardError, DataError, ParameterError
from blindscore.scorecard.card import Card, Characteristic, Scale
from blindscore.scorecard.forms.onnx import MISSING, card_to_onnx, onnx_inputs
from blindscore.scorecard.forms.pmml import card_to_pmml
from blindscore.scorecard.forms.sql import card_to_sql
from blindscore.scorecard.scorecard import Scorecard

CARD = Card(
    (
        Characteristic("income", points=(-80, 5, 33, -7), edges=(0.1, 1e-30 + 2000.123456789)),
        Characteristic('odd "name"; --', points=(12, -3, 0), edges=(-0.5,)),
        Characteristic("home", points=(40, -15, -2, 3), groups=(("own", "it's"), ('"rent"',), ())),
        Characteristic("constant", points=(4, 1)),
    ),
    base=590,
    scale=Scale(low=500, high=640),
)


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    n = 500
    return pd.DataFrame(
        {
            "income": rng.choice([0.1, np.nextafter(0.1, 0), 2000.123456789, 1e9, -1.0, np.nan, -0.0], n),
            'odd "name"; --': rng.choice(np.array([-0.5, -0.6, 0.0, np.nan], np.float32), n),
            "home": rng.choice(np.array(["own", "it's", '"rent"', None], object), n),
            "constant": rng.integers(0, 3, n),
        }
    )


def in_duckdb(card, people, **settings):
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("the people", people)
    return connection.execute(card_to_sql(card, "the people", **settings)).df()


def in_onnxruntime(card, people, **changed):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(card_to_onnx(card), providers=["CPUExecutionProvider"])
    return dict(zip(["score", "points", "known"], session.run(None, onnx_inputs(card, people) | changed), strict=True))


def test_sql_gives_the_same_scores_and_points(people):
    found = in_duckdb(CARD, people, points=True)
    explained = Scorecard.from_card(CARD).explain(people)
    np.testing.assert_array_equal(found["score"], CARD.scores(CARD.bins(people)))
    assert found["score"].dtype == np.int16
    assert len(set(found["score"])) > 5
    for feature in CARD.features:
        np.testing.assert_array_equal(found[f"points_{feature}"], explained[feature])
    np.testing.assert_array_equal(CARD.clip(found.drop(columns="score").sum(axis=1).to_numpy()), found["score"])


def test_sql_scores_enumerations_that_lack_a_category(people):
    some = people[people["home"] == "own"].astype({"home": "category"})
    np.testing.assert_array_equal(in_duckdb(CARD, some)["score"], CARD.scores(CARD.bins(some)))


def test_onnx_gives_the_same_scores_and_points(people):
    pytest.importorskip("onnx")
    found = in_onnxruntime(CARD, people)
    explained = Scorecard.from_card(CARD).explain(people)
    np.testing.assert_array_equal(found["score"], CARD.scores(CARD.bins(people)))
    assert found["score"].dtype == np.int16
    assert found["known"].all()
    np.testing.assert_array_equal(found["points"], explained[CARD.features])
    np.testing.assert_array_equal(CARD.clip(CARD.base + found["points"].sum(axis=1)), found["score"])


def test_a_fitted_card_scores_alike_everywhere(people):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(1)
    bad = rng.random(len(people)) < np.where(people["home"] == "own", 0.1, 0.5)
    card = Scorecard().fit(people, bad)
    expected = card.score_points(people)
    np.testing.assert_array_equal(in_duckdb(card.card_, people)["score"], expected)
    np.testing.assert_array_equal(in_onnxruntime(card.card_, people)["score"], expected)


def test_pmml_gives_the_same_scores(people, tmp_path):
    """Read by JPMML, in a process of its own, because it starts a Java machine."""
    pytest.importorskip("jpmml_evaluator")
    if shutil.which("java") is None:
        pytest.skip("no Java here")
    (tmp_path / "card.pmml").write_text(card_to_pmml(CARD), encoding="utf-8")
    rows = people.astype(object).where(people.notna(), None).to_dict("records")
    (tmp_path / "people.json").write_text(json.dumps(rows))
    program = (
        "import json, sys; from jpmml_evaluator import make_evaluator\n"
        "model = make_evaluator(sys.argv[1], backend='jpype').verify()\n"
        "print(json.dumps([model.evaluate(row)['score'] for row in json.load(open(sys.argv[2]))]))\n"
    )
    files = [str(tmp_path / name) for name in ("card.pmml", "people.json")]
    done = subprocess.run([sys.executable, "-c", program, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == CARD.scores(CARD.bins(people)).tolist()


@pytest.mark.parametrize(("column", "value"), [("income", np.inf), ("home", "boat")])
def test_what_cannot_be_scored_gets_no_score(people, column, value):
    pytest.importorskip("onnx")
    spoiled = people.copy()
    spoiled.loc[3, column] = value
    with pytest.raises(DataError, match="row 3"):
        CARD.bins(spoiled)
    feed = spoiled[column].astype(object).fillna(MISSING) if column == "home" else spoiled[column]
    by_onnx = in_onnxruntime(CARD, people, **{column: feed.to_numpy()})
    for unscored in (in_duckdb(CARD, spoiled)["score"].isna(), ~by_onnx["known"]):
        assert np.flatnonzero(unscored).tolist() == [3]
    assert by_onnx["score"][3] == 0


@pytest.mark.parametrize("other", [2, 3])
def test_every_other_category_and_the_empty_one_score_alike_everywhere(other):
    """Features are called as the graph's own outputs and values are."""
    pytest.importorskip("onnx")
    card = Card(
        (
            Characteristic("score", points=(40, -15, 7, 3), groups=(("own", ""), ("rent",), ()), other=other),
            Characteristic("points", points=(-80, 5, -7), edges=(0.1,)),
            Characteristic("known", points=(1, 2, 0), edges=(0.5,)),
            Characteristic("value.3", points=(-3, 2, 0), edges=(0.5,)),
        ),
        base=600,
    )
    words = np.array(["own", "rent", "", "boat", None], object)
    people = pd.DataFrame({"score": words, "points": 0.2, "known": [0.0, 1, 0, 1, 0], "value.3": 1.0})
    expected = card.scores(card.bins(people))
    assert expected[3] == 600 + card.characteristics[0].points[other] + 9
    np.testing.assert_array_equal(in_onnxruntime(card, people)["score"], expected)
    np.testing.assert_array_equal(in_duckdb(card, people)["score"], expected)
    assert f'partialScore="{card.characteristics[0].points[other]}"><True' in card_to_pmml_of(card).replace("\n", "")


def card_to_pmml_of(card):
    """PMML of the first feature alone, under a name that PMML allows, without the blanks between its elements."""
    first = replace(card.characteristics[0], feature="home")
    return re.sub(r">\s+<", "><", card_to_pmml(Card((first,), card.base)))


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(CardError, match="contains 0"):
        card_to_onnx(Card(CARD.characteristics, 0, Scale(low=-100, high=100)))
    with pytest.raises(ParameterError, match="zero byte"):
        card_to_sql(CARD, "a\0b")
    for name in ("score", "a\0b"):
        with pytest.raises(ParameterError, match="PMML"):
            card_to_pmml(Card((Characteristic(name, points=(4, 1)),), 590))
    with pytest.raises(DataError, match="missing"):
        onnx_inputs(CARD, pd.DataFrame({"income": [1.0]}))
