"""The whole ledger on few people: a row for everything, and the same rows from the same seed."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import pytest

from blindscore.designs.registry import load_designs
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.registry import load_capabilities
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.attacks.repeat import Repeat
from blindscore.surveillance.attacks.steer import BY_RULE, FALSE_RECORD, NAMED, UNANSWERED, steered_traits
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import ABSENT, ADVERSARIES, FALSE_SOURCE, PLAYED, REFUSES, row_dict

PEOPLE = 400
ROLES = ("scorer", "lender", "source", "state", "observer")
COALITIONS = (*ROLES, *("+".join(pair) for pair in combinations(ROLES, 2)), "lender+lender", "all")
SECRETS = ("party",)
# Run twice; the baseline among them.
AGAIN = {"platform", "minimal", "private-model", "encrypted-audited", "sealed", "one-show"}


def run(sample, only=None):
    """Run designs with that many real runs, and all attacks, two of them in short."""
    designs = [
        replace(design, sample=sample) if "sample" in {f.name for f in fields(design)} else design
        for name, design in load_designs().items()
        if only is None or name in only
    ]
    short = {"remember": Remember(shadows=2), "repeat": Repeat(months=3)}
    attacks = [short.get(attack.name, attack) for attack in load_capabilities()]
    society = make_society(PEOPLE, seed=4, secrets=SECRETS)
    return measure(society, designs, Scorecard(method="woe"), seed=9, command="c", capabilities=attacks)


@pytest.fixture(scope="module")
def ledger():
    return run(sample=1)


def test_every_design_coalition_capability_and_secret_has_one_row(ledger):
    society = make_society(PEOPLE, seed=4, secrets=SECRETS)
    secrets = list(society.sensitive.columns)
    wanted = {
        "profile": secrets,
        "link": ["name", "join"],
        "map": ["friendships"],
        "track": ["place"],
        "steer": [NAMED, UNANSWERED, FALSE_RECORD, *steered_traits(society), BY_RULE],
        "intercept": ["decision"],
        "arrivals": [*secrets, "has applied"],
        "disclose": ["any record"],
        "remember": ["membership"],
        "choose": [*secrets, "name"],
        "repeat": secrets,
    }
    product = {
        (design.design, coalition, capability, secret)
        for design in ledger.designs
        for coalition in {*COALITIONS, *(row.coalition for row in ledger.find(design=design.design))}
        for capability, of in wanted.items()
        for secret in of
    }
    found = [(row.design, row.coalition, row.capability, row.secret) for row in ledger.rows]
    assert len(found) == len(set(found))
    assert set(found) == product


def test_every_row_says_all_that_it_can(ledger):
    for row in ledger.rows:
        assert row.low <= row.advantage + 1e-9, row
        assert row.advantage <= row.high + 1e-9, row
        assert row.control is not None, row
        assert row.reason, row
        assert row.bound is not None or row.reason.startswith(("attack only", "no bound")), row
        if row.capability in ("profile", "link", "disclose", "repeat", "intercept"):
            assert row.bits is not None, row
        if row.capability == "disclose":
            assert row.people_exposed is not None, row
        if row.kind == ABSENT:
            assert (row.advantage, row.high) == (0.0, 0.0), row
    nobody = [row for row in ledger.find(design="minimal", coalition="state") if row.capability != "remember"]
    assert {row.kind for row in nobody} == {ABSENT}  # it has no view to try anything with


def test_marks_and_bounds_keep_to_what_they_say(ledger):
    for row in ledger.rows:
        assert row.adversary in ADVERSARIES, row
        assert not (row.removed and row.kind != PLAYED), row
        proved = row.capability == "steer" and row.bound == 0.0  # each success counts for nothing, exactly
        assert row.kind != PLAYED or proved or row.low < row.high, row  # no attack is known without any doubt
        if row.bound is not None and row.bound_these is not None and row.capability not in ("link", "disclose"):
            assert row.bound_these <= row.bound + 1e-9, row  # for those a crowd of one size is spoken of
        limit = row.bound if row.bound_these is None else row.bound_these
        assert limit is None or row.advantage <= limit + 1e-9, row
        assert row.bound is None or row.adversary not in (REFUSES, FALSE_SOURCE), row


def test_the_same_seed_gives_the_same_rows_and_real_runs_change_none(ledger):
    again = run(sample=2, only=AGAIN)
    assert {design.design for design in again.designs} == AGAIN
    assert max(design.real_runs for design in again.designs) == 2
    for first, second in zip((row for row in ledger.rows if row.design in AGAIN), again.rows, strict=True):
        assert row_dict(first) == row_dict(second)
    for other in again.designs:
        one = ledger.design(other.design)
        assert (one.auc, one.auc_low, one.ks, one.groups) == (other.auc, other.auc_low, other.ks, other.groups)
