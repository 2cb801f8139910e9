"""What the page and the example say is what the code does."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import numpy as np

from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.encrypted.parameters import LOG2_Q_128, table
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.research.hint import ANSWER_BYTES, HINTED, Lender
from blindscore_crypto.layout import Layout

ROOT = Path(__file__).parents[2]


def test_the_example_runs(capsys):
    runpy.run_path(str(ROOT / "examples" / "encrypted_scoring.py"), run_name="__main__")
    assert "625" in capsys.readouterr().out


def test_the_page_shows_the_parameters_that_the_code_uses():
    page = (ROOT / "docs" / "encrypted.md").read_text()
    for row in table(bins=144):
        assert "| " + " | ".join(map(str, row.values())) + " |" in page


def test_the_page_shows_the_hint_that_the_code_uses():
    page = (ROOT / "docs" / "encrypted.md").read_text()
    rng = np.random.default_rng(7)
    points = rng.integers(-40, 41, (24, 6)).tolist()
    edges = (0.0, 1.0, 2.0, 3.0)
    card = Card(tuple(Characteristic(f"f{j}", tuple(row), edges) for j, row in enumerate(points)), 500)
    lender = Lender(HINTED, Points.of(card), Layout.of(card), 1)
    told = [HINTED.name, HINTED.degree, round(math.log2(HINTED.prime), 2), LOG2_Q_128[HINTED.degree], HINTED.t]
    told += [f"{HINTED.upload_bytes} / {ANSWER_BYTES}", HINTED.hint_bytes, round(lender.flooding_bits)]
    told += [round(lender.leak_bits, 2), HINTED.replies]
    assert "| " + " | ".join(map(str, told)) + " |" in page
