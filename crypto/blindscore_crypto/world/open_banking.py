"""``open-banking``: a lender's agent reads the account by a token of its owner; other people stand in it too.

Who sees what: the bank its customer, and which agent reads, for how long; the agent name, figures and all transactions,
with the names of whoever was paid; the lender name and score. Assumption: ECDSA on P-256 under SHA-256 for tokens, by
the package jwcrypto. Not protected: everything on the account; and *silent parties*, who are named in other people's
transactions and were asked by nobody. Left out: certificates between bank and agent, the redirect of the browser.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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

AGENT, EXTRA = "agent", "open-banking"
REPORTS, PAID = "reports", "paid"
DAYS = 90  # that a token is good for, by default
SILENT = "silent parties a person"


def silent_parties(friends: NDArray[np.integer], consenting: Sequence[int] | NDArray[np.integer]) -> set[int]:
    """Return the people who stand in the accounts of those who consent, and did not consent themselves.

    Parameters
    ----------
    friends
        Who pays whom, either way, (m, 2), by index.
    consenting
        Who lets an agent read, by index.
    """
    inside = np.isin(friends, consenting)
    return set(map(int, friends[inside[:, ::-1]])) - set(map(int, consenting))


@dataclass
class Bank:
    """Makes a token for a customer, and answers whoever brings one that it made."""

    key: Any
    accounts: Mapping[str, Row]
    transactions: Mapping[str, list[dict[str, str]]]
    store: Store
    role: str = "source"
    name: str = "source"

    def handle(self, message: Message) -> list[Message]:
        """Make a token, or answer to one."""
        with needs("open-banking"):
            from jwcrypto.common import JWException
            from jwcrypto.jwt import JWT
        if message.kind == "authorise":
            said = {"sub": message.sender, "aud": message.body.decode(), "jti": os.urandom(16).hex()}
            token = JWT(header={"alg": "ES256"}, claims={**said, "exp": int(time.time()) + DAYS * 86_400})
            token.make_signed_token(self.key)
            return [Message(message.sender, "token", token.serialize().encode())]
        try:
            checked = JWT(jwt=message.body.decode(), key=self.key, algs=["ES256"], check_claims={"aud": message.sender})
            customer = str(json.loads(checked.claims)["sub"])
        except (JWException, ValueError, KeyError) as error:
            raise ForgeryError("request refused: no token of this bank for this agent") from error
        answer = {"figures": self.accounts[customer], "transactions": self.transactions[customer], LEGAL_ID: customer}
        return [Message(message.sender, "account", json.dumps(answer).encode())]


@dataclass
class Agent:
    """Reads accounts, keeps what it read, and tells the lender a score."""

    reads: Reads
    store: Store
    role: str = AGENT
    name: str = AGENT

    def handle(self, message: Message) -> list[Message]:
        """Fetch by a token, or report on what was fetched."""
        if message.kind == "token":
            return [Message("source", "accounts", message.body)]
        account = json.loads(message.body)
        owner = str(account[LEGAL_ID])
        read = self.reads.of(account["figures"])
        self.store.put(REPORTS, owner.encode(), read)
        for paid in account["transactions"]:
            self.store.put(PAID, os.urandom(16), {"by": owner, "to": paid["creditor"]})
        return [Message("lender", "report", json.dumps({LEGAL_ID: owner, "score": read["score"]}).encode())]


@dataclass
class Lender:
    """Sends the person to the agent, and decides on the agent's report."""

    threshold: int
    store: Store
    role: str = "lender"
    name: str = "lender"
    applicant: str = ""

    def handle(self, message: Message) -> list[Message]:
        """Take an application, or a report on it."""
        if message.kind == "application":
            self.applicant = message.sender
            return [Message(message.sender, "let an agent read", AGENT.encode())]
        report = json.loads(message.body)
        if report[LEGAL_ID] != self.applicant:
            raise ForgeryError("report refused: it is about somebody who did not apply")
        self.store.put(REPORTS, self.applicant.encode(), {"score": int(report["score"])})
        approved = int(report["score"]) >= self.threshold
        return [Message(self.applicant, "decision", json.dumps({"ok": approved}).encode())]


@dataclass
class Wallet:
    """One person's: applies, has a token made, hands it to the agent."""

    name: str
    store: Store = field(default_factory=MemoryStore)
    role: str = "wallet"
    answer: bool | None = None

    def handle(self, message: Message) -> list[Message]:
        """Take the next step."""
        if message.kind == APPLY:
            return [Message("lender", "application", b"")]
        if message.kind == "let an agent read":
            return [Message("source", "authorise", message.body)]
        if message.kind == "token":
            return [Message(AGENT, "token", message.body)]
        self.answer = bool(json.loads(message.body)["ok"])
        return []

    def ending(self) -> Ending:
        """Return what the lender answered."""
        return Ending(self.answer)


@dataclass(frozen=True)
class OpenBanking(ReadsAccounts):
    """An account read by a lender's agent."""

    name = "open-banking"
    order = 29
    extra = EXTRA
    summary = "You let a lender's agent into your account; it reads all you paid, and whom you paid."
    enforces = frozenset({NO_CONDUCT})
    feared = ((AGENT, "lender"), (AGENT, "state"))
    rules = (
        Rule(
            "an agent reads accounts and transactions by a token that its customer had made, for 90 days or more",
            "reported",
            "PSD2 and the UK's Open Banking standard, by secondary sources; tokens made by the package jwcrypto",
        ),
        Rule("whom a person knows it pays once; the society holds no payments of its own", "modelled", "this project"),
        Rule("the agent scores by the lender's card and tells name and score", "modelled", "this project"),
    )
    questions = MappingProxyType(
        {
            "hidden": "From the lender the account; from the agent nothing, nor of those whom its customers paid.",
            "linkable": "Everything, by name and account, at bank, agent and lender; payments join people.",
            "issuer": "The bank learns which agent reads whose account, and each time that it does; not for whom.",
            "revocation": "Its owner withdraws the token at the bank, and reading stops; what was read stays, and "
            "those who were paid have nothing to withdraw. No list is looked up: every reading asks the bank.",
        }
    )

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Read accounts of a sample; see :class:`blindscore.designs.design.Design`."""
        fitted, chosen, cast, done = play_accounts(population, scorecard, rng, self, _cast, _views)
        agent = next(party for party in cast.institutions if party.role == AGENT)
        pairs = {(row["by"], row["to"]) for _, row in agent.store.items(PAID)}
        applied = set(legal_ids(population)[chosen])
        silent = [sum(by == one and to not in applied for by, to in pairs) for one in sorted(applied)]
        return run_of(
            done,
            fitted,
            scorer=AGENT,
            plays={AGENT: ("scorer", AGENT)},
            parameters={"approve": self.approve, SILENT: round(float(np.mean(silent)), 2)},
        )


def _cast(population: Population, fitted: Fitted, chosen: NDArray[np.integer]) -> Cast:
    with needs("open-banking"):
        from jwcrypto.jwk import JWK
    known, ids, (figures, register) = known_of(population, chosen), legal_ids(population), kinds_of(population)
    accounts = accounts_of({**figures, **register}, known)
    edges = np.empty((0, 2), np.int32) if population.friends is None else population.friends
    both = np.concatenate([edges, edges[:, ::-1]])
    paid = {ids[i]: [{"creditor": ids[j]} for j in both[both[:, 0] == i, 1]] for i in map(int, chosen)}
    reads = Reads((*figures.items(), *register.items(), ("score", "score")), fitted.card, fitted.threshold)
    reports = TableSpec(REPORTS, Field(LEGAL_ID, "handle"), reads.spec().fields[:-1])
    payments = TableSpec(PAID, Field("number", "own"), (Field("by", "own"), Field("to", "own")))
    decided = TableSpec(REPORTS, Field(LEGAL_ID, "handle"), (Field("score", "score"),))
    bank = Bank(JWK.generate(kty="EC", crv="P-256"), known, paid, accounts)
    agent = Agent(reads, MemoryStore(reports, payments))
    return Cast(
        (bank, agent, Lender(fitted.threshold, MemoryStore(decided))),
        lambda legal_id: Wallet(f"wallet of {legal_id}"),
        lambda wallet: wallet.ending(),  # type: ignore[attr-defined]
        {("wallet", to): "legal id" for to in ("source", AGENT, "lender")},
    )


def _views(population: Population, fitted: Fitted) -> dict[str, View]:
    """Return the ideal views: bank and agent with payments, the lender with name and score."""
    everybody, friends = everyone(population), population.friends
    account = own_records(population, financial(population)).assign(score=fitted.scores)
    decided = pd.DataFrame({LEGAL_ID: legal_ids(population), "score": fitted.scores})
    read = View(AGENT, "legal id", account, columns_of(population, account, score="score"), everybody, friends=friends)
    told = View("lender", "legal id", decided, columns_of(population, decided, score="score"), everybody)
    return {"source": replace(bank_view(population), friends=friends), AGENT: read, "lender": told}
