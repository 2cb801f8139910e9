"""What a lender and a gate of the town carry: decisions and redemptions a second, with real stores that write through.

``python benchmarks/bench_town.py [--json] [--decisions N] [--loaded N] [--tokens N] [--database CONNINFO] [--no-peer]``

One process. A decision is all that the lender does for it: ask, commit, answer, settle, fetch, over SQLite with
``synchronous=FULL`` and, with ``--database``, over PostgreSQL; once one by one, once settled in one batch. 20 signed
characteristics, as in ``bench_sealed.py``, whose AnonCreds verification is beside it in the same run. ``a_second`` is
of the wall, since a disk that syncs is waited for; ``a_cpu_second`` is what a core could do without waiting (the server
of PostgreSQL works beside it and is not counted).

Under load the real lender works on a clock of its own: answers arrive at random (Poisson) at 50 and at 90% of what a
second of its processor carries in a batch, it settles every quarter of a second what has come, as its service does, and
the clock moves by the processor time that the work took. So a busy machine stretches little; what the disk makes it
wait is left out, and one core is one server.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_sealed import ATTRIBUTES, EPOCH, TODAY, anoncreds_proof, groups, median_ms, world

from blindscore.errors import BlindscoreError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show, presentation
from blindscore_crypto.sealed.attestation import attest, opened
from blindscore_crypto.sealed.blind.acl import AclReceiver, Attributes
from blindscore_crypto.sealed.groups.group import random_scalar
from blindscore_crypto.sealed.holder import holder_scalar, secret_base
from blindscore_crypto.sealed.offer import Offer, ask, commit, digest
from blindscore_crypto.sealed.parties.gate import Gate
from blindscore_crypto.sealed.parties.lender import Lender
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer, request_token
from blindscore_crypto.sealed.terms import Terms

SETTLE_S = 0.25  # between settlements, as in a service
NOW = TODAY * DAY_S + 60.0


class Desk:
    """A lender over a database, and what a wallet without a store answers it."""

    def __init__(self, group, blind, store):
        published, self.bank, self.signer, _, _ = world(group, blind)
        self.key, self.blind = SigningKey(), blind
        t = published
        self.terms = Terms("lender", self.key.public, t.purpose, EPOCH, t.card, t.threshold, t.sources, group)
        self.lender = Lender(self.terms, self.key, store, clock=SetClock(NOW))

    def say(self, kind, body):
        """One message and its answer, with the seconds that it took."""
        began = self.now()
        (reply,) = self.lender.handle(Message("lender", kind, body, "line"))
        assert reply.kind != "refused", kind
        return reply.body, self.now() - began

    @staticmethod
    def now():
        """Wall and processor, seconds."""
        return np.array([time.perf_counter(), time.process_time()])

    def answer(self, offer, client):
        """A proof of somebody new."""
        terms, (source,) = self.terms, self.terms.sources
        group, secret, who = terms.group, random_scalar(terms.group), client.public.raw.hex()
        public = group.mul(secret, secret_base(group))
        bins = [1] * ATTRIBUTES
        if self.blind:
            holder, bits = holder_scalar(group, who), source.layout.indicators(bins)
            opening, state = self.signer.begin(Attributes(holder, public, tuple(bits)))
            receiver = AclReceiver.begin(source.blind.key, Attributes(holder, public, tuple(bits)), opening)
            credential = receiver.finish(self.signer.answer(state, receiver.challenge))
            witness = one_show.Witness(holder, secret, [credential], [bits], random_scalar(group))
            return one_show.present(terms, offer, client, witness)
        issued = attest(self.bank, group, source.layout, EPOCH, who, public, bins)
        shown, row = opened(group, source, EPOCH, who, public, issued)
        constant, weights = terms.linear
        value = constant + sum(weights)
        r = sum(w * b for w, b in zip(weights, row[2:], strict=True)) % group.order
        return presentation.present(terms, offer, client, [shown], presentation.Witness(secret, [row], value, r))

    def decide(self, count, together):
        """Return seconds of wall and processor that each decision took the lender, (count, 2)."""
        taken, left = np.zeros((count, 2)), []
        for i in range(count):
            client = SigningKey()
            body, asked = self.say("ask", ask(client.public))
            offer = Offer.decode(self.terms, body)
            answer = self.answer(offer, client)
            taken[i] = asked + self.say("commit", commit(offer, answer, client))[1] + self.say("answer", answer)[1]
            if together:
                left.append(answer)
                continue
            began = self.now()
            assert self.lender.settle() == 1
            taken[i] += self.now() - began + self.say("fetch", digest(answer))[1]
        if together:
            began = self.now()
            assert self.lender.settle() == count
            taken += (self.now() - began) / count
            taken += [self.say("fetch", digest(answer))[1] for answer in left]
        assert all(row["approved"] == 1 for _, row in self.lender.store.items("decided"))
        return taken

    def arrive(self):
        """Somebody new who has asked and committed; return the answer, not handed in yet, and the seconds so far."""
        client = SigningKey()
        body, asked = self.say("ask", ask(client.public))
        offer = Offer.decode(self.terms, body)
        answer = self.answer(offer, client)
        return answer, (asked + self.say("commit", commit(offer, answer, client))[1])[1]

    def under_load(self, share, carries, count, rng):
        """Milliseconds from an answer's arrival to its decision, (count,), at a share of what a second carries."""
        came = np.cumsum(rng.exponential(1 / (share * carries), count))
        now, due, seen, told, waiting = 0.0, SETTLE_S, 0, np.full(count, np.nan), []
        while np.isnan(told).any():
            if seen < count and came[seen] <= due:  # the next to come does so before the next settlement
                answer, before = self.arrive()  # a proof is the wallet's work, and takes none of the lender's time
                now = max(now, came[seen]) + before + self.say("answer", answer)[1][1]
                waiting.append(seen)
                seen += 1
                due = max(due, now)
                continue
            now, began = max(now, due), self.now()[1]
            assert self.lender.settle() == len(waiting)
            now += self.now()[1] - began
            told[waiting], waiting, due = now, [], now + SETTLE_S
        return 1000 * (told - came)


def stores_of(folder, database):
    """Name of a database -> what makes a store of a name in it."""
    made = {"sqlite": lambda name: SqliteStore(folder / f"{name}.db")}
    if database:
        from blindscore_app.town.postgres_store import PostgresStore

        made["postgresql"] = lambda name: PostgresStore(database, f"{name}_{int(time.time())}".replace("-", "_"))
    return made


def decisions(count, loaded, stores):
    rows = []
    for prefix, group in groups().items():
        for design, blind in (("sealed", False), ("one-show", True)):
            for database, store_of in stores.items():
                rows += measured(prefix, group, design, blind, database, store_of, count, loaded)
    return rows


def measured(prefix, group, design, blind, database, store_of, count, loaded):
    rows, rng = [], np.random.default_rng(1)
    for together in (False, True):
        desk = Desk(group, blind, store_of(f"{prefix}-{design}-{together}"))
        desk.decide(2, together)  # warms up
        wall, processor = desk.decide(count, together).T
        row = {
            "design": design,
            "group": prefix,
            "database": database,
            "settled": "in one batch" if together else "one by one",
            "a_second": round(float(1 / wall.mean()), 1),
            "a_cpu_second": round(float(1 / processor.mean()), 1),
        }
        for share in (0.5, 0.9) if together and loaded else ():
            taken = desk.under_load(share, 1 / processor.mean(), loaded, rng)
            row[f"p50_p99_ms_at_{share:.0%}_of_{loaded}"] = np.quantile(taken, [0.5, 0.99]).round(1).tolist()
        desk.lender.store.close()
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    return rows


def load():
    """What else the machine does: its load over the last minute, and its cores."""
    return {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}


def redemptions(count, stores):
    issuer, challenge = RsaIssuer(600, EPOCH), Challenge("perks.example", "bicycles.example")
    pending = [request_token(challenge, issuer.key) for _ in range(count)]
    tokens = [one.finish(issuer.answer(one.request)) for one in pending]
    found = {}
    for name, store_of in stores.items():
        store = store_of("gate")
        gate = Gate("gate", challenge, [issuer.key], store, clock=SetClock(NOW))
        began, cpu = time.perf_counter(), time.process_time()
        for token in tokens:
            assert gate.redeem(gate.visit(), token).first
        wall = time.perf_counter() - began
        found[name] = {
            "a_second": round(count / wall, 1),
            "a_cpu_second": round(count / (time.process_time() - cpu), 1),
        }
        store.close()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=16)
    parser.add_argument("--loaded", type=int, default=40, help="decisions under each load; 0 leaves it out")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--database", default="")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        stores, before = stores_of(Path(scratch), given.database), load()
        told = {
            "decisions": decisions(given.decisions, given.loaded, stores),
            "redemptions": redemptions(given.tokens, stores),
            "machine": {"before": before, "after": load()},
            "anoncreds_verify_ms": None,
        }
    if not given.no_peer:
        try:
            told["anoncreds_verify_ms"] = round(median_ms(anoncreds_proof()[1], 10), 2)
        except (BlindscoreError, ImportError) as absent:
            print(f"AnonCreds left out: {absent}", file=sys.stderr)
    print(json.dumps(told, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
