"""The file loads as its schema says, is the part that it claims to be, and a card fitted on it ranks its people."""

from pathlib import Path

from blindscore.people.files.loaders import load_people
from blindscore.scorecard.quality import auc_interval
from blindscore.scorecard.scorecard import Scorecard

HERE = Path(__file__).parent


def test_it_loads_is_what_it_says_and_can_be_ranked():
    population = load_people(HERE / "german-short-loans.csv", HERE / "german-short-loans.toml")
    assert len(population) == 359
    assert population.features["duration"].max() == 12
    assert population.default.sum() == 76
    card = Scorecard(method="woe").fit(population.features, population.default).card_
    scores = card.scores(card.bins(population.features)).astype(float)
    assert auc_interval(population.default, scores)[1] > 0.6
