"""Pedersen commitments: hide a number perfectly, yet add up.

C = value H + blinding G with H from hash-to-curve. Source: Pedersen (CRYPTO 1991).
Hiding: perfect for a uniform blinding; C alone then says nothing about the value to anybody, ever. Binding: discrete
logarithms (nobody knows log_G H). Not protected: two showings of one commitment are linkable; a value is only as true
as who signed it.
The blinding rides on the standard generator, where libraries multiply fastest and in constant time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from blindscore_crypto.sealed.groups.group import Group, Point, independent_bases


@dataclass(frozen=True)
class Pedersen:
    """Commitments in one group."""

    group: Group

    @cached_property
    def value_base(self) -> Point:
        """H, the base that carries the value."""
        return independent_bases(self.group, b"pedersen value", 1)[0]

    def commit(self, value: int, blinding: int) -> Point:
        """Return value H + blinding G; both may be secret."""
        return self.group.add(self.group.mul(value, self.value_base), self.group.base_mul(blinding))

    def commit_bit(self, bit: int, blinding: int) -> Point:
        """Return the same as :meth:`commit` for a bit, several times faster; for parties that may time themselves."""
        masked = self.group.base_mul(blinding)
        raised = self.group.add(masked, self.value_base)
        return raised if bit else masked
