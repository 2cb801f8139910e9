"""Folders: where a town's parties keep what is theirs. Nothing heavy is loaded here: every service starts with it."""

from __future__ import annotations

from pathlib import Path

PUBLIC, WALLETS, STORE = "public", "wallets", "store.db"
BANK = "bank"  # name of the first one
LENDER = "lender"  # name of the first one
RELAY = "relay"  # name of the party
OFFICE, GATE = "office", "gate"  # names of the parties of a perk
TOKEN_KEY = "token.key"  # of the office; under the passphrase
PERK_STORE = "perk.db"  # of a wallet: what it holds for a perk
SEALING = "sealing.key"  # to which wallets seal what a relay carries; under the passphrase
UNSERVED = "unserved.txt"  # of a wallet: the relay's receipts for requests that were not served


def folder_of(town: Path, name: str) -> Path:
    """Return a party's folder."""
    return town / name.replace(" ", "-")


def schema_of(name: str) -> str:
    """Return the name of a party's schema in a database that all share."""
    return "town_" + "".join(c if c.isalnum() else "_" for c in name.lower())


def wallet_store(lender: str) -> str:
    """Return the name of the file in which a wallet keeps what it has to do with a lender."""
    return STORE if lender == LENDER else f"{lender}.db"
