"""Front: what stands before the work of every service. Bounded bodies, bounded work at once, logs without a secret.

Who sees what: a log holds the role, the kind of request, its size, the status and the time, and never a body, an
address, a name of a person, or a token.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from blindscore.errors import BlindscoreError
from blindscore.extras import needs
from blindscore_app.town.warrant import Heeded

with needs("town"):
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response

LOG = logging.getLogger("blindscore.town")
MAX_REQUEST = 1 << 20  # bytes of a request's body
AT_ONCE = 16  # requests worked on or waiting; beyond that, come again later
READ_S = 10.0  # within which a body must have arrived
REMEMBERED = 4096  # durations kept for the quantiles


@dataclass
class Meter:
    """What a service did, by kind of message."""

    served: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def quantile(self, share: float) -> float:
        """Return the time within which this share of requests was answered, seconds; 0 before the first."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def text(self, role: str) -> str:
        """Return the figures as Prometheus reads them."""
        lines = [f'blindscore_served_total{{role="{role}",kind="{k}"}} {n}' for k, n in sorted(self.served.items())]
        lines += [f'blindscore_refused_total{{role="{role}",kind="{k}"}} {n}' for k, n in sorted(self.refused.items())]
        lines += [
            f'blindscore_seconds{{role="{role}",quantile="{share}"}} {self.quantile(share):.6f}'
            for share in (0.5, 0.99)
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Answered:
    """What a service answers."""

    body: bytes
    media: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[], Answered]


@dataclass
class Front:
    """Takes bodies, hands them to the work, and answers.

    Parameters
    ----------
    role, name
        Of the party, for the log and for whoever asks.
    heeded
        The standing orders on the party, where there may be any.
    answer_after
        Seconds after a request's arrival at which its answer leaves; 0 = as soon as it is there. An answer that takes
        longer leaves at the next multiple, so that what it says does not show in the time it takes.
    """

    role: str
    name: str
    heeded: Heeded | None = None
    answer_after: float = 0.0
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self.waiting = 0

    async def take(self, request: Request, read: Callable[[bytes], tuple[str, Work]]) -> Response:
        """Answer a request.

        Parameters
        ----------
        read
            Body -> the kind of what is asked, and the work, which is done in a thread. What either refuses is said in
            one word.
        """
        arrived = time.monotonic()
        if self.waiting >= 4 * AT_ONCE:
            return refusal(503, "busy; come again in a second", {"retry-after": "1"})
        self.waiting += 1
        kind, size = "unread", 0
        try:
            body = await asyncio.wait_for(_read(request), READ_S)
            if body is None:
                return refusal(413, f"a body has at most {MAX_REQUEST} bytes")
            size = len(body)
            kind, work = read(body)
            async with self._room:
                answered = await run_in_threadpool(work)
            response = Response(answered.body, answered.status, dict(answered.headers), answered.media)
            self.meter.served[kind] += 1
        except (TimeoutError, ClientDisconnect):
            response = refusal(408, "the body did not arrive in time")
        except BlindscoreError as error:
            # What a party refuses it says in words that repeat no secret; whoever sent a wrong body learns no more.
            self.refused(kind, error)
            response = refusal(400, "refused")
        finally:
            self.waiting -= 1
        took = time.monotonic() - arrived
        if self.answer_after:
            await _until(arrived + self.answer_after * (1 + took // self.answer_after))
        self.meter.seconds.append(time.monotonic() - arrived)
        told = {"role": self.role, "kind": kind, "bytes": size, "status": response.status_code}
        LOG.info(json.dumps(told | {"ms": round(1e3 * took, 2)}))
        return response

    async def health(self, request: Request) -> Response:
        """Say that the service is up, how much waits, and how many orders stand."""
        told = 0 if self.heeded is None else self.heeded.told()  # an order that forbids to tell does not count here
        return JSONResponse({"role": self.role, "name": self.name, "busy": self.waiting, "standing_orders": told})

    async def metrics(self, request: Request) -> Response:
        """Return what was served."""
        return PlainTextResponse(self.meter.text(self.role))

    def refused(self, kind: str, error: BlindscoreError) -> None:
        """Count and log a refusal, by the error's name alone."""
        self.meter.refused[kind] += 1
        LOG.info(json.dumps({"role": self.role, "kind": kind, "refused": type(error).__name__}))


def refusal(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    """Return a refusal in plain words."""
    return PlainTextResponse(words, status_code=status, headers=headers)


async def _until(due: float) -> None:
    """Wait for the moment itself: sleep most of it, and look at the clock for the rest."""
    ahead = due - time.monotonic() - 0.002
    if ahead > 0:
        await asyncio.sleep(ahead)
    while time.monotonic() < due:
        await asyncio.sleep(0)  # others go on meanwhile


async def _read(request: Request) -> bytes | None:
    """Return a body, or None where it is longer than allowed; nothing beyond that is kept."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST:
            return None
    return body
