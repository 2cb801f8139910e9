"""Binary HTTP messages of known length (RFC 9292): what travels inside an encapsulated request.

Who sees what: a message is plain; :mod:`~blindscore_crypto.channel.ohttp` encrypts it. Padding with zeros is allowed
after the last section (RFC 9292, section 3.8) and is how every message of a protocol here gets one size. Informational
responses and messages of indeterminate length are refused: nothing here sends them.
"""

from __future__ import annotations

from dataclasses import dataclass

from blindscore.errors import ForgeryError, ParameterError

MAX_BYTES = 1 << 20
MAX_FIELDS = 64
_REQUEST, _RESPONSE = 0, 1  # framing indicators of known length

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BinaryRequest:
    """A request; names of fields are in lower case."""

    method: str
    scheme: str
    authority: str
    path: str
    fields: Fields = ()
    content: bytes = b""

    def encode(self, pad_to: int = 0) -> bytes:
        """Return the message, padded with zeros to at least ``pad_to`` bytes.

        Raises
        ------
        ParameterError
            ``pad_to`` is given and the message is longer.
        """
        control = b"".join(_sized(part.encode()) for part in (self.method, self.scheme, self.authority, self.path))
        return _padded(_varint(_REQUEST) + control + _sections(self.fields, self.content), pad_to)

    @classmethod
    def decode(cls, data: bytes) -> BinaryRequest:
        """Return the request; raise ForgeryError where it is not one."""
        reader = _Reader(data, _REQUEST)
        method, scheme, authority, path = (reader.text() for _ in range(4))
        fields, content = reader.sections()
        return cls(method, scheme, authority, path, fields, content)


@dataclass(frozen=True)
class BinaryResponse:
    """A final response."""

    status: int
    fields: Fields = ()
    content: bytes = b""

    def encode(self, pad_to: int = 0) -> bytes:
        """Return the message, padded with zeros to at least ``pad_to`` bytes; see :meth:`BinaryRequest.encode`."""
        head = _varint(_RESPONSE) + _varint(self.status)
        return _padded(head + _sections(self.fields, self.content), pad_to)

    @classmethod
    def decode(cls, data: bytes) -> BinaryResponse:
        """Return the response; raise ForgeryError where it is not a final one."""
        reader = _Reader(data, _RESPONSE)
        status = reader.number()
        if not 200 <= status <= 599:
            raise ForgeryError(f"a final response has a status of 200 to 599, got {status}")
        fields, content = reader.sections()
        return cls(status, fields, content)


def _varint(number: int) -> bytes:
    """Return a variable-length integer (RFC 9000, section 16)."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if number < 1 << (8 * size - 2):
            return (number | prefix << (8 * size - 2)).to_bytes(size, "big")
    raise ParameterError(f"{number} is too large for a variable-length integer")


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _sections(fields: Fields, content: bytes) -> bytes:
    lines = b"".join(_sized(name.encode()) + _sized(value.encode()) for name, value in fields)
    return _sized(lines) + _sized(content) + _varint(0)  # no trailers


def _padded(message: bytes, pad_to: int) -> bytes:
    if pad_to and len(message) > pad_to:
        raise ParameterError(f"a message of {len(message)} bytes does not fit into {pad_to}")
    return message.ljust(pad_to, b"\0")


class _Reader:
    """Takes a message apart from the front; what is missing at its end counts as empty (section 3.8)."""

    def __init__(self, data: bytes, framing: int) -> None:
        if len(data) > MAX_BYTES:
            raise ForgeryError(f"a binary HTTP message here has at most {MAX_BYTES} bytes")
        self._data, self._at = data, 0
        if self.number() != framing:
            raise ForgeryError("a message of another kind, or of indeterminate length")

    def number(self) -> int:
        """Return the next variable-length integer."""
        if self._at >= len(self._data):
            raise ForgeryError("a binary HTTP message is cut short")
        size = 1 << (self._data[self._at] >> 6)
        raw = self._take(size)
        return int.from_bytes(raw, "big") & ((1 << (8 * size - 2)) - 1)

    def text(self) -> str:
        """Return the next piece of text with its length before it."""
        return _ascii(self._take(self.number()))

    def sections(self) -> tuple[Fields, bytes]:
        """Return fields and content; refuse trailers and padding that is not zero."""
        lines = self._optional()
        fields = _lines(lines)
        content = self._optional()
        if self._optional():
            raise ForgeryError("trailers are not taken here")
        if any(self._data[self._at :]):
            raise ForgeryError("padding after a binary HTTP message is not all zeros")
        return fields, content

    def _optional(self) -> bytes:
        return self._take(self.number()) if self._at < len(self._data) else b""

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise ForgeryError("a binary HTTP message is cut short")
        self._at += size
        return taken


def _lines(section: bytes) -> Fields:
    fields: list[tuple[str, str]] = []
    rest = _Reader(b"\0" + section, 0)
    while rest._at < len(rest._data):
        fields.append((rest.text(), rest.text()))
        if len(fields) > MAX_FIELDS or not fields[-1][0] or fields[-1][0] != fields[-1][0].lower():
            raise ForgeryError(f"at most {MAX_FIELDS} fields, their names in lower case and not empty")
    return tuple(fields)


def _ascii(data: bytes) -> str:
    if not data.isascii() or any(byte < 32 or byte == 127 for byte in data):
        raise ForgeryError("a binary HTTP message holds a character that is not plain ASCII")
    return data.decode("ascii")
