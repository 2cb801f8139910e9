"""The attackers against real people's data, so that nobody need trust the society.

``python benchmarks/bench_attacks.py DIRECTORY [--json]`` reads the public files named in ``SCHEMAS`` from a directory,
shows the attackers what a platform would read of these people, and prints what they infer. A file that is not there is
left out, with the reason beside it. The suite ``pytest benchmarks/bench_attacks.py`` times one attack.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blindscore.designs.aggregator import Aggregator
from blindscore.designs.design import Costs, Design, Rule, Run, View
from blindscore.designs.minimal import Minimal
from blindscore.designs.plain import everyone
from blindscore.errors import BlindscoreError
from blindscore.people.graph_files import load_graph
from blindscore.people.loaders import load_people
from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.link import Link
from blindscore.surveillance.map import Map
from blindscore.surveillance.profile import Profile
from blindscore.surveillance.remember import Remember
from blindscore.surveillance.scene import Capability, auxiliary_people, scenes_of

SCHEMAS = Path(__file__).parents[1] / "examples" / "schemas"
SEED = 1


def real_file(name: str) -> Callable[[Path], Population]:
    """Return how to read one public file with its example schema."""
    return lambda folder: load_people(folder / f"{name}.csv.gz", SCHEMAS / f"{name}.toml")


def ego_facebook(folder: Path) -> Population:
    """Read the friendship graph, gender as the secret; both are coded by the publisher."""
    return load_graph(folder / "ego_facebook_edges.csv.gz", folder / "ego_facebook_features.csv.gz", "gender")


@dataclass(frozen=True)
class Reader:
    """Whoever reads every column of a file, without names, and scores nobody: the attack is all that is measured."""

    friendships: bool = True

    name = "reader"
    order = 0
    summary = "Somebody reads all columns."
    enforces: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        scores = np.full(len(population), 600, np.int16)
        friends = population.friends if self.friendships else None
        reader = View("scorer", "one-time", population.features, everyone(population), friends=friends)
        card = Card((Characteristic(population.schema.names()[0], (0, 0)),), base=600)
        views = {"scorer": reader, "lender": reader, "source": reader}
        return Run(scores >= 600, scores, 600, card, views, Costs())


# What is read, by which design, and which attacks are played on its scorer (or on lender and source together).
TRIALS: tuple[tuple[str, Callable[[Path], Population], Design, Capability], ...] = (
    ("ego_facebook", ego_facebook, Reader(), Profile()),
    ("ego_facebook", ego_facebook, Reader(friendships=False), Map()),
    ("adult_income", real_file("adult_income"), Reader(), Profile()),
    ("drug_consumption", real_file("drug_consumption"), Reader(), Profile()),
    ("hmda_boston_1990", real_file("hmda_boston_1990"), Reader(), Profile()),
    ("taiwan_default", real_file("taiwan_default"), Minimal(), Link()),
    ("taiwan_default", real_file("taiwan_default"), Aggregator(), Remember()),
    ("lending_club_10k", real_file("lending_club_10k"), Minimal(), Link()),
    ("lending_club_10k", real_file("lending_club_10k"), Aggregator(), Remember()),
)


def attack(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the figures, and why files were left out."""
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    for name, read, design, capability in TRIALS:
        try:
            people = read(folder)
        except BlindscoreError as error:
            missing.append(f"{name}: {error}")
            continue
        wanted = ("scorer", "lender+source") if isinstance(capability, Link) else ("scorer",)
        found += [
            _figures(name, len(people), row) for row in play(people, design, capability) if row.coalition in wanted
        ]
    return found, missing


def play(people: Population, design: Design, capability: Capability) -> list[Row]:
    """Return the rows of one attack on every coalition of one design."""
    run = design.run(people, Scorecard(), np.random.default_rng(SEED))
    scenes = scenes_of(people, design, run, auxiliary_people(people, SEED), SEED)
    return [row for scene in scenes for row in capability.measure(scene)]


def _figures(name: str, people: int, row: Row) -> dict[str, Any]:
    return {
        "file": name,
        "people": people,
        "design": row.design,
        "coalition": row.coalition,
        "capability": row.capability,
        "secret": row.secret,
        "advantage": round(row.advantage, 3),
        "low": round(row.low, 3),
        "high": round(row.high, 3),
        "control": None if row.control is None else round(row.control, 3),
        "attack": row.attack,
    }


def test_profile_of_two_thousand(benchmark: Any) -> None:
    society = make_society(2000, seed=SEED)
    assert benchmark.pedantic(play, (society, Aggregator(), Profile()), rounds=1, iterations=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the public files lie")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found, missing = attack(given.folder)
    for reason in missing:
        print(f"left out: {reason}", file=sys.stderr)
    if given.json:
        print(json.dumps({"rows": found, "left_out": missing}, indent=1))
    else:
        print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
