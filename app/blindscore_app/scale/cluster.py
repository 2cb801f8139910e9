"""Engine ``dask``: the same tasks on a cluster of processes or machines.

Who can do what: a Dask scheduler runs any code that a client sends, and its messages are pickled. So every link is TLS
with certificates on both sides; an address without it is refused, and no web page is served. Whoever holds the
certificate's key can run code on every worker, as their user. A cluster of this machine makes a certificate for itself
that exists in memory and only as long as the run.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import blindscore
from blindscore.errors import DataError, ParameterError
from blindscore.extras import needs, require
from blindscore.threads import cores
from blindscore_app.scale.manifest import Done
from blindscore_app.scale.tasks import Engine, Task, perform

if TYPE_CHECKING:
    from distributed import Client

LOST_WORKERS = 100  # that one task may outlive; the library gives up after 3, which a rolling restart reaches
CONNECT_SECONDS = 30
SETTINGS = {
    "distributed.scheduler.allowed-failures": LOST_WORKERS,
    "distributed.scheduler.http.routes": [],  # no page, no metrics, without a password
    "distributed.worker.http.routes": [],
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.worker.daemon": True,
    "distributed.comm.require-encryption": True,
}


@dataclass(frozen=True)
class Cluster:
    """Where the work is done."""

    workers: int = 0  # processes of a cluster of this machine; 0 = one a core
    scheduler: str = ""  # tls://host:port of a cluster that runs already; empty = this machine
    ca: Path | None = None  # certificates, PEM
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        files = (self.ca, self.certificate, self.key)
        if not self.scheduler:
            if any(files):
                raise ParameterError("certificates go with --scheduler; a cluster of this machine makes its own")
            return
        if not self.scheduler.startswith("tls://"):
            raise ParameterError("--scheduler: give an address that starts with tls://; others are open to anybody")
        if not _has_host_and_port(self.scheduler):
            raise ParameterError("--scheduler: give host and port, as in tls://scheduler.example:8786")
        if not all(files):
            raise ParameterError("--scheduler needs --tls-ca, --tls-cert and --tls-key, the files it was started with")
        absent = [str(file) for file in files if not Path(str(file)).is_file()]
        if absent:
            raise ParameterError(f"no such file: {', '.join(absent)}; give the certificates of the cluster")


def _has_host_and_port(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname and parts.port)
    except ValueError:  # a port that is no number, or too large
        return False


def dask(cluster: Cluster) -> Engine:
    """Return an engine that runs tasks on a cluster, which lives while the tasks do.

    Raises
    ------
    MissingExtraError
        The extra ``scale`` is not installed.
    """
    require("scale")

    def engine(tasks: Sequence[Task]) -> Iterator[Done]:
        with connected(cluster) as client:
            yield from run_on(client, tasks)

    return engine


def run_on(client: Client, tasks: Sequence[Task]) -> Iterator[Done]:
    """Run tasks on a cluster, and yield each as it is done; the first failure stops the others.

    Raises
    ------
    DataError
        A task failed, no worker lived long enough to finish it, or the scheduler went away.
    """
    with needs("scale"):
        from distributed import KilledWorker, as_completed

    futures = [client.submit(perform, task, key=f"{task.name}-{os.urandom(8).hex()}") for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
            future.release()
    except CancelledError as error:
        raise DataError(
            "the scheduler went away in mid-run; start it and run again: finished parts are kept"
        ) from error
    except KilledWorker as error:
        raise DataError(
            f"{error.allowed_failures + 1} workers died over one file; "
            "give them more memory, or smaller files, and run again"
        ) from error
    finally:
        client.cancel([future for future in futures if not future.done()])


@contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """Start a cluster of this machine, or reach the one that was named; nothing is ever sent in the clear.

    Raises
    ------
    DataError
        The scheduler does not answer, or refuses the certificate, or its workers cannot do the work.
    """
    with needs("scale"):
        import dask as dask_library
        from distributed import Client, LocalCluster
        from distributed.security import Security

    with dask_library.config.set(SETTINGS):
        if cluster.scheduler:
            with _reach(cluster) as client:
                _check_workers(client, cluster.scheduler)
                yield client
            return
        count = cluster.workers or cores()
        with (
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                protocol="tls://",
                security=Security.temporary(),
                dashboard_address=None,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                memory_limit=0,  # batches bound the memory; a limit would kill a worker over another's cache
                silence_logs=50,
            ) as here,
            Client(here) as client,
        ):
            yield client


def _reach(cluster: Cluster) -> Client:
    with needs("scale"):
        from distributed import Client
        from distributed.comm import CommClosedError
        from distributed.security import Security

    where = cluster.scheduler
    files: dict[str, Any] = {
        "tls_ca_file": str(cluster.ca),
        "tls_client_cert": str(cluster.certificate),
        "tls_client_key": str(cluster.key),
    }
    try:
        security = Security(require_encryption=True, **files)
        return Client(where, security=security, timeout=CONNECT_SECONDS)
    except (CommClosedError, ValueError) as error:  # hung up by either side, or no handshake at all
        raise DataError(
            f"{where}: what answers there speaks no TLS, or has certificates of another cluster; "
            "give the --tls-ca, --tls-cert and --tls-key that the scheduler was started with"
        ) from error
    except ssl.SSLError as error:
        raise DataError(
            "--tls-ca, --tls-cert and --tls-key need two certificates and the key of the second, PEM; "
            f"these cannot be used ({error.reason or 'unreadable'})"
        ) from error
    except OSError as error:
        raise DataError(f"{where}: no scheduler answers there over TLS; check the address, and that it runs") from error


def _check_workers(client: Client, where: str) -> None:
    """Ask every worker for the package: one without it would die over each task that it is given."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError as error:
        raise DataError(f"{where}: the scheduler has no workers; start some, and run again") from error
    needed = blindscore.__version__
    seen = client.run(version, "blindscore", on_error="return")
    strange = [worker for worker, found in seen.items() if found != needed]
    if strange:
        raise DataError(
            f"{where}: {len(strange)} of {len(seen)} workers do not have blindscore {needed} installed, "
            f"such as {strange[0]}; install it there"
        )
