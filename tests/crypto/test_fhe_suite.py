"""The workload for the FHE suite: every entry is exact, and a wrong or a cheating one fails the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[2] / "benchmarks" / "fhe_suite"
RUN = """
import sys
sys.path.insert(0, {harness!r})
import run_submission, workload
from pathlib import Path
workload.ROOT = run_submission.ROOT = Path({root!r})
run_submission.folder = workload.folder = lambda size: Path({root!r}) / "io" / str(size)
print(run_submission.run({name!r}, 0)["people"])
"""
CLIENT = """
import sys, numpy as np
from pathlib import Path
place = Path(__file__).parents[2] / "io" / sys.argv[2]
stage = sys.argv[1]
(place / "secret").mkdir(exist_ok=True)
"""


def run(root: Path, name: str) -> subprocess.CompletedProcess[str]:
    code = RUN.format(harness=str(SUITE / "harness"), root=str(root), name=name)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def entry(root: Path, stages: str) -> None:
    place = root / "submissions" / "mine"
    place.mkdir(parents=True)
    (place / "stages.py").write_text(CLIENT + stages)


@pytest.mark.parametrize("name", ["blindscore", "tenseal"])
def test_an_entry_is_exact_through_its_stages(name: str) -> None:
    pytest.importorskip("tenseal")
    told = subprocess.run(
        [sys.executable, str(SUITE / "harness" / "run_submission.py"), name, "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "1 people, all exact" in told.stdout


def test_a_wrong_total_fails_the_run(tmp_path: Path) -> None:
    entry(tmp_path, 'if stage == "client_decrypt_decode": np.save(place / "totals.npy", np.array([0]))\n')
    told = run(tmp_path, "mine")
    assert "1 of 1 totals are wrong" in told.stderr
    assert told.returncode


def test_a_server_that_reads_the_people_in_the_clear_fails_the_run(tmp_path: Path) -> None:
    entry(tmp_path, 'if stage == "server_encrypted_compute": np.load(place / "dataset" / "bins.npy")\n')
    told = run(tmp_path, "mine")
    assert "server_encrypted_compute ended with status" in told.stderr
    assert told.returncode
