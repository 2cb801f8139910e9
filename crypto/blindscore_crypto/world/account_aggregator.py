"""``account-aggregator`` (India): a sealed statement travels through a pipe that knows who consents to whom.

Who sees what: the bank its customer, and which lender reads the account; the pipe who consents to which lender and
which bank, the hour, and ciphertext; the lender name, statement and score. Assumptions: X25519, HKDF-SHA256, AES-GCM,
by the package cryptography. Not protected: the pipe's list of who borrows where; all that stands on the statement, once
the lender has opened it. Left out: the parties' signatures and certificates, and what a person must agree to on screen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.plain import LEGAL_ID, bank_view, columns_of, everyone, financial, own_records
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore.parties.cast import APPLY, Cast, Ending
from blindscore.parties.message import Message
from blindscore.parties.store import Field, MemoryStore, Store, TableSpec
from blindscore.parties.view import View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Fitted, legal_ids
from blindscore_crypto.world.parties import Reads
from blindscore_crypto.world.run import ReadsAccounts, Row, accounts_of, kinds_of, known_of, play_accounts, run_of

PIPE, EXTRA = "consent manager", "account-aggregator"
CONSENTS, STATEMENTS = "consents", "statements"
KEY, NONCE = 32, 12  # bytes
LABEL = b"statement for a lender"


def seal(statement: bytes, to: bytes) -> bytes:
    """Return a fresh public key, a nonce and ciphertext that only the holder of the key behind ``to`` opens."""
    with needs("account-aggregator"):
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    own, nonce = X25519PrivateKey.generate(), os.urandom(NONCE)
    public: bytes = own.public_key().public_bytes_raw()
    key = _key(own.exchange(X25519PublicKey.from_public_bytes(to)), public + to)
    return public + nonce + bytes(AESGCM(key).encrypt(nonce, statement, public + to))


def unseal(sealed: bytes, key: Any) -> bytes:
    """Return what :func:`seal` sealed to this private key.

    Raises
    ------
    ForgeryError
        It was sealed to another, or changed on its way.
    """
    with needs("account-aggregator"):
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    public, nonce, rest = sealed[:KEY], sealed[KEY : KEY + NONCE], sealed[KEY + NONCE :]
    bound = public + key.public_key().public_bytes_raw()
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(public))
        return bytes(AESGCM(_key(shared, bound)).decrypt(nonce, rest, bound))
    except (InvalidTag, ValueError) as error:
        raise ForgeryError("statement refused: it was not sealed for this request, or it was changed") from error


def _key(shared: bytes, bound: bytes) -> bytes:
    with needs("account-aggregator"):
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    return bytes(HKDF(SHA256(), KEY, salt=bound, info=LABEL).derive(shared))


@dataclass
class Bank:
    """Holds accounts; seals a customer's statement to the key that a request names."""

    accounts: Mapping[str, Row]
    store: Store
    role: str = "source"
    name: str = "source"

    def handle(self, message: Message) -> list[Message]:
        """Answer a request that the pipe hands on."""
        asked = json.loads(message.body)
        row = self.accounts.get(asked["customer"])
        if row is None:
            raise ForgeryError("request refused: no account of that customer")
        return [Message(PIPE, "statement", seal(json.dumps(row).encode(), bytes.fromhex(asked["key"])))]


@dataclass
class Pipe:
    """Keeps consents and passes on what it cannot read."""

    store: Store = field(
        default_factory=lambda: MemoryStore(
            TableSpec(CONSENTS, Field("consent", "own"), (Field(LEGAL_ID, "handle"), Field("to", "own")))
        )
    )
    role: str = PIPE
    name: str = PIPE
    waiting: str = ""  # the customer of the request that is under way

    def handle(self, message: Message) -> list[Message]:
        """Take a consent, fetch for it, pass the answer on."""
        if message.kind == "consent":
            lender = message.body.decode()
            self.store.put(CONSENTS, os.urandom(16), {LEGAL_ID: message.sender, "to": lender})
            self.waiting = message.sender
            return [Message(lender, "consented", b"")]
        if message.kind == "fetch":
            asked = {"customer": self.waiting, "for": message.sender, "key": message.body.hex()}
            return [Message("source", "request", json.dumps(asked).encode())]
        return [Message("lender", "statement", message.body)]


@dataclass
class Lender:
    """Asks through the pipe under a fresh key, opens, scores by its own card, and answers the person who applied."""

    reads: Reads
    threshold: int
    store: Store
    role: str = "lender"
    name: str = "lender"
    key: Any = None
    applicant: str = ""

    def handle(self, message: Message) -> list[Message]:
        """Take the next step of the application that is under way."""
        with needs("account-aggregator"):
            from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        if message.kind == "application":
            self.applicant = message.sender
            return [Message(message.sender, "consent please", b"")]
        if message.kind == "consented":
            self.key = X25519PrivateKey.generate()
            return [Message(PIPE, "fetch", self.key.public_key().public_bytes_raw())]
        read = self.reads.of(json.loads(unseal(message.body, self.key)))
        self.store.put(STATEMENTS, self.applicant.encode(), read)
        approved = int(read["score"] or 0) >= self.threshold
        return [Message(self.applicant, "decision", json.dumps({"ok": approved}).encode())]


@dataclass
class Wallet:
    """One person's: applies, consents, reads the answer."""

    name: str
    store: Store = field(default_factory=MemoryStore)
    role: str = "wallet"
    answer: bool | None = None

    def handle(self, message: Message) -> list[Message]:
        """Take the next step."""
        if message.kind == APPLY:
            return [Message("lender", "application", b"")]
        if message.kind == "consent please":
            return [Message(PIPE, "consent", b"lender")]
        self.answer = bool(json.loads(message.body)["ok"])
        return []

    def ending(self) -> Ending:
        """Return what the lender answered."""
        return Ending(self.answer)


@dataclass(frozen=True)
class AccountAggregator(ReadsAccounts):
    """Statements through a blind pipe."""

    name = "account-aggregator"
    order = 32
    extra = EXTRA
    summary = "You tell a pipe to fetch your bank statement for a lender; the pipe reads nothing, the lender all of it."
    enforces = frozenset({NO_CONDUCT})
    feared = ((PIPE, "lender"), (PIPE, "state"), ("lender", "state"))
    rules = (
        Rule(
            "a consent names who reads which account for what; data travel sealed by Curve25519 keys of one session",
            "reported",
            "ReBIT's account aggregator specifications, by secondary sources; sealed here by the package cryptography",
        ),
        Rule("the pipe may not read what passes through it", "reported", "RBI's master direction on NBFC-AA, 2016"),
        Rule("the lender asks for all figures, and keeps name, statement and score", "modelled", "this project"),
    )
    questions = MappingProxyType(
        {
            "hidden": "From the pipe every figure; from the lender nothing that stands on the statement.",
            "linkable": "Everything at bank, pipe and lender, by name: the pipe joins all lenders of one person.",
            "issuer": "The bank learns from the request which lender reads whose account, and when.",
            "revocation": "A consent is withdrawn at the pipe, and reading stops; what the lender opened stays. No "
            "list is looked up: every reading passes pipe and bank, which learn of it.",
        }
    )

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Seal and open for a sample; see :class:`blindscore.designs.design.Design`."""
        fitted, _, _, done = play_accounts(population, scorecard, rng, self, _cast, _views)
        plays = {"lender": ("scorer", "lender")}
        return run_of(done, fitted, scorer="lender", plays=plays, parameters={"approve": self.approve})


def _cast(population: Population, fitted: Fitted, chosen: np.ndarray[Any, Any]) -> Cast:
    known, (figures, register) = known_of(population, chosen), kinds_of(population)
    kinds = {**figures, **register}
    reads = Reads((*kinds.items(), ("score", "score")), fitted.card, fitted.threshold)
    spec = TableSpec(STATEMENTS, Field(LEGAL_ID, "handle"), reads.spec().fields[:-1])
    lender = Lender(reads, fitted.threshold, MemoryStore(spec))
    lines = {("wallet", "lender"): "legal id", ("wallet", PIPE): "legal id"}
    return Cast(
        (Bank(known, accounts_of(kinds, known)), Pipe(), lender),
        lambda legal_id: Wallet(f"wallet of {legal_id}"),
        lambda wallet: wallet.ending(),  # type: ignore[attr-defined]
        lines,  # type: ignore[arg-type]
    )


def _views(population: Population, fitted: Fitted) -> dict[str, View]:
    """Return the ideal views: the bank's ledger; who consents, for the pipe; the statement and its score."""
    everybody = everyone(population)
    named = pd.DataFrame({LEGAL_ID: legal_ids(population)})
    statement = own_records(population, financial(population)).assign(score=fitted.scores)
    return {
        "source": bank_view(population),
        PIPE: View(PIPE, "legal id", named, columns_of(population, named), everybody),
        "lender": View("lender", "legal id", statement, columns_of(population, statement, score="score"), everybody),
    }
