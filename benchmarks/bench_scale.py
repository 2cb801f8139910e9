"""How fast ``score`` goes through files, beside reading them alone, and a Dask cluster beside one process.

``python benchmarks/bench_scale.py [--json] [--rows N] [--parts N]`` prints, for Parquet and CSV with 20 columns that
the card needs and 10 that it does not: people a second read, people a second scored (read, scored and written), and
their ratio; then a folder of Parquet files by this process and by a cluster of this machine that runs already, with
the hashing of every input that resuming needs. Least of ``--times`` times each, in turn. *Reading alone* is pyarrow
going through the same 20 columns in the same batches on one thread, which is what ``score`` uses to read.
``pytest benchmarks/bench_scale.py --benchmark-only`` times scoring alone.
"""

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from blindscore.people.files.blocks import BATCH_BYTES, BATCH_ROWS
from blindscore.people.files.kinds import KINDS
from blindscore.scorecard.card import Card, Characteristic
from blindscore_app.files.people import wanted
from blindscore_app.files.score_file import score_file
from blindscore_app.scale.score import partitions, score_tasks
from blindscore_app.scale.tasks import local, run

NEEDED, OTHERS, EDGES = 20, 10, 15


def make_card():
    rng = np.random.default_rng(1)
    return Card(
        tuple(
            Characteristic(
                f"x{j}",
                tuple(int(p) for p in rng.integers(-20, 20, EDGES + 2)),
                tuple(float(e) for e in np.sort(rng.normal(size=EDGES))),
            )
            for j in range(NEEDED)
        ),
        600,
    )


def make_table(rows, seed=0):
    """float32 to six digits, 2% missing."""
    rng = np.random.default_rng(seed)
    columns = {}
    for j in range(NEEDED + OTHERS):
        values = rng.normal(size=rows).astype(np.float32).round(6)
        columns[f"x{j}"] = pa.array(values, mask=rng.random(rows) < 0.02)
    return pa.table(columns)


def read_parquet(file, columns):
    with parquet.ParquetFile(file) as opened:
        return sum(len(batch) for batch in opened.iter_batches(BATCH_ROWS, columns=columns, use_threads=False))


def read_csv(file, columns):
    """The columns needed, as numbers, without asking the reader to guess their types."""
    types = arrow_csv.ConvertOptions(include_columns=columns, column_types=dict.fromkeys(columns, pa.float64()))
    options = arrow_csv.ReadOptions(use_threads=False, block_size=BATCH_BYTES)
    with arrow_csv.open_csv(file, read_options=options, convert_options=types) as reader:
        return sum(len(batch) for batch in reader)


def least(times, *calls):
    """Least seconds of each call, on the clock and of this process's cores, all of them in turn."""
    best = [(float("inf"), float("inf"))] * len(calls)
    for _ in range(times):
        for k, call in enumerate(calls):
            start, spent = time.perf_counter(), time.process_time()
            call()
            best[k] = min(best[k][0], time.perf_counter() - start), min(best[k][1], time.process_time() - spent)
    return best


def figures(rows, parts, times):
    want, out = wanted(make_card()), {"rows": rows}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_table(rows)
        files = {"parquet": folder / "a.parquet", "csv": folder / "a.csv"}
        parquet.write_table(table, files["parquet"])
        arrow_csv.write_csv(table, files["csv"])
        score_file(files["parquet"], want, folder / "warm", KINDS[".parquet"])
        for kind, read in (("parquet", read_parquet), ("csv", read_csv)):
            (alone, alone_cpu), (scored, scored_cpu), (every, _) = least(
                times,
                partial(read, files[kind], list(want.ask.columns)),
                partial(score_file, files[kind], want, folder / "scores", KINDS[".parquet"]),
                partial(read, files[kind], table.column_names),
            )
            out[f"{kind}_bytes"] = os.path.getsize(files[kind])
            out[f"{kind}_read_people_s"] = round(rows / alone)
            out[f"{kind}_score_people_s"] = round(rows / scored)
            out[f"{kind}_score_over_read"] = round(alone / scored, 3)
            out[f"{kind}_score_over_read_cpu"] = round(alone_cpu / scored_cpu, 3)
            out[f"{kind}_score_over_read_all_columns"] = round(every / scored, 3)
        out |= engines(folder / "parts", table, parts, times, want)
    return out


def engines(folder, table, parts, times, want):
    """A folder of files, from nothing to the last result, without the start of the cluster (given apart)."""
    folder.mkdir()
    for k in range(parts):
        parquet.write_table(table, folder / f"{k:04}.parquet")
    people = parts * len(table)
    fresh = iter(range(10**6))

    def with_engine(engine):
        out = folder.with_name(f"out{next(fresh)}")
        out.mkdir()
        run(score_tasks(*partitions(folder), want, out, ".parquet"), engine, out / "manifest.json", lambda *_: None, "")

    try:
        from blindscore_app.scale.cluster import Cluster, connected, run_on
    except ImportError:
        return {"dask_over_local": None, "dask_why_not": "the extra `scale` is not installed"}
    start = time.perf_counter()
    with connected(Cluster()) as client:
        started = time.perf_counter() - start
        with_engine(lambda tasks: run_on(client, tasks))  # imports and compiled code, in every worker
        (here, _), (there, _) = least(
            times, lambda: with_engine(local), lambda: with_engine(lambda t: run_on(client, t))
        )
        workers = len(client.nthreads())
    return {
        "folder_people": people,
        "local_people_s": round(people / here),
        "dask_people_s": round(people / there),
        "dask_over_local": round(here / there, 3),
        "dask_workers": workers,
        "dask_start_s": round(started, 1),
    }


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_score(benchmark, tmp_path, kind):
    want, table, file = wanted(make_card()), make_table(200_000), tmp_path / f"a.{kind}"
    parquet.write_table(table, file) if kind == "parquet" else arrow_csv.write_csv(table, file)
    people, _ = benchmark(score_file, file, want, tmp_path / "scores", KINDS[".parquet"])
    assert people == 200_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    said = figures(given.rows, given.parts, given.times)
    print(json.dumps(said) if given.json else "\n".join(f"{key:36} {value}" for key, value in said.items()))


if __name__ == "__main__":
    main()
