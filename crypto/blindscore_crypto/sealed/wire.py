"""Wire: reads what others sent, in bounds, and raises one kind of error when it does not fit."""

from __future__ import annotations

from blindscore.errors import ForgeryError, ParameterError

MAX_TEXT = 256  # bytes of a name


def u32(what: str, number: int) -> bytes:
    """Return 4 bytes, big-endian.

    Raises
    ------
    ParameterError
        The number does not fit.
    """
    if not 0 <= number < 1 << 32:
        raise ParameterError(f"{what} must lie in 0..2^32 - 1, got {number}")
    return number.to_bytes(4, "big")


def text(what: str, value: str) -> bytes:
    """Return a name in UTF-8 with its length in front.

    Raises
    ------
    ParameterError
        Empty, or longer than a name may be.
    """
    data = value.encode()
    if not 0 < len(data) <= MAX_TEXT:
        raise ParameterError(f"{what} has 1 to {MAX_TEXT} bytes, got {len(data)}")
    return len(data).to_bytes(2, "big") + data


def blob(data: bytes) -> bytes:
    """Return bytes with their length in front."""
    return len(data).to_bytes(4, "big") + data


class Reader:
    """Takes bytes off the front of a message; every read says what it reads, for the error."""

    def __init__(self, what: str, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise ForgeryError(f"{what}: not bytes")
        self._what, self._data, self._at = what, data, 0

    def take(self, length: int) -> bytes:
        """Return the next so many bytes.

        Raises
        ------
        ForgeryError
            There are not as many left.
        """
        end = self._at + length
        if length < 0 or end > len(self._data):
            raise ForgeryError(f"{self._what}: cut short after {len(self._data)} bytes")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, length: int) -> int:
        """Return the next bytes as an unsigned number, big-endian."""
        return int.from_bytes(self.take(length), "big")

    def signed(self, length: int) -> int:
        """Return the next bytes as a signed number, big-endian."""
        return int.from_bytes(self.take(length), "big", signed=True)

    def count(self, length: int, most: int) -> int:
        """Return a number that says how many follow, at most `most`."""
        number = self.number(length)
        if number > most:
            raise ForgeryError(f"{self._what}: says that {number} follow, {most} may")
        return number

    def text(self) -> str:
        """Return the next name."""
        length = self.count(2, MAX_TEXT)
        try:
            found = self.take(length).decode()
        except UnicodeDecodeError:
            raise ForgeryError(f"{self._what}: a name is not UTF-8") from None
        if not found or not found.isprintable():
            raise ForgeryError(f"{self._what}: a name is empty or has characters that do not print")
        return found

    def blob(self, most: int) -> bytes:
        """Return the next bytes that have their length in front."""
        return self.take(self.count(4, most))

    def magic(self, expected: bytes) -> None:
        """Take the letters that a message of this kind begins with."""
        if self.take(len(expected)) != expected:
            raise ForgeryError(f"{self._what}: it begins otherwise than {expected.decode()}")

    def end(self) -> None:
        """Return if nothing is left."""
        if self._at != len(self._data):
            raise ForgeryError(f"{self._what}: {len(self._data) - self._at} bytes are left over")
