"""What an encrypted score costs, beside TenSEAL's own `dot` and columns, measured in turns in one run.

``python benchmarks/bench_encrypted.py [--json] [--repeats N] [--no-peer]`` prints named figures: medians of process
time (all threads), peers and ours by turns so that a busy machine slows both alike. ``pytest
benchmarks/bench_encrypted.py --benchmark-only`` times the public calls alone.

Like for like: one applicant with 24 characteristics. TenSEAL multiplies 24 whole numbers by the server's 24 weights and
re-randomises, masks and signs nothing; ours scores 24 one-hot characteristics of 6 bins. "Core" is
encrypt, evaluate (masked, re-randomised, flooded) and open; "protocol" is everything, signatures and MAC included.
One-time keys: TenSEAL's rotation keys; ours has none.
Concrete ML needs an environment of its own: name its Python in CONCRETE_PYTHON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from blindscore.kernel_cache import njit
from blindscore.parties.message import Message
from blindscore.parties.party import wall_clock
from blindscore.parties.store import MemoryStore
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.frames import Kind
from blindscore_crypto.channel.hpke import new_box
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.shared import enrol
from blindscore_crypto.encrypted.batch import rlwe as batch
from blindscore_crypto.encrypted.batch import seal as batch_seal
from blindscore_crypto.encrypted.compare.deal import HELPER, LENDER, keys_bytes
from blindscore_crypto.encrypted.compare.exchange import frame_bytes
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import BARE, DEFAULT, LEAN, RLWE, Parameters
from blindscore_crypto.encrypted.parties.helper import Helper
from blindscore_crypto.encrypted.parties.lender import Lender
from blindscore_crypto.encrypted.parties.read_decision import ReadDecision
from blindscore_crypto.encrypted.parties.read_score import ReadScore
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.source import Source
from blindscore_crypto.encrypted.parties.wallet import Terms, Wallet
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.source import ChoosingSource
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import Masks, choose, read_choices, send
from blindscore_crypto.encrypted.proved.wallet import ProvedWallet
from blindscore_crypto.encrypted.wire import application_bytes, opening_bytes, reply_bytes
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.terms import Epoch
from blindscore_crypto.shared import check as shared_check
from blindscore_crypto.shared import wire as shared_wire
from blindscore_crypto.shared.deal import deal
from blindscore_crypto.shared.field import T
from blindscore_crypto.shared.line import OVERHEAD, Line
from blindscore_crypto.shared.parties.helper import SharingHelper
from blindscore_crypto.shared.parties.lender import SharingLender
from blindscore_crypto.shared.parties.source import SharingSource
from blindscore_crypto.shared.parties.wallet import SharingWallet
from blindscore_crypto.shared.parties.wallet import Terms as SharingTerms
from blindscore_crypto.shared.points import CardKey, Enrolled, deal_card, phi_of
from blindscore_crypto.shared.points import Points as SharedPoints

CHARACTERISTICS, BINS = 24, 6
RNG = np.random.default_rng(7)
CARD = Card(
    tuple(
        Characteristic(f"f{j}", tuple(int(p) for p in RNG.integers(-40, 41, BINS)), (0.0, 1.0, 2.0, 3.0))
        for j in range(CHARACTERISTICS)
    ),
    500,
)
ROW = RNG.integers(0, BINS, CHARACTERISTICS)
TOTAL = int(CARD.totals(ROW[None])[0])
POINTS, LAYOUT = Points.of(CARD), Layout.of(CARD)
PEER_SLOTS = 4096
IN_A_ROW = 4

NO_OPENFHE = "openfhe 1.6.1 imports on Python 3.10 only"
NO_CONCRETE = (
    "concrete-ml replaces torch and NumPy by old ones: name the Python of its own environment in CONCRETE_PYTHON"
)
CONCRETE = """
import json, logging, time
import numpy as np
from concrete.ml.sklearn import LogisticRegression
rng = np.random.default_rng(7)
x = rng.integers(0, 6, (1000, 24)).astype(np.float32)
model = LogisticRegression(n_bits=8)
model.fit(x, (x @ rng.normal(size=24) > 0).astype(int))
circuit = model.compile(x)
circuit.keygen()
row = model.quantize_input(x[:1])
spent = []
for _ in range(30):
    start = time.process_time()
    up = circuit.encrypt(row)
    down = circuit.run(up)
    opened = circuit.decrypt(down)
    spent.append(time.process_time() - start)
assert (opened == circuit.simulate(row)).all()
keys = circuit.client.evaluation_keys
print(json.dumps({
    "concrete_ml_us": round(1e6 * float(np.median(spent[5:])), 1), "concrete_ml_bytes_up": len(up.serialize()),
    "concrete_ml_bytes_down": len(down.serialize()), "concrete_ml_keys_bytes": len(keys.serialize()),
}))
"""


def concrete_ml() -> dict[str, object]:
    """Concrete ML's logistic regression on 24 features, 8 bits: a process of its own, so after ours, not by turns."""
    if "CONCRETE_PYTHON" not in os.environ:
        return {"concrete_ml_us": None, "concrete_ml_reason": NO_CONCRETE}
    command = [os.environ["CONCRETE_PYTHON"], "-c", CONCRETE]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def core(parameters: Parameters) -> Callable[[], None]:
    """One blind score without signatures: encrypt, check, evaluate, open, settle."""
    scheme, ones = scheme_for(parameters), LAYOUT.ones(ROW)

    def play() -> None:
        key = os.urandom(32)
        upload = scheme.encrypt(key, ones)
        scheme.check(upload)
        mask = Mask.fresh(scheme.t, scheme.outputs, os.urandom)
        reply = scheme.evaluate(upload, mask.weights(POINTS.weights), mask.shifts, os.urandom)
        settled = mask.settle(scheme.open(key, reply), POINTS.low, POINTS.high)
        assert settled is not None
        assert POINTS.offset + settled == TOTAL

    return play


NAME, BANK, PERSON = "the lender", "the bank", "p-1"
MANY = 10**9
RECORD = {f"f{j}": None if b == BINS - 1 else float(b) - 1 for j, b in enumerate(ROW.tolist())}


def bank_and_scorer(parameters: Parameters) -> tuple[Source, BlindScorer]:
    """A bank that holds one person's record, and a lender's blind scorer."""
    bank = Source(BANK, {PERSON: RECORD}, MemoryStore(), wall_clock, SigningKey(), MANY)
    limits = {"limit": MANY, "of_source": MANY, "life": MANY}
    return bank, BlindScorer(NAME, CARD, [bank.public], MemoryStore(), wall_clock, parameters, **limits)


def protocol(parameters: Parameters) -> Callable[[], None]:
    """One application from ask to decision, between parties of bytes; the record is binned, too."""
    bank, scorer = bank_and_scorer(parameters)
    lender = Lender(scorer, ReadScore(600))
    terms = Terms(NAME, scorer.layout, parameters)

    def play() -> None:
        wallet = Wallet("wallet", terms, BANK)
        sent = wallet.apply(bank.attest(wallet.ask(), PERSON))
        (reply,) = lender.handle(Message(NAME, "application", sent, "wallet"))
        (told,) = lender.handle(Message(NAME, "opening", wallet.open(reply.body), "wallet"))
        wallet.handle(told)
        assert wallet.decision == (TOTAL >= 600)

    return play


def deciding() -> Callable[[], None]:
    """One application from ask to decision, with the second server's comparison."""
    bank, scorer = bank_and_scorer(DEFAULT)
    signer = SigningKey()
    helper = Helper(
        "helper", DEFAULT, [bank.public], {NAME: signer.public}, MemoryStore(), wall_clock, SigningKey(), new_box()
    )
    lender = Lender(scorer, ReadDecision(600, signer, bytes(32), "helper", helper.public))
    terms = Terms(NAME, scorer.layout, DEFAULT, helper="helper", helper_box=helper.box)

    def play() -> None:
        wallet = Wallet("wallet", terms, BANK)
        (box,) = lender.handle(Message(NAME, "begin", b"", "wallet"))
        sent = wallet.apply(bank.attest(wallet.ask(box.body), PERSON))
        reply, check = lender.handle(Message(NAME, "application", sent, "wallet"))
        helper.handle(Message("helper", "check", check.body, NAME))
        (opening,) = wallet.handle(reply)
        (bound,) = helper.handle(opening)
        (telling,) = lender.handle(Message(NAME, "commitment", bound.body, "helper"))
        (share,) = helper.handle(Message("helper", "telling", telling.body, NAME))
        (told,) = lender.handle(Message(NAME, "share", share.body, "helper"))
        wallet.handle(told)
        assert wallet.decision == (TOTAL >= 600)

    return play


class Proving:
    """One application of ``encrypted-proved``, whole and in its parts."""

    def __init__(self, group: Group) -> None:
        signer, self.group = SigningKey(), group
        self.bank = ChoosingSource(BANK, {PERSON: RECORD}, MemoryStore(), wall_clock, SigningKey(), group, MANY)
        self.terms, kept = ProvedTerms.of(NAME, signer.public, group, CARD, 600, Epoch(1, 1 << 20))
        sources = [self.bank.public]
        self.lender = ProvingLender(self.terms, kept, sources, MemoryStore(), wall_clock, signer, MANY)
        choices = read_choices(group, LAYOUT, choose(group, bytes(32), LAYOUT, ROW.tolist()))
        weights, blindings, masks = kept.points.weights.tolist(), kept.blindings, Masks.fresh(group)
        self.prove = lambda: send(group, LAYOUT, choices, weights, blindings, masks, bytes(32)) and None
        wallet = self.play()
        self.verify = lambda: wallet.open(wallet.papers.unmasking) and None
        self.sizes = {kind: len(body) for kind, body in self.sent.items()}

    def play(self) -> ProvedWallet:
        """From ask to decision."""
        wallet = ProvedWallet("wallet", self.terms, BANK, [self.bank.public])
        self.sent = sent = {"choices": self.bank.attest(wallet.ask(), PERSON)}
        sent["application"] = wallet.apply(sent["choices"])
        for kind, then in (("reply", wallet.bind), ("unmasking", wallet.open), ("result", wallet.read)):
            asked = [*sent][-1]
            (answer,) = self.lender.handle(Message(NAME, asked, sent[asked], "wallet"))
            sent[kind] = answer.body
            said = then(answer.body)
            if said is not None:
                sent["bound" if kind == "reply" else "opening"] = said
        assert wallet.decision == (TOTAL >= 600)
        return wallet


def proving(names: tuple[str, ...] = ("P-256", "ristretto255")) -> tuple[dict[str, Callable[[], None]], dict[str, int]]:
    """Calls and sizes of ``encrypted-proved`` in each group."""
    calls: dict[str, Callable[[], None]] = {}
    sizes: dict[str, int] = {}
    for name in names:
        one, short = Proving(group_named(name)), name.replace("-", "").lower()
        calls |= {
            f"proved_{short}": lambda one=one: one.play() and None,
            f"proved_{short}_prove": one.prove,
            f"proved_{short}_verify": one.verify,
        }
        up, down = ("application", "bound", "opening"), ("reply", "unmasking", "result")
        sizes[f"proved_{short}_bytes_up"] = sum(one.sizes[kind] for kind in up)
        sizes[f"proved_{short}_bytes_down"] = sum(one.sizes[kind] for kind in down)
        sizes[f"proved_{short}_terms_bytes"] = len(one.terms.commitments)
    return calls, sizes


def sharing() -> Callable[[], None]:
    """One application of ``shared`` from ask to decision, between parties of bytes; the card is enrolled before."""
    to_bank, to_lender = Line.fresh(), Line.fresh()
    bank = SharingSource(BANK, {PERSON: RECORD}, MemoryStore(), wall_clock, SigningKey(), {"helper": to_bank}, MANY)
    lender = SharingLender(NAME, CARD, 600, [bank.public], "helper", to_lender, MemoryStore(), wall_clock, limit=MANY)
    lines = {bank.public.id: (BANK, to_bank)}
    helper = SharingHelper("helper", lines, {NAME: to_lender}, MemoryStore(), wall_clock)
    enrol(lender, helper, bank)
    terms = SharingTerms(NAME, lender.layout, "helper")

    def play() -> None:
        wallet = SharingWallet("wallet", terms, BANK)
        (box,) = lender.handle(Message(NAME, "begin", b"", "wallet"))
        application, part = wallet.apply(bank.attest(wallet.ask(box.body), PERSON))
        helper.handle(Message("helper", "part", part, "wallet"))
        (masked,) = lender.handle(Message(NAME, "application", application, "wallet"))
        (challenge,) = helper.handle(Message("helper", "masked", masked.body, NAME))
        (proof,) = lender.handle(Message(NAME, "challenge", challenge.body, "helper"))
        (token,) = helper.handle(Message("helper", "proof", proof.body, NAME))
        (told,) = lender.handle(Message(NAME, "token", token.body, "helper"))
        wallet.handle(told)
        assert wallet.decision == (TOTAL >= 600)

    return play


def sharing_alone() -> dict[str, Callable[[], None]]:
    """What ``shared`` computes without signatures, seals and stores: the source's deal, and both servers' checks."""
    points, phi, nonce, rho = SharedPoints.of(CARD, 600), phi_of(Line.fresh()), os.urandom(32), os.urandom(16)
    shape, ones = points.shape, LAYOUT.indicators(ROW)
    pads, seed = deal_card(shape, phi)
    enrolled = Enrolled.of(shape, seed)
    card = CardKey.of(phi, pads, (points.weights - enrolled.pads) % T)

    def dealing() -> None:
        deal(shape, ones, nonce, phi)

    def checking() -> None:
        """Both servers, on halves that nothing was grown from before."""
        helpers, lenders = (type(half).decode(shape, data) for half, data in zip(halves, encoded, strict=True))
        masked = shared_wire.Masked(nonce, (points.weights - lenders.grown.pads_of_points) % T)
        asked = shared_check.helpers_opening(helpers, nonce, rho)
        proof = shared_check.lenders_proof(lenders, enrolled, masked.delta, asked)
        opened = shared_check.check_proof(helpers, card, masked, rho, proof)
        last = shared_check.helpers_token(helpers, masked, rho, opened, proof)
        approved, _ = shared_check.lenders_decision(lenders, masked.delta, asked, last)
        assert approved == (TOTAL >= 600)

    halves = deal(shape, ones, nonce, phi)
    encoded = [half.encode() for half in halves]
    return {"shared_deal": dealing, "shared_servers": checking}


@cache
def tenseal_dot() -> tuple[Callable[[], None], dict[str, int]]:
    """TenSEAL's BFV `dot` at N = 4096: encrypt and send, load, dot, send, load and decrypt; and its bytes."""
    import tenseal as ts

    client = ts.context(ts.SCHEME_TYPE.BFV, poly_modulus_degree=4096, plain_modulus=1032193)
    client.generate_galois_keys()
    public = client.serialize(save_secret_key=False)
    server = ts.context_from(public)
    values, weights = ROW.tolist(), RNG.integers(1, 40, CHARACTERISTICS).tolist()
    expected = int(np.dot(values, weights))

    def exchange() -> tuple[bytes, bytes]:
        up = ts.bfv_vector(client, values).serialize()
        down = ts.bfv_vector_from(server, up).dot(weights).serialize()
        assert ts.bfv_vector_from(client, down).decrypt()[0] == expected
        return up, down

    up, down = exchange()
    sizes = {"tenseal_bytes_up": len(up), "tenseal_bytes_down": len(down), "tenseal_keys_bytes": len(public)}
    return lambda: exchange() and None, sizes


@cache
def tenseal_columns() -> tuple[Callable[[], None], int]:
    """TenSEAL's CKKS at N = 8192, one ciphertext a column of 4,096 people: server side only, and bytes a block."""
    import tenseal as ts

    client = ts.context(ts.SCHEME_TYPE.CKKS, poly_modulus_degree=8192, coeff_mod_bit_sizes=[60, 40, 60])
    client.global_scale = 2**40
    server = ts.context_from(client.serialize(save_secret_key=False))
    columns = RNG.integers(0, 8, (CHARACTERISTICS, PEER_SLOTS))
    weights = RNG.integers(-40, 41, CHARACTERISTICS).tolist()
    up = [ts.ckks_vector(client, column.tolist()).serialize() for column in columns]

    def serve() -> bytes:
        total = ts.ckks_vector_from(server, up[0]) * weights[0]
        for raw, weight in zip(up[1:], weights[1:], strict=True):
            total = total + ts.ckks_vector_from(server, raw) * weight
        return bytes(total.serialize())

    down = serve()
    opened = ts.ckks_vector_from(client, down).decrypt()
    assert np.abs(np.array(opened) - np.array(weights) @ columns).max() < 0.5
    return lambda: serve() and None, sum(map(len, up)) + len(down)


def our_columns(batch: ModuleType) -> Callable[[], None]:
    """A batch engine's server side for one block."""
    key = os.urandom(32)
    columns = RNG.integers(0, 8, (CHARACTERISTICS, batch.PEOPLE))
    weights = RNG.integers(-40, 41, CHARACTERISTICS)
    block, masks = batch.encrypt_block(key, columns), batch.fresh_masks()
    opened = batch.open_block(key, batch.evaluate_block(block, weights, masks))
    assert ((opened - masks) % batch.T == weights @ columns % batch.T).all()
    return lambda: batch.evaluate_block(block, weights, masks) and None


def by_turns(calls: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Median process time of each call in microseconds.

    In every round each call is made :data:`IN_A_ROW` times, as a server that handles one applicant after another would,
    after one call that is not counted and brings its data back into the cache.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            call()
            for _ in range(IN_A_ROW):
                start = time.process_time()
                call()
                taken[name].append(time.process_time() - start)
    return {name: 1e6 * float(np.median(times)) for name, times in taken.items()}


def floors() -> dict[str, float]:
    """What the batch kernel reaches of its floor: multiply-adds at the rate measured on data that stays in cache."""
    columns = RNG.integers(0, 2**64, (CHARACTERISTICS, batch.PEOPLE), dtype=np.uint64)
    weights = columns[0, :CHARACTERISTICS].copy()
    one = np.ascontiguousarray(columns[:1].repeat(CHARACTERISTICS, axis=0))
    calls = {
        "kernel": lambda: _many(columns, weights),
        "copy": lambda: _copies(one),
        "multiply-adds": lambda: _in_cache(columns[0].copy(), weights, 200),
    }
    spent = by_turns(calls, 15)
    return {
        "batch_kernel_ns_per_person": spent["kernel"] / 200 * 1000 / batch.PEOPLE,
        "batch_kernel_over_copy_of_its_input": spent["kernel"] / spent["copy"],
        "batch_kernel_over_multiply_adds_in_cache": spent["kernel"] / spent["multiply-adds"],
        "multiply_adds_per_ns": 200 * CHARACTERISTICS * batch.PEOPLE / (1000 * spent["multiply-adds"]),
    }


def _many(columns: np.ndarray, weights: np.ndarray) -> None:
    for _ in range(200):
        batch._weighted(columns, weights)


@njit(cache=True)
def _in_cache(column: np.ndarray, weights: np.ndarray, times: int) -> np.ndarray:
    """As many multiply-adds as the batch kernel does, on one column that stays in the first cache."""
    out = np.zeros(len(column), np.uint64)
    for _ in range(times):
        for w in weights:
            for i in range(len(column)):
                out[i] += w * column[i]
    return out


def _copies(columns: np.ndarray) -> None:
    for _ in range(200):
        columns.copy()


def figures(repeats: int, peer: bool) -> dict[str, object]:
    """All named figures of one run."""
    calls = {
        "seal": core(BARE),
        "rlwe": core(LEAN),
        "rlwe_default": core(RLWE),
        "protocol": protocol(DEFAULT),
        "protocol_rlwe": protocol(RLWE),
        "decision": deciding(),
        "shared": sharing(),
        **sharing_alone(),
        "our_columns": our_columns(batch),
        "seal_columns": our_columns(batch_seal),
    }
    proofs, sizes = proving()
    calls |= proofs
    if peer:
        calls["tenseal_bfv"], sizes = tenseal_dot()
        calls["tenseal_columns"], column_bytes = tenseal_columns()
        sizes["tenseal_columns_bytes_per_person"] = column_bytes // PEER_SLOTS
    us = by_turns(calls, repeats)

    def over(name: str) -> float | None:
        return round(us["tenseal_bfv"] / us[name], 2) if peer else None

    columns_us = us["our_columns"] / batch.PEOPLE
    weights = RNG.integers(-40, 41, CHARACTERISTICS)
    out: dict[str, object] = {
        "seal_over_tenseal_bfv": over("seal"),
        "rlwe_over_tenseal_bfv": over("rlwe"),
        "seal_bytes_up": BARE.upload_bytes,
        "seal_bytes_down": BARE.reply_bytes,
        "seal_flooding_bits": round(BARE.flooding_bits(LAYOUT.size), 1),
        "rlwe_bytes_total": LEAN.upload_bytes + LEAN.reply_bytes,
        "rlwe_flooding_bits": round(LEAN.flooding_bits(LAYOUT.size), 1),
        "protocol_over_tenseal_bfv": over("protocol"),
        "protocol_rlwe_over_tenseal_bfv": over("protocol_rlwe"),
        "protocol_bytes_total": application_bytes(DEFAULT) + reply_bytes(DEFAULT) + opening_bytes(DEFAULT),
        "decision_over_tenseal_bfv": over("decision"),
        "proved_p256_over_tenseal_bfv": over("proved_p256"),
        "proved_ristretto255_over_tenseal_bfv": over("proved_ristretto255"),
        "decision_bytes_applicant": (
            application_bytes(DEFAULT)
            + reply_bytes(DEFAULT)
            + opening_bytes(DEFAULT)
            + keys_bytes(DEFAULT, LENDER)
            + keys_bytes(DEFAULT, HELPER)
        ),
        "decision_bytes_between_servers": sum(
            frame_bytes(DEFAULT, kind) for kind in (Kind.CHECK, Kind.COMMITMENT, Kind.TELLING, Kind.SHARE)
        ),
        "shared_over_tenseal_bfv": over("shared"),
        "decision_over_shared": round(us["decision"] / us["shared"], 2),
        "shared_bytes_up": shared_wire.application_bytes(SharedPoints.of(CARD, 600).shape),
        "shared_bytes_to_helper": shared_wire.part_bytes(SharedPoints.of(CARD, 600).shape),
        "shared_bytes_between_servers": sum(
            OVERHEAD + shared_wire.body_bytes(SharedPoints.of(CARD, 600).shape, kind)
            for kind in (Kind.MASKED, Kind.CHALLENGE, Kind.PROOF, Kind.TOKEN)
        ),
        "flooding_bits": round(DEFAULT.flooding_bits(LAYOUT.size), 1),
        "mac_soundness_bits": round(DEFAULT.soundness_bits(POINTS.span), 1),
        "rlwe_batch_over_tenseal_columns": (
            round(us["tenseal_columns"] / PEER_SLOTS / columns_us, 1) if peer else None
        ),
        "seal_batch_over_tenseal_columns": (
            round(us["tenseal_columns"] / PEER_SLOTS / (us["seal_columns"] / batch_seal.PEOPLE), 1) if peer else None
        ),
        "seal_batch_bytes": round(
            (batch_seal.block_bytes(CHARACTERISTICS) + batch_seal.reply_bytes()) / batch_seal.PEOPLE, 1
        ),
        "seal_batch_flooding_bits": round(batch_seal.flooding_bits(weights), 1),
        "rlwe_batch_us_per_person": round(columns_us, 4),
        "rlwe_batch_bytes": round((batch.block_bytes(CHARACTERISTICS) + batch.reply_bytes()) / batch.PEOPLE, 1),
        "rlwe_batch_flooding_bits": round(batch.flooding_bits(weights), 1),
        **{name: round(value, 3) for name, value in floors().items()},
        **{f"{name}_us": round(value, 1) for name, value in us.items()},
        **sizes,
    }
    out |= {"openfhe_us": None, "openfhe_reason": NO_OPENFHE} | (concrete_ml() if peer else {})
    if concrete_us := out.get("concrete_ml_us"):
        for name in ("seal", "rlwe", "protocol"):
            out[f"{name}_over_concrete_ml"] = round(concrete_us / us[name], 2)
    if not peer:
        out["tenseal_reason"] = "left out on request (--no-peer)"
    return out


@pytest.mark.parametrize("parameters", [BARE, DEFAULT, LEAN, RLWE], ids=lambda p: p.name)
def test_core(benchmark, parameters):
    benchmark.extra_info |= {"bytes_up": parameters.upload_bytes, "bytes_down": parameters.reply_bytes}
    benchmark(core(parameters))


@pytest.mark.parametrize("parameters", [DEFAULT, RLWE], ids=lambda p: p.name)
def test_protocol(benchmark, parameters):
    benchmark.extra_info["flooding_bits"] = parameters.flooding_bits(LAYOUT.size)
    benchmark(protocol(parameters))


def test_tenseal_dot(benchmark):
    benchmark(tenseal_dot()[0])


@pytest.mark.parametrize("engine", [batch, batch_seal], ids=["rlwe", "seal"])
def test_batch_block(benchmark, engine):
    benchmark.extra_info["people"] = engine.PEOPLE
    benchmark(our_columns(engine))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--no-peer", action="store_true", help="leave TenSEAL's own calls and Concrete ML out")
    asked = parser.parse_args()
    found = figures(asked.repeats, not asked.no_peer)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:40s} {value}")


if __name__ == "__main__":
    main()
