"""The page of the world's systems: the four questions for each in one table, and what presentations join."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blindscore.designs.flows import QUESTIONS
from blindscore.designs.registry import load_designs
from blindscore.extras import missing
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard

BATCHES = (1, 2, 3, 4)
HEAD = """# The world's systems

Written by `blindscore world --out docs/world.md`; a test writes it again and compares. Answers are the designs' own;
their rules carry source and status (`blindscore frontier --set-of world`, under *Rules and sources*). *Run*: the
system's own library was played for a sample, and every view was held to what was observed. *Modelled*: a file says who
sends what to whom.

| system | where | how | hidden from whom | what remains linkable | does the issuer learn | revocation |
|---|---|---|---|---|---|---|
"""
LINKS = """
## What presentations join

Eight people show to four lenders each; a wallet shows the credentials of a batch in turn and starts over. Share of
people of whom two lenders, or a lender and the issuer, hold a common string of 16 bytes that they hold of nobody else,
as it was found in all that they kept and sent. A single credential is looked up in a status list that is fetched
whole; batches carry no status number and live for a day.

| system | batch | lender and lender | lender and issuer |
|---|---|---|---|
"""
FOUND = """
What the observation itself brought to light, before the designs were changed:

- The time of key binding, to the second, joins two presentations of one second; the wallet here writes the day.
- Status numbers shown in the clear resemble one another within a batch.
- Exact figures join whoever reads them, however the credential is batched.
"""


def world_page() -> str:
    """Return the page, Markdown.

    Raises
    ------
    MissingExtraError
        The library of a system that is run is not installed.
    """
    designs = load_designs("world")
    rows = []
    for name, design in designs.items():
        asked: Mapping[str, str] = getattr(design, "questions", {})
        run = "run" if getattr(design, "extra", "") else "modelled"
        answers = [asked.get(question, "not known") for question in QUESTIONS]
        rows.append(_row([f"`{name}`", getattr(design, "country", "") or "any", run, *answers]))
    return HEAD + "".join(rows) + LINKS + "".join(_links(designs)) + FOUND


def _links(designs: Mapping[str, Any]) -> list[str]:
    from blindscore.extras import require
    from blindscore_crypto.world.linking import linked

    people, rows = make_society(400, seed=7), []
    for name, design in designs.items():
        if not hasattr(design, "kept"):
            continue
        if missing(design.extra):
            require(design.extra)
        for found in linked(design.kept, people, Scorecard(method="woe"), BATCHES):
            rows.append(_row([f"`{name}`", str(found.batch), f"{found.lenders:.2f}", f"{found.issuer:.2f}"]))
    return rows


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"
