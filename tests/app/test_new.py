"""Packages to begin with: they are the worked examples under another name, and pass as they are written."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from blindscore.errors import ParameterError
from blindscore_app.entry.new import What, files_of, render
from tests.app.conftest import Run

PLUGINS = Path(__file__).parents[1] / "plugins"
EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"


@pytest.mark.parametrize(("what", "name"), [(What.DESIGN, "coin"), (What.ATTACK, "company")])
def test_the_template_is_the_worked_example(what: What, name: str) -> None:
    words = {"name": name, "module": name, "kind": name.capitalize(), "what": what.value}
    assert render(f"{what.value}/module.py.j2", words).decode() == (PLUGINS / f"{name}.py").read_text()


@pytest.mark.parametrize("what", list(What))
def test_a_new_package_passes_its_own_test(what: What, run: Run, tmp_path: Path) -> None:
    assert run("new", what.value, "my-own", "--out", tmp_path / "p").status == 0
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "p")],
        cwd=tmp_path / "p",
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    if what is not What.DATASET:
        project = tomllib.loads((tmp_path / "p" / "pyproject.toml").read_text())["project"]
        ((group, points),) = project["entry-points"].items()
        assert group == {What.DESIGN: "blindscore.designs", What.ATTACK: "blindscore.capabilities"}[what]
        assert points == {"my-own": "my_own:MyOwn"}


@pytest.mark.parametrize("name", ["banded", "german-short-loans", "number-alone"])
def test_an_example_package_keeps_its_own_tests(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = EXAMPLES / name
    monkeypatch.syspath_prepend(str(folder))
    tests = import_module(f"test_{name.replace('-', '_')}")
    held = [check for what, check in vars(tests).items() if what.startswith("test_")]
    assert len(held) == {"banded": 3, "german-short-loans": 1, "number-alone": 2}[name]
    for check in held:
        check()
    if (folder / "pyproject.toml").exists():
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        (points,) = project["entry-points"].values()
        module, _, kind = points[name].partition(":")
        assert getattr(import_module(module), kind).name == name


def test_every_example_package_is_tested() -> None:
    assert sorted(folder.name for folder in EXAMPLES.iterdir()) == ["banded", "german-short-loans", "number-alone"]


def test_what_stands_there_is_not_written_over(run: Run, tmp_path: Path) -> None:
    assert run("new", "dataset", "mine", "--out", tmp_path).status == 0
    (tmp_path / "mine.toml").write_text("changed")
    assert run("new", "dataset", "mine", "--out", tmp_path).refused()
    assert (tmp_path / "mine.toml").read_text() == "changed"


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "1a", "class", "a-", "x" * 50])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="letters"):
        files_of(What.DESIGN, name)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ParameterError, match="there already"):
        files_of(What.DESIGN, "platform")
    with pytest.raises(ParameterError, match="there already"):
        files_of(What.ATTACK, "link")
