"""What the page and the example say is what the code does."""

from __future__ import annotations

import runpy
from pathlib import Path

from blindscore_crypto.encrypted.parameters import table

ROOT = Path(__file__).parents[2]


def test_the_example_runs(capsys):
    runpy.run_path(str(ROOT / "examples" / "encrypted_scoring.py"), run_name="__main__")
    assert "625" in capsys.readouterr().out


def test_the_page_shows_the_parameters_that_the_code_uses():
    page = (ROOT / "docs" / "encrypted.md").read_text()
    for row in table(bins=144):
        assert "| " + " | ".join(map(str, row.values())) + " |" in page
