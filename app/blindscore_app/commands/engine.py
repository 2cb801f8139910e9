"""The options that say where work is done, the same for every command that has them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blindscore.errors import ParameterError

if TYPE_CHECKING:
    from blindscore_app.scale.tasks import Engine


class Where(StrEnum):
    """Engines."""

    LOCAL = "local"
    DASK = "dask"


EngineName = Annotated[Where, typer.Option("--engine", help="This process, or a Dask cluster (extra `scale`).")]
Workers = Annotated[int, typer.Option(min=0, max=1024, help="Processes of a cluster of this machine; 0: one a core.")]
Scheduler = Annotated[
    str, typer.Option(help="tls://HOST:PORT of a cluster that runs; else one of this machine.", show_default=False)
]
Certificate = Annotated[Path | None, typer.Option(help="PEM file for --scheduler.", show_default=False)]


def choose_engine(
    name: Where, workers: int, scheduler: str, ca: Path | None, certificate: Path | None, key: Path | None
) -> Engine:
    """Return the engine that the options name.

    Raises
    ------
    ParameterError
        Options that do not go together, an address without TLS, or Dask is not installed.
    """
    if name is Where.LOCAL:
        if workers or scheduler or ca or certificate or key:
            raise ParameterError("--workers, --scheduler and the certificates go with --engine dask")
        from blindscore_app.scale.tasks import local

        return local
    from blindscore_app.scale.cluster import Cluster, dask

    return dask(Cluster(workers, scheduler, ca, certificate, key))
