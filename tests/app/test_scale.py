"""Many files: one result each, a manifest, and a second run that does only what is missing; nothing is half there."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.scorecard.forms.json import save_card
from blindscore_app.scale.tasks import Task, hash_of, local, perform, run
from tests.app.conftest import Run, leftovers
from tests.app.scale_world import make_card, make_parts, make_people, nothing, slow_tasks, visible

CLI = [sys.executable, "-m", "blindscore_app.cli"]


def test_every_file_gets_its_result_and_columns_are_matched_by_name(run: Run, tmp_path: Path) -> None:
    card, tables = make_card(tmp_path / "card.json"), make_parts(tmp_path / "in", 5)
    for ignored in ("in/_SUCCESS", "in/_tmp/part.csv", "in/.hidden.csv", "in/readme.txt"):
        (tmp_path / ignored).parent.mkdir(exist_ok=True)
        (tmp_path / ignored).write_text("no people")
    said = json.loads(run("score", tmp_path / "card.json", tmp_path / "in", "--out", tmp_path / "out", "--json").out)
    assert (said["people"], said["files"], said["kept"]) == (2500, 5, 0)
    assert set(visible(tmp_path / "out")) == {f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        got = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        np.testing.assert_array_equal(got["score"], card.scores(card.bins(table)))
        assert got["row"].tolist() == list(range(500))
    pattern = run("score", tmp_path / "card.json", tmp_path / "in/*.csv", "--out", tmp_path / "csv", "--to", "csv")
    assert pattern.status == 0, pattern.err
    assert set(visible(tmp_path / "csv")) == {"part-000.csv", "part-002.csv"}


def test_a_second_run_does_what_is_missing_changed_or_damaged_and_nothing_else(run: Run, tmp_path: Path) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 6)
    out = tmp_path / "out"

    def again() -> tuple[int, str]:
        answer = run("score", tmp_path / "card.json", tmp_path / "in", "--out", out, "--json")
        said = json.loads(answer.out)
        return said["kept"], said["sha256"]

    first = again()[1]
    assert again() == (6, first)
    (out / "part-000.parquet").unlink()
    (out / "part-001.parquet").write_bytes(b"damaged")
    assert again() == (4, first)
    (tmp_path / "in/part-002.csv").touch()  # a new time, the same content: not scored again
    assert again() == (6, first)
    make_people(500, 99).to_parquet(tmp_path / "in/part-003.parquet")
    kept, changed = again()
    assert kept == 5
    assert changed != first
    (out / "manifest.json").write_text("[" * 100_000)  # a manifest that cannot be read says nothing
    assert again() == (0, changed)
    assert leftovers(tmp_path) == []


def test_another_card_scores_everything_anew(run: Run, tmp_path: Path) -> None:
    make_parts(tmp_path / "in", 3)
    card = make_card(tmp_path / "card.json")
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--out", tmp_path / "out", "--json")
    first = json.loads(run(*asked).out)
    assert json.loads(run(*asked, "--id", "unused").out)["kept"] == 0
    save_card(replace(card, base=card.base + 1), tmp_path / "card.json")
    assert json.loads(run(*asked).out)["kept"] == 0
    save_card(card, tmp_path / "card.json")
    assert json.loads(run(*asked).out)["kept"] == 0
    assert json.loads(run(*asked).out)["sha256"] == first["sha256"]


SPOILT = {
    "column missing": (lambda table: table.drop(columns="income"), "columns missing: income"),
    "text for a number": (lambda table: table.assign(income="much"), "'income', row 0 (and 499 more): not a number"),
    "dates for a number": (lambda table: table.assign(income=pd.Timestamp("2020-01-01")), "found timestamp"),
    "lists for a number": (lambda table: table.assign(income=[[1.0]] * len(table)), "found list"),
    "numbers for a category": (lambda table: table.assign(purpose=1.5), "a category that the scorecard does not know"),
    "infinity": (lambda table: table.assign(age=np.float32(np.inf)), "infinity"),
    "no rows": (lambda table: table.iloc[:0], "no rows"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_partition_of_another_schema_is_named_and_its_old_result_stays(run: Run, tmp_path: Path, what: str) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 4)
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--out", tmp_path / "out")
    assert run(*asked).status == 0
    before = visible(tmp_path / "out")
    spoil, message = SPOILT[what]
    spoil(make_people(500, 1)).to_parquet(tmp_path / "in/part-001.parquet")
    answer = run(*asked)
    assert answer.refused()
    assert "part-001.parquet" in answer.err
    assert message in answer.err
    assert "much" not in answer.err
    assert visible(tmp_path / "out") == before
    assert leftovers(tmp_path) == []


def test_inputs_and_outputs_that_would_clash_are_refused(run: Run, tmp_path: Path) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 2)
    for out in (tmp_path / "in", tmp_path / "in/scores", tmp_path / "card.json", "/proc/none"):
        assert run("score", tmp_path / "card.json", tmp_path / "in", "--out", out).refused()
    (tmp_path / "empty").mkdir()
    for none in (tmp_path / "empty", tmp_path / "in/*.pq"):
        assert run("score", tmp_path / "card.json", none, "--out", tmp_path / "out").refused()
    make_people(5, 1).to_parquet(tmp_path / "in/part-000.parquet")  # beside part-000.csv
    answer = run("score", tmp_path / "card.json", tmp_path / "in", "--out", tmp_path / "out")
    assert answer.refused()
    assert "one name" in answer.err
    assert visible(tmp_path / "out") == {}


def test_one_run_at_a_time_writes_into_a_folder(tmp_path: Path) -> None:
    tasks = slow_tasks(tmp_path, 2)
    manifest = tmp_path / "out/manifest.json"

    def intruding(given: list[Task]) -> object:
        with pytest.raises(DataError, match="another run"):
            run(tasks, local, manifest, nothing, "second")
        return local(given)

    assert len(run(tasks, intruding, manifest, nothing, "first").results) == 2  # type: ignore[arg-type]
    assert run(tasks, local, manifest, nothing, "third").kept == 2
    with pytest.raises(ParameterError, match="one name"):
        run([tasks[0], tasks[0]], local, manifest, nothing, "twice")


def test_a_run_sweeps_away_what_somebody_died_over_and_nothing_else(tmp_path: Path) -> None:
    tasks, out = slow_tasks(tmp_path, 1), tmp_path / "out"
    litter = [".0.txt.abcdefg1", ".0.txt.abcdefg2.part", "..0.txt.abcdefg4.hijklmn5"]  # the last: one beside another
    others = [".1.txt.abcdefg1", ".0.txt", ".0.txt.swp", "0.txt.abcdefg1", "..1.txt.abcdefg4.hijklmn5"]
    for name in (*litter, *others):
        (out / name).write_text("half")
    (out / ".0.txt.abcdefg3").mkdir()
    run(tasks, local, out / "manifest.json", nothing, "")
    assert {path.name for path in out.iterdir()} == {"0.txt", "manifest.json", *others}


def _touching(path: Path, temporary: Path) -> dict[str, int]:
    temporary.write_text(path.read_text())
    path.write_text("changed while it was read")
    return {}


def test_an_input_that_changes_while_it_is_read_gives_no_result(tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("as it was")
    with pytest.raises(DataError, match="changed while"):
        perform(Task("a", target, "v1", (source,), partial(_touching, source)))
    assert not target.exists()
    assert leftovers(tmp_path) == []


def _pair(text: str, temporary: Path) -> dict[str, int]:
    for name in ("one", "two"):
        (temporary / name).write_text(text + name)
    return {}


def test_a_folder_is_a_result_like_a_file(tmp_path: Path) -> None:
    target, manifest = tmp_path / "pair", tmp_path / "manifest.json"
    for text in ("first", "second"):
        ran = run([Task("pair", target, text, (), partial(_pair, text), True)], local, manifest, nothing, "")
        assert (target / "two").read_text() == f"{text}two"
        assert ran.results[0].sha256 == hash_of(target)
    (target / "one").unlink()
    again = run([Task("pair", target, "second", (), partial(_pair, "second"), True)], local, manifest, nothing, "")
    assert again.kept == 0
    assert len(list(target.iterdir())) == 2
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_killed_driver_loses_nothing_and_the_next_run_goes_on(run: Run, tmp_path: Path, engine: str) -> None:
    if engine == "dask":
        pytest.importorskip("distributed")
    parts = 40
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", parts, rows=200)
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--json", "--out")
    whole = json.loads(run(*asked, tmp_path / "whole").out)
    reference, out = visible(tmp_path / "whole"), tmp_path / "out"
    where = ["--engine", "dask", "--workers", "2"] if engine == "dask" else []
    driver = subprocess.Popen(
        [*CLI, *map(str, asked), out, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    family: list[int] = []
    while driver.poll() is None and (len(visible(out)) < 4 or not (out / "manifest.json").exists()):
        family = _children(driver.pid) or family
        time.sleep(0.002)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    seen = visible(out)
    assert 4 <= len(seen) < parts  # it was in mid-run
    assert seen.items() <= reference.items()  # what a reader sees is whole
    until = time.monotonic() + 30
    while any(_alive(child) for child in family):
        assert time.monotonic() < until, "workers outlive their driver"
        time.sleep(0.05)
    resumed = json.loads(run(*asked, out).out)
    assert 1 <= resumed["kept"] < parts
    assert resumed["sha256"] == whole["sha256"]
    assert visible(out) == reference
    assert leftovers(out) == []


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _full(run: Run, tmp_path: Path, out: Path, limit: int | None) -> None:
    """Score into a place that is too small for the large part, then with room."""
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 5, rows=100)
    make_people(60_000, 7).to_parquet(tmp_path / "in/part-002.parquet")
    (tmp_path / "in/part-002.csv").unlink()
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--to", "csv", "--json", "--out")

    def bounded() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    child = subprocess.run([*CLI, *map(str, asked), out], capture_output=True, text=True, preexec_fn=bounded)
    assert child.returncode == 2
    assert "part-002.csv" in child.stderr
    assert "space left" in child.stderr
    assert "Traceback" not in child.stderr
    assert leftovers(out) == []
    reference = json.loads(run(*asked, tmp_path / "whole").out)
    seen = visible(out)
    assert set(seen) == {"late/part-004.csv", "part-000.csv", "part-001.csv"}  # what was done before it
    assert seen.items() <= visible(tmp_path / "whole").items()
    if limit is None:
        subprocess.run(["mount", "-o", "remount,size=64m", out], check=True)
    resumed = json.loads(run(*asked, out).out)
    assert resumed["kept"] == 3
    assert resumed["sha256"] == reference["sha256"]


def test_a_file_size_limit_leaves_no_partial_result(run: Run, tmp_path: Path) -> None:
    _full(run, tmp_path, tmp_path / "out", 200_000)


def test_a_full_disk_leaves_no_partial_result(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", out], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system of its own needs root")
    try:
        _full(run, tmp_path, out, None)
    finally:
        subprocess.run(["umount", "-l", out], check=True)


PEAK = """
import sys
from pathlib import Path
from blindscore.scorecard.forms.json import load_card
from blindscore.people.files import blocks as blocks_in
from blindscore.people.files.kinds import KINDS
from blindscore_app.scale.plan import peak_memory
from blindscore_app.files.score_file import score_file
from blindscore_app.files.people import wanted
blocks_in.BATCH_BYTES, blocks_in.SPAN_ROWS = 2**20, 100_000  # so that the smaller file fills all that is held at once
score_file(Path(sys.argv[2]), wanted(load_card(Path(sys.argv[1]))), Path(sys.argv[3]), KINDS['.parquet'])
print(peak_memory())
"""


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    make_card(tmp_path / "card.json")
    table = make_people(200_000, 1).drop(columns="unused")
    peak = {}
    for times in (1, 10):
        file = tmp_path / f"{times}.{kind}"
        if kind == "csv":
            text = table.to_csv(index=False)
            with file.open("w") as out:
                out.write(text)
                for _ in range(times - 1):
                    out.write(text.partition("\n")[2])
        else:
            pd.concat([table] * times).to_parquet(file, row_group_size=25_000)
        child = subprocess.run(
            [sys.executable, "-c", PEAK, tmp_path / "card.json", file, tmp_path / "scores"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        peak[times] = int(child.stdout)
    assert peak[10] / peak[1] < 1.06, peak
