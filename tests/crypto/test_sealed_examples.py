"""The examples run, and every claim in them is asserted on its next lines."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["sealed_loan", "perk_token"])
def test_the_example_runs(name, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert "refused" in capsys.readouterr().out
