"""Founding: makes every party's folder, its keys and its store, and publishes what all may know. Then it forgets.

::

    TOWN/public/       authority.pem, town.json: names and roles, keys of log and witnesses, epoch; addresses.json
    TOWN/<party>/      <party>.pem and .key (TLS), signing.pem, blind.key, sealing.key (under the passphrase); store.db
    TOWN/wallets/<n>/  wallet.json: legal id, and what logs the person in at its sources; store.db

Each process reads its own folder and ``public``, and nobody else's.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets as system_secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from Crypto.PublicKey import RSA

from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import DataError
from blindscore.parties.cast import Cast
from blindscore.parties.party import SetClock, wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore_app.town.authority import found, write_secret
from blindscore_app.town.folders import GATE, OFFICE, PUBLIC, RELAY, SEALING, STORE, TOKEN_KEY, WALLETS, folder_of
from blindscore_app.town.secret_files import save_secret
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.relay import Relay
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.blind.blind_rsa import BlindSigner
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.parties.cast import LENDER, REGISTRAR, Secrets, cast
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.parties.log import NEEDED, LogKeeper, Witness, keep
from blindscore_crypto.sealed.parties.office import Office
from blindscore_crypto.sealed.parties.source import Source, epoch_signer
from blindscore_crypto.sealed.perks.token_key import RSA_BITS
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer
from blindscore_crypto.sealed.terms import Epoch, Terms

DESIGNS = ("sealed", "one-show")
PERK = "perk"  # purpose of the office's terms
BEHIND_THE_RELAY = (
    LENDER,
    "log",
)  # with office and gate, where they are; sources log people in, and see who asks anyway
SECRET_BYTES = 32  # of X25519


class Named(NamedTuple):
    """An institution as the public file names it."""

    name: str
    role: str


@dataclass
class KeptSecrets(Secrets):
    """Makes keys and writes each into its holder's folder, under the passphrase."""

    town: Path
    passphrase: bytes
    public: dict[str, str] = field(default_factory=dict)  # by name, hexadecimal
    keys: dict[str, SigningKey] = field(default_factory=dict)  # while the town is founded

    def signing_key(self, name: str) -> SigningKey:
        """See :class:`~blindscore_crypto.sealed.parties.cast.Secrets`."""
        key = SigningKey()
        folder = folder_of(self.town, name)
        folder.mkdir(parents=True, exist_ok=True)
        key.save(folder / "signing.pem", self.passphrase)
        self.public[name], self.keys[name] = key.public.raw.hex(), key
        return key

    def sealing_key(self, name: str) -> bytes:
        """Make the key to which wallets seal what a relay carries to this party; return what is published of it."""
        secret = os.urandom(SECRET_BYTES)
        save_secret(folder_of(self.town, name) / SEALING, secret, self.passphrase)
        return Gateway(secret=secret).config.encode()

    def blind_signer(self, name: str, group: Group, layout: Layout, epoch: Epoch) -> AclSigner:
        """See :class:`~blindscore_crypto.sealed.parties.cast.Secrets`."""
        signer = epoch_signer(group, layout, epoch)
        save_secret(folder_of(self.town, name) / "blind.key", signer.export(), self.passphrase)
        return signer


def found_town(
    town: Path,
    design: str,
    card: Card,
    threshold: int,
    people: Population,
    passphrase: bytes,
    *,
    group: str = "P-256",
    delay_s: int = 2,
    store_of: Callable[[str], Store] | None = None,
    relay: bool = True,
    perk: int = 0,
) -> None:
    """Make a town for these people.

    Parameters
    ----------
    town
        Folder that is not there yet, or empty.
    design
        "sealed" or "one-show".
    threshold
        Points from which the lender approves.
    delay_s
        After how many seconds a decision is due.
    store_of
        A party's name -> its store; by default an SQLite file in its folder.
    relay
        Found a relay, through which wallets reach everybody but their sources.
    perk
        Points from which a perk's office gives a token that a gate takes; 0 = neither is founded.

    Raises
    ------
    DataError
        The folder holds something already.
    """
    if town.exists() and any(town.iterdir()):
        raise DataError(f"{town} is not empty; name a new folder for the town")
    (town / PUBLIC).mkdir(parents=True)
    opened: list[SqliteStore] = []

    def sqlite(name: str) -> Store:
        folder = folder_of(town, name)
        folder.mkdir(parents=True, exist_ok=True)
        opened.append(SqliteStore(folder / STORE))
        return opened[-1]

    kept = KeptSecrets(town, passphrase)
    made = cast(
        card,
        threshold,
        people,
        store_of or sqlite,
        blind=design == "one-show",
        group=group_named(group),
        secrets=kept,
        clock=SetClock(wall_clock()),
    )
    (folder_of(town, REGISTRAR) / "signing.pem").unlink()  # nobody joins a founded town: its registrar is gone
    folder_of(town, REGISTRAR).rmdir()
    institutions = [Named(party.name, party.role) for party in made.institutions]
    lender = next(party for party in made.institutions if isinstance(party, Lender))
    about_perk: dict[str, str] = {}
    if perk:
        about_perk = _found_perk(perk, lender.terms, made, kept, store_of or sqlite)
        institutions += [Named(OFFICE, "office"), Named(GATE, "gate")]
    sealing = {}
    if relay:
        behind = (*BEHIND_THE_RELAY, *((OFFICE, GATE) if perk else ()))
        Relay(RELAY, kept.signing_key(RELAY), behind, (store_of or sqlite)(RELAY))
        institutions.append(Named(RELAY, "relay"))
        sealing = {name: kept.sealing_key(name).hex() for name in behind}
    names = [party.name for party in institutions]
    identities = found(town / PUBLIC, [name.replace(" ", "-") for name in names])
    for name in names:
        paths = identities[name.replace(" ", "-")]
        folder_of(town, name).mkdir(parents=True, exist_ok=True)
        paths.certificate.rename(folder_of(town, name) / "tls.pem")
        paths.key.rename(folder_of(town, name) / "tls.key")
    sources = [party for party in made.institutions if isinstance(party, Source)]
    public = {
        "design": design,
        "group": group,
        "lender": LENDER,
        "delay_s": delay_s,
        "needed": NEEDED,
        "epoch": [lender.terms.epoch.number, lender.terms.epoch.last_day],
        "roles": {party.name: party.role for party in institutions},
        "sealing": sealing,
        "perk": about_perk,
        "keys": kept.public,
        "terms": lender.terms.encode().hex(),
    }
    (town / PUBLIC / "town.json").write_text(json.dumps(public, indent=1), "utf-8")
    for source in sources:
        layout = source.signatory.layout.encode()
        (folder_of(town, source.name) / "layout.json").write_bytes(layout)
    _write_wallets(town, people, [source.name for source in sources])
    for store in opened:
        store.close()


def _found_perk(
    points: int, terms: Terms, made: Cast, kept: KeptSecrets, store_of: Callable[[str], Store]
) -> dict[str, str]:
    """Make an office and a gate, and log the office's terms and the key of its tokens; return what is published."""
    office, registrar = kept.signing_key(OFFICE), kept.keys[REGISTRAR]
    perk = Terms(OFFICE, office.public, PERK, terms.epoch, terms.card, points, terms.sources, terms.group)
    secret = RSA.generate(RSA_BITS)
    issuer = RsaIssuer(points, terms.epoch, BlindSigner(secret))
    save_secret(folder_of(kept.town, OFFICE) / TOKEN_KEY, secret.export_key("DER"), kept.passphrase)
    keeper = next(party for party in made.institutions if isinstance(party, LogKeeper))
    witnesses = [party for party in made.institutions if isinstance(party, Witness)]
    member = Member(OFFICE, "office", office.public)
    entries = [Entry.sign(Kind.MEMBER, registrar, member.encode())]
    entries += [Entry.sign(Kind.TERMS, office, perk.encode()), Entry.sign(Kind.TOKEN_KEY, office, issuer.key.encode())]
    keep(keeper, witnesses, entries)
    challenge = Challenge(issuer="perks.example", origin="gate.example")
    Office(Lender(perk, office, store_of(OFFICE), role="office"), issuer)
    Gate(GATE, challenge, [issuer.key], store_of(GATE))
    key = issuer.key.encode().hex()
    return {"terms": perk.encode().hex(), "key": key, "issuer": challenge.issuer, "origin": challenge.origin}


def _write_wallets(town: Path, people: Population, sources: list[str]) -> None:
    """Give every person a wallet, and every source the hash of what logs its customers in."""
    logins: dict[str, dict[str, str]] = {name: {} for name in sources}
    for number, legal_id in enumerate(people.register[LEGAL_ID].astype(str)):
        tokens = {name: system_secrets.token_urlsafe(24) for name in sources}
        for name, token in tokens.items():
            logins[name][hashlib.sha256(token.encode()).hexdigest()] = legal_id
        folder = town / WALLETS / str(number)
        folder.mkdir(parents=True)
        write_secret(folder / "wallet.json", json.dumps({"legal_id": legal_id, "tokens": tokens}).encode())
    for name, known in logins.items():
        write_secret(folder_of(town, name) / "logins.json", json.dumps(known).encode())
