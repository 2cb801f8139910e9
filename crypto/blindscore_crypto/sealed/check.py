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
    form = one_show.Shown if terms.is_blind else presentation.Shown
    shown = [form.open(terms, answer) for answer in answers]
    total = Combination(terms.group)
    if not (all(one.collect(terms, total) for one in shown) and total.is_nothing()):
        for one in shown:
            one.blame(terms)
        raise ForgeryError("one of the answers does not verify")
    return [one.checked for one in shown]
