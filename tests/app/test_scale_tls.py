"""Engine ``dask`` on a cluster that somebody else started, by Dask's own commands, with certificates from files."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import blindscore
from blindscore.errors import DataError
from blindscore_app.scale import cluster
from blindscore_app.scale.cluster import Cluster, dask
from blindscore_app.scale.manifest import Done
from blindscore_app.scale.tasks import Task, local
from blindscore_app.scale.tasks import run as run_tasks
from tests.app.conftest import Run, leftovers
from tests.app.scale_world import make_card, make_parts, nothing, slow_tasks, visible

distributed = pytest.importorskip("distributed")
# Dask leaves the sockets of attempts that failed to the garbage collector, which warns of them.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def no_socket_left_to_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@dataclass(frozen=True)
class Certificates:
    """One authority's files, as an administrator would hand them out."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        folder.mkdir()
        made = distributed.Security.temporary()
        files = cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        for path, text in zip(
            (files.ca, files.certificate, files.key),
            (made.tls_ca_file, made.tls_client_cert, made.tls_client_key),
            strict=True,
        ):
            path.write_text(text)
        return files

    @property
    def options(self) -> tuple[object, ...]:
        return "--tls-ca", self.ca, "--tls-cert", self.certificate, "--tls-key", self.key


@dataclass(frozen=True)
class Outside:
    """A scheduler and one worker, each a process of its own."""

    address: str
    scheduler: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]


@contextmanager
def outside(folder: Path, files: Certificates) -> Iterator[Outside]:
    told = folder / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []

    def start(command: str, *more: str) -> subprocess.Popen[bytes]:
        plain = ["--host", "tls://127.0.0.1", "--no-dashboard", "--scheduler-file", told]
        tls = ["--tls-ca-file", files.ca, "--tls-cert", files.certificate, "--tls-key", files.key]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{command}", *plain, *tls, *more],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return started[-1]

    try:
        scheduler = start("dask_scheduler", "--port", "0")
        address = _address(told, scheduler)
        worker = start("dask_worker", "--nthreads", "1", "--no-nanny")
        yield Outside(address, scheduler, worker)
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _address(told: Path, scheduler: subprocess.Popen[bytes]) -> str:
    """Wait until a scheduler has written where it is, all of it."""
    until = time.monotonic() + 60
    while scheduler.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(told.read_text())["address"])
        time.sleep(0.02)
    raise AssertionError("the scheduler did not start")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("own") / "pem")


@pytest.fixture(scope="module")
def cluster_outside(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("cluster"), certificates) as running:
        yield running


def test_a_cluster_that_runs_already_gives_the_same_hash(
    run: Run, tmp_path: Path, cluster_outside: Outside, certificates: Certificates
) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 4)
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--json", "--out")
    there = ("--engine", "dask", "--scheduler", cluster_outside.address, *certificates.options)
    answer = run(*asked, tmp_path / "dask", *there)
    assert answer.status == 0, answer.err
    assert json.loads(answer.out)["sha256"] == json.loads(run(*asked, tmp_path / "local").out)["sha256"]
    assert visible(tmp_path / "dask") == visible(tmp_path / "local")
    assert cluster_outside.worker.poll() is None  # it outlives the run


def test_a_cluster_that_cannot_be_trusted_or_does_not_answer_is_refused(
    run: Run,
    tmp_path: Path,
    cluster_outside: Outside,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 2)
    own, other = certificates, Certificates.make(tmp_path / "other")
    address = cluster_outside.address
    for where, files, message in (
        (address, Certificates(other.ca, own.certificate, own.key), "of another cluster"),
        (address, Certificates(own.ca, other.certificate, other.key), "of another cluster"),
        (address, Certificates(own.ca, own.certificate, other.key), "cannot be used"),
        (address, Certificates(tmp_path / "card.json", own.certificate, own.key), "cannot be used"),
        (address.replace("tls://", "tcp://"), own, "starts with tls://"),
        ("tls://127.0.0.1", own, "host and port"),
        ("tls://127.0.0.1:99999", own, "host and port"),
        ("tls://127.0.0.1:1", own, "no scheduler answers"),
        (_in_the_clear(), own, "speaks no TLS"),
    ):
        out = tmp_path / "out"
        asked = ("score", tmp_path / "card.json", tmp_path / "in", "--out", out, "--engine", "dask")
        answer = run(*asked, "--scheduler", where, *files.options)
        assert answer.refused(), where
        assert message in answer.err, answer.err
        assert not out.exists() or visible(out) == {}


def _in_the_clear() -> str:
    """Address of something that greets whoever calls, as a scheduler without TLS does."""
    door = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        with door, door.accept()[0] as line:
            line.sendall(bytes(64))
            line.recv(64)

    threading.Thread(target=greet, daemon=True).start()
    return f"tls://127.0.0.1:{door.getsockname()[1]}"


def test_workers_that_cannot_do_the_work_are_told_of(
    cluster_outside: Outside, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blindscore, "__version__", "99.0")
    where = Cluster(0, cluster_outside.address, certificates.ca, certificates.certificate, certificates.key)
    with pytest.raises(DataError, match=r"1 of 1 workers do not have blindscore 99\.0"):
        list(dask(where)(slow_tasks(tmp_path, 1)))
    assert visible(tmp_path / "out") == {}


def test_a_lost_scheduler_or_worker_is_told_of_and_the_next_run_goes_on(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 5)
    tasks, manifest = slow_tasks(tmp_path, 6), tmp_path / "out/manifest.json"
    with outside(tmp_path, certificates) as running:
        where = Cluster(0, running.address, certificates.ca, certificates.certificate, certificates.key)

        def losing(given: Sequence[Task]) -> Iterator[Done]:
            for done in dask(where)(given):
                running.scheduler.kill()
                yield done

        with pytest.raises(DataError, match="the scheduler went away"):
            run_tasks(tasks, losing, manifest, nothing, "slow")
        running.worker.wait(60)  # it goes with its scheduler
        ran = run_tasks(tasks, local, manifest, nothing, "again")
        assert 1 <= ran.kept < 6
        assert len(visible(tmp_path / "out")) == 6
        assert leftovers(tmp_path) == []
