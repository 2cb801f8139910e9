"""Standing: a party comes up from its own folder, the public folder and the passphrase; nothing else is read."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from Crypto.PublicKey import RSA

from blindscore.errors import DataError
from blindscore.parties.message import Message
from blindscore.parties.party import Party, wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store, close_store
from blindscore_app.town.authority import Identity
from blindscore_app.town.end_point import key_config
from blindscore_app.town.folders import (
    GATE,
    OFFICE,
    PERK_STORE,
    PUBLIC,
    RELAY,
    SEALING,
    STORE,
    TOKEN_KEY,
    UNSERVED,
    WALLETS,
    folder_of,
    schema_of,
)
from blindscore_app.town.lines import Lines
from blindscore_app.town.oblivious import Desk
from blindscore_app.town.secret_files import load_secret
from blindscore_app.town.via_relay import Via
from blindscore_crypto.channel.ohttp import Gateway, KeyConfig
from blindscore_crypto.channel.relay import Passage, Relay
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.blind.blind_rsa import BlindSigner
from blindscore_crypto.sealed.groups.group import Group, decode_scalar
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import LogKeeper, Witness
from blindscore_crypto.sealed.parties.office import Office
from blindscore_crypto.sealed.parties.rider import Rider
from blindscore_crypto.sealed.parties.source import Source
from blindscore_crypto.sealed.parties.wallet import Setting, Wallet
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer
from blindscore_crypto.sealed.terms import Epoch, EpochKey, Terms

ADDRESSES = "addresses.json"
Speaks = TypeVar("Speaks", bound=Lines)


@dataclass(frozen=True)
class Town:
    """A founded town: where its folders lie, and what its public file says.

    Parameters
    ----------
    folder
        Of the town.
    database
        Of all parties: "" for an SQLite file each, else how libpq reaches PostgreSQL; each party has a schema.
    """

    folder: Path
    database: str = ""

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
        """Return what an institution's server speaks; a witness answers known institutions alone."""
        return self.identity(name).server_side(known_only=self.roles[name] == "witness")

    def addresses(self) -> dict[str, str]:
        """Return the published address of every institution that is up."""
        path = self.folder / PUBLIC / ADDRESSES
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    def logins(self, name: str) -> dict[str, str]:
        """Return what logs customers in at a source; nothing elsewhere."""
        path = folder_of(self.folder, name) / "logins.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    def party(self, name: str, passphrase: bytes) -> Party:
        """Return an institution, with its keys and its store.

        Raises
        ------
        DataError
            No institution of that name, or its folder is not complete or does not open.
        """
        role = self.roles.get(name)
        folder = folder_of(self.folder, name)
        if role is None:
            raise DataError(f"no institution of this town is called {name!r}; there are {', '.join(self.roles)}")
        store = self.store(name)
        if role == "gate":
            return Gate(name, self.challenge, [TokenKey.decode(bytes.fromhex(self.public["perk"]["key"]))], store)
        key = SigningKey.load(folder / "signing.pem", passphrase)
        if role == "lender":
            terms = Terms.decode(bytes.fromhex(self.public["terms"]))
            return Lender(terms, key, store, delay_s=int(self.public["delay_s"]), channel_of=self._channel_of(name))
        if role == "office":
            perk = Terms.decode(bytes.fromhex(self.public["perk"]["terms"]))
            wait, channel_of = int(self.public["delay_s"]), self._channel_of(name)
            desk = Lender(perk, key, store, delay_s=wait, role="office", channel_of=channel_of)
            secret = RSA.import_key(load_secret(folder / TOKEN_KEY, passphrase))
            return Office(desk, RsaIssuer(perk.threshold, perk.epoch, BlindSigner(secret)))
        if role == "relay":
            return Relay(name, key, self.public["sealing"], store)
        if role == "log":
            witnesses = [other for other, kind in self.roles.items() if kind == "witness"]
            return LogKeeper(key, self.key("registrar"), store, witnesses)
        if role == "witness":
            return Witness(name, key, self.key("log"), self.key("registrar"), store)
        layout = Layout.decode((folder / "layout.json").read_bytes())
        blind = self._blind_signer(folder, layout, passphrase)
        return Source(name, layout, key, self.epoch, store, group=self.group, blind=blind)

    def channel(self, name: str) -> bytes:
        """Return the channel to an institution as it sees it itself: what offers are bound to."""
        sealing = self.public.get("sealing", {})
        return key_config(bytes.fromhex(sealing[name])) if name in sealing else self.identity(name).end_point

    def _channel_of(self, name: str) -> Callable[[Message], bytes]:
        own = self.channel(name)
        return lambda message: own

    def _blind_signer(self, folder: Path, layout: Layout, passphrase: bytes) -> AclSigner | None:
        if not (folder / "blind.key").exists():
            return None
        secret = decode_scalar(self.group, load_secret(folder / "blind.key", passphrase))
        return AclSigner(self.group, EpochKey.context(layout.fingerprint, self.epoch), secret)

    def desk(self, name: str, passphrase: bytes) -> Desk | None:
        """Return what opens requests that a relay brings to an institution; None where none does."""
        path = folder_of(self.folder, name) / SEALING
        return Desk(name, Gateway(secret=load_secret(path, passphrase))) if path.exists() else None

    @property
    def people(self) -> int:
        """How many wallets there are."""
        return sum(1 for path in (self.folder / WALLETS).iterdir() if path.is_dir())

    def wallet(self, number: int, batch: int = 4) -> tuple[Wallet, Lines]:
        """Return a person's wallet, and the lines on which it speaks: anonymous, each exchange on a fresh one.

        Where the town has a relay, the lines to lender and log go through it.
        """
        return self.wallet_on(number, Lines, self.addresses(), batch)

    def wallet_on(
        self, number: int, speak: type[Speaks], addresses: Mapping[str, str], batch: int = 4
    ) -> tuple[Wallet, Speaks]:
        """Return a person's wallet on lines of some kind, to where it believes that institutions listen."""
        folder, own, setting = self._person(number)
        setting, store = replace(setting, batch=batch), SqliteStore(folder / STORE)
        lines = self._lines(folder, own, speak, addresses)
        name, channel_to = f"wallet {number}", lines.channel_to
        wallet = Wallet(name, own["legal_id"], setting, store, clock=wall_clock, channel_to=channel_to)
        return wallet, lines

    @property
    def challenge(self) -> Challenge:
        """What the perk's gate asks for."""
        return Challenge(self.public["perk"]["issuer"], self.public["perk"]["origin"])

    def rider(self, number: int) -> tuple[Rider, Lines]:
        """Return what takes a person to the perk, with a store of its own, and the lines on which it speaks.

        Raises
        ------
        DataError
            The town has no perk.
        """
        if not self.public.get("perk"):
            raise DataError(f"the town in {self.folder} was founded without a perk; found one with: town up --perk")
        folder, own, setting = self._person(number)
        perk = Terms.decode(bytes.fromhex(self.public["perk"]["terms"]))
        setting = replace(setting, lender=OFFICE, purpose=perk.purpose, batch=1)
        lines, store = self._lines(folder, own, Lines, self.addresses()), SqliteStore(folder / PERK_STORE)
        name, channel_to = f"rider {number}", lines.channel_to
        wallet = Wallet(name, own["legal_id"], setting, store, clock=wall_clock, channel_to=channel_to)
        first, others = self.wallet(number)
        wallet.take_secret(first.secret(self.group), self.group)
        others.close()
        close_store(first.store)
        return Rider(wallet, GATE, self.challenge), lines

    def _lines(self, folder: Path, own: dict[str, Any], speak: type[Speaks], addresses: Mapping[str, str]) -> Speaks:
        context = self.identity(self.public["lender"]).anonymous_side()
        return speak(addresses, context, own["tokens"], fresh=True, via=self._via(folder))

    def _person(self, number: int) -> tuple[Path, dict[str, Any], Setting]:
        """Return a person's folder, what stands in it, and what every wallet is told."""
        folder = self.folder / WALLETS / str(number)
        own = json.loads((folder / "wallet.json").read_text("utf-8"))
        witnesses = tuple(self.key(name) for name, role in self.roles.items() if role == "witness")
        trust = Trust(self.key("log"), witnesses, int(self.public["needed"]))
        return folder, own, Setting(self.public["lender"], self.epoch, trust)

    def _via(self, folder: Path) -> Via | None:
        if RELAY not in self.roles:
            return None
        configs = {name: KeyConfig.decode(bytes.fromhex(key)) for name, key in self.public["sealing"].items()}

        def keep(passage: Passage) -> None:
            with (folder / UNSERVED).open("a", encoding="ascii") as file:
                file.write(passage.encode().hex() + "\n")

        return Via(RELAY, self.key(RELAY), configs, keep)
