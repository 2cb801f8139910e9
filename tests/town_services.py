"""A party that answers with what it was sent: for tests of what stands around parties."""

from __future__ import annotations

from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import Field, MemoryStore, TableSpec

SEEN = TableSpec("seen", Field("serial", "own"), (Field("sender", "own"),))


@dataclass
class Echo:
    """Notes who speaks and answers; "on" is passed on to the next institution first."""

    name: str
    onward: str = ""
    role: str = "echo"
    store: MemoryStore = field(default_factory=lambda: MemoryStore(SEEN))

    def handle(self, message):
        if message.kind == "echo-back":
            return [Message(self.asker, "answer", message.body)]
        self.store.put("seen", len(self.store.items("seen")).to_bytes(2, "big"), {"sender": message.sender})
        if message.kind == "nothing":
            return []
        if message.kind == "bad":
            raise ForgeryError("canary-secret is in this message")
        if message.kind == "on" and self.onward:
            self.asker = message.sender
            return [Message(self.onward, "echo", message.body)]
        return [Message(message.sender, "echo-back", message.body[::-1])]

    def senders(self):
        return [row["sender"] for _, row in self.store.items("seen")]
