"""A street of lenders: every kind of exchange is played and ends rightly; what lengths tell, the relay hides."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from blindscore.errors import DataError
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.exchange import Campaign
from blindscore_app.town.wire.judge import QUESTIONS, STREET
from blindscore_app.town.wire.kept import keep, load
from blindscore_app.town.wire.link import LINKS
from blindscore_app.town.wire.relayed import play_relayed
from blindscore_app.town.wire.street import AGAIN, DEFENCE, FIRST, ONE_SOURCE, OTHER_DESIGN, SECOND, houses, street

PEOPLE = 2


@pytest.fixture(scope="module")
def every():
    refused = namespaces.available()
    if refused:
        pytest.skip(f"no packets can be captured here: {refused}")
    return houses(PEOPLE)


def played(every, *, relayed):
    campaign = Campaign("street", DEFENCE, "lan", 2)
    with street(every, LINKS["lan"], 1, relayed=relayed) as lined:
        lined.play(campaign, 2, seed=1)
    assert campaign.wrong == 0
    return campaign


def bytes_of(campaign, house, line):
    """Bytes that the first lines of a kind of exchange carried up and down, without what acknowledges."""
    packets = [one.traces[line] for one in campaign.exchanges if one.house == house]
    return [tuple(int(p[way * p[:, 1] > 80][:, 1].sum()) for way in (1, -1)) for p in packets]


def test_every_kind_of_exchange_is_played_alike_often_and_lengths_tell_designs(every, tmp_path):
    campaign = played(every, relayed=False)
    kinds = (FIRST, AGAIN, SECOND, OTHER_DESIGN, ONE_SOURCE)
    assert Counter(one.house for one in campaign.exchanges) == dict.fromkeys(kinds, 2 * PEOPLE)
    assert all(len(one.traces) == 2 for one in campaign.exchanges)
    up = {kind: min(size[0] for size in bytes_of(campaign, kind, 0)) for kind in kinds}
    assert up[OTHER_DESIGN] > up[FIRST] + 100
    assert abs(up[AGAIN] - up[FIRST]) < 10  # what is said again is as long
    keep(tmp_path / "a.npz", campaign)
    assert [one.house for one in load([tmp_path / "a.npz"]).exchanges] == [one.house for one in campaign.exchanges]
    for ask in STREET:
        asked = QUESTIONS[ask](campaign)
        assert sorted(Counter(asked.label).values()) == [2 * PEOPLE] * 2
        assert asked.label[asked.played.index(next(p for p in asked.played if p.house == FIRST))] == 0


def test_through_the_relay_each_request_has_a_line_and_lengths_are_those_of_the_padding(every):
    campaign = played(every, relayed=True)
    assert all(len(one.traces) == 4 for one in campaign.exchanges)  # ask, commit, answer, fetch
    kinds = (FIRST, AGAIN, SECOND, OTHER_DESIGN, ONE_SOURCE)
    # the least of each: what TCP sends again adds to it, and a signature's encoding varies by a byte or two
    least = [np.abs(bytes_of(campaign, kind, line)).min(axis=0) for kind in kinds for line in range(4)]
    assert np.ptp(np.array(least), axis=0).max() < 10


def test_questions_of_a_street_need_one():
    with pytest.raises(DataError, match="a street of several lenders"):
        QUESTIONS["lender"](Campaign("sealed", DEFENCE, "lan", 1))


def test_a_campaign_through_the_relay_is_asked_what_a_direct_one_is(every, tmp_path):
    prepared = every[0].prepared
    campaign = play_relayed(prepared, "lan", 2, 3, seed=1)
    people = len(prepared.applicants)
    assert campaign.wrong == 0
    assert Counter(one.person for one in campaign.exchanges) == dict.fromkeys(range(people), 3)
    assert all(len(one.traces) == 4 for one in campaign.exchanges)  # ask, commit, answer, fetch
    assert len({one.pair for one in campaign.exchanges}) == 3 * PEOPLE  # rounds do not mix
    keep(tmp_path / "a.npz", campaign)
    again = load([tmp_path / "a.npz"])
    assert again.defence.name == "by the clock, relayed"
    asked = QUESTIONS["decision"](again)
    assert asked.label.tolist() == [one.approved for one in asked.played]
    assert Counter(asked.label.tolist()) == {0: 3 * PEOPLE, 1: 3 * PEOPLE}
    assert all(one.reason for one in again.exchanges if not one.approved)
    assert Counter(QUESTIONS["application"](again).label.tolist()) == {0: 6 * PEOPLE, 1: 6 * PEOPLE}
