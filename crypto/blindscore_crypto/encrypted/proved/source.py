"""ChoosingSource: a bank that vouches for bins by choices that hide them from whoever gets them.

Who sees what: as :class:`~blindscore_crypto.encrypted.parties.source.Source`; it has the seed, and knows the bins
anyway. Assumption: it tells the truth about bins. One that makes choices up reads no more of a card than an honest one
(see :mod:`~blindscore_crypto.encrypted.proved.transfer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Store
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.parties.source import LIMIT, Source
from blindscore_crypto.encrypted.proved.transfer import choose
from blindscore_crypto.encrypted.proved.wire import ChoiceAsk, sign_choices
from blindscore_crypto.encrypted.wire import Attested
from blindscore_crypto.sealed.groups.group import Group


class ChoosingSource(Source):
    """A source of ``encrypted-proved``; parameters as :class:`~blindscore_crypto.encrypted.parties.source.Source`."""

    def __init__(
        self,
        name: str,
        records: Mapping[str, Mapping[str, float | str | None]],
        store: Store,
        clock: Clock,
        signer: SigningKey,
        group: Group,
        limit: int = LIMIT,
        features: Sequence[str] = (),
    ) -> None:
        super().__init__(name, records, store, clock, signer, limit, features)
        self._group = group

    def attest(self, ask: bytes, legal_id: str) -> bytes:
        """Choose a customer's bins and sign; return the frame of choices. Errors: as the base class."""
        asked = ChoiceAsk.decode(ask, self._group)
        bins = self.bins(asked.layout, legal_id)
        made = choose(self._group, asked.seed, asked.layout, bins)
        facts = (self.public.id, asked.layout.fingerprint, asked.pseudonym, asked.nonce, day_of(self._clock))
        return sign_choices(Attested(*facts, made), self._group, self._signer)
