"""Oblivious HTTP (RFC 9458) with HPKE (RFC 9180): a relay carries a request that it cannot read to a gateway.

Who sees what: the relay sees who speaks, when, and one size; the gateway sees the request, and that it came from the
relay. Assumption: relay and gateway do not pool what they know; X25519, HKDF-SHA256, AES-128-GCM. Does not protect: the
time of a request from both together, a request that names its sender inside, quantum computers.

One suite is spoken: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, the one that the RFC obliges everybody to.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from Crypto.Cipher import AES
from Crypto.Hash import HMAC, SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from Crypto.PublicKey import ECC

from blindscore.errors import ForgeryError, ParameterError

KEM, KDF, AEAD = 0x0020, 0x0001, 0x0001
KEY_BYTES, TAG_BYTES, SECRET_BYTES, NONCE_BYTES = 32, 16, 16, 12
HEADER_BYTES = 7
REQUEST_OVERHEAD = HEADER_BYTES + KEY_BYTES + TAG_BYTES
RESPONSE_OVERHEAD = SECRET_BYTES + TAG_BYTES
REQUEST, RESPONSE = b"message/bhttp request", b"message/bhttp response"
REQUEST_MEDIA, RESPONSE_MEDIA = "message/ohttp-req", "message/ohttp-res"


@dataclass(frozen=True)
class KeyConfig:
    """A gateway's published key (section 3.1)."""

    key_id: int
    public: bytes  # 32 bytes of X25519

    def encode(self) -> bytes:
        """Return the configuration as it is published, with the one suite."""
        suites = KDF.to_bytes(2) + AEAD.to_bytes(2)
        return self.key_id.to_bytes(1) + KEM.to_bytes(2) + self.public + len(suites).to_bytes(2) + suites

    @classmethod
    def decode(cls, data: bytes) -> KeyConfig:
        """Return a configuration; other suites beside ours are passed over.

        Raises
        ------
        ForgeryError
            Malformed, of another KEM, or without our suite.
        """
        at = 3 + KEY_BYTES
        if len(data) < at + 2 or int.from_bytes(data[1:3]) != KEM:
            raise ForgeryError("a key configuration is cut short, or of another KEM than X25519")
        suites = data[at + 2 :]
        if len(suites) != int.from_bytes(data[at : at + 2]) or len(suites) % 4 or not suites:
            raise ForgeryError("a key configuration lists suites of four bytes each, and at least one")
        offered = {suites[i : i + 4] for i in range(0, len(suites), 4)}
        if KDF.to_bytes(2) + AEAD.to_bytes(2) not in offered:
            raise ForgeryError("the gateway does not offer HKDF-SHA256 with AES-128-GCM")
        return cls(data[0], data[3:at])

    @property
    def header(self) -> bytes:
        """The head of every request under this key."""
        return self.key_id.to_bytes(1) + KEM.to_bytes(2) + KDF.to_bytes(2) + AEAD.to_bytes(2)


@dataclass(frozen=True)
class _Exchange:
    """What both ends know after a request: enough for one response."""

    enc: bytes
    secret: bytes = field(repr=False)

    def _keys(self, nonce: bytes) -> tuple[bytes, bytes]:
        """Return the key and nonce of the response (section 4.4): HKDF-Extract and two expansions, RFC 5869."""
        prk = HMAC.new(self.enc + nonce, self.secret, SHA256).digest()
        key, iv = (HMAC.new(prk, info + b"\x01", SHA256).digest() for info in (b"key", b"nonce"))
        return key[:SECRET_BYTES], iv[:NONCE_BYTES]


@dataclass(frozen=True)
class Opened(_Exchange):
    """A request as the gateway has it."""

    request: bytes = field(default=b"", repr=False)

    def respond(self, response: bytes, *, nonce: bytes | None = None) -> bytes:
        """Return the encapsulated response; the nonce comes from the operating system but in tests."""
        nonce = os.urandom(SECRET_BYTES) if nonce is None else nonce
        key, iv = self._keys(nonce)
        text, tag = AES.new(key, AES.MODE_GCM, nonce=iv).encrypt_and_digest(response)
        return bytes(nonce + text + tag)


@dataclass(frozen=True)
class Asked(_Exchange):
    """A request as its sender has it: what travels, and what opens the answer."""

    encapsulated: bytes = field(default=b"", repr=False)

    def open(self, response: bytes) -> bytes:
        """Return the response.

        Raises
        ------
        ForgeryError
            Cut short or tampered with, or an answer to another request.
        """
        if len(response) < RESPONSE_OVERHEAD:
            raise ForgeryError("an encapsulated response is cut short")
        nonce, text, tag = response[:SECRET_BYTES], response[SECRET_BYTES:-TAG_BYTES], response[-TAG_BYTES:]
        key, iv = self._keys(nonce)
        try:
            return bytes(AES.new(key, AES.MODE_GCM, nonce=iv).decrypt_and_verify(text, tag))
        except ValueError:
            raise ForgeryError("an encapsulated response does not open: altered, or not to this request") from None


class Gateway:
    """Holds the secret key; fresh from the operating system unless one is handed in."""

    def __init__(self, key_id: int = 1, secret: bytes | None = None) -> None:
        if not 0 <= key_id <= 255:
            raise ParameterError(f"a key id is one byte, got {key_id}")
        try:
            self._key = ECC.generate(curve="Curve25519") if secret is None else import_x25519_private_key(secret)
        except ValueError:
            raise ParameterError("a gateway's secret key has 32 bytes of X25519") from None
        self.config = KeyConfig(key_id, self._key.public_key().export_key(format="raw"))

    def open(self, encapsulated: bytes) -> Opened:
        """Return the request inside (section 4.3).

        Raises
        ------
        ForgeryError
            Cut short, under another key or suite, or tampered with.
        """
        head, enc = encapsulated[:HEADER_BYTES], encapsulated[HEADER_BYTES : HEADER_BYTES + KEY_BYTES]
        if len(encapsulated) < REQUEST_OVERHEAD or head != self.config.header:
            raise ForgeryError("an encapsulated request is cut short, or under another key or suite than ours")
        try:
            context = HPKE.new(
                receiver_key=self._key, aead_id=HPKE.AEAD.AES128_GCM, enc=enc, info=REQUEST + b"\0" + head
            )
            request = context.unseal(encapsulated[HEADER_BYTES + KEY_BYTES :])
        except ValueError:
            raise ForgeryError("an encapsulated request does not open: tampered with, or not for this key") from None
        return Opened(enc, context.export(RESPONSE, SECRET_BYTES), request)


def ask(config: KeyConfig, request: bytes) -> Asked:
    """Encapsulate a request to the holder of a published key.

    Raises
    ------
    ForgeryError
        The key is no X25519 key.
    """
    try:
        receiver = import_x25519_public_key(config.public)
        context = HPKE.new(receiver_key=receiver, aead_id=HPKE.AEAD.AES128_GCM, info=REQUEST + b"\0" + config.header)
        sealed = context.seal(request)
    except ValueError:
        raise ForgeryError("the gateway's published key is no X25519 key; fetch its configuration again") from None
    return Asked(context.enc, context.export(RESPONSE, SECRET_BYTES), config.header + context.enc + sealed)
