"""Monitor: reads every entry of a log and says what should alarm anybody.

``python -m blindscore_crypto.sealed.log.monitor LOG.db REGISTRAR.pub`` prints members, terms and keys in plain words
and ends with status 1 if there is an alarm. Who sees what: all is public. What it looks for: entries that the rules do
not admit (a second document for one lender, purpose and epoch; a second key for one source, layout and epoch, one
perk and epoch, or one name to seal to and epoch; strangers), one lender under several names with the same card, and
thresholds or cards that change between epochs (of a committed secret card, what shows of it: a new commitment to it
looks like one to another).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blindscore.errors import BlindscoreError, DataError, ForgeryError
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import blob_of
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member, SealingKey, proved_terms
from blindscore_crypto.sealed.perks.token_key import TokenKey
from blindscore_crypto.sealed.terms import EpochKey, Terms

if TYPE_CHECKING:
    from blindscore_crypto.encrypted.proved.terms import ProvedTerms


@dataclass(frozen=True)
class Alarm:
    """One thing that should not be so."""

    index: int  # of the entry
    what: str


def watch(entries: Iterable[bytes], registrar: VerifyingKey) -> list[Alarm]:
    """Return the alarms that a log's entries give, in order."""
    book, alarms = Book(registrar), []
    by_card: dict[tuple[str, int, str], str] = {}  # (card, epoch, purpose) -> lender
    last: dict[tuple[Kind, bytes, str], tuple[object, ...]] = {}  # what a lender decided by, as far as it shows
    for index, data in enumerate(entries):
        try:
            book.append(data)
        except ForgeryError as error:
            alarms.append(Alarm(index, str(error)))
            continue
        entry = Entry.decode(data)
        terms: Terms | ProvedTerms
        rule: tuple[object, ...]
        if entry.kind == Kind.TERMS:
            terms = Terms.decode(entry.body)
            shared = by_card.setdefault((terms.card.fingerprint, terms.epoch.number, terms.purpose), terms.lender)
            if shared != terms.lender:
                what = f"{terms.lender!r} and {shared!r} decide by one card: siblings may ask twice"
                alarms.append(Alarm(index, what))
            rule, named = (terms.card.fingerprint, terms.threshold), "card or threshold"
        elif entry.kind == Kind.PROVED_TERMS:
            terms = proved_terms(entry.body)
            rule, named = (terms.threshold, terms.offset, terms.layout.fingerprint), "threshold or bins"
        else:
            continue
        who = entry.kind, entry.issuer.raw, terms.purpose  # the book admits terms under the lender's own key alone
        if last.setdefault(who, rule) != rule:
            alarms.append(Alarm(index, f"{terms.lender!r} has changed {named} for {terms.purpose!r}"))
        last[who] = rule
    return alarms


def describe(data: bytes) -> str:
    """Return one entry in plain words."""
    try:
        entry = Entry.decode(data)
    except ForgeryError:
        return f"{len(data)} bytes that are no entry"
    who = entry.issuer.id.hex()[:8]
    if entry.kind == Kind.MEMBER:
        member = Member.decode(entry.body)
        return f"member {member.name!r}, {member.role}, key {member.key.id.hex()[:8]}"
    if entry.kind == Kind.TERMS:
        terms = Terms.decode(entry.body)
        head = f"terms of {terms.lender!r} for {terms.purpose!r}, epoch {terms.epoch.number}"
        rule = f"from {terms.threshold} points under card {terms.card.fingerprint[:12]}"
        return f"{head}: {rule}, sources {', '.join(s.name for s in terms.sources)}"
    if entry.kind == Kind.EPOCH_KEY:
        key = EpochKey.decode(entry.body + entry.signature, entry.issuer)
        return f"blind-signing key of {who}, layout {key.layout.hex()[:12]}, epoch {key.epoch.number}"
    if entry.kind == Kind.PROVED_TERMS:
        proved = proved_terms(entry.body)
        head = f"committed terms of {proved.lender!r} for {proved.purpose!r}, epoch {proved.epoch.number}"
        return f"{head}: from {proved.threshold} points under a secret card, commitment {proved.digest.hex()[:12]}"
    if entry.kind == Kind.SEALING_KEY:
        sealing = SealingKey.decode(entry.body)
        public = sealing.config.public.hex()[:12]
        return f"key to seal requests to {sealing.name!r} with, epoch {sealing.epoch}: {public}"
    token = TokenKey.decode(entry.body)
    return f"token key of {who}, perk {token.perk}, epoch {token.epoch.number}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="log monitor", description="Reads a public log and prints what alarms.")
    parser.add_argument("log", type=Path, help="the log keeper's database, or a copy of it")
    parser.add_argument("registrar", type=Path, help="public key of the registrar, PEM")
    given = parser.parse_args(argv)
    try:
        if not given.log.exists():
            raise DataError(f"{given.log}: there is no such file")
        from blindscore_crypto.sealed.parties.log import ENTRIES

        store = SqliteStore(given.log, ENTRIES)
        entries = [blob_of(row, "entry") for _, row in store.items(ENTRIES.name)]
        store.close()
        alarms = watch(entries, VerifyingKey.load(given.registrar))
        for index, data in enumerate(entries):
            print(f"{index:6} {describe(data)}")
        for alarm in alarms:
            print(f"ALARM {alarm.index}: {alarm.what}")
    except BlindscoreError as error:
        print(f"log monitor: {error}", file=sys.stderr)
        return 2
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
