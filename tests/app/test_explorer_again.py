"""The live kernels of the explorer and the frontier's: one score for one person, whatever was set."""

from __future__ import annotations

import base64
import json
import struct

import pytest

from blindscore.designs.parameters import with_settings
from blindscore.people.society import Kind, make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance import frontier
from blindscore.surveillance.ledger import parse_ledger
from blindscore_app.commands.designs import choose_designs
from blindscore_app.explorer.live import rerun

pytest.importorskip("tenseal", reason="the cryptographic designs need tenseal")

SET = {
    "platform": "approve=0.6",
    "integrated": "points_per_post=25",
    "bureau": "approve=0.6",
    "aggregator": "keeps_features=true",
    "minimal": "tolerance=0.02",
    "encrypted": "approve=0.6",
    "sealed": "approve=0.9",
}


@pytest.mark.parametrize("kind", ["independent", "disparate"])
def test_the_untouched_person_scores_as_in_the_ledger_under_every_design_and_setting(kind: Kind) -> None:
    people = make_society(people=300, seed=3, kind=kind)
    designs = [design for design in choose_designs("", 2, 300) if design.name != "private-model"]
    changed = with_settings(designs, [f"{name}.{value}" for name, value in SET.items()])
    card = Scorecard(max_bins=8)
    measured = frontier.measure(people, changed, card, seed=3, command="", capabilities=[])
    again = rerun(parse_ledger(json.loads(measured.to_json())), lambda *_: None)
    assert again.departs == ()
    start = {slider.feature: slider.positions[slider.start] for slider in again.person.sliders}
    index = 0
    for slider in again.person.sliders:
        index = index * len(slider.positions) + slider.start
    for answer in again.score(start):
        person = measured.design(answer["design"]).person
        assert answer["score"] == struct.unpack_from("<h", base64.b64decode(person["scores"]), 2 * index)[0]
        assert answer["threshold"] == person["threshold"]
