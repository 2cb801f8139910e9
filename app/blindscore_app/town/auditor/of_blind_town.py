"""of_blind_town: the databases of a town of an encrypted design, opened from its folder with no help of its parties."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import TableSpec, close_store
from blindscore_app.town.auditor.books import BlindBooks, Finding
from blindscore_app.town.auditor.of_blind import audit_blind
from blindscore_app.town.folders import wallet_store
from blindscore_app.town.letterbox import TABLES as LETTERBOX
from blindscore_app.town.parts.encrypted_audited import auditor_of
from blindscore_crypto.encrypted.parameters import of_code
from blindscore_crypto.encrypted.parties import auditor, helper, lender, read_decision, read_score, scorer, sign_score
from blindscore_crypto.encrypted.parties.source import ASKED, records_table
from blindscore_crypto.encrypted.proved import lender as proved
from blindscore_crypto.layout import Layout

if TYPE_CHECKING:
    from blindscore_app.town.standing import Town

SIGNS = (read_score.SCORES, sign_score.LOG, sign_score.HEAD, sign_score.SENT, sign_score.SIGNED)
LENDERS: dict[str, tuple[TableSpec, ...]] = {
    "encrypted": (*scorer.TABLES, lender.OPEN, read_score.SCORES),
    "encrypted-decision": (
        *(*scorer.TABLES, lender.OPEN),
        *(read_decision.BOXES, read_decision.TOLD, read_decision.DECISIONS),
    ),
    "encrypted-audited": (*scorer.TABLES, lender.OPEN, *SIGNS),
    "encrypted-proved": (scorer.ANSWERED, scorer.ASKED, proved.OPEN, proved.BOUND, read_score.SCORES),
}
OTHERS: dict[str, tuple[TableSpec, ...]] = {
    "helper": (helper.CHECKS, helper.OPENED, helper.BOUND, helper.TOLD, helper.TERMS),
    "auditor": (auditor.PICKED, auditor.READ, auditor.PROOFS),
}


def audit_blind_town(town: Town, layout: Layout) -> list[Finding]:
    """Audit a town's databases while its parties stand still. Wallets are read as if everybody handed theirs in.

    Raises
    ------
    DataError
        A database cannot be opened, or a table has other columns than its party gives it.
    """
    with ExitStack() as opened:
        return audit_blind(blind_books(town, layout, opened))


def blind_books(town: Town, layout: Layout, opened: ExitStack) -> BlindBooks:
    """Open every database of a town; they close with the stack."""
    design, lenders = str(town.public["design"]), list(town.public["lenders"])
    stores = {}
    for name, role in town.roles.items():
        tables = OTHERS.get(role) or (LENDERS[design] if role == "lender" else ())
        if role == "source":
            tables = (records_table(layout.features), ASKED)
        if tables:
            store = stores[name] = town.store(name)
            opened.callback(close_store, store)
            store.declare(*tables, *(LETTERBOX if role != "source" else ()))
    told = {name: town.public["terms"][name] for name in lenders}
    listed = all(isinstance(terms, dict) for terms in told.values())  # else they stand in the log, under another scheme
    return BlindBooks(
        layout,
        of_code(told[lenders[0]]["parameters"]) if listed else None,
        town.roles,
        {name: town.key(name) for name in town.roles if name in town.public["keys"]},
        stores,
        dict(_wallets(town, lenders, opened)),
        {auditor_of(name): name for name in lenders},
        {name: bytes.fromhex(terms["commitment"]) for name, terms in told.items() if "commitment" in terms}
        if listed
        else {},
    )


def _wallets(town: Town, lenders: list[str], opened: ExitStack) -> list[tuple[str, tuple[str, Any]]]:
    """Make the wallets again of all who have one for a lender."""
    found = []
    for number in range(town.people):
        person = town.person(number)
        for lender_name in lenders:
            path = person.folder / wallet_store(lender_name)
            if path.exists():
                store = SqliteStore(path)
                opened.callback(close_store, store)
                wallet: Any = town.part.wallet(town, person, lender_name, store, None, 1)
                found.append((f"wallet of {person.legal_id} for {lender_name}", (lender_name, wallet)))
    return found
