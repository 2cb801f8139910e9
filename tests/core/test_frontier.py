"""The main job: one ledger a seed, finished parts found again, an interrupted run taken up where it stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blindscore.designs.bureau import Bureau
from blindscore.designs.minimal import Minimal
from blindscore.errors import DataError, ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.attacks.disclose import Disclose
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.cache import Cache, code_fingerprint
from blindscore.surveillance.frontier import measure
from blindscore.surveillance.ledger import PLAYED
from blindscore.surveillance.marks import key_of
from blindscore.surveillance.seeds import hold

ROOT = Path(__file__).parents[2]
DESIGNS = (Bureau(), Minimal())
ATTACKS = (Link(), Disclose())


@pytest.fixture(scope="module")
def society():
    return make_society(600, seed=4)


def run(society, designs=DESIGNS, capabilities=ATTACKS, **more):
    return measure(society, designs, Scorecard(method="woe"), seed=9, command="c", capabilities=capabilities, **more)


def without_times(ledger):
    plain = ledger.to_dict()
    del plain["meta"]["seconds"]
    for design in plain["designs"]:
        del design["us_per_person"]
    return json.dumps(plain)


class Counting(Link):
    """An attack that counts how often it is played, and may be interrupted."""

    def __init__(self, name="link", interrupt=False):
        super().__init__()
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "interrupt", interrupt)
        object.__setattr__(self, "played", 0)

    def __repr__(self):
        return "Counting()"

    def attack(self, knowledge, secret):
        if self.interrupt:
            raise KeyboardInterrupt
        object.__setattr__(self, "played", self.played + 1)
        return super().attack(knowledge, secret)


def test_one_seed_gives_one_ledger(society):
    assert without_times(run(society)) == without_times(run(society))


def test_a_design_gives_the_same_rows_whatever_ran_beside_it(society):
    both, alone = run(society), run(society, (Minimal(),))
    wanted = [(r.coalition, r.secret, r.advantage) for r in both.rows if r.design == "minimal"]
    assert wanted == [(r.coalition, r.secret, r.advantage) for r in alone.rows]


def test_loss_is_against_the_best_and_baseline_is_the_most_watching(society):
    ledger = run(society)
    assert min(design.auc_loss for design in ledger.designs) == 0.0
    assert ledger.meta["baseline"] == "bureau"
    assert {row.design for row in ledger.rows if row.certified_removal is not None} <= {"bureau", "minimal"}


def test_progress_ends_where_it_said_it_would(society):
    seen = []
    run(society, progress=lambda label, done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0
    assert len({done for done, _ in seen}) > 6  # an attack tells of its coalitions, too
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_finished_designs_are_found_again(society, tmp_path):
    first = Counting()
    fresh = run(society, capabilities=(first,), cache=Cache(tmp_path))
    again = Counting()
    found = run(society, capabilities=(again,), cache=Cache(tmp_path))
    assert first.played > 0
    assert again.played == 0
    assert without_times(fresh) == without_times(found)


def test_a_changed_design_costs_only_itself(society, tmp_path):
    run(society, capabilities=(Counting(),), cache=Cache(tmp_path))
    again = Counting()
    run(society, (Bureau(), Minimal(approve=0.6)), capabilities=(again,), cache=Cache(tmp_path))
    alone = Counting()
    run(society, (Minimal(approve=0.6),), capabilities=(alone,))
    assert 0 < again.played == alone.played


def test_other_people_or_seeds_are_not_found(society, tmp_path):
    run(society, capabilities=(Counting(),), cache=Cache(tmp_path))
    again = Counting()
    run(make_society(600, seed=5), capabilities=(again,), cache=Cache(tmp_path))
    assert again.played > 0


def test_an_interrupted_run_goes_on_with_the_attack_that_it_was_at(society, tmp_path):
    first = Counting()
    broken = Counting("second", interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        run(society, capabilities=(first, broken), cache=Cache(tmp_path))
    assert first.played > 0
    again, whole = Counting(), Counting("second")
    run(society, (Bureau(),), capabilities=(again, whole), cache=Cache(tmp_path))
    assert again.played == 0
    assert whole.played > 0


def test_a_broken_file_of_the_cache_is_no_part(society, tmp_path):
    run(society, cache=Cache(tmp_path))
    for file in tmp_path.iterdir():
        file.write_bytes(b"{")
    again = Counting()
    run(society, capabilities=(again,), cache=Cache(tmp_path))
    assert again.played > 0


def test_a_cache_that_cannot_be_written_says_so(society, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot keep results"):
        run(society, cache=Cache(tmp_path / "file"))


def parts_of(folder):
    return {file.name: file.stat().st_ino for file in folder.iterdir()}


def test_another_attack_costs_only_itself(society, tmp_path):
    run(society, capabilities=(Counting(),), cache=Cache(tmp_path))
    again = Counting()
    ledger = run(society, capabilities=(again, Disclose()), cache=Cache(tmp_path))
    assert again.played == 0
    assert ledger.find(capability="disclose")


def test_tidying_removes_parts_of_other_code_and_the_longest_unused(society, tmp_path):
    run(society, cache=Cache(tmp_path))
    own = parts_of(tmp_path)
    stranger = tmp_path / "notes.json"
    stranger.write_text("mine")
    other = tmp_path / f"{'0' * 16}-{'1' * 32}.json"
    other.write_text("{}")
    half, writing = (tmp_path / f".{name}.abc" for name in sorted(own)[:2])
    half.write_text("{")
    writing.write_text("{")
    os.utime(half, (0, 0))
    Cache(tmp_path).tidy()
    assert set(parts_of(tmp_path)) == {*own, stranger.name, writing.name}
    oldest = min(own)
    os.utime(tmp_path / oldest, (1, 1))
    whole = sum((tmp_path / name).stat().st_size for name in own)
    Cache(tmp_path).tidy(most_bytes=whole - 1)
    assert set(parts_of(tmp_path)) == {*own, stranger.name, writing.name} - {oldest}


def test_parts_are_their_owners_alone(society, tmp_path):
    run(society, (Bureau(),), cache=Cache(tmp_path))
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


KILLED = """
from pathlib import Path
from tests.core.test_frontier import Cache, make_society, run
run(make_society(600, seed=4), cache=Cache(Path({folder!r})))
"""


def test_a_killed_run_is_taken_up_and_gives_the_same_ledger(society, tmp_path):
    child = subprocess.Popen([sys.executable, "-c", KILLED.format(folder=str(tmp_path))], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("*.json"))) < 2 and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        child.kill()
        child.wait()
    saved = {name: inode for name, inode in parts_of(tmp_path).items() if name.endswith(".json")}
    assert len(saved) >= 2
    resumed = run(society, cache=Cache(tmp_path))
    assert without_times(resumed) == without_times(run(society))
    assert saved.items() <= parts_of(tmp_path).items()  # no part was written a second time


@pytest.mark.parametrize("designs", [(), (Bureau(), Bureau(approve=0.5))])
def test_no_design_or_one_twice_is_refused(society, designs):
    with pytest.raises(ParameterError, match="at least one design"):
        run(society, designs)


def test_the_code_is_part_of_the_key():
    assert code_fingerprint("blindscore") != code_fingerprint("json")
    assert len(code_fingerprint("blindscore")) == 64


def test_every_design_meets_every_coalition(society):
    ledger = run(society, capabilities=(Disclose(), Intercept()))
    assert {row.coalition for row in ledger.rows} >= {"scorer", "lender", "source", "observer", "scorer+state", "all"}
    assert np.isfinite([row.advantage for row in ledger.rows]).all()


def test_only_what_was_asked_is_played_and_gives_the_same_figures(society):
    whole = run(society)
    asked = [row for row in whole.rows if row.kind == PLAYED and row.secret == "name" and not row.same_as]
    some = run(society, wanted={key_of(row) for row in asked})
    assert len(some.rows) == len(asked) > 0
    figures = {key_of(row): (row.advantage, row.low, row.high, row.bound) for row in some.rows}
    assert figures == {key_of(row): (row.advantage, row.low, row.high, row.bound) for row in asked}


def test_a_mark_is_taken_back_where_another_seed_does_not_give_it(society):
    ledger = run(society, (Bureau(),))
    row = next(row for row in ledger.rows if row.kind == PLAYED and row.secret == "name" and not row.same_as)
    marked = replace(ledger, rows=(replace(row, removed=True),))
    told = []
    kept = hold(
        marked,
        (Bureau(),),
        Scorecard(method="woe"),
        [10, 11],
        lambda _: society,
        capabilities=ATTACKS,
        tell=told.append,
    )
    assert told == kept.meta["seeds"][1:] == [10, 11]
    assert [(row.removed, row.seeds) for row in kept.rows] == [(False, 2)]  # the bureau's records carry names
    assert [row.removed for row in hold(marked, (Bureau(),), Scorecard(), [], lambda _: society).rows] == [True]
