"""Labels of the frameworks: every capability has them, the page's table is theirs, and norms follow from views."""

from __future__ import annotations

import re
from pathlib import Path

from blindscore.people.population import Feature, Schema
from blindscore.surveillance.attacks.registry import load_capabilities
from blindscore.surveillance.frameworks import (
    FEARED,
    LABELS,
    LINDDUN,
    OUTPUT,
    REGISTER,
    TRIAD,
    UNTOLD,
    labels_of,
    norms,
    sources_of,
)

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"


def test_every_capability_of_this_project_is_labelled_in_each_frameworks_own_words():
    assert {capability.name for capability in load_capabilities()} <= set(LABELS)
    for name, labels in LABELS.items():
        assert set(labels.triad) <= set(TRIAD), name
        assert labels.linddun, name
        assert set(labels.linddun) <= set(LINDDUN), name
        assert labels.feared, name
        assert set(labels.feared) <= set(FEARED), name
    assert {word for labels in LABELS.values() for word in labels.triad} == set(TRIAD)
    assert {word for labels in LABELS.values() for word in labels.linddun} == set(LINDDUN)


def test_the_pages_table_says_the_same():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", PAGE.read_text(), re.M)
    told = {name: tuple(() if cell == "none" else tuple(cell.split(", ")) for cell in cells) for name, *cells in rows}
    assert told == {name: (labels.triad, labels.linddun, labels.feared) for name, labels in LABELS.items()}


def test_a_capability_of_somebody_else_has_no_labels():
    assert labels_of(["link", "company"])["company"] == {"triad": [], "linddun": [], "feared": []}


def seen(role, fields, stored, *, party=None, friends=False, keyed_by="pairwise"):
    return {
        "role": role,
        "party": party or role,
        "keyed_by": keyed_by,
        "fields": fields,
        "stored": stored,
        "friends": friends,
        "visits": False,
    }


def test_a_flow_names_sender_recipient_attributes_and_what_is_kept():
    schema = Schema((Feature("income", "bank"), Feature("posts", "social network", "posts")), (), ("age_band",))
    sources = sources_of(schema)
    found = norms(
        [
            seen("scorer", ["income", "posts", "age_band", "score"], ["score"], party="operator", friends=True),
            seen("lender", [], []),
        ],
        sources,
    )
    assert {norm.recipient for norm in found} == {"operator as scorer"}  # the lender reads nothing
    by = {norm.sender: norm for norm in found}
    assert by["bank"].attributes == ("income",)
    assert by["bank"].kept == ()
    assert by[REGISTER].attributes == ("age_band",)
    assert by[OUTPUT].attributes == by[OUTPUT].kept == ("score",)
    assert by["the person's contacts and devices"].attributes == ("friends",)
    assert {norm.principle for norm in found} == {"under a pairwise key"}


def test_a_ledger_that_names_no_senders_claims_none():
    (norm,) = norms([seen("scorer", ["income"], [])], {})
    assert norm.sender == UNTOLD
