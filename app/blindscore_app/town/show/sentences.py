"""Sentences: what each party could read, said from counts of what was found, never from what a design promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from blindscore_app.town.letterbox import LETTERS
from blindscore_app.town.order import Exposed, People, Place, telling
from blindscore_app.town.show.watching import Exchange

_JOINED = "together with the bank, which knows its own attestation again, it could put a name to each"
# What two parties that pool their files find: measured by `frontier` (docs/sealed.md, docs/encrypted.md), not here;
# that what a helper opens is uniform is argued there, and not counted on this page either.
TOGETHER = {
    "sealed": "together with the bank, which knows its own signatures again, it could tell who was approved",
    "one-show": "the bank signed blindly and knows none of these bytes again; the two could still compare times",
    "encrypted": _JOINED,
    "encrypted-decision": f"{_JOINED}, and with the helper compute each total",
    "encrypted-audited": _JOINED,
    "encrypted-proved": _JOINED,
    "helper": "what it opens is uniform whatever the score; together with the lender it could compute each total",
    "auditor": "it holds what the bank attested of those that it picked, and could put a name to each with the bank",
}


def wallet(score: int | None, verdict: bool | None) -> str:
    """Return what the person's own device could read."""
    if score is None:
        return "Could read: this person's own papers, and no score yet, since the sources have signed nothing so far."
    answer = "no answer yet" if verdict is None else f"the lender's answer, {'approved' if verdict else 'refused'}"
    return f"Could read: everything that the sources signed about this one person, the score {score}, and {answer}."


def blind_wallet(fetched: bool, score: int | None, verdict: bool | None) -> str:
    """Return what the person's own device could read where the card is the lender's secret."""
    if verdict is not None:
        told = "and no score" if score is None else f"and the score {score}, which the lender signed"
        return f"Could read: the lender's answer, {'approved' if verdict else 'refused'}, {told}."
    bank = "that the bank attested this person's bins" if fetched else "nothing yet: the bank has attested no bin"
    return f"Could read: {bank}; no answer and no score."


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


def lender(found: Sequence[Place], people: People, design: str) -> str:
    """Return what the lender could read."""
    pseudonyms = {cell for place in found for cell in place.cells("pseudonym")}
    under = f"under {_count(len(pseudonyms), 'pseudonym')}" if design.startswith("encrypted") else ""
    exposed = telling(found, people)
    decisions = _decided(exposed)
    letters = _count(sum(one.rows for one in exposed if one.place == f"table {LETTERS.name}"), "answer")
    blind = (
        f"{_totals(exposed)} and {decisions}, {under}, and {letters}, approved or refused, that it keeps to be fetched"
    )
    held = blind if under else f"{decisions}, approved or refused"
    return f"Could read: {held}, from an address on this machine; {_files(exposed, len(people))}; {TOGETHER[design]}."


def third(role: str, found: Sequence[Place], people: People, received: Sequence[Exchange]) -> str:
    """Return what a helper or an auditor could read."""
    exposed, kinds = telling(found, people), Counter(one.kind for one in received)
    came = _list([f"{number} {kind}" for kind, number in kinds.items()]) if kinds else "nothing"
    held = f"hold {_totals(exposed)} and {_decided(exposed)}"
    return f"Could read: what it received, {came}; {_files(exposed, len(people))} and {held}; {TOGETHER[role]}."


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
    return (
        f"The order on {on} names {named} of {people} people, reads a figure of {read}, and finds "
        f"{_totals(found)} and {_decided(found)} without a name."
    )


def _files(found: Sequence[Exposed], people: int) -> str:
    named, read = _most(found)
    return f"its files name {named} of {people} people and hold a figure of {read}"


def _totals(found: Sequence[Exposed]) -> str:
    return _count(sum(one.totals for one in found), "total")


def _decided(found: Sequence[Exposed]) -> str:
    return _count(sum(one.decisions for one in found), "decision")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _most(found: Sequence[Exposed]) -> tuple[int, int]:
    return max((one.named for one in found), default=0), max((one.read for one in found), default=0)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
