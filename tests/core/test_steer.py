"""``steer`` bends any score that nobody can check, and none that everybody can."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.designs.design import SIGNED_DECISION, Costs, Run
from blindscore.designs.plain import LENDER_SCORES, scoring_lender
from blindscore.people.society import make_society
from blindscore.surveillance.attacks.steer import FALSE_RECORD, NAMED, POSTS, UNANSWERED, Steer
from blindscore.surveillance.capability import rows_of
from blindscore.surveillance.ledger import ABSENT, FALSE_SOURCE, PLAYED, REFUSES, WITH_SECRET_CARD
from blindscore.surveillance.planted import CARD, people, run_with, truth_of, view_of

N = 1500


def steered(population, view, **changes):
    rows = rows_of(Steer(), truth_of(population, run_with(population, view, **changes)))
    return {row.secret: row for row in rows}


def test_an_unchecked_scorer_refuses_whom_it_is_told_to():
    population = people(N)
    row = steered(population, view_of(population, {"score": np.zeros(N)}))["named person"]
    assert row.advantage == 1.0
    assert row.bound is None


def test_a_verified_score_cannot_be_bent_without_proof():
    population = people(N)
    rows = steered(population, view_of(population, {"score": np.zeros(N)}), audit_share=1.0)
    unanswered = rows.pop(UNANSWERED)
    assert rows.pop(FALSE_RECORD).kind == ABSENT
    assert {(row.advantage, row.high, row.bound) for row in rows.values()} == {(0.0, 0.0, 0.0)}
    assert (unanswered.advantage, unanswered.bound, unanswered.adversary) == (1.0, None, REFUSES)


def test_audits_lower_the_advantage_in_proportion():
    population = people(N)
    view = view_of(population, {"score": np.zeros(N)})
    run = run_with(population, view, audit_share=0.25)
    signed = rows_of(Steer(), truth_of(population, run, enforces=frozenset({SIGNED_DECISION})), [NAMED])[0]
    assert signed.advantage == pytest.approx(0.75)
    assert signed.bound == pytest.approx(0.75)
    assert signed.adversary == WITH_SECRET_CARD


def test_an_audit_of_scores_alone_bounds_nothing_a_lender_signs_the_true_score_and_refuses():
    population = people(N)
    row = steered(population, view_of(population, {"score": np.zeros(N)}), audit_share=0.9)[NAMED]
    assert (row.advantage, row.bound) == (1.0, None)
    assert "refuse" in row.attack


def test_a_trait_in_the_view_is_punished_and_one_that_is_not_is_not():
    population = people(N)
    told = view_of(population, {"x": population.sensitive["party"] + 0.0})
    assert steered(population, told)["party"].low > 0.95
    blind = view_of(population, {"x": np.random.default_rng(0).normal(size=N)})
    row = steered(population, blind)["party"]
    assert row.low <= 0 <= row.high


def test_a_partner_that_does_not_score_cannot_steer():
    population = people(N)
    run = run_with(population, view_of(population, {"x": np.zeros(N)}), view_of(population, {"x": np.ones(N)}))
    rows = rows_of(Steer(), truth_of(population, run, roles=("source",)))
    lied = [row for row in rows if row.secret == FALSE_RECORD]
    assert {(row.kind, row.advantage) for row in rows if row not in lied} == {(ABSENT, 0.0)}
    assert [(row.kind, row.bound, row.adversary) for row in lied] == [(PLAYED, None, FALSE_SOURCE)]


def test_a_source_that_vouches_for_the_worst_figures_has_refused_whom_it_likes():
    population = people(N)
    income = {"income": population.features["income"].to_numpy()}
    run = run_with(population, view_of(population, {"score": np.zeros(N)}), view_of(population, income))
    (row,) = rows_of(Steer(), truth_of(population, run, roles=("source",)), [FALSE_RECORD])
    assert row.advantage == 1.0
    (row,) = rows_of(Steer(), truth_of(population, run, roles=("lender",)), [FALSE_RECORD])
    assert row.kind == ABSENT


def test_a_rule_that_reads_posts_flips_decisions_under_intervention_and_a_blind_one_does_not():
    society = make_society(2000, seed=5)
    view = view_of(society, {"x": np.zeros(len(society))})

    def reads_posts(others):
        return np.where(others.features[POSTS] > 3, 400, 600).astype(np.int16)

    def is_blind(others):
        return np.full(len(others), 600, np.int16)

    for rule, flips in ((reads_posts, True), (is_blind, False)):
        scores = rule(society)
        run = Run(scores >= 500, scores, 500, CARD, scoring_lender(view), Costs(), rescore=rule, plays=LENDER_SCORES)
        rows = rows_of(Steer(), truth_of(society, run))
        row = next(row for row in rows if row.secret == "posts (by rule)")
        assert (row.low > 0.5) if flips else (row.advantage == 0.0)
