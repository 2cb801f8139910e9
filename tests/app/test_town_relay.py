"""The relay, over TLS: what it carries, what it and the institution see of it, and what its count says of silence."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore
from blindscore_app.town.authority import found
from blindscore_app.town.bundle import pack
from blindscore_app.town.folders import PUBLIC
from blindscore_app.town.lines import Lines
from blindscore_app.town.oblivious import STEP, Desk, sealed_to
from blindscore_app.town.posting import Posting
from blindscore_app.town.relaying import SIGNATURE, Relaying
from blindscore_app.town.service import Service
from blindscore_app.town.serving import InThread
from blindscore_app.town.show.stage import staged
from blindscore_app.town.standing import Town
from blindscore_app.town.via_relay import RECEIPT, Via, filled, way_to
from blindscore_app.town.warrant import Heeded, copied, place
from blindscore_crypto.channel.ohttp import REQUEST_OVERHEAD, RESPONSE_OVERHEAD, Gateway
from blindscore_crypto.channel.relay import KEEP_DAYS, LONGEST_NAME, Count, Passage, Relay, read_counts
from blindscore_crypto.channel.signatures import SigningKey
from tests.town_services import Echo

DAY = 20_000
CANARY = b"canary-body"


class Place:
    """A lender and a relay that are up, and an institution that is not."""

    def __init__(self, folder):
        self.folder, self.clock, self.key = folder, SetClock(DAY * DAY_S), SigningKey()
        identities = found(folder, ["lender", "relay"])
        gateway = Gateway()
        self.echo = Echo("lender")
        service = Service(self.echo, Lines({}, identities["lender"].client_side()), desk=Desk("lender", gateway))
        self.lender = lender = InThread(service, identities["lender"].server_side(known_only=False))
        self.relay = Relay("relay", self.key, ["lender", "mute"], MemoryStore(), self.clock)
        posting = Posting(identities["relay"].client_side(), 1 << 20)
        relaying = Relaying(self.relay, posting, lambda: {"lender": lender.address}, Heeded(folder))
        self.up = InThread(relaying, identities["relay"].server_side(known_only=False))
        self.address = self.up.address
        self.config, self.context = gateway.config, identities["relay"].anonymous_side()
        self.kept, self.lines = [], []
        self.posting = Posting(self.context, 1 << 20)

    def wallet(self, key=None, configs=None):
        """A wallet's lines: of the institutions it knows keys and no address."""
        configs = configs or {"lender": self.config, "mute": self.config}
        via = Via("relay", (key or self.key).public, configs, self.kept.append)
        self.lines.append(Lines({"relay": self.address}, self.context, fresh=True, via=via))
        return self.lines[-1]

    def counted(self, to):
        reply = self.posting.ask(self.address, "/counts")
        counts = read_counts(reply.body, bytes.fromhex(reply.headers[SIGNATURE]), self.key.public)
        found = [count for count in counts if (count.to, count.day) == (to, int(self.clock() // DAY_S))]
        return found[0] if found else Count(to, int(self.clock() // DAY_S), 0, 0, 0)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("relay"))
    yield made
    for lines in made.lines:
        lines.close()
    made.posting.close()
    made.up.stop()
    made.lender.stop()


def test_a_wallet_is_answered_by_whom_it_has_no_address_of_and_each_request_shows_a_label_of_its_own(town, caplog):
    record = place(town.folder, "", gag=False)  # a standing order: all that the relay can be made to keep
    lines, before = town.wallet(), town.counted("lender")
    with caplog.at_level(logging.INFO, logger="blindscore.town"):
        for _ in range(2):
            (answer,) = lines.send(Message("lender", "echo", CANARY))
            assert (answer.kind, answer.body, answer.sender) == ("echo-back", CANARY[::-1], "lender")
    one, other = town.echo.senders()[-2:]
    assert all(label.startswith("line ") for label in (one, other))
    assert one != other  # though on one connection
    after = town.counted("lender")
    assert (after.passed - before.passed, after.answered - before.answered, after.unserved) == (2, 2, 0)
    copies = copied(record.with_suffix(".copy"))
    record.unlink()
    assert [(sender, kind) for sender, kind, _ in copies] == [("address 127.0.0.1", "to lender")] * 2
    assert not any(CANARY in body for _, _, body in copies)
    assert "canary" not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_kind_length_and_refusal_do_not_show_in_what_the_relay_carries(town):
    sizes = set()
    for kind, body in (("echo", b""), ("echo", bytes(9000)), ("bad", b"x")):
        asked = sealed_to(town.config, "lender", pack([Message("lender", kind, body)]))
        reply = town.posting.ask(town.address, way_to("lender"), asked.encapsulated)
        sizes.add((reply.status, len(asked.encapsulated), len(reply.body)))
    assert sizes == {(200, STEP + REQUEST_OVERHEAD, STEP + RESPONSE_OVERHEAD)}
    with pytest.raises(DataError, match="lender answers 400: refused"):
        town.wallet().send(Message("lender", "bad", b"x"))


def test_an_institutions_name_does_not_show_in_the_length_of_what_is_asked_or_of_the_receipt(town):
    names = ("lender", "a", "x" * LONGEST_NAME)
    assert len({len(way_to(name)) for name in names}) == 1
    assert len({way_to(name) for name in names}) == len(names)
    given = [Passage(name, DAY, bytes(32), bytes(32), bytes(64)).encode() for name in names]
    assert len(set(map(len, given))) == len(names)
    assert len({len(filled(receipt)) for receipt in given}) == 1
    asked = sealed_to(town.config, "lender", pack([Message("lender", "echo", b"")]))
    told = town.posting.ask(town.address, way_to("lender"), asked.encapsulated).headers[RECEIPT]
    assert len(told) == len(filled(b""))


def test_who_does_not_answer_is_counted_and_the_wallet_holds_the_relays_word_for_it(town):
    before = town.counted("mute")
    with pytest.raises(DataError, match="the receipt for what was passed on is kept"):
        town.wallet().send(Message("mute", "echo", CANARY))
    passage = Passage.read(town.kept[-1].encode(), town.key.public)
    assert (passage.to, passage.day, passage.answered) == ("mute", DAY, False)
    after = town.counted("mute")
    assert (after.passed - before.passed, after.answered) == (1, 0)
    with pytest.raises(ForgeryError, match="is counted as that"):
        town.relay.complain(passage.encode())  # twice would be once too often


def test_an_answer_that_says_nothing_is_counted_once_by_who_got_it(town):
    before = town.counted("lender")
    assert town.wallet().send(Message("lender", "nothing", b"")) == []
    after = town.counted("lender")
    assert (after.answered - before.answered, after.unserved - before.unserved) == (1, 1)
    receipt = town.kept[-1].encode()
    again = town.posting.ask(town.address, "/messages", pack([Message("relay", "complaint", receipt)]))
    assert b"counted" in again.body
    assert town.counted("lender") == after
    for forged in (receipt[:-1], bytes([receipt[0] ^ 1]) + receipt[1:], b""):
        refused = town.posting.ask(town.address, "/messages", pack([Message("relay", "complaint", forged)]))
        assert b"refused" in refused.body
    assert town.counted("lender") == after


def test_a_relay_that_forges_is_found_out_and_nobody_else_is_carried_to(town):
    with pytest.raises(DataError, match="a receipt that is none of its own"):
        town.wallet(key=SigningKey()).send(Message("lender", "echo", b""))
    with pytest.raises(DataError, match="relay answers 400: refused"):
        town.wallet(configs={"bank": town.config}).send(Message("bank", "echo", b""))
    with pytest.raises(DataError, match="lender does not answer relay"):  # sealed to a key that the lender has not
        town.wallet(configs={"lender": Gateway().config}).send(Message("lender", "echo", b""))


def test_a_town_whose_lender_is_behind_a_relay_is_not_watched_on_the_page(tmp_path):
    (tmp_path / PUBLIC).mkdir()
    (tmp_path / PUBLIC / "town.json").write_text(json.dumps({"roles": {"lender": "lender", "relay": "relay"}}))
    with pytest.raises(DataError, match="town up --stay --no-relay"), staged(Town(tmp_path)):
        pass


def test_counts_are_signed_kept_for_weeks_and_dropped():
    clock, key = SetClock(DAY * DAY_S), SigningKey()
    relay = Relay("relay", key, ["lender"], MemoryStore(), clock)
    relay.passing("lender")
    passage = relay.receipt("lender", b"request", b"answer")
    assert Passage.read(passage.encode(), key.public) == passage
    with pytest.raises(ForgeryError, match="does not verify"):
        Passage.read(replace(passage, answer=bytes(32)).encode(), key.public)
    body, signature = relay.published()
    assert read_counts(body, signature, key.public) == [Count("lender", DAY, 1, 1, 0)]
    with pytest.raises(ForgeryError, match="does not verify"):
        read_counts(body.replace(b"1", b"2"), signature, key.public)
    clock.advance((KEEP_DAYS + 1) * DAY_S)
    with pytest.raises(ForgeryError, match="of the last weeks"):
        relay.complain(passage.encode())
    assert relay.sweep() == 2
    assert relay.counts() == []


def test_an_answer_after_midnight_is_published_though_nothing_was_passed_on_that_day():
    clock, key = SetClock(DAY * DAY_S), SigningKey()
    relay = Relay("relay", key, ["lender"], MemoryStore(), clock)
    relay.passing("lender")
    clock.advance(DAY_S)
    relay.receipt("lender", b"request", b"answer")
    assert read_counts(*relay.published(), key.public) == [
        Count("lender", DAY, 1, 0, 0),
        Count("lender", DAY + 1, 0, 1, 0),
    ]
