"""Acknowledged: what parties have said on the wire, and whether their stores and one another still bear it out.

The invariants: one spend, one answer, nothing acknowledged is lost, a lost reply can be asked for again in the same
epoch, no orphan, wallet and lender agree. Each breach is one sentence.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from blindscore.parties.message import Message
from blindscore.parties.store import Row, Store
from blindscore_app.town.storm.village import GATE, LENDER, LOG
from blindscore_crypto.sealed.log.head import Head
from blindscore_crypto.sealed.offer import Verdict, digest
from blindscore_crypto.sealed.parties.gate import VISIT_BYTES
from blindscore_crypto.sealed.wire import Reader


@dataclass
class Acknowledged:
    """Everything that was promised, by who promised it."""

    receipts: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))  # by the offer's name
    noted: dict[bytes, int] = field(default_factory=dict)  # digest of an answer -> day
    decisions: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))  # by digest of the answer
    answers: dict[bytes, tuple[str, int]] = field(default_factory=dict)  # digest -> whose wallet sent it, epoch
    granted: dict[bytes, list[bool]] = field(default_factory=lambda: defaultdict(list))  # by token: first, or again
    heads: dict[tuple[str, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))  # cosigned roots
    published: dict[int, bytes] = field(default_factory=dict)

    def heard(self, name: str, asked: Message, replies: Iterable[Message], day: int) -> None:
        """Note what an institution says, before anybody receives it."""
        for reply in replies:
            match name, reply.kind:
                case "lender", "receipt":
                    self.receipts[reply.body[4:36]].add(reply.body)
                case "lender", "noted":
                    self.noted.setdefault(digest(asked.body), day)
                case "lender", "decision":
                    self.decisions[asked.body].add(reply.body)
                case "gate", "granted":
                    self.granted[asked.body[VISIT_BYTES:]].append(bool(reply.body[-1]))
                case "log", "published":
                    self.published[int.from_bytes(reply.body, "big")] = asked.body
                case _, "cosigned":
                    head = Head.read(Reader("head", Reader("extension", asked.body).blob(1 << 14)))
                    self.heads[name, head.size].add(head.root + head.map_root)

    def breaches(self, stores: Mapping[str, Store], waiting: int, kept_since: int) -> Iterator[str]:
        """Yield what does not hold.

        Parameters
        ----------
        stores
            By name of an institution.
        waiting
            How many answers the lender believes it waits for.
        kept_since
            The first day whose rows the lender has not been told to drop.
        """
        yield from self._lender(stores[LENDER], waiting, kept_since)
        yield from self._spends(stores[LENDER])
        for name, size in self.heads:
            if len(self.heads[name, size]) > 1:
                yield f"{name} has cosigned two logs of {size} entries"
            if stores[name].count("entries") < size:
                yield f"{name} has cosigned {size} entries and has kept {stores[name].count('entries')}"
            if stores[LOG].count("entries") < size:
                yield f"{name} has cosigned {size} entries and the log has kept {stores[LOG].count('entries')}"
        for index, entry in self.published.items():
            row = stores[LOG].get("entries", index.to_bytes(8, "big"))
            if row is None or row["entry"] != entry:
                yield f"the log has said that entry {index} is published, and has not kept it"
        for token, firsts in self.granted.items():
            if sum(firsts) > 1:
                yield f"the gate has granted a token twice: {token[:8].hex()}"
            spent = hashlib.sha256(b"blindscore/sealed/v1/token" + token[:98]).digest()
            if stores[GATE].get("tokens", spent) is None:
                yield "the gate has granted for a token that it has not noted"

    def _lender(self, store: Store, waiting: int, kept_since: int) -> Iterator[str]:
        rows = {name: dict(store.items(name)) for name in ("receipts", "answers", "waiting", "decided")}
        for offer, receipts in self.receipts.items():
            if len(receipts) > 1:
                yield f"two receipts for one offer {offer.hex()[:8]}"
            (first, *_) = receipts
            row = rows["receipts"].get(offer)
            if row is None and not kept_since:
                yield f"a receipt was given for offer {offer.hex()[:8]} and is lost"
            if row is not None and (row["answer"], row["deadline"]) != (first[36:68], _number(first[68:76])):
                yield f"the receipt for offer {offer.hex()[:8]} says another thing than was said"
        for name, day in self.noted.items():
            if name not in rows["answers"] and day >= kept_since:
                yield f"answer {name.hex()[:8]} was noted and is lost"
        for name, said in self.decisions.items():
            if len(said) > 1:
                yield f"two decisions on answer {name.hex()[:8]}: {[Verdict(one[0]).name for one in said]}"
            row = rows["decided"].get(name)
            if row is None and not kept_since:
                yield f"decision on {name.hex()[:8]} was given and is lost"
            if row is not None and row["signed"] not in said:
                yield f"decision on {name.hex()[:8]} is kept otherwise than given"
        yield from _orphans(rows, waiting)

    def _spends(self, store: Store) -> Iterator[str]:
        approved: dict[tuple[str, int], set[bytes]] = defaultdict(set)
        for name, row in store.items("decided"):
            if row["approved"] == 1 and name in self.answers:
                approved[self.answers[name]].add(name)
        for name, said in self.decisions.items():
            if name in self.answers and {one[0] for one in said} == {Verdict.APPROVED}:
                approved[self.answers[name]].add(name)
        for (who, epoch), names in approved.items():
            if len(names) > 1:
                yield f"{who} was approved {len(names)} times in epoch {epoch}"


def _orphans(rows: Mapping[str, Mapping[bytes, Row]], waiting: int) -> Iterator[str]:
    """Yield rows that belong to nothing, and things that lack a row."""
    if waiting != len(rows["waiting"]):
        yield f"the lender believes that {waiting} answers wait; {len(rows['waiting'])} do"
    for name, row in rows["waiting"].items():
        if row["offer"] not in rows["receipts"]:
            yield f"answer {name.hex()[:8]} waits for a receipt that is not there"
        if name in rows["decided"]:
            yield f"answer {name.hex()[:8]} waits and is decided"
    for name in rows["answers"]:
        if name not in rows["waiting"] and name not in rows["decided"]:
            yield f"answer {name.hex()[:8]} is kept and neither waits nor is decided"
    for name in rows["decided"]:
        if name not in rows["answers"]:
            yield f"decision on {name.hex()[:8]} without an answer"


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
