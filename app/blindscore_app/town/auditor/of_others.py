"""What the databases of log, witnesses, sources and wallets must hold."""

from __future__ import annotations

from collections.abc import Iterator

from blindscore.errors import BlindscoreError
from blindscore.parties.store import Row
from blindscore_app.town.auditor.books import Books, Finding, of_bytes, of_number
from blindscore_app.town.auditor.of_perk import rider_findings
from blindscore_crypto.sealed.groups.group import decode_scalar
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import SealingKey
from blindscore_crypto.sealed.offer import Decision, Offer, Receipt, digest
from blindscore_crypto.sealed.parties.purse import blind_slot, sealed_slot
from blindscore_crypto.sealed.parties.source import LIMIT, MAX_BATCH, customer_name
from blindscore_crypto.sealed.terms import Signatory, Terms

AHEAD_S = 600  # a clock that runs so far ahead is taken for a clock


def log_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield entries out of order, not admitted by the rules, or missing though somebody has seen them."""
    book, rows = Book(books.registrar), books.rows(name, "entries")
    for at, (key, row) in enumerate(rows.items()):
        if key != at.to_bytes(8, "big"):
            yield Finding(name, "entries", at.to_bytes(8, "big").hex(), "is missing: entries have no gaps")
            break
        try:
            book.append(of_bytes(row, "entry"))
        except BlindscoreError as error:
            yield Finding(name, "entries", key.hex(), f"is not admitted by the log's rules: {error}")
            break
    held = {digest(entry) for entry in book.entries}
    if books.roles[name] == "log":
        for witness in books.of_role("witness"):
            theirs = books.rows(witness, "entries")
            for key, row in theirs.items():
                if key in rows and rows[key]["entry"] != row["entry"]:
                    yield Finding(name, "entries", key.hex(), f"is another entry than {witness} has followed")
                elif key not in rows:
                    yield Finding(name, "entries", key.hex(), f"is missing: {witness} has followed it")
        published = b"".join(book.entries)
        for terms in books.terms:
            if terms.encode() not in published and held:
                yield Finding(name, "entries", "", f"the terms of epoch {terms.epoch.number} are not among them")
        epoch = max(terms.epoch.number for terms in books.terms)
        for party, config in books.sealing.items():
            if SealingKey(party, epoch, config).encode() not in published and held:
                yield Finding(name, "entries", "", f"the public file's key to seal to {party} with is not among them")


def witness_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield what :func:`log_findings` yields, and a head that is of the future or of nothing."""
    yield from log_findings(books, name)
    seen = books.rows(name, "cosigned").get(b"head")
    if seen is not None and not 0 <= of_number(seen, "time") <= books.now + AHEAD_S:
        yield Finding(name, "cosigned", b"head".hex(), "a head of the future was cosigned; none would be for that long")
    if seen is not None and not books.rows(name, "entries"):
        yield Finding(name, "entries", bytes(8).hex(), "is missing: a head over entries was cosigned")


def _signatories(books: Books, name: str) -> Iterator[tuple[Terms, Signatory]]:
    for terms in books.terms:
        yield from ((terms, source) for source in terms.sources if source.name == name)


def source_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield customers who are none, counts beyond the limit, sessions of nobody, and records that cannot be binned."""
    records, signed = books.rows(name, "records"), list(_signatories(books, name))
    known = {customer_name(terms.epoch, key.decode("utf-8", "replace")) for terms, _ in signed for key in records}
    customers, fetched = books.rows(name, "customers"), books.rows(name, "fetched")
    for key, row in records.items():
        try:
            signed[0][1].layout.bins(row)
        except (BlindscoreError, TypeError, ValueError):
            yield Finding(name, "records", key.hex(), "cannot be binned by the published layout")
    for key, row in customers.items():
        if key not in known:
            yield Finding(name, "customers", key.hex(), "is nobody of whom records are kept, in no epoch")
        try:
            signed[0][0].group.decode(of_bytes(row, "public"))
        except BlindscoreError:
            yield Finding(name, "customers", key.hex(), "holds no wallet's public value")
        if key not in fetched:
            yield Finding(name, "fetched", key.hex(), "is missing: this customer was admitted")
    for key, row in fetched.items():
        if not 1 <= of_number(row, "count") <= LIMIT:
            yield Finding(name, "fetched", key.hex(), f"counts {row['count']!r}; {LIMIT} is the limit")
        if key not in customers:
            yield Finding(name, "customers", key.hex(), "is missing: signatures were fetched under it")
    for key, row in books.rows(name, "sessions").items():
        began = row["began"]
        if key[:-1] not in customers or key[-1] >= MAX_BATCH:
            yield Finding(name, "sessions", key.hex(), "is a session of nobody who was admitted")
        if not isinstance(began, int | float) or began > books.now + AHEAD_S:
            yield Finding(name, "sessions", key.hex(), "began in the future: it would never time out")


def wallet_findings(books: Books, name: str) -> Iterator[Finding]:
    """Yield papers that do not hold, and what lender and sources hold otherwise than this person."""
    for key, row in books.rows(name, "secret").items():
        try:
            decode_scalar(books.terms[0].group, of_bytes(row, "k"))
        except BlindscoreError:
            yield Finding(name, "secret", key.hex(), "is no secret of a wallet")
    for key, row in books.rows(name, "terms").items():
        if of_bytes(row, "terms") not in [terms.encode() for terms in books.terms]:
            yield Finding(name, "terms", key.hex(), "are not the published ones")
    for key, row in books.rows(name, "applications").items():
        terms = next((t for t in books.terms if t.lender_key.raw + t.epoch.encode() == key), None)
        if terms is None:
            yield Finding(name, "applications", key.hex(), "is to no published lender and epoch")
        elif row["receipt"]:
            yield from _papers(books, name, key, row, terms)
    yield from _held(books, name)
    yield from rider_findings(books, name)


def _papers(books: Books, name: str, key: bytes, row: Row, terms: Terms) -> Iterator[Finding]:
    answer = digest(of_bytes(row, "answer"))
    try:
        receipt = Receipt.decode(terms, of_bytes(row, "receipt"))
        offer = Offer.decode(terms, of_bytes(row, "offer"))
        if row["decision"]:
            Decision.decode(terms, answer, of_bytes(row, "decision"))
    except BlindscoreError as error:
        yield Finding(name, "applications", key.hex(), f"holds papers that do not verify: {error}")
        return
    if (receipt.answer, receipt.offer) != (answer, offer.nullifier):
        yield Finding(name, "applications", key.hex(), "its receipt is for another answer")
        return
    lender = terms.lender
    if lender not in books.stores or books.rows(lender, "swept"):
        return
    held = books.rows(lender, "receipts").get(offer.nullifier)
    if held is None or (held["answer"], held["deadline"]) != (answer, receipt.deadline):
        yield Finding(lender, "receipts", offer.nullifier.hex(), f"is missing or altered: {name} holds it, signed")
    decided = books.rows(lender, "decided").get(answer)
    if row["decision"] and (decided is None or decided["signed"] != row["decision"]):
        yield Finding(lender, "decided", answer.hex(), f"is missing or altered: {name} holds it, signed")


def _held(books: Books, name: str) -> Iterator[Finding]:
    """Compare the bins that a source has signed with the record that it keeps of this person."""
    who = name.removeprefix("wallet of ").partition(" ")[0]
    for terms in books.terms:
        for source in terms.sources:
            record = books.rows(source.name, "records").get(who.encode()) if source.name in books.stores else None
            if record is None:
                continue
            slot = blind_slot(source) if terms.is_blind else sealed_slot(terms, source)
            try:
                bins = bytes(source.layout.bins(record))
            except (BlindscoreError, TypeError, ValueError):
                continue  # told of the source already
            for key, row in books.rows(name, "held").items():
                if key.startswith(slot) and bins != _bins_of(of_bytes(row, "signed"), terms, source):
                    why = f"bins otherwise than {name} had it signed"
                    yield Finding(source.name, "records", who.encode().hex(), why)
                    break


def _bins_of(signed: bytes, terms: Terms, source: Signatory) -> bytes:
    from blindscore_crypto.sealed.attestation import Issued

    if terms.is_blind:
        return signed[: len(source.layout.n_bins)]
    try:
        return bytes(Issued.decode(terms.group, source, signed).bins)
    except BlindscoreError:
        return b""
