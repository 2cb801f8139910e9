"""Prepared: the real parties of a design, played once in this process, and what each wallet then says over the wire.

What takes a wallet long (signatures, proofs, encryption) is done before the clock runs, so that ten thousand exchanges
take minutes. The parties that are served are the real ones, made anew for each block of exchanges: every message is
news to them. What depends on a live reply (an opening of the encrypted designs, :mod:`.prepared_blind`) is computed
live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock, wall_clock
from blindscore.parties.store import MemoryStore, blob_of
from blindscore.parties.table import Table
from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore_app.town.folders import BANK, LENDER
from blindscore_app.town.parts import PARTS
from blindscore_app.town.wire.defence import Defence, EvenSettle, OnPath
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.executed import Fitted, fit
from blindscore_crypto.designs.sealed import some_people
from blindscore_crypto.sealed.check import check
from blindscore_crypto.sealed.offer import PROOF, REFUSAL, Verdict, digest
from blindscore_crypto.sealed.parties.cast import Secrets, cast
from blindscore_crypto.sealed.parties.lender import ANSWERS, WAITING, Lender

HISTORY = 2000  # past customers whose outcomes train the card
APPROVE = 0.5  # share approved: as many of either kind are wanted
DELAY_S = 1  # after which a decision is due
Step = Message | Callable[[list[Message]], Message]


@dataclass(frozen=True)
class Applicant:
    """One person's exchange.

    Parameters
    ----------
    apply, aside, collect
        What is said to the lender on a first line; then to a third party on another, if it is; and to the lender when
        the answer is due. Each step is a message, or what makes it of the replies to the one before.
    mark
        What tells this person's last message from others'; see :class:`Prepared`.
    again
        Makes this applicant anew, where an exchange changes its wallet.
    """

    number: int
    approved: bool
    reason: str  # what costs the person most
    apply: tuple[Step, ...]
    collect: tuple[Step, ...] = ()
    read: Callable[[Message], bool] = lambda _: False  # what the last reply decides
    aside: tuple[Step, ...] = ()
    mark: bytes = b""
    again: Callable[[], Applicant] | None = None

    def afresh(self) -> Applicant:
        """Return this person before any exchange."""
        return self if self.again is None else self.again()


@dataclass(frozen=True)
class Seat:
    """An institution beside the lender.

    Parameters
    ----------
    make
        Makes it as it stands before anybody applies, defended so.
    closed
        Whether it answers known institutions alone; else wallets speak to it.
    """

    make: Callable[[Defence], Any]
    closed: bool = False


@dataclass(frozen=True)
class Prepared:
    """A design ready to be served.

    Parameters
    ----------
    lender
        Makes the lender as it stands before anybody applies, defended so.
    others
        What else is served, by name.
    last
        Name of the party that takes a wallet's last message before the answer.
    mark_of
        Returns the mark of whoever sent such a message; nothing of others.
    """

    design: str
    applicants: tuple[Applicant, ...]
    lender: Callable[[Defence], Any]
    others: Mapping[str, Seat] = field(default_factory=dict)
    last: str = LENDER
    mark_of: Callable[[Message], bytes] = lambda _: b""

    def fetches(self, defence: Defence) -> bool:
        """Say whether the answer is fetched; where the lender takes the last message it may be the reply to it."""
        return bool(self.applicants[0].collect) and (self.last != LENDER or not defence.on_path)


class _Kept(Secrets):
    """Makes keys, and remembers them: the experimenter serves the lender later."""

    def __init__(self) -> None:
        self.keys: dict[str, SigningKey] = {}

    def signing_key(self, name: str) -> SigningKey:
        """See :class:`~blindscore_crypto.sealed.parties.cast.Secrets`."""
        return self.keys.setdefault(name, SigningKey())


def prepare(design: str, people: int, seed: int, *, one_source: bool = False) -> Prepared:
    """Return a design with this many approved and as many refused applicants.

    Parameters
    ----------
    one_source
        Whether one source holds all records; by default the society's own sources do.

    Raises
    ------
    ParameterError
        No such design, or the society has too few of either kind.
    """
    if design not in PARTS:
        raise ParameterError(f"{design!r} cannot be served; {', '.join(PARTS)} can")
    society = make_society(people=HISTORY + 6 * people, seed=seed)
    if one_source:
        held = tuple(replace(feature, source=BANK) for feature in society.schema.features)
        society = replace(society, schema=replace(society.schema, features=held))
    fitted = fit(society, Scorecard(), APPROVE)
    future = np.flatnonzero(~society.history)
    kinds = [future[fitted.decisions[future] == kind][:people] for kind in (True, False)]
    if min(map(len, kinds)) < people:
        raise ParameterError(f"the society has fewer than {people} people of either decision; ask for fewer")
    chosen = np.concatenate(kinds)
    if design in ("sealed", "one-show"):
        return _sealed(design, society, fitted, chosen)
    from blindscore_app.town.wire.prepared_blind import prepare_blind

    return prepare_blind(design, some_people(society, chosen), fitted, [bool(one) for one in fitted.decisions[chosen]])


def _sealed(design: str, society: Population, fitted: Fitted, chosen: np.ndarray[Any, Any]) -> Prepared:
    kept, began = _Kept(), wall_clock()
    noon = np.floor(began / DAY_S) * DAY_S + DAY_S / 2  # offers are good for a day: this one has twelve hours left

    def clock() -> float:
        return float(noon + wall_clock() - began)

    people = some_people(society, chosen)
    made = cast(
        fitted.card,
        fitted.threshold,
        people,
        lambda _: MemoryStore(),
        blind=design == "one-show",
        secrets=kept,
        clock=SetClock(noon),
    )
    table = Table(made.institutions, made.lines, made.clock)
    terms = next(party for party in made.institutions if isinstance(party, Lender)).terms
    applicants, proof = [], b""
    for number, legal_id in enumerate(people.register[LEGAL_ID].astype(str)):
        wallet: Any = made.wallet(legal_id)
        table.seat(wallet)
        table.tape.passages.clear()
        table.play(number, wallet.name, "apply", legal_id=legal_id)
        table.leave(wallet.name)
        said = {p.kind: Message(LENDER, p.kind, p.body) for p in table.tape.received("lender")}
        approved = bool(fitted.decisions[chosen[number]])
        if wallet.verdict() is not approved:
            raise ParameterError("a wallet was answered otherwise than the clear scorecard says")
        if said["answer"].body[0] == PROOF:
            proof = said["answer"].body
        steps = tuple(said[kind] for kind in ("ask", "commit", "answer"))
        reason = wallet.reasons(1)[0].feature if wallet.reasons(1) else ""
        collect, mark = (said["fetch"],), said["answer"].body
        applicants.append(Applicant(number, approved, reason, steps, collect, _sealed_decision, mark=mark))

    def lender(defence: Defence) -> Any:
        fresh = Lender(terms, kept.keys[LENDER], MemoryStore(), clock=clock, delay_s=0 if defence.on_path else DELAY_S)
        waste = (lambda: _verify(terms, proof)) if defence.equal_work else None
        if defence.on_path:
            return OnPath(fresh, digest, waste)
        return fresh if waste is None else EvenSettle(fresh, lambda: _refusals(fresh), waste)

    return Prepared(design, tuple(applicants), lender, mark_of=lambda m: m.body if m.kind == "answer" else b"")


def _refusals(lender: Lender) -> int:
    """Return how many refusals have come and wait; this is the lender's own knowledge, in its own process."""
    kept = (lender.store.get(ANSWERS.name, name) for name, _ in lender.store.items(WAITING.name))
    return sum(blob_of(row, "answer")[0] == REFUSAL for row in kept if row is not None)


def _sealed_decision(reply: Message) -> bool:
    return reply.body[:1] == bytes([Verdict.APPROVED])


def _verify(terms: Any, proof: bytes) -> None:
    check(terms, proof)


def of_either_kind(applicants: tuple[Applicant, ...]) -> Mapping[bool, list[Applicant]]:
    """Return applicants by decision."""
    return {kind: [one for one in applicants if one.approved == kind] for kind in (True, False)}
