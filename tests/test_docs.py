"""Pages say what exists: links, paths, commands, options and Python that a reader would copy."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from blindscore_app.cli import app
from blindscore_app.entry import leaderboard
from blindscore_app.entry.submission import read
from blindscore_app.report.captured import captured_table
from blindscore_app.report.markdown import table

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md"), *ROOT.glob(".github/*.md")]
)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
PATH = re.compile(r"`((?:app|benchmarks|core|crypto|docs|examples|tests)/[\w./*-]+?)(?::\w+)?`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
ROOT_COMMAND = typer.main.get_command(app)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_path_leads_to_a_file(page):
    text = page.read_text()
    missing = [link for link in LINK.findall(FENCED.sub("", text)) if not (page.parent / link).exists()]
    missing += [path for path in PATH.findall(text) if not any(ROOT.glob(path.rstrip("/")))]
    assert not missing


def commands(page: Path) -> list[str]:
    """Return the lines of shell blocks that call the program."""
    blocks = [body for kind, body in FENCED.findall(page.read_text()) if kind in ("sh", "text", "bash", "")]
    lines = [line for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in lines if re.match(r"\s*(?:\$ )?blindscore [a-z]", line)]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name_of)
def test_every_command_and_option_exists(page):
    for line in commands(page):
        words = shlex.split(line.split(" | ")[0].removeprefix("$ "), comments=True)[1:]
        at: Any = ROOT_COMMAND
        while hasattr(at, "commands") and words and not words[0].startswith("-"):
            assert words[0] in at.commands, line
            at = at.commands[words.pop(0)]
        known = {"--help", *(option for parameter in at.params for option in parameter.opts)}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, line


def test_an_option_that_does_not_exist_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nblindscore fit people.csv --shcema x.toml   # a slip\n```\n")
    with pytest.raises(AssertionError, match="shcema"):
        test_every_command_and_option_exists(page)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_compile_and_what_they_import_is_there(page):
    for kind, body in FENCED.findall(page.read_text()):
        if kind != "python":
            continue
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("blindscore"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def test_every_page_stands_in_the_sites_contents_and_the_site_builds(tmp_path):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    contents = (ROOT / "mkdocs.yml").read_text()
    pages = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert not [page for page in pages if f": {page}\n" not in contents]
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "index.html").exists()


ARCHIVE = sorted((ROOT / "submissions").glob("*.json.gz"))


def test_the_page_of_submissions_and_readmes_table_are_what_the_archived_ledgers_say():
    kept = [(path.name, read(path)) for path in ARCHIVE]
    assert kept
    assert (ROOT / "docs" / "leaderboard.md").read_text() == leaderboard.page(kept)
    (own,) = (one for name, one in kept if name.startswith("blindscore-"))
    readme = (ROOT / "README.md").read_text()
    assert f"`{own.ledger.meta['command']}`" in readme
    assert table(own.ledger) in readme
    assert captured_table(own.ledger) in readme
