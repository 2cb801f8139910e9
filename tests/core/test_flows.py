"""A design written as a file: what each role gets, under which name, and how a wrong file is refused."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

import blindscore.designs
from blindscore.designs.design import NO_CONDUCT, Design
from blindscore.designs.flows import load_flows, parse_flows
from blindscore.errors import ParameterError, SchemaError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard

WORLD = sorted((Path(blindscore.designs.__file__).parent / "world").glob("*.toml"))
FILE = {
    "name": "agency",
    "summary": "An agency reads your bank's figures under a number of its own.",
    "reads": ["financial"],
    "feared": [["lender", "source"]],
    "questions": {"hidden": "a", "linkable": "b", "issuer": "c", "revocation": "d"},
    "rule": [{"text": "it does", "status": "modelled", "source": "made up"}],
    "flow": [
        {
            "from": "source",
            "to": "source",
            "fields": ["register", "financial", "pseudonym:agency"],
            "identifier": "legal id",
        },
        {
            "from": "source",
            "to": "scorer",
            "fields": ["financial", "pseudonym:agency", "friends", "score"],
            "identifier": "pairwise",
            "erased": ["financial"],
        },
        {"from": "scorer", "to": "lender", "fields": ["decision", "pseudonym:shop"], "identifier": "one-time"},
    ],
}


@pytest.fixture(scope="module")
def society():
    return make_society(600, seed=3)


def changed(**changes):
    return {**copy.deepcopy(FILE), **changes}


def test_each_role_gets_what_the_file_says_and_nothing_else(society):
    design = parse_flows(FILE, "agency.toml")
    assert isinstance(design, Design)
    assert design.enforces == {NO_CONDUCT}
    run = design.run(society, Scorecard(), np.random.default_rng(1))
    scorer, lender, source = run.views["scorer"], run.views["lender"], run.views["source"]
    financial = society.schema.names(contexts=("financial",))
    assert scorer.of("feature") == financial
    assert scorer.of("handle") == ["pseudonym:agency"]
    assert scorer.friends is society.friends
    assert scorer.keyed_by == "pairwise"
    assert scorer.stored == ["pseudonym:agency", "score"]
    assert [column.kind for column in lender.columns] == ["decision", "handle"]
    assert lender.friends is None
    assert lender.keyed_by == "one-time"
    np.testing.assert_array_equal(scorer.clear["pseudonym:agency"], source.clear["pseudonym:agency"])
    assert (scorer.clear["pseudonym:agency"] != lender.clear["pseudonym:shop"]).any()
    assert all(view.basis == "modelled" for view in run.views.values())


@pytest.mark.parametrize("path", WORLD, ids=lambda path: path.stem)
def test_every_file_of_the_world_runs_and_answers_the_four_questions(path, society):
    design = load_flows(path)
    assert design.name == path.stem
    run = design.run(society, Scorecard(), np.random.default_rng(1))
    assert {"scorer", "lender", "source"} <= set(run.views)
    assert all(rule.source for rule in design.rules)
    assert all(design.questions.values())
    for some in design.feared:
        assert set(some) <= {*run.views, "state", "observer"}  # these two are parties of every run


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed(colour="red"), r"nobody asks for colour"),
        (changed(name=""), r"'name' is needed, as str"),
        (changed(questions={"hidden": "a"}), r"answer linkable, issuer, revocation"),
        (changed(rule=[]), r"at least one \[\[rule\]\]"),
        (changed(rule=[{"text": "x", "status": "sure", "source": "y"}]), r"\[\[rule\]\] 1: status is one of"),
        (changed(flow=[{"from": "a", "to": "b", "fields": ["score"], "identifier": "name"}]), r"identifier is one of"),
        (changed(flow=[{"from": "a", "to": "b", "fields": "score", "identifier": "one-time"}]), r"'fields' is needed"),
        (changed(reads="financial"), r"reads: a list of names"),
    ],
)
def test_a_wrong_file_is_refused_and_the_place_is_named(data, message):
    parse_flows(FILE, "agency.toml")
    with pytest.raises(SchemaError, match=message) as refused:
        parse_flows(data, "agency.toml")
    assert "agency.toml" in str(refused.value)


def test_files_that_cannot_be_read_and_people_that_lack_what_is_read_are_refused(tmp_path, society):
    with pytest.raises(SchemaError, match="No such file"):
        load_flows(tmp_path / "none.toml")
    (tmp_path / "a.toml").write_text("name = [")
    with pytest.raises(SchemaError, match=r"a\.toml: no TOML"):
        load_flows(tmp_path / "a.toml")
    (tmp_path / "b.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(SchemaError, match="at most 65536 bytes"):
        load_flows(tmp_path / "b.toml")
    with pytest.raises(SchemaError, match="have none of astrology"):
        parse_flows(changed(reads=["astrology"]), "x").run(society, Scorecard(), np.random.default_rng(1))
    with pytest.raises(SchemaError, match="no flow reaches the lender"):
        parse_flows(changed(flow=FILE["flow"][:2]), "x").run(society, Scorecard(), np.random.default_rng(1))
    with pytest.raises(ParameterError, match="approve"):
        parse_flows(changed(approve=2), "x")
