"""The letterbox: nothing is done twice, answers wait for ticket and time, and a crash at any step loses none."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import Field, MemoryStore, TableSpec
from blindscore_app.town import board
from blindscore_app.town.letterbox import LATER, Letterbox, fetch, ticket_of
from blindscore_app.town.parts import blind, encrypted_audited, encrypted_decision, encrypted_proved
from blindscore_app.town.patient_wallet import PatientWallet
from blindscore_app.town.secret_files import load_secret
from blindscore_app.town.storm.faulty import Crash, FaultyStore
from blindscore_crypto.channel.signatures import SigningKey
from tests.town_table import AtATable

SEED, HISTORY = 3, 500
LEAST_STEPS = 20  # of a party's work with its store, in one application
DONE = TableSpec("done", Field("serial", "own"), (Field("kind", "own"), Field("line", "own")))


class Clerk:
    """Replies to an application; decides on an opening, once a helper has been asked."""

    role, name = "lender", "lender"

    def __init__(self, store):
        self.store = store
        store.declare(DONE)

    def handle(self, message):
        number = self.store.count("done")
        self.store.put("done", number.to_bytes(2), {"kind": message.kind, "line": message.sender})
        if message.kind == "application":
            return [Message(message.sender, "reply", message.body[::-1])]
        if message.kind == "opening":
            return [Message("helper", "check", message.body)]
        if message.kind == "share":
            line = next(str(row["line"]) for _, row in self.store.items("done") if row["kind"] == "application")
            return [Message(line, "decision", b"\\1")]
        if message.kind == "begin":
            return [Message(message.sender, "box", bytes([number]))]
        if message.kind == "full":
            raise DataError("nothing was kept: the disk is full")
        return [Message(message.sender, "refusal", b"")]

    def done(self):
        return [row["kind"] for _, row in self.store.items("done")]


@pytest.fixture
def boxed():
    clock = SetClock(20_000.0 * DAY_S)
    clerk = Clerk(MemoryStore())
    return clerk, Letterbox(clerk, {"helper"}.__contains__, clock, delay_s=10), clock


def test_a_message_that_is_said_again_is_answered_alike_and_worked_on_once(boxed):
    clerk, box, _ = boxed
    asked = Message("lender", "application", b"salt and all", "line 1")
    (first,) = box.handle(asked)
    (again,) = box.handle(replace(asked, sender="line 2"))  # a reply was lost, and the line with it
    assert (first.to, again.to) == ("line 1", "line 2")
    assert (first.kind, first.body) == (again.kind, again.body) == ("reply", b"salt and all"[::-1])
    assert clerk.done() == ["application"]
    box.handle(replace(asked, body=b"another"))
    assert clerk.done() == ["application", "application"]


def test_what_many_say_alike_is_answered_anew(boxed):
    _, box, _ = boxed
    boxes = [box.handle(Message("lender", "begin", b"", "line"))[0].body for _ in range(2)]
    assert boxes[0] != boxes[1]


def test_an_answer_waits_for_its_time_and_for_who_holds_the_ticket(boxed):
    _, box, clock = boxed
    asked = Message("lender", "application", b"a", "line 1")
    box.handle(asked)
    ticket = ticket_of(asked)
    opened = Message("lender", "opening", b"values", "line 2")
    assert [(m.to, m.kind) for m in box.handle(opened)] == [("line 2", "noted")]
    assert [(m.to, m.kind) for m in box.handle(opened)] == [("line 2", "noted")]
    assert box.settle() == 1
    ((what, message),) = box.outgoing()
    assert (message.to, message.kind) == ("helper", "check")
    assert box.outgoing() == [(what, message)]  # until it is taken
    box.taken(what)
    assert box.outgoing() == []
    box.handle(Message("lender", "share", b"s", "helper"))

    def fetched(by):
        (answer,) = box.handle(replace(fetch("lender", by), sender="line 9"))
        return answer.to, answer.kind, answer.body

    later = ("line 9", LATER, b"")
    assert fetched(ticket) == later  # the decision is there, and its time has not come
    clock.advance(10)
    assert fetched(ticket) == ("line 9", "decision", b"\\1")
    assert fetched(ticket) == ("line 9", "decision", b"\\1")
    assert fetched(bytes(32)) == later
    assert fetched(ticket_of(opened)) == later
    with pytest.raises(ForgeryError, match="fetched by 32 bytes"):
        fetched(b"short")
    assert box.settle() == 0  # handled before


def test_a_refusal_is_not_remembered_and_a_full_disk_keeps_nothing(boxed):
    clerk, box, _ = boxed
    for _ in range(2):
        (answer,) = box.handle(Message("lender", "nonsense", b"", "line 1"))
        assert answer.kind == "refusal"
    before = clerk.done()
    with pytest.raises(DataError, match="disk is full"):
        box.handle(Message("lender", "full", b"", "line 1"))
    assert clerk.done() == before == ["nonsense", "nonsense"]


def test_what_was_said_is_forgotten_after_days(boxed):
    _, box, clock = boxed
    box.handle(Message("lender", "application", b"a", "line 1"))
    clock.advance(4 * DAY_S)
    assert box.sweep() == 2
    assert box.store.count("said") == box.store.count("promised") == 0


@pytest.fixture(scope="module", params=["encrypted-decision", "encrypted-audited", "encrypted-proved"])
def stormy(request, tmp_path_factory):
    """A town whose parties' stores can fail, in memory; and what one calm application comes to."""
    folder = tmp_path_factory.mktemp("stormy") / "a"
    town, passphrase, decisions = board.prepare(folder, request.param, 2, SEED, history=HISTORY, delay_s=0)
    return town, passphrase.encode(), bool(decisions[0])


class Stormy(AtATable):
    """Parties on faulty stores in memory; a crash ends one, and it comes up again from what it kept."""

    def __init__(self, town, passphrase, stores):
        self.town, self.passphrase, self.stores = town, passphrase, stores
        self.whom = list(board.whom(town.folder))
        self.by_name, self.crashes = {}, 0
        for name in stores:
            self.come_up(name)
        if "log" in self.by_name:
            for message in self.by_name["log"].refresh():
                self.deliver("log", message)

    def come_up(self, name):
        self.stores[name].mend()
        roles = self.town.roles
        if roles[name] in ("log", "witness"):
            self.by_name[name] = self.calm_ones[name]
        else:
            self.by_name[name] = self.town.part.party(self.town, name, self.passphrase, self.stores[name])

    def guarded(self, name, work):
        try:
            return work()
        except Crash:
            self.crashes += 1
            self.come_up(name)
        return []

    def by_the_clock(self):
        for name in self.stores:
            self.guarded(name, lambda name=name: getattr(self.by_name[name], "settle", lambda: 0)() or [])
            waits = self.guarded(name, lambda name=name: getattr(self.by_name[name], "outgoing", list)())
            for what, message in waits:
                try:
                    self.deliver(name, message)
                except LookupError:  # a crash on the way: in a later round
                    continue
                self.guarded(name, lambda name=name, what=what: self.by_name[name].taken(what))

    def deliver(self, sender, message):
        waiting = [(sender, message)]
        while waiting:
            origin, sent = waiting.pop(0)
            receiver = self.by_name[sent.to]
            try:
                answers = receiver.handle(replace(sent, sender=origin))
            except Crash:
                self.crashes += 1
                self.come_up(sent.to)
                raise LookupError(sent.to) from None
            waiting += [(sent.to, answer) for answer in answers]

    def told(self, wallet, command):
        """Tell a wallet something; a party that crashes meanwhile does not answer."""
        waiting = [Message(wallet.name, command, b"")]
        while waiting:
            for message in wallet.handle(waiting.pop(0)):
                label = self.whom[0] if self.town.roles[message.to] == "source" else "line 1"
                asked = replace(message, sender=label)
                replies = self.guarded(message.to, lambda asked=asked: self.by_name[asked.to].handle(asked))
                waiting += [replace(reply, to=wallet.name, sender=message.to) for reply in replies]


def fresh_stores(town, passphrase):
    """Every party's store, copied into memory, behind faults."""
    stores = {}
    for name, role in town.roles.items():
        if role == "relay":
            continue
        party = town.party(name, passphrase)
        memory = MemoryStore(*party.store.specs.values())
        for table in party.store.specs:
            for key, row in party.store.items(table):
                memory.put(table, key, row)
        party.store.close()
        stores[name] = FaultyStore(memory)
    return stores


@pytest.mark.parametrize("victim", ["lender", "helper", "auditor"])
def test_a_crash_at_any_step_of_a_party_loses_nothing(stormy, victim, monkeypatch):
    # A key file takes 210,000 rounds to open, and is opened at each of some hundred restarts: once is enough here.
    for where in (blind, encrypted_decision, encrypted_audited, encrypted_proved):
        monkeypatch.setattr(where, "load_secret", lru_cache(load_secret), raising=False)
    monkeypatch.setattr(SigningKey, "load", lru_cache(SigningKey.load))
    town, passphrase, clear = stormy
    if victim not in town.roles:
        pytest.skip("this design has no such party")
    templates = fresh_stores(town, passphrase)
    crashes, step = 0, 0
    while True:
        stores = {name: FaultyStore(store.inner.copy()) for name, store in templates.items()}
        Stormy.calm_ones = {
            name: town.party(name, passphrase) for name, role in town.roles.items() if role in ("log", "witness")
        }
        played = Stormy(town, passphrase, stores)
        stores[victim].crash_in = step
        memory = MemoryStore()
        wallet = made(town, memory)
        for command in ("learn", "apply", *["collect"] * 8):
            played.told(wallet, command)
            wallet = made(town, memory)  # the telephone is switched off after each step
            played.by_the_clock()
        assert wallet.verdict() == clear, (step, wallet.troubles())
        tables = ("scores", "decisions")
        kept = [stores["lender"].inner.count(t) for t in tables if t in stores["lender"].inner.specs]
        assert sum(kept) == 1  # answered once
        if "auditor" in stores:
            assert stores["auditor"].inner.count("read") == 1
            assert stores["auditor"].inner.count("proofs") == 0
        for party in Stormy.calm_ones.values():
            party.store.close()
        if not played.crashes:
            break
        crashes, step = crashes + played.crashes, step + 1
    assert crashes >= step >= LEAST_STEPS


def made(town, store):
    wallet = town.part.wallet(town, town.person(0), "lender", store, None, 1)
    assert isinstance(wallet, PatientWallet)
    return wallet
