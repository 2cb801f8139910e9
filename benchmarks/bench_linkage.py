"""Our record linkage beside Splink's, on the same people with the same knowledge.

``python benchmarks/bench_linkage.py DIRECTORY [--json]`` spoils one half of real records (not at all, by noise, by
rounding, by a month's drift), asks both attackers to put the halves together again, and prints how many targets each
joins rightly. Both know which records of the auxiliary fifth belong together, both look for the others among all
targets, and ties are broken by chance. Splink 5 compares every pair (no blocking), learns its m-probabilities from the
auxiliary pairs and its u-probabilities from random pairs, and weighs rare values by term frequency.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.errors import BlindscoreError
from blindscore.people.files.loaders import load_people
from blindscore.people.society import make_society
from blindscore.surveillance.attacks.join import Hits, join_by_values
from blindscore.surveillance.inference.intervals import mean_interval

SCHEMAS = Path(__file__).parents[1] / "examples" / "schemas"
SEED = 1
PEOPLE = 2000
AUXILIARY = 0.2
LEVELS = (0.001, 0.01, 0.05, 0.2)  # relative differences that Splink tells apart, below exact agreement

Task = tuple[str, str, pd.DataFrame, pd.DataFrame]  # population, what was done, the one half, the other


def spoilt(table: pd.DataFrame, rng: np.random.Generator) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the table as it is, with noise, and rounded."""
    yield "as it is", table
    for share in (0.01, 0.05, 0.2):
        yield f"noise of {share:.0%}", table * (1.0 + share * rng.normal(size=table.shape))
    yield "rounded to one digit", table.map(lambda value: float(f"{value:.0e}"))


def tasks(folder: Path) -> Iterator[Task]:
    """Yield what is to be joined; raises BlindscoreError where a file is not there."""
    rng = np.random.default_rng(SEED)
    society = make_society(PEOPLE, seed=SEED)
    bank = society.features[society.schema.names(contexts=("financial",))]
    bank = bank[[c for c in bank.columns if bank[c].nunique() > 50][:4]].astype(np.float64).fillna(0.0)
    later = society.later(1).features[bank.columns].astype(np.float64).fillna(0.0)
    yield from (("society", what, half, bank) for what, half in spoilt(bank, rng))
    yield "society", "a month later", later, bank
    register = society.register.drop(columns="legal_id").astype(str)
    yield "society", "age band, sex and region, one of ten wrong", _shuffled(register, rng), register
    for file, columns in (
        ("taiwan_default", ["LIMIT_BAL", "PAY_0", "BILL_AMT1", "PAY_AMT1"]),
        ("lending_club_10k", ["annual_inc", "revol_util", "total_bal_il", "all_util"]),
    ):
        try:
            people = load_people(folder / f"{file}.csv.gz", SCHEMAS / f"{file}.toml")
        except BlindscoreError as error:
            print(f"left out: {file}: {error}", file=sys.stderr)
            continue
        features = people.features.iloc[rng.permutation(len(people))[:PEOPLE]].reset_index(drop=True)
        table = features[columns].astype(np.float64)
        yield from ((file, what, half, table) for what, half in spoilt(table, rng))
        if file == "taiwan_default":
            before = features[["LIMIT_BAL", "PAY_2", "BILL_AMT2", "PAY_AMT2"]].astype(np.float64)
            yield file, "the month before", before.set_axis(columns, axis=1), table


def _shuffled(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return categories, a tenth of each column taken from somebody else."""
    wrong = {c: table[c].where(rng.random(len(table)) > 0.1, table[c].sample(frac=1, random_state=0).to_numpy())
             for c in table}  # fmt: skip
    return pd.DataFrame(wrong)


def splink_hits(opaque: pd.DataFrame, named: pd.DataFrame, auxiliary: NDArray[np.bool_]) -> Hits:
    """Return, for each target, the chance that Splink's best match is the right record."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator

    logging.getLogger("splink").setLevel(logging.ERROR)

    def compare(name: str) -> Any:
        exact = cll.ExactMatchLevel(name, term_frequency_adjustments=True)
        near = [] if opaque[name].dtype.kind not in "fi" else [cll.PercentageDifferenceLevel(name, t) for t in LEVELS]
        return cl.CustomComparison([cll.NullLevel(name), exact, *near, cll.ElseLevel()], output_column_name=name)

    def tables(who: NDArray[np.int64]) -> list[pd.DataFrame]:
        return [half.iloc[who].assign(unique_id=who) for half in (opaque, named)]

    def linker(who: NDArray[np.int64], settings: Any) -> tuple[Any, Any]:
        database = DuckDBAPI()
        halves = [
            database.register(half, dataset_display_name=name)
            for half, name in zip(tables(who), ("one", "other"), strict=True)
        ]
        return Linker(halves, settings, log_level=logging.ERROR), database

    known, targets = np.flatnonzero(auxiliary), np.flatnonzero(~auxiliary)
    settings = SettingsCreator(
        "link_only",
        comparisons=[compare(c) for c in opaque.columns],
        blocking_rules_to_generate_predictions=["1=1"],
        probability_two_random_records_match=1.0 / len(targets),
        retain_matching_columns=False,
    )
    learner, database = linker(known, settings)
    learner.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    pairs = pd.DataFrame(
        {"source_dataset_l": "one", "unique_id_l": known, "source_dataset_r": "other", "unique_id_r": known}
    )
    learner.training.estimate_m_from_pairwise_labels(database.register(pairs, table_name="labels"))
    matcher, _ = linker(targets, learner.misc.save_model_to_json())
    found = matcher.inference.predict()
    matches = matcher.misc.query_sql(
        "select case when source_dataset_l = 'one' then unique_id_l else unique_id_r end as asked, "
        "unique_id_l = unique_id_r as own, match_weight as weight, "
        f"max(match_weight) over (partition by asked) as best from {found.physical_name} "
        "qualify weight >= best - 1e-9"
    ).as_pandas_dataframe()
    grouped = matches.groupby("asked")["own"]
    return (grouped.max() / grouped.size()).reindex(targets).fillna(0.0).to_numpy(np.float64)


def measure(task: Task, attackers: dict[str, Callable[..., Hits]]) -> dict[str, Any]:
    """Return one row: the share of targets that each attacker joins rightly, with 95% intervals, and its seconds."""
    population, spoiling, opaque, named = task
    auxiliary = np.random.default_rng(SEED).permutation(len(opaque)) < AUXILIARY * len(opaque)
    row: dict[str, Any] = {"population": population, "records": spoiling, "targets": int((~auxiliary).sum())}
    for name, attack in attackers.items():
        started = time.perf_counter()
        hit = mean_interval(attack(opaque, named, auxiliary), np.random.default_rng(SEED))
        row |= {name: round(hit.value, 3), f"{name}_low": round(hit.low, 3), f"{name}_high": round(hit.high, 3)}
        print(f"{population}, {spoiling}: {name} {hit.value:.3f}", file=sys.stderr, flush=True)
        row[f"{name}_s"] = round(time.perf_counter() - started, 1)
    return row


ATTACKERS: dict[str, Callable[..., Hits]] = {
    "ours": lambda opaque, named, auxiliary: join_by_values(opaque, named, auxiliary)[0],
    "splink": splink_hits,
}


def test_join_of_a_noisy_society(benchmark: Any) -> None:
    society = make_society(PEOPLE, seed=SEED)
    bank = society.features[society.schema.names(contexts=("financial",))].iloc[:, :4].astype(np.float64)
    auxiliary = np.arange(PEOPLE) % 5 == 0
    hits, _ = benchmark.pedantic(join_by_values, (bank * 1.01, bank, auxiliary), rounds=1, iterations=1)
    assert hits.mean() > 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the public files lie")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [measure(task, ATTACKERS) for task in tasks(given.folder)]
    print(json.dumps({"rows": rows}, indent=1) if given.json else pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
