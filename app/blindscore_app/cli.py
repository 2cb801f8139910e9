"""The ``blindscore`` command.

Every mistake of the user ends in one message on stderr and exit status 2. Heavy modules are imported inside the
commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import io
import sys

import typer

from blindscore.errors import BlindscoreError
from blindscore_app.commands import explain, explore, export, fit, measure, monitor, page, plan, schema, score, validate

USER_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

app = typer.Typer(
    name="blindscore",
    help="Score credit without watching people, and measure how much watching each design removes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(measure.frontier)
app.command()(measure.audit)
app.command()(schema.schema)
app.command()(fit.fit)
app.command()(score.score)
app.command()(explain.explain)
app.command()(export.export)
app.command()(validate.validate)
app.command()(monitor.monitor)
app.command()(plan.plan)
app.command()(page.report)
app.command()(explore.explore)


def main() -> None:
    """Run the command line; exit status 0 on success, 2 on a user's mistake, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "≤" shows "?" and no traceback
    try:
        app()
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _stop()
        raise
    except KeyboardInterrupt:
        _stop()
    except BlindscoreError as error:
        _fail(str(error))
    except MemoryError:
        _fail("out of memory; give fewer people, or a smaller file")
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}; check the path, its rights and the space left")


def _fail(message: str) -> None:
    print(f"blindscore: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)


def _stop() -> None:
    print("blindscore: interrupted; no file was left half-written", file=sys.stderr)
    sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
