"""The wire: what an observer of real exchanges captures, what is kept of it, and what judges make of planted times."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.surveillance.ledger import CAPTURED
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.campaign import pairs_of, stage
from blindscore_app.town.wire.defence import DEFENCES, tarrying
from blindscore_app.town.wire.exchange import Campaign, Exchange
from blindscore_app.town.wire.judge import judge, whole_pairs
from blindscore_app.town.wire.kept import keep, load
from blindscore_app.town.wire.link import LINKS
from blindscore_app.town.wire.observer import tcp_of
from blindscore_app.town.wire.prepared import prepare
from blindscore_app.town.wire.rows import read_judged, wire_rows

PEOPLE = 4


@pytest.fixture(scope="module")
def sealed():
    return prepare("sealed", PEOPLE, seed=1)


def played(prepared, defence, link, *, tap, pairs=PEOPLE, late_s=0.0):
    at_once = 1 if late_s else 2  # a party that tarries lets the neighbour wait too
    campaign, plant = Campaign(prepared.design, DEFENCES[defence], link, at_once), tarrying(prepared, late_s)
    with stage(prepared, DEFENCES[defence], LINKS[link], 1, tap=tap, plant=plant) as served:
        served.play(prepared, campaign, pairs, 1, 60.0)
    return campaign


def test_a_tapped_campaign_ends_as_the_clear_card_says_and_shows_each_line(sealed, tmp_path):
    campaign = played(sealed, "by the clock", "loopback", tap=True)
    assert (len(campaign.exchanges), campaign.wrong) == (2 * PEOPLE, 0)
    for one in campaign.exchanges:
        assert len(one.traces) == 2  # the application, and the decision fetched later
        assert (one.traces[0][:, 1] > 0).any()
        assert (np.diff(one.traces[0][:, 0]) >= 0).all()
        assert np.abs(one.traces[0][:, 1]).sum() > 5000  # an answer is in it
    keep(tmp_path / "a.npz", campaign)
    keep(tmp_path / "b.npz", campaign)
    again = load([tmp_path / "a.npz", tmp_path / "b.npz"])
    assert len(again.exchanges) == 4 * PEOPLE
    assert len(whole_pairs(again.exchanges)) == 2 * PEOPLE
    assert np.array_equal(again.exchanges[0].traces[1], campaign.exchanges[0].traces[1])
    campaign.at_once = 7
    keep(tmp_path / "d.npz", campaign)
    with pytest.raises(DataError, match="more than one campaign"):
        load([tmp_path / "a.npz", tmp_path / "d.npz"])
    pooled = load([tmp_path / "a.npz", tmp_path / "d.npz"], pool=True)
    assert (pooled.lines, len(pooled.exchanges)) == ("2 or 7", 4 * PEOPLE)
    (tmp_path / "c.npz").write_bytes(b"no campaign")
    with pytest.raises(DataError, match="no campaign of the wire"):
        load([tmp_path / "c.npz"])


def test_equal_work_decides_as_before(sealed):
    campaign = played(sealed, "by the clock, equal work", "loopback", tap=True, pairs=2)
    assert (len(campaign.exchanges), campaign.wrong) == (4, 0)


LATE_S = 0.4  # far above what a busy machine makes a reply wait
# design -> lines by the clock, lines of the control, and the line on which a wallet's last message before the answer is
ENCRYPTED = {
    "encrypted": (2, 1, 0),
    "encrypted-audited": (2, 1, 0),
    "encrypted-proved": (2, 1, 0),
    "encrypted-decision": (3, 3, 1),  # the helper's line lies between, and the answer is always fetched
}


@pytest.fixture(scope="module", params=ENCRYPTED)
def blind(request):
    return prepare(request.param, 2, seed=1)


def lengths(trace):
    """Bytes up, and bytes down less the server's handshake, in which a signature may be a byte or two shorter."""
    up, down = (trace[sign * trace[:, 1] > 0, 1] for sign in (1, -1))
    return int(up.sum()), int(-down[1:].sum())


@pytest.mark.parametrize("defence", ["by the clock", "none"])
def test_encrypted_designs_end_as_the_clear_card_says_with_lengths_that_tell_nothing(blind, defence):
    """Third parties are served, too; a shift that is planted in the party that hears last is on the line."""
    campaign = played(blind, defence, "loopback", tap=True, pairs=2, late_s=LATE_S)
    by_clock, control, last = ENCRYPTED[blind.design]
    assert (len(campaign.exchanges), campaign.wrong) == (4, 0)
    assert {len(one.traces) for one in campaign.exchanges} == {control if defence == "none" else by_clock}
    assert len({tuple(map(lengths, one.traces)) for one in campaign.exchanges}) == 1
    took = {kind: [one.traces[last][-1, 0] for one in of(campaign, kind)] for kind in (True, False)}
    assert (len(took[True]), min(took[True]) > LATE_S, min(took[False]) < LATE_S) == (2, True, True)


def of(campaign, kind):
    return [one for one in campaign.exchanges if one.approved is kind]


def test_parties_are_made_anew_between_blocks_the_third_ones_too(blind):
    campaign = played(blind, "by the clock", "loopback", tap=True, pairs=4)  # each person plays twice
    assert (len(campaign.exchanges), campaign.wrong) == (8, 0)


def test_equal_work_is_refused_where_work_is_equal_already(blind):
    with pytest.raises(ParameterError, match="same work for everybody"):
        blind.lender(DEFENCES["by the clock, equal work"])


def test_packets_are_captured_between_namespaces(sealed):
    refused = namespaces.available()
    if refused:
        pytest.skip(f"no packets can be captured here: {refused}")
    campaign = played(sealed, "none", "lan", tap=False)
    assert (len(campaign.exchanges), campaign.wrong) == (2 * PEOPLE, 0)
    first = campaign.exchanges[0].traces[0]
    assert first[0].tolist() == [0.0, 60.0]  # a SYN: twenty bytes of IP, forty of TCP
    assert first[1, 1] == -60.0
    assert np.abs(first[:, 1]).max() <= 1500  # packets, not runs of bytes


def test_pairs_stay_within_a_half_of_the_people_and_play_nobody_twice(sealed):
    order = pairs_of(sealed.applicants, 3, np.random.default_rng(1))
    for pair in range(3):
        assert {one.approved for number, _, one in order if number == pair} == {True, False}
        assert len({half for number, half, _ in order if number == pair}) == 1
    assert len({one.number for _, _, one in order}) == 6
    halves = [
        {one.number for _, half, one in pairs_of(sealed.applicants, 4, np.random.default_rng(s)) if half == 0}
        for s in (1, 2)
    ]
    assert halves[0] == halves[1]


def planted(late_s, pairs=100):
    rng = np.random.default_rng(5)
    every = []
    for i in range(2 * pairs):
        wait = 0.005 + rng.lognormal(-9.5, 0.6) + late_s * (i % 2)
        trace = np.array([[0, 700], [0.001, 300], [0.001 + wait, -400], [0.002 + wait, 52]])
        every.append(Exchange(i // 2, i // 2 % 2, i, i % 2 == 1, "", (trace,)))
    return Campaign("planted", DEFENCES["none"], "lan", 1, every)


def test_a_decision_that_takes_time_is_found_and_its_shuffled_labels_are_not():
    found = judge(planted(0.002))
    assert found.best.low > 0.8
    assert found.paired.wilcoxon_p < 1e-6
    assert found.paired.median_difference == pytest.approx(0.002, rel=0.2)
    shuffled = judge(planted(0.002), shuffle=True)
    assert all(one.low < 0.1 for one in shuffled.heard)
    assert shuffled.paired.wilcoxon_p > 1e-4
    with pytest.raises(DataError, match="seen whole"):
        judge(Campaign("nothing", DEFENCES["none"], "lan", 1))


def test_who_was_heard_before_and_why_one_was_refused_are_asked_too():
    rng = np.random.default_rng(6)
    every = []
    for i in range(160):
        person = i % 8
        wait = 0.001 * (1 + person) + rng.lognormal(-9.5, 0.3)
        trace = np.array([[0, 700], [0.001, 300], [0.001 + wait, -400], [0.002 + wait, 52]])
        every.append(Exchange(i, i // 8 % 2, person, False, f"reason {i % 2}", (trace,)))
    campaign = Campaign("paces", DEFENCES["none"], "lan", 1, every)
    assert judge(campaign, "person").best.low > 0.8  # each has a pace
    by_reason = [replace(one, person=i) for i, one in enumerate(every)]  # each reason has paces, of many people
    assert judge(Campaign("paces", DEFENCES["none"], "lan", 1, by_reason), "reason").best.low > 0.8
    with pytest.raises(DataError, match="heard 4 times"):
        judge(Campaign("few", DEFENCES["none"], "lan", 1, every[:20]), "person")
    with pytest.raises(DataError, match="two reasons"):
        judge(Campaign("few", DEFENCES["none"], "lan", 1, every[:1]), "reason")


def test_rows_of_a_campaign_are_captured_attack_only_and_carry_no_mark_however_little_was_heard(tmp_path):
    judged = [judge(planted(late), shuffle=shuffle) for late, shuffle in ((0.002, False), (0.0, False), (0.0, True))]
    path = tmp_path / "judged.json"
    path.write_text(json.dumps([one.as_dict() for one in judged]))
    rows = wire_rows(read_judged(path))
    assert [row.secret for row in rows] == ["decision (none, lan, 1 at once)"] * 2  # shuffled labels are no secret
    assert rows[0].low > 0.8
    for row, one in zip(rows, judged):
        assert (row.coalition, row.capability, row.kind, row.bound, row.removed) == (
            "observer",
            "intercept",
            CAPTURED,
            None,
            False,
        )
        assert (row.advantage, row.high) == (one.best.advantage, one.upper)
        assert row.reason.startswith("attack only")
    quiet = {**judged[1].as_dict(), "upper": 0.01, "best": {"attack": "forest", "advantage": 0.0, "low": -0.01}}
    assert not wire_rows([quiet])[0].removed  # no campaign bounds what others hear
    assert wire_rows([{**quiet, "defence": "by the clock, planted 20 us"}]) == ()  # of the attackers, not of a design
    on_street = wire_rows([{**quiet, "design": "street, relay", "secret": "which lender"}])[0]
    assert (on_street.design, on_street.secret) == ("sealed", "which lender (street, relay, none, lan, 1 at once)")
    for bad in ({}, {**quiet, "exchanges": "many"}, {**quiet, "upper": -0.5}, {**quiet, "best": None}):
        with pytest.raises(DataError, match="judge the campaign again"):
            wire_rows([bad])
    for text in ("{}", "nothing", "[1]"):
        path.write_text(text)
        with pytest.raises(DataError, match="judge --json"):
            read_judged(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_judged(tmp_path / "absent")


def test_only_whole_tcp_packets_of_the_service_are_read():
    ip = bytes([0x45, 0, 0, 60]) + bytes(5) + b"\x06" + bytes(10)
    tcp = (50_000).to_bytes(2) + (443).to_bytes(2) + bytes(8) + bytes([0x80]) + bytes(19)
    frame = bytes(12) + b"\x08\x00" + ip + tcp
    seen = tcp_of(frame)
    assert (seen.wallet_port, seen.direction, seen.size, seen.carries) == (50_000, 1, 60, 8)
    assert tcp_of(frame[:40]) is None
    assert tcp_of(frame.replace(b"\x08\x00", b"\x86\xdd", 1)) is None
    assert tcp_of(bytes(12) + b"\x08\x00" + bytes([0x4F]) + ip[1:] + tcp[:16]) is None


def test_designs_that_are_not_served_are_refused():
    with pytest.raises(ParameterError, match="cannot be served"):
        prepare("platform", 2, seed=1)
