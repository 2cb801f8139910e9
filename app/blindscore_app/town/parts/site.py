"""Site: what a design's part is given to found its institutions with, and what it gives back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from blindscore.parties.party import Party, SetClock
from blindscore.parties.store import Store
from blindscore.people.population import Population
from blindscore.scorecard.card import Card
from blindscore_app.town.folders import SEALING, folder_of
from blindscore_app.town.secret_files import save_secret
from blindscore_crypto.channel.ohttp import Gateway
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.blind.acl import AclSigner
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.log.entries import Entry
from blindscore_crypto.sealed.parties.cast import Secrets
from blindscore_crypto.sealed.parties.source import epoch_signer
from blindscore_crypto.sealed.terms import Epoch

SECRET_BYTES = 32  # of X25519
STEP = 20  # points by which each further lender asks for more than the one before


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
        self.save(name, SEALING, secret)
        return Gateway(secret=secret).config.encode()

    def blind_signer(self, name: str, group: Group, layout: Layout, epoch: Epoch) -> AclSigner:
        """See :class:`~blindscore_crypto.sealed.parties.cast.Secrets`."""
        signer = epoch_signer(group, layout, epoch)
        self.save(name, "blind.key", signer.export())
        return signer

    def save(self, name: str, file: str, secret: bytes) -> None:
        """Write a secret into its holder's folder, under the passphrase."""
        save_secret(folder_of(self.town, name) / file, secret, self.passphrase)


@dataclass(frozen=True)
class Site:
    """Where a town is founded, and with what.

    Parameters
    ----------
    lenders
        Names; the first is the one that is meant where none is named.
    threshold
        Points from which the first lender approves; see :func:`threshold_of`.
    perk
        Points of a perk; 0 = none.
    share
        Of signed results that an auditor computes again, where there is one.
    """

    town: Path
    design: str
    card: Card
    threshold: int
    people: Population
    kept: KeptSecrets
    store_of: Callable[[str], Store]
    group: str
    clock: SetClock
    lenders: tuple[str, ...]
    perk: int = 0
    share: float = 1.0

    def thresholds(self) -> dict[str, int]:
        """Return from how many points each lender approves."""
        return {name: threshold_of(self.card, self.threshold, i) for i, name in enumerate(self.lenders)}


@dataclass(frozen=True)
class Founded:
    """What a part has made.

    Parameters
    ----------
    institutions
        Who they are; their stores are made, and their keys.
    behind
        Names of those that wallets reach through a relay.
    sources
        Names of those that log people in.
    public
        What all may know, beside names, roles and keys; an epoch where there is a log.
    publish
        Puts more entries into the log; None where there is none.
    """

    institutions: list[Named]
    behind: tuple[str, ...]
    sources: list[str]
    public: dict[str, Any]
    publish: Callable[[list[Entry]], None] | None = None


def threshold_of(card: Card, first: int, number: int) -> int:
    """Return from how many points a lender approves: each asks for :data:`STEP` more than the one before."""
    return min(first + STEP * number, card.scale.high)


def named(parties: list[Party]) -> list[Named]:
    """Return parties as the public file names them."""
    return [Named(party.name, party.role) for party in parties]
