"""What is handed out: wheel and source archive, whole, the same bytes each time, fit to run away from the sources."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import blindscore
from tests.app.conftest import make_ledger
from tests.machine import MAIN, ROOT, people, python

pytest.importorskip("build", reason="the package build is not installed")


def build(out: Path) -> dict[str, str]:
    """Build both archives; return the SHA-256 of each by name."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(
        command, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build(out)
    return out


def test_the_same_sources_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert again == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built.iterdir()}
    assert {name.partition("-")[2].split("-")[0].removesuffix(".tar.gz") for name in again} == {blindscore.__version__}


def test_the_wheel_holds_every_file_of_the_three_floors_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(["git", "ls-files", "core", "crypto", "app"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode or not tracked.stdout:
        pytest.skip("not a git checkout")
    inside = {line.partition("/")[2] for line in tracked.stdout.splitlines()}
    assert {name for name in inside if name.startswith("blindscore")} <= names
    assert {name.partition("/")[0] for name in names} == {"blindscore", "blindscore_crypto", "blindscore_app"}
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc"))]


def test_the_source_archive_holds_what_a_build_and_the_tests_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "constraints.txt", "tests/machine.py", "Makefile"} <= names
    assert not [name for name in names if name.startswith((".venv", "out/", "dist/"))]


def test_the_unpacked_wheel_runs_away_from_the_sources(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    file, schema = people(tmp_path)
    card, ledger = tmp_path / "card.json", tmp_path / "ledger.json"
    assert python(MAIN, "fit", file, "--schema", schema, "--out", card).returncode == 0
    ledger.write_text(make_ledger().to_json())
    code = "import sys, blindscore; assert sys.argv.pop(1) in blindscore.__file__, blindscore.__file__\n"
    for command in (  # none that waits for kernels to be compiled; those are tried by `make fresh`
        ("--version",),
        ("explain", card, file, "--row", 3),
        ("report", ledger, "--out", tmp_path / "report.html"),  # with its templates
    ):
        done = python(code + MAIN, installed, *command, sources=installed)
        assert done.returncode == 0, done.stderr
