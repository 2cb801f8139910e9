"""of_town: a town's databases, opened from its folder with no help of its parties, and audited."""

from __future__ import annotations

import json
from pathlib import Path

from blindscore.parties.party import wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store, TableSpec, close_store
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.auditor.books import Books, Finding
from blindscore_app.town.folders import STORE, WALLETS
from blindscore_app.town.standing import Town
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.parties import lender, log, purse, source, wallet
from blindscore_crypto.sealed.terms import Terms

LENDERS = (lender.RECEIPTS, lender.ANSWERS, lender.WAITING, lender.ARRIVED, lender.SPENT, lender.DECIDED)
TABLES: dict[str, tuple[TableSpec, ...]] = {
    "lender": (*LENDERS, lender.OVER, lender.SWEPT),
    "log": (log.ENTRIES,),
    "witness": (log.ENTRIES, log.SEEN),
    "source": (source.CUSTOMERS, source.FETCHED, source.SESSIONS, source.OVER, source.SWEPT),
}
OF_WALLET = (wallet.SECRET, wallet.TERMS, wallet.APPLICATIONS, purse.HELD)


def audit_town(town: Town) -> list[Finding]:
    """Audit a town's databases. Wallets are read as if everybody handed theirs in; parties may be running meanwhile.

    Raises
    ------
    DataError
        A database cannot be opened, or a table has other columns than its party gives it.
    """
    terms = Terms.decode(bytes.fromhex(town.public["terms"]))
    stores = {name: _opened(town, name, role, terms) for name, role in town.roles.items() if role in TABLES}
    wallets: dict[str, Store] = {}
    for folder in sorted(path for path in (town.folder / WALLETS).iterdir() if (path / STORE).exists()):
        owner = json.loads((folder / "wallet.json").read_text("utf-8"))["legal_id"]
        wallets[f"wallet of {owner}"] = SqliteStore(Path(folder / STORE), *OF_WALLET)
    try:
        return audit(Books([terms], town.key("registrar"), town.roles, stores, wall_clock(), wallets))
    finally:
        for store in (*stores.values(), *wallets.values()):
            close_store(store)


def _opened(town: Town, name: str, role: str, terms: Terms) -> Store:
    store = town.store(name)
    store.declare(*TABLES[role])
    if role == "source":
        layout: Layout = next(one.layout for one in terms.sources if one.name == name)
        store.declare(source.records_table(layout.features))
    return store
