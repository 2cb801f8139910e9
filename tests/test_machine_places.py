"""On somebody's machine: nothing heavy for a word of help, no place to write to, nothing left behind, a polite end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import blindscore
from blindscore import threads
from tests.machine import FLOORS, MAIN, people, powerless, python

IMPORT_ALL = """
import importlib, pkgutil
for floor in ("blindscore", "blindscore_crypto", "blindscore_app"):
    for module in pkgutil.walk_packages(importlib.import_module(floor).__path__, floor + "."):
        importlib.import_module(module.name)
"""


@pytest.mark.parametrize(
    "code",
    [
        "import blindscore, blindscore_crypto, blindscore_app, sys",
        "import sys; sys.argv = ['blindscore', '--help']\n"
        "from blindscore_app.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass",
        "import sys; sys.argv = ['blindscore', '--version']\n"
        "from blindscore_app.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass",
    ],
    ids=["import", "--help", "--version"],
)
def test_nothing_heavy_is_loaded_for_nothing(code: str) -> None:
    heavy = "{'numpy', 'scipy', 'pandas', 'sklearn', 'numba', 'pyarrow', 'torch', 'tenseal', 'matplotlib', 'pydantic'}"
    done = python(f"{code}\nprint('heavy', sorted({heavy} & set(sys.modules)))")
    assert done.stdout.splitlines()[-1] == "heavy []", done.stderr


def test_version() -> None:
    done = python(MAIN, "--version")
    assert (done.returncode, done.stdout) == (0, f"blindscore {blindscore.__version__}\n")


def test_cores_where_the_system_has_no_affinity(monkeypatch) -> None:
    assert threads.cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert threads.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.cores() == 1


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach: pytest keeps its own for their owner alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_read_only_package_and_no_home_are_enough(open_folder: Path) -> None:
    before = powerless()
    if before is None:
        pytest.skip("root here can neither become nobody nor lay down its rights (needs setpriv of util-linux)")
    package, work = open_folder / "package", open_folder / "work"
    for floor in FLOORS:
        shutil.copytree(floor, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    file, schema = people(open_folder)
    card = open_folder / "card.json"
    assert python(MAIN, "fit", file, "--schema", schema, "--out", card).returncode == 0
    work.mkdir()
    work.chmod(0o777)
    for path in (package, *package.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    environment = {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none", "TMPDIR": str(work)}
    code = "import sys, blindscore; assert sys.argv[1] in blindscore.__file__; sys.argv.pop(1)\n"
    try:
        command = ("score", card, file, "--out", work / "scores.csv")
        done = python(code + MAIN, package, *command, sources=package, before=before, **environment)
        assert done.returncode == 0, done.stderr
        every = python(IMPORT_ALL, sources=package, before=before, **environment)
        assert every.returncode == 0, every.stderr
    finally:
        for path in (package, *package.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
    assert sorted(path.name for path in work.iterdir()) == ["scores.csv"]
    assert not list(package.rglob("*.nbi"))


def test_no_import_leaves_a_file_behind(tmp_path: Path) -> None:
    code = (
        "import sys, tempfile; assert tempfile.gettempdir() == sys.argv[1]\n"
        "from blindscore_crypto.sealed.groups.ristretto import ristretto255\n"
        "print(len(ristretto255().base_mul(7)), 'rbcl' in sys.modules)\n"
    )
    done = python(IMPORT_ALL + code, tmp_path, TMPDIR=str(tmp_path))
    assert done.stdout.split() == ["32", "True"], done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_command_leaves_a_file_behind(tmp_path: Path) -> None:
    scratch, work = tmp_path / "tmp", tmp_path / "work"
    scratch.mkdir()
    work.mkdir()
    file, schema = people(tmp_path)
    card, out = work / "card.json", work / "out"
    few = ("--quick", "--designs", "minimal", "--no-cache")
    for command in (
        ("fit", file, "--schema", schema, "--out", card),
        ("score", card, file, "--out", work / "scores.csv"),
        ("explain", card, file, "--row", 3),
        ("frontier", "--people", 200, *few, "--out", out),
        ("report", out / "ledger.json", "--out", work / "report.html"),
        ("--version",),
    ):
        done = python(MAIN, *command, TMPDIR=str(scratch))
        assert done.returncode == 0, done.stderr
    assert list(scratch.rglob("*")) == []
    assert [path.name for path in work.rglob(".*")] == []


def test_sigterm_cleans_up_as_ctrl_c_does(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from blindscore_app import cli; from blindscore_app.files.safely import replacing\n"
        "@cli.app.command()\n"
        "def wait(out: Path) -> None:\n"
        "    with replacing(out) as temporary:\n"
        "        print(temporary.exists(), flush=True)\n"
        "        time.sleep(600)\n"
        "cli.main()\n"
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-c", code, "wait", tmp_path / "out.csv"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, FLOORS))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        process.send_signal(number)
        _, said = process.communicate()
        assert process.returncode == 128 + number
        assert said == "blindscore: interrupted; no file was left half-written\n"
        assert list(tmp_path.iterdir()) == []
