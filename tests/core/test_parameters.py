"""A design is a curve: every parameter can be set by name, and wrong settings are refused with what is right."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.designs.aggregator import Aggregator
from blindscore.designs.bureau import Bureau
from blindscore.designs.integrated import LATE_BILLS, Integrated
from blindscore.designs.minimal import Minimal
from blindscore.designs.parameters import settings_of, with_settings
from blindscore.designs.registry import load_designs
from blindscore.errors import ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard

DESIGNS = (Bureau(), Aggregator(), Minimal(), Integrated())


@pytest.fixture(scope="module")
def society():
    return make_society(600, seed=4)


def integrated(society, **parameters):
    return Integrated(**parameters).run(society, Scorecard(method="woe"), np.random.default_rng(1))


def test_settings_take_the_kind_of_the_default():
    settings = ["minimal.tolerance=0.02", "aggregator.keeps_features = Yes", "integrated.points_per_post=0"]
    bureau, aggregator, minimal, whole = with_settings(DESIGNS, settings)
    assert bureau == Bureau()
    assert (minimal.tolerance, aggregator.keeps_features, whole.points_per_post) == (0.02, True, 0)
    assert with_settings(DESIGNS, ["bureau.approve=.5", "bureau.approve=.6"])[0].approve == 0.6


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("bureau", "write design.parameter=value"),
        ("bureau=1", "write design.parameter=value"),
        ("sealed.approve=.5", "no design 'sealed'"),
        ("bureau.epsilon=1", "it has approve"),
        ("bureau.approve=much", "give a number"),
        ("bureau.approve=nan", "finite"),
        ("bureau.approve=1.5", "between 0.01 and 0.99"),
        ("minimal.tolerance=-1", "tolerance must lie"),
        ("aggregator.keeps_features=perhaps", "true or false"),
        ("integrated.points_per_post=1.5", "whole number"),
        ("integrated.blacklist_penalty=-5", "blacklist_penalty must lie"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(setting, says):
    with pytest.raises(ParameterError, match=says):
        with_settings(DESIGNS, [setting])


def test_every_parameter_of_every_design_can_be_set_to_its_default():
    designs = list(load_designs().values())
    settings = [
        f"{d.name}.{name}={value}" for d in designs for name, value in settings_of(d).items() if value is not None
    ]
    assert len(settings) > 20
    assert with_settings(designs, settings) == designs


def test_each_penalty_of_the_integrated_design_takes_its_points_and_no_others(society):
    none = {"points_per_post": 0, "blacklist_penalty": 0, "points_per_late_bill": 0}
    straight = integrated(society, **none).scores.astype(int)
    bills = np.nan_to_num(society.features[LATE_BILLS].to_numpy())
    lost = straight - integrated(society, **(none | {"points_per_late_bill": 20})).scores
    inside = straight - 100 > Scorecard().low
    np.testing.assert_array_equal(lost[inside], np.minimum(20 * bills, 100)[inside])
    assert lost.max() > 0
    listed = straight - integrated(society, **(none | {"blacklist_penalty": 50, "blacklist_share": 0.1})).scores
    assert set(listed[inside]) <= {0, 50}
    assert 0 < (listed > 0).mean() < 0.2


def test_the_state_reads_by_order_by_wire_or_not_at_all(society):
    run = integrated(society)
    assert run.views["state"].digest == run.views["scorer"].digest
    assert run.party_of("state") == run.party_of("scorer")
    wire = integrated(society, orders=False).views["state"]
    assert {c for c in wire.clear.columns if c not in society.register.columns} == {
        c for c in society.features.columns if c.startswith("post_")
    }
    assert wire.friends is not None
    assert "state" not in integrated(society, orders=False, wiretap=False).views


def test_without_a_universal_id_no_register_is_joined(society):
    run = integrated(society, universal_id=False)
    assert run.views["scorer"].keyed_by == "pairwise"
    assert not set(run.views["scorer"].clear.columns) & set(society.register.columns)


def test_every_modelled_part_of_the_integrated_design_has_a_rule_with_its_status():
    told = " ".join(rule.text for rule in Integrated().rules)
    for part in ("posts", "blacklist", "municipal points", "universal identifier", "orders", "wiretap"):
        assert part in told
    assert all(rule.status and rule.source for rule in Integrated().rules)


def test_a_lender_that_drops_its_features_has_only_the_score_to_hand_over(society):
    scorecard, rng = Scorecard(method="woe"), np.random.default_rng(1)
    assert Minimal(keeps_features=False).run(society, scorecard, rng).views["lender"].stored == ["score"]
    whole = Minimal().run(society, scorecard, rng).views["lender"]
    assert whole.stored == list(whole.clear.columns)
