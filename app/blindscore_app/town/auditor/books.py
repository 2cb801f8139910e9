"""Books: what an auditor is given: the published documents, and the databases by the names of their owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blindscore.parties.store import Row, Store
from blindscore_crypto.channel.ohttp import KeyConfig
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.perks.tokens import Challenge
from blindscore_crypto.sealed.terms import Terms


@dataclass(frozen=True)
class Finding:
    """One row that cannot be."""

    party: str
    table: str
    row: str  # its key, hexadecimal; "" where a row is missing and its key is not known
    why: str

    def __str__(self) -> str:
        return f"{self.party}: {self.table} {self.row[:16] or '-'}: {self.why}"


@dataclass(frozen=True)
class Books:
    """All that is audited.

    Parameters
    ----------
    terms
        The lender's, of every epoch, as published.
    registrar
        Who admits members to the log.
    roles
        By name of a party.
    stores
        By name of a party, its tables declared.
    wallets
        By name, of people who hand in theirs.
    now
        Seconds since 1970-01-01 UTC.
    token_key, challenge
        Of a perk's tokens, and what its gate asks for, as published; None where there is no office.
    sealing
        Keys to which wallets seal what a relay carries, by name, as the public file gives them.
    """

    terms: Sequence[Terms]
    registrar: VerifyingKey
    roles: Mapping[str, str]
    stores: Mapping[str, Store]
    now: float
    wallets: Mapping[str, Store] = field(default_factory=dict)
    token_key: TokenKey | None = None
    challenge: Challenge | None = None
    sealing: Mapping[str, KeyConfig] = field(default_factory=dict)

    def of_role(self, role: str) -> list[str]:
        """Return the names of the parties that play a role and whose stores are here."""
        return [name for name, played in self.roles.items() if played == role and name in self.stores]

    def rows(self, name: str, table: str) -> dict[bytes, Row]:
        """Return a table's rows by key."""
        store = self.stores.get(name) or self.wallets[name]
        return dict(store.items(table)) if table in store.specs else {}


@dataclass(frozen=True)
class BlindBooks:
    """All that is audited.

    Parameters
    ----------
    layout
        The published one.
    parameters
        Of lenders that score under encryption; None under ``encrypted-proved``.
    roles, keys
        By name of a party.
    stores
        By name of a party, its tables declared.
    wallets
        By name: the lender's name, and the wallet made again from what its person hands in.
    auditors
        Auditor -> the lender whose results it judges.
    commitments
        Lender -> its published commitment, where it signs results.
    """

    layout: Layout
    parameters: Parameters | None
    roles: Mapping[str, str]
    keys: Mapping[str, VerifyingKey]
    stores: Mapping[str, Store]
    wallets: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    auditors: Mapping[str, str] = field(default_factory=dict)
    commitments: Mapping[str, bytes] = field(default_factory=dict)

    def of_role(self, role: str) -> list[str]:
        """Return the names of the parties that play a role and whose stores are here."""
        return [name for name, played in self.roles.items() if played == role and name in self.stores]

    def rows(self, name: str, table: str) -> dict[bytes, Row]:
        """Return a table's rows by key; none where there is no such table."""
        store = self.stores[name]
        return dict(store.items(table)) if table in store.specs else {}

    def swept(self, name: str) -> bool:
        """Say whether a party has dropped rows in their time: then a missing partner is not held against it."""
        return bool(self.rows(name, "swept"))


def of_bytes(row: Row, name: str) -> bytes:
    """Return a field's bytes, or none where it holds something else: a tampered database may hold anything."""
    value = row.get(name)
    return value if isinstance(value, bytes) else b""


def of_number(row: Row, name: str) -> int:
    """Return a field's number, or -1 where it holds something else."""
    value = row.get(name)
    return value if isinstance(value, int) else -1
