"""The page shows every bin and its points, and runs nothing that a feature's name may hold."""

import numpy as np
import pandas as pd

from blindscore.scorecard.forms.html import card_page
from blindscore.scorecard.scorecard import Scorecard


def test_the_page_shows_the_card_and_escapes_names():
    rng = np.random.default_rng(0)
    people = pd.DataFrame(
        {"<script>alert(1)</script>": rng.normal(size=900), "home": rng.choice(["<own>", "rent"], 900)}
    )
    bad = rng.random(900) < np.where(people["home"] == "rent", 0.6, 0.2)
    card = Scorecard().fit(people, bad)
    page = card_page(card, "A & B")
    assert "<script>" not in page
    assert "&lt;own&gt;" in page
    assert "A &amp; B" in page
    assert card.card_.fingerprint in page
    for c in card.card_.characteristics:
        assert all(f"<td class=n>{points:+d}</td>" in page for points in c.points)
    assert page.count("<tr") == len(card.table()) + 1
    assert "defaulted" not in card_page(Scorecard.from_card(card.card_))
