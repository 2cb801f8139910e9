"""What a lender's database must hold: every promise kept, every decision as its terms demand, each thing spent once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from blindscore.errors import BlindscoreError
from blindscore.parties.store import Row
from blindscore_app.town.auditor.books import Books, Finding, of_bytes, of_number
from blindscore_crypto.sealed.check import answer_bytes, check
from blindscore_crypto.sealed.offer import DIGEST_BYTES, Checked, Decision, Verdict, digest
from blindscore_crypto.sealed.terms import Terms

TABLES = ("receipts", "answers", "waiting", "arrived", "spent", "decided")
SAID = {Verdict.APPROVED: 1, Verdict.REFUSED: 0}


@dataclass
class LenderAudit:
    """One lender's tables, read once."""

    books: Books
    name: str

    def __post_init__(self) -> None:
        self.rows = {table: self.books.rows(self.name, table) for table in TABLES}
        self.swept = bool(self.books.rows(self.name, "swept"))  # then a partner row may have been dropped in its time
        self.terms = [terms for terms in self.books.terms if terms.lender == self.name]
        self.by_terms = {terms.fingerprint: terms for terms in self.terms}
        self.checked = {name: self._checked(of_bytes(row, "answer")) for name, row in self.rows["answers"].items()}
        self.receipt_of: dict[bytes, list[bytes]] = {}
        for offer, row in self.rows["receipts"].items():
            self.receipt_of.setdefault(of_bytes(row, "answer"), []).append(offer)

    def findings(self) -> Iterator[Finding]:
        """Yield what cannot be."""
        yield from self._receipts()
        yield from self._waiting()
        yield from self._answers()
        yield from self._spent()
        for name, row in self.rows["decided"].items():
            yield from self._decided(name, row)

    def _found(self, table: str, key: bytes, why: str) -> Finding:
        return Finding(self.name, table, key.hex(), why)

    def _terms_of(self, answer: bytes) -> Terms | None:
        return self.by_terms.get(answer[5:37])  # tag, then the offer, whose fingerprint follows its own four bytes

    def _checked(self, answer: bytes) -> Checked | None:
        terms = self._terms_of(answer)
        try:
            return None if terms is None else check(terms, answer)
        except BlindscoreError:
            return None

    def _receipts(self) -> Iterator[Finding]:
        for offer, row in self.rows["receipts"].items():
            answer = of_bytes(row, "answer")
            if len(answer) != DIGEST_BYTES or of_number(row, "deadline") < 0:
                yield self._found("receipts", offer, "names no answer, or no deadline")
            elif answer not in self.rows["waiting"] and answer not in self.rows["decided"] and not self.swept:
                yield self._found("receipts", offer, "its answer neither waits nor is decided: a promise was dropped")
            elif answer in self.rows["answers"] and self._offer_of(answer) not in (offer, b""):
                yield self._found("receipts", offer, "its answer answers another offer")

    def _offer_of(self, name: bytes) -> bytes:
        checked = self.checked.get(name)
        return b"" if checked is None else checked.offer.nullifier

    def _waiting(self) -> Iterator[Finding]:
        for name, row in self.rows["waiting"].items():
            receipt = self.rows["receipts"].get(of_bytes(row, "offer"))
            if receipt is None or receipt["answer"] != name:
                yield self._found("waiting", name, "waits under a receipt that is not there, or of another answer")
            if of_bytes(row, "terms") not in self.by_terms:
                yield self._found("waiting", name, "waits under terms that were never published; nobody decides it")
            if name in self.rows["decided"]:
                yield self._found("waiting", name, "waits, and is decided")
            if name in self.rows["answers"] and name not in self.rows["arrived"]:
                yield self._found("waiting", name, "its answer has come and is not on the list to be decided")
        for name in self.rows["arrived"]:
            if name not in self.rows["waiting"] or name not in self.rows["answers"]:
                yield self._found("arrived", name, "is to be decided, and does not wait or has not come")

    def _answers(self) -> Iterator[Finding]:
        for name, row in self.rows["answers"].items():
            answer = of_bytes(row, "answer")
            sizes = {answer_bytes(terms) for terms in self.terms}
            if digest(answer) != name:
                yield self._found("answers", name, "the bytes are not those that the receipt was given for")
            elif len(answer) not in sizes:
                yield self._found("answers", name, "no answer under any published terms has this size")
            elif name not in self.rows["waiting"] and name not in self.rows["decided"] and not self.swept:
                yield self._found("answers", name, "an answer that neither waits nor was decided")

    def _spent(self) -> Iterator[Finding]:
        for nullifier, row in self.rows["spent"].items():
            by = of_bytes(row, "by")
            if by not in self.rows["answers"]:
                if not self.swept:
                    yield self._found("spent", nullifier, "was spent by an answer that is not there")
                continue
            checked = self.checked[by]
            if checked is None or nullifier not in checked.nullifiers:
                yield self._found("spent", nullifier, "the answer that it names does not show it")

    def _decided(self, name: bytes, row: Row) -> Iterator[Finding]:
        said = self._signed(name, of_bytes(row, "signed"))
        if said is None:
            yield self._found("decided", name, "carries no decision that this lender signed for this answer")
            return
        if row["approved"] != SAID.get(said.verdict):
            yield self._found("decided", name, f"notes {row['approved']!r}; what was signed is {said.verdict.name}")
        if name not in self.receipt_of and not self.swept:
            yield self._found("decided", name, "was decided without a receipt")
        if name not in self.rows["answers"]:
            if not self.swept:
                yield self._found("decided", name, "was decided on an answer that is not there")
            return
        checked = self.checked[name]
        holds = checked is not None and checked.offer.nullifier in self.receipt_of.get(name, [])
        demanded = Verdict.VOID
        if checked is not None and (holds or self.swept):
            demanded = Verdict.APPROVED if checked.approved else Verdict.REFUSED
        if said.verdict == Verdict.USED:
            other = self.checked.get(said.other)
            both = set() if checked is None or other is None else set(checked.nullifiers) & set(other.nullifiers)
            if not both and not self.swept:
                yield self._found("decided", name, "says that it was used before; the answer named shares nothing")
            return
        if said.verdict != demanded:
            yield self._found("decided", name, f"says {said.verdict.name}; its terms demand {demanded.name}")
        if checked is not None and said.verdict in SAID:
            for nullifier in checked.nullifiers:
                spent = self.rows["spent"].get(nullifier)
                if spent is None and not self.swept:
                    yield self._found("spent", nullifier, f"is missing: answer {name.hex()[:16]} has shown it")
                elif spent is not None and spent["by"] != name:
                    yield self._found(
                        "spent", nullifier, f"names another answer than {name.hex()[:16]}, which showed it"
                    )

    def _signed(self, name: bytes, signed: bytes) -> Decision | None:
        try:
            return Decision.decode(self.terms[0], name, signed)
        except BlindscoreError:
            return None
