"""``encrypted-audited`` in a town: as ``encrypted``; results are signed, and each lender has an auditor.

The auditor's share of results is published: whoever applies knows with which chance a bent one is caught.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from blindscore.parties.party import Party
from blindscore.parties.store import Store
from blindscore_app.town.folders import BANK, folder_of
from blindscore_app.town.parts.blind import CARD, Blind, Own, behind_a_letterbox
from blindscore_app.town.secret_files import load_secret
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parameters import of_code
from blindscore_crypto.encrypted.parties.auditor import Auditor, Opened
from blindscore_crypto.encrypted.parties.lender import Way
from blindscore_crypto.encrypted.parties.sign_score import SignScore
from blindscore_crypto.encrypted.results import commit

if TYPE_CHECKING:
    from blindscore_app.town.parts.site import Founded, Named, Site
    from blindscore_app.town.standing import Town

CHOICE = "choice.key"  # by which an auditor picks; under the passphrase


class EncryptedAudited(Blind):
    """See :class:`~blindscore_app.town.parts.Part`."""

    def found(self, site: Site) -> Founded:
        """See :class:`~blindscore_app.town.parts.Part`."""
        made = super().found(site)
        made.public["share"] = site.share
        return made

    def others(self, site: Site, owns: dict[str, Own]) -> list[Named]:
        """See :class:`~blindscore_app.town.parts.blind.Blind`: each lender's commitment is opened to its auditor."""
        from blindscore_app.town.parts.site import Named

        names = [auditor_of(lender) for lender in owns]
        for name, own in zip(names, owns.values(), strict=True):
            folder_of(site.town, name).mkdir()
            site.kept.save(name, CARD, replace(own, master=b"").encode())  # seeds come with what is picked
            site.kept.save(name, CHOICE, os.urandom(32))
            site.store_of(name)
        return [Named(name, "auditor") for name in names]

    def published(self, site: Site, own: Own) -> dict[str, Any]:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        return {"commitment": commit(own.card, own.threshold, own.salt).hex()}

    def way(self, town: Town, own: Own, key: SigningKey) -> Way:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        lender = next(name for name in town.public["lenders"] if town.key(name) == key.public)
        return SignScore(own.threshold, key, own.salt, own.master, auditor_of(lender))

    def other(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """Return the auditor of a lender."""
        lender = next(lender for lender in town.public["lenders"] if auditor_of(lender) == name)
        own, told = Own.load(town, name, passphrase), town.public["terms"][lender]
        auditor = Auditor(
            name,
            Opened(own.card, own.threshold, own.salt),
            bytes.fromhex(told["commitment"]),
            lender,
            town.key(lender),
            [town.key(BANK)],
            of_code(told["parameters"]),
            float(town.public["share"]),
            store,
            load_secret(folder_of(town.folder, name) / CHOICE, passphrase),
        )
        return behind_a_letterbox(town, auditor)


def auditor_of(lender: str) -> str:
    """Return the name of a lender's auditor."""
    return lender.replace("lender", "auditor")
