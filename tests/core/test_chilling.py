"""Chilling effect: who adapts to a rule that reads conduct, and nobody to one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blindscore.people.society import make_society
from blindscore.surveillance.account.chilling import chilling
from blindscore.surveillance.planted import run_with, view_of

POSTS = "post_opposition"


def under(society, rescore):
    run = run_with(society, view_of(society, {"approved": np.zeros(len(society))}))
    return replace(run, rescore=rescore, threshold=600)


def test_a_rule_that_punishes_posts_silences_and_one_that_reads_none_does_not():
    society = make_society(400, seed=3)
    posts = society.features[POSTS].to_numpy()
    low = float(np.nanquantile(posts, 0.1))

    def punished(people):
        return (600 - 10 * np.minimum(people.features[POSTS].to_numpy(), 10)).astype(np.int16)

    (chill,) = chilling(society, under(society, punished), [POSTS])
    gains = punished(society) < 600 - int(10 * low)
    assert chill.adapt == gains.mean() > 0.1
    assert chill.after < chill.before
    assert chill.admitted == (1.0 if low == 0 else 0.0)
    (calm,) = chilling(society, under(society, lambda people: np.full(len(people), 500, np.int16)), [POSTS])
    assert (calm.adapt, calm.gain, calm.admitted, calm.after) == (0.0, 0.0, 0.0, calm.before)
