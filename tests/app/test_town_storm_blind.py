"""The storm over the encrypted designs: planted defects of the letterbox are seen, and what it found stays mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore_app.town.letterbox import LATER, LETTERS, NOTED, OUTGOING, PROMISED, Letterbox
from blindscore_app.town.storm.blind_acknowledged import BlindAcknowledged
from blindscore_app.town.storm.blind_village import BlindVillage
from blindscore_app.town.storm.campaign import campaign, play, village_of
from blindscore_app.town.storm.village import DELAY_S, EPOCHS, LENDER, TODAY, holder_of, wallet_of

ADA = wallet_of("ada")


class ForgetsWhatItSaid(Letterbox):
    def _remembered(self, message, asked, answers):
        if message.kind == "application":
            return answers
        return super()._remembered(message, asked, answers)


class AnswersBeforeItNotes(Letterbox):
    """Two transactions: what it says, and only then what it has to do."""

    def _note(self, message, asked):
        self._late = asked, {"kind": message.kind, "body": message.body, "came": int(self._clock())}
        return self._remembered(message, asked, [Message(message.sender, "noted", b"")])

    def handle(self, message):
        self._late = None
        answers = super().handle(message)
        if self._late is not None:
            self.store.put(NOTED.name, *self._late, self._today)
        return answers


class DropsBeforeItIsTaken(Letterbox):
    def outgoing(self):
        waits = super().outgoing()
        for key, _ in waits:
            self.store.take(OUTGOING.name, key)
        return waits


class AnswersAtOnce(Letterbox):
    def _fetched(self, message):
        letter = self.store.get(LETTERS.name, message.body)
        if letter is None:
            return super()._fetched(message)
        return Message(message.sender, str(letter["kind"]), letter["body"])


class HandsOutOnce(Letterbox):
    """Forgets an answer as soon as it was fetched, whether or not it arrived."""

    def _fetched(self, message):
        told = super()._fetched(message)
        if told.kind != LATER:
            self.store.take(LETTERS.name, message.body)
        return told


class PromisesNothing(Letterbox):
    def _worked(self, message, asked):
        answers = super()._worked(message, asked)
        self.store.take(PROMISED.name, asked)
        return answers


def planted(design, defect):
    class Planted(BlindVillage):
        def letterbox(self, party, clock):
            return defect(party, self.institutions.__contains__, clock, delay_s=DELAY_S)

    return Planted(design)


@pytest.mark.parametrize(
    ("design", "defect", "said"),
    [
        ("encrypted", ForgetsWhatItSaid, "lender has answered one message in"),
        ("encrypted-audited", AnswersBeforeItNotes, "has said that it noted"),
        ("encrypted-decision", DropsBeforeItIsTaken, "which was never taken"),
        ("encrypted-audited", DropsBeforeItIsTaken, "results were signed, and the auditor has read"),
        ("encrypted-proved", AnswersAtOnce, "lender has told an answer"),
        ("encrypted", HandsOutOnce, "and is lost"),
        ("encrypted-decision", PromisesNothing, "answered, and knows of no promise"),
    ],
)
def test_a_planted_defect_of_the_letterbox_is_seen(design, defect, said):
    village = planted(design, defect)
    for start in range(0, 300, 5):
        seen = campaign(range(start, start + 5), [village])
        if any(said in breach for broken in seen.broken.values() for breach in broken):
            return
    pytest.fail(f"300 sequences did not show {defect.__name__}")


def test_a_total_where_none_may_be_is_seen(villages):
    village = villages["encrypted-decision"]
    stores = {name: village.stocked[name].copy() for name in village.institutions}
    said = BlindAcknowledged(village.boxed)
    assert list(said.breaches(village.design, stores, ())) == []
    for name in ("lender", "helper"):
        villages["encrypted"].party(LENDER, EPOCHS[0], stores[name], clock_of_today())
        stores[name].put("scores", bytes(32), {"total": 705, "pseudonym": b"p"})
    assert [breach for breach in said.breaches(village.design, stores, ()) if "may hold none" in breach] == [
        "lender holds 1 totals, and may hold none",
        "helper holds 1 totals, and may hold none",
    ]


def test_a_design_that_no_town_plays_is_refused():
    with pytest.raises(ParameterError, match="the storm plays sealed"):
        village_of("bureau")


def test_one_seed_gives_one_schedule(villages):
    trails = [play(villages["encrypted-audited"], 7)[1].trail for _ in range(2)]
    assert trails[0] == trails[1]


# What the storm found


@pytest.fixture(scope="module")
def villages():
    return {design: BlindVillage(design) for design in ("encrypted", "encrypted-decision", "encrypted-audited")}


def clock_of_today():
    return SetClock(TODAY * DAY_S + 3600.0)


class Played:
    """Ada's wallet, and the institutions, come up over copied stores; every message arrives."""

    def __init__(self, village):
        self.village, self.clock = village, clock_of_today()
        self.stores = {name: store.copy() for name, store in village.stocked.items()}
        self.seats = {n: village.party(n, EPOCHS[0], self.stores[n], self.clock) for n in village.institutions}

    def wallet(self):
        return self.village.wallet(ADA, EPOCHS[0], self.stores[ADA], self.clock)

    def tell(self, wallet, command):
        waiting = wallet.handle(Message(ADA, command, b""))
        while waiting:
            asked = waiting.pop(0)
            label = holder_of(ADA) if asked.to in self.village.sources else "line"
            for reply in self.seats[asked.to].handle(replace(asked, sender=label)):
                waiting += wallet.handle(replace(reply, to=ADA, sender=asked.to))


def test_a_wallet_whose_application_is_refused_begins_anew(villages):
    """Found by the storm (encrypted, seed 10): raising undid the forgetting, and every later reply was refused."""
    played = Played(villages["encrypted"])
    played.clock.advance(2 * DAY_S)  # its attestation's date has passed
    wallet = played.wallet()
    played.tell(wallet, "apply")
    assert (wallet.troubles(), wallet.inner) == (["lender refuses: application"], None)
    played.tell(wallet, "apply")
    played.seats[LENDER].settle()
    played.clock.advance(DELAY_S)
    played.tell(wallet, "collect")
    assert wallet.verdict() is True


def test_an_answer_is_not_late_by_as_much_as_a_clock_ran_ahead(villages):
    """Found by the storm (encrypted, seed 13): after a clock was set right, "later" was said for as long."""
    played = Played(villages["encrypted"])
    wallet = played.wallet()
    played.clock.advance(DAY_S)
    played.tell(wallet, "apply")
    played.seats[LENDER].settle()
    played.clock.advance(-DAY_S)
    for seconds, told in ((0, None), (DELAY_S - 1, None), (1, True)):  # the wait begins anew, and is not left out
        played.clock.advance(seconds)
        played.tell(wallet, "collect")
        assert wallet.verdict() is told


def test_a_wallet_that_waits_in_vain_begins_anew(villages):
    """Found by the storm (encrypted-decision, seed 4): a helper noted an opening while its clock was wrong."""
    village = villages["encrypted-decision"]
    played = Played(village)
    ahead = SetClock(played.clock.now + 50 * DAY_S)
    played.seats["helper"] = village.party("helper", EPOCHS[0], played.stores["helper"], ahead)
    wallet = played.wallet()
    played.tell(wallet, "apply")
    played.seats["helper"].settle()  # refuses: keys of another day
    ahead.now = played.clock.now
    for days in (1, 2):
        played.clock.advance(days * DAY_S)
        played.seats["helper"] = village.party("helper", EPOCHS[0], played.stores["helper"], played.clock)
        before = wallet.answer()[0]
        played.tell(wallet, "apply")
        assert (wallet.answer()[0] == before) is (days == 1)  # not before what it waits for has been dropped
    for _ in range(2):
        played.seats["helper"].settle()
        for name in ("lender", "helper"):
            for what, message in played.seats[name].outgoing():
                waiting = [replace(message, sender=name)]
                while waiting:
                    asked = waiting.pop(0)
                    waiting += [replace(m, sender=asked.to) for m in played.seats[asked.to].handle(asked)]
                played.seats[name].taken(what)
    played.clock.advance(DELAY_S)
    played.tell(wallet, "collect")
    assert wallet.verdict() is True
