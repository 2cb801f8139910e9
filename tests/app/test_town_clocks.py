"""Source and lender compare times: who waits long is joined by few, and the lines show what was planned."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.errors import ParameterError
from blindscore.surveillance.inference.clocks import days_interval, join_by_clock
from blindscore_app.town.clocks import HABITS, joined, play, print_curve


def test_who_waits_longer_is_joined_less_and_who_fetches_early_hardly_at_all():
    one, ten, sixty, early = (joined(habit, 200, 8, seed=1) for habit in HABITS)
    assert one.low > ten.high > ten.low > sixty.high > sixty.low > early.high
    # the nearest fetch before is the right one unless another fell between: 1 / (1 + rate x mean wait)
    for row, minutes in ((one, 1), (ten, 10), (sixty, 60)):
        assert row.joined == pytest.approx(1 / (1 + 200 / 1440 * minutes / np.log(2)), abs=0.04)
    assert early.high < 0.03


def test_real_parties_are_spoken_to_when_the_habit_says():
    share, seen = play(HABITS[1], 3, seed=2)
    assert (seen[:, 1] >= seen[:, 0]).all()
    assert 0.0 <= share <= 1.0


def test_equal_numbers_are_asked_for_and_one_day_gives_no_interval():
    with pytest.raises(ParameterError, match="one each"):
        join_by_clock("each alone", np.zeros(2), np.zeros(3), np.zeros_like)
    assert days_interval(np.array([0.5])) == (0.5, 0.0, 1.0)
    found = join_by_clock("all together", np.array([0.0, 10.0]), np.array([12.0, 1.0]), lambda wait: -wait)
    assert found.tolist() == [1, 0]


def test_the_curve_is_printed(capsys):
    rows = print_curve(20, 3, 1, parties=False, as_json=False)
    assert len(rows) == len(HABITS)
    assert "early, in batches" in capsys.readouterr().out
