"""Captured: rows of ``disclose``, ``link`` and ``remember`` that were counted in the files of a town's own parties.

An order opens the folders of one party, or of several that are served together, as files, and counts: whom they name,
of whom they say something, whose record at the lender a string ties to a name, and how many of those whose outcomes
trained the card stand there beside as many strangers. These are counts of a few people, with the Wilson interval that
so few allow. They carry no bound and no mark; they say whether parties that ran keep what the model says they keep.

What they do not show: what somebody works out of values that nobody else holds, which modelled rows speak of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blindscore.parties.observe import windows_of
from blindscore.parties.sqlite_store import KEY
from blindscore.surveillance.account.who_loses import wilson
from blindscore.surveillance.inference.bound import entropy_bits
from blindscore.surveillance.ledger import CAPTURED, Ledger, Row, load_ledger
from blindscore_app.files.safely import replacing
from blindscore_app.town.folders import WALLETS
from blindscore_app.town.order import People, Place, cell, of_party, places
from blindscore_app.town.standing import Town

COALITIONS = (
    *(("lender",), ("source",), ("log",), ("witness",), ("helper",), ("auditor",)),
    *(("lender", "source"), ("lender", "helper"), ("helper", "source"), ("auditor", "source")),
)


@dataclass(frozen=True)
class Served:
    """Folders of a town that were opened together, and what the experimenter counts by.

    Parameters
    ----------
    roles
        Whose parties were served.
    people
        Everybody in the town.
    """

    town: Town
    roles: tuple[str, ...]
    people: People

    @cached_property
    def places(self) -> dict[str, list[Place]]:
        """What lies open, by role."""
        found: dict[str, list[Place]] = {role: [] for role in self.roles}
        for name, role in self.town.roles.items():
            if role in found:
                found[role] += of_party(self.town.folder, name, database=self.town.database)
        return found

    @property
    def every(self) -> list[Place]:
        """What lies open, of all roles."""
        return [place for lying in self.places.values() for place in lying]

    @cached_property
    def named(self) -> frozenset[str]:
        """People whose legal id lies open."""
        return frozenset().union(*(place.named(self.people) for place in self.every))

    @cached_property
    def read(self) -> frozenset[str]:
        """People one of whose figures lies open."""
        return frozenset().union(*(place.read(self.people) for place in self.every))

    @cached_property
    def decided(self) -> dict[bytes, NDArray[np.uint64]]:
        """The lender's records: digest of an answer -> what is held of it, as hashes of strings."""
        lying = self.places.get("lender", [])
        rows = [tuple(map(cell, row)) for place in lying for row in place.rows]
        digests = [
            key for place in lying if place.cells("approved") or place.cells("total") for key in place.cells(KEY)
        ]
        return {key: windows_of([c for row in rows if key in row for c in row]) for key in digests}

    @cached_property
    def told(self) -> dict[str, NDArray[np.uint64]]:
        """What the sources hold of each person under a name that they know, as hashes of strings of nobody else's."""
        rows = [tuple(map(cell, row)) for place in self.places.get("source", ()) for row in place.rows]
        names = {who: self.town.part.names_at_source(self.town, who) for who in self.people}
        return own_of(
            {
                who: windows_of([c for row in rows if row[0] == known[0] or row[0].startswith(known[1:]) for c in row])
                for who, known in names.items()
            }
        )

    @cached_property
    def tied(self) -> dict[bytes, str]:
        """Records of the lender -> the one person to whom a string ties them; no entry where none, or several, do."""
        return tied(self.decided, self.told)

    @cached_property
    def rightly(self) -> frozenset[str]:
        """People whose record at the lender is tied to their name, and is theirs: their wallets tell."""
        folders = {json.loads((f / "wallet.json").read_text("utf-8"))["legal_id"]: f for f in wallets_of(self.town)}
        held = {
            who: windows_of([cell(c) for place in places(folder) for row in place.rows for c in row])
            for who, folder in folders.items()
        }
        truth = tied(self.decided, own_of(held))
        return frozenset(who for record, who in self.tied.items() if truth.get(record) == who)


def wallets_of(town: Town) -> list[Path]:
    """Return the folders of all wallets."""
    return sorted(path for path in (town.folder / WALLETS).iterdir() if path.is_dir())


def own_of(held: Mapping[str, NDArray[np.uint64]]) -> dict[str, NDArray[np.uint64]]:
    """Return, by person, what is held of this person and of no other."""
    every, times = np.unique(np.concatenate([np.empty(0, np.uint64), *held.values()]), return_counts=True)
    shared = every[times > 1]
    return {who: np.setdiff1d(strings, shared, assume_unique=True) for who, strings in held.items()}


def tied(records: Mapping[bytes, NDArray[np.uint64]], people: Mapping[str, NDArray[np.uint64]]) -> dict[bytes, str]:
    """Return records -> the one person with whom they have a string in common."""
    found = {}
    for record, strings in records.items():
        whose = [who for who, own in people.items() if np.intersect1d(strings, own, assume_unique=True).size]
        if len(whose) == 1:
            found[record] = whose[0]
    return found


def captured_rows(town: Town, people: People, members: People, others: People) -> tuple[Row, ...]:
    """Return the rows that an order for everybody gives, one coalition of served parties after another.

    Parameters
    ----------
    people
        Everybody in the town.
    members, others
        Past customers whose outcomes trained the card, and people who had no part in anything.

    Raises
    ------
    DataError
        A party's store is no file, and the town does not say where else.
    """
    rows: list[Row] = []
    for roles in COALITIONS:
        if not set(roles) <= set(town.roles.values()):
            continue
        served = Served(town, roles, people)
        rows += [disclosed(served), named_row(served)]
        if roles == ("lender", "source"):
            rows.append(joined_row(served))
        rows.append(remembered(served, members, others))
    return tuple(rows)


def disclosed(served: Served) -> Row:
    """Return the row of ``disclose``: who is named and of whom something is said beside the name."""
    exposed = served.named & (served.read | set(served.tied.values()))
    row = _counted(served, "disclose", "any record", len(exposed), len(served.people), "names and figures in the files")
    return replace(row, people_exposed=len(exposed), bits=stored_bits(served))


def named_row(served: Served) -> Row:
    """Return the row of ``link``, name: whose record carries a name, or is tied to one by a string that both hold."""
    found, how = served.named & served.read, "names in the files"
    if "lender" in served.roles:  # the decider's record is the one to name, as in the modelled row
        at_lender = frozenset().union(*(place.named(served.people) for place in served.places["lender"]))
        found, how = at_lender | (served.rightly & served.named), "names in the files, and strings that both hold"
    return _counted(served, "link", "name", len(found), len(served.people), how)


def joined_row(served: Served) -> Row:
    """Return the row of ``link``, join: whose records at two parties have a string in common, of theirs alone."""
    return _counted(served, "link", "join", len(served.rightly), len(served.people), "strings that both hold")


def remembered(served: Served, members: People, others: People) -> Row:
    """Return the row of ``remember``: past customers found in the files, less strangers found there."""
    shares = []
    for some in (members, others):
        found = frozenset().union(*(place.named(some) | place.read(some) for place in served.every))
        shares.append((len(found) / len(some), wilson(len(found) / len(some), len(some))))
    (hit, (hit_low, hit_high)), (false, (false_low, false_high)) = shares
    # Newcombe (1998), method 10: the interval of a difference of two shares.
    low = hit - false - np.hypot(hit - hit_low, false_high - false)
    high = hit - false + np.hypot(hit_high - hit, false - false_low)
    row = _row(served, "remember", "membership", "past customers' names and figures in the files")
    sought = f"{len(members)} past customers and {len(others)} strangers were looked for"
    reason = f"captured: {sought}; what the card itself tells is the modelled row"
    return replace(row, advantage=hit - false, low=float(low), high=float(high), reason=reason)


def stored_bits(served: Served) -> float:
    """Return the sum of the entropies of the columns that say something: the decision, and the card's features."""
    features = served.town.part.features(served.town)
    columns = [place.cells(name) for place in served.every for name in ("approved", "total", *features)]
    return sum(entropy_bits(np.array(list(map(str, column)))) for column in columns if column)


def into_ledger(ledger: Ledger, rows: Sequence[Row]) -> Ledger:
    """Return the ledger with captured rows beside its own, in the place of earlier ones of the same question.

    Raises
    ------
    DataError
        The ledger has no such design.
    """

    def asked(row: Row) -> tuple[str, ...]:
        return row.design, row.coalition, row.capability, row.secret

    for design in {row.design for row in rows}:
        ledger.design(design)
    anew = {asked(row) for row in rows}
    return replace(ledger, captured=(*(row for row in ledger.captured if asked(row) not in anew), *rows))


def write_into(path: Path, rows: Sequence[Row]) -> Ledger:
    """Write captured rows into a ledger's file, and return the ledger; see :func:`into_ledger`.

    Raises
    ------
    DataError
        The file is no ledger, or cannot be written.
    """
    held = into_ledger(load_ledger(path), rows)
    with replacing(path) as temporary:
        temporary.write_text(held.to_json(), encoding="utf-8")
    return held


def _row(served: Served, capability: str, secret: str, attack: str) -> Row:
    design, coalition = str(served.town.public["design"]), "+".join(served.roles)
    return Row(
        design, coalition, capability, secret, attack, 0.0, 0.0, 0.0, control=0.0, kind=CAPTURED, basis="observed"
    )


def _counted(served: Served, capability: str, secret: str, found: int, people: int, attack: str) -> Row:
    low, high = wilson(found / people, people)
    reason = f"captured: {found} of {people} people of one town; no bound is claimed"
    row = _row(served, capability, secret, attack)
    return replace(row, advantage=found / people, low=low, high=high, reason=reason)
