"""What two lenders' files both hold of one person and of nobody else: for towns in which everybody applies to both."""

from __future__ import annotations

import re
from collections import Counter

from blindscore_app.town.order import cell, of_party

LENDERS = ("lender", "lender-2")
TIME = re.compile(rb'"ms": [0-9.]+')  # how long an answer took is no string of anybody's


def rows_of(folder, name):
    """All that a lender keeps, row by row and line by line: how often each, its cells as bytes."""
    held = Counter()
    for place in of_party(folder, name):
        lines = [(line,) for line in TIME.sub(b"", place.blob).splitlines()]
        held.update((place.name, *map(cell, row)) for row in (place.rows or lines))
    return held


class Left:
    """What each application leaves with each lender: rows that were there after it, and not before."""

    def __init__(self, folder):
        self.folder, self.rows = folder, {}
        self._before = {lender: rows_of(folder, lender) for lender in LENDERS}

    def note(self, person):
        """Take what a person's applications have left since the last person's."""
        for lender in LENDERS:
            after = rows_of(self.folder, lender)
            self.rows[lender, person] = set(after - self._before[lender])
            self._before[lender] = after


def windows(rows, length):
    """Every run of bytes of that length in any cell."""
    return {c[at : at + length] for _, *cells in rows for c in cells for at in range(len(c) - length + 1)}


def shared(left, length):
    """Strings that both lenders hold of one person and hold of nobody else, by person.

    Either half of such a string is nobody else's too: a byte beside a text that all hold coincides by chance.
    """
    found = {}
    for person in sorted({person for _, person in left}):
        others = [rows for (_, other), rows in left.items() if other != person]
        halves = set().union(*(windows(rows, length // 2) for rows in others))
        own, other = (windows(left[lender, person], length) for lender in LENDERS)
        both = own & other
        found[person] = {s for s in both if s[: length // 2] not in halves and s[length // 2 :] not in halves}
    return found
