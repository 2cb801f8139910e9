"""The made-up person of the page: what a slider brings along, and why; reasons by the one rule."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from blindscore.designs.bureau import Bureau
from blindscore.designs.plain import financial, fit_card
from blindscore.people.society import Society, make_society
from blindscore.scorecard.card import Card
from blindscore.scorecard.reasons import REASONS, reasons
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.account.one_person import (
    NO_REASON,
    Person,
    Slider,
    choose_person,
    copies,
    moved,
    score_person,
    typical,
)

ARREARS = "arrears_months"


@pytest.fixture(scope="module")
def society() -> Society:
    return make_society(people=20_000, seed=1)


@pytest.fixture(scope="module")
def person(society: Society) -> Person:
    chosen = choose_person(society)
    assert chosen is not None
    return chosen


@pytest.fixture(scope="module")
def slider(person: Person) -> Slider:
    return next(s for s in person.sliders if s.feature == ARREARS)


@pytest.fixture(scope="module")
def card(society: Society) -> Card:
    found: Card = fit_card(society, Scorecard(), financial(society)).card_
    return found


def test_a_card_that_never_saw_arrears_tells_the_risk_of_people_in_arrears(society: Society) -> None:
    """Why a card gives them a few points alone: in this society arrears cause nothing, and the rest says the same."""
    others = [name for name in financial(society) if name != ARREARS]
    past = society.history
    blind = Scorecard().fit(society.features.loc[past, others], society.default[past])
    risk = blind.predict_proba(society.features[others])[:, 1]
    months = society.features[ARREARS].to_numpy(np.float64)
    clean, late = (~past & here for here in (months == 0, months >= 7))
    rates = [society.default[here].mean() for here in (clean, late)]
    error = np.sqrt(sum(r * (1 - r) / here.sum() for r, here in zip(rates, (clean, late), strict=True)))
    assert rates[1] - rates[0] > 4 * error  # risk does rise with months in arrears
    assert abs(rates[1] - rates[0] - (risk[late].mean() - risk[clean].mean())) < 2 * error


def test_the_arrears_slider_moves_the_score_as_far_as_the_bad_rate_asks(
    society: Society, person: Person, slider: Slider, card: Card
) -> None:
    values = {ARREARS: np.array(slider.positions)}
    alone = card.totals(card.bins(copies(society, person.row, values).features))
    along = card.totals(card.bins(moved(society, person.row, person.sliders, values).features))
    assert (np.diff(along) <= 0).all()
    months = society.features[ARREARS].to_numpy(np.float64)
    clean, late = (society.default[here].mean() for here in (months == 0, months >= 14))
    asked = card.scale.factor * (np.log(late / (1 - late)) - np.log(clean / (1 - clean)))
    assert 0.5 * asked < along[0] - along[-1] < 2 * asked
    assert alone[0] - alone[-1] < 0.2 * asked  # 22 months beside savings and no late bill: nobody has such a record


def test_what_comes_along_is_the_middle_of_people_with_such_a_value(society: Society, slider: Slider) -> None:
    months = society.features[ARREARS].to_numpy(np.float64)
    clean = society.features.loc[months == 0, list(slider.along)].astype(float)
    assert typical(society.features, slider, 0.0) == list(clean.quantile(0.5, interpolation="lower"))


def test_a_slider_at_the_persons_own_value_changes_nothing(society: Society, person: Person, slider: Slider) -> None:
    own = {s.feature: np.array([float(society.features[s.feature].iloc[person.row])]) for s in person.sliders}
    same = moved(society, person.row, person.sliders, own).features
    before = society.features.iloc[[person.row]]
    assert same[list(slider.along)].to_numpy(float).tolist() == before[list(slider.along)].to_numpy(float).tolist()


def test_reasons_on_the_page_are_those_of_the_one_rule_for_every_setting() -> None:
    people = make_society(people=2_000, seed=1)
    chosen = choose_person(people)
    assert chosen is not None
    run = Bureau().run(people, Scorecard(), np.random.default_rng(0))
    said = score_person(chosen, run)
    places = np.frombuffer(base64.b64decode(said["reasons"]), np.uint8).reshape(-1, REASONS)
    shown = [[said["parts"][k]["feature"] for k in row if k != NO_REASON] for row in places]
    told = reasons(run.card, run.card.bins(chosen.copies.features))
    assert shown == [[reason.feature for reason in own] for own in told]
    assert len({tuple(row) for row in shown}) > 1
