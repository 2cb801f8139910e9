"""Judge: did a lender keep its word on one answer? Needs no secret of anybody, so anyone can judge.

The papers: the terms (from the public log), the answer, the lender's receipt for it, and the lender's decision. Without
a decision the judge shows the answer to the lender, who then files one (:meth:`.Lender.file`); a lender that files none
after its own deadline is convicted by its receipt. A verdict "used before" needs the other answer; a lender that cannot
produce it is convicted too.

Who sees what: the judge learns the one bit. Assumptions: those of :mod:`.check`. Not protected: a lender that gives no
offer or no receipt *refuses to serve*, which nobody can tell from a broken line; it has learnt nothing by then of who
asks or what the answer will be, so that it cannot choose whom it refuses.
"""

from __future__ import annotations

from enum import Enum

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.check import check
from blindscore_crypto.sealed.offer import Decision, Receipt, Verdict, digest
from blindscore_crypto.sealed.terms import Terms


class Finding(Enum):
    """What the papers show."""

    KEPT = "the lender answered as its terms demand"
    BENT = "the lender answered otherwise than its terms demand"
    OVERDUE = "the lender promised an answer and gave none by its own deadline"


def judge(
    terms: Terms, answer: bytes, receipt: bytes, decision: bytes | None, now: float, other: bytes | None = None
) -> Finding:
    """Return what the papers show.

    Parameters
    ----------
    decision
        The lender's, or None where it gave none, not even when it was shown this answer.
    now
        Seconds since 1970-01-01 UTC.
    other
        The earlier answer that the lender produces where it says "used before".

    Raises
    ------
    ForgeryError
        Papers that were not signed by this lender for this answer, or a complaint before the deadline.
    """
    paper, name = Receipt.decode(terms, receipt), digest(answer)
    if paper.answer != name:
        raise ForgeryError("the receipt is for another answer")
    if decision is None:
        if now < paper.deadline:
            raise ForgeryError("the lender's deadline has not passed; wait for it")
        return Finding.OVERDUE
    said = Decision.decode(terms, name, decision)
    if said.verdict == Verdict.USED:
        return Finding.KEPT if _was_used(terms, answer, said.other, other) else Finding.BENT
    return Finding.KEPT if said.verdict == _demanded(terms, answer, paper) else Finding.BENT


def _demanded(terms: Terms, answer: bytes, receipt: Receipt) -> Verdict:
    try:
        checked = check(terms, answer)
    except ForgeryError:
        return Verdict.VOID
    if checked.offer.nullifier != receipt.offer:
        return Verdict.VOID
    return Verdict.APPROVED if checked.approved else Verdict.REFUSED


def _was_used(terms: Terms, answer: bytes, named: bytes, other: bytes | None) -> bool:
    """Say whether another valid answer has shown one of this answer's nullifiers."""
    if other is None or other == answer or digest(other) != named:
        return False
    try:
        return bool(set(check(terms, answer).nullifiers) & set(check(terms, other).nullifiers))
    except ForgeryError:
        return False
