"""Helper: the second server: holds the other shares, checks a lender's points, and gives its share of the decision.

Who sees what: uniform values; which lender somebody applied to, and when. It never has bins, points, score, threshold
or decision, even together with applicants. What it checks: that the points are the enrolled ones; that the lender
opens the shares that it was dealt; that they hold at most one one a characteristic. It answers one application once,
for ever, and no card is enrolled twice. Assumption: it does not pool what it holds with the lender or with the source.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore_crypto.channel.frames import Kind, refuse
from blindscore_crypto.channel.signatures import ID_BYTES
from blindscore_crypto.encrypted.wire import NONCE_BYTES
from blindscore_crypto.layout import MAX_BYTES, Layout
from blindscore_crypto.shared.check import check_proof, helpers_opening, helpers_token
from blindscore_crypto.shared.deal import CHALLENGE_BYTES, HelpersHalf
from blindscore_crypto.shared.enrol import Deal, Dealt, Enrol, MaskedCard
from blindscore_crypto.shared.field import DEGREE, decode, digest, encode
from blindscore_crypto.shared.line import Line
from blindscore_crypto.shared.points import CardKey, phi_of
from blindscore_crypto.shared.rows import Shape
from blindscore_crypto.shared.wire import Masked, Part, Proof

KEEP_DAYS = 2  # longer than a part holds good, so that nothing forgotten is answered again
_ENROLLING = TableSpec(
    "enrolling",
    Field("box", "own"),
    (Field("lender", "own"), Field("source", "own"), Field("layout", "own"), Field("pads", "own")),
)
_CARDS = TableSpec("cards", Field("card", "own"), (Field("layout", "own"), Field("pads", "own")))
_LAYOUTS = TableSpec("layouts", Field("fingerprint", "own"), (Field("encoded", "own"),))
_MASKED = TableSpec("masked", Field("nonce", "own"), (Field("lender", "own"), Field("body", "own")), KEEP_DAYS)
_PARTS = TableSpec(
    "parts", Field("nonce", "own"), (Field("source", "own"), Field("layout", "own"), Field("half", "own")), KEEP_DAYS
)
_BOUND = TableSpec("bound", Field("nonce", "own"), (Field("rho", "own"),), KEEP_DAYS)
_TOLD = TableSpec("told", Field("nonce", "own"), (), KEEP_DAYS)


def card_id(lender: str, source: bytes) -> bytes:
    """Return the name (32 bytes) of a lender's card for the customers of a source."""
    return digest(b"card", lender.encode(), source)


class SharingHelper:
    """The second server.

    Parameters
    ----------
    name
        Its address.
    sources
        Its lines to sources, by the id of their signature key, and their addresses.
    lenders
        Its lines to lenders, by address.
    store, clock
        What it keeps, and what time it is.
    """

    role = "helper"

    def __init__(
        self,
        name: str,
        sources: Mapping[bytes, tuple[str, Line]],
        lenders: Mapping[str, Line],
        store: Store,
        clock: Clock,
    ) -> None:
        self.name, self.store = name, store
        self._sources, self._lenders, self._clock = dict(sources), dict(lenders), clock
        self._phi = {key_id: phi_of(line) for key_id, (_, line) in sources.items()}
        store.declare(_ENROLLING, _CARDS, _LAYOUTS, _MASKED, _PARTS, _BOUND, _TOLD)

    def handle(self, message: Message) -> list[Message]:
        """Take any message; whatever is wrong, the refusal is one and the same."""
        try:
            match message.kind:
                case "part":
                    return self._part(message.body)
                case "masked":
                    return self._masked(message.body, message.sender)
                case "proof":
                    return [Message(message.sender, "token", self.answer(message.body, message.sender))]
                case "enrol":
                    return self._enrol(message.body, message.sender)
                case "dealt":
                    return self._dealt(message.body, message.sender)
                case "card":
                    self._card(message.body, message.sender)
        except BlindscoreError:
            return [Message(message.sender, "refusal", b"")]
        return []

    def _line(self, lender: str) -> Line:
        line = self._lenders.get(lender)
        if line is None:
            raise refuse(Kind.MASKED, "it comes from no lender whom this helper serves")
        return line

    def _source(self, key_id: bytes) -> Line:
        if key_id not in self._sources:
            raise refuse(Kind.PART, "its source is not one with whom this helper has a line")
        return self._sources[key_id][1]

    # -- cards ----------------------------------------------------------------------------------------------------

    def _enrol(self, frame: bytes, lender: str) -> list[Message]:
        asked = Enrol.open(self._line(lender), frame)
        if asked.source not in self._sources:
            raise refuse(Kind.ENROL, "its source is not one with whom this helper has a line")
        if self.store.get("cards", card_id(lender, asked.source)) is not None:
            raise refuse(Kind.ENROL, "this lender has a card for this source's customers already")
        row: Row = {"lender": lender, "source": asked.source, "layout": asked.layout.encode(), "pads": b""}
        self.store.put("enrolling", asked.box, row)
        name, line = self._sources[asked.source]
        return [Message(name, "deal", Deal(asked.box, asked.layout).seal(line))]

    def _dealt(self, frame: bytes, source: str) -> list[Message]:
        lines = {name: (key_id, line) for key_id, (name, line) in self._sources.items()}
        if source not in lines:
            raise refuse(Kind.DEALT, "it comes from no source with whom this helper has a line")
        key_id, line = lines[source]
        dealt = Dealt.open(line, frame)
        row = self.store.get("enrolling", dealt.box)
        if row is None or row["source"] != key_id or row["pads"] != b"":
            raise refuse(Kind.DEALT, "no card waits for it")
        decode(dealt.pads, Shape.of(_layout(row)).indicators + 1, DEGREE)
        self.store.put("enrolling", dealt.box, {**row, "pads": dealt.pads})
        return [Message(str(row["lender"]), "keys", dealt.keys)]

    def _card(self, frame: bytes, lender: str) -> None:
        card = MaskedCard.open(self._line(lender), frame)
        row = self.store.get("enrolling", card.box)
        if row is None or row["lender"] != lender or row["pads"] == b"":
            raise refuse(Kind.CARD, "no enrolment waits for it")
        layout = _layout(row)
        shape = Shape.of(layout)
        if card.masked.size != shape.indicators + 1:
            raise refuse(Kind.CARD, "it has another number of points than its layout")
        source = blob_of(row, "source")
        pads = decode(blob_of(row, "pads"), shape.indicators + 1, DEGREE)
        key = CardKey.of(self._phi[source], pads, card.masked)
        kept: Row = {"layout": layout.fingerprint, "pads": encode(key.pads)}
        with self.store.atomic():
            self.store.take("enrolling", card.box)
            if self.store.insert_once("cards", card_id(lender, source), kept) is not None:
                raise refuse(Kind.CARD, "this lender has a card for this source's customers already")
            self.store.put("layouts", layout.fingerprint, {"encoded": row["layout"]})

    # -- applications ---------------------------------------------------------------------------------------------

    def _part(self, body: bytes) -> list[Message]:
        source, today = body[:ID_BYTES], day_of(self._clock)
        part = Part.open(self._source(source), body[ID_BYTES:])
        if not today - 1 <= part.day <= today + 1:
            raise refuse(Kind.PART, "it was dealt on another day")
        HelpersHalf.decode(self._shape(part.layout), part.half)
        row: Row = {"source": source, "layout": part.layout, "half": part.half}
        if self.store.insert_once("parts", part.nonce, row, day=max(today, part.day)) is not None:
            raise refuse(Kind.PART, "this application has its part already")
        return self._bind(part.nonce)

    def _shape(self, fingerprint: bytes) -> Shape:
        row = self.store.get("layouts", fingerprint)
        if row is None:
            raise refuse(Kind.PART, "its layout is none of an enrolled card")
        return Shape.of(Layout.decode(blob_of(row, "encoded")))

    def _masked(self, frame: bytes, lender: str) -> list[Message]:
        body = self._line(lender).open(Kind.MASKED, frame, NONCE_BYTES, MAX_BYTES)
        masked = Masked.decode(body)
        row: Row = {"lender": lender, "body": body}
        if self.store.insert_once("masked", masked.nonce, row, day=day_of(self._clock)) is not None:
            raise refuse(Kind.MASKED, "this application has its points already")
        return self._bind(masked.nonce)

    def _bind(self, nonce: bytes) -> list[Message]:
        """Challenge the lender, once its masked points and the part are both there."""
        if self.store.get("masked", nonce) is None or self.store.get("parts", nonce) is None:
            return []
        lender, _, half, _ = self._waiting(nonce)
        rho = secrets.token_bytes(CHALLENGE_BYTES)  # nobody knew it when points were sent and shares dealt
        if self.store.insert_once("bound", nonce, {"rho": rho}, day=day_of(self._clock)) is not None:
            return []
        challenge = helpers_opening(half, nonce, rho)
        return [Message(lender, "challenge", self._line(lender).seal(Kind.CHALLENGE, challenge.encode()))]

    def _waiting(self, nonce: bytes) -> tuple[str, Masked, HelpersHalf, CardKey]:
        row, part = self.store.get("masked", nonce), self.store.get("parts", nonce)
        if row is None or part is None:
            raise refuse(Kind.PROOF, "no application waits for it")
        lender, masked = str(row["lender"]), Masked.decode(blob_of(row, "body"))
        source = blob_of(part, "source")
        card = self.store.get("cards", card_id(lender, source))
        if card is None or card["layout"] != part["layout"]:
            raise refuse(Kind.MASKED, "no card of this layout is enrolled for it")
        shape = self._shape(blob_of(part, "layout"))
        if masked.delta.size != shape.indicators + 1:
            raise refuse(Kind.MASKED, "it has another number of points than the card")
        half = HelpersHalf.decode(shape, blob_of(part, "half"))
        pads = decode(blob_of(card, "pads"), shape.indicators + 1, DEGREE)
        return lender, masked, half, CardKey(self._phi[source], pads)

    def answer(self, frame: bytes, lender: str) -> bytes:
        """Return the token frame for a lender whose proof holds; one attempt an application.

        Raises
        ------
        ForgeryError
            Malformed, for no application that waits, or anything in it is not what was enrolled or dealt.
        """
        line = self._line(lender)
        body = line.open(Kind.PROOF, frame, NONCE_BYTES, MAX_BYTES)
        nonce = body[:NONCE_BYTES]
        owner, masked, half, card = self._waiting(nonce)
        bound = self.store.get("bound", nonce)
        if bound is None or owner != lender:
            raise refuse(Kind.PROOF, "no application waits for it")
        if self.store.insert_once("told", nonce, {}, day=day_of(self._clock)) is not None:
            raise refuse(Kind.PROOF, "this application has had its proof already")
        read = Proof.decode(half.shape, body)
        rho = blob_of(bound, "rho")
        opened = check_proof(half, card, masked, rho, read)
        return line.seal(Kind.TOKEN, helpers_token(half, masked, rho, opened, read).encode())


def _layout(row: Row) -> Layout:
    return Layout.decode(blob_of(row, "layout"))
