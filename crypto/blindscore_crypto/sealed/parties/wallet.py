"""Wallet: the applicant's side. Holds bins, openings, score and secret; nobody else does.

::

    told "apply"  -> log: who is this lender, its terms, its sources' keys      (checked in list and map, k witnesses)
                  -> each source: sign a batch                                   (early, so that dates do not join up)
                  -> lender: ask, commit, answer, fetch                          (:mod:`.offer`)

Who sees what: the wallet sees its own person's bins and the public card, and computes score, reasons and proof by
itself. The lender is sent a proof of one bit, or a refusal of the same size. All of its state is in its store: a
restart forgets neither what was shown nor whom it answered. Assumptions: those of the messages' modules. Not
protected: malware on the device; a person forced to show the score; the time at which an application is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from blindscore.errors import BlindscoreError, DataError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import Clock, day_of, wall_clock
from blindscore.parties.store import Field, Row, Store, TableSpec, blob_of
from blindscore.scorecard.reasons import REASONS, Reason, reasons
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.check import answer_bytes
from blindscore_crypto.sealed.disclosure import Openings, disclose
from blindscore_crypto.sealed.groups.group import Group, decode_scalar, encode_scalar, random_scalar
from blindscore_crypto.sealed.holder import request
from blindscore_crypto.sealed.judge import Finding, judge
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member, epoch_key_key, member_key, name_key, terms_key
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.log.lookup import Watcher
from blindscore_crypto.sealed.offer import NO_CHANNEL, Decision, Offer, Receipt, Verdict, ask, commit, digest, key_hash
from blindscore_crypto.sealed.parties.purse import BlindPurse, Purse, SealedPurse
from blindscore_crypto.sealed.terms import LOAN, Epoch, Signatory, Terms, bins_by_feature

LONGEST_WAIT_S = 86_400  # a lender that wants longer is not answered
BATCH = 4
SECRET = TableSpec("secret", Field("epoch", "own"), (Field("k", "own"),))
TERMS = TableSpec("terms", Field("epoch", "own"), (Field("terms", "own"),))
STAGE = TableSpec("stage", Field("what", "own"), (Field("stage", "own"), Field("keys", "own")))
APPLICATIONS = TableSpec(
    "applications",
    Field("lender", "own"),  # key and epoch: answered once, whatever name or purpose it goes by
    tuple(
        Field(name, "own") for name in ("terms", "client", "offer", "bins", "answer", "blinding", "receipt", "decision")
    ),
)
TROUBLE = TableSpec("trouble", Field("number", "own"), (Field("why", "own"),))
_BLANK = dict.fromkeys((f.name for f in APPLICATIONS.fields), b"")


@dataclass(frozen=True)
class Setting:
    """What a wallet is told once, and what is the same for everybody."""

    lender: str  # name, as the registrar admitted it
    epoch: Epoch
    trust: Trust
    purpose: str = LOAN
    batch: int = BATCH  # signatures that it fetches at once from each source
    log: str = "log"


class Wallet:
    """One person's wallet.

    Parameters
    ----------
    legal_id
        By which the sources know the person.
    channel_to
        The channel to an institution, 32 bytes as both ends of the line see them; by default none is bound.
    """

    role = "wallet"

    def __init__(
        self,
        name: str,
        legal_id: str,
        setting: Setting,
        store: Store,
        *,
        clock: Clock = wall_clock,
        channel_to: Callable[[str], bytes] = lambda _: NO_CHANNEL,
    ) -> None:
        store.declare(SECRET, TERMS, STAGE, APPLICATIONS, TROUBLE)
        self.name, self.store, self.setting = name, store, setting
        self._legal_id, self._clock, self._channel_to = legal_id, clock, channel_to
        self._watcher = Watcher(setting.trust, store)

    def __repr__(self) -> str:
        return f"Wallet({self.name!r})"

    # What the person may ask

    @property
    def _when(self) -> bytes:
        return self.setting.epoch.encode()  # an old epoch's terms must not answer for this one's

    @property
    def terms(self) -> Terms:
        """The terms that were found in the public log.

        Raises
        ------
        DataError
            None were found yet.
        """
        row = self.store.get(TERMS.name, self._when)
        if row is None:
            raise DataError("this wallet has not found the lender's terms in the public log yet")
        return Terms.decode(blob_of(row, "terms"))

    @property
    def purse(self) -> Purse:
        """What it holds, in the form that its terms ask for."""
        return (BlindPurse if self.terms.is_blind else SealedPurse)(self.store, self._legal_id)

    def bins(self) -> dict[str, int]:
        """Return the person's bin in every feature of the card, as signed by the sources.

        Raises
        ------
        DataError
            Nothing was signed yet.
        """
        terms, purse, papers = self.terms, self.purse, self.application()
        if papers is None or not papers["bins"] or purse.left(terms):
            return bins_by_feature(terms, purse.rows(terms))
        features = [feature for source in terms.sources for feature in source.layout.features]
        return dict(zip(features, blob_of(papers, "bins"), strict=True))

    def score(self) -> int:
        """Return the person's score under the public card, computed here and shown to nobody."""
        return self._score(self.bins())

    def _score(self, bins: dict[str, int]) -> int:
        card = self.terms.card
        return int(card.scores(np.array([[bins[f] for f in card.features]]))[0])

    def distance(self) -> int:
        """Return score - threshold in points; negative where points are missing."""
        return self.score() - self.terms.threshold

    def reasons(self, top: int = REASONS) -> tuple[Reason, ...]:
        """Return what costs the person most, worst first: see :mod:`blindscore.scorecard.reasons`."""
        card, bins = self.terms.card, self.bins()
        return reasons(card, np.array([[bins[f] for f in card.features]]), top)[0]

    def what_if(self, feature: str, bin_index: int) -> int:
        """Return the score if one feature fell into another bin.

        Raises
        ------
        DataError
            The card has no such feature, or the feature no such bin.
        """
        card, bins = self.terms.card, self.bins()
        sizes = dict(zip(card.features, card.n_bins, strict=True))
        if feature not in sizes or not 0 <= bin_index < sizes[feature]:
            raise DataError(f"{feature}: the card has no such feature or bin")
        return self._score({**bins, feature: bin_index})

    def disclose(self, context: bytes, *, low: int, high: int, features: Sequence[str] = ()) -> bytes:
        """Show a score band and chosen losses to one reader; see :func:`.disclosure.disclose`. Uses up attestations.

        Raises
        ------
        DataError
            The sources sign blindly: the sealed form alone discloses.
        """
        terms = self.terms
        if terms.is_blind:
            raise DataError("blind signatures prove one bit; disclosure needs terms whose sources sign attestations")
        purse = SealedPurse(self.store, self._legal_id)
        shown, rows = purse.open(terms, self.secret(terms.group))
        openings = Openings(rows, bins_by_feature(terms, purse.rows(terms)))
        made = disclose(terms, context, shown, openings, low=low, high=high, features=features)
        purse.spend(terms)
        return made

    def secret(self, group: Group) -> int:
        """Return k, the wallet's secret of this epoch; made at first use."""
        made = encode_scalar(random_scalar(group))
        epoch = self.setting.epoch.encode() + group.name.encode()
        first = self.store.insert_once(SECRET.name, epoch, {"k": made})
        return decode_scalar(group, made if first is None else blob_of(first, "k"))

    def take_secret(self, secret: int, group: Group) -> None:
        """Hold the secret of this epoch that another wallet of this person made: a source signs for one alone."""
        epoch = self.setting.epoch.encode() + group.name.encode()
        self.store.insert_once(SECRET.name, epoch, {"k": encode_scalar(secret)})

    def application(self) -> Row | None:
        """Return the papers of this epoch's application to the lender, or None."""
        row = self.store.get(TERMS.name, self._when)
        return None if row is None else self.store.get(APPLICATIONS.name, self._answered())

    def verdict(self) -> bool | None:
        """Return approved or refused, or None where no such decision came."""
        papers = self.application()
        if papers is None or not papers["decision"]:
            return None
        said = Decision.decode(self.terms, digest(blob_of(papers, "answer")), blob_of(papers, "decision")).verdict
        return {Verdict.APPROVED: True, Verdict.REFUSED: False}.get(said)

    def finding(self) -> Finding | None:
        """Return what a judge finds in the papers, or None where there are none to judge yet."""
        papers = self.application()
        if papers is None or not papers["receipt"]:
            return None
        decision = blob_of(papers, "decision") or None
        receipt = Receipt.decode(self.terms, blob_of(papers, "receipt"))
        if decision is None and self._clock() < receipt.deadline:
            return None
        return judge(self.terms, blob_of(papers, "answer"), blob_of(papers, "receipt"), decision, self._clock())

    def troubles(self) -> list[str]:
        """Return why messages were refused, oldest first."""
        return [str(row["why"]) for _, row in self.store.items(TROUBLE.name)]

    # What others send

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`. A message that is refused is noted, and nobody is told."""
        with self._noted():
            if message.kind in ("apply", "learn"):
                return self._begin(message.kind)
            if message.kind == "collect":
                return self._again()
            if message.sender == self.setting.log:
                return self._learn(message)
            if message.sender == self.setting.lender:
                return self._lender(message)
            return self._source(message)
        return []

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except BlindscoreError as error:
            self.trouble(error)

    def trouble(self, error: BlindscoreError) -> None:
        """Note why a message was refused."""
        number = self.store.count(TROUBLE.name)
        self.store.put(TROUBLE.name, number.to_bytes(4, "big"), {"why": str(error)})

    def _begin(self, command: str) -> list[Message]:
        """Find the terms, fetch what is missing, apply; ``learn`` stops before the application."""
        self.store.put(STAGE.name, b"goal", {"stage": command.encode(), "keys": b""})
        if self.store.get(TERMS.name, self._when) is None:
            return self._look_up(b"name", [name_key(self.setting.lender)])
        return self._fetch_or_ask()

    def _look_up(self, stage: bytes, keys: list[bytes]) -> list[Message]:
        self.store.put(STAGE.name, b"log", {"stage": stage, "keys": b"".join(keys)})
        return [Message(self.setting.log, "lookup", self._watcher.ask(keys))]

    def _learn(self, message: Message) -> list[Message]:
        row = self.store.take(STAGE.name, b"log")
        if message.kind != "found" or row is None:
            raise ForgeryError(f"the log sends {message.kind!r}, which nobody asked for")
        joined = blob_of(row, "keys")
        keys = [joined[i : i + 32] for i in range(0, len(joined), 32)]
        found = self._watcher.read(keys, message.body, self._clock())
        if any(entry is None for entry in found):
            raise DataError("the public log proves that it has no such lender, terms or key")
        entries = [entry for entry in found if entry is not None]
        if row["stage"] == b"name":
            member = Member.decode(_of(entries[0], Kind.MEMBER).body)
            return self._look_up(b"terms", [terms_key(member.key, self.setting.purpose, self.setting.epoch.number)])
        if row["stage"] == b"terms":
            return self._check_sources(_of(entries[0], Kind.TERMS))
        self._believe(entries)
        return self._fetch_or_ask()

    def _check_sources(self, entry: Entry) -> list[Message]:
        terms = Terms.decode(entry.body)
        if (terms.lender, terms.lender_key) != (self.setting.lender, entry.issuer):
            raise ForgeryError("the terms are of another lender than they are logged by")
        if terms.epoch != self.setting.epoch:
            raise ForgeryError("the terms' dates are not the published ones")
        self.store.put(STAGE.name, b"terms", {"stage": b"", "keys": entry.body})
        keys = [member_key(source.key) for source in terms.sources]
        keys += [epoch_key_key(s.key, s.layout.fingerprint, terms.epoch) for s in terms.sources if s.blind is not None]
        return self._look_up(b"sources", keys)

    def _believe(self, entries: list[Entry]) -> None:
        row = self.store.take(STAGE.name, b"terms")
        if row is None:
            raise ForgeryError("the log answers about sources before terms")
        terms = Terms.decode(blob_of(row, "keys"))
        n = len(terms.sources)
        for source, entry in zip(terms.sources, entries[:n], strict=True):
            member = Member.decode(_of(entry, Kind.MEMBER).body)
            if (member.name, member.role) != (source.name, "source"):
                raise ForgeryError(f"{source.name!r} is no source under this key")
        for source, entry in zip(terms.sources, entries[n:], strict=False):
            if source.blind is None or _of(entry, Kind.EPOCH_KEY).body != source.blind.signed:
                raise ForgeryError(
                    f"the epoch key of {source.name!r} is not the published one; it could mark its holder"
                )
        self.store.put(TERMS.name, self._when, {"terms": terms.encode()})

    # Sources

    def _fetch_or_ask(self) -> list[Message]:
        terms = self.terms
        if not self.purse.left(terms):
            secret, epoch = self.secret(terms.group), self.setting.epoch.number
            return [
                Message(s.name, "request", request(terms.group, secret, s.key, epoch, self.setting.batch))
                for s in terms.sources
            ]
        return self._ask() if self._goal() == b"apply" else []

    def _goal(self) -> bytes:
        row = self.store.get(STAGE.name, b"goal")
        return b"" if row is None else blob_of(row, "stage")

    def _source(self, message: Message) -> list[Message]:
        terms = self.terms
        found: Signatory | None = next((s for s in terms.sources if s.name == message.sender), None)
        if found is None:
            raise ForgeryError("a message of somebody who is no source of these terms")
        if message.kind == "refused":
            raise DataError(f"{found.name!r} refuses to sign")
        reply = self.purse.receive(terms, found, self.secret(terms.group), message)
        if reply is not None:
            return [reply]
        return self._ask() if self.purse.left(terms) and self._goal() == b"apply" else []

    # Lender

    def _answered(self) -> bytes:
        return self.terms.lender_key.raw + self.setting.epoch.encode()

    def _ask(self) -> list[Message]:
        """Ask for an offer under a fresh one-time key. A lender's key is answered once an epoch."""
        seed = os.urandom(32)
        row = {**_BLANK, "terms": self.terms.fingerprint, "client": seed}
        with self.store.atomic():
            first = self.store.insert_once(APPLICATIONS.name, self._answered(), row)
            if first is not None and first["receipt"]:  # before it, the lender has seen no answer
                raise ParameterError(
                    "this lender was answered in this epoch; a second answer could narrow the score down"
                )
            self.store.put(APPLICATIONS.name, self._answered(), row)
        self.store.take(STAGE.name, b"goal")
        client = SigningKey.of_seed(seed)
        return [Message(self.setting.lender, "ask", ask(client.public, self._channel_to(self.setting.lender)))]

    def _papers(self) -> dict[str, bytes]:
        row = self.application()
        if row is None:
            raise ForgeryError("the lender answers what was not asked")
        return {name: blob_of(row, name) for name in _BLANK}

    def _lender(self, message: Message) -> list[Message]:
        action = {
            "offer": self._offer,
            "receipt": self._receipt,
            "noted": lambda _: self._fetch(),
            "later": lambda _: [],
            "decision": self._decision,
        }.get(message.kind)
        if action is None:
            raise ForgeryError(f"the lender sends {message.kind!r}")
        return action(message.body)

    def check_offer(self, data: bytes, client: SigningKey) -> Offer:
        """Return an offer, after checking all that a lender could have put in it.

        Raises
        ------
        ForgeryError
            Malformed, under other terms than the log's, unsigned, of another day, to another key or on another channel.
        """
        offer, today = Offer.decode(self.terms, data), day_of(self._clock)
        if offer.day != today or today > self.terms.epoch.last_day:
            raise ForgeryError("the offer is of another day or epoch; ask for a new one")
        if offer.client != key_hash(client.public) or offer.channel != self._channel_to(self.setting.lender):
            raise ForgeryError("the offer is to somebody else, or on another channel: somebody may stand in between")
        return offer

    def _offer(self, body: bytes) -> list[Message]:
        papers = self._papers()
        if papers["answer"]:
            raise ForgeryError("a second offer to one question")
        client = SigningKey.of_seed(papers["client"])
        offer = self.check_offer(body, client)
        bins = self.bins()
        total = self.terms.card.base + sum(c.points[bins[c.feature]] for c in self.terms.card.characteristics)
        value = total - self.terms.threshold
        answer, blinding = self.purse.prove(self.terms, offer, client, self.secret(self.terms.group), value)
        papers |= {"offer": body, "bins": bytes(bins.values()), "answer": answer, "blinding": encode_scalar(blinding)}
        self.store.put(APPLICATIONS.name, self._answered(), papers)
        return [Message(self.setting.lender, "commit", commit(offer, answer, client))]

    def _receipt(self, body: bytes) -> list[Message]:
        """Send the answer only once its decision has been promised."""
        papers = self._papers()
        if papers["receipt"] or not papers["answer"]:
            raise ForgeryError("a receipt that nobody asked for")
        receipt = Receipt.decode(self.terms, body)
        offer = Offer.decode(self.terms, papers["offer"])
        if (receipt.offer, receipt.answer) != (offer.nullifier, digest(papers["answer"])):
            raise ForgeryError("the receipt is for another answer")
        if receipt.deadline > self._clock() + LONGEST_WAIT_S:
            raise ForgeryError("the lender's deadline lies too far away")
        self.store.put(APPLICATIONS.name, self._answered(), papers | {"receipt": body})
        return [Message(self.setting.lender, "answer", papers["answer"])]

    def _fetch(self) -> list[Message]:
        papers = self._papers()
        return [Message(self.setting.lender, "fetch", digest(papers["answer"]))] if papers["receipt"] else []

    def _again(self) -> list[Message]:
        """Say again what the last reply was lost to; the lender answers alike."""
        papers = self._papers()
        if not papers["answer"] or papers["decision"]:
            return []
        if papers["receipt"]:
            return [Message(self.setting.lender, "answer", papers["answer"])]
        offer, client = Offer.decode(self.terms, papers["offer"]), SigningKey.of_seed(papers["client"])
        return [Message(self.setting.lender, "commit", commit(offer, papers["answer"], client))]

    def _decision(self, body: bytes) -> list[Message]:
        papers = self._papers()
        if papers["decision"] or len(papers["answer"]) != answer_bytes(self.terms):
            raise ForgeryError("a decision that nobody waits for")
        Decision.decode(self.terms, digest(papers["answer"]), body)
        self.store.put(APPLICATIONS.name, self._answered(), papers | {"decision": body})
        return []


def _of(entry: Entry, kind: Kind) -> Entry:
    if entry.kind != kind:
        raise ForgeryError(f"the log answers with a {entry.kind.name.lower()} where a {kind.name.lower()} should stand")
    return entry
