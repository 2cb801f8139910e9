"""Prepared, blind: a small town of an encrypted design, whose people have learnt and hold their applications back.

The parties are those that the design's part seats in any town, behind their letterboxes, from their own folders; they
keep their rows in memory. What comes before an application (terms from the log, a box of the lender, the bank's
attestation) is over when the clock begins to run, as it is for a town's wallets, which learn early.
"""

from __future__ import annotations

import os
import secrets
import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.parties.cast import APPLY
from blindscore.parties.message import Message
from blindscore.parties.party import Party, wall_clock
from blindscore.parties.store import MemoryStore
from blindscore.people.population import Population
from blindscore_app.town.folders import LENDER
from blindscore_app.town.founding import found_town
from blindscore_app.town.letterbox import Letterbox, fetch, ticket_of
from blindscore_app.town.parts.encrypted_decision import HELPER
from blindscore_app.town.playing import tell
from blindscore_app.town.standing import Town
from blindscore_app.town.wire.defence import AtOnce, Defence
from blindscore_app.town.wire.prepared import DELAY_S, Applicant, Prepared, Seat, Step
from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.channel.signatures import PUBLIC_BYTES, VerifyingKey
from blindscore_crypto.designs.executed import Fitted
from blindscore_crypto.encrypted.proved.wire import Opening
from blindscore_crypto.encrypted.wire import nonce_of

THIRD = ("helper", "auditor")  # roles that are served beside the lender
LIVE = {"encrypted-proved": 2}  # messages that hang on replies: what binds, and the opening; elsewhere the opening


@dataclass(frozen=True)
class InMemory(Town):
    """A town whose institutions keep their rows in memory."""

    stores: dict[str, MemoryStore] = field(default_factory=dict)

    def store(self, name: str) -> MemoryStore:
        """See :class:`~blindscore_app.town.standing.Town`."""
        return self.stores.setdefault(name, MemoryStore())


class AtHand:
    """Institutions as a wallet reaches them before it applies: without a line; its bank knows who asks."""

    def __init__(self, parties: Mapping[str, Party], legal_id: str) -> None:
        self._parties, self._legal_id = parties, legal_id

    def begin(self) -> None:
        """See :class:`~blindscore_app.town.lines.Lines`."""

    def send(self, message: Message) -> list[Message]:
        """See :class:`~blindscore_app.town.lines.Lines`."""
        answers = self._parties[message.to].handle(replace(message, sender=self._legal_id))
        return [replace(answer, sender=message.to) for answer in answers]


def prepare_blind(design: str, people: Population, fitted: Fitted, approved: Sequence[bool]) -> Prepared:
    """Return an encrypted design whose people are about to apply."""
    town, passphrase = InMemory(Path(mkdtemp())), secrets.token_bytes(16)
    weakref.finalize(town, _removed, town.folder, os.getpid())  # its parties' keys go when nobody can make them again
    card, points = fitted.card, fitted.threshold
    found_town(town.folder, design, card, points, people, passphrase, delay_s=DELAY_S, store_of=town.store, relay=False)
    seated = {name: town.party(name, passphrase) for name, role in town.roles.items() if role not in THIRD}
    _refresh(seated)
    applicants = [_applicant(town, seated, number, decided) for number, decided in enumerate(approved)]

    def maker(name: str) -> Callable[[Defence], Any]:
        def make(defence: Defence) -> Any:
            if defence.equal_work:
                raise ParameterError(f"{design} does the same work for everybody already; choose another defence")
            box: Any = town.part.party(town, name, passphrase, town.store(name).copy())
            if not defence.on_path:
                return box
            bare: Party = box.party
            if HELPER not in town.roles:
                return bare
            return AtOnce(Letterbox(bare, town.roles.__contains__, wall_clock))

        return make

    third = {name: role for name, role in town.roles.items() if role in THIRD}
    others = {name: Seat(maker(name), role in town.part.closed) for name, role in third.items()}
    mark_of = (lambda m: _proved_mark(town, m)) if design == "encrypted-proved" else _mark
    last = HELPER if HELPER in third else LENDER
    return Prepared(design, tuple(applicants), maker(LENDER), others, last, mark_of)


def _removed(folder: Path, by: int) -> None:
    """Remove a town's folder; processes that were forked since leave it alone."""
    if os.getpid() == by:
        shutil.rmtree(folder, ignore_errors=True)


def _refresh(seated: Mapping[str, Party]) -> None:
    """Let a log, where there is one, have its head cosigned anew, as its service does when it comes up."""
    log: Any = seated.get("log")
    waiting = [] if log is None else [(log.name, message) for message in log.refresh()]
    while waiting:
        sender, message = waiting.pop(0)
        answers = seated[message.to].handle(replace(message, sender=sender))
        waiting += [(message.to, answer) for answer in answers]


def _applicant(town: Town, seated: Mapping[str, Party], number: int, approved: bool) -> Applicant:
    """Let a person learn, and return what it says from then on."""
    person = town.person(number)
    wallet: Any = town.part.wallet(town, person, LENDER, MemoryStore(), None, 1)
    at_hand: Any = AtHand(seated, person.legal_id)
    tell(wallet, at_hand, "learn")
    said = wallet.handle(Message(wallet.name, APPLY, b""))
    if len(said) != 1:
        raise DataError(f"a wallet has no application: {'; '.join(wallet.troubles())}")
    (application,) = said

    def make() -> Applicant:
        inner = copy(wallet.inner)

        def goes_on(replies: list[Message]) -> Message:
            said: list[Message] = [one for reply in replies for one in inner.handle(reply)]
            if len(said) != 1:
                raise DataError("the exchange does not go on")
            return said[0]

        def read(reply: Message) -> bool:
            inner.handle(reply)
            return bool(inner.decision)

        live: tuple[Step, ...] = (goes_on,) * LIVE.get(town.public["design"], 1)
        apply, aside = ((application,), live) if HELPER in town.roles else ((application, *live), ())
        collect = (fetch(LENDER, ticket_of(application)),)
        return Applicant(number, approved, "", apply, collect, read, aside, inner.nonce, make)

    return make()


def _mark(message: Message) -> bytes:
    if message.kind != "opening":
        return b""
    return nonce_of(VerifyingKey(message.body[HEADER_BYTES : HEADER_BYTES + PUBLIC_BYTES]))


def _proved_mark(town: Town, message: Message) -> bytes:
    return Opening.decode(message.body, town.group).nonce if message.kind == "opening" else b""
