"""Cover: requests leave at points of a Poisson process, whatever is asked, all as long; and what an observer hears."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from blindscore.errors import DataError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore.surveillance.inference.traces import waits
from blindscore_app.town import board, cover
from blindscore_app.town.authority import found
from blindscore_app.town.cover import HOUR_S, Cover, covering
from blindscore_app.town.lines import Lines
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.posting import Posting, Reply
from blindscore_app.town.relaying import Relaying
from blindscore_app.town.running import running_here
from blindscore_app.town.service import Service
from blindscore_app.town.serving import InThread
from blindscore_app.town.via_relay import Via
from blindscore_app.town.warrant import Heeded, copied, place
from blindscore_app.town.wire import namespaces
from blindscore_app.town.wire.covered import (
    AGAIN,
    APPLICATION,
    APPLIES,
    DUMMY,
    FETCH,
    HELD_S,
    IDLE,
    WAYS,
    play_way,
)
from blindscore_app.town.wire.defence import Defence
from blindscore_app.town.wire.exchange import Campaign, Exchange
from blindscore_app.town.wire.judge_covered import cost_of, judge_covered
from blindscore_app.town.wire.kept import keep, load
from blindscore_app.town.wire.prepared import prepare
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.relay import Relay
from blindscore_crypto.channel.signatures import SigningKey
from tests.town_services import Echo

RATE = 20.0  # a second
WAIT_S = 30.0


class Place:
    """A lender and a relay that are up, and all that reaches the relay, copied."""

    def __init__(self, folder, stack):
        identities, gateway, key = found(folder, ["lender", "relay"]), Gateway(), SigningKey()
        self.echo, self.folder = Echo("lender"), folder
        service = Service(self.echo, Lines({}, identities["lender"].client_side()), desk=Desk("lender", gateway))
        lender = InThread(service, identities["lender"].server_side(known_only=False))
        stack.callback(lender.stop)
        relay = Relay("relay", key, ["lender"], MemoryStore())
        posting = Posting(identities["relay"].client_side(), 1 << 20)
        self.order = place(folder, "", gag=False)
        relaying = Relaying(relay, posting, lambda: {"lender": lender.address}, Heeded(folder))
        up = InThread(relaying, identities["relay"].server_side(known_only=False))
        stack.callback(up.stop)
        self.configs, self.context, self.address = (
            {"lender": gateway.config},
            identities["relay"].anonymous_side(),
            up.address,
        )
        self.relay, self.via = relay, Via("relay", key.public, self.configs)

    def lines(self, covered):
        return Lines({"relay": self.address}, self.context, fresh=True, via=replace(self.via, cover=covered))


@pytest.fixture
def at(tmp_path):
    with ExitStack() as stack:
        yield Place(tmp_path, stack)


def test_real_requests_take_the_place_of_dummies_and_are_as_long(at):
    with Cover(at.address, at.context, at.configs, RATE * HOUR_S).running() as covered:
        lines = at.lines(covered)
        for number in range(8):
            (answer,) = lines.send(Message("lender", "echo", bytes([1, number])))
            assert answer.body == bytes([number, 1])
        with pytest.raises(DataError, match="no longer than a dummy"):
            lines.send(Message("lender", "echo", bytes(1 << 15)))
        due = time.monotonic() + WAIT_S
        while at.relay.counts()[0].passed < 12 and time.monotonic() < due:  # nothing more is asked: dummies
            time.sleep(0.05)
    (count,) = at.relay.counts()
    assert len(at.echo.senders()) == 8  # dummies reach no party
    assert count.passed >= 12  # and there were some
    assert count.passed == count.answered
    sizes = {len(body) for _, _, body in copied(at.order.with_suffix(".copy"))}
    assert len(sizes) == 1
    with pytest.raises(DataError, match="has ended"):
        lines.send(Message("lender", "echo", b"late"))


class Slow:
    """A line on which a reply takes long, if the request is real."""

    def __init__(self):
        self.at, self.lock = [], threading.Lock()

    def made(self, context, longest):
        return self

    def ask(self, address, path, body=None, headers=None):
        with self.lock:
            self.at.append((time.monotonic(), path))
        if path == "/real":
            time.sleep(0.5)
        return Reply(200, b"", {})

    def close(self):
        pass


@pytest.mark.parametrize("busy", [False, True])
def test_points_are_a_poisson_process_whatever_waits_and_however_long_replies_take(monkeypatch, busy):
    line, rate, seconds = (
        Slow(),
        20.0,
        10.0,
    )  # points far enough apart that a busy machine's delays are small beside them
    monkeypatch.setattr(cover, "Posting", line.made)
    with Cover("relay", None, {"lender": Gateway().config}, rate * HOUR_S).running() as covered:
        asking = [threading.Thread(target=ask_on, args=(covered,), daemon=True) for _ in range(6 if busy else 0)]
        for one in asking:
            one.start()
        time.sleep(seconds)
    times = np.array([at for at, _ in line.at])
    real = sum(path == "/real" for _, path in line.at)
    assert (real > 60) is busy
    assert abs(len(times) - seconds * rate) < 5 * np.sqrt(seconds * rate)
    assert kstest(np.diff(times) * rate, "expon").pvalue > 1e-4


def ask_on(covered):
    try:
        while True:
            covered.ask("relay", "/real", b"")
    except DataError:
        pass


def test_a_town_whose_wallets_are_covered_decides_as_the_clear_card_says(tmp_path):
    town, passphrase, decisions = board.prepare(tmp_path / "t", "sealed", 2, 3, history=500, delay_s=1)
    with running_here(town, passphrase) as services, covering(town, 8 * HOUR_S) as spoken:
        played = board.apply_all(spoken)
        counts = services["relay"].relay.counts()
    assert played["decision"].tolist() == decisions.tolist()
    served = services["lender"].front.meter.served
    assert served["several"] > 0  # dummies: a request of no message
    assert sum(count.passed for count in counts) > sum(served[kind] for kind in ("ask", "commit", "answer", "fetch"))
    with pytest.raises(ParameterError, match="an encrypted design's requests show"):
        board.play_town(
            tmp_path / "x",
            "encrypted",
            2,
            1,
            group="P-256",
            database="",
            answer_after=0,
            stay=False,
            as_json=True,
            cover=1,
        )
    with pytest.raises(ParameterError, match="a rate above 0"):
        Cover("relay", None, {}, 1.0)


def test_an_epoch_through_the_relay_is_heard_with_cover_and_without(tmp_path):
    refused = namespaces.available()
    if refused:
        pytest.skip(f"no packets can be captured here: {refused}")
    prepared = prepare("sealed", 6, seed=1)
    for way, epochs, seconds in ((WAYS[0], 2, 7.0), (WAYS[2], 1, 10.0)):
        campaign, delays = play_way(prepared, way, "lan", 16.0, seconds, epochs, seed=4)
        assert campaign.wrong == 0
        assert delays
        keep(tmp_path / f"{way}.npz", campaign)
        lines = load([tmp_path / f"{way}.npz"]).exchanges
        roles = {(one.pair, one.person): one.house for one in lines}
        assert sorted(roles.values()) == sorted(epochs * (6 * [IDLE] + 3 * [APPLIES] + 3 * [AGAIN]))
        idle = [len(one.traces[0]) for one in lines if one.house == IDLE]
        if way == WAYS[0]:
            assert max(idle) == 0  # who does not apply says nothing
            continue
        assert max(idle) > 0
        of = {kind: [one.traces[0] for one in lines if one.reason == kind] for kind in (DUMMY, APPLICATION)}
        for sign in (1, -1):
            size = [min(np.abs(trace[sign * trace[:, 1] > 80, 1]).sum() for trace in of[kind]) for kind in of]
            assert abs(size[0] - size[1]) < 10  # a TLS signature's encoding varies by a byte or two
        waited = [np.median([waits(trace).max() for trace in of[kind]]) for kind in of]
        assert min(waited) > 0.9 * HELD_S
        assert abs(waited[0] - waited[1]) < 0.02  # a real request takes no longer to be answered


def people(seed, *, covered, late_s=0.0):
    """Lines of people in epochs of a minute: with cover as many and at the same times whoever applies."""
    rng, lines = np.random.default_rng(seed), []
    for person in range(400):
        role = (IDLE, APPLIES, IDLE, AGAIN)[rng.integers(4)]
        real = {IDLE: 0, APPLIES: 4, AGAIN: 7}[role]
        at = np.sort(rng.uniform(0.0, 60.0, max(9, rng.poisson(14)) if covered else real))
        kinds = np.array([DUMMY] * len(at), object)
        early = len(at) if not covered else max(real, int((at < 40.0).sum()))  # an epoch's end tells nothing
        placed = np.sort(rng.permutation(early)[:real])
        kinds[placed] = [APPLICATION] * max(0, real - 1) + [FETCH] * bool(real)
        for began, kind in zip(at, kinds, strict=True):
            wait = 0.005 + rng.lognormal(-7, 0.5) + late_s * (kind != DUMMY)
            trace = np.array([[0, 700], [0.001, 300], [0.001 + wait, -400], [0.002 + wait, 52]])
            trace[:, 0] += began
            lines.append(Exchange(0, person % 2, person, False, kind, (trace,), role))
        if not len(at):
            lines.append(Exchange(0, person % 2, person, False, "", (np.zeros((0, 2)),), role))
    return Campaign("street, cover", Defence(WAYS[covered]), "lan", 0, lines)


def test_judges_find_who_applied_without_cover_and_with_cover_only_a_reply_that_takes_longer():
    bare = {one.secret: one for one in judge_covered(people(1, covered=False))}
    assert bare["has applied at all"].best.low > 0.95
    assert bare["said again"].best.low > 0.95
    assert "real or dummy" not in bare
    covered = {one.secret: one for one in judge_covered(people(2, covered=True))}
    assert all(covered[one].best.low < 0.1 for one in ("has applied at all", "said again", "real or dummy"))
    assert {"has applied at all", "said again", "application or fetch", "real or dummy"} == set(covered)
    assert {one.secret: one for one in judge_covered(people(3, covered=True, late_s=0.02))}[
        "real or dummy"
    ].best.low > 0.8
    with pytest.raises(DataError, match="play more"):
        judge_covered(replace_lines(people(1, covered=True), 50))
    with pytest.raises(DataError, match="some of whom apply"):
        judge_covered(Campaign("sealed", Defence("none"), "lan", 1))


def replace_lines(campaign, many):
    campaign.exchanges = campaign.exchanges[:many]
    return campaign


def test_what_cover_costs_grows_with_the_rate_and_the_wait_falls():
    requests, kilobytes, mean, late = cost_of(4.0, 38_000)
    assert (requests, kilobytes, mean) == (96, pytest.approx(3648), 1.0)
    waited = np.random.default_rng(1).exponential(0.25, (100_000, 4)).sum(axis=1)
    assert late == pytest.approx(np.quantile(waited, 0.95), rel=0.02)
