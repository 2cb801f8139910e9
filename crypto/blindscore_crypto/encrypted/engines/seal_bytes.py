"""SEAL's byte format, written and read with NumPy through files that live in memory.

Microsoft SEAL 4.3, ``seal/serialization.h``, ``ciphertext.cpp``, ``plaintext.cpp``: a 16-byte header (magic, version,
compression, size), then the object; TenSEAL's bindings take paths only. **Only bytes that this process built itself
from checked numbers may come here**: SEAL's loaders trust what they parse.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from blindscore.errors import ParameterError

_HEADER = struct.Struct("<HBBBBHQ")  # magic, header size, version 4.3, compression, reserved, total bytes
_CIPHER = struct.Struct("<4QBQQQdQ")  # parameters' id, NTT form, polynomials, N, primes, scale, correction factor
_PLAIN = struct.Struct("<4QQd")  # parameters' id, coefficients, scale
_ZSTD = 2
CIPHER_WORDS = _CIPHER.size + _HEADER.size + 8  # where the words of a ciphertext begin, after its header


def object_bytes(body: bytes) -> bytes:
    """Return the bytes of a SEAL object: header, then body, not compressed."""
    return _HEADER.pack(0xA15E, _HEADER.size, 4, 3, 0, 0, _HEADER.size + len(body)) + body


def _array(*parts: NDArray[np.int64]) -> bytes:
    raw = b"".join(words.astype("<i8", copy=False).tobytes() for words in parts)  # no word is negative
    return object_bytes(struct.pack("<Q", len(raw) // 8) + raw)


def plain_bytes(coefficients: NDArray[np.int64]) -> bytes:
    """Return a SEAL plaintext with these coefficients, each in [0, t)."""
    return object_bytes(_PLAIN.pack(0, 0, 0, 0, len(coefficients), 1.0) + _array(coefficients))


def cipher_bytes(parms_id: list[int], first: NDArray[np.int64], second: NDArray[np.int64]) -> bytes:
    """Return a SEAL ciphertext of two polynomials, not transformed, each of shape (primes, N)."""
    primes, degree = first.shape
    return object_bytes(_CIPHER.pack(*parms_id, 0, 2, degree, primes, 1.0, 1) + _array(first, second))


def load(into: Any, context: Any, raw: bytes) -> Any:
    """Return the SEAL object ``into``, filled from bytes that this process built."""
    with scratch() as handle:
        return load_through(handle, into, context, raw)


@contextmanager
def scratch() -> Iterator[int]:
    """Give a file in memory that many objects, one after another, are loaded through: its pages are mapped once."""
    handle = _memory_file()
    try:
        yield handle
    finally:
        os.close(handle)


def load_through(handle: int, into: Any, context: Any, raw: bytes) -> Any:
    """Do :func:`load` through a file of :func:`scratch`."""
    os.pwrite(handle, raw, 0)
    os.ftruncate(handle, len(raw))
    into.load(context, f"/proc/self/fd/{handle}")
    return into


def save(thing: Any) -> bytes:
    """Return a SEAL object's bytes after its header, unpacked."""
    handle = _memory_file()
    try:
        thing.save(f"/proc/self/fd/{handle}")
        raw = os.pread(handle, os.fstat(handle).st_size, 0)
    finally:
        os.close(handle)
    if raw[5] != _ZSTD:
        return raw[_HEADER.size :]
    unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(raw[_HEADER.size :]), "zstd").read()
    return unpacked


def _memory_file() -> int:
    if not hasattr(os, "memfd_create"):
        raise ParameterError("the seal engine needs Linux: keys may pass through memory files only, never a disk")
    return os.memfd_create("seal")
