"""Source and wallet of one-show presentations; the lender is :class:`.verifier.Verifier` with :func:`.one_show.check`.

Who sees what: as in :mod:`.one_show`. A source learns at issuing whom it serves and how many signatures they fetch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blindscore.errors import DataError, ForgeryError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey
from blindscore_crypto.sealed.attestation import holder_scalar
from blindscore_crypto.sealed.blind.acl import AclCredential, AclReceiver, AclSigner, SigningSession
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.layout import Layout
from blindscore_crypto.sealed.one_show import EpochKey, OneShowTerms, present
from blindscore_crypto.sealed.parties.wallet import Applicant, Epoch
from blindscore_crypto.sealed.terms import Offer, Terms


class BlindSource:
    """A bank, bureau or registry that signs blindly. Holds one secret signing key an epoch."""

    def __init__(self, group: Group, layout: Layout, epoch: Epoch, identity: SigningKey | None = None) -> None:
        self._identity = identity or SigningKey()
        context = EpochKey.context(layout, epoch.number, epoch.last_day)
        self._signer = AclSigner(group, context)
        self.layout = layout
        bare = EpochKey(layout, epoch.number, epoch.last_day, self._signer.key, b"")
        signature = self._identity.sign(bare.signed, Purpose.EPOCH_KEY)
        self.epoch_key = EpochKey(layout, epoch.number, epoch.last_day, self._signer.key, signature)

    @property
    def public(self) -> VerifyingKey:
        """The long-term key that signs epoch keys."""
        return self._identity.public

    def begin(self, legal_id: str, bins: Sequence[int]) -> SigningSession:
        """Start one signature on a customer's bins.

        Raises
        ------
        DataError
            Bins outside the layout.
        """
        holder = holder_scalar(self._signer.key.group, legal_id)
        return self._signer.begin([holder, *self.layout.indicators(bins)])


@dataclass(frozen=True)
class _Held:
    credential: AclCredential
    bins: tuple[int, ...]


class OneShowWallet(Applicant):
    """One person's wallet of blind signatures, each shown once and recognised by nobody."""

    def __init__(self, legal_id: str, published: Iterable[OneShowTerms], epoch: Epoch) -> None:
        super().__init__(legal_id, published, epoch)
        self._held: dict[bytes, list[_Held]] = {}  # by epoch key

    def receive(self, key: EpochKey, bins: Sequence[int], opening: bytes) -> AclReceiver:
        """Answer a source's first message; send the result's `challenge` back, then call :meth:`keep`.

        Raises
        ------
        ForgeryError
            The key is not one of the published terms' keys (a key made for one person would mark it), is dated
            otherwise than published, or the message is malformed.
        DataError
            Bins outside the layout.
        """
        published = {k.signed for terms in self._published.values() for k in _one_show(terms).keys}
        if key.signed not in published or (key.epoch, key.expires) != (self._epoch.number, self._epoch.last_day):
            raise ForgeryError("this epoch key is not the published one; it could mark its holder")
        holder = holder_scalar(key.key.group, self._legal_id)
        return AclReceiver(key.key, [holder, *key.layout.indicators(bins)], opening)

    def keep(self, key: EpochKey, bins: Sequence[int], credential: AclCredential) -> None:
        """Take a finished credential in."""
        self._held.setdefault(key.signed, []).append(_Held(credential, tuple(int(b) for b in bins)))

    def presentations_left(self, terms: Terms) -> int:
        """How many applications under these terms the wallet can still answer."""
        return min(len(self._held.get(key.signed, ())) for key in _one_show(terms).keys)

    def bins(self, terms: Terms) -> dict[str, int]:
        """See :meth:`.wallet.Applicant.bins`."""
        if not self.presentations_left(terms):
            raise DataError("no fresh blind signature is left for these terms; fetch some from each source")
        features = [feature for layout in terms.layouts for feature in layout.features]
        bins = (b for key in _one_show(terms).keys for b in self._held[key.signed][-1].bins)
        return dict(zip(features, bins, strict=True))

    def _prove(self, terms: Terms, offer: Offer, value: int | None) -> bytes:
        ours = _one_show(terms)
        credentials = [self._held[key.signed][-1].credential for key in ours.keys]
        frame = present(ours, offer, credentials, 0 if value is None else value)
        if value is not None:
            for key in ours.keys:
                self._held[key.signed].pop()
        return frame


def _one_show(terms: Terms) -> OneShowTerms:
    if not isinstance(terms, OneShowTerms):
        raise DataError("a one-show wallet answers one-show terms only")
    return terms


def fetch(wallet: OneShowWallet, source: BlindSource, legal_id: str, bins: Sequence[int]) -> int:
    """Play one blind issuance between a source and a wallet; return the bytes that travelled."""
    session = source.begin(legal_id, bins)
    receiver = wallet.receive(source.epoch_key, bins, session.opening)
    closing = session.answer(receiver.challenge)
    wallet.keep(source.epoch_key, bins, receiver.finish(closing))
    return len(session.opening) + len(receiver.challenge) + len(closing)
