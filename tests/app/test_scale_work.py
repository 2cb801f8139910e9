"""Plans, and the heavy work that runs as tasks: encrypted portfolios and a frontier's designs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.people.society import make_society
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore.surveillance.cache import Cache
from blindscore.surveillance.frontier import measure
from blindscore_app.scale import portfolio
from blindscore_app.scale.frontier import design_tasks
from blindscore_app.scale.plan import Rates, measure_here, peak_memory, plan, to_dict
from blindscore_app.scale.tasks import Task, local, run
from blindscore_crypto.encrypted.batch.portfolio import without_points
from tests.app.conftest import Run, leftovers, quick_capabilities
from tests.app.scale_world import make_card, make_people, nothing

RATES = Rates("made-up", {"source": 1500.0, "lender": 500.0}, 900, 100, 0, 50, 3 * 10**8, 16)


def test_a_plan_is_linear_in_people_but_for_memory() -> None:
    one, many = plan(RATES, 1_000_000, 4), plan(RATES, 1_400_000_000, 4)
    assert one.core_hours == pytest.approx(1e6 * 2e-3 / 3600)
    for name in ("core_hours", "machine_hours", "wire_bytes", "storage_bytes"):
        assert getattr(many, name) == pytest.approx(1400 * getattr(one, name))
    assert many.machine_hours == pytest.approx(many.core_hours / 4)
    assert many.memory_bytes == one.memory_bytes == 12 * 10**8
    assert to_dict([one], 4)["assumptions"]
    for people, cores in ((0, 1), (10**13, 1), (1, 0)):
        with pytest.raises(ParameterError, match="--people must be 1 to 1e12, and --cores at least 1"):
            plan(RATES, people, cores)


def test_a_plan_rests_on_what_the_design_takes() -> None:
    """The protocol itself, timed from outside, takes about what the plan's rate says."""
    from blindscore.parties.cast import play
    from blindscore.parties.store import MemoryStore
    from blindscore_crypto.designs.encrypted import Encrypted, cast
    from blindscore_crypto.designs.executed import legal_ids, records_of

    rates = measure_here("encrypted", people=400)
    society = make_society(people=400, seed=2)
    few = Encrypted(sample=4).run(society, Scorecard(), np.random.default_rng(2))
    people = np.arange(24)
    records = records_of(society, few.card.features, people)
    parties = cast(few.card, few.threshold, records, lambda name: MemoryStore())
    named = dict(enumerate(legal_ids(society)[people]))
    play(parties, {i: named[i] for i in (0, 1)})
    start = time.process_time()
    play(parties, {i: named[i] for i in range(2, 24)})
    outside = 1e6 * (time.process_time() - start) / 22
    assert 2 / 3 < sum(rates.us_per_person.values()) / outside < 3 / 2
    assert rates.real_runs == 16
    assert rates.bytes_up == few.costs.bytes_up > 0
    assert rates.stored_bytes > rates.bytes_up  # the lender keeps the ciphertext and the score


def test_a_process_counts_its_own_memory_and_not_that_of_the_one_that_started_it() -> None:
    held = bytearray(400 * 2**20)
    code = "from blindscore_app.scale.plan import peak_memory; print(peak_memory())"
    child = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert int(child.stdout) < len(held) < peak_memory()


def test_the_command_refuses_what_cannot_be_planned(run: Run) -> None:
    for people in ("0", "1.5", "nan", "1e13", "many"):
        assert run("plan", "--people", people, "--design", "bureau").refused()
    assert run("plan", "--people", "1e6", "--design", "nothing").refused()


def test_the_command_says_hours_bytes_and_assumptions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from blindscore_app.scale import plan as planner

    monkeypatch.setattr(planner, "measure_apart", lambda design: RATES)
    said = json.loads(run("plan", "--people", "1.4e9", "--design", "encrypted", "--cores", 64, "--json").out)
    assert said["plans"][0]["people"] == 1_400_000_000
    assert said["plans"][0]["machine_hours"] == pytest.approx(1.4e9 * 2e-3 / 3600 / 64)
    assert said["cores"] == 64
    shown = run("plan", "--people", "1.4e9", "--design", "encrypted", "--cores", 64).out
    assert "1,400,000,000 people" in shown
    assert "1.4 TB" in shown
    assert all(line[:40] in shown for line in said["assumptions"])


def _all(tasks: list[Task], folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    ran = run(tasks, local, folder / "manifest.json", nothing, "step")
    assert sum(done.facts["people"] for done in ran.results) == 30
    return ran.kept


def test_encrypted_portfolios_go_through_all_four_steps_file_by_file(tmp_path: Path) -> None:
    card: Card = make_card(tmp_path / "card.json")
    blank, key = without_points(card), os.urandom(32)
    (tmp_path / "people").mkdir()
    people = [make_people(15, seed) for seed in (1, 2)]
    for k, table in enumerate(people):
        table.to_parquet(tmp_path / f"people/{k}.parquet")
    places = {name: tmp_path / name for name in ("people", "blocks", "answers", "totals", "scores")}

    def steps(key: bytes) -> list[int]:
        return [
            _all(portfolio.encrypt_tasks(places["people"], blank, key, places["blocks"]), places["blocks"]),
            _all(portfolio.evaluate_tasks(places["blocks"], card, places["answers"]), places["answers"]),
            _all(portfolio.open_tasks(places["answers"], blank, key, places["totals"]), places["totals"]),
            _all(portfolio.settle_tasks(places["totals"], places["answers"], card, places["scores"]), places["scores"]),
        ]

    assert steps(key) == [0, 0, 0, 0]
    for k, table in enumerate(people):
        got = pd.read_parquet(places["scores"] / f"{k}.parquet")["score"]
        np.testing.assert_array_equal(got, card.scores(card.bins(table)))
    assert steps(key) == [2, 2, 2, 2]
    (places["answers"] / "0" / portfolio.MASKS).unlink()  # the replies are of no use without
    assert steps(key) == [2, 1, 1, 1]
    assert steps(os.urandom(32)) == [0, 0, 0, 0]
    for path in tmp_path.rglob("manifest.json"):
        assert key.hex() not in path.read_text()
    assert leftovers(tmp_path) == []
    with pytest.raises(DataError, match="step before"):
        portfolio.open_tasks(tmp_path / "people", blank, key, tmp_path)


def test_designs_measured_as_tasks_give_the_same_ledger_rows(tmp_path: Path) -> None:
    from blindscore.designs.registry import load_designs

    designs = [design for name, design in load_designs().items() if name in ("bureau", "minimal")]
    society, attacks = make_society(people=300, seed=3), quick_capabilities()
    tasks = design_tasks(300, 3, "independent", designs, attacks, tmp_path)
    ran = run(tasks, local, tmp_path / "manifest.json", nothing, "designs")
    assert run(tasks, local, tmp_path / "manifest.json", nothing, "designs").kept == 2

    def ledger(cache: Cache | None) -> object:
        return measure(society, designs, Scorecard(), seed=3, command="", capabilities=attacks, cache=cache)

    parts = sorted(path.name for path in tmp_path.glob("*.json"))
    filled, plain = ledger(Cache(tmp_path)), ledger(None)
    assert filled.rows == plain.rows  # type: ignore[attr-defined]
    assert sum(done.facts["rows"] for done in ran.results) == len(plain.rows)  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == parts  # nothing was measured again
