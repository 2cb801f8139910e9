"""Export: traces in the form that fingerprinting researchers use (WFlib: Deng et al., CCS 2024): one ``.npz`` file.

``X`` (n, length): a packet's time in seconds, with its direction as the sign (positive: from the person), zeros after
the last; ``y`` (n,): the class. Sizes are not in that form; ``sizes`` (n, length), signed bytes, stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.traces import Trace

LONGEST = 10_000  # packets of a trace
FIRST_S = 1e-6  # a packet at time 0 would read as the padding behind the last


def export_wflib(path: Path, exchanges: Sequence[Sequence[Trace]], labels: NDArray[np.integer]) -> int:
    """Write exchanges, the lines of each one after another; return the length of a row.

    Raises
    ------
    ParameterError
        Nothing to write, as many labels as exchanges are not there, or a trace is too long.
    """
    if not exchanges or len(exchanges) != len(labels):
        raise ParameterError(f"{len(exchanges)} exchanges and {len(labels)} labels; there must be one label each")
    rows = [_joined(lines) for lines in exchanges]
    length = max(len(row) for row in rows)
    if length > LONGEST:
        raise ParameterError(f"a trace has {length} packets; {LONGEST} is the most that is written")
    time, size = np.zeros((len(rows), length)), np.zeros((len(rows), length))
    for i, row in enumerate(rows):
        time[i, : len(row)] = np.sign(row[:, 1]) * (row[:, 0] + FIRST_S)
        size[i, : len(row)] = row[:, 1]
    np.savez_compressed(path, X=time, y=np.asarray(labels, np.int64), sizes=size)
    return length


def _joined(lines: Sequence[Trace]) -> Trace:
    """Return one trace of several lines; each begins where the one before ended."""
    shifted, ended = [], 0.0
    for line in lines:
        shifted.append(line + np.array([ended, 0.0]))
        ended = float(shifted[-1][-1, 0])
    return np.concatenate(shifted)
