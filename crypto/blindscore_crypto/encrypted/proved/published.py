"""Published: the terms of a proving lender as the public log holds them, and the proof that it answered under others.

::

    wallet    lender's and source's names ------> log: members, with their keys
              (key, purpose, epoch)       ------> log: the one commitment that stands there
    judge     every entry of the log, and a signed reply: does it name terms that the log does not hold?

Who sees what: the log learns that somebody looks a lender and a bank up, not who; all entries are public. Assumptions:
those of :mod:`blindscore_crypto.sealed.log`. The source checks none of it: it must not learn which lender it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.party import Clock, day_of
from blindscore.parties.store import Store
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.encrypted.proved import wire
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member, name_key, proved_terms_key
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.log.lookup import Watcher
from blindscore_crypto.sealed.terms import LOAN, Epoch


@dataclass(frozen=True)
class Setting:
    """What a wallet is told once, and what is the same for everybody."""

    lender: str  # name, as the registrar admitted it
    source: str
    epoch: Epoch
    trust: Trust
    purpose: str = LOAN


@dataclass(frozen=True)
class Found:
    """What stands in the log."""

    terms: ProvedTerms
    source: VerifyingKey


def find(setting: Setting, store: Store, clock: Clock, log: Callable[[bytes], bytes]) -> Found:
    """Look terms and the source's key up, and check them against list, map, witnesses, epoch and date.

    Parameters
    ----------
    store
        The wallet's: it remembers the last head that was seen.
    log
        Carries a question to the log and brings its answer.

    Raises
    ------
    DataError, ForgeryError
        See :func:`looking`.
    """
    steps = looking(setting, store, clock)
    question = next(steps)
    while True:
        try:
            question = steps.send(log(question))
        except StopIteration as done:
            found: Found = done.value
            return found


def looking(setting: Setting, store: Store, clock: Clock) -> Generator[bytes, bytes, Found]:
    """Yield questions to the log, take its answer to each, and return what was found; see :func:`find`.

    Raises
    ------
    DataError
        The log proves that it has no such member or terms.
    ForgeryError
        A malformed answer, a head that is stale, split or not cosigned, an entry that is not in the log, terms of
        another lender, or out of force.
    """
    watcher = Watcher(setting.trust, store)

    def look(*keys: bytes) -> Generator[bytes, bytes, list[Entry]]:
        answer = yield watcher.ask(keys)
        found = watcher.read(keys, answer, clock())
        if any(entry is None for entry in found):
            raise DataError("the public log proves that it has no such lender, source or terms")
        return [entry for entry in found if entry is not None]

    members = yield from look(name_key(setting.lender), name_key(setting.source))
    lender, source = map(_member, members)
    if (lender.role, source.role) != ("lender", "source"):
        raise ForgeryError("one of them is in the public log for another role")
    (entry,) = yield from look(proved_terms_key(lender.key, setting.purpose, setting.epoch.number))
    terms = ProvedTerms.decode(entry.body)
    if (terms.lender, terms.signs) != (setting.lender, entry.issuer):
        raise ForgeryError("the terms are of another lender than they are logged by")
    if terms.epoch != setting.epoch or terms.epoch.last_day < day_of(clock):
        raise ForgeryError("the terms' dates are not the published ones, or past")
    return Found(terms, source.key)


def _member(entry: Entry) -> Member:
    if entry.kind != Kind.MEMBER:
        raise ForgeryError("the log answers about a name with something else")
    return Member.decode(entry.body)


def all_terms(entries: Iterable[bytes], lender: VerifyingKey) -> list[ProvedTerms]:
    """Return all that a lender's key ever logged, of every purpose and epoch."""
    read = (Entry.decode(data) for data in entries)
    return [ProvedTerms.decode(e.body) for e in read if e.kind == Kind.PROVED_TERMS and e.issuer == lender]


def is_off_log(application: bytes, reply: bytes, held: ProvedTerms, logged: Sequence[ProvedTerms]) -> bool:
    """Say whether a reply proves that its lender answered under terms that it never logged: a second commitment.

    Parameters
    ----------
    held
        The logged terms under which the person applied.
    logged
        What :func:`all_terms` gives: an honest lender logs terms before it answers under them.

    Raises
    ------
    ForgeryError
        The log does not hold those terms, or the reply is no answer to this application, signed by the key in them.
    """
    known = {terms.digest for terms in logged}
    if held.digest not in known:
        raise ForgeryError("the person applied under terms that the log does not hold")
    return wire.read_reply(reply, held, application)[0] not in known
