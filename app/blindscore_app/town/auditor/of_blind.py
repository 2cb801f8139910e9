"""What the databases of the encrypted designs' parties must hold: bank, lenders, helper, auditors and wallets.

Without the lender's card nobody can compute a total again; that is what ``encrypted-audited``'s own auditor is for.
What is checked here is that rows bear one another out: what was admitted, answered, concluded, told and taken, by whom,
and that what is signed verifies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from blindscore.errors import BlindscoreError
from blindscore.parties.store import Row
from blindscore_app.town.auditor.books import BlindBooks, Finding, of_bytes, of_number
from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.encrypted.compare.exchange import Check
from blindscore_crypto.encrypted.parties.source import LIMIT, counted_under
from blindscore_crypto.encrypted.results import EMPTY, RESULT_BYTES, Result, Transcript, chain, entry_of
from blindscore_crypto.encrypted.wire import NONCE_BYTES

DIGEST_BYTES = 32


def audit_blind(books: BlindBooks) -> list[Finding]:
    """Return every row that cannot be, by party, table and row; nothing where all is as honest parties leave it."""
    return sorted(set(_all(books)), key=lambda one: (one.party, one.table, one.row, one.why))


def _all(books: BlindBooks) -> Iterator[Finding]:
    for name in books.of_role("source"):
        yield from _source(books, name)
    for name in books.of_role("lender"):
        yield from _admitted(books, name)
        yield from _concluded(books, name)
        yield from _letters(books, name)
        if name in books.commitments:
            yield from _signed(books, name)
    for name in books.of_role("helper"):
        yield from _helper(books, name)
    for name in books.of_role("auditor"):
        yield from _auditor(books, name)
    for name, (lender, wallet) in books.wallets.items():
        yield from _wallet(books, name, lender, wallet)


def _source(books: BlindBooks, name: str) -> Iterator[Finding]:
    records = books.rows(name, "records")
    known = {counted_under(books.layout, key.decode("utf-8", "replace")) for key in records}
    for key, row in records.items():
        try:
            books.layout.bins(row)
        except (BlindscoreError, TypeError, ValueError):
            yield Finding(name, "records", key.hex(), "cannot be binned by the published layout")
    for key, row in books.rows(name, "asked").items():
        if key not in known:
            yield Finding(name, "asked", key.hex(), "is nobody of whom records are kept, under the published layout")
        if not 1 <= of_number(row, "count") <= LIMIT:
            yield Finding(name, "asked", key.hex(), f"counts {row['count']!r}; {LIMIT} is the limit")


def _outcomes(books: BlindBooks, name: str) -> dict[str, dict[bytes, Row]]:
    return {table: books.rows(name, table) for table in ("scores", "decisions")}


def _admitted(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield applications that were answered without being counted, or counted without being answered."""
    asked, answered = books.rows(name, "asked"), books.rows(name, "answered")
    counted = sum(of_number(row, "count") for row in asked.values())
    for table in ("of_source", "life"):
        rows = books.rows(name, table)
        if rows and sum(of_number(row, "count") for row in rows.values()) != counted:
            for key in rows:
                yield Finding(name, table, key.hex(), f"does not count the {counted} answers that pseudonyms had")
    if not books.swept(name) and len(answered) != counted:
        for key in asked:
            yield Finding(name, "asked", key.hex(), f"{counted} are counted in all, and {len(answered)} were answered")
    used: Counter[bytes] = Counter()
    for table in ("scores", "decisions", "open", "told", "bound"):
        for key, row in books.rows(name, table).items():
            by = of_bytes(row, "pseudonym") or of_bytes(row, "by")
            used[by] += 1
            if by not in asked:
                yield Finding(name, table, key.hex(), "names a pseudonym that never asked")
            elif used[by] > of_number(asked[by], "count"):
                yield Finding(name, "asked", by.hex(), f"counts {asked[by]['count']!r}; more than that was concluded")
            if key not in answered and not books.swept(name):
                yield Finding(name, table, key.hex(), "belongs to no application that was answered")


def _concluded(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield applications that wait and are concluded, and outcomes that are none."""
    outcomes = _outcomes(books, name)
    done = outcomes["scores"].keys() | outcomes["decisions"].keys()
    waits = [books.rows(name, table) for table in ("open", "told", "bound")]
    for table, rows in zip(("open", "told", "bound"), waits, strict=True):
        for key in rows.keys() & done:
            yield Finding(name, table, key.hex(), "waits, and is concluded: a second opening would be taken")
    for key, row in outcomes["scores"].items():
        if not isinstance(row["total"], int):
            yield Finding(name, "scores", key.hex(), "holds no total")
    for key, row in outcomes["decisions"].items():
        if row["approved"] not in (0, 1):
            yield Finding(name, "decisions", key.hex(), f"says {row['approved']!r}, neither yes nor no")


def _letters(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield letters that say another thing than the tables, or that nobody was promised."""
    promised, letters, outcomes = books.rows(name, "promised"), books.rows(name, "letters"), _outcomes(books, name)
    results = {of_bytes(row, "transcript")[-RESULT_BYTES:] for row in books.rows(name, "signed").values()}
    told: dict[bytes, tuple[bytes, bool]] = {}  # nonce -> ticket, decision
    for ticket, row in letters.items():
        if ticket not in promised and not books.swept(name):
            yield Finding(name, "promised", ticket.hex(), "is missing: an answer lies there for it")
        if row["kind"] == "result" and name in books.commitments and of_bytes(row, "body") not in results:
            yield Finding(name, "letters", ticket.hex(), "is no result of any transcript that was signed")
        if row["kind"] != "decision":
            continue
        body = of_bytes(row, "body")[HEADER_BYTES:]
        nonce, said = body[:NONCE_BYTES], body[NONCE_BYTES:]
        if len(said) != 1 or said[0] > 1:
            yield Finding(name, "letters", ticket.hex(), "holds no decision")
            continue
        told[nonce] = ticket, bool(said[0])
        decided = outcomes["decisions"].get(nonce)
        if nonce not in outcomes["scores"] and decided is None:
            yield Finding(name, "letters", ticket.hex(), "tells a decision on an application that was not concluded")
        elif decided is not None and decided["approved"] != said[0]:
            yield Finding(name, "letters", ticket.hex(), f"says {said[0]}; what was decided is {decided['approved']!r}")
    yield from _one_bar(name, outcomes["scores"], told)
    if not books.swept(name) and not books.commitments.get(name) and books.parameters is not None:
        for nonce in (outcomes["scores"].keys() | outcomes["decisions"].keys()) - told.keys():
            table = "scores" if nonce in outcomes["scores"] else "decisions"
            yield Finding(name, table, nonce.hex(), "was concluded, and nobody was told")


def _one_bar(name: str, scores: Mapping[bytes, Row], told: Mapping[bytes, tuple[bytes, bool]]) -> Iterator[Finding]:
    """Yield letters that no one threshold explains: refused with more points than somebody who was approved."""
    known = [(of_number(scores[nonce], "total"), *said) for nonce, said in told.items() if nonce in scores]
    approved, refused = ([t for t, _, said in known if said is kind] for kind in (True, False))
    for total, ticket, said in known:
        if (said and refused and total <= max(refused)) or (not said and approved and total >= min(approved)):
            yield Finding(name, "letters", ticket.hex(), "and another one are explained by no one threshold")


def _signed(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield entries out of the chain, and transcripts that are not signed, not logged, or of another outcome."""
    entries, heads = books.rows(name, "log"), books.rows(name, "log_head")
    head, listed = EMPTY, []
    for index, (key, row) in enumerate(entries.items()):
        if key != index.to_bytes(8):
            yield Finding(name, "log", index.to_bytes(8).hex(), "is missing: entries have no gaps")
            break
        listed.append(of_bytes(row, "entry"))
        head = chain(head, index, listed[-1])
    kept = heads.get(b"log", {"size": 0, "head": EMPTY})
    if (kept["size"], kept["head"]) != (len(entries), head):
        yield Finding(name, "log_head", b"log".hex(), "is not what the entries come to")
    scores = books.rows(name, "scores")
    signed = books.rows(name, "signed")
    for nonce, row in signed.items():
        result = _result(books, name, of_bytes(row, "transcript"))
        if result is None:
            yield Finding(name, "signed", nonce.hex(), "is no transcript that this lender signed")
            continue
        transcript, said = result
        if said.nonce != nonce or said.commitment != books.commitments[name]:
            yield Finding(name, "signed", nonce.hex(), "is of another application, or under another card")
        if entry_of(transcript.application, transcript.reply) not in listed:
            yield Finding(name, "log", "", f"does not hold the application of transcript {nonce.hex()[:16]}")
        if said.approved != (said.score >= said.threshold):
            yield Finding(name, "signed", nonce.hex(), "its decision does not follow from score and threshold")
        if nonce not in scores:
            yield Finding(name, "scores", nonce.hex(), "is missing: a result of it was signed")
    for nonce in scores.keys() - signed.keys():
        if not books.swept(name):
            yield Finding(name, "signed", nonce.hex(), "is missing: a total of it is kept")
    yield from _clipped(books, name, signed, scores)


def _result(books: BlindBooks, name: str, data: bytes) -> tuple[Transcript, Result] | None:
    p = books.parameters
    try:
        transcript = None if p is None else Transcript.decode(data, p)
        return None if p is None or transcript is None else (transcript, Result.read(transcript, p, books.keys[name]))
    except BlindscoreError:
        return None


def _clipped(
    books: BlindBooks, name: str, signed: Mapping[bytes, Row], scores: Mapping[bytes, Row]
) -> Iterator[Finding]:
    """Yield totals that no clipping to one scale turns into the signed scores.

    The scale is not public: the lowest and the highest signed score may be its ends, so a total beyond them passes.
    """
    read = {n: _result(books, name, of_bytes(row, "transcript")) for n, row in signed.items()}
    said = {n: one[1].score for n, one in read.items() if one is not None and n in scores}
    if not said:
        return
    low, high = min(said.values()), max(said.values())
    for nonce, score in said.items():
        total = of_number(scores[nonce], "total")
        if total != score and not (score == low and total < low) and not (score == high and total > high):
            yield Finding(name, "scores", nonce.hex(), f"holds {total}; the score that was signed is {score}")


def _helper(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield steps without the ones before, checks that no lender signed, and outcomes with which nobody helped."""
    checks, opened, bound, told = (books.rows(name, table) for table in ("checks", "opened", "bound", "told"))
    terms, p, swept = books.rows(name, "terms"), books.parameters, books.swept(name)
    for nonce, row in checks.items():
        lender = str(row["lender"])
        try:
            check = None if p is None else Check.read(p, of_bytes(row, "frame"), books.keys[lender])
        except (BlindscoreError, KeyError):
            check = None
        if check is None or check.nonce != nonce:
            yield Finding(name, "checks", nonce.hex(), "was signed by no lender for this application")
        elif terms.get(lender.encode(), {}).get("commitment") != check.terms:
            yield Finding(name, "terms", lender.encode().hex(), "is not what this lender's checks commit to")
    if swept:
        return
    for table, rows, before in (("bound", bound, checks.keys() & opened.keys()), ("told", told, set(bound))):
        for nonce in rows.keys() - before:
            yield Finding(name, table, nonce.hex(), "comes before what it follows from")
    for nonce in checks.keys() & opened.keys() - bound.keys():
        yield Finding(name, "bound", nonce.hex(), "is missing: both check and opening are there")
    for lender in books.of_role("lender"):
        decided = books.rows(lender, "decisions")
        for nonce in decided.keys() - told.keys():
            yield Finding(name, "told", nonce.hex(), f"is missing: {lender} has decided on it")


def _auditor(books: BlindBooks, name: str) -> Iterator[Finding]:
    """Yield totals that differ from the lender's, of applications that it never signed, and proofs against it."""
    lender = books.auditors.get(name, "")
    if lender not in books.stores:
        return
    scores, signed = books.rows(lender, "scores"), books.rows(lender, "signed")
    for nonce, row in books.rows(name, "read").items():
        if nonce not in signed:
            yield Finding(lender, "signed", nonce.hex(), f"is missing: {name} has its transcript")
        elif nonce in scores and scores[nonce]["total"] != row["total"]:  # which of them is wrong need not show
            kept = scores[nonce]["total"]
            yield Finding(name, "read", nonce.hex(), f"holds {row['total']!r}; {lender} keeps another total")
            yield Finding(lender, "scores", nonce.hex(), f"holds {kept!r}; {name} read another total")
    for nonce in books.rows(name, "picked"):
        if nonce not in signed:
            yield Finding(name, "picked", nonce.hex(), f"is no result of {lender}")
    for nonce in books.rows(name, "proofs"):
        yield Finding(lender, "signed", nonce.hex(), f"{name} holds a proof that this result is bent")


def _wallet(books: BlindBooks, name: str, lender: str, wallet: Any) -> Iterator[Finding]:
    """Yield papers that do not make the wallet again, and answers that its lender holds otherwise."""
    for key, why in wallet.unsound():
        yield Finding(name, "came", key.hex(), why)
    ticket, answer = wallet.answer()
    if lender not in books.stores or not answer or books.swept(lender):
        return
    letter = books.rows(lender, "letters").get(ticket)
    if letter is None or (letter["kind"], letter["body"]) != answer:
        yield Finding(lender, "letters", ticket.hex(), f"is missing or altered: {name} holds it")
