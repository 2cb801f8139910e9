"""Scheme: what a credential's library has to offer, role by role, so that one set of parties plays every credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

Claims = Mapping[str, str | int | float | bool | None]


class Issuing(Protocol):
    """Holds the issuer's key."""

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """Return a credential over claims for whoever holds the key behind ``asked``."""
        ...


class Holding(Protocol):
    """Holds one key of the person's device."""

    def ask(self) -> bytes:
        """Return what the issuer needs to know of the key."""
        ...

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return a presentation of the named claims that is good for this nonce and audience."""
        ...


class Checking(Protocol):
    """Knows the issuer's public key."""

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """Return the claims that a presentation proves.

        Raises
        ------
        ForgeryError
            It proves nothing.
        """
        ...


@dataclass(frozen=True)
class Scheme:
    """One credential's library with a fresh issuer."""

    issuing: Issuing
    checking: Checking
    holding: Callable[[], Holding]  # makes a new device key
