"""``encrypted-decision`` in a town: as ``encrypted``, and a helper, with whose aid lenders read one bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blindscore.parties.party import Party, wall_clock
from blindscore.parties.store import Store
from blindscore_app.town.folders import BANK, folder_of
from blindscore_app.town.parts.blind import Blind, Own, behind_a_letterbox
from blindscore_app.town.secret_files import load_secret
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parameters import of_code
from blindscore_crypto.encrypted.parties.helper import Helper
from blindscore_crypto.encrypted.parties.lender import Way
from blindscore_crypto.encrypted.parties.read_decision import ReadDecision

if TYPE_CHECKING:
    from blindscore_app.town.parts.site import Founded, Named, Site
    from blindscore_app.town.standing import Town

HELPER = "helper"
BOX = "box.key"  # the helper's X25519 secret; under the passphrase


class EncryptedDecision(Blind):
    """See :class:`~blindscore_app.town.parts.Part`."""

    def found(self, site: Site) -> Founded:
        """See :class:`~blindscore_app.town.parts.Part`; the helper's box is published with the terms."""
        secret, box = new_box()
        site.kept.signing_key(HELPER)
        site.kept.save(HELPER, BOX, secret + box)
        site.store_of(HELPER)
        made = super().found(site)
        made.public["boxes"] = {HELPER: box.hex()}
        return made

    def others(self, site: Site, owns: dict[str, Own]) -> list[Named]:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        from blindscore_app.town.parts.site import Named

        return [Named(HELPER, "helper")]

    def published(self, site: Site, own: Own) -> dict[str, Any]:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        return {"helper": HELPER}

    def way(self, town: Town, own: Own, key: SigningKey) -> Way:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        return ReadDecision(own.threshold, key, own.salt, HELPER, town.key(HELPER))

    def other(self, town: Town, name: str, passphrase: bytes, store: Store) -> Party:
        """Return the helper, who serves every lender of the town."""
        folder = folder_of(town.folder, name)
        key, kept = SigningKey.load(folder / "signing.pem", passphrase), load_secret(folder / BOX, passphrase)
        lenders = {lender: town.key(lender) for lender in town.public["lenders"]}
        p = of_code(town.public["terms"][town.public["lender"]]["parameters"])
        box = kept[:32], kept[32:]
        return behind_a_letterbox(town, Helper(name, p, [town.key(BANK)], lenders, store, wall_clock, key, box))
