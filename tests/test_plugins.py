"""The worked examples of CONTRIBUTING: two designs and an attack that no other file knows of."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks import registry
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.registry import load_capabilities
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import ABSENT, PLAYED
from blindscore.surveillance.planted import people, run_with, truth_of, view_of
from blindscore.surveillance.truth import DECISION
from tests.plugins.coin import Coin
from tests.plugins.company import Company
from tests.plugins.vouching import Vouching

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
PLUGINS = Path(__file__).parent / "plugins"
N = 1500


@pytest.fixture(scope="module")
def ledger():
    society = make_society(600, seed=4, secrets=("party",))
    attacks = (Link(), Company())
    return measure(society, (Coin(), Vouching()), Scorecard(method="woe"), seed=9, command="c", capabilities=attacks)


def test_the_guide_shows_the_example_that_is_tested():
    code = re.findall(r"```python\n(.*?)```", CONTRIBUTING.read_text(), re.S)
    assert code[0] == (PLUGINS / "coin.py").read_text()
    assert code[1] == (PLUGINS / "company.py").read_text()


def test_a_plug_in_attack_has_rows_for_every_coalition_and_words_on_the_page(ledger):
    coalitions = {row.coalition for row in ledger.rows if row.design == "vouching"}
    rows = {row.coalition: row for row in ledger.find(design="vouching", capability="company")}
    assert set(rows) == coalitions
    assert {"lender+source+operator", "operator", "observer+operator", "all"} <= coalitions
    reads = {name for name, row in rows.items() if row.kind == PLAYED}
    assert reads == {name for name in coalitions if "operator" in name or name == "all"}
    silent = [row for row in rows.values() if row.kind == ABSENT and "reads nothing of anybody" not in row.reason]
    assert {row.bound for row in silent} == {None}  # silence claims no bound
    assert ledger.meta["questions"]["company"] == Company.question


def test_it_tells_nobody_by_the_coin(ledger):
    rows = ledger.find(design="coin", capability="company")
    assert {row.kind for row in rows} == {ABSENT}


def friends_of_one_kind(kind, rng):
    """Return friendships that join people of one kind alone."""
    pairs = [rng.permutation(np.flatnonzero(kind == k))[:500].reshape(-1, 2) for k in (0, 1) for _ in range(40)]
    return np.unique(np.sort(np.vstack(pairs), axis=1), axis=0).astype(np.int32)


def test_company_that_carries_the_decision_is_broken_and_company_that_does_not_is_not():
    population = people(N)
    rng = np.random.default_rng(2)
    refused = run_with(population, view_of(population, {"x": np.zeros(N)})).decisions.astype(int)
    empty = pd.DataFrame(index=range(N))
    told, blind = friends_of_one_kind(refused, rng), friends_of_one_kind(rng.permutation(refused), rng)
    for friends, broken in ((told, True), (blind, False)):
        run = run_with(population, view_of(population, empty, friends=friends))
        (row,) = rows_of(Company(), truth_of(population, run))
        assert row.secret == DECISION
        assert (row.low > 0.95) if broken else (row.low <= 0 <= row.high)


def with_plug_in(monkeypatch, *names):
    """Let entry points name the plug-ins, as an installed package would."""
    found = [EntryPoint(name.lower(), f"tests.plugins.{name.lower()}:{name}", registry.GROUP) for name in names]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_an_entry_point_puts_it_in_its_place_and_into_quick(monkeypatch):
    with_plug_in(monkeypatch, "Company")
    loaded = load_capabilities()
    names = [capability.name for capability in loaded]
    assert names.index("intercept") < names.index("company") < names.index("disclose")
    assert "company" in {capability.name for capability in loaded if capability.quick}


def test_a_plug_in_that_is_no_capability_or_takes_a_name_is_refused(monkeypatch):
    with_plug_in(monkeypatch, "Coin")
    with pytest.raises(ParameterError, match="is no Capability"):
        load_capabilities()
    with_plug_in(monkeypatch, "Company", "Company")
    with pytest.raises(ParameterError, match="called company"):
        load_capabilities()
