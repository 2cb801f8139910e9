"""Line: what keeps a message between two parties to them: a key that two institutions share, or a receiver's fresh box.

A frame on a line is ``header | salt | AES-256-GCM`` under a key of its own, ``HMAC-SHA256(shared key, salt |
header)``: no two messages have one key, whatever an applicant repeats. Each kind of frame goes one way, so none can be
sent back. Who sees what: others, the kind and the size. Assumptions: AES-256-GCM, HMAC-SHA256; for a box besides
X25519 (HPKE, RFC 9180), which a quantum computer breaks. Does not protect: replays; receivers answer each application
once.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from Crypto.Cipher import AES
from Crypto.Cipher._mode_gcm import GcmMode
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, refuse, unpack

CODE = 64  # where a frame names its parameter set: of this design there is one
KEY_BYTES, SALT_BYTES, SEAL_BYTES, ENC_BYTES = 32, 16, 16, 32
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

    def _cipher(self, salt: bytes, head: bytes) -> GcmMode:
        key = hmac.digest(self.key, _LABEL + salt + head, "sha256")
        cipher = AES.new(key, AES.MODE_GCM, nonce=_FRESH_KEY_NONCE)
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
    try:
        sender = HPKE.new(
            receiver_key=import_x25519_public_key(box), aead_id=HPKE.AEAD.AES256_GCM, info=_BOX_LABEL + context
        )
    except ValueError:
        raise ForgeryError("a receiver's box is no X25519 key; ask for a fresh one") from None
    return bytes(sender.enc + sender.seal(body))


def open_box(secret: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return what was sealed to this box in this context.

    Raises
    ------
    ForgeryError
        It was sealed to another, for another context, or altered.
    """
    try:
        receiver = HPKE.new(
            receiver_key=import_x25519_private_key(secret),
            aead_id=HPKE.AEAD.AES256_GCM,
            enc=sealed[:ENC_BYTES],
            info=_BOX_LABEL + context,
        )
        return bytes(receiver.unseal(sealed[ENC_BYTES:]))
    except ValueError:
        raise ForgeryError("dealt shares refused: they are not sealed to this receiver; apply again") from None
