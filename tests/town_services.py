"""A party that answers with what it was sent, and a service in a thread: for tests of what stands around parties."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import Field, MemoryStore, TableSpec
from blindscore_app.town.serving import serve

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


class Running:
    """A service in a thread of its own, until it is stopped or a ``with`` block ends."""

    def __init__(self, service, tls):
        self.service, self.port, self.ended = service, 0, threading.Event()
        ready = threading.Event()

        def listening(port):
            self.port = port
            ready.set()

        self.server = threading.Thread(target=self._serve, args=(service, tls, listening), daemon=True)
        self.server.start()
        assert ready.wait(30)

    def _serve(self, service, tls, listening):
        serve(service, "127.0.0.1", 0, tls, ready=listening, until=self.ended)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.stop()

    def stop(self):
        self.ended.set()
        self.server.join()

    @property
    def address(self):
        return f"https://127.0.0.1:{self.port}"
