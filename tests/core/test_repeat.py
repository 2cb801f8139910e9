"""``repeat``: months that can be linked add up, months that cannot do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blindscore.people.population import Population
from blindscore.people.society import make_society
from blindscore.surveillance.attacks.repeat import Repeat, months_table
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import DesignRow, Ledger, Row
from blindscore.surveillance.planted import people, run_with, truth_of, view_of
from blindscore.surveillance.truth import view_in

N = 1500


@dataclass(frozen=True)
class Returning(Population):
    """People who come back each month with a figure that leans a little towards their secret."""

    def later(self, months: int = 1):
        return returning(months, float(self.name))


def returning(month: int = 0, lean: float = 0.5):
    base = people(N)
    leaning = lean * (base.sensitive["party"].to_numpy() - 0.5)
    table = pd.DataFrame({"income": leaning + np.random.default_rng(100 + month).normal(size=N)})
    tables = (base.default, base.sensitive, base.register, base.history)
    return Returning(table, base.schema, *tables, name=str(lean))


def measured(keyed_by, universe=None, lean=0.5):
    population = returning(lean=lean)
    view = view_of(population, {"income": population.features["income"]}, keyed_by, universe=universe)
    (row,) = rows_of(Repeat(), truth_of(population, run_with(population, view), roles=("lender",)))
    return row


def test_linkable_months_add_up():
    row = measured("pairwise")
    assert row.control < 0.35  # one month
    assert row.low > row.control + 0.1
    assert row.bound is None


def test_months_under_one_time_keys_do_not():
    row = measured("one-time", universe=N)
    assert row.advantage == row.control
    assert row.bound is not None
    assert "one-time" in row.reason


def test_who_is_told_the_decision_pays_out_to_a_name_so_that_twelve_bits_are_one_record():
    population = returning(lean=1.6)
    approved = population.features["income"].to_numpy() > 0

    def rescore(people):
        return np.where(people.features["income"] > 0, 600, 400).astype(np.int16)

    view = view_of(population, {"approved": approved.astype(np.int8)}, "one-time", universe=2)
    run = run_with(population, view, rescore=rescore, threshold=500, decisions=approved, scores=rescore(population))
    (row,) = rows_of(Repeat(), truth_of(population, run, roles=("lender",)))
    assert row.low > row.control + 0.1
    assert row.bound is None  # that of one bit was printed


def test_a_secret_that_twelve_months_carry_is_broken_and_one_that_they_do_not_is_not():
    told = measured("pairwise", lean=1.6)
    assert told.control < 0.7
    assert told.low > 0.95
    blind = measured("pairwise", lean=0.0)
    assert blind.low <= 0 <= blind.high


def test_only_people_who_have_later_months_can_be_asked():
    population = people(N)
    run = run_with(population, view_of(population, {"x": np.zeros(N)}))
    assert rows_of(Repeat(), truth_of(population, run, roles=("lender",))) == []
    assert len(rows_of(Repeat(), truth_of(returning(), run, roles=("scorer",)))) == 1


def test_a_later_view_holds_that_months_figures_scored_by_the_same_card():
    society = make_society(400, seed=3)
    income = society.features["income"]
    view = view_of(society, {"income": income, "score": np.zeros(400), "approved": np.zeros(400), "note": ["x"] * 400})

    def rescore(them):
        return np.where(them.features["income"] > income.median(), 600, 400).astype(np.int16)

    run = run_with(people(400), view, rescore=rescore, threshold=500)
    later = society.later(6)
    seen = view_in(later, run, view).clear
    np.testing.assert_array_equal(seen["income"], later.features["income"])
    assert not seen["income"].equals(income)
    np.testing.assert_array_equal(seen["score"], rescore(later))
    np.testing.assert_array_equal(seen["approved"], rescore(later) >= 500)
    assert set(seen["note"]) == {"x"}


def with_handle(keyed_by, handles):
    """Return rows for lender and source, whose one-time and named records carry one handle, or none."""
    population = returning()
    signed = np.arange(N)
    lender = view_of(population, {"shown": np.zeros(N), "signed": signed}, keyed_by, handles=handles, universe=2)
    source = view_of(
        population, {"income": population.features["income"], "signed": signed}, "legal id", handles=handles
    )
    run = run_with(population, lender, source)
    return [rows_of(Repeat(), truth_of(population, run, roles=who))[0] for who in (("lender",), ("lender", "source"))]


def test_a_handle_that_a_named_record_carries_too_links_the_months():
    alone, together = with_handle("one-time", ("signed",))
    assert alone.advantage == alone.control
    assert together.low > together.control + 0.1
    assert together.bits > 2 * alone.bits


def test_the_table_of_months_sums_the_bits_of_all_secrets():
    def row(capability, secret, bits):
        return Row("minimal", "scorer", capability, secret, "a", 0.0, 0.0, 0.0, bits=bits)

    rows = (row("profile", "party", 0.25), row("profile", "illness", 0.5), row("repeat", "party", 1.5))
    design = DesignRow("minimal", "s", {}, 0.7, 0.6, 0.8, 0.0, 0.0, 0.0, 0.1, {}, 0, 0, 0, 0, 0)
    assert months_table(Ledger({}, (design,), rows)).splitlines()[-1] == (
        "| `minimal` | 0.750 | 1.500 | not measured | not measured |"
    )
