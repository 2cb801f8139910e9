"""Window: shares of whether ``(m - begin) mod t`` lies below a width, of a point m that both parties know.

One comparison key does it, read at two points. ``begin`` lies cyclically within ``(m - width, m]`` iff
``[m - width mod t < begin] - [m < begin] + [m < width]`` is one, and else that is zero; the first two terms come from
the key, the third is public (after Boyle et al., EUROCRYPT 2021, for a modulus that is no power of two).

Who sees what: one half alone tells nothing of ``begin`` and ``gain``. Assumption and limits: as :mod:`.dcf`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore_crypto.encrypted.compare import dcf


def window_bytes(t: int) -> int:
    """Bytes of one party's half."""
    return dcf.VALUE_BYTES + dcf.key_bytes(t.bit_length())


@dataclass(frozen=True)
class WindowHalf:
    """What one party (0 or 1) is dealt."""

    party: int
    gain: int = field(repr=False)  # its share of what the window is worth
    key: bytes = field(repr=False)

    def share(self, t: int, width: int, m: int) -> int:
        """Return this party's share, modulo 2^64, of ``gain`` where m lies within the window, else of 0."""
        before, at = (dcf.evaluate(self.party, self.key, t.bit_length(), x) for x in ((m - width) % t, m))
        return (before - at + self.gain * (m < width)) % dcf.MODULUS

    def encode(self) -> bytes:
        """Return the bytes of this half."""
        return self.gain.to_bytes(dcf.VALUE_BYTES) + self.key

    @classmethod
    def decode(cls, t: int, party: int, data: bytes) -> WindowHalf:
        """Return a half of exactly the right length; else :class:`~blindscore.errors.ForgeryError`."""
        if len(data) != window_bytes(t):
            raise ForgeryError(f"dealt keys refused: {len(data)} bytes, not {window_bytes(t)}; apply again")
        return cls(party, int.from_bytes(data[: dcf.VALUE_BYTES]), data[dcf.VALUE_BYTES :])


def deal_window(t: int, begin: int, gain: int) -> tuple[WindowHalf, WindowHalf]:
    """Return the halves of parties 0 and 1 for a window that begins at ``begin``, in [0, t), and is worth ``gain``."""
    keys, hidden = dcf.generate(t.bit_length(), begin, gain), secrets.randbelow(dcf.MODULUS)
    return WindowHalf(0, hidden, keys[0]), WindowHalf(1, (gain - hidden) % dcf.MODULUS, keys[1])
