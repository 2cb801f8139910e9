"""Measure how groups of a society differ in money, place and friends: what DISPARITIES says, and what is told by it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.people.calibration import auc, bureau_risk
from blindscore.people.society import Society
from blindscore.people.variables import AGE, AREA, GROUP, SEX

REFUSED = 0.25  # share refused by the one-bit view


def gini(income: NDArray[np.float64]) -> float:
    """Gini coefficient: half the mean absolute difference over the mean."""
    n = income.size
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(income) / (n * income.sum()))


def dissimilarity(area: NDArray[np.int64], one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Share of one group that would have to move for both to be spread alike (Duncan and Duncan, 1955)."""
    if not (one.any() and other.any()):
        return math.nan
    shares = [np.bincount(area[who], minlength=int(area.max()) + 1) / who.sum() for who in (one, other)]
    return float(0.5 * np.abs(shares[0] - shares[1]).sum())


def percentiles(society: Society) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Who has a financial history, (n,), and the percentile of their score, 0 to 100, 100 = safest."""
    known, risk = bureau_risk(society)
    return known, 100 * (np.argsort(np.argsort(-risk)) + 0.5) / risk.size


def disparity_figures(society: Society) -> dict[str, float]:
    """Every figure of :data:`blindscore.people.facts.DISPARITIES` as this society has it, by name."""
    group = society.roots[:, GROUP]
    return {
        **_score_gaps(society, group),
        **_pay(society, group),
        **_smoking(society),
        **_places_and_friends(society, group),
    }


def one_bit_gaps(society: Society) -> dict[str, float]:
    """Difference of approval between groups when the worst quarter by score is refused: what one bit tells."""
    known, score = percentiles(society)
    approved = score > 100 * REFUSED
    groups = {
        "group one": _pair(society.roots[known, GROUP], 0, 1),
        "group two": _pair(society.roots[known, GROUP], 0, 2),
        "single people": _pair(society.traits["single"].to_numpy()[known], 0, 1),
        "women": _pair(society.roots[known, SEX], 0, 1),
    }
    return {
        f"approval of {name}: points under the others'": float(approved[first].mean() - approved[second].mean())
        for name, (first, second) in groups.items()
        if first.any() and second.any()
    }


def told_by_money(society: Society) -> dict[str, float]:
    """AUC of each trait, and of sex, from the ten financial features alone."""
    money = society.features[society.schema.names(contexts=("financial",))]
    targets = {name: society.traits[name].to_numpy() > 0 for name in society.traits}
    targets["sex"] = society.roots[:, SEX] == 1
    return {f"AUC of {name} from the financial features": auc(money, target) for name, target in targets.items()}


def _pair(values: NDArray[np.float64], one: int, other: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return values == one, values == other


def _mean(values: NDArray[np.float64], who: NDArray[np.bool_]) -> float:
    """Mean over some people; NaN where there are none (the independent society has no group two)."""
    return float(values[who].mean()) if who.any() else math.nan


def _score_gaps(society: Society, group: NDArray[np.float64]) -> dict[str, float]:
    known, score = percentiles(society)
    kin, single, woman = group[known], society.traits["single"].to_numpy()[known] == 1, society.roots[known, SEX] == 1
    return {
        "gap_one": _mean(score, kin == 0) - _mean(score, kin == 1),
        "gap_two": _mean(score, kin == 0) - _mean(score, kin == 2),
        "gap_single": float(score[~single].mean() - score[single].mean()),
        "gap_women": float(score[woman].mean() - score[~woman].mean()),
    }


def _pay(society: Society, group: NDArray[np.float64]) -> dict[str, float]:
    income = society.features["income"].to_numpy(np.float64)
    age, woman = society.roots[:, AGE], society.roots[:, SEX] == 1
    gay = society.traits["orientation"].to_numpy() == 1

    def over(who: NDArray[np.bool_], base: NDArray[np.bool_]) -> float:
        return float(np.median(income[who]) / np.median(income[base])) if who.any() else math.nan

    grown = (age >= 45) & (age < 55)
    return {
        "gini": gini(income),
        "pay_women": over(woman, ~woman),
        "pay_one": over(group == 1, group == 0),
        "pay_two": over(group == 2, group == 0),
        "pay_young": over(age < 25, grown),
        "pay_old": over(age >= 65, grown),
        "poor_lgb": float((income[gay] < np.quantile(income[~gay], 0.157)).mean()),
    }


def _smoking(society: Society) -> dict[str, float]:
    smoker, age = society.traits["smoker"].to_numpy(), society.roots[:, AGE]
    income = society.features["income"].to_numpy(np.float64)
    poor, rich = np.quantile(income, [1 / 4, 2 / 3])
    chosen = {
        "smoke": np.ones(len(society), np.bool_),
        "smoke_poor": income < poor,
        "smoke_rich": income > rich,
        "smoke_18": age < 25,
        "smoke_25": (age >= 25) & (age < 45),
        "smoke_45": (age >= 45) & (age < 65),
        "smoke_65": age >= 65,
    }
    return {name: float(smoker[who].mean()) for name, who in chosen.items()}


def _places_and_friends(society: Society, group: NDArray[np.float64]) -> dict[str, float]:
    assert society.friends is not None  # a society always has a graph
    area, party = society.roots[:, AREA].astype(np.int64), society.traits["party"].to_numpy()
    ends = group[society.friends]

    def own(k: int) -> float:
        here = ends == k
        return float(2 * here.all(axis=1).sum() / here.sum()) if here.any() else math.nan

    def log_odds(k: int) -> float:
        share = _mean(party, group == k)
        return math.log(share / (1 - share))

    return {
        "apart_one": dissimilarity(area, group == 0, group == 1),
        "apart_two": dissimilarity(area, group == 0, group == 2),
        "own_majority": own(0),
        "own_one": own(1),
        "own_two": own(2),
        "party_one": log_odds(1) - log_odds(0),
        "party_two": log_odds(2) - log_odds(0),
    }


def sex_assortativity(society: Society) -> float:
    """Correlation of the sexes at the two ends of a tie."""
    assert society.friends is not None
    ends = society.roots[society.friends, SEX]
    both = np.concatenate([ends, ends[:, ::-1]])
    return float(np.corrcoef(both[:, 0], both[:, 1])[0, 1])
