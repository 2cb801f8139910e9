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


def shared(left, length, own=None):
    """Strings that both lenders hold of one person and hold of nobody else, by person.

    Parameters
    ----------
    own
        So many bytes at either end of a string are nobody else's; by default the string as a whole. Where texts that
        all hold stand beside what is one person's, a byte next to one coincides by chance.
    """
    own = own or length
    found = {}
    for person in sorted({person for _, person in left}):
        others = [rows for (_, other), rows in left.items() if other != person]
        theirs = set().union(*(windows(rows, own) for rows in others))
        first, second = (windows(left[lender, person], length) for lender in LENDERS)
        found[person] = {s for s in first & second if s[:own] not in theirs and s[-own:] not in theirs}
    return found
