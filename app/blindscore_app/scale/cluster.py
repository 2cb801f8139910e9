"""Engine ``dask``: the same tasks on a cluster of processes or machines.

Who can do what: a Dask scheduler runs any code that a client sends, and its messages are pickled. So every link is TLS
with certificates on both sides; an address without it is refused, and no web page is served. Whoever holds the
certificate's key can run code on every worker, as their user. A cluster of this machine makes a certificate for itself
that exists in memory and only as long as the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindscore.errors import DataError, ParameterError
from blindscore_app.scale.manifest import Done
from blindscore_app.scale.tasks import Engine, Task, perform

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

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
        if not all(files):
            raise ParameterError("--scheduler needs --tls-ca, --tls-cert and --tls-key, the files it was started with")
        absent = [str(file) for file in files if not Path(str(file)).is_file()]
        if absent:
            raise ParameterError(f"no such file: {', '.join(absent)}; give the certificates of the cluster")


def dask(cluster: Cluster) -> Engine:
    """Return an engine that runs tasks on a cluster, which lives while the tasks do.

    Raises
    ------
    ParameterError
        The extra ``scale`` is not installed.
    """
    try:
        import cryptography  # noqa: F401  makes the certificate
        import distributed  # noqa: F401
    except ImportError as error:
        raise ParameterError("--engine dask needs Dask: pip install 'blindscore[scale]'") from error

    def engine(tasks: Sequence[Task]) -> Iterator[Done]:
        with connected(cluster) as client:
            yield from run_on(client, tasks)

    return engine


def run_on(client: Client, tasks: Sequence[Task]) -> Iterator[Done]:
    """Run tasks on a cluster, and yield each as it is done; the first failure stops the others.

    Raises
    ------
    DataError
        A task failed, or no worker lived long enough to finish it.
    """
    from distributed import KilledWorker, as_completed

    futures = [client.submit(perform, task, key=f"{task.name}-{os.urandom(8).hex()}") for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
            future.release()
    except KilledWorker as error:
        raise DataError(
            f"{LOST_WORKERS} workers died over one file; give them more memory, or smaller files, and run again"
        ) from error
    finally:
        client.cancel([future for future in futures if not future.done()])


@contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """Start a cluster of this machine, or reach the one that was named; nothing is ever sent in the clear.

    Raises
    ------
    DataError
        The scheduler does not answer, or refuses the certificate.
    """
    import dask as dask_library
    from distributed import Client, LocalCluster
    from distributed.security import Security

    with dask_library.config.set(SETTINGS):
        if cluster.scheduler:
            security = _security(cluster)
            try:
                client = Client(cluster.scheduler, security=security, timeout=CONNECT_SECONDS)
            except (OSError, TimeoutError) as error:
                raise DataError(
                    f"{cluster.scheduler}: no scheduler answers there with this certificate; check address and files"
                ) from error
            with client:
                yield client
            return
        count = cluster.workers or len(os.sched_getaffinity(0))
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


def _security(cluster: Cluster) -> Security:
    from distributed.security import Security

    files: dict[str, Any] = {
        "tls_ca_file": str(cluster.ca),
        "tls_client_cert": str(cluster.certificate),
        "tls_client_key": str(cluster.key),
    }
    return Security(require_encryption=True, **files)
