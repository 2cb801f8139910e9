"""The page of the world's systems: the four questions in one table, what joins records, what each costs beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from blindscore.designs.design import Run
from blindscore.designs.flows import QUESTIONS
from blindscore.designs.registry import load_designs
from blindscore.extras import require
from blindscore.people.society import make_society
from blindscore.scorecard.scorecard import Scorecard

BATCHES = (1, 2, 3, 4)
CROWDS = (10, 100, 1000)
PEOPLE, SAMPLE = 1000, 4
OURS = "one-show"
SLOW = {"longfellow": 2}  # people for whom a proof of seconds is made
HEAD = """# The world's systems

Written by `blindscore world --out docs/world.md`; a test writes the first table again and compares. Answers are the
designs' own; their rules carry source and status (`blindscore frontier --set-of world`, under *Rules and sources*).
*Run*: the system's own library was played for a sample, and every view was held to what was observed. *Modelled*: a
file says who sends what to whom.

| system | where | how | hidden from whom | what remains linkable | does the issuer learn | revocation |
|---|---|---|---|---|---|---|
"""
LINKS = """
## What presentations join

People show to four lenders each (`longfellow`: to two); a wallet shows the credentials of a batch in turn and starts
over. Share of people of whom two lenders, or a lender and the issuer, hold a common string of 16 bytes that they hold
of nobody else, as it was found in all that they kept and sent. *Look-up*: share of people about whom the issuer was
asked by number, where the lender looks up one entry; the status list fetched whole gives 0, and so does a system that
shows no number. A single credential of `sd-jwt` and `mdoc` is in a status list; batches carry no number and live for
a day.

| system | batch | lender and lender | lender and issuer | look-up |
|---|---|---|---|---|
"""
REGISTRY = """
`anoncreds` names its revocation registry in every presentation. By size of the registry, for a sample of four; 0 means
that the name is no one person's alone, and one still hides only among those of the registry:

| people a registry | lender and lender | lender and issuer |
|---|---|---|
"""
RETURNS = """
Each lender is shown to once here. `bbs` shows a pseudonym that is the verifier's own: of 8 people who showed one
credential twice to one lender a share of {again:.2f} was known again by it, by a second lender {apart:.2f}. So a
lender recognises whoever returns, for as long as the issuer signs the same commitment, and whoever is issued two
credentials has two names; lenders who ask under one context are one lender. Without the secret behind the
pseudonym a credential shows nothing.
"""
CROWD = """
## In a crowd

How often a lender's record is put to the right person among so many, by whoever knows what all of them would show: by
a handle that the second lender, or the issuer, holds too; else by the values shown alone, one over the number of people
who look alike. A batch removes the handle between lenders, so the column *values alone* is what it leaves.

| system | crowd | lender and second lender | lender and issuer | values alone |
|---|---|---|---|---|
"""
SILENT = """
## Who is read without being asked

`open-banking`: an agent that reads an account reads whom it paid. The society holds no payments, so whoever a person
knows is taken to be paid once. Share of the people who did *not* consent whose names the agent then holds, mean and
95% interval over 40 draws of who consents:

| consenting | others who are named |
|---|---|
"""
COSTS = """
## What it costs

One run, medians over a sample, from the tape: processor time of each role in milliseconds a person, and bytes a person
on the line from wallet to lender and on all lines together. Credentials are shown to two lenders, `one-show` to one.
Times are of the machine that wrote this page, with other work beside it; what can be compared is their ratio.
`one-show` is this project's: the score is computed from what sources signed, none of which could write the answer down.

| system | people run | wallet, ms | issuer or source, ms | lender, ms | wallet to lender, bytes | all lines, bytes |
|---|---|---|---|---|---|---|
"""
FOUND = """
What the observation itself brought to light, before the designs were changed:

- The time of key binding, to the second, joins two presentations of one second; the wallet here writes the day.
- The time of issue, to the second, joins the documents of one batch; the issuer here writes the day.
- Status numbers shown in the clear resemble one another within a batch.
- Exact figures join whoever reads them, however the credential is batched.
- A weighted sum over several elements cannot be held against a threshold by what `pylongfellow` exposes: it proves
  equality of single elements. So the issuer of `longfellow` writes the answer down, for each threshold.
- A request of `arc` proves nothing of the context that it is made under, so an answer that stood there would be the
  applicant's own choice; the issuer here says yes and no by two keys. Its lenders must hold them, and could issue.
"""


def answers() -> str:
    """Return the first table, Markdown: the same on every machine."""
    rows = []
    for name, design in load_designs("world").items():
        asked: Mapping[str, str] = getattr(design, "questions", {})
        run = "run" if hasattr(design, "extra") else "modelled"
        told = [asked.get(question, "not known") for question in QUESTIONS]
        rows.append(_row([f"`{name}`", getattr(design, "country", "") or "any", run, *told]))
    return HEAD + "".join(rows)


def world_page() -> str:
    """Return the page, Markdown.

    Raises
    ------
    MissingExtraError
        The library of a system that is run is not installed.
    """
    executed = {name: design for name, design in load_designs("world").items() if hasattr(design, "extra")}
    for design in executed.values():
        require(design.extra)
    runs = {name: _run(design, name) for name, design in {**executed, OURS: load_designs()[OURS]}.items()}
    crowd = "".join(line for name in executed for line in _crowd(name, runs[name]))
    costs = "".join(_cost(name, run) for name, run in runs.items())
    return "".join([answers(), LINKS, *_links(executed), _returns(), REGISTRY, *_registries()]) + "".join(
        [CROWD, crowd, SILENT, *_silent(), COSTS, costs, _ratios(runs), FOUND]
    )


def link_rows(name: str, design: Any) -> list[str]:
    """Return the rows of what one credential's presentations join."""
    from blindscore_crypto.world.linking import FOUR, linked

    people, card = make_society(400, seed=7), Scorecard(method="woe")
    few = name in SLOW
    batches = BATCHES if design.kept.linkable else (1,)
    lenders, sample = (FOUR[:2], SLOW[name]) if few else (FOUR, SAMPLE)
    found = linked(design.kept, people, card, batches, sample, lenders=lenders)
    asked = 0.0
    if design.kept.numbered:
        (once,) = linked(design.kept, people, card, (1,), sample, lenders=lenders, look_up=True)
        asked = once.looked_up
    rows = []
    for each in found:
        look_up = f"{asked:.2f}" if each.batch == 1 else "no number"
        rows.append(_row([f"`{name}`", str(each.batch), f"{each.lenders:.2f}", f"{each.issuer:.2f}", look_up]))
    return rows


def _links(executed: Mapping[str, Any]) -> list[str]:
    return [row for name, design in executed.items() if hasattr(design, "kept") for row in link_rows(name, design)]


def _returns() -> str:
    from blindscore_crypto.world import bbs
    from blindscore_crypto.world.linking import known_again

    again, apart = known_again(bbs.scheme())
    return RETURNS.format(again=again, apart=apart)


def _registries() -> list[str]:
    from dataclasses import replace
    from functools import partial

    from blindscore_crypto.world import anoncreds
    from blindscore_crypto.world.linking import linked

    people, rows = make_society(400, seed=7), []
    for size in (1, 2, 4, 64):
        kept = replace(anoncreds.Anoncreds.kept, linkable=True, scheme=partial(anoncreds.scheme, registry=size))
        (found,) = linked(kept, people, Scorecard(method="woe"), (1,), 4)
        rows.append(_row([str(size), f"{found.lenders:.2f}", f"{found.issuer:.2f}"]))
    return rows


def _run(design: Any, name: str) -> Run:
    from dataclasses import replace

    few = replace(design, sample=SLOW.get(name, SAMPLE))
    run: Run = few.run(make_society(PEOPLE, seed=7), Scorecard(method="woe"), np.random.default_rng(1))
    return run


def _crowd(name: str, run: Run) -> list[str]:
    from blindscore_crypto.world.linking import found_in_crowd

    lender, rows = run.views["lender"], []
    for crowd in CROWDS:
        second = run.views.get("second lender", lender if lender.named else None)
        by = [found_in_crowd(lender, other, crowd) for other in (second, run.views["source"], None)]
        rows.append(_row([f"`{name}`", str(crowd), *(f"{share:.3f}" for share in by)]))
    return rows


def _silent() -> list[str]:
    from blindscore_crypto.world.open_banking import silent_parties

    people, rows = make_society(PEOPLE, seed=7), []
    assert people.friends is not None
    for share in (0.01, 0.05, 0.2):
        drawn, consenting = [], round(share * len(people))
        for seed in range(40):
            chosen = np.random.default_rng(seed).choice(len(people), consenting, replace=False)
            drawn.append(len(silent_parties(people.friends, chosen)) / (len(people) - consenting))
        low, high = np.quantile(drawn, [0.025, 0.975])
        rows.append(_row([f"{share:.0%}", f"{np.mean(drawn):.3f} ({low:.3f} to {high:.3f})"]))
    return rows


def _cost(name: str, run: Run) -> str:
    spent = run.costs.us_per_person
    agent = spent.get("agent", 0.0) + spent.get("consent manager", 0.0)
    issuer = spent.get("source", 0.0) + spent.get("identity authority", 0.0)
    cells = [spent.get("wallet", 0.0), issuer, spent.get("lender", 0.0) + agent]
    lines = [run.costs.bytes_up, run.costs.bytes_all_lines]
    return _row([f"`{name}`", str(run.real_runs), *(f"{us / 1000:.1f}" for us in cells), *(f"{n:,}" for n in lines)])


def _ratios(runs: Mapping[str, Run]) -> str:
    ours, theirs = runs[OURS].costs, runs["longfellow"].costs
    made = theirs.us_per_person["wallet"] / 2 / ours.us_per_person["wallet"]
    checked = theirs.us_per_person["lender"] / ours.us_per_person["lender"]
    bytes_up = theirs.bytes_up / ours.bytes_up
    return f"""
A presentation of `longfellow` took {made:.0f} times the wallet's time of `one-show`, {checked:.0f} times the lender's,
and {bytes_up:.0f} times the bytes to the lender. In return it needs no new issuer: an authority that issues mobile
documents today need change nothing, where `one-show` asks every source to sign anew.
"""


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"
