"""check: what an answer amounts to under its terms. Lender, office, judge and anybody else call this, and only this.

The terms themselves say in which form their sources sign, so that no caller can check an answer by the wrong rules.
Who sees what: public values only. Assumptions: those of :mod:`.presentation` and :mod:`.one_show`.
"""

from __future__ import annotations

from collections.abc import Sequence

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed import one_show, presentation
from blindscore_crypto.sealed.groups.combination import Combination
from blindscore_crypto.sealed.offer import Checked
from blindscore_crypto.sealed.terms import Terms

Shown = one_show.Shown | presentation.Shown


def answer_bytes(terms: Terms) -> int:
    """Bytes of every answer to an offer under these terms, proof or refusal."""
    return one_show.size(terms) if terms.is_blind else presentation.size(terms)


def check(terms: Terms, answer: bytes) -> Checked:
    """Check one answer; see :func:`check_many`."""
    return check_many(terms, [answer])[0]


def check_many(terms: Terms, answers: Sequence[bytes]) -> list[Checked]:
    """Check answers against the terms that they answer, all their proofs in one batch.

    Raises
    ------
    ForgeryError
        One of them is malformed, not for these terms, expired, altered, not signed by sources or asker, or proves
        nothing. Check one by one to learn which.
    """
    shown = [_opened(terms, answer) for answer in answers]
    if not _holds(terms, shown):
        for one in shown:
            one.blame(terms)
        raise ForgeryError("one of the answers does not verify")
    return [one.checked for one in shown]


def check_each(terms: Terms, answers: Sequence[bytes]) -> list[Checked | None]:
    """Check answers as :func:`check_many` does, with None for each that fails.

    A batch that does not hold is halved until those that fail stand alone: k bad answers among n cost some
    ``2 k log2(n / k)`` batches and not n single checks, so that who sends one bad answer an hour slows nobody.
    """
    shown: list[Shown | None] = []
    for answer in answers:
        try:
            shown.append(_opened(terms, answer))
        except ForgeryError:
            shown.append(None)
    hold = iter(_holding(terms, [one for one in shown if one is not None]))
    return [one.checked if one is not None and next(hold) else None for one in shown]


def _opened(terms: Terms, answer: bytes) -> Shown:
    return (one_show.Shown if terms.is_blind else presentation.Shown).open(terms, answer)


def _holds(terms: Terms, shown: Sequence[Shown]) -> bool:
    total = Combination(terms.group)
    return all(one.collect(terms, total) for one in shown) and total.is_nothing()


def _holding(terms: Terms, shown: Sequence[Shown]) -> list[bool]:
    """Return which of these proofs hold."""
    if not shown or _holds(terms, shown):
        return [True] * len(shown)
    if len(shown) == 1:
        return [False]
    middle = len(shown) // 2
    return _holding(terms, shown[:middle]) + _holding(terms, shown[middle:])
