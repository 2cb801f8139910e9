"""Fiat-Shamir transcript: every public value goes in, challenges come out.

Source: Fiat and Shamir (CRYPTO 1986), in its strong form (Bernhard, Pereira and Warinschi, ASIACRYPT 2012): the
statement and its whole context are hashed, so that a proof for one lender, threshold or nonce proves nothing elsewhere.
Assumption: SHA-512 behaves like a random oracle. Hides nothing: all that enters is public.
"""

from __future__ import annotations

import hashlib

from blindscore_crypto.sealed.groups.group import Group


class Transcript:
    """Ordered, length-prefixed and labelled record of a proof's public values."""

    def __init__(self, protocol: bytes, group: Group) -> None:
        self._group = group
        self._hash = hashlib.sha512(b"blindscore/sealed/v1/transcript")
        self.absorb(b"protocol", protocol)
        self.absorb(b"group", group.name.encode())

    def absorb(self, label: bytes, data: bytes) -> None:
        """Bind `data` under `label`; lengths are bound too, so no two records share a byte string."""
        self._hash.update(len(label).to_bytes(4, "big") + label + len(data).to_bytes(8, "big") + data)

    def challenge(self, label: bytes) -> int:
        """Return a challenge in [0, q) that depends on all absorbed so far, and bind that it was drawn.

        512 bits reduced modulo q: the bias is under 2^-250, and the challenge space is the whole group order.
        """
        self.absorb(b"challenge", label)
        return int.from_bytes(self._hash.copy().digest(), "big") % self._group.order

    def copy(self) -> Transcript:
        """Return a second record that goes on from here by itself."""
        twin = Transcript.__new__(Transcript)
        twin._group, twin._hash = self._group, self._hash.copy()
        return twin
