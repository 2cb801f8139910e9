"""Tables as scripts: a user's mistake is one message and status 2, never a traceback."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

ACCOUNT = "blindscore.surveillance.account"


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        (f"{ACCOUNT}.chilling", ["many", "platform"], "invalid int value: 'many'"),
        (f"{ACCOUNT}.chilling", ["400"], "the following arguments are required: design"),
        (f"{ACCOUNT}.chilling", ["400", "plattform"], "no design is called 'plattform'; there are"),
        (f"{ACCOUNT}.chilling", ["-1", "platform"], "people"),
        (f"{ACCOUNT}.creep", [], "the following arguments are required: people"),
        ("blindscore.surveillance.attacks.repeat", ["none.json"], "none.json: cannot be read"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_a_mistake_is_one_message(
    module: str, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit) as left:
        runpy.run_module(module, run_name="__main__")
    told = capsys.readouterr()
    assert left.value.code == 2
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_the_table_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from blindscore.as_script import say

    def lines(count: int, words: list[str]) -> str:
        """Print words."""
        return "\n".join(words * count)

    monkeypatch.setattr(sys, "argv", ["lines", "2", "a", "b"])
    with pytest.raises(SystemExit) as left:
        say(lines, {"count": int}, "word")
    assert left.value.code == 0
    assert capsys.readouterr().out == "a\nb\na\nb\n"
