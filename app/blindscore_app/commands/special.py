"""The option that names special codes: numbers in a file that are no amounts, such as -1 for "no account"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from blindscore.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

Special = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[FEATURE=]CODE,...",
        help="Codes of a number that are no amounts, each a bin of its own, such as arrears=-1,-2; without a feature, "
        "of every number that holds them. May be repeated.",
        show_default=False,
    ),
]


def special_codes(given: Sequence[str], features: pd.DataFrame) -> dict[str, list[float]]:
    """Return each feature's special codes, in the order of the table.

    Parameters
    ----------
    given
        ``"feature=code,code"``, or ``"code,code"`` for every number that somebody has such a code in.
    features
        The training people's, shape (n, d).

    Raises
    ------
    ParameterError
        A code is no finite number, or nobody has it in any number; a feature is absent, or holds categories.
    """
    from blindscore.scorecard.binning import kind_of

    numbers = [str(name) for name in features.columns if kind_of(features[name]) == "number"]
    found: dict[str, list[float]] = {name: [] for name in numbers}
    for text in given:
        name, equals, listed = text.rpartition("=")
        codes = _codes(text, listed)
        if equals and name not in found:
            if name in features.columns:
                raise ParameterError(f"--special {text}: {name!r} holds categories, whose codes have bins already")
            raise ParameterError(f"--special {text}: no feature is called {name!r}; numbers are {', '.join(numbers)}")
        for code in codes:
            holders = [name] if equals else [other for other in numbers if (features[other] == code).any()]
            if not holders:
                raise ParameterError(f"--special {text}: no number in the file holds {code:g}; leave it out")
            for holder in holders:
                found[holder].append(code)
    return {name: list(dict.fromkeys(codes)) for name, codes in found.items() if codes}


def _codes(text: str, listed: str) -> list[float]:
    try:
        codes = [float(code) for code in listed.split(",")]
    except ValueError as error:
        raise ParameterError(f"--special {text}: give numbers with commas between them, as in arrears=-1,-2") from error
    if not all(map(math.isfinite, codes)):
        raise ParameterError(f"--special {text}: codes are finite numbers; missing values have a bin of their own")
    return codes
