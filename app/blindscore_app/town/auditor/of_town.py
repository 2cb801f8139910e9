"""of_town: the databases of a sealed or one-show town, opened from its folder with no help of its parties."""

from __future__ import annotations

from contextlib import ExitStack

from blindscore.parties.party import wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store, TableSpec, close_store
from blindscore_app.town.auditor.audit import audit
from blindscore_app.town.auditor.books import Books, Finding
from blindscore_app.town.folders import OFFICE, PERK_STORE, wallet_store
from blindscore_app.town.parts.sealed import challenge, terms_of
from blindscore_app.town.standing import Town
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.parties import gate, lender, log, office, purse, rider, source, wallet
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.terms import Terms

DESK = (lender.RECEIPTS, lender.ANSWERS, lender.WAITING, lender.ARRIVED, lender.SPENT, lender.DECIDED)
TABLES: dict[str, tuple[TableSpec, ...]] = {
    "lender": (*DESK, lender.OVER, lender.SWEPT),
    "office": (*DESK, lender.OVER, lender.SWEPT, office.GRANTED),
    "gate": (gate.TOKENS, gate.VISITS, gate.NAMING, gate.OVER, gate.SWEPT),
    "log": (log.ENTRIES,),
    "witness": (log.ENTRIES, log.SEEN),
    "source": (source.CUSTOMERS, source.FETCHED, source.SESSIONS, source.OVER, source.SWEPT),
}
OF_WALLET = (wallet.SECRET, wallet.TERMS, wallet.APPLICATIONS, purse.HELD)
OF_RIDER = (*OF_WALLET, rider.RIDE)


def audit_sealed_town(town: Town) -> list[Finding]:
    """Audit a town's databases. Wallets are read as if everybody handed theirs in; parties may be running meanwhile.

    Raises
    ------
    DataError
        A database cannot be opened, or a table has other columns than its party gives it.
    """
    with ExitStack() as opened:
        return audit(sealed_books(town, opened))


def sealed_books(town: Town, opened: ExitStack) -> Books:
    """Open every database of a town; they close with the stack."""
    perk, deciders = town.public["perk"], list(town.public["lenders"])
    terms = [terms_of(town, name) for name in (*deciders, *([OFFICE] if perk else []))]
    stores = {name: _opened(town, name, role, terms[0]) for name, role in town.roles.items() if role in TABLES}
    files = {wallet_store(name): "" if name == deciders[0] else f" for {name}" for name in deciders}
    wallets: dict[str, Store] = {}
    for number in range(town.people):
        person = town.person(number)
        for file, whom in (*files.items(), (PERK_STORE, " for the perk")):
            if (person.folder / file).exists():
                tables = OF_RIDER if file == PERK_STORE else OF_WALLET
                wallets[f"wallet of {person.legal_id}{whom}"] = SqliteStore(person.folder / file, *tables)
    for store in (*stores.values(), *wallets.values()):
        opened.callback(close_store, store)
    key = TokenKey.decode(bytes.fromhex(perk["key"])) if perk else None
    asked = challenge(town) if perk else None
    return Books(terms, town.key("registrar"), town.roles, stores, wall_clock(), wallets, key, asked, town.sealing)


def _opened(town: Town, name: str, role: str, terms: Terms) -> Store:
    store = town.store(name)
    store.declare(*TABLES[role])
    if role == "source":
        layout: Layout = next(one.layout for one in terms.sources if one.name == name)
        store.declare(source.records_table(layout.features))
    return store
