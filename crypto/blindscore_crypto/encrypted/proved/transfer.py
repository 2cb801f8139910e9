"""Transfer: of every characteristic one entry opens, the one that the source chose; the rest stay shut.

Source: oblivious transfer after Naor and Pinkas (SODA 2001): the chooser sends ``Q = kappa G + b T``, the sender pads
entry b' with a hash of ``y (Q - b' T)`` and shows ``Y = y G``; the chooser computes ``kappa Y``, the pad of b alone.
Who sees what: the lender uniform elements, whatever the bins are (``kappa`` is a hash of a secret seed; solving any
problem in the group does not help); the wallet one entry a characteristic. Entries are masked so that they tell their
sum alone. Assumption: computational Diffie-Hellman in the group, SHA-512 as a random oracle: two pads of one
characteristic differ by a multiple of ``y T``, which whoever knows both has computed from Y and T. It holds for **any**
Q, also of a source that makes them up together with the applicant: there is no malformed choice. A quantum computer
reads the card from a recording, never the bins.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import (
    SCALAR_BYTES,
    Group,
    Point,
    encode_scalar,
    independent_bases,
    random_scalar,
)

ENTRY_BYTES = 2 * SCALAR_BYTES


@dataclass(frozen=True)
class Masks:
    """What hides a reply until the applicant is bound; for one application."""

    factor: int = field(repr=False)  # alpha, 1 .. order - 1
    shift: int = field(repr=False)  # r
    blind: int = field(repr=False)  # m, what is added to the blinding

    @classmethod
    def fresh(cls, group: Group) -> Masks:
        """Draw masks from the operating system."""
        return cls(random_scalar(group), secrets.randbelow(group.order), secrets.randbelow(group.order))

    def encode(self) -> bytes:
        """Return 96 bytes."""
        return encode_scalar(self.factor) + encode_scalar(self.shift) + encode_scalar(self.blind)

    @classmethod
    def decode(cls, group: Group, data: bytes) -> Masks:
        """Return the masks of :meth:`encode`.

        Raises
        ------
        ForgeryError
            Not three numbers below the group's order, the first of them positive.
        """
        numbers = [int.from_bytes(data[at : at + SCALAR_BYTES]) for at in range(0, len(data), SCALAR_BYTES)]
        if len(data) != 3 * SCALAR_BYTES or max(numbers) >= group.order or numbers[0] == 0:
            raise ForgeryError("masks refused: not three numbers of this group; ask for a fresh answer")
        return cls(*numbers)

    def value(self, group: Group, masked: int) -> int:
        """Return v modulo the group's order of ``alpha v + r``."""
        return (masked - self.shift) * pow(self.factor, -1, group.order) % group.order


def _base(group: Group) -> Point:
    """T: nobody knows its logarithm."""
    return independent_bases(group, b"proved choice", 1)[0]


def _kappas(group: Group, seed: bytes, count: int) -> list[int]:
    """Return the chooser's secrets, uniform up to 2^-250, from a seed for one application."""
    wide = (hashlib.sha512(b"blindscore/proved/kappa/v1" + seed + j.to_bytes(4)).digest() for j in range(count))
    return [int.from_bytes(raw) % (group.order - 1) + 1 for raw in wide]


def _multiples(group: Group, point: Point, count: int) -> list[Point]:
    """Return 0, 1 .. count - 1 times a point."""
    out = [group.identity()]
    while len(out) < count:
        out.append(group.add(out[-1], point))
    return out


def choose(group: Group, seed: bytes, layout: Layout, bins: Sequence[int]) -> bytes:
    """Return the choices of a person's bins, one element a characteristic."""
    times = _multiples(group, _base(group), max(layout.n_bins))
    kappas = _kappas(group, seed, len(bins))
    made = (group.add(group.base_mul(kappa), times[b]) for kappa, b in zip(kappas, bins, strict=True))
    return b"".join(map(group.encode, made))


def chosen(group: Group, seed: bytes, layout: Layout, choices: bytes) -> list[int]:
    """Return the bins that were chosen under a seed.

    Raises
    ------
    ForgeryError
        These are no choices under this seed. (For one element no second seed and bin can be found: that would give the
        logarithm of T.)
    """
    elements = read_choices(group, layout, choices)
    times = _multiples(group, _base(group), max(layout.n_bins))
    bins = []
    for q, kappa, n in zip(elements, _kappas(group, seed, len(elements)), layout.n_bins, strict=True):
        rest = group.sub(q, group.base_mul(kappa))
        bins.append(next((b for b in range(n) if group.equal(rest, times[b])), -1))
    if min(bins) < 0:
        raise ForgeryError("choices refused: they were not made under this seed; ask the source again")
    return bins


def read_choices(group: Group, layout: Layout, choices: bytes) -> list[Point]:
    """Return choices as elements.

    Raises
    ------
    ForgeryError
        Not one element a characteristic.
    """
    width = group.point_bytes
    if len(choices) != width * len(layout.n_bins):
        raise ForgeryError(f"choices refused: {len(choices)} bytes for {len(layout.n_bins)} characteristics")
    return [group.decode(choices[at : at + width]) for at in range(0, len(choices), width)]


def transfer_bytes(group: Group, layout: Layout) -> int:
    """Bytes of :func:`send`."""
    return group.point_bytes + ENTRY_BYTES * layout.size


def send(
    group: Group,
    layout: Layout,
    choices: Sequence[Point],
    weights: Sequence[int],
    blindings: Sequence[int],
    masks: Masks,
    nonce: bytes,
) -> bytes:
    """Return the sender's element, and every bin's entry under its pad.

    Entry i of characteristic j is ``(alpha w_i + r_j, rho_i + m_j)``; the r_j add up to r, the m_j to m, and are
    uniform otherwise, so entries of a whole person tell ``alpha v + r`` and ``rho + m``, and fewer tell nothing.
    """
    order, y = group.order, random_scalar(group)
    shown = group.encode(group.base_mul(y))
    times = _multiples(group, group.mul(y, _base(group)), max(layout.n_bins))
    shifts, blinds = (_shares(total, len(layout.n_bins), order) for total in (masks.shift, masks.blind))
    body, at = [shown], 0
    for j, (n, q) in enumerate(zip(layout.n_bins, choices, strict=True)):
        raised = group.mul(y, q)
        for b in range(n):
            entry = (masks.factor * weights[at] + shifts[j]) % order, (blindings[at] + blinds[j]) % order
            pad = _pad(nonce, shown, j, b, group.encode(group.sub(raised, times[b])))
            body.append(_under(pad, b"".join(map(encode_scalar, entry))))
            at += 1
    return b"".join(body)


def receive(
    group: Group, layout: Layout, seed: bytes, bins: Sequence[int], sent: bytes, nonce: bytes
) -> tuple[int, int]:
    """Return the sums, modulo the order, of the entries that were chosen: masked total and masked blinding.

    Raises
    ------
    ForgeryError
        The sender's element is none, or the length is not this layout's.
    """
    if len(sent) != transfer_bytes(group, layout):
        raise ForgeryError(
            f"transfer refused: {len(sent)} bytes, not {transfer_bytes(group, layout)} as of this layout"
        )
    shown, entries = sent[: group.point_bytes], sent[group.point_bytes :]
    element, value, blinding, at = group.decode(shown), 0, 0, 0
    for j, (n, b, kappa) in enumerate(zip(layout.n_bins, bins, _kappas(group, seed, len(bins)), strict=True)):
        start = ENTRY_BYTES * (at + b)
        pad = _pad(nonce, shown, j, b, group.encode(group.mul(kappa, element)))
        entry = _under(pad, entries[start : start + ENTRY_BYTES])
        value += int.from_bytes(entry[:SCALAR_BYTES])
        blinding += int.from_bytes(entry[SCALAR_BYTES:])
        at += n
    return value % group.order, blinding % group.order


def _shares(total: int, count: int, order: int) -> list[int]:
    """Return uniform numbers that add up to ``total`` modulo the order."""
    out = [secrets.randbelow(order) for _ in range(count - 1)]
    return [*out, (total - sum(out)) % order]


def _pad(nonce: bytes, shown: bytes, j: int, b: int, point: bytes) -> bytes:
    """Return the 64 bytes that hide an entry."""
    where = j.to_bytes(4) + b.to_bytes(4)
    return hashlib.sha512(b"blindscore/proved/pad/v1" + nonce + shown + where + point).digest()


def _under(pad: bytes, entry: bytes) -> bytes:
    return (int.from_bytes(pad) ^ int.from_bytes(entry)).to_bytes(ENTRY_BYTES)
