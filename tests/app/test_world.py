"""The page of the world's systems is what its command writes; the sets of designs keep apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from blindscore.designs.registry import load_designs
from blindscore.errors import ParameterError, SchemaError
from blindscore.extras import missing
from blindscore_app.commands.designs import SetOf, choose_designs
from blindscore_app.report.world import answers, link_rows

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_command_writes():
    page = (ROOT / "docs" / "world.md").read_text("utf-8")
    assert page.startswith(answers())
    designs = {name: d for name, d in load_designs("world").items() if hasattr(d, "extra")}
    assert sum(line.startswith("| `") and " | run | " in line for line in page.splitlines()) == len(designs) >= 8
    for name in ("sd-jwt-score", "mdoc"):  # of what is measured, the part that is quick
        if not missing(designs[name].extra):
            assert "".join(link_rows(name, designs[name])) in page


def test_the_sets_keep_apart_and_names_are_found_in_both():
    default, world = load_designs(), load_designs("world")
    assert not set(default) & set(world)
    assert set(load_designs("all")) == set(default) | set(world)
    assert [d.name for d in choose_designs("schufa, platform", 1, 9)] == ["platform", "schufa"]
    with pytest.raises(ParameterError, match="no set of designs"):
        load_designs("galaxy")


def test_a_file_of_flows_runs_beside_the_others_and_a_wrong_one_is_refused(tmp_path):
    made = (ROOT / "core/blindscore/designs/world/schufa.toml").read_text("utf-8").replace('"schufa"', '"mine"')
    (tmp_path / "mine.toml").write_text(made)
    assert [d.name for d in choose_designs(f"{tmp_path}/mine.toml,platform", 1, 9)] == ["platform", "mine"]
    with pytest.raises(SchemaError, match="No such file"):
        choose_designs(f"{tmp_path}/none.toml", 1, 9)


def test_what_is_not_installed_is_left_out_with_one_line(monkeypatch, capsys):
    monkeypatch.setattr("blindscore.extras.missing", lambda extra: ["pymdoccbor"] if extra == "mdoc" else [])
    names = [d.name for d in choose_designs("", 1, 9, SetOf.WORLD)]
    assert "mdoc" not in names
    assert "schufa" in names
    assert capsys.readouterr().err.count("\n") == 1
