"""The command as installed: in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMANDS = ("frontier", "audit", "fit", "score", "explain", "report")


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def _blindscore(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "blindscore_app.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy() -> None:
    answer = _python(
        "import sys\n"
        "sys.argv = ['blindscore', '--help']\n"
        "from blindscore_app import cli\n"
        "try:\n"
        "    cli.main()\n"
        "except SystemExit:\n"
        "    heavy = {'numpy', 'pandas', 'sklearn', 'torch', 'matplotlib', 'tenseal', 'numba'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    assert answer.stdout.rstrip().endswith("heavy: []"), answer.stderr
    for command in COMMANDS:
        assert command in answer.stdout


@pytest.mark.parametrize("arguments", [("report", "none.json"), ("fit", "none.csv", "--schema", "none.toml")])
def test_a_mistake_ends_with_status_2_and_no_traceback(arguments: tuple[str, ...]) -> None:
    answer = _blindscore(*arguments)
    assert answer.returncode == 2
    assert "none" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_an_unknown_command_is_refused() -> None:
    answer = _blindscore("nonsense")
    assert answer.returncode == 2
    assert "nonsense" in answer.stderr
