"""Running: starts every institution of a town as a process of its own, publishes addresses, and ends them cleanly."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from blindscore.errors import DataError
from blindscore_app.town.folders import PUBLIC, RELAY, folder_of
from blindscore_app.town.posting import Posting
from blindscore_app.town.relaying import SIGNATURE, Relaying
from blindscore_app.town.service import Service
from blindscore_app.town.services import service_of
from blindscore_app.town.serving import serve
from blindscore_app.town.standing import ADDRESSES, Town
from blindscore_crypto.channel.relay import Count, read_counts

PASSPHRASE = "BLINDSCORE_PASSPHRASE"
START_S, STOP_S = 400.0, 15.0
SETTLE_S = 2.0
LONGEST = 1 << 16  # bytes of a service's figures
LOG = "service.log"


@dataclass
class Running:
    """A town whose institutions are up.

    Parameters
    ----------
    passphrase
        Of the keys; handed to each process through its environment, and in no file.
    """

    town: Town
    passphrase: str = field(repr=False)
    answer_after: float = 0.0
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one institution, on its old port if it had one; see :meth:`await_up`."""
        folder = folder_of(self.town.folder, name)
        command = [sys.executable, "-m", "blindscore_app.cli", "serve", name, "--town", str(self.town.folder)]
        command += ["--port", str(self.ports.get(name, 0)), "--answer-after", str(self.answer_after)]
        command += ["--database", self.town.database] if self.town.database else []
        with (folder / LOG).open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, PASSPHRASE: self.passphrase, "OMP_NUM_THREADS": "1"},
            )
        self.processes[name] = process

    def await_up(self, name: str) -> None:
        """Wait until an institution listens, and publish where.

        Raises
        ------
        DataError
            It does not come up; the end of its log says why.
        """
        folder = folder_of(self.town.folder, name)
        port = first_line(self.processes[name])
        if not port.startswith("listening "):
            self.stop()
            tail = (folder / LOG).read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise DataError(f"{name} does not come up: {' '.join(tail) or 'no word from it'}; see {folder / LOG}")
        self.ports[name] = int(port.split()[1])
        publish(self.town, {n: f"https://127.0.0.1:{p}" for n, p in self.ports.items()})

    def kill(self, name: str) -> None:
        """End one process with no warning, as a crash does."""
        self.processes[name].kill()
        self.processes[name].wait()
        self._close(name)

    def _close(self, name: str) -> None:
        stream = self.processes.pop(name).stdout
        if stream is not None:
            stream.close()

    def stop(self) -> None:
        """Ask every process to end, and wait; requests under way are answered first."""
        for process in self.processes.values():
            process.terminate()
        due = time.monotonic() + STOP_S
        for name, process in tuple(self.processes.items()):
            try:
                process.wait(max(0.1, due - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._close(name)

    def metrics(self) -> dict[str, dict[str, float]]:
        """Return each institution's counts by kind of message, and the times within which it answers, seconds."""
        context = self.town.identity(self.town.public["lender"]).client_side()
        found: dict[str, dict[str, float]] = {}
        with contextlib.closing(Posting(context, LONGEST, answer_s=5.0)) as posting:
            for name, port in self.ports.items():
                with contextlib.suppress(DataError):
                    text = posting.ask(f"https://127.0.0.1:{port}", "/metrics").body.decode()
                    found[name] = {k: float(v) for k, v in (line.rsplit(" ", 1) for line in text.splitlines())}
        return found

    def counts(self) -> list[Count]:
        """Return what the relay publishes of what it passed on, if there is one, once its signature is checked."""
        if RELAY not in self.ports:
            return []
        context = self.town.identity(self.town.public["lender"]).anonymous_side()
        with contextlib.closing(Posting(context, LONGEST)) as posting:
            reply = posting.ask(f"https://127.0.0.1:{self.ports[RELAY]}", "/counts")
        return read_counts(reply.body, bytes.fromhex(reply.headers[SIGNATURE]), self.town.key(RELAY))


@contextlib.contextmanager
def running(town: Town, passphrase: str, answer_after: float = 0.0) -> Iterator[Running]:
    """Run all institutions of a town for as long as the block lasts."""
    up = Running(town, passphrase, answer_after)
    try:
        for name in town.roles:
            up.start(name)
        for name in town.roles:
            up.await_up(name)
        time.sleep(SETTLE_S)  # the log has its head cosigned once everybody is up
        yield up
    finally:
        up.stop()


@contextlib.contextmanager
def running_here(town: Town, passphrase: str) -> Iterator[dict[str, Service | Relaying]]:
    """Run all institutions of a town in threads of this process, over the same sockets and TLS; give their services.

    Apart from memory and crashes, which they share, it is the town of :func:`running`: for examples and tests.
    """
    services, threads, ended = {}, [], threading.Event()
    addresses: dict[str, str] = {}
    try:
        for name in town.roles:
            service = services[name] = service_of(town, name, passphrase.encode())
            up = threading.Event()

            def ready(port: int, name: str = name, up: threading.Event = up) -> None:
                addresses[name] = f"https://127.0.0.1:{port}"
                up.set()

            work = partial(serve, service, "127.0.0.1", 0, town.listening(name), ready=ready, until=ended)
            threads.append(threading.Thread(target=work, name=name))
            threads[-1].start()
            if not up.wait(START_S):
                raise DataError(f"{name} does not come up")
            publish(town, addresses)
        time.sleep(SETTLE_S)
        yield services
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def publish(town: Town, addresses: dict[str, str]) -> None:
    """Write where everybody listens; whoever reads it finds the old file or the new one, whole."""
    path = town.folder / PUBLIC / ADDRESSES
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(addresses, indent=1), "utf-8")
    fresh.replace(path)


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that a process prints, or "" where it ends or says nothing in time."""
    line: list[str] = []
    stream = process.stdout
    if stream is None:
        return ""
    reader = threading.Thread(target=lambda: line.append(stream.readline()), daemon=True)
    reader.start()
    reader.join(START_S)
    return line[0].strip() if line else ""


def town_of(folder: Path, database: str = "") -> Town:
    """Return the town that lies in a folder; refuse a folder that is none."""
    town = Town(folder, database)
    _ = town.public
    return town
