"""What the databases of a perk's office and gate must hold, and what wallets hold of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from blindscore.parties.store import Row
from blindscore_app.town.auditor.books import Books, Finding, of_bytes
from blindscore_crypto.sealed.offer import digest
from blindscore_crypto.sealed.parties.gate import VISIT_BYTES, spent_name, visit_mark
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.perks.tokens import INPUT_BYTES, Challenge, request_with, rsa_accepts


def gate_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield tokens and visits that do not name one another, visits that the gate never gave, and tokens of nobody's."""
    tokens, visits = books.rows(name, "tokens"), books.rows(name, "visits")
    naming = books.rows(name, "naming").get(name.encode())
    secret = b"" if naming is None else of_bytes(naming, "key")
    if len(secret) != 32:
        yield Finding(name, "naming", name.encode().hex(), "holds no key: visits could be named by anybody")
    for table, rows, partners, field in (("tokens", tokens, visits, "visit"), ("visits", visits, tokens, "token")):
        back = {"visit": "token", "token": "visit"}[field]
        for key, row in rows.items():
            partner = partners.get(of_bytes(row, field))
            if partner is None or partner[back] != key:
                yield Finding(name, table, key.hex(), f"its {field} does not name it")
    for key in visits:
        if len(key) != VISIT_BYTES or visit_mark(secret, name, key[:16]) != key[16:]:
            yield Finding(name, "visits", key.hex(), "was not named by this gate")
    for office in books.of_role("office"):
        granted = len(books.rows(office, "granted"))
        if len(tokens) > granted and not books.rows(office, "swept"):
            yield Finding(name, "tokens", "", f"holds {len(tokens)} tokens; {office} has granted {granted}")


def office_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield tokens that were granted for no approved answer."""
    decided = books.rows(name, "decided")
    for key, row in books.rows(name, "granted").items():
        if decided.get(key, {}).get("approved") != 1:
            yield Finding(name, "granted", key.hex(), "a token for an answer that was not approved")
        if len(of_bytes(row, "request")) != 32:
            yield Finding(name, "granted", key.hex(), "names no request: another token could be had")


def rider_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield tokens that are none, and what office and gate hold otherwise than the person who rode."""
    key, asked = books.token_key, books.challenge
    for when, row in books.rows(name, "ride").items():
        token = of_bytes(row, "token")
        if key is None or asked is None or not token:
            continue
        wanted = key.kind.to_bytes(2, "big") + of_bytes(row, "nonce") + asked.digest + key.key_id
        if token[:INPUT_BYTES] != wanted or not rsa_accepts(key, token[:INPUT_BYTES], token[INPUT_BYTES:]):
            yield Finding(name, "ride", when.hex(), "holds a token that the office did not sign for this gate")
            continue
        yield from _granted_to(books, name, row, key, asked)
        for gate in books.of_role("gate"):
            spent = spent_name(token)
            kept = books.rows(gate, "tokens").get(spent)
            altered = kept is None or kept["visit"] != row["visit"]
            if of_bytes(row, "granted") and altered and not books.rows(gate, "swept"):
                yield Finding(gate, "tokens", spent.hex(), f"is missing or altered: {name} was let in with it")


def _granted_to(books: Books, name: str, ride: Row, key: TokenKey, asked: Challenge) -> Iterator[Finding]:
    blind = int.from_bytes(of_bytes(ride, "blind"), "big")
    pending = request_with(asked, key, of_bytes(ride, "nonce"), blind, of_bytes(ride, "salt"))
    request = hashlib.sha256(pending.request).digest()
    for office in books.of_role("office"):
        desk = next(terms for terms in books.terms if terms.lender == office)
        papers = books.rows(name, "applications").get(desk.lender_key.raw + desk.epoch.encode())
        if papers is None or books.rows(office, "swept"):
            continue
        answer = digest(of_bytes(papers, "answer"))
        granted = books.rows(office, "granted").get(answer)
        if granted is None or granted["request"] != request:
            yield Finding(office, "granted", answer.hex(), f"is missing or altered: {name} holds the token")
