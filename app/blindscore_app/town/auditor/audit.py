"""audit: every check over every database that is there."""

from __future__ import annotations

from collections.abc import Iterator

from blindscore_app.town.auditor.books import Books, Finding
from blindscore_app.town.auditor.of_lender import LenderAudit
from blindscore_app.town.auditor.of_others import log_findings, source_findings, wallet_findings, witness_findings
from blindscore_app.town.auditor.of_perk import gate_findings, office_findings


def audit(books: Books) -> list[Finding]:
    """Return every row that cannot be, by party, table and row; nothing where all is as honest parties leave it."""
    return sorted(set(_all(books)), key=lambda one: (one.party, one.table, one.row, one.why))


def _all(books: Books) -> Iterator[Finding]:
    for role, check in (
        ("log", log_findings),
        ("witness", witness_findings),
        ("source", source_findings),
        ("gate", gate_findings),
        ("office", office_findings),
    ):
        for name in books.of_role(role):
            yield from check(books, name)
    for name in (*books.of_role("lender"), *books.of_role("office")):
        yield from LenderAudit(books, name).findings()
    for name in books.wallets:
        yield from wallet_findings(books, name)
