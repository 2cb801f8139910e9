"""The town's example runs, and every claim in it is asserted on its next lines."""

from __future__ import annotations

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "town.py"


def test_the_example_runs(capsys):
    runpy.run_path(str(EXAMPLE))
    assert "at the lender 3 bits and nobody" in capsys.readouterr().out
