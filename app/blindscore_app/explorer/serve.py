"""Start the explorer on the loopback address."""

from __future__ import annotations

import socket
from contextlib import suppress

import typer

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore.surveillance.ledger import Ledger

ADDRESS = "127.0.0.1"


def check_port(port: int) -> None:
    """Raise :class:`ParameterError` unless the port is free, before the designs are run for nothing."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            raise ParameterError(f"port {port} cannot be used ({error.strerror}); give another with --port") from error


def serve(ledger: Ledger, port: int, *, live: bool) -> None:
    """Serve until interrupted.

    Raises
    ------
    DataError
        ``live`` is asked for, but the ledger's people cannot be made again.
    """
    with needs("frontier"):
        import uvicorn

    from blindscore_app.explorer.live import rerun
    from blindscore_app.explorer.server import make_app
    from blindscore_app.progress import bar

    again = None
    if live:
        with bar() as progress:
            again = rerun(ledger, progress)
        for name in again.departs:
            typer.echo(f"{name}: trained with fresh noise, so its live scores differ from the ledger's", err=True)
    app = make_app(ledger, again)
    typer.echo(f"Open http://{ADDRESS}:{port}/ (Ctrl-C ends)", err=True)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how a server is meant to end
        uvicorn.run(app, host=ADDRESS, port=port, log_level="warning", access_log=False)
