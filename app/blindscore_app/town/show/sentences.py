"""Sentences: what each party could read, said from counts of what was found, never from what a design promises."""

from __future__ import annotations

from collections.abc import Sequence

from blindscore_app.town.order import Exposed

# What two parties that pool their files find: measured by `frontier` (docs/sealed.md, "Collusion"), not on this page.
TOGETHER = {
    "sealed": "together with the bank, which knows its own signatures again, it could tell who was approved",
    "one-show": "the bank signed blindly and knows none of these bytes again; the two could still compare times",
}


def wallet(score: int | None, verdict: bool | None) -> str:
    """Return what the person's own device could read."""
    if score is None:
        return "Could read: this person's own papers, and no score yet, since the sources have signed nothing so far."
    answer = "no answer yet" if verdict is None else f"the lender's answer, {'approved' if verdict else 'refused'}"
    return f"Could read: everything that the sources signed about this one person, the score {score}, and {answer}."


def bank(found: Sequence[Exposed], people: int, logins: Sequence[str], applied: int) -> str:
    """Return what a source could read.

    Parameters
    ----------
    found
        In its files.
    logins
        Legal ids that logged in while the page watched.
    applied
        Messages of applications that it received.
    """
    named, read = _most(found)
    who = f"that {_list(logins)} fetched signatures" if logins else "that nobody has fetched signatures yet"
    return (
        f"Could read: names of {named} and figures of {read} of its {people} customers, as before, and {who}; "
        f"of applications to the lender it received {_count(applied, 'message')}."
    )


def lender(found: Sequence[Exposed], people: int, design: str) -> str:
    """Return what the lender could read."""
    named, read = _most(found)
    decisions = sum(one.decisions for one in found)
    return (
        f"Could read: {_count(decisions, 'decision')}, approved or refused, from an address on this machine; its "
        f"files name {named} of {people} people and hold a figure of {read}; {TOGETHER[design]}."
    )


def state(connections: int, up: int, down: int, named: int, people: int) -> str:
    """Return what the state could read off the line; ``named``: people whose legal id stands in what passed."""
    return (
        f"Could read off the line: {_count(connections, 'connection')}, each with its time, the party called "
        f"and the sizes ({up:,} bytes up, {down:,} down); all under TLS, with the legal id "
        f"of {named} of {people} people in it."
    )


def order(on: str, found: Sequence[Exposed], people: int) -> str:
    """Return what one order on a party found."""
    named, read = _most(found)
    decisions = sum(one.decisions for one in found)
    return (
        f"The order on {on} names {named} of {people} people, reads a figure of {read}, and finds "
        f"{_count(decisions, 'decision')} without a name."
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _most(found: Sequence[Exposed]) -> tuple[int, int]:
    return max((one.named for one in found), default=0), max((one.read for one in found), default=0)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
