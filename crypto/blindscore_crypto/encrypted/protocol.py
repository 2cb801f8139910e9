"""The protocol: an applicant, a source that knows it, and a lender that scores it unseen.

Who sees what
    - source: the bins (its own records) and the one-time key, under which it encrypts; a salted hash in place of the
      lender; the layout, no points; nothing after that
    - lender: ciphertext, a pseudonym that only it recognises, the total points, and when
    - applicant: K masked values, uniform whatever the score; no points
    - observer: times, and sizes that are the same for everybody
Assumptions: ring-LWE (bins against the lender, points against the applicant), Ed25519 (what the source attests),
SHA-256 (the lender's name against the source). A lying applicant is caught by the MAC, without any assumption.
Does not protect against: a lender that shifts the score it has read, or that uses other points for one person; about
as many attested people as there are bins who pool their scores and solve for the points; lender and source who pool
what they know; a source that attests falsely. The source may know the one-time key because it knows the bins anyway,
and masked values tell it nothing; the lender has no method that takes a key.

The applicant asks (``Ask``), the source attests, the applicant applies, the lender answers, the applicant opens, the
lender concludes. The lender checks size, header, signature and fields, in this order, before anything is parsed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.engines.scheme import KEY_BYTES
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import Parameters, fitting
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.encrypted.wire import (
    FACTS,
    NONCE_BYTES,
    SALT_BYTES,
    VALUE_BYTES,
    application_bytes,
    attestation_bytes,
    opening_bytes,
    reply_bytes,
)
from blindscore_crypto.layout import Layout

CONTEXT = Purpose.ENCRYPTED_ATTESTATION


def today() -> int:
    """Return the day as a number, counted from 1970-01-01 in UTC."""
    return int(time.time() // 86_400)


def pseudonym(lender: str, salt: bytes) -> bytes:
    """Return the 32 bytes that stand for a lender towards the source and for the applicant towards the lender."""
    return hashlib.sha256(b"blindscore/lender/v1" + salt + lender.encode()).digest()


@dataclass(frozen=True)
class Ask:
    """What an applicant hands to its own bank: encrypt my bins under this key, for whoever this pseudonym hides."""

    key: bytes
    pseudonym: bytes
    nonce: bytes
    layout: Layout
    parameters: Parameters


@dataclass(frozen=True)
class Outcome:
    """What the lender has learnt in the end."""

    total: int  # points before clipping
    score: int  # clipped to the card's scale
    pseudonym: bytes


class Source:
    """Holds records and a signing key; attests what it knows of a person, encrypted.

    Parameters
    ----------
    limit
        Most attestations a person and layout: an exact score gives points away, a little each time.
    """

    def __init__(self, limit: int = 100) -> None:
        self._signer = SigningKey()
        self._given: Counter[tuple[str, bytes]] = Counter()
        self.limit = limit

    @property
    def public(self) -> VerifyingKey:
        """The key that lenders check against."""
        return self._signer.public

    def attest(self, ask: Ask, legal_id: str, bins: NDArray[np.integer], day: int | None = None) -> bytes:
        """Encrypt a customer's bins, shape (d,), and sign; return an attestation frame.

        Raises
        ------
        DataError
            Bins outside the layout.
        ParameterError
            This person has had its share of attestations, or the layout does not fit the parameter set.
        """
        counted = (legal_id, ask.layout.fingerprint)
        if self._given[counted] >= self.limit:
            raise ParameterError(f"this person has had {self.limit} attestations for this layout; no more are given")
        p = ask.parameters
        if ask.layout.size > p.capacity:
            raise ParameterError(f"a layout of {ask.layout.size} bins; the set {p.name} takes {p.capacity}")
        upload = scheme_for(p).encrypt(ask.key, ask.layout.ones(bins))
        when = today() if day is None else day
        facts = FACTS.pack(self.public.id, ask.layout.fingerprint, ask.pseudonym, ask.nonce, when)
        frame = pack(Kind.ATTESTATION, p.code, facts + upload + bytes(SIGNATURE_BYTES))
        signature = self._signer.sign(frame[:-SIGNATURE_BYTES], CONTEXT)
        self._given[counted] += 1
        return frame[:-SIGNATURE_BYTES] + signature


class Applicant:
    """Holds the secret key of one application, and the salt that hides the lender from the source."""

    def __init__(self, lender: str, layout: Layout, parameters: Parameters, salt: bytes | None = None) -> None:
        self._key = secrets.token_bytes(KEY_BYTES)
        self._nonce = secrets.token_bytes(NONCE_BYTES)
        self._salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
        self._layout, self._parameters = layout, parameters
        self._pseudonym = pseudonym(lender, self._salt)

    def ask(self) -> Ask:
        """Return what the source needs."""
        return Ask(self._key, self._pseudonym, self._nonce, self._layout, self._parameters)

    def apply(self, attestation: bytes) -> bytes:
        """Return the application frame for the lender."""
        p = self._parameters
        unpack(attestation, Kind.ATTESTATION, p.code, attestation_bytes(p) - HEADER_BYTES)
        return pack(Kind.APPLICATION, p.code, self._salt + attestation)

    def open(self, reply: bytes) -> bytes:
        """Decrypt a reply into an opening frame.

        Raises
        ------
        ForgeryError
            A refusal, a malformed reply, or one to another application.
        """
        p = self._parameters
        body = unpack(reply, Kind.REPLY, p.code, reply_bytes(p) - HEADER_BYTES)
        if body[:NONCE_BYTES] != self._nonce:
            raise refuse(Kind.REPLY, "it answers another application")
        values = scheme_for(p).open(self._key, body[NONCE_BYTES:])
        return pack(Kind.OPENING, p.code, self._nonce + values.astype(f">u{VALUE_BYTES}").tobytes())


@dataclass(frozen=True)
class _Session:
    mask: Mask
    pseudonym: bytes


class Lender:
    """Holds the points and the masks; there is no method through which a key could reach it.

    Parameters
    ----------
    name
        Under which applicants address it.
    card
        Its scorecard; only the layout leaves it.
    sources
        Signature keys of the sources that it believes.
    parameters
        A parameter set; by default the smallest that gives the full MAC and flooding.
    limit
        Most applications a pseudonym.
    max_age
        Days that an attestation holds good.
    clock
        Returns today's number; tests hand in their own.
    draw
        Where the masks and noise come from; by default the operating system.
    """

    def __init__(
        self,
        name: str,
        card: Card,
        sources: Iterable[VerifyingKey],
        parameters: Parameters | None = None,
        *,
        limit: int = 100,
        max_age: int = 1,
        clock: Callable[[], int] = today,
        draw: Draw = os.urandom,
    ) -> None:
        self.name = name
        self._card = card
        self._points = Points.of(card)
        self.layout = Layout.of(card)
        self.parameters = fitting(self.layout.size, self._points.span) if parameters is None else parameters
        self._points.check_fits(self.parameters)
        self._scheme = scheme_for(self.parameters)
        self._sources = {key.id: key for key in sources}
        self._limit, self._max_age, self._clock, self._draw = limit, max_age, clock, draw
        self._sessions: dict[bytes, _Session] = {}
        self._seen: dict[bytes, int] = {}
        self._asked: Counter[bytes] = Counter()
        self._swept = clock()

    def answer(self, application: bytes) -> bytes:
        """Score an application blind; return a reply frame.

        Raises
        ------
        ForgeryError
            Malformed, unsigned, stale, replayed, for another lender or layout, or once too often.
        """
        p = self.parameters
        body = unpack(application, Kind.APPLICATION, p.code, application_bytes(p) - HEADER_BYTES)
        salt, attestation = body[:SALT_BYTES], body[SALT_BYTES:]
        signed = unpack(attestation, Kind.ATTESTATION, p.code, attestation_bytes(p) - HEADER_BYTES)
        signer, layout, tag, nonce, day = FACTS.unpack_from(signed)
        key = self._sources.get(signer)
        if key is None:
            raise refuse(Kind.APPLICATION, "its source is not one that this lender believes")
        if not key.accepts(attestation[:-SIGNATURE_BYTES], attestation[-SIGNATURE_BYTES:], CONTEXT):
            raise refuse(Kind.APPLICATION, "its signature is not the source's")
        if layout != self.layout.fingerprint:
            raise refuse(Kind.APPLICATION, "it was made for another scorecard layout")
        if tag != pseudonym(self.name, salt):
            raise refuse(Kind.APPLICATION, "it was made for another lender")
        now = self._clock()
        if not now - self._max_age <= day <= now + 1:  # one day of grace for clocks that differ
            raise refuse(Kind.APPLICATION, "its date has passed or is still to come")
        self._forget(now)
        if nonce in self._seen:
            raise refuse(Kind.APPLICATION, "it has been used before")
        if self._asked[tag] >= self._limit:
            raise refuse(Kind.APPLICATION, f"this pseudonym has asked {self._limit} times")
        upload = signed[FACTS.size : -SIGNATURE_BYTES]
        self._scheme.check(upload)
        self._seen[nonce] = day
        self._asked[tag] += 1
        draw = self._draw_for(application)
        mask = Mask.fresh(p.t, p.outputs, draw)
        reply = self._scheme.evaluate(upload, mask.weights(self._points.weights), mask.shifts, draw)
        self._sessions[nonce] = _Session(mask, tag)
        return pack(Kind.REPLY, p.code, nonce + reply)

    def _draw_for(self, application: bytes) -> Draw:
        """Return where this application's mask and noise come from."""
        return self._draw

    def _forget(self, now: int) -> None:
        """Drop nonces whose date would be refused anyway, so that memory stays bounded by the days in force."""
        if now == self._swept:
            return
        self._swept = now
        stale = [nonce for nonce, day in self._seen.items() if day < now - self._max_age]
        for nonce in stale:
            del self._seen[nonce]
            self._drop(nonce)

    def _drop(self, nonce: bytes) -> None:
        """Forget an application that was not brought to its end."""
        self._sessions.pop(nonce, None)

    def serve(self, application: bytes) -> bytes:
        """Answer as a service does: a reply, or one refusal of the same size whatever was wrong."""
        try:
            return self.answer(application)
        except ForgeryError:
            length = reply_bytes(self.parameters) - HEADER_BYTES
            return pack(Kind.REFUSAL, self.parameters.code, bytes(length))

    def conclude(self, opening: bytes) -> Outcome:
        """Check an opening and return the score; each application can be concluded once, lie or not.

        Raises
        ------
        ForgeryError
            Malformed, not to an answered application, or not what was encrypted.
        """
        p = self.parameters
        body = unpack(opening, Kind.OPENING, p.code, opening_bytes(p) - HEADER_BYTES)
        session = self._sessions.pop(body[:NONCE_BYTES], None)
        if session is None:
            raise refuse(Kind.OPENING, "no answered application waits for it")
        values = np.frombuffer(body, f">u{VALUE_BYTES}", p.outputs, NONCE_BYTES).astype(np.int64)
        if (values >= p.t).any():
            raise refuse(Kind.OPENING, "a value is out of range")
        points = session.mask.settle(values, self._points.low, self._points.high)
        if points is None:
            raise refuse(Kind.OPENING, "it is not what the reply contained")
        total = self._points.offset + points
        return Outcome(total, int(self._card.clip(np.array([total]))[0]), session.pseudonym)
