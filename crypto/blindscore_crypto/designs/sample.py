"""How many people the private designs play their protocol for."""

from __future__ import annotations

from blindscore.errors import ParameterError


def check_sample(sample: int) -> None:
    """Return if at least one person is sampled.

    Raises
    ------
    ParameterError
        None is.
    """
    if sample < 1:
        raise ParameterError(f"sample must be at least 1, got {sample}: a row stands on real runs")
