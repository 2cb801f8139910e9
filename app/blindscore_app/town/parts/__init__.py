"""Parts: what each design brings to a town: who its institutions are, how each comes up, and what a wallet is.

A design's part is one file with a class that fulfils :class:`Part`, and one line in :data:`PARTS`. What all towns have
alike, relay, log and witnesses, certificates, sealed lines, orders, figures, stands around it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from blindscore.errors import ParameterError
from blindscore.parties.party import Party

if TYPE_CHECKING:
    from blindscore.parties.store import Store
    from blindscore_app.town.auditor.books import Finding
    from blindscore_app.town.lines import Lines
    from blindscore_app.town.parts.site import Founded, Site
    from blindscore_app.town.standing import Person, Town

PARTS = {
    "sealed": "sealed:Sealed",
    "one-show": "sealed:Sealed",
    "encrypted": "encrypted:Encrypted",
    "encrypted-decision": "encrypted_decision:EncryptedDecision",
    "encrypted-audited": "encrypted_audited:EncryptedAudited",
    "encrypted-proved": "encrypted_proved:EncryptedProved",
}


class Applying(Party, Protocol):
    """A wallet that a town plays: it is told to learn, apply and collect."""

    def verdict(self) -> bool | None:
        """Return approved or refused; None before the answer."""
        ...

    def troubles(self) -> list[str]:
        """Return why messages were refused, oldest first."""
        ...


class Part(Protocol):
    """A design's part in a town."""

    perks: bool  # whether an office can grant a perk under it
    banks: int  # at most
    closed: tuple[str, ...]  # roles that answer known institutions alone
    several: tuple[str, ...]  # roles that can be several processes over one database
    coverable: bool  # whether no request to a relay is longer than a dummy (:mod:`.cover`)

    def found(self, site: Site) -> Founded:
        """Make the institutions' keys, files and stores, and return who they are and what all may know."""
        ...

    def party(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """Return an institution, from its own folder, the public file and the passphrase."""
        ...

    def wallet(
        self, town: Town, person: Person, lender: str, store: Store, lines: Lines | None, batch: int
    ) -> Applying:
        """Return a person's wallet for one lender; without lines, one that is only looked at."""
        ...

    def names_at_source(self, town: Town, legal_id: str) -> tuple[bytes, ...]:
        """Return what the keys of a person's rows at a source begin with; whoever has the legal id can work it out."""
        ...

    def audit(self, town: Town) -> list[Finding]:
        """Open every database of a town, and return each row that honest parties would not have left."""
        ...

    def features(self, town: Town) -> list[str]:
        """Return the names of the figures that sources hold and cards read."""
        ...


def part_of(design: str) -> Part:
    """Return a design's part; nothing of another design is loaded.

    Raises
    ------
    ParameterError
        No town plays this design.
    """
    where = PARTS.get(design)
    if where is None:
        raise ParameterError(f"a town plays {', '.join(PARTS)}, not {design!r}")
    module, name = where.split(":")
    part: Part = getattr(import_module(f"blindscore_app.town.parts.{module}"), name)()
    return part
