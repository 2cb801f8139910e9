"""Write files whole or not at all: a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PUBLIC, PRIVATE = 0o644, 0o600  # modes of a file: for everybody to read, or for its owner alone


@contextmanager
def replacing(path: Path, mode: int = PUBLIC) -> Iterator[Path]:
    """Give a temporary path beside ``path``; if the block ends well it takes that name, else it is removed.

    Its bytes are on the disk before it is renamed: else a power cut could leave the name without its content.
    """
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        to_disk(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file whole, and the folders that it lies in where they are lacking."""
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode) as temporary:
        temporary.write_bytes(data)


def to_disk(file: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
