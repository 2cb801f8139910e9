"""HPKE: one message sealed to the holder of an X25519 key (RFC 9180, base mode, one shot).

The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and an AEAD of the caller's choice. Curve and AEAD are the
library's, and so is what is sent: the library's own HPKE opens it (test). Its context object takes .4 ms a message
beyond the curve, in which nothing is computed that a single message needs; here the key schedule is a dozen HMACs.

Who sees what: whoever lacks the secret key, the length. Assumptions: X25519, HMAC-SHA256, the AEAD; not against quantum
computers. Does not protect: it says nothing of who sealed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from Crypto.Cipher import AES, ChaCha20_Poly1305
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from blindscore.errors import ForgeryError

ENC_BYTES, SECRET_BYTES, SEAL_BYTES = 32, 32, 16
_VERSION = b"HPKE-v1"
_KEM = b"KEM" + (0x0020).to_bytes(2)


class Aead(IntEnum):
    """What seals the message; the numbers are RFC 9180's."""

    AES128_GCM = 1
    CHACHA20_POLY1305 = 3


_KEY_BYTES = {Aead.AES128_GCM: 16, Aead.CHACHA20_POLY1305: 32}
_CIPHER: dict[Aead, Callable[[bytes, bytes], Any]] = {
    Aead.AES128_GCM: lambda key, nonce: AES.new(key, AES.MODE_GCM, nonce=nonce),
    Aead.CHACHA20_POLY1305: lambda key, nonce: ChaCha20_Poly1305.new(key=key, nonce=nonce),
}


def new_box() -> tuple[bytes, bytes]:
    """Return a fresh X25519 pair: secret and public, 32 bytes each."""
    key = X25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), _VERSION + suite + label + material, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """Return at most one block."""
    said = length.to_bytes(2) + _VERSION + suite + label + info
    return hmac.digest(key, said + b"\x01", "sha256")[:length]


def _cipher(aead: Aead, agreed: bytes, enc: bytes, box: bytes, info: bytes) -> Any:
    """Return the cipher of the one message: ``ExtractAndExpand``, then ``KeySchedule`` for the base mode."""
    shared = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", agreed), b"shared_secret", enc + box, 32)
    suite = b"HPKE" + (0x0020).to_bytes(2) + (0x0001).to_bytes(2) + aead.to_bytes(2)
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    key = _expand(suite, secret, b"key", context, _KEY_BYTES[aead])
    return _CIPHER[aead](key, _expand(suite, secret, b"base_nonce", context, 12))


def seal(box: bytes, body: bytes, info: bytes, aead: Aead) -> bytes:
    """Return ``enc | sealed`` for the holder of a box (32 bytes, X25519) alone; ``info`` is not sent.

    Raises
    ------
    ForgeryError
        The box is no X25519 public key, or one of small order.
    """
    ephemeral = X25519PrivateKey.generate()
    enc = ephemeral.public_key().public_bytes_raw()
    try:
        agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(box))
    except ValueError:
        raise ForgeryError("a receiver's box is no X25519 key; ask for a fresh one") from None
    text, tag = _cipher(aead, agreed, enc, box, info).encrypt_and_digest(body)
    return bytes(enc + text + tag)


def unseal(secret: bytes, box: bytes, sealed: bytes, info: bytes, aead: Aead) -> bytes:
    """Return what was sealed to this pair of secret and box under this ``info``.

    Raises
    ------
    ForgeryError
        It was sealed to another box, under another ``info``, or altered.
    """
    enc, text, tag = sealed[:ENC_BYTES], sealed[ENC_BYTES:-SEAL_BYTES], sealed[-SEAL_BYTES:]
    try:
        agreed = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(enc))
        return bytes(_cipher(aead, agreed, enc, box, info).decrypt_and_verify(text, tag))
    except ValueError:
        raise ForgeryError("it is not sealed to this receiver, or not in this context; apply again") from None
