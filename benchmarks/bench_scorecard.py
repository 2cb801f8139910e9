"""How accurate the scorecard is: held-out quality on public credit files, beside its peers, in the same folds.

``python benchmarks/bench_scorecard.py [--json] [--data DIR] [--files ...] [--peers ...] [--seed N]`` prints one row a
file: the mean AUC over five fixed folds of weight of evidence, of the sparse fit (and of its effects before rounding to
whole points), of optbinning's scorecard, of EBM main effects and of LightGBM with a small search, with seconds a fit.
``--noise 700`` adds a category of 700 levels that has nothing to do with the outcome: what a model then loses, it loses
to luck.
``pytest benchmarks/bench_scorecard.py --benchmark-only`` times fitting alone.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from blindscore.scorecard.quality import auc, brier, gini, ks
from blindscore.scorecard.scorecard import Scorecard

DATA = Path(__file__).parents[2] / "shared/data"
# file -> target, value that means bad, columns left out (the lender's own score, or the outcome in other words)
FILES = {
    "taiwan_default": ("default", 1, []),
    "german_credit": ("bad", 1, []),
    "australian_credit": ("approved", 0, []),
    "japanese_credit": ("approved", 0, []),
    "polish_bankruptcy_5y": ("bankrupt", 1, []),
    "lending_club_10k": ("bad", 1, ["sub_grade", "int_rate"]),
    "credit_data_barcelona": ("bad", 1, []),
    "hmda_boston_1990": ("deny", 1, []),
    "adult_income": ("income_gt_50k", 1, []),
}


def read(name, directory=DATA, noise=0, seed=0):
    """(features, bad); text becomes categories whose names are known to every fold; `noise`: levels of a drawn one."""
    target, value, dropped = FILES[name]
    people = pd.read_csv(directory / f"{name}.csv.gz")
    bad = people.pop(target).to_numpy() == value
    people = people.drop(columns=[column for column in dropped if column in people])
    if noise:
        people["noise"] = np.char.add("level ", np.random.default_rng(seed).integers(0, noise, len(people)).astype(str))
    text = people.select_dtypes(exclude="number").columns
    return people.astype(dict.fromkeys(text, "category")), bad


def ours(method):
    def fit(people, bad):
        card = Scorecard(method).fit(people, bad)
        return lambda new: card.predict_proba(new)[:, 1]

    return fit


def ours_unrounded(people, bad):
    """The sparse fit at 10,000 points to the doubling: rounding then costs nothing that could be seen."""
    card = Scorecard(pdo=1000.0, base_score=0.0, low=-32_000, high=32_000).fit(people, bad)
    return lambda new: card.predict_proba(new)[:, 1]


def as_text(people):
    """Categories as plain text, for peers that know no category columns."""
    text = people.select_dtypes("category").columns
    plain = people.copy()
    for column in text:
        plain[column] = people[column].astype(object).where(people[column].notna(), "missing")
    return plain, list(text)


def optbinning(people, bad):
    from optbinning import BinningProcess
    from optbinning import Scorecard as Peer
    from sklearn.linear_model import LogisticRegression

    plain, text = as_text(people)
    process = BinningProcess(list(plain.columns), categorical_variables=text)
    peer = Peer(process, LogisticRegression(max_iter=1000))
    peer.fit(plain, bad.astype(int), metric_missing="empirical")  # its default gives missing values no weight at all
    return lambda new: peer.predict_proba(as_text(new)[0])[:, 1]


def ebm(people, bad):
    from interpret.glassbox import ExplainableBoostingClassifier

    peer = ExplainableBoostingClassifier(interactions=0, n_jobs=1, random_state=0).fit(as_text(people)[0], bad)
    return lambda new: peer.predict_proba(as_text(new)[0])[:, 1]


def lightgbm(people, bad):
    from lightgbm import LGBMClassifier

    base = LGBMClassifier(
        learning_rate=0.04, min_child_samples=30, subsample=0.8, subsample_freq=1, colsample_bytree=0.6,
        verbose=-1, n_jobs=1, random_state=0,
    )  # fmt: skip
    grid = {"n_estimators": [100, 250], "num_leaves": [4, 12]}
    peer = GridSearchCV(base, grid, scoring="roc_auc", cv=3).fit(people, bad)
    return lambda new: peer.predict_proba(new)[:, 1]


MODELS = {
    "woe": ours("woe"),
    "sparse": ours("sparse"),
    "sparse_unrounded": ours_unrounded,
    "optbinning": optbinning,
    "ebm_mains": ebm,
    "lightgbm": lightgbm,
}


def measure(name, models, directory=DATA, seed=7, noise=0):
    """Mean figures of every model over the folds of one file; a peer that fails is null, with the reason."""
    people, bad = read(name, directory, noise, seed)
    row = {"file": name, "people": len(people), "features": people.shape[1]}
    for model in models:
        found = []
        try:
            for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(people, bad):
                start = time.perf_counter()
                predict = MODELS[model](people.iloc[train], bad[train])
                seconds = time.perf_counter() - start
                risk, outcome = predict(people.iloc[test]), bad[test]
                found.append(
                    (auc(outcome, -risk), brier(outcome, risk), ks(outcome, -risk), gini(outcome, -risk), seconds)
                )
        except Exception as error:  # a peer's failure is a finding, not an end
            if model in ("woe", "sparse", "sparse_unrounded"):
                raise
            row[model] = None
            row[f"{model}_reason"] = f"{type(error).__name__}: {error}"[:200]
            continue
        ranked, *others = np.mean(found, axis=0)
        row[model], row[f"{model}_sd"] = ranked, np.std([f[0] for f in found])
        row |= {f"{model}_{what}": value for what, value in zip(("brier", "ks", "gini", "fit_s"), others, strict=True)}
    return row


def summary(rows):
    """Mean differences of the sparse fit to the others, over the files where both were had."""
    figures = {}
    for model in MODELS:
        gaps = [row["sparse"] - row[model] for row in rows if row.get(model) is not None and "sparse" in row]
        if gaps and model != "sparse":
            figures[f"sparse_minus_{model}"] = float(np.mean(gaps))
            figures[f"sparse_minus_{model}_least"] = float(np.min(gaps))
    return figures


@pytest.mark.parametrize("method", ["sparse", "woe"])
def test_fit(benchmark, method):
    if not (DATA / "credit_data_barcelona.csv.gz").exists():
        pytest.skip("the Barcelona file is not here")
    people, bad = read("credit_data_barcelona")
    card = benchmark.pedantic(lambda: Scorecard(method).fit(people, bad), rounds=3, warmup_rounds=1)
    assert auc(bad, card.score_points(people)) > 0.8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the files")
    parser.add_argument("--files", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--peers", nargs="+", choices=MODELS, default=list(MODELS), help="models to measure")
    parser.add_argument("--seed", type=int, default=7, help="of the folds, and of the noise")
    parser.add_argument("--noise", type=int, default=0, help="levels of a category that is pure noise; 0: none")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    if not options.json:
        print("| file | people x features | " + " | ".join(options.peers) + " | sparse fit, s |")
        print("|---" * (len(options.peers) + 3) + "|")
    for name in options.files:
        if not (options.data / f"{name}.csv.gz").exists():
            print(f"{name}: not in {options.data}, left out", file=sys.stderr)
            continue
        row = measure(name, options.peers, options.data, options.seed, options.noise)
        rows.append(row)
        if not options.json:
            cells = ["-" if row[model] is None else f"{row[model]:.4f}" for model in options.peers]
            fit = f"{row['sparse_fit_s']:.2f}" if "sparse" in options.peers else "-"
            print(f"| {name} | {row['people']:,} x {row['features']} | {' | '.join(cells)} | {fit} |", flush=True)
    figures = summary(rows)
    if options.json:
        print(json.dumps({"files": rows, **figures}, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:40} {value:+.4f}")


if __name__ == "__main__":
    main()
