"""``blindscore serve``: one institution of a town, alone, so that parties can stand on different machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PASSPHRASE = "BLINDSCORE_PASSPHRASE"
MOST = 64  # processes over one database


def serve(
    name: Annotated[str, typer.Argument(help="The institution, as the town's public file names it.")],
    town: Annotated[Path, typer.Option(help="The town's folder; only this party's own part and public/ are read.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 = the system chooses.")] = 0,
    database: Annotated[str, typer.Option(help="PostgreSQL, as libpq takes it; an SQLite file if left out.")] = "",
    answer_after: Annotated[float, typer.Option(help="Seconds after its arrival at which every answer leaves.")] = 0.0,
    share: Annotated[str, typer.Option(help="K/N: the K-th of N processes of a lender over one database.")] = "1/1",
) -> None:
    """Serve one institution until SIGTERM. The passphrase of its keys is read from BLINDSCORE_PASSPHRASE."""
    import logging
    import os
    import sys

    from blindscore.errors import ParameterError
    from blindscore.extras import require

    require("town")
    from blindscore_app.town.services import service_of
    from blindscore_app.town.serving import serve as run
    from blindscore_app.town.standing import Town

    passphrase = os.environ.pop(PASSPHRASE, "").encode()
    if not passphrase:
        raise ParameterError(f"the keys' passphrase is read from the environment: set {PASSPHRASE}")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    kth, _, of = share.partition("/")
    if not (kth.isdecimal() and of.isdecimal() and 1 <= int(kth) <= int(of) <= MOST):
        raise ParameterError(
            f"--share is K/N, as 1/2 for the first of two processes, and N at most {MOST}; got {share}"
        )
    place = Town(town, database, (int(kth) - 1, int(of)))
    if int(of) > 1 and place.roles.get(name) not in place.part.several:
        raise ParameterError(f"{name} is one process; lenders of sealed and one-show can be several")
    service = service_of(place, name, passphrase, answer_after)

    def ready(chosen: int) -> None:
        print(f"listening {chosen}", flush=True)

    run(service, host, port, place.listening(name), ready=ready)
