"""Defences: how a lender answers, each a plug-in with a name; what it costs is measured with what it hides.

``none`` is the control: the decision is computed on the reply's path, as a plain service would do it. ``by the clock``
is what the town does: the answer is noted, decided when the clock says so, and fetched later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from blindscore.parties.message import Message

if TYPE_CHECKING:
    from blindscore_app.town.wire.prepared import Prepared


@dataclass(frozen=True)
class Defence:
    """One way to answer.

    Parameters
    ----------
    on_path
        Whether the decision is computed before the reply to the answer, and is that reply.
    equal_work
        Whether a refusal costs as much work as an approval: a proof that verified before is verified again.
    answer_after
        Seconds after which a reply leaves; 0 = at once.
    """

    name: str
    on_path: bool = False
    equal_work: bool = False
    answer_after: float = 0.0


DEFENCES = {
    one.name: one
    for one in (
        Defence("none", on_path=True),
        Defence("equal work", on_path=True, equal_work=True),
        Defence("schedule alone", on_path=True, answer_after=0.03),
        Defence("by the clock"),
        Defence("by the clock, equal work", equal_work=True),
        Defence("by the clock, scheduled", answer_after=0.03),
    )
}


class Around:
    """Stands around a party, and is it in all that is not said here."""

    _party: Any

    def __getattr__(self, name: str) -> Any:
        if name == "_party":
            raise AttributeError(name)
        return getattr(self._party, name)


class Renewing(Around):
    """A party that is made anew when told to, so that prepared messages are news to it again.

    Parameters
    ----------
    make
        Returns the party as it stands before anybody applies.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._party = make, make()
        self.role, self.name = self._party.role, self._party.name

    def renew(self) -> None:
        """Forget the present party, and make another."""
        self._party = self._make()

    def handle(self, message: Message) -> list[Message]:
        """Take a message; ``renew`` is the experimenter's."""
        if message.kind == "renew":
            self.renew()
            return [Message(message.sender, "renewed", b"")]
        answers: list[Message] = self._party.handle(message)
        return answers


class OnPath:
    """A lender that decides before it answers: what ``none`` and its like measure.

    Parameters
    ----------
    lender
        Whose decisions are due at once.
    fetch
        Returns the body that fetches the decision on an answer.
    waste
        Work of an approval, done after every refusal; None = none.
    """

    def __init__(self, lender: Any, fetch: Callable[[bytes], bytes], waste: Callable[[], None] | None) -> None:
        self._lender, self._fetch, self._waste = lender, fetch, waste
        self.role, self.name, self.store = lender.role, lender.name, lender.store

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        answers: list[Message] = self._lender.handle(message)
        if message.kind != "answer":
            return answers
        self._lender.settle()
        decided: list[Message] = self._lender.handle(replace(message, kind="fetch", body=self._fetch(message.body)))
        if self._waste is not None and decided[0].body[0] == 0:
            self._waste()
        return decided


class EvenSettle:
    """A lender by the clock whose work on what waits is the same for refusals: a proof is verified in their place.

    Parameters
    ----------
    waits
        Returns how many refusals wait to be decided.
    """

    def __init__(self, lender: Any, waits: Callable[[], int], waste: Callable[[], None]) -> None:
        self._lender, self._waits, self._waste = lender, waits, waste
        self.role, self.name, self.store = lender.role, lender.name, lender.store

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        answers: list[Message] = self._lender.handle(message)
        return answers

    def settle(self) -> int:
        """Decide what waits, and waste as much on refusals."""
        for _ in range(self._waits()):
            self._waste()
        return int(self._lender.settle())


class AtOnce(Around):
    """A party behind its letterbox that does at once what is due by the clock, and says at once what it has to say.

    The control where a wallet's answer comes from another party than it speaks to: the reply leaves when all is done.
    """

    def __init__(self, box: Any) -> None:
        self._party = box

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        answers: list[Message] = self._party.handle(message)
        self._party.settle()
        for what, said in self._party.outgoing():
            self._party.taken(what)
            answers.append(said)
        return answers


class Planted(Around):
    """A party that tarries over some messages: the positive control of the attackers.

    Parameters
    ----------
    tarry
        Says of a message for how many seconds.
    """

    def __init__(self, party: Any, tarry: Callable[[Message], float], clock: Callable[[], float]) -> None:
        self._party, self._tarry, self._clock = party, tarry, clock

    def handle(self, message: Message) -> list[Message]:
        """See :class:`~blindscore.parties.party.Party`."""
        answers: list[Message] = self._party.handle(message)
        until = self._clock() + self._tarry(message)
        while self._clock() < until:
            pass
        return answers


def tarrying(prepared: Prepared, seconds: float) -> Callable[[Any], Any] | None:
    """Return what makes a party tarry over the last messages of those whom the lender will approve; nothing for 0."""
    if not seconds:
        return None
    approved, mark_of = {one.mark for one in prepared.applicants if one.approved}, prepared.mark_of
    return lambda party: Planted(party, lambda m: seconds if mark_of(m) in approved else 0.0, time.perf_counter)
