"""Helper: the second server of ``encrypted-decision``: checks that an opening is one, and compares; once each.

Who sees what: uniform values; the mask's factors once it is bound; that somebody applied to this lender. It never has
bins, score, decision or threshold. What it checks: that the source dealt its keys for this application today; that the
lender's terms are the same for everybody; that what the lender tells is what it committed to; that the applicant's
values stand for one number, so that the lender gets no other function of the bins. It answers one check, one opening
and one telling an application, for ever. Does not protect: a lender learns from a refusal that a check of its own
making failed (beside the one bit); who tells a false threshold is not caught here.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Mapping

from blindscore.errors import BlindscoreError, DataError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.encrypted.compare.deal import HELPER, HelpersHalf, SealedKeys, binding, keys_bytes
from blindscore_crypto.encrypted.compare.exchange import Check, Share, Telling, write_commitment
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.wire import Opening, opening_bytes, split

KEEP_DAYS = 2  # longer than keys hold good, so that nothing forgotten is answered again
_SALT = 16
CHECKS = TableSpec("checks", Field("nonce", "own"), (Field("lender", "own"), Field("frame", "own")), KEEP_DAYS)
OPENED = TableSpec("opened", Field("nonce", "own"), (Field("values", "own"), Field("half", "own")), KEEP_DAYS)
BOUND = TableSpec("bound", Field("nonce", "own"), (Field("salt", "own"),), KEEP_DAYS)
TOLD = TableSpec("told", Field("nonce", "own"), (), KEEP_DAYS)
TERMS = TableSpec("terms", Field("lender", "own"), (Field("commitment", "own"),))


class Helper:
    """The second server.

    Parameters
    ----------
    name
        Its address.
    parameters
        The lenders' set.
    sources
        Signature keys of the sources that it believes.
    lenders
        Signature keys of the lenders that it serves, by address.
    store, clock
        What it keeps, and what time it is.
    signer, box
        Its signature key, and its X25519 pair, secret and public.
    """

    role = "helper"

    def __init__(
        self,
        name: str,
        parameters: Parameters,
        sources: Iterable[VerifyingKey],
        lenders: Mapping[str, VerifyingKey],
        store: Store,
        clock: Clock,
        signer: SigningKey,
        box: tuple[bytes, bytes],
    ) -> None:
        self.name, self.parameters, self.store = name, parameters, store
        self._sources, self._lenders = {key.id: key for key in sources}, dict(lenders)
        self._clock, self._signer = clock, signer
        self._secret, self.box = box
        store.declare(CHECKS, OPENED, BOUND, TOLD, TERMS)

    @property
    def public(self) -> VerifyingKey:
        """The key under which it answers."""
        return self._signer.public

    def handle(self, message: Message) -> list[Message]:
        """Take a check, an opening or a telling; whatever is wrong, the refusal is one and the same."""
        try:
            match message.kind:
                case "check":
                    return self._check(message)
                case "opening":
                    return self._open(message.body)
                case "telling":
                    return [Message(message.sender, "share", self.share(message.body, message.sender))]
        except DataError:  # its own disk, and nobody's fault: nothing was kept, so it may be said again
            raise
        except BlindscoreError:
            return [Message(message.sender, "refusal", b"")]
        return []

    def _key_of(self, lender: str) -> VerifyingKey:
        key = self._lenders.get(lender)
        if key is None:
            raise refuse(Kind.CHECK, "its lender is not one that this helper serves")
        return key

    def _check(self, message: Message) -> list[Message]:
        check = Check.read(self.parameters, message.body, self._key_of(message.sender))
        first = self.store.insert_once("terms", message.sender.encode(), {"commitment": check.terms})
        if first is not None and first["commitment"] != check.terms:
            raise refuse(Kind.CHECK, "its card and threshold are not those that this lender committed to before")
        row: Row = {"lender": message.sender, "frame": message.body}
        if self.store.insert_once("checks", check.nonce, row, day=day_of(self._clock)) is not None:
            raise refuse(Kind.CHECK, "this application has a check already")
        return self._bind(check.nonce)

    def _open(self, body: bytes) -> list[Message]:
        p, today = self.parameters, day_of(self._clock)
        frame, sealed = split(body, opening_bytes(p), keys_bytes(p, HELPER))
        opening, keys = Opening.read(frame, p), SealedKeys.read(p, sealed, HELPER, self._sources)
        if keys.nonce != opening.nonce or keys.box != self.box or not today - 1 <= keys.day <= today + 1:
            raise refuse(Kind.KEYS, "it was dealt for another application, receiver or day")
        half = keys.open(p, self._secret)
        HelpersHalf.decode(p, half)
        row: Row = {"values": struct.pack(f">{p.outputs}H", *opening.values.tolist()), "half": half}
        if self.store.insert_once("opened", opening.nonce, row, day=max(today, keys.day)) is not None:
            raise refuse(Kind.OPENING, "this application has been opened before")
        return self._bind(opening.nonce)

    def _bind(self, nonce: bytes) -> list[Message]:
        """Bind this party to its tags, once both check and opening are there."""
        checked, opened = self.store.get("checks", nonce), self.store.get("opened", nonce)
        if checked is None or opened is None:
            return []
        salt = secrets.token_bytes(_SALT)
        if self.store.insert_once("bound", nonce, {"salt": salt}, day=day_of(self._clock)) is not None:
            return []
        lender = str(checked["lender"])
        commitment = Share.commitment(nonce, self._tags(checked, opened), salt)
        frame = write_commitment(self.parameters, nonce, commitment, self._signer)
        return [Message(lender, "commitment", frame)]

    def _tags(self, checked: Row, opened: Row) -> tuple[int, ...]:
        p = self.parameters
        check = Check.read(p, blob_of(checked, "frame"), self._key_of(str(checked["lender"])))
        values, half = self._opened(opened)
        numbers = zip(values, half.tags, check.moved, strict=True)
        return tuple((y + tag + moved * half.beta) % p.t for y, tag, moved in numbers)

    def _opened(self, row: Row) -> tuple[tuple[int, ...], HelpersHalf]:
        p = self.parameters
        values = struct.unpack(f">{p.outputs}H", blob_of(row, "values"))
        return values, HelpersHalf.decode(p, blob_of(row, "half"))

    def share(self, frame: bytes, lender: str) -> bytes:
        """Return the share frame for a lender that tells what it committed to; once an application.

        Raises
        ------
        ForgeryError
            Malformed, unsigned, for no application that waits, not what was committed to, or under factors and
            differences by which the applicant's values do not stand for one number.
        """
        p = self.parameters
        telling = Telling.read(p, frame, self._key_of(lender))
        bound = self.store.get("bound", telling.nonce)
        checked, opened = self.store.get("checks", telling.nonce), self.store.get("opened", telling.nonce)
        if bound is None or checked is None or opened is None or checked["lender"] != lender:
            raise refuse(Kind.TELLING, "no application waits for it")
        if self.store.insert_once("told", telling.nonce, {}, day=day_of(self._clock)) is not None:
            raise refuse(Kind.TELLING, "this application has been told already")
        check = Check.read(p, blob_of(checked, "frame"), self._key_of(lender))
        values, half = self._opened(opened)
        moved = tuple((a - k) % p.t for a, k in zip(telling.factors, telling.kappa, strict=True))
        if (telling.commitment(p), moved) != (check.telling, check.moved):
            raise refuse(Kind.TELLING, "it is not what the check committed to")
        if binding(telling.kappa, telling.kappa_salt) != half.binding:
            raise refuse(Kind.TELLING, "its keys are not those that the source dealt")
        first, *others = (y * pow(a, -1, p.t) % p.t for y, a in zip(values, telling.factors, strict=True))
        if tuple((other - first) % p.t for other in others) != telling.differences:
            raise refuse(Kind.OPENING, "it is not what the reply contained")
        share = half.share(p, (first + half.beta + telling.moved_bar) % p.t)
        tags, salt = self._tags(checked, opened), blob_of(bound, "salt")
        return Share(telling.nonce, tags, salt, share).write(p, self._signer)
