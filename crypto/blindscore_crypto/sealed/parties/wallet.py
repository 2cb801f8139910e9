"""Wallet: the applicant's side. Holds bins, openings and score; nobody else does.

Who sees what: the wallet sees its own person's bins and the public card, and computes score, reasons and proof by
itself. The lender is sent a frame that proves one bit, or a refusal of the same size. Not protected: malware on the
device; a person forced to show the score; the time at which an application is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.scorecard.reasons import REASONS, Reason, reasons
from blindscore_crypto.sealed.attestation import Attestation, Issued, blindings, header, holder_scalar
from blindscore_crypto.sealed.disclosure import Openings, disclose
from blindscore_crypto.sealed.groups.group import random_scalar
from blindscore_crypto.sealed.parties.log import LogWatcher
from blindscore_crypto.sealed.presentation import decline, difference, present
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.terms import Offer, Terms, offer_terms


@dataclass(frozen=True)
class Epoch:
    """An issuing period and its last day, published by the sources; one for all, so that neither marks a person."""

    number: int
    last_day: int  # days since 1970-01-01


class Applicant(ABC):
    """What every wallet does alike, however its sources sign: score, reasons, what-if, and whom it answers.

    Parameters
    ----------
    legal_id
        By which the sources know the person.
    published
        Terms that everybody can read (a public log, a newspaper). Offers under other terms are refused, so that no
        lender can probe the score with thresholds of its own.
    epoch
        The current issuing period.
    """

    def __init__(self, legal_id: str, published: Iterable[Terms], epoch: Epoch) -> None:
        self._legal_id = legal_id
        self._published = {terms.fingerprint: terms for terms in published}
        self._epoch = epoch
        self._answered: set[str] = set()  # lenders answered in this epoch

    def learn(self, terms: Terms, watcher: LogWatcher, index: int, proof: Sequence[bytes]) -> None:
        """Take terms for published, after finding them in the public log.

        Raises
        ------
        ForgeryError
            They are not in the log as the watcher last saw it: made for this person, perhaps.
        """
        watcher.require(terms.log_entry, index, proof)
        self._published[terms.fingerprint] = terms

    @abstractmethod
    def bins(self, terms: Terms) -> dict[str, int]:
        """Return the person's bin in every feature of the card, as signed by the sources.

        Raises
        ------
        DataError
            Nothing fresh is left of one of the sources.
        """

    @abstractmethod
    def _prove(self, terms: Terms, offer: Offer, value: int | None) -> bytes:
        """Return the frame for score - threshold = value; do the same work for None, and spend nothing."""

    def score(self, terms: Terms) -> int:
        """Return the person's score under the public card, computed here and shown to nobody."""
        card, bins = terms.card, self.bins(terms)
        return int(card.scores(np.array([[bins[f] for f in card.features]]))[0])

    def distance(self, terms: Terms) -> int:
        """Return score - threshold in points; negative where points are missing."""
        return self.score(terms) - terms.threshold

    def reasons(self, terms: Terms, top: int = REASONS) -> tuple[Reason, ...]:
        """Return what costs the person most, worst first: see :mod:`blindscore.scorecard.reasons`."""
        bins = self.bins(terms)
        return reasons(terms.card, np.array([[bins[f] for f in terms.card.features]]), top)[0]

    def what_if(self, terms: Terms, feature: str, bin_index: int) -> int:
        """Return the score if one feature fell into another bin.

        Raises
        ------
        DataError
            The card has no such feature, or the feature no such bin.
        """
        card, bins = terms.card, self.bins(terms)
        sizes = dict(zip(card.features, card.n_bins, strict=True))
        if feature not in sizes or not 0 <= bin_index < sizes[feature]:
            raise DataError(f"{feature}: the card has no such feature or bin")
        bins[feature] = bin_index
        return int(card.scores(np.array([[bins[f] for f in card.features]]))[0])

    def apply(self, offer_data: bytes, *, day: int) -> bytes:
        """Answer an offer: a proof if the score reaches the threshold, else a refusal of the same size.

        A proof uses up one signature of each source; a refusal shows none. Both do the same work, so that the time to
        the answer tells little.

        Raises
        ------
        ForgeryError
            The offer is malformed, unsigned, or of another day or epoch.
        ParameterError
            Its terms are not published, or this lender was answered in this epoch already.
        DataError
            Nothing fresh is left of one of the sources.
        """
        terms = self._published.get(offer_terms(offer_data))
        if terms is None:
            raise ParameterError(
                "the offer's terms are not among the published ones; a threshold made for one is a probe"
            )
        offer = Offer.decode(terms, offer_data)
        if offer.day != day or offer.epoch != self._epoch.number:
            raise ForgeryError("the offer is of another day or epoch; ask for a new one")
        if terms.lender in self._answered:
            raise ParameterError(
                f"{terms.lender!r} was answered in this epoch; a second answer could narrow the score down"
            )
        value = self._difference(terms)
        self._answered.add(terms.lender)
        frame = self._prove(terms, offer, value if value >= 0 else None)
        return frame if value >= 0 else decline(terms, offer)

    def _difference(self, terms: Terms) -> int:
        bins = self.bins(terms)
        total = terms.card.base + sum(c.points[bins[c.feature]] for c in terms.card.characteristics)
        return total - terms.threshold


class Wallet(Applicant):
    """One person's wallet of signed attestations, each shown once."""

    def __init__(self, legal_id: str, published: Iterable[Terms], epoch: Epoch) -> None:
        super().__init__(legal_id, published, epoch)
        self._held: dict[bytes, list[tuple[Attestation, Issued]]] = {}  # by source, layout and group

    def accept(self, batch: Iterable[Issued], terms: Terms) -> None:
        """Take attestations in, after checking everything that a dishonest source could have put in them.

        Raises
        ------
        ForgeryError
            One is not from a source of these terms, altered, dated so as to mark the person, or does not open to its
            bins. Those before it are kept.
        """
        for issued in batch:
            slot, attestation = self._open(issued, terms)
            self._held.setdefault(slot, []).append((attestation, issued))

    def _open(self, issued: Issued, terms: Terms) -> tuple[bytes, Attestation]:
        for layout, key in zip(terms.layouts, terms.source_keys, strict=True):
            if issued.attestation.startswith(header(terms.group, layout, key)):
                break
        else:
            raise ForgeryError("the attestation is not from a source of these terms")
        attestation = Attestation.decode(terms.group, layout, issued.attestation, key)
        if (attestation.epoch, attestation.expires) != (self._epoch.number, self._epoch.last_day):
            raise ForgeryError("the attestation's dates are not the published ones; they would mark its holder")
        pedersen, bits = Pedersen(terms.group), layout.indicators(issued.bins)
        r_holder, *r_bits = blindings(terms.group, issued.seed, 1 + len(bits))
        expected = [pedersen.commit(holder_scalar(terms.group, self._legal_id), r_holder)]
        expected += [pedersen.commit_bit(bit, r) for bit, r in zip(bits, r_bits, strict=True)]
        given = (attestation.holder, *attestation.commitments)
        if not all(terms.group.equal(a, b) for a, b in zip(expected, given, strict=True)):
            raise ForgeryError(
                "the attestation does not commit to this person and these bins; take it back to its source"
            )
        return header(terms.group, layout, key), attestation

    def presentations_left(self, terms: Terms) -> int:
        """How many applications under these terms the wallet can still answer with fresh attestations."""
        return min(len(self._held.get(slot, ())) for slot in _slots(terms))

    def bins(self, terms: Terms) -> dict[str, int]:
        """See :meth:`Applicant.bins`."""
        if not self.presentations_left(terms):
            raise DataError("no fresh attestation is left for these terms; fetch a batch from each source")
        features = [feature for layout in terms.layouts for feature in layout.features]
        return dict(zip(features, (b for _, issued in self._next(terms) for b in issued.bins), strict=True))

    def committed_score(self, terms: Terms) -> int:
        """Open the sum of the commitments that the next proof would use, and return the score it hides.

        For tests and audits of the protocol by the person itself.

        Raises
        ------
        ForgeryError
            The commitments do not open to the score of the attested bins.
        """
        value, held = self._difference(terms), self._next(terms)
        rows = (blindings(terms.group, issued.seed, 1 + len(a.commitments))[1:] for a, issued in held)
        r = sum(w * r for w, r in zip(terms.linear[1], (r for row in rows for r in row), strict=True))
        opened = Pedersen(terms.group).commit(value, r)
        if not terms.group.equal(opened, difference(terms, [attestation for attestation, _ in held])):
            raise ForgeryError("the attestations' commitments do not add up to the score")
        return int(terms.card.clip(np.array([value + terms.threshold]))[0])

    def disclose(self, terms: Terms, context: bytes, *, low: int, high: int, features: Sequence[str] = ()) -> bytes:
        """Show a score band and chosen losses to one reader; see :func:`.disclosure.disclose`. Uses up attestations."""
        held, bins = self._next(terms), self.bins(terms)
        rows = [blindings(terms.group, issued.seed, 1 + len(a.commitments)) for a, issued in held]
        shown = [attestation for attestation, _ in held]
        frame = disclose(terms, context, shown, Openings(rows, bins), low=low, high=high, features=features)
        for slot in _slots(terms):
            self._held[slot].pop()
        return frame

    def _prove(self, terms: Terms, offer: Offer, value: int | None) -> bytes:
        held = self._next(terms)
        seeds = [blindings(terms.group, issued.seed, 1 + len(a.commitments)) for a, issued in held]
        r = sum(w * r for w, r in zip(terms.linear[1], (r for row in seeds for r in row[1:]), strict=True))
        frame = present(
            terms,
            offer,
            [attestation for attestation, _ in held],
            [row[0] for row in seeds],
            0 if value is None else value,  # below the threshold the proof is of another commitment: a throw-away
            random_scalar(terms.group) if value is None else r % terms.group.order,
        )
        if value is not None:
            for slot in _slots(terms):
                self._held[slot].pop()
        return frame

    def _next(self, terms: Terms) -> list[tuple[Attestation, Issued]]:
        """Return the attestations that the next proof would use, one a source."""
        return [self._held[slot][-1] for slot in _slots(terms)]


def _slots(terms: Terms) -> list[bytes]:
    """Return the keys under which a wallet keeps what these terms' sources signed."""
    pairs = zip(terms.layouts, terms.source_keys, strict=True)
    return [header(terms.group, layout, key) for layout, key in pairs]
