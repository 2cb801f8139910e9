"""BlindScorer: what every lender does alike: check an application whole, and answer it blind, once.

Who sees what: ciphertext, a pseudonym that only this lender recognises, the day; the points and masks are its own. It
has no method that takes a key. What it checks, in this order: size, header, the source's signature, layout, pseudonym,
date, and that neither this application was answered nor any limit is reached; only then does the engine parse.

Limits, all in the store: one answer an application; so many a pseudonym; so many a source, which bounds what one that
encrypts falsely can read (:meth:`~blindscore_crypto.encrypted.parameters.Parameters.of_source`); so many a card, since
the distance that flooding leaves adds up (:meth:`~blindscore_crypto.encrypted.parameters.Parameters.life`); then the
card is renewed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import COUNT, Field, Store, TableSpec
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import Parameters, fitting
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import Attested, pseudonym, read_application, reply_frame
from blindscore_crypto.layout import Layout

LIMIT = 100  # applications a pseudonym
MAX_AGE = 1  # days that an attestation holds good
ANSWERED = TableSpec("answered", Field("nonce", "own"), (), keep_days=MAX_AGE + 1)
ASKED = TableSpec("asked", Field("pseudonym", "handle"), (COUNT,))
TABLES = (
    ANSWERED,
    ASKED,
    TableSpec("of_source", Field("signer", "own"), (COUNT,)),
    TableSpec("life", Field("card", "own"), (COUNT,)),
)


_WHOM = {"asked": "this pseudonym", "of_source": "this source", "life": "this card"}


def require_meant(attested: Attested, name: str, salt: bytes, layout: Layout, today: int) -> None:
    """Return if an attestation was made for this lender, layout and day.

    Raises
    ------
    ForgeryError
        It was not.
    """
    if attested.layout != layout.fingerprint:
        raise refuse(Kind.APPLICATION, "it was made for another scorecard layout")
    if attested.pseudonym != pseudonym(name, salt):
        raise refuse(Kind.APPLICATION, "it was made for another lender")
    if not today - MAX_AGE <= attested.day <= today + 1:  # one day of grace for clocks that differ
        raise refuse(Kind.APPLICATION, "its date has passed or is still to come")


def admit_once(store: Store, attested: Attested, today: int, *limits: tuple[str, bytes, int]) -> None:
    """Count an application, once; each limit is a table of counters, a key in it, and the most that it admits.

    Raises
    ------
    ForgeryError
        Replayed, or a limit is reached.
    """
    with store.atomic():  # all counters move together, or none does
        # by the attestation's own day, so that a nonce is forgotten only once its date would be refused anyway
        if store.insert_once("answered", attested.nonce, {}, day=max(today, attested.day)) is not None:
            raise refuse(Kind.APPLICATION, "it has been used before")
        for table, key, limit in limits:
            if not store.count_up_to(table, key, limit, day=today):
                raise refuse(Kind.APPLICATION, f"{_WHOM[table]} has had its {limit} answers")


@dataclass(frozen=True)
class Answered:
    """An application that was answered."""

    nonce: bytes
    pseudonym: bytes
    mask: Mask = field(repr=False)
    reply: bytes  # frame


class BlindScorer:
    """Checks and answers applications.

    Parameters
    ----------
    name
        Under which applicants address the lender.
    card
        Its scorecard; only the layout leaves it.
    sources
        Signature keys of the sources that it believes.
    store, clock
        What it keeps, and what time it is.
    parameters
        A parameter set; by default the smallest that gives the full MAC and flooding.
    limit, of_source, life
        Most applications a pseudonym, a source and a card; the last two default to what the set allows.
    """

    def __init__(
        self,
        name: str,
        card: Card,
        sources: Iterable[VerifyingKey],
        store: Store,
        clock: Clock,
        parameters: Parameters | None = None,
        *,
        limit: int = LIMIT,
        of_source: int | None = None,
        life: int | None = None,
    ) -> None:
        self.name, self.card, self.store, self.clock = name, card, store, clock
        self.points, self.layout = Points.of(card), Layout.of(card)
        self.parameters = fitting(self.layout.size, self.points.span) if parameters is None else parameters
        self.points.check_fits(self.parameters)
        self.scheme = scheme_for(self.parameters)
        self.sources = {key.id: key for key in sources}
        self.limit = limit
        self.life = self.parameters.life(self.layout.size) if life is None else life
        most = min(self.life, self.parameters.of_source(self.layout.size))
        self.of_source = most if of_source is None else of_source
        store.declare(*TABLES)

    def check(self, application: bytes) -> Attested:
        """Return what a believed source vouches for, if this lender may answer it.

        Raises
        ------
        ForgeryError
            Malformed, unsigned, stale, for another lender or layout.
        """
        p = self.parameters
        salt, attestation = read_application(application, p)
        attested = Attested.read(attestation, p, self.sources)
        require_meant(attested, self.name, salt, self.layout, day_of(self.clock))
        self.scheme.check(attested.upload)
        return attested

    def answer(self, attested: Attested, draw: Draw = os.urandom) -> Answered:
        """Score an application blind, once.

        Raises
        ------
        ForgeryError
            Replayed, or a limit is reached.
        """
        p, store, today = self.parameters, self.store, day_of(self.clock)
        card = bytes.fromhex(self.card.fingerprint)
        more = (("of_source", attested.signer, self.of_source), ("life", card, self.life))
        admit_once(store, attested, today, ("asked", attested.pseudonym, self.limit), *more)
        mask = Mask.fresh(p.t, p.outputs, draw)
        sent = self.scheme.evaluate(attested.upload, mask.weights(self.points.weights), mask.shifts, draw)
        return Answered(attested.nonce, attested.pseudonym, mask, reply_frame(p, attested.nonce, sent))
