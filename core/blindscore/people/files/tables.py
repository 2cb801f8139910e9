"""Read a whole file into columns, with bounds, for work that needs everybody at once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from blindscore.errors import DataError
from blindscore.people.files.blocks import Ask, blocks
from blindscore.people.files.kinds import FileKind, open_unpacked, readable

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 2 << 30  # of the columns that are read, in memory
MAX_ROWS = 50_000_000
MAX_CELLS = 2_000_000_000  # rows times columns read


def read_table(path: Path, ask: Ask) -> tuple[pa.Table, str]:
    """Return the named columns and the SHA-256 (hexadecimal) of the file, before compression where it is text.

    CSV columns come as text, others as the file has them.

    Raises
    ------
    DataError
        Not readable, empty, not UTF-8, oversized, malformed, a column missing or named twice.
    """
    import pyarrow as pa

    kind, parts, rows, size = ask.kind(path), [], 0, 0
    for block in blocks(path, ask):
        rows, size = rows + len(block), size + block.nbytes
        if size > MAX_BYTES or rows > MAX_ROWS or rows * len(ask.columns) > MAX_CELLS:
            raise DataError(f"{path}: too many rows to hold at once (over {rows - len(block):,}); split the file")
        parts.append(block)
    if rows == 0:
        raise DataError(f"{path}: a header but no people; give at least one row")
    # The file's own notes to pandas are somebody else's bytes: leave them unread.
    return pa.Table.from_batches(parts).replace_schema_metadata(None).combine_chunks(), _digest(path, kind)


def _digest(path: Path, kind: FileKind) -> str:
    with readable(path), open_unpacked(path, kind) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
