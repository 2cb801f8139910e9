"""Silence: a lender leaves a named person unanswered; what of that is left behind a relay, with the real parties.

One person is named, another is not. Both apply, again and again, each time to a lender on an empty book, over TLS: on a
line that logs them in, or through the relay (:mod:`.relaying`), which gives receipts for what was passed on, takes
complaints of answers that say nothing, and publishes its count. A person who is not answered asks again in the same
epoch. The lender aims with what the line shows it; or it drops requests whoever sent them.

Who sees what: the lender a login, or a label that is new with each request. Not played: a lender that pools times or
addresses with the relay or a source, which has somebody to aim at again (:mod:`.clocks` says how often).
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore
from blindscore.surveillance.account.who_loses import wilson
from blindscore.surveillance.ledger import CAPTURED, REFUSES, Row
from blindscore_app.town.authority import found
from blindscore_app.town.folders import RELAY
from blindscore_app.town.lines import Lines
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.playing import tell
from blindscore_app.town.posting import Posting
from blindscore_app.town.relaying import Relaying
from blindscore_app.town.service import Service
from blindscore_app.town.serving import InThread
from blindscore_app.town.storm.campaign import checks_remembered
from blindscore_app.town.storm.village import EPOCHS, LENDER, TODAY, Village, wallet_of
from blindscore_app.town.via_relay import Via
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.relay import Passage, Relay
from blindscore_crypto.channel.signatures import SigningKey

SECRET = "named person (by silence)"
NAMED, OTHER = "ada", "bob"
MAX_BODY = 1 << 20
Drops = Callable[[Message], bool]


@dataclass(frozen=True)
class Condition:
    """One way to be silent.

    Parameters
    ----------
    relayed
        Whether people reach the lender through the relay; else the line shows a login.
    share
        Of first questions that are dropped whoever sent them; the named person's are dropped where she is to be seen.
    retries
        How often a person who is not answered asks again.
    """

    relayed: bool
    share: float = 0.0
    retries: int = 5

    @property
    def words(self) -> str:
        """What the line shows, and what is dropped."""
        line = "through the relay" if self.relayed else "the line shows who asks"
        dropped = f"{self.share:.0%} of all questions" if self.share else "what the named person is seen to ask"
        return f"{line}; dropped: {dropped}; asked up to {1 + self.retries} times"


CONDITIONS = (
    Condition(relayed=False),
    Condition(relayed=True),
    Condition(relayed=True, share=0.5, retries=0),
    Condition(relayed=True, share=0.5),
    Condition(relayed=True, share=1.0),
)


@dataclass
class Silenced:
    """What came of it.

    Parameters
    ----------
    people
        Of the named, and as many others.
    named, others
        How many of either have no decision.
    provable
        How many of those without a decision hold papers that convict the lender.
    receipts
        How many of the named who have no decision hold the relay's receipt for a request that was not served.
    passed, complained
        What the relay's public count says of the lender.
    """

    words: str
    people: int
    named: int = 0
    others: int = 0
    provable: int = 0
    receipts: int = 0
    passed: int = 0
    complained: int = 0

    @property
    def advantage(self) -> tuple[float, float, float]:
        """Share of the named without a decision less that of others, and its 95% (Newcombe 1998, method 10)."""
        one, other = self.named / self.people, self.others / self.people
        (low, high), (other_low, other_high) = wilson(one, self.people), wilson(other, self.people)
        value = one - other
        return (
            value,
            float(value - np.hypot(one - low, other_high - other)),
            float(value + np.hypot(high - one, other - other_low)),
        )


@dataclass
class Silent:
    """A lender that says nothing to whom it does not like; the rest of it is honest, and made anew for each person."""

    make: Callable[[], Any]
    drops: Drops = lambda _: False
    role: str = "lender"
    name: str = LENDER

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin on an empty book."""
        self._honest = self.make()
        self.store = self._honest.store

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        if self.drops(message):
            return []
        answers: list[Message] = self._honest.handle(message)
        return answers

    def settle(self) -> int:
        """Decide what waits."""
        return int(self._honest.settle())


@dataclass
class Place:
    """A silent lender and a relay, up, and what wallets need to reach them."""

    village: Village
    lender: Silent
    relay: Relay
    clock: SetClock
    context: Any
    config: Any
    addresses: dict[str, str] = field(default_factory=dict)

    def lines(self, who: str, *, relayed: bool, keep: Callable[[Passage], None]) -> Lines:
        """Return one person's lines to the lender."""
        if relayed:
            return Lines(
                self.addresses, self.context, fresh=True, via=Via(RELAY, self.relay.public, {LENDER: self.config}, keep)
            )
        return Lines(self.addresses, self.context, {LENDER: who}, fresh=True)


def silenced(place: Place, condition: Condition, tries: int, rng: random.Random) -> Silenced:
    """Let the named person and another apply so many times each; return what came of it."""

    def drops(message: Message) -> bool:
        # before the receipt there is no paper, and after it silence convicts: a wise lender drops the first question
        return message.kind == "ask" and (message.sender == NAMED or rng.random() < condition.share)

    outcome = Silenced(condition.words, tries)
    before = _counted(place)
    place.lender.drops = drops
    for _ in range(tries):
        for who in (NAMED, OTHER):
            answered, convicts, receipts = _applied(place, condition, who)
            outcome.named += who == NAMED and not answered
            outcome.others += who == OTHER and not answered
            outcome.provable += not answered and convicts
            outcome.receipts += who == NAMED and not answered and receipts > 0
    after = _counted(place)
    outcome.passed, outcome.complained = (now - then for now, then in zip(after, before, strict=True))
    return outcome


def _applied(place: Place, condition: Condition, who: str) -> tuple[bool, bool, int]:
    """Return whether a person who applies has a decision in the end, papers that convict, and how many receipts."""
    village, kept = place.village, list[Passage]()
    place.lender.renew()
    store = village.stocked[wallet_of(who)].copy()
    wallet = village.wallet(wallet_of(who), EPOCHS[0], store, place.clock)
    lines = place.lines(who, relayed=condition.relayed, keep=kept.append)
    try:
        for _ in range(1 + condition.retries):
            papers = wallet.application()
            tell(wallet, lines, "collect" if papers is not None and papers["receipt"] else "apply")
            place.clock.advance(60)
            if wallet.verdict() is not None:
                break
        else:
            tell(wallet, lines, "collect")
    except DataError:
        pass  # no answer at all: as silent as one that says nothing
    finally:
        lines.close()
    return wallet.verdict() is not None, wallet.finding() is not None, len(kept)


def _counted(place: Place) -> tuple[int, int]:
    counts = [count for count in place.relay.counts() if count.to == LENDER]
    return sum(count.passed for count in counts), sum(count.unserved for count in counts)


@contextmanager
def up(blind: bool) -> Iterator[Place]:
    """Serve a lender that can be told to be silent, and a relay, for as long as the block lasts."""
    village, clock = Village(blind=blind), SetClock(TODAY * DAY_S + 4000.0)
    lender = Silent(lambda: village.party(LENDER, EPOCHS[0], village.stocked[LENDER].copy(), clock))
    gateway, key = Gateway(), SigningKey()
    relay = Relay(RELAY, key, [LENDER], MemoryStore(), clock)
    logins = {hashlib.sha256(who.encode()).hexdigest(): who for who in (NAMED, OTHER)}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, checks_remembered():
        identities = found(Path(folder), [LENDER, RELAY])
        place = Place(village, lender, relay, clock, identities[LENDER].anonymous_side(), gateway.config)
        service = Service(lender, Lines({}, identities[LENDER].client_side()), logins, desk=Desk(LENDER, gateway))
        tls = {name: identities[name].server_side(known_only=False) for name in (LENDER, RELAY)}
        place.addresses[LENDER] = stack.enter_context(InThread(service, tls[LENDER])).address
        posting = Posting(identities[RELAY].client_side(), MAX_BODY)
        relaying = Relaying(relay, posting, lambda: place.addresses)
        place.addresses[RELAY] = stack.enter_context(InThread(relaying, tls[RELAY])).address
        yield place


def silence_rows(design: str, every: list[Silenced]) -> tuple[Row, ...]:
    """Return captured rows of ``steer``, one a condition: how much oftener the named person has no decision."""
    rows = []
    for one in every:
        value, low, high = one.advantage
        told = f"captured: {one.named} of {one.people} named and {one.others} of {one.people} others unanswered"
        rows.append(
            Row(
                design,
                "lender",
                "steer",
                f"{SECRET}: {one.words}",
                "silence",
                value,
                low,
                high,
                control=0.0,
                reason=f"no bound: {told}, {one.provable} provable",
                kind=CAPTURED,
                basis="observed",
                adversary=REFUSES,
            )
        )
    return tuple(rows)


def measure(design: str, tries: int, seed: int) -> list[Silenced]:
    """Play every condition with the parties of a design, ``sealed`` or ``one-show``."""
    with up(blind=design == "one-show") as place:
        return [silenced(place, condition, tries, random.Random(seed)) for condition in CONDITIONS]


def print_silence(design: str, tries: int, seed: int, *, as_json: bool) -> list[Silenced]:
    """Print what came of it."""
    every = measure(design, tries, seed)
    if as_json:
        print(json.dumps([asdict(one) | {"advantage": one.advantage} for one in every]))
        return every
    print(f"{design}; {tries} named people, and as many others, for each way to be silent")
    for one in every:
        value, low, high = one.advantage
        print(f"{one.words}\n    named without a decision {one.named}, others {one.others}: ", end="")
        print(f"{value:+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"    provable {one.provable}; of the named, with the relay's receipt {one.receipts}; ", end="")
        print(f"its count: {one.passed} passed on, {one.complained} complained of")
    return every
