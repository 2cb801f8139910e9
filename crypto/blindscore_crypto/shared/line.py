"""Line: what keeps a message between two parties to them: a key that two institutions share, or a receiver's fresh box.

A frame on a line is ``header | salt | ChaCha20-Poly1305`` under a key of its own, ``HMAC-SHA256(shared key, salt |
header)``: no two messages have one key, whatever an applicant repeats. Each kind of frame goes one way, so none can be
sent back. Who sees what: others, the kind and the size. Assumptions: ChaCha20-Poly1305, HMAC-SHA256; for a box besides
X25519 (HPKE, RFC 9180), which a quantum computer breaks. Does not protect: replays; receivers answer each application
once.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from Crypto.Cipher import ChaCha20_Poly1305
from Crypto.Cipher.ChaCha20_Poly1305 import ChaCha20Poly1305Cipher

from blindscore.errors import ParameterError
from blindscore_crypto.channel import hpke
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack

CODE = 64  # where a frame names its parameter set: of this design there is one
KEY_BYTES, SALT_BYTES, SEAL_BYTES, ENC_BYTES = 32, 16, hpke.SEAL_BYTES, hpke.ENC_BYTES
OVERHEAD = HEADER_BYTES + SALT_BYTES + SEAL_BYTES
_LABEL = b"blindscore/shared/line/v1"
_BOX_LABEL = b"blindscore/shared/box/v1"
_FRESH_KEY_NONCE = bytes(12)  # a key seals one message only


@dataclass(frozen=True)
class Line:
    """Two institutions' line.

    Raises
    ------
    ParameterError
        The key does not have 32 bytes.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ParameterError(f"a line's key has {KEY_BYTES} bytes, got {len(self.key)}; make a fresh one")

    @classmethod
    def fresh(cls) -> Line:
        """Return a line under a new key, which both ends are to be given by hand."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def _cipher(self, salt: bytes, head: bytes) -> ChaCha20Poly1305Cipher:
        key = hmac.digest(self.key, _LABEL + salt + head, "sha256")
        cipher = ChaCha20_Poly1305.new(key=key, nonce=_FRESH_KEY_NONCE)
        cipher.update(head)
        return cipher

    def seal(self, kind: Kind, body: bytes) -> bytes:
        """Return a frame that the other end alone can read."""
        salt = secrets.token_bytes(SALT_BYTES)
        head = pack(kind, CODE, bytes(SALT_BYTES + len(body) + SEAL_BYTES))[:HEADER_BYTES]
        text, tag = self._cipher(salt, head).encrypt_and_digest(body)
        return bytes(head + salt + text + tag)

    def open(self, kind: Kind, frame: bytes, least: int, most: int | None = None) -> bytes:
        """Return the body of a frame that the other end sealed: ``least`` bytes, or from there up to ``most``.

        Raises
        ------
        ForgeryError
            Malformed, altered, or under another key.
        """
        length = len(frame) - OVERHEAD if isinstance(frame, bytes) else 0
        if not least <= length <= (least if most is None else most):
            raise refuse(kind, "it has not the length that it must have")
        sealed = unpack(frame, kind, CODE, SALT_BYTES + length + SEAL_BYTES)
        salt, text, tag = sealed[:SALT_BYTES], sealed[SALT_BYTES:-SEAL_BYTES], sealed[-SEAL_BYTES:]
        try:
            return bytes(self._cipher(salt, frame[:HEADER_BYTES]).decrypt_and_verify(text, tag))
        except ValueError:
            raise refuse(kind, "it does not come from the other end of this line") from None


def seal_to(box: bytes, body: bytes, context: bytes) -> bytes:
    """Return ``enc | sealed`` for the holder of a box (X25519) alone, in a context that is not sent.

    Raises
    ------
    ForgeryError
        The box is no X25519 public key.
    """
    return hpke.seal(box, body, _BOX_LABEL + context, hpke.Aead.CHACHA20_POLY1305)


def open_box(secret: bytes, box: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return what was sealed to this box, whose secret is handed in, in this context.

    Raises
    ------
    ForgeryError
        It was sealed to another, for another context, or altered.
    """
    return hpke.unseal(secret, box, sealed, _BOX_LABEL + context, hpke.Aead.CHACHA20_POLY1305)
