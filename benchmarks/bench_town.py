"""What a lender and a gate of the town carry: decisions and redemptions a second, with real stores that write through.

``python benchmarks/bench_town.py [--json] [--decisions N] [--tokens N] [--database CONNINFO] [--no-peer]``

One process. A decision is all that the lender does for it: ask, commit, answer, settle, fetch, over SQLite with
``synchronous=FULL``; once one by one, once settled in one batch. 20 signed characteristics, as in ``bench_sealed.py``,
whose AnonCreds verification is beside it in the same run. ``a_second`` is of the wall, since a disk that syncs is
waited for; ``a_cpu_second`` is what a core could do without waiting. Latencies at 50 and 90% of capacity are *computed*
from the measured times of each decision (one server, first come first served, Poisson arrivals): nobody was made to
wait.
"""

import argparse
import json
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

ARRIVALS = 20_000  # of the computed queue
NOW = TODAY * DAY_S + 60.0


class Desk:
    """A lender over a database, and what a wallet without a store answers it."""

    def __init__(self, group, blind, path):
        published, self.bank, self.signer, _, _ = world(group, blind)
        self.key, self.blind = SigningKey(), blind
        t = published
        self.terms = Terms("lender", self.key.public, t.purpose, EPOCH, t.card, t.threshold, t.sources, group)
        self.lender = Lender(self.terms, self.key, SqliteStore(path), clock=SetClock(NOW))

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


def waits(seconds, load, rng):
    """(p50, p99) in milliseconds from arrival to decision, at a share of capacity: Lindley's recursion."""
    work = rng.choice(seconds, ARRIVALS)
    gaps = rng.exponential(seconds.mean() / load, ARRIVALS)
    wait, found = 0.0, np.empty(ARRIVALS)
    for i in range(ARRIVALS):
        found[i] = wait + work[i]
        wait = max(0.0, found[i] - gaps[i])
    return tuple(round(1000 * float(q), 2) for q in np.quantile(found[ARRIVALS // 10 :], [0.5, 0.99]))


def decisions(count, folder):
    rows, rng = [], np.random.default_rng(1)
    for prefix, group in groups().items():
        for design, blind in (("sealed", False), ("one-show", True)):
            for together in (False, True):
                desk = Desk(group, blind, folder / f"{prefix}-{design}-{together}.db")
                desk.decide(2, together)  # warms up
                wall, processor = desk.decide(count, together).T
                row = {
                    "design": design,
                    "group": prefix,
                    "settled": "in one batch" if together else "one by one",
                    "a_second": round(float(1 / wall.mean()), 1),
                    "a_cpu_second": round(float(1 / processor.mean()), 1),
                }
                for share in (0.5, 0.9):
                    row[f"p50_p99_ms_at_{share:.0%}"] = waits(wall, share, rng)
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
    return rows


def redemptions(count, folder, database):
    issuer, challenge = RsaIssuer(600, EPOCH), Challenge("perks.example", "bicycles.example")
    pending = [request_token(challenge, issuer.key) for _ in range(count)]
    tokens = [one.finish(issuer.answer(one.request)) for one in pending]
    stores = {"sqlite": SqliteStore(folder / "gate.db")}
    if database:
        from blindscore_app.town.postgres_store import PostgresStore

        stores["postgresql"] = PostgresStore(database, f"gate_{int(time.time())}")
    found = {}
    for name, store in stores.items():
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
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--database", default="")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        told = {
            "decisions": decisions(given.decisions, Path(scratch)),
            "redemptions": redemptions(given.tokens, Path(scratch), given.database),
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
