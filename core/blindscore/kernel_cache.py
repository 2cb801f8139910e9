"""Compiled kernels are kept on disk; forget them when any source beside them has changed.

Numba checks a kept kernel against the one file that defines it, and not against the files whose functions and
constants it took in. After an update of one file, kernels of its neighbours would silently compute the old thing.
Kernels that Numba keeps elsewhere (``NUMBA_CACHE_DIR``, or a folder that cannot be written to) are not covered.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

STAMP = "kernels.sha256"


def drop_stale_kernels(folder: Path) -> bool:
    """Delete the indices of the kernels kept for a folder of sources unless those sources are the ones compiled.

    Returns whether anything was found changed. A folder that cannot be written to is left alone.
    """
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):
        digest.update(f"{source.name}\0".encode() + source.read_bytes() + b"\0")
    cache = folder / "__pycache__"
    stamp = cache / STAMP
    try:
        if stamp.exists() and stamp.read_text("ascii") == digest.hexdigest():
            return False
        cache.mkdir(exist_ok=True)
        for index in cache.glob("*.nbi"):
            index.unlink(missing_ok=True)
        stamp.write_text(digest.hexdigest(), "ascii")
    except OSError:
        return False
    return True
