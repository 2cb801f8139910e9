"""Gate: grants a perk for a token, once, to whoever brings it.

::

    visit -> challenge: the gate's own name of this redemption, and when it was given
    redeem: that name, token -> granted: perk, first time or told again

The name comes from the gate: it is good for one token, at this gate, for :data:`VISIT_S` seconds, and nothing is kept
until a token comes. A reply that was lost may be asked for again; the gate then says "again", and opens nothing.

Who sees what: the gate sees tokens, no person. Assumptions: those of :mod:`.tokens`, HMAC-SHA-256, and a store that
keeps what it acknowledged. Not protected: gates of one perk with stores of their own, where a token is taken at each.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from blindscore.errors import BlindscoreError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of, wall_clock
from blindscore.parties.store import Field, Store, TableSpec, blob_of
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.perks.tokens import INPUT_BYTES, Challenge, rsa_accepts, token_bytes

VISIT_S = 600
VISIT_BYTES = 32
KEEP_DAYS = 40
TOKENS = TableSpec("tokens", Field("token", "own"), (Field("visit", "own"),), KEEP_DAYS)
NAMING = TableSpec("naming", Field("gate", "own"), (Field("key", "own"),))
OVER = TableSpec("over", Field("epoch", "own"), ())
SWEPT = TableSpec("swept", Field("what", "own"), (Field("day", "own"),))  # when rows were last dropped
VISITS = TableSpec("visits", Field("visit", "own"), (Field("token", "own"),), KEEP_DAYS)
Accepts = Callable[[TokenKey, bytes, bytes], bool]  # key, token input, authenticator


@dataclass(frozen=True)
class Redeemed:
    """What a token was good for."""

    perk: int  # threshold, points
    first: bool  # False: told again, after a lost reply; nothing more is due


class Gate:
    """One gate.

    Parameters
    ----------
    keys
        Of the perks that it grants, from the public log.
    accepts
        How a token is checked; by default as type 2, which needs public keys only. The issuer of type 1 hands in its
        own.
    """

    role = "gate"

    def __init__(
        self,
        name: str,
        challenge: Challenge,
        keys: Iterable[TokenKey],
        store: Store,
        *,
        clock: Clock = wall_clock,
        accepts: Accepts = rsa_accepts,
    ) -> None:
        self.name, self.store, self.challenge = name, store, challenge
        self._keys: Mapping[bytes, TokenKey] = {key.key_id: key for key in keys}
        self._clock, self._accepts = clock, accepts
        store.declare(TOKENS, VISITS, NAMING, OVER, SWEPT)
        drawn = os.urandom(32)  # of many processes on one store, the first one's key names every visit
        first = store.insert_once(NAMING.name, name.encode(), {"key": drawn})
        self._secret = drawn if first is None else blob_of(first, "key")

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        try:
            if message.kind == "visit":
                return [Message(message.sender, "challenge", self.visit())]
            if message.kind != "redeem":
                raise ForgeryError(f"a gate does not take messages of kind {message.kind!r}")
            got = self.redeem(message.body[:VISIT_BYTES], message.body[VISIT_BYTES:])
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]
        return [Message(message.sender, "granted", got.perk.to_bytes(4, "big") + bytes([got.first]))]

    def sweep(self) -> int:
        """Drop what has outlived its retention; return how many rows. An epoch that is over by now stays over."""
        today = day_of(self._clock)
        with self.store.atomic():
            for key in self._keys.values():
                if today > key.epoch.last_day:
                    self.store.insert_once(OVER.name, key.epoch.encode(), {})
            dropped = self.store.sweep(today)
            if dropped:
                self.store.put(SWEPT.name, b"rows", {"day": today})
            return dropped

    def visit(self) -> bytes:
        """Return a fresh name of one redemption at this gate."""
        body = int(self._clock()).to_bytes(8, "big") + os.urandom(8)
        return body + self._mark(body)

    def _mark(self, body: bytes) -> bytes:
        return visit_mark(self._secret, self.name, body)

    def redeem(self, visit: bytes, token: bytes) -> Redeemed:
        """Spend a token under a name that this gate gave.

        Raises
        ------
        ForgeryError
            A name that is not this gate's, is too old or was used for another token; a token that is malformed, for
            another gate, under an unknown key or one whose epoch is over, not signed, or spent under another name.
        """
        now = self._clock()
        if len(visit) != VISIT_BYTES or not hmac.compare_digest(self._mark(visit[:16]), visit[16:]):
            raise ForgeryError("this redemption was not named by this gate; visit it first")
        if not 0 <= now - int.from_bytes(visit[:8], "big") <= VISIT_S:
            raise ForgeryError("this visit is too long ago; visit the gate again")
        key = self._checked(token)
        # The signed input is the token: another valid signature over it buys nothing more.
        spent = spent_name(token)
        today = day_of(self._clock)
        with self.store.atomic():
            first = self.store.insert_once(TOKENS.name, spent, {"visit": visit}, today)
            other = self.store.insert_once(VISITS.name, visit, {"token": spent}, today)
            if (first is not None and first["visit"] != visit) or (other is not None and other["token"] != spent):
                raise ForgeryError("the token was spent before, or this visit was for another one")
        return Redeemed(key.perk, first is None)

    def _checked(self, token: bytes) -> TokenKey:
        kind = self.challenge.kind
        if len(token) != token_bytes(kind) or token[:2] != kind.to_bytes(2, "big"):
            raise ForgeryError(f"a token has {token_bytes(kind)} bytes and is of type {kind}")
        key = self._keys.get(token[66:INPUT_BYTES])
        if token[34:66] != self.challenge.digest or key is None:
            raise ForgeryError("the token was made for another gate, or under a key that this gate does not take")
        if day_of(self._clock) > key.epoch.last_day or self.store.get(OVER.name, key.epoch.encode()) is not None:
            raise ForgeryError("the token's epoch is over")
        if not self._accepts(key, token[:INPUT_BYTES], token[INPUT_BYTES:]):
            raise ForgeryError("the token's signature does not verify")
        return key


def visit_mark(secret: bytes, gate: str, body: bytes) -> bytes:
    """Return the sixteen bytes by which a gate knows the name of a visit that it gave."""
    return hmac.digest(secret, b"blindscore/visit" + gate.encode() + b"\0" + body, "sha256")[:16]


def spent_name(token: bytes) -> bytes:
    """Return under what a gate notes that a token is spent (32 bytes)."""
    return hashlib.sha256(b"blindscore/sealed/v1/token" + token[:INPUT_BYTES]).digest()
