"""What is worked out by a shorter way is the same number: normal scores by value, records' cells in two forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import rankdata

from blindscore.surveillance.attacks.naming import CHUNK, Naming, _packed
from blindscore.surveillance.inference.evidence import normal_scores


@pytest.mark.parametrize("kind", ["numbers", "ties", "indicator", "one value", "missing"])
def test_scores_by_value_are_those_of_everybodys_ranks(kind):
    rng = np.random.default_rng(3)
    column = {
        "numbers": rng.normal(size=501),
        "ties": rng.integers(0, 9, 501).astype(float),
        "indicator": (rng.random(501) < 0.1).astype(float),
        "one value": np.ones(501),
        "missing": np.where(rng.random(501) < 0.3, -np.inf, rng.normal(size=501)),
    }[kind]
    assert (normal_scores(column) == ndtri(rankdata(column) / 502.0)).all()


def test_records_with_few_and_with_many_cells_that_fit_are_hit_alike():
    rng = np.random.default_rng(4)
    people, cells = CHUNK + 40, 37
    own = rng.integers(0, cells, people)
    tied = np.concatenate([rng.random((CHUNK, cells)) < 0.9, np.arange(cells) == rng.integers(0, cells, (40, 1))])
    tied[: CHUNK // 2, 0] = True
    among = np.maximum(tied.sum(axis=1), 1)
    fits = tuple(_packed(part) for part in (tied[:CHUNK], tied[CHUNK:]))
    wide = tuple(_packed(np.pad(part, ((0, 0), (0, 4000)))) for part in (tied[:CHUNK], tied[CHUNK:]))
    assert [part.dtype for part in fits] == [np.uint8, np.uint8]
    assert wide[1].dtype == np.int32
    expected = tied[np.arange(people), own] / among
    for form in (fits, wide):
        assert (Naming(form, own, among).hits(np.arange(people)) == expected).all()
