"""Secrets at rest: under a passphrase that lies in no file. Scrypt (RFC 7914) and AES-256-GCM.

Who sees what: whoever holds the file and not the passphrase sees its size. Not protected: a weak passphrase, or a
process that holds the secret while it runs.
"""

from __future__ import annotations

import os
from pathlib import Path

from Crypto.Cipher import AES
from Crypto.Protocol.KDF import scrypt

from blindscore.errors import DataError
from blindscore_app.town.authority import write_secret

MAGIC = b"BSK1"
SALT, NONCE, TAG = 16, 12, 16
MAX_SECRET = 1 << 16
_N, _R, _P = 1 << 14, 8, 1
_DOMAIN = b"blindscore/town/secret file/v1"


def save_secret(path: Path, secret: bytes, passphrase: bytes) -> None:
    """Write a secret that only its owner reads, encrypted."""
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=nonce).update(_DOMAIN)
    text, tag = cipher.encrypt_and_digest(secret)
    write_secret(path, MAGIC + salt + nonce + tag + text)


def load_secret(path: Path, passphrase: bytes) -> bytes:
    """Return the secret of a file.

    Raises
    ------
    DataError
        No such file, not one of ours, a wrong passphrase, or touched.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    head = len(MAGIC) + SALT + NONCE + TAG
    if not raw.startswith(MAGIC) or not head < len(raw) <= head + MAX_SECRET:
        raise DataError(f"{path}: no secret of a town")
    at = len(MAGIC)
    salt, nonce, tag = raw[at : at + SALT], raw[at + SALT : at + SALT + NONCE], raw[head - TAG : head]
    try:
        cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=nonce).update(_DOMAIN)
        return bytes(cipher.decrypt_and_verify(raw[head:], tag))
    except ValueError:
        raise DataError(f"{path}: does not open; the passphrase is wrong, or the file was touched") from None


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return bytes(scrypt(passphrase, salt, 32, N=_N, r=_R, p=_P))
