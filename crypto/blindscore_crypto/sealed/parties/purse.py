"""Purse: what a wallet holds of its sources' signatures, in either form, in the wallet's store.

Who sees what: the wallet alone. A signature is taken out of the store before it is shown, so that a restart shows none
twice. Assumptions: those of :mod:`.attestation` and :mod:`.acl`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import Field, Store, TableSpec, blob_of
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show, presentation
from blindscore_crypto.sealed.attestation import Attestation, Issued, header, opened
from blindscore_crypto.sealed.blind.acl import (
    CLOSING_BYTES,
    AclCredential,
    AclKey,
    AclReceiver,
    Attributes,
    Opening,
)
from blindscore_crypto.sealed.groups.group import random_scalar
from blindscore_crypto.sealed.holder import holder_scalar, secret_base
from blindscore_crypto.sealed.offer import REFUSAL, Offer, seal
from blindscore_crypto.sealed.terms import Signatory, Terms

HELD = TableSpec("held", Field("slot", "own"), (Field("signed", "own"),))
ISSUING = TableSpec("issuing", Field("source", "own"), (Field("state", "own"),))
MAX_HELD = 256  # signatures of one source that are kept


class Purse(Protocol):
    """A wallet's signatures of one form."""

    def receive(self, terms: Terms, source: Signatory, secret: int, message: Message) -> Message | None:
        """Take what a source sent; return what goes back to it, or None when the signatures are kept.

        Raises
        ------
        ForgeryError
            Anything that a dishonest source could have put in it.
        """
        ...

    def left(self, terms: Terms) -> int:
        """How many proofs under these terms can still be made."""
        ...

    def rows(self, terms: Terms) -> list[tuple[int, ...]]:
        """Return the bins that the next proof would use, one row a source; DataError if nothing fresh is left."""
        ...

    def prove(self, terms: Terms, offer: Offer, client: SigningKey, secret: int, value: int) -> tuple[bytes, int]:
        """Return the answer, and the blinding of its holder commitment.

        A proof where ``value`` (score - threshold) is not negative, taking the signatures out of the store; else a
        refusal, after the work of a proof that is thrown away.
        """
        ...


class _Slots:
    """Signatures of each source, kept under a slot and a number."""

    def __init__(self, store: Store, legal_id: str) -> None:
        store.declare(HELD, ISSUING)
        self._store, self._legal_id = store, legal_id

    def _keys(self, slot: bytes) -> list[bytes]:
        return [key for key, _ in self._store.items(HELD.name) if key.startswith(slot)]

    def _keep(self, slot: bytes, signed: Sequence[bytes]) -> None:
        with self._store.atomic():
            taken = self._keys(slot)
            start = 1 + int.from_bytes(taken[-1][32:], "big") if taken else 0
            if len(taken) + len(signed) > MAX_HELD:
                raise DataError(f"a wallet keeps {MAX_HELD} signatures of a source; use some first")
            for i, one in enumerate(signed, start):
                self._store.put(HELD.name, slot + i.to_bytes(4, "big"), {"signed": one})

    def _next(self, slots: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Return (key, bytes) of the next signature of each source."""
        found = []
        for slot in slots:
            keys = self._keys(slot)
            row = self._store.get(HELD.name, keys[0]) if keys else None
            if row is None:
                raise DataError("no fresh signature is left for these terms; fetch some from each source")
            found.append((keys[0], blob_of(row, "signed")))
        return found

    def _take(self, keys: Sequence[bytes]) -> None:
        with self._store.atomic():
            if any(self._store.take(HELD.name, key) is None for key in keys):
                raise DataError("a signature was shown meanwhile; apply again")


class SealedPurse(_Slots):
    """Attestations, each with the seed that opens it."""

    def receive(self, terms: Terms, source: Signatory, secret: int, message: Message) -> Message | None:
        """See :class:`Purse`."""
        if message.kind != "issued":
            raise ForgeryError(f"{source.name!r} answers with {message.kind!r}")
        size, public = Issued.size(terms.group, source), terms.group.mul(secret, secret_base(terms.group))
        if not message.body or len(message.body) % size or len(message.body) > MAX_HELD * size:
            raise ForgeryError(f"{source.name!r} issues {size} bytes each")
        batch = [message.body[i : i + size] for i in range(0, len(message.body), size)]
        for one in batch:
            opened(terms.group, source, terms.epoch, self._legal_id, public, Issued.decode(terms.group, source, one))
        self._keep(sealed_slot(terms, source), batch)
        return None

    def left(self, terms: Terms) -> int:
        """See :class:`Purse`."""
        return min(len(self._keys(sealed_slot(terms, source))) for source in terms.sources)

    def rows(self, terms: Terms) -> list[tuple[int, ...]]:
        """See :class:`Purse`."""
        return [issued.bins for _, issued in self._issued(terms)]

    def _issued(self, terms: Terms) -> list[tuple[bytes, Issued]]:
        held = self._next([sealed_slot(terms, source) for source in terms.sources])
        pairs = zip(held, terms.sources, strict=True)
        return [(key, Issued.decode(terms.group, source, data)) for (key, data), source in pairs]

    def spend(self, terms: Terms) -> None:
        """Take what :meth:`open` returns out of the store."""
        self._take([key for key, _ in self._issued(terms)])

    def open(self, terms: Terms, secret: int) -> tuple[list[Attestation], list[list[int]]]:
        """Return the attestations that the next proof would use, with their blindings."""
        public = terms.group.mul(secret, secret_base(terms.group))
        pairs = [
            opened(terms.group, source, terms.epoch, self._legal_id, public, issued)
            for (_, issued), source in zip(self._issued(terms), terms.sources, strict=True)
        ]
        return [attestation for attestation, _ in pairs], [row for _, row in pairs]

    def prove(self, terms: Terms, offer: Offer, client: SigningKey, secret: int, value: int) -> tuple[bytes, int]:
        """See :class:`Purse`."""
        keys = [key for key, _ in self._issued(terms)]
        attestations, rows = self.open(terms, secret)
        r = sum(w * r for w, r in zip(terms.linear[1], (r for row in rows for r in row[2:]), strict=True))
        passes = value >= 0
        # Below the threshold the proof is of another commitment: a throw-away.
        total = (random_scalar(terms.group), r % terms.group.order)[passes]
        witness = presentation.Witness(secret, rows, max(value, 0), total)
        answer = presentation.present(terms, offer, client, attestations, witness)
        if passes:
            self._take(keys)
            return answer, rows[0][0]
        return seal(offer, REFUSAL, b"", presentation.size(terms), client), 0


class BlindPurse(_Slots):
    """Blind signatures, each shown once and recognised by nobody."""

    def receive(self, terms: Terms, source: Signatory, secret: int, message: Message) -> Message | None:
        """See :class:`Purse`."""
        if message.kind == "openings":
            return Message(source.name, "challenges", self._blind(terms, source, secret, message.body))
        if message.kind != "closings":
            raise ForgeryError(f"{source.name!r} answers with {message.kind!r}")
        row = self._store.take(ISSUING.name, source.key.raw)
        if row is None:
            raise ForgeryError(f"{source.name!r} closes what was not begun")
        self._finish(terms, source, blob_of(row, "state"), message.body)
        return None

    def _blind(self, terms: Terms, source: Signatory, secret: int, body: bytes) -> bytes:
        group, n = terms.group, len(source.layout.n_bins)
        size, bins = Opening.size(group), tuple(body[:n])
        rest = body[n:]
        if not rest or len(rest) % size or len(rest) > MAX_HELD * size:
            raise ForgeryError(f"{source.name!r} opens {size} bytes each")
        if any(b >= most for b, most in zip(bins, source.layout.n_bins, strict=True)):
            raise ForgeryError(f"{source.name!r} states a bin that its layout does not have")
        attributes = Attributes(
            holder_scalar(group, self._legal_id),
            group.mul(secret, secret_base(group)),
            tuple(source.layout.indicators(bins)),
        )
        key = _acl_key(source)
        begun = [AclReceiver.begin(key, attributes, rest[i : i + size]) for i in range(0, len(rest), size)]
        state = bytes(bins) + b"".join(one.encode() for one in begun)
        self._store.put(ISSUING.name, source.key.raw, {"state": state})
        return b"".join(one.challenge for one in begun)

    def _finish(self, terms: Terms, source: Signatory, state: bytes, body: bytes) -> None:
        key, n = _acl_key(source), len(source.layout.n_bins)
        count = len(body) // CLOSING_BYTES
        size = (len(state) - n) // count if count else 0
        if not count or len(body) % CLOSING_BYTES or (len(state) - n) % count:
            raise ForgeryError(f"{source.name!r} closes {CLOSING_BYTES} bytes each")
        kept = []
        for i in range(count):
            receiver = AclReceiver.decode(key, state[n + i * size : n + (i + 1) * size])
            credential = receiver.finish(body[i * CLOSING_BYTES : (i + 1) * CLOSING_BYTES])
            kept.append(state[:n] + credential.encode(terms.group))
        self._keep(blind_slot(source), kept)

    def left(self, terms: Terms) -> int:
        """See :class:`Purse`."""
        return min(len(self._keys(blind_slot(source))) for source in terms.sources)

    def rows(self, terms: Terms) -> list[tuple[int, ...]]:
        """See :class:`Purse`."""
        held = self._next([blind_slot(source) for source in terms.sources])
        pairs = zip(held, terms.sources, strict=True)
        return [tuple(data[: len(source.layout.n_bins)]) for (_, data), source in pairs]

    def witness(self, terms: Terms, secret: int) -> one_show.Witness:
        """Return the secrets behind the next proof."""
        held = self._next([blind_slot(source) for source in terms.sources])
        credentials, bits = [], []
        for (_, data), source in zip(held, terms.sources, strict=True):
            n = len(source.layout.n_bins)
            bits.append(source.layout.indicators(list(data[:n])))
            credentials.append(AclCredential.decode(terms.group, data[n:]))
        holder = holder_scalar(terms.group, self._legal_id)
        return one_show.Witness(holder, secret, credentials, bits, random_scalar(terms.group))

    def prove(self, terms: Terms, offer: Offer, client: SigningKey, secret: int, value: int) -> tuple[bytes, int]:
        """See :class:`Purse`."""
        keys = [key for key, _ in self._next([blind_slot(source) for source in terms.sources])]
        witness = self.witness(terms, secret)
        answer = one_show.present(terms, offer, client, witness, max(value, 0))
        if value >= 0:
            self._take(keys)
            return answer, witness.holder_blinding
        return seal(offer, REFUSAL, b"", one_show.size(terms), client), 0


def sealed_slot(terms: Terms, source: Signatory) -> bytes:
    """Return the 32 bytes under which a wallet keeps a source's attestations."""
    return hashlib.sha256(header(terms.group, source.layout, source.key.id) + terms.epoch.encode()).digest()


def blind_slot(source: Signatory) -> bytes:
    """Return the 32 bytes under which a wallet keeps a source's blind signatures."""
    if source.blind is None:
        raise DataError("a wallet of blind signatures answers terms whose sources sign blindly")
    return hashlib.sha256(source.key.raw + source.blind.signed).digest()


def _acl_key(source: Signatory) -> AclKey:
    blind_slot(source)
    return source.blind.key  # type: ignore[union-attr]
