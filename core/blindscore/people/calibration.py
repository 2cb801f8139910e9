"""Measure on a society what the published figures of :data:`blindscore.people.facts.FACTS` say.

Every AUC is out of sample: one half of the people trains a logistic regression, the other half is scored.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.people.friends import Edges
from blindscore.people.latents import Floats
from blindscore.people.society import Society
from blindscore.people.variables import AGE, CONDUCT_NAMES, SEX

TRAIT_AUCS = ("party", "ethnicity", "religion", "smoker", "drinker", "single", "drugs")
UNICITY_SAMPLE = 2_000


def columns(features: pd.DataFrame) -> Floats:
    """Feature columns as a learner takes them: categories one-hot, counts as logarithms, gaps as their own column."""
    out: list[Floats] = []
    for name in features:
        column = features[name]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            out.extend((column == word).to_numpy(np.float64) for word in sorted(column.unique())[1:])
            continue
        values = column.to_numpy(np.float64)
        gap = np.isnan(values)
        if gap.all():
            continue
        if gap.any():
            out.append(gap.astype(np.float64))
            values = np.where(gap, np.nanmedian(values), values)
        out.append(np.log1p(values) if values.max() > 1 else values)
    return np.column_stack(out)


def held_out_score(features: pd.DataFrame, target: NDArray[np.bool_], train: NDArray[np.bool_]) -> Floats:
    """Log-odds of the target for everybody, from a logistic regression fitted on `train`; shape (n,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = columns(features)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000))
    return np.asarray(model.fit(x[train], target[train]).decision_function(x), np.float64)


def auc(features: pd.DataFrame, target: NDArray[np.bool_]) -> float:
    """Out-of-sample AUC of predicting the target, each half of the people scored by the other half's model."""
    from sklearn.metrics import roc_auc_score

    half = np.arange(len(target)) % 2 == 0
    areas = [roc_auc_score(target[~train], held_out_score(features, target, train)[~train]) for train in (half, ~half)]
    return float(np.mean(areas))


def bureau_risk(society: Society) -> tuple[NDArray[np.bool_], Floats]:
    """Who has a financial history, (n,), and the out-of-sample log-odds of default of those who have, (k,)."""
    known = society.features["arrears_months"].notna().to_numpy()
    people, default = society.features[known].reset_index(drop=True), society.default[known]
    bureau = people[society.schema.names(contexts=("financial",))]
    half = np.arange(len(default)) % 2 == 0
    risk = np.empty(len(default))
    for train in (half, ~half):
        risk[~train] = held_out_score(bureau, default, train)[~train]
    return known, risk


def default_figures(society: Society) -> dict[str, float]:
    """AUCs of default and default rates by fifth and by device, among people who have a financial history."""
    known = society.features["arrears_months"].notna().to_numpy()
    people, default = society.features[known].reset_index(drop=True), society.default[known]
    bureau = people[society.schema.names(contexts=("financial",))]
    footprint = people[society.schema.names(contexts=("device",))]
    out = {
        "auc_bureau": auc(bureau, default),
        "auc_footprint": auc(footprint, default),
        "auc_both": auc(pd.concat([bureau, footprint], axis=1), default),
    }
    risk = bureau_risk(society)[1]
    fifth = np.argsort(np.argsort(-risk)) * 5 // len(risk)
    mean = float(default.mean())
    for k in range(5):
        out[f"quintile_{k + 1}"] = float(default[fifth == k].mean()) / mean
    for name, column, word in (
        ("desktop", "device_type", "desktop"),
        ("tablet", "device_type", "tablet"),
        ("mobile", "device_type", "mobile"),
        ("ios", "operating_system", "iOS"),
        ("android", "operating_system", "Android"),
        ("t_online", "email_host", "t-online"),
        ("hotmail", "email_host", "hotmail"),
        ("yahoo", "email_host", "yahoo"),
        ("typo", "email_typo", 1.0),
    ):
        chosen = (people[column] == word).to_numpy()
        out[name] = float(default[chosen].mean()) / mean
        if column == "device_type":
            out[f"share_{name}"] = float(chosen.mean())
    return out


def trait_figures(society: Society) -> dict[str, float]:
    """AUCs of each trait from baskets, browsing and posts."""
    doings = society.features[list(CONDUCT_NAMES)]
    female = (society.register["sex"] == "female").to_numpy()
    gay = society.traits["orientation"].to_numpy() == 1
    out = {f"auc_{name}": auc(doings, society.traits[name].to_numpy() > 0) for name in TRAIT_AUCS}
    out["auc_sex"] = auc(doings, female)
    out["auc_gay_men"] = auc(doings[~female].reset_index(drop=True), gay[~female])
    out["auc_gay_women"] = auc(doings[female].reset_index(drop=True), gay[female])
    return out


def pregnant_share(society: Society) -> float:
    """Share of women of 18 to 42 who are pregnant."""
    fertile = (society.roots[:, SEX] == 1) & (society.roots[:, AGE] < 43)
    return float(society.traits["pregnant"].to_numpy()[fertile].mean())


def unicity(visits: pd.DataFrame, points: int = 4, sample: int = UNICITY_SAMPLE, seed: int = 1) -> float:
    """Share of people whom `points` of their sightings, drawn at random, single out (de Montjoye et al. 2013)."""
    code = visits["hour"].to_numpy(np.int64) * (int(visits["place"].max()) + 1) + visits["place"].to_numpy(np.int64)
    person = visits["person"].to_numpy()
    order = np.argsort(code, kind="stable")
    sorted_code, sorted_person = code[order], person[order]
    first = np.searchsorted(person, np.arange(person.max() + 2))  # rows of one person stand together
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(int(person.max()) + 1)[:sample]
    alone = 0
    for i in chosen:
        others: NDArray[np.int32] | None = None
        for wanted in rng.choice(code[first[i] : first[i + 1]], points, replace=False):
            low, high = np.searchsorted(sorted_code, [wanted, wanted + 1])
            there = sorted_person[low:high]
            others = there if others is None else np.intersect1d(others, there)
        alone += others is not None and len(others) == 1
    return alone / len(chosen)


def found_again(society: Society, sample: int = UNICITY_SAMPLE) -> float:
    """Share of people whom last month's records of everybody find by this month's conduct: the nearest is the same.

    Columns count by how steady they are: each is divided by the spread of its change over a month.
    """
    now, then = (columns(made.features[list(CONDUCT_NAMES)]) for made in (society.later(), society))
    steady = (now - then).std(axis=0)
    now, then = (now / steady).astype(np.float32), (then / steady).astype(np.float32)
    lengths = (then**2).sum(axis=1)
    hits = 0
    for start in range(0, min(sample, len(now)), 200):  # in blocks, to bound memory
        block = now[start : min(start + 200, sample)]
        nearest = np.argmin(lengths - 2.0 * block @ then.T, axis=1)
        hits += int((nearest == np.arange(start, start + len(block))).sum())
    return hits / min(sample, len(now))


def graph_figures(edges: Edges, n: int) -> dict[str, float]:
    """Degrees, clustering, and components of a friendship graph of n people."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([edges, edges[:, ::-1]])
    graph = sparse.csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    degree = np.diff(graph.indptr)
    triangles = np.asarray(graph.multiply(graph @ graph).sum(axis=1)).ravel() / 2
    local = triangles / np.maximum(degree * (degree - 1) / 2, 1)
    median = np.median(degree)
    typical = (degree >= 0.8 * median) & (degree <= 1.2 * median)
    friends_median = pd.Series(degree[graph.indices]).groupby(np.repeat(np.arange(n), degree)).median()
    parts = connected_components(graph, directed=False)[1]
    return {
        "clustering": float(local[typical].mean()),
        "fewer_friends": float((degree[friends_median.index] < friends_median.to_numpy()).mean()),
        "connected": float(np.bincount(parts).max() / n),
        "median_degree": float(median / degree.mean()),
    }


def reached(society: Society) -> dict[str, float]:
    """Every figure of :data:`blindscore.people.facts.FACTS` as this society has it, by name."""
    assert society.friends is not None  # a society always has both
    assert society.visits is not None
    return {
        **default_figures(society),
        **trait_figures(society),
        **graph_figures(society.friends, len(society)),
        "pregnant": pregnant_share(society),
        "four_points": unicity(society.visits),
        "found_again": found_again(society),
    }


def conduct_gains(society: Society) -> dict[str, float]:
    """What conduct adds to the AUC of default, with a full file and with what a thin file holds, on the same people.

    Thin files are too few for a steady figure, so the history of those who have one is hidden instead.
    """
    known = society.features["arrears_months"].notna().to_numpy()
    rows, default = society.features[known].reset_index(drop=True), society.default[known]
    held = {"full": society.schema.names(contexts=("financial",)), "thin": ["income", "rent_to_income"]}
    return {name: auc(rows[[*file, *CONDUCT_NAMES]], default) - auc(rows[file], default) for name, file in held.items()}
