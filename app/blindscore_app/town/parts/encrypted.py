"""``encrypted`` in a town: a bank and lenders that read the total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blindscore_app.town.parts.blind import Blind, Own
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parties.lender import Way
from blindscore_crypto.encrypted.parties.read_score import ReadScore

if TYPE_CHECKING:
    from blindscore_app.town.standing import Town


class Encrypted(Blind):
    """See :class:`~blindscore_app.town.parts.Part`."""

    def way(self, town: Town, own: Own, key: SigningKey) -> Way:
        """See :class:`~blindscore_app.town.parts.blind.Blind`."""
        return ReadScore(own.threshold)
