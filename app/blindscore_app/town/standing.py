"""Standing: a party comes up from its own folder, the public folder and the passphrase; nothing else is read."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from blindscore.errors import DataError
from blindscore.parties.party import Party
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store
from blindscore_app.town.authority import Identity
from blindscore_app.town.end_point import key_config
from blindscore_app.town.folders import (
    PUBLIC,
    RELAY,
    SEALING,
    STORE,
    UNSERVED,
    WALLETS,
    folder_of,
    schema_of,
    wallet_store,
)
from blindscore_app.town.lines import Lines
from blindscore_app.town.logged_keys import LoggedKeys
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.parts import Part, part_of
from blindscore_app.town.secret_files import load_secret
from blindscore_app.town.via_relay import Asks, Via
from blindscore_crypto.channel.ohttp import Gateway, KeyConfig
from blindscore_crypto.channel.relay import Passage, Relay
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness
from blindscore_crypto.sealed.terms import Epoch

ADDRESSES = "addresses.json"
Speaks = TypeVar("Speaks", bound=Lines)


@dataclass(frozen=True)
class Person:
    """One person of a town."""

    number: int
    folder: Path
    legal_id: str
    tokens: Mapping[str, str] = field(repr=False)  # source -> what logs the person in there


@dataclass(frozen=True)
class Town:
    """A founded town: where its folders lie, and what its public file says.

    Parameters
    ----------
    folder
        Of the town.
    database
        Of all parties: "" for an SQLite file each, else how libpq reaches PostgreSQL; each party has a schema.
    share
        Which of several processes over a party's store this is; see :class:`.sealed.parties.lender.Lender`.
    covers
        What carries each person's requests to the relay among dummies, by number (:mod:`.cover`); none where empty.
    """

    folder: Path
    database: str = ""
    share: tuple[int, int] = (0, 1)
    covers: tuple[Asks, ...] = ()

    @cached_property
    def public(self) -> dict[str, Any]:
        """What everybody may read.

        Raises
        ------
        DataError
            The folder is no town.
        """
        path = self.folder / PUBLIC / "town.json"
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            raise DataError(f"{path}: no town lies here; found one with: blindscore town up") from None
        return data

    @property
    def roles(self) -> dict[str, str]:
        """Role by name, of every institution."""
        return dict(self.public["roles"])

    @property
    def group(self) -> Group:
        """The group of proofs and commitments."""
        return group_named(self.public["group"])

    @property
    def epoch(self) -> Epoch:
        """The issuing period."""
        number, last_day = self.public["epoch"]
        return Epoch(number, last_day)

    def key(self, name: str) -> VerifyingKey:
        """Return the published key of an institution."""
        return VerifyingKey(bytes.fromhex(self.public["keys"][name]))

    def store(self, name: str) -> Store:
        """Open a party's store."""
        if self.database:
            from blindscore_app.town.postgres_store import PostgresStore

            return PostgresStore(self.database, schema_of(name))
        return SqliteStore(folder_of(self.folder, name) / STORE)

    def identity(self, name: str) -> Identity:
        """Return where an institution's certificate lies."""
        folder = folder_of(self.folder, name)
        return Identity(self.folder / PUBLIC / "authority.pem", folder / "tls.pem", folder / "tls.key")

    def listening(self, name: str) -> ssl.SSLContext:
        """Return what an institution's server speaks; to some, known institutions alone may speak."""
        return self.identity(name).server_side(known_only=self.roles[name] in self.part.closed)

    @cached_property
    def sealing(self) -> dict[str, KeyConfig]:
        """The keys to which wallets seal what a relay carries, by name, as the public file gives them."""
        return {name: KeyConfig.decode(bytes.fromhex(key)) for name, key in self.public["sealing"].items()}

    def addresses(self) -> dict[str, str]:
        """Return the published address of every institution that is up."""
        path = self.folder / PUBLIC / ADDRESSES
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    def logins(self, name: str) -> dict[str, str]:
        """Return what logs customers in at a source; nothing elsewhere."""
        path = folder_of(self.folder, name) / "logins.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    @cached_property
    def part(self) -> Part:
        """What the design brings."""
        return part_of(self.public["design"])

    @cached_property
    def trust(self) -> Trust:
        """Whom all believe about the log."""
        witnesses = tuple(self.key(name) for name, role in self.roles.items() if role == "witness")
        return Trust(self.key("log"), witnesses, int(self.public["needed"]))

    def party(self, name: str, passphrase: bytes) -> Party:
        """Return an institution, with its keys and its store.

        Raises
        ------
        DataError
            No institution of that name, or its folder is not complete or does not open.
        """
        role = self.roles.get(name)
        if role is None:
            raise DataError(f"no institution of this town is called {name!r}; there are {', '.join(self.roles)}")
        store = self.store(name)
        if role not in ("relay", "log", "witness"):
            return self.part.party(self, name, passphrase, store)
        key = SigningKey.load(folder_of(self.folder, name) / "signing.pem", passphrase)
        if role == "relay":
            return Relay(name, key, self.public["sealing"], store)
        if role == "log":
            witnesses = [other for other, kind in self.roles.items() if kind == "witness"]
            return LogKeeper(key, self.key("registrar"), store, witnesses)
        return Witness(name, key, self.key("log"), self.key("registrar"), store)

    def channel(self, name: str) -> bytes:
        """Return the channel to an institution as it sees it itself: what offers are bound to."""
        sealing = self.public.get("sealing", {})
        return key_config(bytes.fromhex(sealing[name])) if name in sealing else self.identity(name).end_point

    def desk(self, name: str, passphrase: bytes) -> Desk | None:
        """Return what opens requests that a relay brings to an institution; None where none does."""
        path = folder_of(self.folder, name) / SEALING
        return Desk(name, Gateway(secret=load_secret(path, passphrase))) if path.exists() else None

    @property
    def people(self) -> int:
        """How many wallets there are."""
        return sum(1 for path in (self.folder / WALLETS).iterdir() if path.is_dir())

    def wallet(self, number: int, batch: int = 4, lender: str = "") -> tuple[Any, Lines]:
        """Return a person's wallet for a lender, and the lines on which it speaks, each exchange on a fresh one.

        Where the town has a relay, the lines to all but the sources go through it.
        """
        return self.wallet_on(number, Lines, self.addresses(), batch, lender)

    def wallet_on(
        self, number: int, speak: type[Speaks], addresses: Mapping[str, str], batch: int = 4, lender: str = ""
    ) -> tuple[Any, Speaks]:
        """Return a person's wallet on lines of some kind, to where it believes that institutions listen.

        Raises
        ------
        DataError
            The town has no such lender.
        """
        person, lender = self.person(number), lender or self.public["lender"]
        if lender not in self.public["lenders"]:
            known = ", ".join(self.public["lenders"])
            raise DataError(f"no lender of this town is called {lender!r}; there are {known}")
        store = SqliteStore(person.folder / wallet_store(lender))
        lines = self.lines(person, speak, addresses, store)
        return self.part.wallet(self, person, lender, store, lines, batch), lines

    def lines(self, person: Person, speak: type[Speaks], addresses: Mapping[str, str], store: Store) -> Speaks:
        """Return the lines on which a person speaks; that keys were checked is kept in the wallet's store."""
        context = self.identity(self.public["lender"]).anonymous_side()
        return speak(addresses, context, person.tokens, fresh=True, via=self._via(person, store))

    def person(self, number: int) -> Person:
        """Return who somebody is, and what logs this person in."""
        folder = self.folder / WALLETS / str(number)
        own = json.loads((folder / "wallet.json").read_text("utf-8"))
        return Person(number, folder, own["legal_id"], own["tokens"])

    def _via(self, person: Person, store: Store) -> Via | None:
        if RELAY not in self.roles:
            return None

        def keep(passage: Passage) -> None:
            with (person.folder / UNSERVED).open("a", encoding="ascii") as file:
                file.write(passage.encode().hex() + "\n")

        cover = self.covers[person.number] if self.covers else None
        logged = LoggedKeys(self.trust, self.epoch.number, store) if "log" in self.roles else None
        return Via(RELAY, self.key(RELAY), self.sealing, keep, cover, logged)
