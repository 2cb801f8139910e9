"""The ``blindscore`` command.

Every mistake of the user ends in one message on stderr and exit status 2. Heavy modules are imported inside the
commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from blindscore import __version__
from blindscore.errors import BlindscoreError
from blindscore_app.commands import (
    conclusions,
    explain,
    explore,
    export,
    fit,
    measure,
    monitor,
    new,
    page,
    plan,
    schema,
    score,
    serve,
    submit,
    town,
    validate,
    world,
)

USER_ERROR = 2
INTERRUPTED = 128 + signal.SIGINT  # as shells report it
TERMINATED = 128 + signal.SIGTERM

app = typer.Typer(
    name="blindscore",
    help="Score credit without watching people, and measure how much watching each design removes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"blindscore {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and exit.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command()(measure.frontier)
app.command()(measure.audit)
app.command()(schema.schema)
app.command()(fit.fit)
app.command()(score.score)
app.command()(explain.explain)
app.command()(export.export)
app.command()(validate.validate)
app.command()(monitor.monitor)
app.command()(serve.serve)
app.add_typer(town.app, name="town")
app.command()(plan.plan)
app.command()(page.report)
app.command()(explore.explore)
app.command()(world.world)
app.command()(new.new)
app.command()(submit.submit)
app.command()(submit.check)
app.command()(submit.leaderboard)
app.command()(conclusions.conclusions)


def main() -> None:
    """Run the command line; exit status 0 on success, 2 on a user's mistake, 130 or 143 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "≤" shows "?" and no traceback
    told: list[int] = []
    try:
        with _heeding_sigterm(told):
            app()
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _stop(told)
        raise
    except KeyboardInterrupt:
        _stop(told)
    except BlindscoreError as error:
        _fail(str(error))
    except MemoryError:
        _fail("out of memory; give fewer people, or a smaller file")
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}; check the path, its rights and the space left")


@contextmanager
def _heeding_sigterm(told: list[int]) -> Iterator[None]:
    """Unwind at SIGTERM as at Ctrl-C, so that temporary files go, and note it in ``told``."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        told.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield  # whoever calls or started us has its own mind about the signal
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _fail(message: str) -> None:
    print(f"blindscore: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)


def _stop(told: list[int]) -> NoReturn:
    print("blindscore: interrupted; no file was left half-written", file=sys.stderr)
    sys.exit(TERMINATED if told else INTERRUPTED)


if __name__ == "__main__":
    main()
