"""Seeds that are played side by side take marks back as seeds played one by one do."""

from __future__ import annotations

from dataclasses import replace

from blindscore.designs.bureau import Bureau
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance import seeds
from blindscore.surveillance.ledger import Ledger
from blindscore.surveillance.marks import key_of, marked
from tests.core.test_ledger import a_row

EDGE = {"low": -0.045, "high": 0.045}  # within the line alone, beyond it beside many others


def rows(*losers, **changes):
    """Return 61 rows of one design: `loser` k of many, and one at the edge."""
    found = [a_row(**({"advantage": 0.0, "low": -0.01, "high": 0.01, "bound": 0.01, "secret": "edge"} | changes))]
    for k in range(60):
        wide = {"low": -0.2, "high": 0.2} if k in losers else {"low": -0.01, "high": 0.01}
        found.append(a_row(advantage=0.0, bound=0.01, secret=f"s{k}", **wide))
    return [replace(row, design="bureau") for row in found]


def test_marks_are_corrected_over_the_rows_that_still_carry_one(monkeypatch):
    first = marked(rows(), None)
    assert all(row.removed for row in first)
    # In the second seed all but the edge lose their mark; the third, played beside it, holds the edge to itself alone.
    played = {2: rows(*range(60)), 3: rows(*range(60), **EDGE)}
    assert not marked(played[3], None)[0].removed

    def measure(people, designs, scorecard, *, seed, wanted, **more):
        assert wanted == {key_of(row) for row in first}
        return Ledger({}, (), tuple(marked(played[seed], None)))

    monkeypatch.setattr(seeds, "measure", measure)
    ledger = Ledger({"seed": 1}, (), tuple(first))
    kept = seeds.hold(ledger, [Bureau()], Scorecard(), [2, 3], lambda seed: None)
    assert [row.secret for row in kept.rows if row.removed] == ["edge"]
    assert kept.rows[0].seeds == 3
    assert kept.meta["seeds"] == [1, 2, 3]
