"""Engines: which one serves which parameter set."""

from __future__ import annotations

from functools import cache

from blindscore_crypto.encrypted.engines.ring_scheme import RingScheme
from blindscore_crypto.encrypted.engines.rlwe import RlweScheme
from blindscore_crypto.encrypted.parameters import Parameters


@cache
def scheme_for(parameters: Parameters) -> RingScheme:
    """Return the engine that a parameter set names."""
    if parameters.engine == "seal":
        from blindscore_crypto.encrypted.engines.seal import SealScheme  # here, since TenSEAL takes long to import

        return SealScheme(parameters)
    return RlweScheme(parameters)
