"""Coverage-guided fuzzing of one message kind, beside the fixed mutations of test_encrypted_hostile; needs ``atheris``.

``PYTHONPATH=core:crypto:app:. python tests/crypto/fuzz_encrypted.py KIND -runs=20000`` with KIND as in
``hostile_child``. It stops at the first message that crashes its receiver, is accepted, or is refused by another error
than the one of refusals.
"""

from __future__ import annotations

import sys

import atheris
import numpy as np

import blindscore_crypto.encrypted.engines.choice  # noqa: F401  first and as it is: Numba compiles byte code

with atheris.instrument_imports(include=["blindscore_crypto.channel", "blindscore_crypto.encrypted"]):
    from blindscore.errors import ForgeryError
    from tests.crypto.hostile_child import Stage, mutate

KIND = sys.argv.pop(1)
(MESSAGE, OTHER), CUTS, RECEIVE = Stage(KIND).receiver()


def receive(message: bytes) -> None:
    """Throw one message at its receiver."""
    if message in (MESSAGE, OTHER):
        return
    try:
        became = RECEIVE(message)
    except ForgeryError:
        return
    if became == "accepted":
        raise RuntimeError("a forged message was accepted")


def structured(data: bytes, most: int, seed: int) -> bytes:
    """Return libFuzzer's own mutation of a message, or one that knows where fields begin."""
    rng = np.random.default_rng(seed)
    if len(data) < len(MESSAGE) // 2 or rng.integers(2):
        return mutate(rng, MESSAGE, OTHER, CUTS)[:most]
    return bytes(atheris.Mutate(data, most))


if __name__ == "__main__":
    atheris.Setup([*sys.argv, f"-max_len={len(MESSAGE) + 64}"], receive, custom_mutator=structured)
    atheris.Fuzz()
