"""Founding: makes every party's folder, its keys and its store, and publishes what all may know. Then it forgets.

::

    TOWN/public/       authority.pem, town.json: names and roles, keys, what the design publishes; addresses.json
    TOWN/<party>/      <party>.pem and .key (TLS), signing.pem and other keys (under the passphrase); store.db
    TOWN/wallets/<n>/  wallet.json: legal id, and what logs the person in at its sources; store.db

Each process reads its own folder and ``public``, and nobody else's. What a design brings is :mod:`.parts`.
"""

from __future__ import annotations

import hashlib
import json
import secrets as system_secrets
from collections.abc import Callable
from pathlib import Path

from blindscore.designs.plain import LEGAL_ID
from blindscore.errors import DataError, ParameterError
from blindscore.parties.party import SetClock, wall_clock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Store, close_store
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore_app.town.authority import found, write_secret
from blindscore_app.town.folders import LENDER, PUBLIC, RELAY, STORE, WALLETS, folder_of
from blindscore_app.town.parts import part_of
from blindscore_app.town.parts.site import KeptSecrets, Named, Site
from blindscore_app.town.second_bank import with_second_bank
from blindscore_crypto.channel.ohttp import KeyConfig
from blindscore_crypto.channel.relay import Relay
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.log.entries import Entry, Kind, SealingKey
from blindscore_crypto.sealed.parties.cast import REGISTRAR
from blindscore_crypto.sealed.parties.log import NEEDED

MOST_LENDERS = 4


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
    lenders: int = 1,
    banks: int = 1,
    share: float = 1.0,
) -> None:
    """Make a town for these people.

    Parameters
    ----------
    town
        Folder that is not there yet, or empty.
    design
        One of :data:`~blindscore_app.town.parts.PARTS`.
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
    lenders
        How many; each asks for more points than the one before.
    banks
        One, or two: savings lie with the second (:mod:`.second_bank`).
    share
        Part of signed results that an auditor computes again, where the design has one.

    Raises
    ------
    DataError
        The folder holds something already.
    ParameterError
        No such design, too many lenders or banks, or a perk under a design that has none.
    """
    part = part_of(design)
    if perk and not part.perks:
        raise ParameterError(f"{design} has no perk; leave --perk away, or choose sealed or one-show")
    if not 1 <= lenders <= MOST_LENDERS:
        raise ParameterError(f"a town has 1 to {MOST_LENDERS} lenders, not {lenders}")
    if not 1 <= banks <= part.banks:
        several = "1 bank" if part.banks == 1 else f"1 or {part.banks} banks"
        raise ParameterError(f"a town of {design} has {several}, not {banks}")
    if banks > 1:
        people = with_second_bank(people, card)
    if town.exists() and any(town.iterdir()):
        raise DataError(f"{town} is not empty; name a new folder for the town")
    (town / PUBLIC).mkdir(parents=True)
    opened: list[Store] = []

    def sqlite(name: str) -> Store:
        folder = folder_of(town, name)
        folder.mkdir(parents=True, exist_ok=True)
        return SqliteStore(folder / STORE)

    def keeps(name: str) -> Store:
        opened.append((store_of or sqlite)(name))
        return opened[-1]

    kept = KeptSecrets(town, passphrase)
    names = (LENDER, *(f"{LENDER}-{i + 2}" for i in range(lenders - 1)))
    site = Site(
        town, design, card, threshold, people, kept, keeps, group, SetClock(wall_clock()), names, perk=perk, share=share
    )
    made = part.found(site)
    sealing: dict[str, str] = {}
    if relay:
        Relay(RELAY, kept.signing_key(RELAY), made.behind, keeps(RELAY))
        sealing = {name: kept.sealing_key(name).hex() for name in made.behind}
        if made.publish is not None:
            made.publish(_logged(kept.keys[REGISTRAR], sealing, int(made.public["epoch"][0])))
    if REGISTRAR in kept.keys:  # nobody joins a founded town: its registrar is gone
        (folder_of(town, REGISTRAR) / "signing.pem").unlink()
        folder_of(town, REGISTRAR).rmdir()
    institutions = [*made.institutions, *([Named(RELAY, "relay")] if relay else [])]
    _certify(town, [name for name, _ in institutions])
    public = {
        "design": design,
        "group": group,
        "lender": LENDER,
        "lenders": names,
        "delay_s": delay_s,
        "needed": NEEDED,
        "roles": dict(institutions),
        "sealing": sealing,
        "keys": kept.public,
        **made.public,
    }
    (town / PUBLIC / "town.json").write_text(json.dumps(public, indent=1), "utf-8")
    _write_wallets(town, people, made.sources)
    for store in opened:
        close_store(store)


def _logged(registrar: SigningKey, sealing: dict[str, str], epoch: int) -> list[Entry]:
    """Return what the log is told of the keys that wallets seal to: so that no wallet can be given another."""
    keys = [SealingKey(name, epoch, KeyConfig.decode(bytes.fromhex(key))) for name, key in sealing.items()]
    return [Entry.sign(Kind.SEALING_KEY, registrar, key.encode()) for key in keys]


def _certify(town: Path, names: list[str]) -> None:
    """Give every institution a certificate of the town's throw-away authority."""
    identities = found(town / PUBLIC, [name.replace(" ", "-") for name in names])
    for name in names:
        paths = identities[name.replace(" ", "-")]
        folder_of(town, name).mkdir(parents=True, exist_ok=True)
        paths.certificate.rename(folder_of(town, name) / "tls.pem")
        paths.key.rename(folder_of(town, name) / "tls.key")


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
