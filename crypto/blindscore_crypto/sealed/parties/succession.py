"""Succession: a lender passes from one epoch's terms to the next, over one store, and owes nobody what it promised.

New offers are made under the newest terms alone. A commitment, an answer or a fetch goes to the terms that its offer
named, for as long as rows are kept. Who sees what: as :mod:`.lender`.
"""

from __future__ import annotations

from collections.abc import Callable

from blindscore.errors import ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import Store, blob_of
from blindscore_crypto.sealed.parties.lender import WAITING, Lender
from blindscore_crypto.sealed.terms import Terms

_NAMED = slice(4, 36)  # of an offer: the fingerprint of its terms


class Succession:
    """One lender under the terms of several epochs, newest first.

    Raises
    ------
    ParameterError
        None, of different lenders, or over different stores.
    """

    def __init__(self, *lenders: Lender) -> None:
        if len({(one.name, one.role, id(one.store)) for one in lenders}) != 1:
            raise ParameterError("a succession is of one lender over one store")
        self._lenders = lenders
        self._by_terms = {one.terms.fingerprint: one for one in lenders}

    @property
    def role(self) -> str:
        """See :class:`~blindscore.parties.party.Party`."""
        return self._lenders[0].role

    @property
    def name(self) -> str:
        """See :class:`~blindscore.parties.party.Party`."""
        return self._lenders[0].name

    @property
    def store(self) -> Store:
        """The one that all of them share."""
        return self._lenders[0].store

    @property
    def terms(self) -> Terms:
        """The newest."""
        return self._lenders[0].terms

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        find: Callable[[bytes], bytes] | None = {
            "commit": lambda body: body[_NAMED],
            "answer": lambda body: body[1:][_NAMED],
            "fetch": self._waits_under,
        }.get(message.kind)
        named = find(message.body) if find is not None else b""
        return self._by_terms.get(named, self._lenders[0]).handle(message)

    def _waits_under(self, digest: bytes) -> bytes:
        row = self.store.get(WAITING.name, digest)
        return b"" if row is None else blob_of(row, "terms")

    def settle(self) -> int:
        """See :meth:`.Lender.settle`."""
        return sum(one.settle() for one in self._lenders)

    def waiting(self) -> int:
        """See :meth:`.Lender.waiting`."""
        return self._lenders[0].waiting()

    def sweep(self) -> int:
        """See :meth:`.Lender.sweep`."""
        return sum(one.sweep() for one in self._lenders)
