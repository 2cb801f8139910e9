"""Which libraries each kind of work may ask for, and what somebody reads who lacks one."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from blindscore.errors import BlindscoreError, MissingExtraError, ParameterError
from blindscore.extras import EXTRAS, needs, require
from tests.machine import FLOORS, MAIN, ROOT, people, python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What comes with a library of the list rather than from a line of its own.
WITH = {"dask": "distributed", "markupsafe": "jinja2", "joblib": "scikit-learn"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in requirements}


LINES = PROJECT["optional-dependencies"]
BASE = names(PROJECT["dependencies"])
BY_EXTRA = {extra: names(lines) for extra, lines in PROJECT["optional-dependencies"].items()}
PACKAGES = packages_distributions()


def distributions(module: str) -> set[str]:
    root = module.partition(".")[0]
    found = {WITH.get(root, name.lower().replace("_", "-")) for name in PACKAGES.get(root, [root])} | {
        WITH.get(root, root)
    }
    return found | {"fastapi"} if root == "starlette" else found


def imports(tree: ast.AST, extra: str | None = None) -> Iterator[tuple[str, str | None, int]]:
    """Every (module, the extra whose block it stands in, line) that runs: those for type checkers only are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, extra, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", extra, node.lineno
        inside = extra
        if isinstance(node, ast.With) and (call := re.fullmatch(r"needs\('([\w-]+)'\)", ast.unparse(node.items[0]))):
            inside = call[1]
        yield from imports(node, inside)


def test_what_the_base_does_not_install_is_imported_under_the_extra_that_does():
    wrong = []
    for path in sorted(file for floor in FLOORS for file in floor.rglob("*.py")):
        for module, extra, line in imports(ast.parse(path.read_text())):
            root = module.partition(".")[0]
            if root in sys.stdlib_module_names or root.startswith("blindscore"):
                continue
            if not distributions(module) & (BASE | BY_EXTRA.get(extra or "", set())):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {module}")
    assert not wrong, "put these into `with needs(extra):`, or the base"


def test_the_table_of_extras_is_that_of_the_package():
    whole = {"all", "dev", "docs", "world"}
    assert set(EXTRAS) == set(BY_EXTRA) - whole
    for extra, modules in EXTRAS.items():
        assert {min(distributions(module) & BY_EXTRA[extra]) for module in modules} == BY_EXTRA[extra]
    listed = {
        whole: line.partition("[")[2].rstrip("]").split(",") for whole in ("all", "world") for line in LINES[whole]
    }
    assert set(listed["all"]) - {"world"} | set(listed["world"]) == set(EXTRAS)


@pytest.mark.parametrize(("extra", "module"), [(e, m) for e, modules in EXTRAS.items() for m in modules])
def test_a_missing_library_is_one_line_that_names_the_extra(extra: str, module: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BlindscoreError, match=rf"{module}.*pip install 'blindscore\[{extra}\]'") as used, needs(extra):
        __import__(module)
    with pytest.raises(MissingExtraError, match=module) as asked:
        require(extra)
    assert "\n" not in str(used.value) + str(asked.value)


def test_a_library_of_the_system_that_is_missing_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"libgomp1"), needs("frontier"):
        raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
    with pytest.raises(OSError, match="disk"), needs("frontier"):  # anything else is not ours to explain
        raise OSError("disk on fire")
    with pytest.raises(ModuleNotFoundError, match=r"blindscore\.nothing") as own, needs("frontier"):
        import blindscore.nothing  # noqa: F401
    assert not isinstance(own.value, MissingExtraError)


def test_a_plug_in_that_lacks_a_library_is_named(monkeypatch) -> None:
    from importlib.metadata import EntryPoint

    from blindscore.designs import registry

    broken = EntryPoint("coin", "no_such_module:Coin", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    with pytest.raises(ParameterError, match=r"'coin'.*no_such_module"):
        registry.load_designs()


# Before anything else: find no module of an extra, as if it were not installed.
HIDE = """
import sys
class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = map(Hiding, sys.meta_path)
"""
HIDDEN = HIDE.format(
    hidden=sorted({module for modules in EXTRAS.values() for module in modules} - {"cryptography", "pydantic"})
)


def test_the_base_alone_fits_scores_and_explains_and_says_what_the_frontier_needs(tmp_path: Path) -> None:
    file, schema = people(tmp_path)
    card = tmp_path / "card.json"
    for command in (
        ("fit", file, "--schema", schema, "--out", card),
        ("score", card, file, "--out", tmp_path / "scores.csv"),
        ("explain", card, file, "--row", 3),
        ("schema", file, "--out", tmp_path / "drafted.toml"),
        ("export", card, "--to", "sql", "--out", tmp_path / "card.sql"),
    ):
        done = python(HIDDEN + MAIN, *command)
        assert done.returncode == 0, done.stderr
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 301
    for extra, command in (
        ("frontier", ("frontier", "--people", 200, "--out", tmp_path / "out")),
        ("review", ("monitor", card, file, file, "--out", tmp_path / "monitor.html")),
        ("export", ("export", card, "--to", "excel", "--out", tmp_path / "card.xlsx")),
    ):
        asked = python(HIDDEN + MAIN, *command)
        assert asked.returncode == 2, asked.stderr
        assert asked.stdout == ""
        assert asked.stderr.count("\n") == 1
        assert f"pip install 'blindscore[{extra}]'" in asked.stderr


def test_private_training_as_it_stands_and_the_list_of_designs_need_no_extra() -> None:
    code = (
        "import numpy as np, pandas as pd\n"
        "from blindscore.designs.registry import load_designs\n"
        "from blindscore_crypto.private_model.domains import Domains, Number\n"
        "from blindscore_crypto.private_model.estimator import PrivateScorecard\n"
        "assert {'private-model', 'encrypted', 'sealed', 'one-show'} <= set(load_designs())\n"
        "people = pd.DataFrame({'late': np.arange(300) % 5})\n"
        "model = PrivateScorecard(1.0, 1e-5, domains=Domains.declared({'late': Number()}))\n"
        "print(list(model.fit(people, people['late'] > 3).card_.features))\n"
    )
    done = python(HIDDEN + code)
    assert done.stdout == "['late']\n", done.stderr
