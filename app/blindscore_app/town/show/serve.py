"""Open the page on the loopback address, with a town of its own or one that is up."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import typer

from blindscore.extras import needs
from blindscore_app.explorer.serve import ADDRESS, check_port
from blindscore_app.town.running import town_of
from blindscore_app.town.show.house import fresh_house, house_of
from blindscore_app.town.show.server import make_app


def show_town(town: Path | None, design: str, people: int, seed: int, port: int) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    town
        Folder of a town that is up; None founds one in a temporary folder, which goes when the page is closed.

    Raises
    ------
    BlindscoreError
        The port is taken, there is no such design, or the parties do not come up.
    """
    with needs("town"):
        import uvicorn

    check_port(port)
    with ExitStack() as stack:
        if town is not None:
            house = house_of(town_of(town))
            design = house.designs[0]
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blindscore-town-")))
            house = fresh_house(folder, people, seed)
            typer.echo(f"The parties' files lie in {folder} until this ends; starting them", err=True)
        stack.enter_context(house)
        house.choose(design)
        app = make_app(house, secrets.token_urlsafe(24))
        typer.echo(f"Open http://{ADDRESS}:{port}/ (Ctrl-C ends)", err=True)
        with suppress(KeyboardInterrupt):  # Ctrl-C is how a server is meant to end
            uvicorn.run(app, host=ADDRESS, port=port, log_level="warning", access_log=False)
