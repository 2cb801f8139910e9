"""The example on a real file runs, and every claim in it holds."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT.parent / "shared/data/credit_data_barcelona.csv.gz"


def test_the_example_on_a_real_file_holds():
    if not FILE.exists():
        pytest.skip("the Barcelona file is not here")
    command = [sys.executable, str(ROOT / "examples/real_scorecard.py"), str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tampered card refused" in done.stdout
