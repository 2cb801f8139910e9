"""Coalitions: which sets of parties pool what they saw, and what they then have.

Any set of the roles of a run may be asked about. The ledger always has every party alone, every pair, all together,
and the sets that a design names as those to fear. Whoever watches the line (``observer``) and the ``state`` are
parties of every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import pandas as pd

from blindscore.designs.design import Run
from blindscore.errors import ParameterError
from blindscore.parties.view import TELLS_DECISION, Column, View, columns, empty_view, longest
from blindscore.surveillance.memo import Memo

OBSERVER, STATE, SECOND_LENDER, EVERYBODY = "observer", "state", "second lender", "all"
FIRST = ("scorer", "lender", "source", STATE, OBSERVER)  # the order in which roles stand in a name; others follow
# An order to disclose: what the scorer has stored, read with the force of law.
ORDER = ("scorer", STATE)
ACTORS = ("scorer", "lender")  # who can do something without any view at all: bend a score, or a decision
# Two lenders that compare their customers.
TWO_LENDERS = ("lender", SECOND_LENDER)


@dataclass(frozen=True)
class Coalition:
    """Roles that pool what they saw."""

    name: str
    roles: tuple[str, ...]
    same_as: str = ""  # a smaller coalition that has everything that this one has


def coalitions_of(run: Run, feared: Iterable[Sequence[str]] = ()) -> tuple[Coalition, ...]:
    """Return the coalitions that a run's ledger has: single roles, pairs, those to fear, and all.

    Raises
    ------
    ParameterError
        A coalition to fear names a role that the run has not.
    """
    roles = roles_of(run)
    named: dict[str, tuple[str, ...]] = {role: (role,) for role in roles}
    named |= {"+".join(pair): pair for pair in combinations(roles, 2)}
    named["lender+lender"] = TWO_LENDERS
    for some in feared:
        unknown = sorted(set(some) - set(roles))
        if unknown:
            raise ParameterError(f"no party of this run is a {', '.join(unknown)}; there are {', '.join(roles)}")
        ordered = tuple(role for role in roles if role in some)
        named["+".join(ordered)] = ordered
    named[EVERYBODY] = roles
    found: list[Coalition] = []
    first: dict[object, str] = {}
    for name, members in named.items():
        has = _has(run, members)
        same = first.setdefault(has, name) if has else name
        found.append(Coalition(name, members, "" if same == name else same))
    return tuple(found)


def roles_of(run: Run) -> tuple[str, ...]:
    """Return the roles of a run, the usual ones first."""
    usual = [role for role in FIRST if role in run.views or role in (STATE, OBSERVER)]
    return (*usual, *sorted(role for role in run.views if role not in FIRST))


def _has(run: Run, roles: tuple[str, ...]) -> tuple[object, ...]:
    """Return what tells coalitions apart: the parties that have anything, and whether only what is stored is read."""
    parties = {run.party_of(role) for role in roles if role in ACTORS or not is_empty(view_of(run, role))}
    return (roles == ORDER, *sorted(parties)) if parties else ()


def is_empty(view: View) -> bool:
    """Tell whether a party reads nothing of anybody."""
    return not view.columns and view.friends is None and view.visits is None


def view_of(run: Run, role: str) -> View:
    """Return one role's view: recorded by the design, or, for outsiders that every run has, derived.

    The observer sees each exchange with the lender: hour and sizes, no content. The second lender runs the same design
    on the same people under pseudonyms and handles of its own.
    """
    if role in run.views:
        return run.views[role]
    lender = run.views["lender"]
    if role == SECOND_LENDER:
        shown, told = lender.only(lender.values)
        return replace(lender, role=role, clear=shown, columns=told)
    if role == OBSERVER and len(lender.messages):
        wire = lender.messages.reset_index(drop=True)
        sizes = len(wire[["bytes_up", "bytes_down"]].drop_duplicates())
        told = (Column("hour", "time"), *columns("wire", ["bytes_up", "bytes_down"]))
        return View(
            OBSERVER, "one-time", wire[[c.name for c in told]], told, lender.person, universe=24 if sizes == 1 else None
        )
    return empty_view(role, len(run.scores))


def seen_by(run: Run, roles: Sequence[str], memo: Memo | None = None) -> tuple[View, ...]:
    """Return the views that a coalition's members bring, one a party, before anything is joined.

    Whoever sees nothing brings nothing; a coalition that sees nothing at all keeps one empty view, since it can guess.

    Parameters
    ----------
    memo
        Of this run alone: coalitions share their members' views, and what becomes of them when they are joined.
    """
    kept = Memo() if memo is None else memo

    def bring() -> tuple[View, ...]:
        by_party: dict[str, View] = {}
        for role in roles:
            view = kept.once(("view", role), partial(view_of, run, role))
            if not is_empty(view):
                by_party.setdefault(run.party_of(role), view)
        views = tuple(by_party.values()) or (empty_view(roles[0], len(run.scores)),)
        return tuple(at_rest(view) for view in views) if tuple(roles) == ORDER else views

    return kept.once(("seen", *roles), bring)


def pool(run: Run, roles: Sequence[str], memo: Memo | None = None) -> tuple[View, ...]:
    """Return the views that a coalition ends up with, joined into one wherever they share a key.

    Views join on the legal id (both hold it) or on a shared handle (a commitment that both saw). What cannot be joined
    stays apart: the coalition attacks each, and joining by values is the ``link`` capability.
    """
    kept = Memo() if memo is None else memo

    def join() -> tuple[View, ...]:
        pooled: list[View] = []
        for view in seen_by(run, roles, kept):
            for place, other in enumerate(pooled):
                joined = _join(other, view)
                if joined is not None:
                    pooled[place] = joined
                    break
            else:
                pooled.append(view)
        return tuple(pooled)

    return kept.once(("pool", *roles), join)


def parts_of(run: Run, roles: Sequence[str], memo: Memo | None = None) -> tuple[View, ...]:
    """Return the views of a coalition, joined where they can be, and then those of every smaller one within it.

    Of a view that has both figures of people's lives and what a card made of them the latter alone stands there too:
    who is told score or decision beside the figures can leave the figures aside.
    """
    kept = Memo() if memo is None else memo
    bring = [role for role in roles if not is_empty(kept.once(("view", role), partial(view_of, run, role)))]
    by_party = {run.party_of(role): role for role in reversed(bring)}
    members = [role for role in bring if by_party[run.party_of(role)] == role]
    found: dict[str, View] = {view.digest: view for view in pool(run, roles, kept)}
    if tuple(roles) == ORDER:
        return tuple(found.values())
    for size in range(len(members) - 1, 0, -1):
        for some in combinations(members, size):
            found |= {view.digest: view for view in pool(run, some, kept) if view.digest not in found}
    for view in list(found.values()):
        told = view.of(*TELLS_DECISION)
        if view.of("feature") and told:
            clear, shown = view.only(told)
            alone = replace(view, keyed_by="one-time", clear=clear, columns=shown, friends=None, visits=None)
            found.setdefault(alone.digest, alone)
    return tuple(found.values())


def at_rest(view: View) -> View:
    """Return what an order to disclose finds: the columns still readable after the decision."""
    if len(view.stored) == len(view.columns):
        return view
    clear, told = view.only(view.stored)
    return replace(view, clear=clear, columns=told)


def shared_handles(first: View, second: View) -> list[str]:
    """Return the join keys that two views both hold."""
    theirs = set(second.of("handle"))
    return [name for name in first.of("handle") if name in theirs]


def joinable(first: View, second: View) -> bool:
    """Tell whether two views share a key that names the same person in both."""
    return (first.named and second.named) or bool(shared_handles(first, second))


def _join(first: View, second: View) -> View | None:
    same_people = len(first.person) == len(second.person) and bool((first.person == second.person).all())
    if not (same_people and joinable(first, second)):
        return None
    held, again = set(first.clear.columns), {column.name: column.keep_days for column in second.columns}
    own = tuple(c._replace(keep_days=longest(c.keep_days, again.get(c.name, 0))) for c in first.columns)
    more = tuple(column for column in second.columns if column.name not in held)
    return View(
        role=f"{first.role}+{second.role}",
        keyed_by="legal id" if second.named else first.keyed_by,
        clear=pd.concat([first.clear, second.clear[[column.name for column in more]]], axis=1),
        columns=(*own, *more),
        person=first.person,
        opaque_bytes=first.opaque_bytes + second.opaque_bytes,
        friends=first.friends if first.friends is not None else second.friends,
        visits=first.visits if first.visits is not None else second.visits,
        messages=first.messages,
    )
