"""Source: a bank, bureau or registry that signs its own customers' bins; it learns neither lender nor card.

::

    wallet --request: K, proof, count-->  source     a customer logged in by legal id
           <--issued: attestations----              sealed: commitments that the source made itself

    wallet --request-->                   source     one-show: blind signatures, three moves
           <--openings: bins, first messages--
           --challenges-->                           each open session answers once, then is gone
           <--closings--

Who sees what: the source its own customers' records, that they fetch, and K (the same for one customer and epoch).
Assumptions: those of :mod:`.attestation`, :mod:`.acl` and :mod:`.holder`. Not protected: a source that vouches for
wrong records. One K a customer and epoch is taken, so that nobody has two names at one lender; what a customer fetches
in an epoch is bounded, and so are its open sessions, which time out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of, wall_clock
from blindscore.parties.store import COUNT, Field, Store, TableSpec, Value, blob_of
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.attestation import attest
from blindscore_crypto.sealed.blind.acl import CHALLENGE_BYTES, AclSigner, Attributes
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group, Point, decode_scalar
from blindscore_crypto.sealed.holder import holder_scalar, read_request
from blindscore_crypto.sealed.terms import Epoch, EpochKey, Signatory

MAX_BATCH = 16  # signatures of one request
LIMIT = 64  # signatures of one customer and epoch
SESSION_S = 600  # an open session answers within this time, or not at all
KEEP_DAYS = 40
CUSTOMERS = TableSpec("customers", Field("customer", "own"), (Field("public", "opaque"),), keep_days=KEEP_DAYS)
FETCHED = TableSpec("fetched", Field("customer", "own"), (COUNT,), keep_days=KEEP_DAYS)
OVER = TableSpec("over", Field("epoch", "own"), ())
SWEPT = TableSpec("swept", Field("what", "own"), (Field("day", "own"),))  # when rows were last dropped
SESSIONS = TableSpec("sessions", Field("session", "own"), (Field("state", "own"), Field("began", "own")), keep_days=1)


def records_table(features: list[str]) -> TableSpec:
    """Return the table of a source's customers: one row a legal id."""
    return TableSpec("records", Field("legal_id", "handle"), tuple(Field(name, "feature") for name in features))


class Source:
    """One source, in either form.

    Parameters
    ----------
    layout
        By which it bins its customers' records.
    epoch
        The issuing period; nothing is signed after its last day.
    store
        Holds its ``records`` (see :func:`records_table`) and what must outlive a restart.
    blind
        The epoch's blind-signing key: then it signs blindly (:func:`epoch_signer` makes one).
    """

    role = "source"

    def __init__(
        self,
        name: str,
        layout: Layout,
        key: SigningKey,
        epoch: Epoch,
        store: Store,
        *,
        group: Group = P256_GROUP,
        clock: Clock = wall_clock,
        blind: AclSigner | None = None,
        limit: int = LIMIT,
    ) -> None:
        self.name, self.store = name, store
        self._layout, self._key, self._epoch, self._group = layout, key, epoch, group
        self._clock, self._blind, self._limit = clock, blind, limit
        store.declare(records_table(layout.features), CUSTOMERS, FETCHED, SESSIONS, OVER, SWEPT)
        published = None
        if blind is not None:
            bare = EpochKey(layout.fingerprint, epoch, blind.key, b"")
            published = EpochKey(layout.fingerprint, epoch, blind.key, key.sign(bare.signed, Purpose.EPOCH_KEY))
        self.signatory = Signatory(name, key.public, layout, published)

    def enrol(self, legal_id: str, record: Mapping[str, Value]) -> None:
        """Keep a customer's record: a value for each feature of the layout, None where it is missing."""
        self.store.put("records", legal_id.encode(), {name: record[name] for name in self._layout.features})

    def sweep(self) -> int:
        """Drop what has outlived its retention; return how many rows. An epoch that is over by now stays over."""
        today = day_of(self._clock)
        with self.store.atomic():
            if today > self._epoch.last_day:
                self.store.insert_once(OVER.name, self._epoch.encode(), {})
            dropped = self.store.sweep(today)
            if dropped:
                self.store.put(SWEPT.name, b"rows", {"day": today})
            return dropped

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`. A customer is whom the line shows by legal id."""
        action = {"request": self._request, "challenges": self._challenges}.get(message.kind)
        try:
            if action is None:
                raise ForgeryError(f"a source does not take messages of kind {message.kind!r}")
            kind, body = action(message.sender, message.body)
        except BlindscoreError:
            return [Message(message.sender, "refused", b"")]
        return [Message(message.sender, kind, body)]

    def _request(self, legal_id: str, body: bytes) -> tuple[str, bytes]:
        today = day_of(self._clock)
        if today > self._epoch.last_day or self.store.get(OVER.name, self._epoch.encode()) is not None:
            raise ForgeryError("this epoch is over; ask under the next one's keys")
        row = self.store.get("records", legal_id.encode())
        if row is None:
            raise DataError("this source keeps no record of who asks")
        public, count = read_request(self._group, body, self._key.public, self._epoch.number, MAX_BATCH)
        bins = self._layout.bins(row)
        self._admit(legal_id, public, count, today)
        if self._blind is not None:
            return "openings", self._open(self._blind, legal_id, public, bins, count, today)
        issued = [
            attest(self._key, self._group, self._layout, self._epoch, legal_id, public, bins) for _ in range(count)
        ]
        return "issued", b"".join(one.encode() for one in issued)

    def _admit(self, legal_id: str, public: Point, count: int, today: int) -> None:
        """Take one K a customer and epoch, and count what it fetches; all of it or nothing."""
        customer, encoded = customer_name(self._epoch, legal_id), self._group.encode(public)
        with self.store.atomic():
            first = self.store.insert_once(CUSTOMERS.name, customer, {"public": encoded}, today)
            if first is not None and first["public"] != encoded:
                raise ForgeryError("this customer has used another wallet secret in this epoch; wait for the next one")
            if not all(self.store.count_up_to(FETCHED.name, customer, self._limit, today) for _ in range(count)):
                raise ForgeryError(f"a customer fetches {self._limit} signatures an epoch at most")

    def _open(self, signer: AclSigner, legal_id: str, public: Point, bins: list[int], count: int, today: int) -> bytes:
        attributes = Attributes(holder_scalar(self._group, legal_id), public, tuple(self._layout.indicators(bins)))
        begun = [signer.begin(attributes) for _ in range(count)]
        customer, now = customer_name(self._epoch, legal_id), self._clock()
        with self.store.atomic():  # a new request takes the place of the sessions that were open
            for i in range(MAX_BATCH):
                self.store.take(SESSIONS.name, customer + bytes([i]))
            for i, (_, state) in enumerate(begun):
                self.store.put(SESSIONS.name, customer + bytes([i]), {"state": state, "began": now}, today)
        return bytes(bins) + b"".join(opening for opening, _ in begun)

    def _challenges(self, legal_id: str, body: bytes) -> tuple[str, bytes]:
        if self._blind is None:
            raise ForgeryError("this source does not sign blindly")
        cut = [body[i : i + CHALLENGE_BYTES] for i in range(0, len(body), CHALLENGE_BYTES)]
        if not 0 < len(cut) <= MAX_BATCH:
            raise ForgeryError(f"1 to {MAX_BATCH} challenges are answered at once")
        for challenge in cut:  # a malformed one must not cost a session
            decode_scalar(self._group, challenge)
        customer = customer_name(self._epoch, legal_id)
        with self.store.atomic():  # taken before they are answered: of two who ask at once, one gets an answer
            rows = [self.store.take(SESSIONS.name, customer + bytes([i])) for i in range(len(cut))]
            if any(row is None or self._clock() - float(row["began"] or 0) > SESSION_S for row in rows):
                raise ForgeryError("a session has answered already, timed out, or was never opened; begin a new one")
        states = [blob_of(row, "state") for row in rows if row is not None]
        return "closings", b"".join(self._blind.answer(s, c) for s, c in zip(states, cut, strict=True))


def customer_name(epoch: Epoch, legal_id: str) -> bytes:
    """Return the 32 bytes under which a source notes what a customer did in an epoch."""
    return hashlib.sha256(b"blindscore/customer" + epoch.encode() + legal_id.encode()).digest()


def epoch_signer(group: Group, layout: Layout, epoch: Epoch) -> AclSigner:
    """Return a fresh blind-signing key for one layout and epoch."""
    return AclSigner(group, EpochKey.context(layout.fingerprint, epoch))
