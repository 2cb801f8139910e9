"""Decision only: the lender learns whether a score reaches its threshold, by comparing shares with a second server.

After the lender's reply the applicant opens to a *helper*, not to the lender. The helper then holds ``z = v + rho mod
t`` and the lender rho, for the sum of points v; they compare shares of v with the threshold by function secret sharing
(Boyle, Gilboa, Ishai, 2019; package ``sycret``: Ryffel et al., ARIANN, 2022). The keys of the comparison come from the
source, which signs them beside the bins: it is believed already, and its keys hang on no secret of anybody.

Who sees what
    - lender: one bit an application, and values that are uniform whatever the score
    - helper: the factors of the MAC, uniform values, and that somebody applied; neither bins, score nor decision
    - applicant: as before, uniform values; source: as before
Assumptions: lender and helper do not pool what they see (together they have the score), and both follow the protocol
(a helper can turn a decision round); AES in sycret, a research library, as a pseudorandom generator; and those of
:mod:`~blindscore_crypto.encrypted.protocol`. A lying applicant is caught by the helper, which checks the MAC: it gets
the factors ``alpha_k`` and the differences of ``r_k / alpha_k``, which leave rho uniform. It cannot tell a possible
total from an impossible one, but only a lie that lands between threshold and highest total approves anybody, so the
chance of one is no greater than before; unless helper and applicant act together. Does not protect against: a lender
that sends another threshold. It gets one bit an application whatever it does, so about ten tell a score: that is why
applications are limited.

**Modulus.** t is prime and the comparison works modulo 2^32, so ``v - threshold`` is compared as the whole number ``d =
z - rho'`` in (-t, t): the score is in reach if ``0 <= d <= top`` or ``d <= top - t``, which is ``[d <= top] - [d <= -1]
+ [d <= top - t]``: three comparisons. sycret compares ``d + alpha mod 2^32`` with alpha, which is wrong if that sum
wraps. Both parties see the sum, and it is uniform, so a set of keys whose sums come within :data:`MARGIN` of the ends
is passed over for the spare one (chance 2^-14, or 2^-28 that both are and the applicant applies again), which hangs on
nothing secret. Every decision given is exact.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.encrypted.parameters import Parameters
from blindscore_crypto.encrypted.protocol import Lender, Outcome, Source, today
from blindscore_crypto.encrypted.wire import NONCE_BYTES, VALUE_BYTES, opening_bytes

COMPARISONS, SETS = 3, 2
WORDS = SETS * COMPARISONS
SIGNS = np.array([1, -1, 1], np.int64)  # [d <= top] - [d <= -1] + [d <= top - t]
MARGIN = 2**15  # more than 2 t, which |d - bound| never reaches
KEY_BYTES = 920  # of one comparison and party, sycret's
LENDER, HELPER = 0, 1
_WORD = 2**32
_CONTEXT = {Kind.KEYS: b"blindscore/keys/v1", Kind.CHECK: b"blindscore/check/v1", Kind.SHARE: b"blindscore/share/v1"}
_KEYS = struct.Struct(f">16s{NONCE_BYTES}sB{WORDS * KEY_BYTES}s")  # signer, nonce, party, keys
_SHARE = struct.Struct(f">{NONCE_BYTES}s{WORDS}II")  # nonce, masked values, share of the decision


@cache
def _compare() -> Any:
    with needs("frontier"):
        import sycret

    return sycret.LeFactory(n_threads=1)


def _check(parameters: Parameters) -> struct.Struct:
    """Nonce, factors, differences of shifts, masked values."""
    k = parameters.outputs
    return struct.Struct(f">{NONCE_BYTES}s{k}I{k - 1}I{WORDS}I")


def _signed(kind: Kind, code: int, body: bytes, key: SigningKey) -> bytes:
    frame = pack(kind, code, body + bytes(SIGNATURE_BYTES))[:-SIGNATURE_BYTES]
    return frame + key.sign(frame, _CONTEXT[kind])


def _read(frame: bytes, kind: Kind, code: int, length: int, key: VerifyingKey) -> bytes:
    """Return the body of a signed frame, without its signature."""
    body = unpack(frame, kind, code, length + SIGNATURE_BYTES)
    if not key.accepts(frame[:-SIGNATURE_BYTES], frame[-SIGNATURE_BYTES:], _CONTEXT[kind]):
        raise refuse(kind, "its signature is not the sender's")
    return body[:-SIGNATURE_BYTES]


def _keys(frame: bytes, code: int, sources: dict[bytes, VerifyingKey], nonce: bytes, party: int) -> NDArray[np.uint8]:
    """Return a party's comparison keys, shape (6, 920)."""
    body = unpack(frame, Kind.KEYS, code, _KEYS.size + SIGNATURE_BYTES)
    source = sources.get(body[:16])
    if source is None:
        raise refuse(Kind.KEYS, "its source is not one that this party believes")
    _, dealt_for, dealt_to, raw = _KEYS.unpack(_read(frame, Kind.KEYS, code, _KEYS.size, source))
    if (dealt_for, dealt_to) != (nonce, party):
        raise refuse(Kind.KEYS, "it was dealt for another application or party")
    return np.frombuffer(raw, np.uint8).reshape(WORDS, KEY_BYTES)


def _alpha(keys: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return a party's additive shares modulo 2^32 of the comparisons' offsets: the first four bytes of each key."""
    return np.ascontiguousarray(keys[:, :4]).view("<u4").ravel().astype(np.int64)


def _evaluate(party: int, sums: NDArray[np.int64], keys: NDArray[np.uint8], kind: Kind) -> int:
    """Return a party's additive share modulo 2^32 of the decision, by the first set of keys whose sums cannot wrap."""
    for used in np.split(np.arange(WORDS), SETS):
        if (sums[used] >= MARGIN).all() and (sums[used] < _WORD - MARGIN).all():
            return int(SIGNS @ _compare().eval(party, sums[used], np.ascontiguousarray(keys[used]), 1)) % _WORD
    raise refuse(kind, "its masked values may have wrapped, which happens by chance once in 2^28 applications")


def check_bytes(parameters: Parameters) -> int:
    """Bytes of what the lender sends the helper."""
    return HEADER_BYTES + _check(parameters).size + SIGNATURE_BYTES


KEYS_FRAME_BYTES = HEADER_BYTES + _KEYS.size + SIGNATURE_BYTES
SHARE_FRAME_BYTES = HEADER_BYTES + _SHARE.size + SIGNATURE_BYTES


class DealingSource(Source):
    """A source that deals comparison keys beside its attestations."""

    def deal(self, nonce: bytes, parameters: Parameters) -> tuple[bytes, bytes]:
        """Return signed keys for one application: the lender's frame and the helper's; the applicant delivers them."""
        dealt = _compare().keygen(WORDS)
        facts = [_KEYS.pack(self.public.id, nonce, party, dealt[party].tobytes()) for party in (LENDER, HELPER)]
        to_lender, to_helper = (_signed(Kind.KEYS, parameters.code, body, self._signer) for body in facts)
        return to_lender, to_helper


class DecidingLender(Lender):
    """A lender that learns decisions and no scores.

    Parameters are those of :class:`~blindscore_crypto.encrypted.protocol.Lender`, and

    threshold
        Approved from this score on; within the card's scale, above its lowest score.
    helper
        The helper's signature key.
    """

    def __init__(
        self,
        name: str,
        card: Card,
        sources: Iterable[VerifyingKey],
        threshold: int,
        helper: VerifyingKey,
        *,
        limit: int = 100,
        max_age: int = 1,
        clock: Callable[[], int] = today,
    ) -> None:
        super().__init__(name, card, sources, limit=limit, max_age=max_age, clock=clock)
        if not card.scale.low < threshold <= card.scale.high:
            raise ParameterError(f"threshold {threshold}: must lie above {card.scale.low}, up to {card.scale.high}")
        self._signer = SigningKey()
        self._helper = helper
        # The least sum of weights that passes; where all or none does, one end of what the card can give.
        self._bar = min(max(threshold - self._points.offset, self._points.low), self._points.high + 1)
        self._waiting: dict[bytes, tuple[NDArray[np.int64], NDArray[np.uint8]]] = {}

    @property
    def public(self) -> VerifyingKey:
        """The key under which it writes to the helper."""
        return self._signer.public

    def conclude(self, opening: bytes) -> Outcome:
        """Refuse: this lender reads no openings."""
        raise refuse(Kind.OPENING, "this lender learns decisions only; it goes to the helper")

    def _drop(self, nonce: bytes) -> None:
        super()._drop(nonce)
        self._waiting.pop(nonce, None)

    def consult(self, nonce: bytes, keys: bytes) -> bytes:
        """Return the check frame for the helper, for an application that has been answered.

        Raises
        ------
        ForgeryError
            No such application, or keys that no believed source dealt to the lender for it.
        """
        p = self.parameters
        if nonce not in self._sessions:
            raise refuse(Kind.KEYS, "no answered application waits for it")
        own = _keys(keys, p.code, self._sources, nonce, LENDER)
        mask = self._sessions.pop(nonce).mask
        shifts = [int(r) * pow(int(alpha), -1, p.t) % p.t for alpha, r in zip(mask.factors, mask.shifts, strict=True)]
        differences = [(shift - shifts[0]) % p.t for shift in shifts[1:]]
        top = self._points.high - self._bar
        bounds = np.array(SETS * [top, -1, top - p.t], np.int64)
        masked = (_alpha(own) - (shifts[0] + self._bar) % p.t - bounds) % _WORD
        self._waiting[nonce] = masked, own
        body = _check(p).pack(nonce, *mask.factors.tolist(), *differences, *masked.tolist())
        return _signed(Kind.CHECK, p.code, body, self._signer)

    def decide(self, share: bytes) -> bool:
        """Return whether the score reaches the threshold, from the helper's frame; once an application.

        Raises
        ------
        ForgeryError
            Malformed, not the helper's, for no waiting application, or nothing that two keys of one deal can give.
        """
        body = _read(share, Kind.SHARE, self.parameters.code, _SHARE.size, self._helper)
        nonce, *masked, theirs = _SHARE.unpack(body)
        waiting = self._waiting.pop(nonce, None)
        if waiting is None:
            raise refuse(Kind.SHARE, "no application waits for it")
        sums = (waiting[0] + np.array(masked, np.int64)) % _WORD
        bit = (_evaluate(LENDER, sums, waiting[1], Kind.SHARE) + int(theirs)) % _WORD
        if bit > 1:
            raise refuse(Kind.SHARE, "it does not belong to the keys that the source dealt")
        return bool(bit)


class Helper:
    """The second server: checks the MAC and compares; sees uniform values alone, and never the threshold.

    Parameters
    ----------
    parameters
        The lender's set.
    sources
        Signature keys of the sources that it believes.
    """

    def __init__(self, parameters: Parameters, sources: Iterable[VerifyingKey]) -> None:
        self.parameters = parameters
        self._sources = {key.id: key for key in sources}
        self._signer = SigningKey()

    @property
    def public(self) -> VerifyingKey:
        """The key under which it answers."""
        return self._signer.public

    def compare(self, check: bytes, lender: VerifyingKey, keys: bytes, opening: bytes) -> bytes:
        """Return the share frame for the lender.

        Parameters
        ----------
        check, lender
            The lender's frame and signature key.
        keys, opening
            The applicant's frames: what its source dealt to the helper, and what it opened.

        Raises
        ------
        ForgeryError
            Any frame malformed, unsigned or of another application, or an opening that the reply did not contain.
        """
        p = self.parameters
        nonce, *numbers = _check(p).unpack(_read(check, Kind.CHECK, p.code, _check(p).size, lender))
        factors, differences = numbers[: p.outputs], numbers[p.outputs : 2 * p.outputs - 1]
        theirs = np.array(numbers[2 * p.outputs - 1 :], np.int64)
        own = _keys(keys, p.code, self._sources, nonce, HELPER)
        body = unpack(opening, Kind.OPENING, p.code, opening_bytes(p) - HEADER_BYTES)
        values = np.frombuffer(body, f">u{VALUE_BYTES}", p.outputs, NONCE_BYTES).tolist()
        if body[:NONCE_BYTES] != nonce or max(values) >= p.t:
            raise refuse(Kind.OPENING, "it answers another application, or a value is out of range")
        first, *others = (y * pow(alpha, -1, p.t) % p.t for y, alpha in zip(values, factors, strict=True))
        if [(other - first) % p.t for other in others] != differences:
            raise refuse(Kind.OPENING, "it is not what the reply contained")
        masked = (first + _alpha(own)) % _WORD
        share = _evaluate(HELPER, (masked + theirs) % _WORD, own, Kind.OPENING)
        return _signed(Kind.SHARE, p.code, _SHARE.pack(nonce, *masked.tolist(), share), self._signer)
