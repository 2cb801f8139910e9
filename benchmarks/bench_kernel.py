"""How fast the scorecard kernel is: rows a second over the fastest peer, and bytes a second over plain reading.

``python benchmarks/bench_kernel.py [--json] [--rows N] [--repeats N]`` measures everything in one run; peers run in
processes of their own, because some of them fix their number of threads when they are imported.
``pytest benchmarks/bench_kernel.py --benchmark-only`` times the public calls alone.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from blindscore.kernel_cache import njit
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.kernel.kernels import score_columns, score_rows, steps_of
from blindscore.scorecard.scorecard import Scorecard

FEATURES, MISSING = 20, 0.02
PEERS = ("polars", "duckdb", "numpy", "optbinning", "ebm", "toad")  # one that is not installed is reported as null
SLOW_PEERS = ("optbinning", "ebm", "toad")  # these train cards of their own, and score fewer people
PEER_EDGES = 15


def sample_card(n_edges, seed=0):
    """A card of FEATURES numbers with `n_edges` edges each."""
    rng = np.random.default_rng(seed)
    return Card(
        tuple(
            Characteristic(
                f"x{j}",
                points=tuple(int(p) for p in rng.integers(-30, 31, n_edges + 2)),
                edges=tuple(
                    float(np.float32(e)) for e in np.sort(rng.normal(size=n_edges)) + np.arange(n_edges) * 1e-3
                ),
            )
            for j in range(FEATURES)
        ),
        base=600,
    )


def sample_people(rows, seed=1):
    """(FEATURES, rows) float32, feature-major, with a share of MISSING values."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((FEATURES, rows), dtype=np.float32)
    table[rng.random((FEATURES, rows)) < MISSING] = np.nan
    return table


def least_seconds(call, repeats):
    """Least time of one call; the first call is not counted."""
    call()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


@njit(cache=True)
def read_all(words, lanes):
    """Add up every word: the least work that still reads all bytes."""
    for i in range(0, words.size - words.size % lanes.size, lanes.size):
        for k in range(lanes.size):
            lanes[k] += words[i + k]
    return lanes.sum()


@njit(cache=True)
def read_simply(words):
    total = np.uint64(0)
    for i in range(words.size):
        total += words[i]
    return total


# ---- peers: each returns (call, scores) for the same card and people ----


def peer_polars(card, people):
    import polars as pl

    frame = pl.DataFrame(dict(zip(card.features, people, strict=True))).fill_nan(None)
    expression = pl.lit(card.base, pl.Int32)
    for c in card.characteristics:
        x = pl.col(c.feature)
        chain = pl.when(x.is_null()).then(pl.lit(c.points[-1], pl.Int32))
        for edge, points in zip(c.edges, c.points, strict=False):
            chain = chain.when(x < edge).then(pl.lit(points, pl.Int32))
        expression = expression + chain.otherwise(pl.lit(c.points[-2], pl.Int32))
    score = expression.clip(card.scale.low, card.scale.high).cast(pl.Int16)
    return lambda: frame.select(score.alias("score"))["score"].to_numpy()


def peer_duckdb(card, people):
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    connection.execute(f"SET threads = {os.environ['BENCH_THREADS']}")
    table = pa.table({name: pa.array(c, from_pandas=True) for name, c in zip(card.features, people, strict=True)})
    connection.register("arrow_people", table)
    connection.execute("CREATE TABLE people AS SELECT * FROM arrow_people")
    sums = [str(card.base)]
    for c in card.characteristics:
        whens = " ".join(
            f"WHEN {c.feature} < CAST({e!r} AS FLOAT) THEN {p}" for e, p in zip(c.edges, c.points, strict=False)
        )
        sums.append(f"CASE WHEN {c.feature} IS NULL THEN {c.points[-1]} {whens} ELSE {c.points[-2]} END")
    low, high = card.scale.low, card.scale.high
    query = f"SELECT CAST(GREATEST({low}, LEAST({high}, {' + '.join(sums)})) AS SMALLINT) AS score FROM people"
    return lambda: connection.execute(query).fetchnumpy()["score"]


def peer_numpy(card, people):
    edges = [np.array(c.edges, np.float32) for c in card.characteristics]
    points = [np.array(c.points, np.int32) for c in card.characteristics]

    def call():
        total = np.full(people.shape[1], card.base, np.int32)
        for column, e, p in zip(people, edges, points, strict=True):
            bins = np.searchsorted(e, column, side="right")
            bins[np.isnan(column)] = len(p) - 1
            total += p[bins]
        return np.clip(total, card.scale.low, card.scale.high).astype(np.int16)

    return call


def _training(card, people, rows=20_000):
    """A small problem for peers that bring their own training; only their speed of scoring is used."""
    frame = pd.DataFrame(people[:, :rows].T, columns=card.features)
    risk = frame.fillna(0).to_numpy().sum(axis=1) / 5
    return frame, np.random.default_rng(2).random(len(frame)) < 1 / (1 + np.exp(1 - risk))


def peer_optbinning(card, people):
    from optbinning import BinningProcess
    from optbinning import Scorecard as Peer
    from sklearn.linear_model import LogisticRegression

    frame, bad = _training(card, people)
    peer = Peer(BinningProcess(card.features, max_n_bins=PEER_EDGES + 1), LogisticRegression())
    peer.fit(frame, bad)
    everybody = pd.DataFrame(people.T, columns=card.features)
    return lambda: peer.score(everybody)


def peer_ebm(card, people):
    from interpret.glassbox import ExplainableBoostingClassifier

    frame, bad = _training(card, people)
    peer = ExplainableBoostingClassifier(interactions=0, max_bins=PEER_EDGES + 2, outer_bags=1, n_jobs=1, max_rounds=50)
    peer.fit(frame, bad)
    everybody = pd.DataFrame(people.T, columns=card.features)
    return lambda: peer.predict_proba(everybody)


def peer_toad(card, people):
    import toad

    frame, bad = _training(card, people)
    frame = frame.assign(bad=bad.astype(int))
    combiner = toad.transform.Combiner()
    combiner.fit(frame, "bad", method="quantile", n_bins=PEER_EDGES + 1)
    transformer = toad.transform.WOETransformer()
    coded = transformer.fit_transform(combiner.transform(frame), frame["bad"], exclude=["bad"])
    peer = toad.ScoreCard(combiner=combiner, transer=transformer)
    peer.fit(coded[card.features], frame["bad"])
    everybody = pd.DataFrame(people.T, columns=card.features)
    return lambda: peer.predict(everybody)


def run_peer(name, rows, repeats):
    """Rows a second of one peer, in this process; exact peers must first agree with the card."""
    import warnings

    warnings.simplefilter("ignore")
    slow = name in SLOW_PEERS
    rows, repeats = (min(rows, 100_000), 2) if slow else (min(rows, 250_000), repeats)
    card, people = sample_card(PEER_EDGES), sample_people(rows)
    call = globals()[f"peer_{name}"](card, people)
    if not slow:
        np.testing.assert_array_equal(call(), score_columns(steps_of(card), list(people)))
    return rows / least_seconds(call, repeats)


def measure_peer(name, threads, rows, repeats):
    """Run one peer in a process with `threads` threads; (rows a second or None, reason)."""
    settings = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "BENCH_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(settings, str(threads))}
    command = [sys.executable, __file__, "--peer", name, "--rows", str(rows), "--repeats", str(repeats)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["failed"])[-1][:200]
    return float(done.stdout.strip().splitlines()[-1]), None


# ---- ours ----


def measure_ours(rows, repeats):
    """Named figures of our own kernel: rows a second and shares of the reading floor."""
    figures = {"rows": rows, "features": FEATURES, "repeats": repeats}
    people = sample_people(rows)
    by_row = np.ascontiguousarray(people.T)
    words, lanes = people.view(np.uint32).reshape(-1), np.zeros(64, np.uint32)
    floor = min(
        least_seconds(lambda: read_all(words, lanes), repeats),
        least_seconds(lambda: read_simply(people.view(np.uint64).reshape(-1)), repeats),
    )
    figures["bytes_read"] = people.nbytes
    figures["read_gb_per_s_1t"] = people.nbytes / floor / 1e9
    for n_edges in (3, 7, 15):
        card = sample_card(n_edges)
        steps, columns = steps_of(card), list(people)
        few = pd.DataFrame(by_row[:1000], columns=card.features)
        expected = card.scores(card.bins(few))
        np.testing.assert_array_equal(score_columns(steps, [c[:1000] for c in columns]), expected)
        np.testing.assert_array_equal(score_rows(steps, by_row[:1000]), expected)
        for threads in (1, 2):
            seconds = least_seconds(lambda: score_columns(steps, columns, threads=threads), repeats)  # noqa: B023
            figures[f"columns_{n_edges}_edges_{threads}t"] = rows / seconds
            if threads == 1:
                figures[f"read_bandwidth_share_{n_edges}_edges"] = floor / seconds
                figures[f"time_over_floor_{n_edges}_edges"] = seconds / floor
            seconds = least_seconds(lambda: score_rows(steps, by_row, threads=threads), repeats)  # noqa: B023
            figures[f"rows_{n_edges}_edges_{threads}t"] = rows / seconds
    estimator, one = Scorecard.from_card(sample_card(15)), by_row[:1].copy()
    figures["one_person_us"] = least_seconds(lambda: [estimator.score_points(one) for _ in range(1000)], 5) * 1e3
    return figures


def first_call_seconds():
    """Seconds from a finished import to the first score, compiled code cached, in a fresh process."""
    program = (
        "import time, numpy as np\n"
        "from bench_kernel import sample_card, Scorecard\n"
        "e = Scorecard.from_card(sample_card(15)); start = time.perf_counter()\n"
        "e.score_points(np.zeros((1, 20), np.float32)); print(time.perf_counter() - start)\n"
    )
    root = os.path.dirname(os.path.abspath(__file__))
    runs = [subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True) for _ in range(2)]
    return float(runs[-1].stdout)


def measure(rows, repeats):
    figures = measure_ours(rows, repeats)
    figures["first_call_s"] = first_call_seconds()
    reasons, figures["peers"] = {}, {}
    for threads in (1, 2):
        for name in PEERS:
            if name in ("numpy", *SLOW_PEERS) and threads == 2:
                continue  # they use one thread whatever they are given
            rate, reason = measure_peer(name, threads, rows, repeats)
            figures["peers"][f"{name}_{threads}t"] = rate
            if reason:
                reasons[f"{name}_{threads}t"] = reason
    figures["peers_reasons"] = reasons
    rates = figures["peers"]
    for threads in (1, 2):
        best = max(rate for name, rate in rates.items() if rate and (threads == 2 or name.endswith("1t")))
        figures[f"best_peer_rows_per_s_{threads}t"] = best
        for form in ("columns", "rows"):
            figures[f"{form}_over_best_peer_{threads}t"] = figures[f"{form}_{PEER_EDGES}_edges_{threads}t"] / best
    return figures


@pytest.mark.parametrize("n_edges", [3, 7, 15])
def test_columns(benchmark, n_edges):
    card, people = sample_card(n_edges), sample_people(100_000)
    columns = list(people)
    expected = card.scores(card.bins(pd.DataFrame(people.T, columns=card.features)))
    np.testing.assert_array_equal(score_columns(steps_of(card), columns), expected)  # also compiles
    benchmark.extra_info["bytes"] = people.nbytes
    benchmark(score_columns, steps_of(card), columns)


def test_rows(benchmark):
    card, people = sample_card(15), np.ascontiguousarray(sample_people(100_000).T)
    expected = card.scores(card.bins(pd.DataFrame(people, columns=card.features)))
    np.testing.assert_array_equal(score_rows(steps_of(card), people), expected)
    benchmark(score_rows, steps_of(card), people)


def test_one_person(benchmark):
    estimator, one = Scorecard.from_card(sample_card(15)), sample_people(1).T.copy()
    assert estimator.score_points(one).shape == (1,)
    benchmark(estimator.score_points, one)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        print(run_peer(options.peer, options.rows, options.repeats))
        return
    figures = measure(options.rows, options.repeats)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    for name, figure in figures.items():
        print(f"{name:36}", f"{figure:,.3f}" if isinstance(figure, float) else figure)


if __name__ == "__main__":
    main()
