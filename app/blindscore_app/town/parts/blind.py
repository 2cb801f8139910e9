"""Blind: what the encrypted designs have alike in a town: a bank that attests, lenders behind letterboxes, and wallets.

A lender's card and threshold are its secret: they lie in its own folder under the passphrase. What it publishes stands
in the town's public file, one for all; a log with witnesses has it only where the design says so
(:mod:`.encrypted_proved`).
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError
from blindscore.parties.party import Party, day_of, wall_clock
from blindscore.parties.store import Store
from blindscore.scorecard.card import Card
from blindscore.scorecard.forms.json import card_from_json, card_to_json
from blindscore_app.town.folders import BANK, folder_of
from blindscore_app.town.letterbox import Letterbox
from blindscore_app.town.lines import Lines
from blindscore_app.town.patient_wallet import PatientWallet
from blindscore_app.town.secret_files import load_secret
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parameters import Parameters, fitting, of_code
from blindscore_crypto.encrypted.parties.lender import Lender, Way
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.source import Source, counted_under
from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet
from blindscore_crypto.encrypted.ring.sampling import Draw
from blindscore_crypto.layout import Layout

if TYPE_CHECKING:
    from blindscore_app.town.auditor.books import Finding
    from blindscore_app.town.parts.site import Founded, Named, Site
    from blindscore_app.town.standing import Person, Town

CARD = "card.key"  # of a lender, and of an auditor to whom it was opened: under the passphrase


@dataclass(frozen=True)
class Own:
    """What a lender keeps to itself."""

    card: Card
    threshold: int
    salt: bytes = field(default_factory=lambda: os.urandom(32), repr=False)  # of the commitment to the two
    master: bytes = field(default_factory=lambda: os.urandom(32), repr=False)  # where applications' seeds come from

    def encode(self) -> bytes:
        """Return the bytes that are kept under the passphrase."""
        told = {"card": card_to_json(self.card), "threshold": self.threshold}
        return json.dumps(told | {"salt": self.salt.hex(), "master": self.master.hex()}).encode()

    @classmethod
    def load(cls, town: Town, name: str, passphrase: bytes) -> Own:
        """Return what lies in a party's folder.

        Raises
        ------
        DataError
            It does not open, or is something else.
        """
        path = folder_of(town.folder, name) / CARD
        secret = load_secret(path, passphrase)
        try:
            told = json.loads(secret)
            salt, master = (bytes.fromhex(told[what]) for what in ("salt", "master"))
            return cls(card_from_json(told["card"]), int(told["threshold"]), salt, master)
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{path}: no scorecard of a lender; found the town anew") from None


class OneBank(ABC):
    """What follows from one bank that attests bins under one published layout."""

    perks = False
    banks = 1  # attests all figures, the bureau's too
    several: tuple[str, ...] = ()
    coverable = False

    @abstractmethod
    def layout(self, town: Town) -> Layout:
        """Return the published layout, which all lenders of a town have alike."""

    def names_at_source(self, town: Town, legal_id: str) -> tuple[bytes, ...]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        return legal_id.encode(), counted_under(self.layout(town), legal_id)

    def audit(self, town: Town) -> list[Finding]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        from blindscore_app.town.auditor.of_blind_town import audit_blind_town

        return audit_blind_town(town, self.layout(town))

    def features(self, town: Town) -> list[str]:
        """See :class:`~blindscore_app.town.parts.Part`."""
        return self.layout(town).features


class Blind(OneBank):
    """See :class:`~blindscore_app.town.parts.Part`; a design says what is its own."""

    closed: tuple[str, ...] = ("auditor",)

    # What a design adds

    def others(self, site: Site, owns: dict[str, Own]) -> list[Named]:
        """Found institutions besides bank and lenders; what they keep, and what is published of them, too."""
        return []

    def published(self, site: Site, own: Own) -> dict[str, Any]:
        """Return what a lender publishes besides layout and parameters."""
        return {}

    @abstractmethod
    def way(self, town: Town, own: Own, key: SigningKey) -> Way:
        """Return how a lender concludes."""

    def other(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """Return an institution that is neither bank nor lender.

        Raises
        ------
        DataError
            The design has none.
        """
        raise DataError(f"{town.public['design']} has no {town.roles[name]}, which {name} is said to be")

    # What they have alike

    def found(self, site: Site) -> Founded:
        """See :class:`~blindscore_app.town.parts.Part`."""
        from blindscore_app.town.parts.site import Founded, Named

        bank = Named(BANK, "source")
        key, records = site.kept.signing_key(BANK), bank_records(site)
        Source(BANK, records, site.store_of(BANK), site.clock, key)
        owns = {name: Own(site.card, points) for name, points in site.thresholds().items()}
        for name, own in owns.items():
            site.kept.signing_key(name)
            site.kept.save(name, CARD, own.encode())
            site.store_of(name)
        others, layout, p = self.others(site, owns), Layout.of(site.card), parameters_of(site.card)
        terms = {
            name: {"layout": layout.encode().hex(), "parameters": p.code, **self.published(site, own)}
            for name, own in owns.items()
        }
        lenders = [Named(name, "lender") for name in owns]
        behind = (*owns, *(other.name for other in others if other.role not in self.closed))
        return Founded([bank, *lenders, *others], behind, [BANK], {"terms": terms})

    def party(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """See :class:`~blindscore_app.town.parts.Part`."""
        role = town.roles[name]
        if role not in ("source", "lender"):
            return self.other(town, name, passphrase, store)
        key = SigningKey.load(folder_of(town.folder, name) / "signing.pem", passphrase)
        if role == "source":
            return Source(name, {}, store, wall_clock, key, features=self.features(town))
        own = Own.load(town, name, passphrase)
        scorer = BlindScorer(name, own.card, [town.key(BANK)], store, wall_clock)
        return behind_a_letterbox(town, Lender(scorer, self.way(town, own, key)))

    def wallet(
        self, town: Town, person: Person, lender: str, store: Store, lines: Lines | None, batch: int
    ) -> PatientWallet:
        """See :class:`~blindscore_app.town.parts.Part`."""
        name, encoded = f"wallet {person.number}", json.dumps(town.public["terms"][lender]).encode()

        def make(terms: bytes, draw: Draw) -> Wallet:
            return Wallet(name, self.terms(town, lender, json.loads(terms)), BANK, draw=draw)

        return PatientWallet(name, store, make, lender, clock=wall_clock, terms=encoded)

    def terms(self, town: Town, lender: str, told: dict[str, Any]) -> Terms:
        """Return a lender's terms as a wallet takes them from the public file."""
        signs = town.key(lender) if "commitment" in told else None
        helper = told.get("helper", "")
        more = {"helper": helper, "helper_box": bytes.fromhex(town.public["boxes"][helper])} if helper else {}
        layout, commitment = Layout.decode(bytes.fromhex(told["layout"])), bytes.fromhex(told.get("commitment", ""))
        return Terms(lender, layout, of_code(told["parameters"]), signs, commitment, **more)

    def layout(self, town: Town) -> Layout:
        """See :class:`OneBank`."""
        return Layout.decode(bytes.fromhex(town.public["terms"][town.public["lender"]]["layout"]))


def bank_records(site: Site) -> dict[str, dict[str, Any]]:
    """Return what the bank holds by legal id: one bank has all that the card reads."""
    import numpy as np

    from blindscore_crypto.designs.executed import records_of

    records = records_of(site.people, site.card.features, np.arange(len(site.people)))
    return {who: dict(figures) for who, figures in records.items()}


def behind_a_letterbox(town: Town, party: Party) -> Letterbox:
    """Return a party behind its letterbox, for which only institutions of this town are known."""
    return Letterbox(party, town.roles.__contains__, wall_clock, delay_s=int(town.public["delay_s"]))


def parameters_of(card: Card) -> Parameters:
    """Return the parameter set that a card runs under."""
    return fitting(sum(card.n_bins), card.max_total - card.min_total + 1)


def last_day(site: Site, days: int) -> int:
    """Return the last day of an epoch that begins now."""
    return day_of(site.clock) + days
