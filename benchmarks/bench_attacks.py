"""The attackers against real people's data, so that nobody need trust the society.

``python benchmarks/bench_attacks.py DIRECTORY [--json]`` reads the public files named in ``SCHEMAS`` from a directory,
shows the attackers what a platform would read of these people, and prints what they infer. A file that is not there is
left out, with the reason beside it. The last rows are positive controls: models that learn people by heart, which the
membership attack must break. The suite ``pytest benchmarks/bench_attacks.py`` times one attack.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from blindscore.designs.aggregator import Aggregator
from blindscore.designs.design import Costs, Design, Rule, Run
from blindscore.designs.minimal import Minimal
from blindscore.designs.plain import everyone
from blindscore.errors import BlindscoreError
from blindscore.parties.view import KeyedBy, View, columns
from blindscore.people.files.graph_files import load_graph
from blindscore.people.files.loaders import load_people
from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.map import READ, Map
from blindscore.surveillance.attacks.profile import Profile
from blindscore.surveillance.attacks.remember import Remember, likelihood_ratios, most_suspicious
from blindscore.surveillance.capability import Capability, rows_of
from blindscore.surveillance.inference.evidence import encode, ranks
from blindscore.surveillance.inference.intervals import balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import PLAYED, Row
from blindscore.surveillance.truth import AUXILIARY_SHARE, Truth, auxiliary_people, truths_of

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
    """Whoever reads every column of a file and scores nobody: the attack is all that is measured."""

    friendships: float = 1.0  # share of the friendships that it reads
    named: bool = False  # its records carry the legal id, so that it knows the register too

    name = "reader"
    order = 0
    summary = "Somebody reads all columns."
    enforces: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    feared: tuple[tuple[str, ...], ...] = ()

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        scores = np.full(len(population), 600, np.int16)
        friends = population.friends if self.friendships else None
        if friends is not None:
            friends = friends[rng.random(len(friends)) < self.friendships]
        keyed_by: KeyedBy = "legal id" if self.named else "one-time"
        seen = columns("feature", population.features.columns)
        reader = View("scorer", keyed_by, population.features, seen, everyone(population), friends=friends)
        card = Card((Characteristic(population.schema.names()[0], (0, 0)),), base=600)
        views = {role: replace(reader, role=role) for role in ("scorer", "lender", "source")}
        return Run(scores >= 600, scores, 600, card, views, Costs())


# What is read, how that is called in the table, by which design, and which attack is played on it.
Trial = tuple[str, str, Callable[[Path], Population], Design, Capability]
TRIALS: tuple[Trial, ...] = (
    ("ego_facebook", "reader, friends seen", ego_facebook, Reader(), Profile()),
    ("ego_facebook", "reader, friends hidden", ego_facebook, Reader(friendships=0.0), Profile()),
    ("ego_facebook", "reader, friends hidden", ego_facebook, Reader(friendships=0.0), Map()),
    ("ego_facebook", "reader, half of the edges seen", ego_facebook, Reader(friendships=0.5), Map()),
    *(
        (name, who, real_file(name), design, Profile())
        for name in ("adult_income", "drug_consumption", "hmda_boston_1990")
        for who, design in (("reader", Reader()), ("reader with register", Reader(named=True)))
    ),
    ("taiwan_default", "minimal", real_file("taiwan_default"), Minimal(), Link()),
    ("taiwan_default", "aggregator", real_file("taiwan_default"), Aggregator(), Remember()),
    ("lending_club_10k", "minimal", real_file("lending_club_10k"), Minimal(), Link()),
    ("lending_club_10k", "aggregator", real_file("lending_club_10k"), Aggregator(), Remember()),
)


def attack(folder: Path, files: Collection[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the figures, and why files were left out."""
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    for name, who, read, design, capability in TRIALS:
        if name not in files:
            continue
        try:
            people = read(folder)
        except BlindscoreError as error:
            missing.append(f"{name}: {error}")
            continue
        print(f"{name}: {who}, {capability.name}", file=sys.stderr, flush=True)
        wanted = ("scorer", "lender+source") if isinstance(capability, Link) else ("scorer",)
        found += [_figures(name, who, len(people), row, area) for row, area in play(people, design, capability, wanted)]
    for name in (name for name in ("taiwan_default", "lending_club_10k") if name in files):
        try:
            found += by_heart(name, real_file(name)(folder))
        except BlindscoreError as error:
            missing.append(f"{name}: {error}")
    return found, missing


def play(
    people: Population, design: Design, capability: Capability, coalitions: Collection[str]
) -> list[tuple[Row, float | None]]:
    """Return the rows of one attack on some coalitions of one design, each with the attack's AUC if it has one."""
    run = design.run(people, Scorecard(), np.random.default_rng(SEED))
    return [
        (row, _auc(truth, capability, row))
        for truth in truths_of(people, design, run, auxiliary_people(people, SEED), SEED)
        if truth.coalition.name in coalitions
        for row in rows_of(capability, truth)
        if row.kind == PLAYED
    ]


def _auc(truth: Truth, capability: Capability, row: Row) -> float | None:
    """Return the area under the ROC curve on targets, which most publications report; None for other attacks."""
    if row.capability not in ("profile", "map") or row.attack == READ:
        return None
    belief = capability.attack(truth.knowledge(capability.needs), row.secret).probability
    if row.capability == "profile":
        secret, shown = truth.classes(row.secret), truth.targets
    else:
        pairs = truth.pairs()
        assert pairs is not None
        secret, shown = pairs.friends, ~pairs.auxiliary
    return float(roc_auc_score(secret[shown], belief[shown, 1])) if belief.shape[1] == 2 else None


def by_heart(name: str, people: Population, most: int = 2000, shadows: int = 64) -> list[dict[str, Any]]:
    """Play the membership attack on models that overfit on purpose: it must break them.

    The pruned tree stands between: a model as people fit them by carelessness.
    """
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(people))[:most]
    columns = ranks(encode(people.features.iloc[chosen]))
    outcome = people.default[chosen]
    inside = np.array([rng.permutation(len(chosen)) < len(chosen) // 2 for _ in range(shadows + 1)])
    auxiliary = rng.random(len(chosen)) < AUXILIARY_SHARE
    models = {
        "nearest neighbour": KNeighborsClassifier(1),
        "unpruned tree": DecisionTreeClassifier(random_state=0),
        "tree of 10 levels": DecisionTreeClassifier(max_depth=10, random_state=0),
    }
    rows = []
    for what, model in models.items():
        told = []
        for half in inside:
            good = model.fit(columns[half], ~outcome[half]).predict_proba(columns)[:, 1]
            odds = logit(np.clip(good, 1e-3, 1 - 1e-3))
            told.append(np.where(outcome, -odds, odds))
        found = [("loss", told[0]), *likelihood_ratios(told[0], np.array(told[1:]), inside[1:])]
        best = most_suspicious(found, inside[0], auxiliary)
        member, level = inside[0][~auxiliary], best.level[~auxiliary]
        guess = (level > best.threshold).astype(np.int64)
        advantage = balanced_advantage(member.astype(np.int64), guess, np.random.default_rng(SEED))
        rows.append(
            {
                "file": name,
                "people": len(chosen),
                "design": f"by heart: {what}",
                "coalition": "scorer",
                "capability": "remember",
                "secret": "membership",
                "advantage": round(advantage.value, 3),
                "low": round(advantage.low, 3),
                "high": round(advantage.high, 3),
                "control": 0.0,
                "auc": round(float(roc_auc_score(member, level)), 3),
                "tpr_at_fpr_0.001": round(tpr_at_fpr(member, level), 3),
                "attack": best.attack.replace("cards", "models"),
            }
        )
    return rows


def _figures(name: str, who: str, people: int, row: Row, area: float | None) -> dict[str, Any]:
    return {
        "file": name,
        "people": people,
        "design": who,
        "coalition": row.coalition,
        "capability": row.capability,
        "secret": row.secret,
        "advantage": round(row.advantage, 3),
        "low": round(row.low, 3),
        "high": round(row.high, 3),
        "control": None if row.control is None else round(row.control, 3),
        "auc": None if area is None else round(area, 3),
        "tpr_at_fpr_0.001": None if row.tpr_at_fpr_0_001 is None else round(row.tpr_at_fpr_0_001, 3),
        "attack": row.attack,
    }


def test_profile_of_two_thousand(benchmark: Any) -> None:
    society = make_society(2000, seed=SEED)
    assert benchmark.pedantic(play, (society, Aggregator(), Profile(), ("scorer",)), rounds=1, iterations=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the public files lie")
    every = list(dict.fromkeys(name for name, *_ in TRIALS))
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="files to try")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found, missing = attack(given.folder, given.only)
    for reason in missing:
        print(f"left out: {reason}", file=sys.stderr)
    if given.json:
        print(json.dumps({"rows": found, "left_out": missing}, indent=1))
    else:
        print(pd.DataFrame(found).to_string(index=False))


if __name__ == "__main__":
    main()
