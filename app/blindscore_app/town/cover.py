"""Cover: a wallet's requests to the relay leave at times that say nothing of what its person does.

Every enrolled telephone, whether its owner applies or not, sends one sealed request at each point of a Poisson process
of a rate that is published and the same for all; where a real request waits, it takes the place of a dummy. Which
points carry one shows neither in their times nor in their number: that is independent link padding with exponential
gaps, as clients of Loopix send (Piotrowska, Hayes, Elahi, Meiser and Danezis, "The Loopix Anonymity System", USENIX
Security 2017, their payload stream). A Poisson process has no memory, so a telephone that was off leaves no pattern.

A dummy is a sealed request that holds no message; the institution answers none, sealed and as long. Each leaves on a
line of its own and waits for no other. What a reply takes to come may still tell: a relay whose answers leave after a
fixed time (``answer_after``) hides that.

Who sees what: whoever watches the person's line sees that a telephone is enrolled, the rate, and when it was switched
on. The relay cannot tell a dummy from a real request, but sees which institution each is for; with that institution
it finds out. Not covered: lines to sources; a complaint to the relay, which is shorter.
"""

from __future__ import annotations

import contextlib
import random
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from blindscore.errors import DataError, ParameterError
from blindscore.parties.message import MAX_BODY
from blindscore_app.town.bundle import pack
from blindscore_app.town.folders import RELAY
from blindscore_app.town.oblivious import sealed_to
from blindscore_app.town.posting import Posting, Reply
from blindscore_app.town.via_relay import way_to
from blindscore_crypto.channel.ohttp import REQUEST_MEDIA, KeyConfig

if TYPE_CHECKING:
    from blindscore_app.town.parts import Part
    from blindscore_app.town.standing import Town

HOUR_S = 3600.0
_CHANCE = random.SystemRandom()


@dataclass(frozen=True)
class _Request:
    path: str
    body: bytes | None
    headers: Mapping[str, str]
    reply: Future[Reply] = field(default_factory=Future, repr=False)


@dataclass
class Cover:
    """One telephone's line to the relay.

    Parameters
    ----------
    address
        The relay's.
    context
        What the wallet speaks TLS by.
    configs
        Institution -> the key that requests to it are sealed to; each dummy is for one of them, drawn anew.
    per_hour
        Requests, on average; published, and the same for everybody.
    """

    address: str
    context: ssl.SSLContext
    configs: Mapping[str, KeyConfig]
    per_hour: float

    def __post_init__(self) -> None:
        if not self.per_hour > 0 or not self.configs:
            raise ParameterError("cover needs a rate above 0 and institutions behind the relay")
        self._waiting: SimpleQueue[_Request] = SimpleQueue()
        self._ended = threading.Event()
        self._length = len(self._dummy().body or b"")

    def ask(
        self, address: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request in the place of the next dummy; return what comes back, as :class:`.Posting` does.

        Raises
        ------
        DataError
            Nobody answers; or the request is no request to the relay, or longer than a dummy and would show.
        """
        if address != self.address or len(body or b"") > self._length:
            raise DataError("cover hides requests to the relay that are no longer than a dummy, and this is none")
        request = _Request(path, body, dict(headers or {}))
        self._waiting.put(request)
        if self._ended.is_set():
            self._give_up()
        return request.reply.result()

    @contextlib.contextmanager
    def running(self) -> Iterator[Cover]:
        """Send for as long as the block lasts; what still waits then is not sent."""
        clock = threading.Thread(target=self._by_the_clock, name="cover", daemon=True)
        clock.start()
        try:
            yield self
        finally:
            self._ended.set()
            clock.join()
            self._give_up()

    def _by_the_clock(self) -> None:
        due, sending = time.monotonic(), list[threading.Thread]()
        while True:
            # Drawn from the last point and not from now: what a request takes moves no later one.
            due += _CHANCE.expovariate(self.per_hour / HOUR_S)
            dummy = self._dummy()  # made whether it is sent or not, and before its time
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            try:
                request = self._waiting.get_nowait()
            except Empty:
                request = dummy
            sending = [one for one in sending if one.is_alive()]
            sending.append(threading.Thread(target=self._send, args=(request,), daemon=True))
            sending[-1].start()
        for one in sending:
            one.join()

    def _send(self, request: _Request) -> None:
        with contextlib.closing(Posting(self.context, MAX_BODY)) as line:
            try:
                request.reply.set_result(line.ask(self.address, request.path, request.body, request.headers))
            except DataError as error:
                request.reply.set_exception(error)

    def _dummy(self) -> _Request:
        to = _CHANCE.choice(sorted(self.configs))
        sealed = sealed_to(self.configs[to], to, pack([])).encapsulated
        return _Request(way_to(to), sealed, {"content-type": REQUEST_MEDIA})

    def _give_up(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._waiting.get_nowait().reply.set_exception(DataError("the wallet's cover has ended"))


def require_coverable(part: Part, *, relay: bool) -> None:
    """Return where a design's requests to a relay can be covered.

    Raises
    ------
    ParameterError
        There is no relay, or a request is longer than a dummy.
    """
    if not (relay and part.coverable):
        raise ParameterError("cover is for sealed and one-show, with a relay: an encrypted design's requests show")


@contextlib.contextmanager
def covering(town: Town, per_hour: float) -> Iterator[Town]:
    """Cover the line of everybody in a town that is up, for as long as the block lasts.

    Yields the town whose wallets speak to the relay so.

    Raises
    ------
    ParameterError
        The town has no relay, or is of an encrypted design, whose first request is longer than a dummy.
    """
    require_coverable(town.part, relay=RELAY in town.roles)
    context = town.identity(town.public["lender"]).anonymous_side()
    with contextlib.ExitStack() as stack:
        covers = [Cover(town.addresses()[RELAY], context, town.sealing, per_hour) for _ in range(town.people)]
        yield replace(town, covers=tuple(stack.enter_context(one.running()) for one in covers))
