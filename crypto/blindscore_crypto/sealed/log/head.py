"""Head: what the log keeper signs, what witnesses cosign, and whom a wallet believes.

Who sees what: all is public. Assumptions: Ed25519; fewer than k of the n witnesses help the keeper to cheat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import ID_BYTES, SIGNATURE_BYTES, SigningKey, VerifyingKey
from blindscore_crypto.sealed.log.tree import HASH_BYTES
from blindscore_crypto.sealed.wire import Reader

MAX_SIZE = 1 << 32
MAX_WITNESSES = 32
DAY_S = 86_400
_MAGIC = b"BSH2"


@dataclass(frozen=True)
class Head:
    """A signed statement: at this time the log has `size` entries, and list and map have these roots."""

    size: int
    root: bytes
    map_root: bytes
    time: int  # seconds since 1970-01-01 UTC
    signature: bytes
    cosigned: tuple[tuple[bytes, bytes], ...] = ()  # (witness's key id, signature)

    @property
    def signed(self) -> bytes:
        """What keeper and witnesses put their names to."""
        return _MAGIC + self.size.to_bytes(8, "big") + self.root + self.map_root + self.time.to_bytes(8, "big")

    def encode(self) -> bytes:
        """Return the bytes that travel."""
        return self.signed + self.signature + bytes([len(self.cosigned)]) + b"".join(a + b for a, b in self.cosigned)

    @classmethod
    def read(cls, reader: Reader) -> Head:
        """Take a head off a message; its signatures are still to be checked.

        Raises
        ------
        ForgeryError
            Malformed.
        """
        reader.magic(_MAGIC)
        size, root, map_root = reader.count(8, MAX_SIZE), reader.take(HASH_BYTES), reader.take(HASH_BYTES)
        time, signature = reader.number(8), reader.take(SIGNATURE_BYTES)
        count = reader.count(1, MAX_WITNESSES)
        pairs = tuple((reader.take(ID_BYTES), reader.take(SIGNATURE_BYTES)) for _ in range(count))
        return cls(size, root, map_root, time, signature, pairs)

    @classmethod
    def sign(cls, key: SigningKey, size: int, root: bytes, map_root: bytes, time: int) -> Head:
        """Sign a head."""
        bare = cls(size, root, map_root, time, b"")
        return replace(bare, signature=key.sign(bare.signed, Purpose.LOG_HEAD))

    def cosign(self, key: SigningKey) -> bytes:
        """Return a witness's signature on it."""
        return key.sign(self.signed, Purpose.WITNESS)


@dataclass(frozen=True)
class Trust:
    """Whom a wallet believes about the log.

    Raises
    ------
    ParameterError
        k is not between 1 and the number of witnesses, or one of them is named twice.
    """

    log: VerifyingKey
    witnesses: tuple[VerifyingKey, ...]
    k: int
    max_age_s: int = DAY_S  # an older head may belong to a log that was stopped for this reader

    def __post_init__(self) -> None:
        if not 1 <= self.k <= len(set(self.witnesses)) == len(self.witnesses) <= MAX_WITNESSES:
            raise ParameterError(f"{self.k} of {len(self.witnesses)} witnesses: name 1 to {MAX_WITNESSES}, each once")

    def require(self, head: Head, now: float) -> None:
        """Return if the head is the keeper's, fresh, and cosigned by enough witnesses.

        Raises
        ------
        ForgeryError
            It is not.
        """
        self.log.require(head.signed, head.signature, Purpose.LOG_HEAD)
        if not now - self.max_age_s <= head.time <= now + self.max_age_s:
            raise ForgeryError(
                f"the log's head is not of the last {self.max_age_s} seconds; the log may be stopped for you"
            )
        by_id = {witness.id: witness for witness in self.witnesses}
        good = {
            name
            for name, signature in head.cosigned
            if name in by_id and by_id[name].accepts(head.signed, signature, Purpose.WITNESS)
        }
        if len(good) < self.k:
            raise ForgeryError(f"{len(good)} witnesses cosigned the log's head, {self.k} must; it may be split for you")
