"""What differential privacy costs a scorecard: AUC given up against ordinary logistic regression, beside peers.

``python benchmarks/bench_private_model.py [--json] [--files ...] [--peers ...] [--repeats N]`` needs the public credit
files; those that are not at hand are null. Five fixed splits (5-fold, stratified); a gap is the AUC of logistic
regression without noise, on the same split, less the model's: negative = the private model is better. Peers get what
favours them (the diffprivlib peer reads ranges and norms off the data without paying for it, and its penalty was
chosen on Taiwan; DP Newton, AIM and banded factorisation are charged by as good an
accounting as ours). diffprivlib needs an environment of its
own: name its Python in DIFFPRIVLIB_PYTHON. ``pytest benchmarks/bench_private_model.py --benchmark-only`` times the fit.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from blindscore_crypto.private_model.audit import audit_gradient
from blindscore_crypto.private_model.domains import Category, Domains, Number
from blindscore_crypto.private_model.estimator import PrivateScorecard
from blindscore_crypto.private_model.methods import AUTO, METHODS
from blindscore_crypto.private_model.noise import discrete_gaussian

sys.path.insert(0, str(Path(__file__).parent))
FILES, mapped = (getattr(importlib.import_module("private_model_files"), name) for name in ("FILES", "mapped"))
PEERS = importlib.import_module("private_model_peers")
AIM = importlib.import_module("private_model_aim")
BANDED = importlib.import_module("private_model_banded")

EPSILONS = (0.5, 1.0, 2.0, 4.0)
DELTA = 1e-5
SEED = 20  # of the splits; drawn for the comparison after the method was frozen, and used for nothing before


def score_ours(method):
    def score(file, people, train, test, bad, epsilon):
        model = PrivateScorecard(epsilon, DELTA, method, file.domains).fit(people.iloc[train], bad[train])
        return model.decision_function(people.iloc[test])

    return score


def score_dp_ebm(file, people, train, test, bad, epsilon):
    """DP-EBM on amounts in log, with bounds declared a factor of two beyond the outermost declared edges."""
    from interpret.privacy import DPExplainableBoostingClassifier

    table, types, bounds = pd.DataFrame(index=people.index), [], {}
    for name, domain in file.domains.features:
        if isinstance(domain, Category):
            table[name] = people[name].astype(object).where(people[name].notna(), "missing")
            types.append("nominal")
            continue
        low, high = min(0.0, 2 * domain.edges[0]), 2 * domain.edges[-1]
        values = people[name].astype(float).fillna(0).clip(low, high)  # it takes no missing numbers
        if high >= 1_000:
            values, low, high = np.sign(values) * np.log1p(values.abs()), np.sign(low) * np.log1p(-low), np.log1p(high)
        table[name] = values
        types.append("continuous")
        bounds[name] = (low, high)
    model = DPExplainableBoostingClassifier(
        feature_types=types, epsilon=epsilon, delta=DELTA, privacy_bounds=bounds, n_jobs=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table.iloc[train], bad[train])
        return model.predict_proba(table.iloc[test])[:, 1]


DIFFPRIVLIB = """
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from diffprivlib.models import LogisticRegression
data = np.load(sys.argv[1])
low, high = data["x"].min(axis=0), data["x"].max(axis=0)
span = np.where(high > low, high - low, 1)
middle = data["x"].mean(axis=0)
x, t = (data["x"] - middle) / span, (data["t"] - middle) / span
norm = float(np.median(np.linalg.norm(x, axis=1)))
model = LogisticRegression(epsilon=float(sys.argv[2]), data_norm=norm, C=0.01, max_iter=500).fit(x, data["y"])
np.save(sys.argv[3], t @ model.coef_[0])
"""


def score_diffprivlib(file, people, train, test, bad, epsilon):
    import tempfile

    table = mapped(people, file.domains)
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npy"
        np.savez(given, x=table[train], y=bad[train], t=table[test])
        command = [os.environ["DIFFPRIVLIB_PYTHON"], "-c", DIFFPRIVLIB, str(given), str(epsilon), str(found)]
        subprocess.run(command, check=True)
        return np.load(found)


def score_dp_newton(file, people, train, test, bad, epsilon):
    x, y = PEERS.one_hot(people, file.domains), np.where(bad, 1.0, -1.0)
    return x[test] @ PEERS.dp_newton(x[train], y[train], epsilon, DELTA, np.random.default_rng())


def score_aim(file, people, train, test, bad, epsilon):
    bins, sizes = PEERS.declared_bins(people, file.domains)
    weights = AIM.aim_regression(bins[train], sizes, bad[train], epsilon, DELTA, np.random.default_rng())
    return weights[bins[test] + np.concatenate([[0], np.cumsum(sizes)[:-1]])].sum(axis=1)


def score_banded(file, people, train, test, bad, epsilon):
    x = PEERS.one_hot(people, file.domains)
    return x[test] @ BANDED.banded_descent(x[train], bad[train], epsilon, DELTA, np.random.default_rng())


MODELS = {
    "ours": score_ours("auto"),
    **{method: score_ours(method) for method in METHODS if method != AUTO},
    "dp_ebm": score_dp_ebm,
    "diffprivlib": score_diffprivlib,
    "dp_newton": score_dp_newton,
    "aim": score_aim,
    "banded": score_banded,
}


def gaps(file, model, repeats, seed=SEED):
    """Mean gap, its standard error over splits, and median seconds of a fit with its scoring, by epsilon."""
    loaded = file.load()
    if loaded is None:
        return None
    people, bad = loaded
    people, table = file.domains.restrict(people), mapped(people, file.domains)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(table, bad))
    clear = []
    for train, test in folds:
        fitted = LogisticRegression(C=1.0, max_iter=3000).fit(table[train], bad[train])
        clear.append(roc_auc_score(bad[test], fitted.decision_function(table[test])))
    out = {"clear_auc": round(float(np.mean(clear)), 4)}
    for epsilon in EPSILONS:
        found, seconds = [], []
        for _ in range(repeats):
            for (train, test), best in zip(folds, clear, strict=True):
                start = time.perf_counter()
                risk = MODELS[model](file, people, train, test, bad, epsilon)
                seconds.append(time.perf_counter() - start)
                found.append(best - roc_auc_score(bad[test], risk))
        out[f"gap_eps_{epsilon:g}"] = round(float(np.mean(found)), 5)
        out[f"error_eps_{epsilon:g}"] = round(float(np.std(found) / np.sqrt(len(found))), 5)
        out[f"seconds_eps_{epsilon:g}"] = round(float(np.median(seconds)), 3)
    return out


def report(files, peers, repeats, audit_runs, seed):
    """All figures, by file and model."""
    out = {}
    for name in files:
        out[name] = {}
        for model in peers:
            if model == "diffprivlib" and "DIFFPRIVLIB_PYTHON" not in os.environ:
                out[name][model] = None
                out[name][f"{model}_reason"] = "needs an environment of its own; name its Python in DIFFPRIVLIB_PYTHON"
            else:
                out[name][model] = gaps(FILES[name], model, repeats if model == "ours" else 1, seed)
    if not audit_runs:
        return out
    out["fit_s"] = fit_seconds()
    out["noise_over_opendp"] = noise_over_opendp()
    found = audit_gradient(4.0, DELTA, runs=audit_runs)
    out["audit_ratio"] = round(found.mu_low / found.mu_claimed, 3)
    return out


def make_people(n=10_000, d=20, seed=1):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, d))
    people = pd.DataFrame(latent, columns=[f"x{j}" for j in range(d)])
    return people, rng.random(n) < 1 / (1 + np.exp(2 - 0.4 * latent.sum(axis=1) / np.sqrt(d)))


EDGES = tuple(float(edge) for edge in np.linspace(-1.5, 1.5, 7))


def fit_seconds():
    """Median seconds of one default fit, 24,000 people and 23 features of 9 bins, after compilation."""
    people, bad = make_people(24_000, 23)
    model = PrivateScorecard(1.0, domains=Domains.declared({name: Number(edges=EDGES) for name in people}))
    model.fit(people, bad)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        model.fit(people, bad)
        seconds.append(time.perf_counter() - start)
    return round(float(np.median(seconds)), 4)


def noise_over_opendp(size=3000):
    """How many times faster a draw of our discrete Gaussian is than OpenDP's, both in vectors, side by side."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    theirs = dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float), scale=100.0)
    zeros = [0] * size
    discrete_gaussian(100.0, 10)
    ratios = []
    for _ in range(5):
        start = time.perf_counter()
        theirs(zeros)
        middle = time.perf_counter()
        discrete_gaussian(100.0, size)
        ratios.append((middle - start) / (time.perf_counter() - middle))
    return round(float(np.median(ratios)), 1)


@pytest.mark.parametrize("method", METHODS)
def test_fit(benchmark, method):
    people, bad = make_people()
    domains = Domains.declared({name: Number(edges=EDGES) for name in people})
    model = PrivateScorecard(4.0, method=method, domains=domains).fit(people, bad)
    assert roc_auc_score(bad, model.decision_function(people)) > 0.55
    benchmark.extra_info["people"], benchmark.extra_info["features"] = people.shape
    benchmark.pedantic(model.fit, (people, bad), rounds=3)


def test_noise(benchmark):
    draws, sigma = discrete_gaussian(100.0, 20_000)
    assert abs(draws.std() / sigma - 1) < 0.05
    benchmark(discrete_gaussian, 100.0, 20_000)


def draw(found, files, models, path):
    """Budget curves, one panel a file: AUC against epsilon with 95% intervals over splits and fits."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    wide = min(4, len(files))
    high = -(-len(files) // wide)
    figure, axes = plt.subplots(high, wide, figsize=(3.4 * wide, 3.2 * high), squeeze=False, layout="constrained")
    for axis in axes.flat[len(files) :]:
        axis.remove()
    for axis, name in zip(axes.flat, files, strict=False):
        rows = {model: found[name][model] for model in models if found[name][model]}
        for shift, (model, row) in enumerate(rows.items()):
            auc = [row["clear_auc"] - row[f"gap_eps_{e:g}"] for e in EPSILONS]
            error = [1.96 * row[f"error_eps_{e:g}"] for e in EPSILONS]
            axis.errorbar(
                np.array(EPSILONS) * 1.04**shift, auc, error, marker="o", ms=3, lw=1.2, capsize=2, label=model
            )
        if rows:
            axis.axhline(next(iter(rows.values()))["clear_auc"], color="grey", ls=":", lw=1, label="no noise")
        axis.set(xscale="log", xticks=EPSILONS, xticklabels=EPSILONS, xlabel="epsilon", title=name)
        axis.minorticks_off()
    figure.supylabel("AUC on held-out people", fontsize=9)
    axes[0][0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--files", nargs="*", choices=FILES, default=[n for n, f in FILES.items() if not f.development])
    parser.add_argument("--peers", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=3, help="fits of ours on every split")
    parser.add_argument("--seed", type=int, default=SEED, help="of the splits")
    parser.add_argument(
        "--audit-runs", type=int, default=4000, help="runs with and without the canary; 0 = no audit, no timings"
    )
    parser.add_argument("--picture", help="write the budget curves to this PNG")
    arguments = parser.parse_args()
    found = report(arguments.files, arguments.peers, arguments.repeats, arguments.audit_runs, arguments.seed)
    if arguments.picture:
        draw(found, arguments.files, arguments.peers, arguments.picture)
    if arguments.json:
        print(json.dumps(found))
        return
    for name in arguments.files:
        for model in arguments.peers:
            row = found[name][model]
            cells = "not here" if row is None else "  ".join(f"{row[f'gap_eps_{e:g}']:+.4f}" for e in EPSILONS)
            print(f"{name:14s} {model:12s} {cells}")
    print({key: value for key, value in found.items() if key not in arguments.files})


if __name__ == "__main__":
    main()
