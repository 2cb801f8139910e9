"""What holds of the tests themselves: each can fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
EXPECTS = {"raises", "warns", "fail"}  # of pytest


def decides(function: ast.FunctionDef) -> bool:
    """Tell whether a function itself holds something that can fail: an assertion, or an expected refusal."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Attribute) and (node.attr in EXPECTS or node.attr.startswith("assert_")):
            return True
    return False


def idle(modules: dict[str, str]) -> list[str]:
    """Return the tests that can only pass: neither they nor a helper that they call by its plain name decides.

    A helper is a function of the same file or one imported from another file of the tests, however deep the calls go.
    """
    calls: dict[tuple[str, str], set[tuple[str, str]]] = {}
    deciding: set[tuple[str, str]] = set()
    for module, source in modules.items():
        tree = ast.parse(source)
        imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            names = {c.func.id for c in ast.walk(function) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)}
            calls[module, function.name] = {imported.get(name, (module, name)) for name in names}
            if decides(function):
                deciding.add((module, function.name))
    while more := {who for who, whom in calls.items() if deciding & whom} - deciding:
        deciding |= more
    return [
        f"{module}: {name}" for module, name in calls if name.startswith("test_") and (module, name) not in deciding
    ]


def test_every_test_can_fail():
    modules = {
        ".".join(("tests", *path.relative_to(TESTS).with_suffix("").parts)): path.read_text("utf-8")
        for path in TESTS.rglob("*.py")
    }
    assert len(modules) > 100
    assert idle(modules) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def test_a():\n    run()", ["m: test_a"]),
        ("def run():\n    pass\ndef test_a():\n    run()", ["m: test_a"]),
        ("def run():\n    assert x\ndef test_a():\n    run()", []),
        ("def run():\n    assert x\ndef more():\n    run()\ndef test_a():\n    more()", []),
        ("def test_a():\n    with pytest.raises(E, match='m'):\n        run()", []),
        ("def test_a():\n    np.testing.assert_array_equal(a, b)", []),
        ("from tests.n import run\ndef test_a():\n    run()", ["m: test_a"]),
        ("def test_a():\n    with suppress(E):\n        run()", ["m: test_a"]),
    ],
)
def test_a_test_that_can_only_pass_is_found(source, found):
    assert idle({"m": source}) == found
