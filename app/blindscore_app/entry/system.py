"""The machine that measured: what it is, what ran on it, and how fast it does two things that everybody can do.

The reference makes times of two machines comparable: verifications of an Ed25519 signature (what cryptographic designs
are made of) and a read of memory (what the kernel is limited by), both timed in the run that packs the submission.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

LIBRARIES = (
    "numpy",
    "numba",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "lightgbm",
    "pycryptodome",
    "tenseal",
    "rbcl",
)
READ_BYTES = 2**28  # far beyond any cache
TURNS = 7


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, kernel, Python, libraries and load, as plain JSON; nothing names the machine."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "load_1min": round(os.getloadavg()[0], 2),
    }


def reference() -> dict[str, float]:
    """Return the reference: microseconds of one Ed25519 verification, and gigabytes of memory read a second."""
    from Crypto.PublicKey import ECC
    from Crypto.Signature import eddsa

    key = ECC.generate(curve="Ed25519")
    message = bytes(256)
    signed = eddsa.new(key, "rfc8032").sign(message)
    verifier = eddsa.new(key.public_key(), "rfc8032")

    def verify_all() -> None:
        for _ in range(50):
            verifier.verify(message, signed)

    memory = np.ones(READ_BYTES // 8, np.int64)
    read = _best(memory.sum)
    return {"ed25519_verify_us": _best(verify_all) / 50 * 1e6, "memory_read_gb_per_s": READ_BYTES / read / 1e9}


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
