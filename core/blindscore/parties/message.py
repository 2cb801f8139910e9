"""Message: what one party sends another, in bytes.

Who sees what: the receiver sees kind, body, and ``sender`` as the line shows it: a legal id where the person logged
in, the name of an institution, or a label that is good for one exchange. An observer of the line sees size and time.
"""

from __future__ import annotations

from dataclasses import dataclass

from blindscore.errors import ParameterError

MAX_BODY = 1 << 24  # bytes; no protocol here comes near


@dataclass(frozen=True)
class Message:
    """One message. A reply goes to the ``sender`` that its receiver saw.

    Raises
    ------
    ParameterError
        The body is not bytes or is longer than any protocol's.
    """

    to: str
    kind: str
    body: bytes
    sender: str = ""  # filled in by whoever delivers it, never believed from the wire

    def __post_init__(self) -> None:
        if not isinstance(self.body, bytes) or len(self.body) > MAX_BODY:
            raise ParameterError(f"{self.kind}: a message's body is at most {MAX_BODY} bytes")
