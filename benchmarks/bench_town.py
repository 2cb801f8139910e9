"""What a lender and a gate of the town carry: decisions and redemptions a second, with real stores that write through.

``python benchmarks/bench_town.py [--json] [--processes 2] [--seconds S] [--database CONNINFO] [--no-peer]``

A decision is all that the lender does for it: ask, commit, answer, settle, fetch, over SQLite with
``synchronous=FULL`` and, with ``--database``, over PostgreSQL, whose server works on the same cores. So many processes
of one lender share one database; each takes the messages that come to it and settles its share. 20 signed
characteristics, as in ``bench_sealed.py``, whose AnonCreds verification is beside it in the same run. No TLS: what a
line costs is ``bench_wire.py``'s.

``one_by_one`` and ``in_batches`` are decisions a second of the wall with no pause between them, settled alone or 64 at
a time by each process. Under load answers arrive at random (Poisson) in real time: at 50 and at 90% of
what is carried in batches, and at each of ``--rates`` (112 a second is India's Account Aggregator traffic, 290 million
consents a month). Every quarter of a second each process settles what has come, as a service does; milliseconds are
from an answer's arrival, whether or not somebody was free to take it, to its decision.
"""

import argparse
import json
import multiprocessing
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
from blindscore_crypto.sealed.parties.lender import ARRIVED, Lender
from blindscore_crypto.sealed.perks.tokens import Challenge, RsaIssuer, request_token
from blindscore_crypto.sealed.terms import Terms

SETTLE_S = 0.25  # between settlements, as in a service
BATCH = 64
LEAST_SETTLED = 32  # decisions of a process before its rate counts
NOW = TODAY * DAY_S + 60.0
FORK = multiprocessing.get_context("fork")


class Desk:
    """One process of a lender, and what wallets hand it; they have no stores of their own."""

    def __init__(self, keys, store, share, left):
        self.left = left  # answers that no process has decided yet
        self.terms, self.bank, self.signer, self.key = keys
        self.blind, self.share, self.store = self.terms.is_blind, share, store
        self.lender = Lender(self.terms, self.key, store, clock=SetClock(NOW), share=share)

    def say(self, kind, body):
        """One message, and its answer's bytes."""
        (reply,) = self.lender.handle(Message("lender", kind, body, "line"))
        assert reply.kind != "refused", kind
        return reply.body

    def applicant(self):
        """Somebody new who has an offer: what is asked, the commit, the answer. All of it is the wallet's work."""
        client = SigningKey()
        asked = ask(client.public)
        offer = Offer.decode(self.terms, self.say("ask", asked))
        answer = self.answer(offer, client)
        return asked, commit(offer, answer, client), answer

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

    def take(self, applicant):
        """The lender's work until an answer is noted."""
        asked, committed, answer = applicant
        self.say("ask", asked)
        self.say("commit", committed)
        self.say("answer", answer)

    def settle(self):
        """Settle this process's share and give the decisions away; return the names of the answers."""
        k, n = self.share
        names = [name for name, _ in self.store.items(ARRIVED.name) if name[0] % n == k]
        assert self.lender._settle(names) == len(names)  # settle() itself, but for what has come since it looked
        for name in names:
            self.say("fetch", name)
        with self.left:
            self.left.value -= len(names)
        return dict.fromkeys(names, time.monotonic())

    def flat_out(self, count, batch):
        """Take answers with no pause, settled so many at a time; return when each was decided."""
        applicants = [self.applicant() for _ in range(count)]
        yield
        decided = {}
        for i, one in enumerate(applicants):
            self.take(one)
            if (i + 1) % batch == 0 or i + 1 == count:
                decided |= self.settle()
        while self.left.value:  # what others took, of this process's share
            decided |= self.settle()
        yield {}, decided

    def under_load(self, count, rate, rng):
        """Take answers as they come, so many a second; settle by the clock. Return when each came and was decided."""
        applicants = [self.applicant() for _ in range(count)]
        yield
        came = time.monotonic() + np.cumsum(rng.exponential(1 / rate, count))
        arrived = {digest(answer): at for (_, _, answer), at in zip(applicants, came, strict=True)}
        due, seen, decided = time.monotonic() + SETTLE_S, 0, {}
        while self.left.value:
            now = time.monotonic()
            if now >= due:
                decided |= self.settle()
                due = max(due + SETTLE_S, time.monotonic())
            elif seen < count and came[seen] <= now:
                self.take(applicants[seen])
                seen += 1
            else:
                time.sleep(max(0.0, min(due, came[seen] if seen < count else due) - time.monotonic()))
        yield arrived, decided


def work(pipe, keys, store_of, share, left, how, seed):
    """A process of the lender: make ready, wait for the others, work, and say what was seen."""
    desk = Desk(keys, store_of(), share, left)
    steps = how(desk, np.random.default_rng([seed, share[0]]))
    next(steps)
    pipe.send("ready")
    pipe.recv()
    pipe.send((time.monotonic(), time.process_time(), *next(steps), time.process_time()))
    desk.store.close()


def at_once(target, every):
    """Start a process for each tuple of arguments, let all begin when all are ready, and return what each says."""
    pipes, workers = [], []
    for arguments in every:
        here, there = FORK.Pipe()
        workers.append(FORK.Process(target=target, args=(there, *arguments)))
        workers[-1].start()
        pipes.append(here)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    told = [pipe.recv() for pipe in pipes]
    for worker in workers:
        worker.join()
    return told


def together(keys, store_of, processes, count, how, seed=1):
    """Let so many processes take this many answers each; return (began, arrived, decided, seconds of processor)."""
    left = FORK.Value("i", count * processes)
    told = at_once(work, [(keys, store_of, (k, processes), left, how, seed) for k in range(processes)])
    arrived, decided = {}, {}
    for _, _, came, done, _ in told:
        arrived |= came
        decided |= done
    return min(one[0] for one in told), arrived, decided, sum(one[4] - one[1] for one in told)


def keys_of(group, blind):
    """The terms, with the lender's and the source's keys."""
    published, bank, signer, _, _ = world(group, blind)
    key, t = SigningKey(), published
    terms = Terms("lender", key.public, t.purpose, EPOCH, t.card, t.threshold, t.sources, group)
    return terms, bank, signer, key


def measured(keys, fresh, processes, seconds, rates):
    """Decisions a second, and milliseconds under load, of one design on one database."""

    def carried(batch, count):
        began, _, decided, cpu = together(keys, fresh(), processes, count, lambda desk, _: desk.flat_out(count, batch))
        assert len(decided) == count * processes
        return len(decided) / (max(decided.values()) - began), len(decided) / cpu

    guess = carried(1, LEAST_SETTLED)[0]
    count = max(LEAST_SETTLED, int(guess * seconds / processes))
    alone, (batches, a_cpu_second) = carried(1, count)[0], carried(BATCH, count)
    row = {
        "one_by_one": round(alone, 1),
        "in_batches": round(batches, 1),
        "in_batches_a_cpu_second": round(a_cpu_second, 1),
    }
    wanted = {"at_50%": 0.5 * batches, "at_90%": 0.9 * batches} | {f"at_{rate:g}_a_second": rate for rate in rates}
    for name, rate in wanted.items():
        each = max(LEAST_SETTLED, int(rate * seconds / processes))

        def how(desk, rng, each=each, rate=rate / processes):
            return desk.under_load(each, rate, rng)

        _, arrived, decided, _ = together(keys, fresh(), processes, each, how)
        assert arrived.keys() == decided.keys()
        late = 1000 * np.array([decided[name] - at for name, at in arrived.items()])
        row[f"p50_p99_ms_{name}"] = np.quantile(late, [0.5, 0.99]).round(1).tolist()
    return row


def stores_of(folder, database):
    """Name of a database -> what opens a fresh one; each process of a lender opens it itself."""
    serial = iter(range(10_000))

    def sqlite():
        path = folder / f"{next(serial)}.db"
        return lambda: SqliteStore(path)

    made = {"sqlite": sqlite}
    if database:
        from blindscore_app.town.postgres_store import PostgresStore

        def postgresql():
            schema = f"bench_{int(time.time())}_{next(serial)}"
            return lambda: PostgresStore(database, schema)

        made["postgresql"] = postgresql
    return made


def decisions(stores, processes, seconds, rates):
    rows = []
    for prefix, group in groups().items():
        for design, blind in (("sealed", False), ("one-show", True)):
            keys = keys_of(group, blind)
            for database, fresh in stores.items():
                row = {"design": design, "group": prefix, "database": database}
                row |= measured(keys, fresh, processes, seconds, rates)
                rows.append(row)
                print(row, file=sys.stderr, flush=True)
    return rows


def load():
    """What else the machine does: its load over the last minute, and its cores."""
    return {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}


def redeem(pipe, store_of, challenge, key, tokens):
    """A process of a gate."""
    store = store_of()
    gate = Gate("gate", challenge, [key], store, clock=SetClock(NOW))
    pipe.send("ready")
    pipe.recv()
    began = time.monotonic()
    for token in tokens:
        assert gate.redeem(gate.visit(), token).first
    pipe.send((began, time.monotonic()))
    store.close()


def redemptions(count, stores, processes):
    issuer, challenge = RsaIssuer(600, EPOCH), Challenge("perks.example", "bicycles.example")
    pending = [request_token(challenge, issuer.key) for _ in range(count)]
    tokens = [one.finish(issuer.answer(one.request)) for one in pending]
    found = {}
    for name, fresh in stores.items():
        store_of = fresh()
        told = at_once(redeem, [(store_of, challenge, issuer.key, tokens[k::processes]) for k in range(processes)])
        found[name] = round(count / (max(ended for _, ended in told) - min(began for began, _ in told)), 1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2, help="of the lender, and of the gate")
    parser.add_argument("--seconds", type=float, default=5.0, help="that each measurement lasts, roughly")
    parser.add_argument("--rates", type=float, nargs="*", default=[112.0, 224.0], help="decisions a second to try")
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--database", default="")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        stores, before = stores_of(Path(scratch), given.database), load()
        told = {
            "processes": given.processes,
            "decisions_a_second": decisions(stores, given.processes, given.seconds, given.rates),
            "redemptions_a_second": redemptions(given.tokens, stores, given.processes),
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
