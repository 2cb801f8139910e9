"""A module's table as a script of its own, ``python -m blindscore.…``: a user's mistake is one line, and status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from blindscore.errors import BlindscoreError

USER_ERROR = 2


def say(table: Callable[..., str], arguments: Mapping[str, Callable[[str], Any]], rest: str = "") -> NoReturn:
    """Print a table of the command line's arguments and exit.

    Parameters
    ----------
    arguments
        Name of each argument and what makes a value of its text, in order.
    rest
        Name of further words, of which there is at least one; empty where there are none.
    """
    parser = argparse.ArgumentParser(description=(table.__doc__ or "").partition("\n")[0])
    for name, kind in arguments.items():
        parser.add_argument(name, type=kind)
    if rest:
        parser.add_argument(rest, nargs="+")
    try:
        print(table(*vars(parser.parse_args()).values()))
    except BlindscoreError as error:
        print(error, file=sys.stderr)
        sys.exit(USER_ERROR)
    sys.exit(0)
