"""Engine ``dask``: the same results on processes that die, over links that strangers cannot use."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from blindscore.errors import DataError, ParameterError
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.attacks.profile import Profile
from blindscore_app.scale.cluster import Cluster, connected, run_on
from blindscore_app.scale.manifest import Done
from blindscore_app.scale.tasks import Engine, Task, local, run
from tests.app.conftest import Run, leftovers
from tests.app.scale_world import make_card, make_parts, make_people, nothing, slow_tasks, visible

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with connected(Cluster(workers=2)) as client:
        yield client


def test_killed_workers_lose_nothing_and_double_nothing(client: Any, tmp_path: Path) -> None:
    tasks, manifest = slow_tasks(tmp_path, 24), tmp_path / "out/manifest.json"
    killed: list[int] = []

    def murderous(given: Sequence[Task]) -> Iterator[Done]:
        for k, done in enumerate(run_on(client, given)):
            if k in (1, 8, 15):
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[-1], signal.SIGKILL)
            yield done

    ran = run(tasks, murderous, manifest, nothing, "slow")
    assert len(set(killed)) == 3
    assert [done.name for done in ran.results] == [task.name for task in tasks]
    for k in range(len(tasks)):
        assert (tmp_path / f"out/{k}.txt").read_text() == f"{k}," * 2 * 999
    assert len(visible(tmp_path / "out")) == 24
    begun = [len((tmp_path / f"log/{k}").read_text()) for k in range(24)]
    assert sum(begun) > 24  # somebody died over a task, and it was begun anew
    assert leftovers(tmp_path) == []
    assert run(tasks, local, manifest, nothing, "again").kept == 24


def await_tidy(folder: Path) -> None:
    """Wait for tasks that were at work when another failed: each ends and takes its temporary file with it."""
    deadline = time.monotonic() + 60
    while leftovers(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert leftovers(folder) == []


def test_a_task_that_fails_is_told_and_what_was_done_stays(client: Any, tmp_path: Path) -> None:
    from blindscore_app.files.people import wanted
    from blindscore_app.scale.score import partitions, score_tasks

    want = wanted(make_card(tmp_path / "card.json"))
    make_parts(tmp_path / "in", 6)
    (tmp_path / "in/part-003.parquet").unlink()
    (tmp_path / "in/part-003.csv").write_text("age,income,purpose\nsecret,1,car\n")
    out = tmp_path / "out"
    out.mkdir()
    tasks = score_tasks(*partitions(tmp_path / "in"), want, out, ".parquet")
    with pytest.raises(DataError, match=r"part-003.csv: column 'age', line 2: not a number") as refused:
        run(tasks, lambda given: run_on(client, given), out / "manifest.json", nothing, "scoring")
    assert "secret" not in str(refused.value)
    assert "part-003.parquet" not in visible(out)
    await_tidy(out)
    (tmp_path / "in/part-003.csv").write_text("age,income,purpose\n1,1,car\n")
    ran = run(tasks, lambda given: run_on(client, given), out / "manifest.json", nothing, "scoring")
    assert len(ran.results) == len(visible(out)) == 6


def test_encrypted_portfolios_give_the_same_scores_on_either_engine_and_outlive_a_worker(
    client: Any, tmp_path: Path
) -> None:
    from blindscore_app.scale import portfolio
    from blindscore_crypto.encrypted.batch.portfolio import without_points

    card, key, files = make_card(tmp_path / "card.json"), os.urandom(32), 4
    (tmp_path / "people").mkdir()
    for k in range(files):
        make_people(15, k).to_parquet(tmp_path / f"people/{k}.parquet")
    killed: list[int] = []

    def murderous(given: Sequence[Task]) -> Iterator[Done]:
        for done in run_on(client, given):
            if not killed:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)
            yield done

    def scores(engine: Engine, folder: Path) -> dict[str, str]:
        places = {name: folder / name for name in ("blocks", "answers", "totals", "scores")}
        for place in places.values():
            place.mkdir(parents=True)
        blocks, answers, totals, settled = places.values()
        blank = without_points(card)
        for place, make in (
            (blocks, lambda: portfolio.encrypt_tasks(tmp_path / "people", blank, key, blocks)),
            (answers, lambda: portfolio.evaluate_tasks(blocks, card, answers)),
            (totals, lambda: portfolio.open_tasks(answers, blank, key, totals)),
            (settled, lambda: portfolio.settle_tasks(totals, answers, card, settled)),
        ):
            ran = run(make(), engine, place / "manifest.json", nothing, place.name)
            assert sum(done.facts["people"] for done in ran.results) == files * 15
        assert leftovers(folder) == []
        return visible(settled)

    there = scores(murderous, tmp_path / "dask")
    assert len(killed) == 1
    assert len(there) == files
    assert there == scores(local, tmp_path / "local")
    for k in range(files):
        table = make_people(15, k)
        got = pd.read_parquet(tmp_path / f"dask/scores/{k}.parquet")["score"]
        np.testing.assert_array_equal(got, card.scores(card.bins(table)))
    for path in tmp_path.rglob("manifest.json"):
        assert key.hex() not in path.read_text()


def test_a_frontier_measured_on_a_cluster_has_the_same_rows(
    run: Run, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blindscore_app.commands import measure
    from blindscore_app.report import html, picture

    monkeypatch.setattr(html, "render_page", lambda ledger: "")  # only the ledger is on trial
    monkeypatch.setattr(picture, "draw_frontier", lambda ledger: b"")
    monkeypatch.setattr(measure, "choose_engine", lambda *_: partial(run_on, client))  # it has started already
    for slow in (Profile, Intercept):
        monkeypatch.setattr(slow, "quick", False)
    asked = ("frontier", "--people", 200, "--seed", 3, "--designs", "platform,bureau", "--quick", "--json", "--out")
    here = json.loads(run(*asked, tmp_path / "local").out)
    answer = run(*asked, tmp_path / "dask", "--engine", "dask")
    assert answer.status == 0, answer.err
    there = json.loads(answer.out)
    assert there["rows"] == here["rows"]
    assert len(here["rows"]) > 50
    for ledger in (here, there):
        for design in ledger["designs"]:
            del design["us_per_person"]  # the one thing measured by the clock
    assert there["designs"] == here["designs"]
    assert answer.err.count("as before") == 2  # nothing was left for this process to measure
    assert run(*asked, tmp_path / "none", "--engine", "dask", "--no-cache").refused()
    assert leftovers(tmp_path) == []


def test_the_scheduler_speaks_to_nobody_without_its_certificate(client: Any) -> None:
    address = client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    other = distributed.Security.temporary()
    for stranger, where in (("tcp", address.replace("tls://", "tcp://")), (other, address)):
        with pytest.raises((OSError, TimeoutError, RuntimeError)):
            distributed.Client(where, security=None if stranger == "tcp" else stranger, timeout=2)
    line = socket.create_connection(address.removeprefix("tls://").rsplit(":", 1), 2)
    with line, contextlib.suppress(OSError):  # a stranger who keeps to no setting, and speaks without encryption
        line.sendall(bytes(64))
        line.settimeout(5)
        assert line.recv(64)[:1] in (b"", b"\x15")  # closed, or a TLS alert
    client.wait_for_workers(2, timeout=60)  # one that an earlier test killed comes back in its own time
    workers = client.scheduler_info(n_workers=-1)["workers"]
    assert len(workers) == 2
    assert all(worker.startswith("tls://127.0.0.1:") for worker in workers)


def test_no_port_answers_a_browser(client: Any) -> None:
    services = client.scheduler_info()["services"]
    for port in services.values():
        with socket.create_connection(("127.0.0.1", port), 2) as line:
            line.sendall(b"GET /info/main/workers.html HTTP/1.0\r\n\r\n")
            assert b"404" in line.recv(64)


def test_the_command_gives_the_same_hash_on_either_engine(run: Run, tmp_path: Path) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 5)
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--id", "unused", "--json", "--out")
    here = json.loads(run(*asked, tmp_path / "local").out)
    there = json.loads(run(*asked, tmp_path / "dask", "--engine", "dask", "--workers", 2).out)
    assert here["sha256"] == there["sha256"]
    assert visible(tmp_path / "local") == visible(tmp_path / "dask")


def test_only_an_encrypted_scheduler_is_accepted(run: Run, tmp_path: Path) -> None:
    make_card(tmp_path / "card.json")
    make_parts(tmp_path / "in", 2)
    asked = ("score", tmp_path / "card.json", tmp_path / "in", "--out", tmp_path / "out")
    pem = tmp_path / "some.pem"
    pem.write_text("no certificate")
    three = ("--tls-ca", pem, "--tls-cert", pem, "--tls-key", pem)
    for wrong in (
        ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", *three),
        ("--engine", "dask", "--scheduler", "tls://127.0.0.1:1"),
        ("--engine", "dask", "--scheduler", "tls://127.0.0.1:1", *three),
        ("--engine", "dask", *three),
        ("--workers", 2),
        ("--engine", "spark"),
    ):
        assert run(*asked, *wrong).refused(), wrong
    assert not (tmp_path / "out").exists() or visible(tmp_path / "out") == {}
    with pytest.raises(ParameterError, match="no such file"):
        Cluster(0, "tls://127.0.0.1:1", tmp_path / "none", pem, pem)
