"""How fast and how small a sealed proof is, beside AnonCreds' predicate proof and a plain signature check.

``python benchmarks/bench_sealed.py [--json] [--repeats N] [--no-peer]`` measures all in one run (medians, CPU time).
``pytest benchmarks/bench_sealed.py --benchmark-only`` times the public calls alone.

Like for like: 20 signed attributes and one predicate. AnonCreds proves that one of its 20 attributes reaches a
threshold; a sealed presentation proves it of a weighted sum of all 20 (20 characteristics of one committed indicator
each). AnonCreds credentials may be shown many times without being linked; a sealed attestation is shown once, and so is
a one-show credential, which in turn its issuer does not recognise (keys `*_one_show_*`).
The keys `*_prove_ms`, `*_verify_ms` and `proof_bytes` are of the 10-bit threshold proof alone.
"""

import argparse
import json
import sys
import time

import numpy as np
import pytest

from blindscore.errors import MissingExtraError
from blindscore.scorecard.card import Card, Characteristic
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show, presentation
from blindscore_crypto.sealed.attestation import attest, opened
from blindscore_crypto.sealed.blind.acl import AclReceiver, Attributes
from blindscore_crypto.sealed.blind.blind_rsa import PSS_DETERMINISTIC, BlindSigner
from blindscore_crypto.sealed.blind.voprf import P256_SHA256, P384_SHA384, Client, Server
from blindscore_crypto.sealed.check import check, check_many
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from blindscore_crypto.sealed.holder import holder_scalar, nullifier, scope, secret_base
from blindscore_crypto.sealed.offer import Offer, ask
from blindscore_crypto.sealed.parties.source import epoch_signer
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof, prove, verify, verify_batch
from blindscore_crypto.sealed.terms import LOAN, Epoch, EpochKey, Signatory, Terms, layouts_of

BITS, VALUE, BATCH, ATTRIBUTES = 10, 700, 64, 20
EPOCH, TODAY = Epoch(1, 30), 1


def groups():
    """The groups that can be had here, by the prefix of their keys."""
    found = {"p256": P256_GROUP}
    try:
        from blindscore_crypto.sealed.groups.ristretto import ristretto255

        found["ristretto"] = ristretto255()
    except MissingExtraError as absent:
        print(f"ristretto255 left out: {absent}", file=sys.stderr)
    return found


def median_ms(call, repeats):
    """Median process time of one call in milliseconds; the first call warms up and is not counted."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken))


def threshold_proof(group):
    """(prove, verify, verify_64, bytes) for one 10-bit threshold proof."""
    pedersen, blinding = Pedersen(group), 123456789
    commitment = pedersen.commit(VALUE, blinding)

    def make():
        return prove(pedersen, VALUE, blinding, BITS, Transcript(b"bench", group)).encode(group)

    data = make()

    def claim(data=data, commitment=commitment):
        return Claim(commitment, BITS, RangeProof.decode(group, BITS, data), Transcript(b"bench", group))

    def batch():
        return verify_batch(pedersen, [claim() for _ in range(BATCH)])

    assert verify(pedersen, claim())
    assert batch()
    assert not verify(pedersen, claim(commitment=pedersen.commit(VALUE + 1, blinding)))
    return make, lambda: verify(pedersen, claim()), batch, len(data)


def world(group, blind):
    """(terms, bank's keys, lender's key, one-time key, offer): 20 characteristics of one committed indicator each."""
    characteristics = tuple(Characteristic(f"x{j}", (0, 10 + j)) for j in range(ATTRIBUTES))
    card, key, bank, client = Card(characteristics, base=400), SigningKey(), SigningKey(), SigningKey()
    layout = layouts_of(card, dict.fromkeys(card.features, "bank"))["bank"]
    signer, published = epoch_signer(group, layout, EPOCH), None
    if blind:
        bare = EpochKey(layout.fingerprint, EPOCH, signer.key, b"")
        published = EpochKey(layout.fingerprint, EPOCH, signer.key, bank.sign(bare.signed, Purpose.EPOCH_KEY))
    source = Signatory("bank", bank.public, layout, published)
    terms = Terms("lender", key.public, LOAN, EPOCH, card, 500, (source,), group)
    return terms, bank, signer, client, Offer.make(terms, key, ask(client.public), day=TODAY)


def sealed_presentation(group):
    """(present, check, bytes) for 20 signed attributes and one threshold on their weighted sum."""
    terms, bank, _, client, offer = world(group, blind=False)
    (source,), secret = terms.sources, random_scalar(group)
    public = group.mul(secret, secret_base(group))
    issued = attest(bank, group, source.layout, EPOCH, "ada", public, [1] * ATTRIBUTES)
    shown, row = opened(group, source, EPOCH, "ada", public, issued)
    constant, weights = terms.linear
    blinding = sum(w * r for w, r in zip(weights, row[2:], strict=True)) % group.order
    witness = presentation.Witness(secret, [row], constant + sum(weights), blinding)

    def apply():
        return presentation.present(terms, offer, client, [shown], witness)

    answer = apply()
    assert check(terms, answer).approved
    return apply, lambda: check(terms, answer), len(answer)


def one_show_presentation(group):
    """(issue, present, check, check of 16, bytes): 20 blindly signed attributes, a threshold on their weighted sum."""
    terms, _, signer, client, offer = world(group, blind=True)
    secret, bits = random_scalar(group), (1,) * ATTRIBUTES
    attributes = Attributes(holder_scalar(group, "ada"), group.mul(secret, secret_base(group)), bits)

    def issue():
        opening, state = signer.begin(attributes)
        receiver = AclReceiver.begin(signer.key, attributes, opening)
        return receiver.finish(signer.answer(state, receiver.challenge))

    def apply():
        witness = one_show.Witness(attributes.number, secret, [credential], [bits], random_scalar(group))
        return one_show.present(terms, offer, client, witness)

    credential = issue()
    answers = [apply() for _ in range(17)]
    assert all(one.approved for one in check_many(terms, answers))
    batch = answers[1:]
    return issue, apply, lambda: check(terms, answers[0]), lambda: check_many(terms, batch), len(answers[0])


def holder_figures(group, repeats):
    """What the nullifier of a holder costs: to compute N, and to hash it into what a lender notes."""
    at, secret = scope(group, SigningKey().public, 1), random_scalar(group)
    shown = group.mul(secret, at)
    assert nullifier(group, shown) == nullifier(group, group.mul(secret, at))
    return median_ms(lambda: nullifier(group, group.mul(secret, at)), repeats)


def token_figures(repeats):
    """Blind RSA (RFC 9474, 2048 bits) and the VOPRF (RFC 9497), step by step."""
    signer, server = BlindSigner(), Server(P256_SHA256)
    blinded = signer.public.blind(PSS_DETERMINISTIC, b"token")
    answer = signer.sign(blinded.message)
    client = Client.begin(P256_SHA256, server.public, [b"token"])
    evaluated = server.evaluate(client.blinded)
    assert client.finalize(*evaluated) == [server.output(b"token")]
    larger = Server(P384_SHA384)
    asked = Client.begin(P384_SHA384, larger.public, [b"token"])
    answered = larger.evaluate(asked.blinded)
    assert asked.finalize(*answered) == [larger.output(b"token")]
    return {
        "voprf_p384_evaluate_ms": median_ms(lambda: larger.evaluate(asked.blinded), repeats),
        "voprf_p384_finalize_ms": median_ms(lambda: asked.finalize(*answered), repeats),
        "blind_rsa_blind_ms": median_ms(lambda: signer.public.blind(PSS_DETERMINISTIC, b"token"), repeats),
        "blind_rsa_sign_ms": median_ms(lambda: signer.sign(blinded.message), repeats),
        "blind_rsa_finalize_ms": median_ms(lambda: blinded.finalize(answer), repeats),
        "voprf_evaluate_ms": median_ms(lambda: server.evaluate(client.blinded), repeats),
        "voprf_finalize_ms": median_ms(lambda: client.finalize(*evaluated), repeats),
    }


def signature_floor():
    """A plain Ed25519 check over a frame's worth of bytes."""
    key, message = SigningKey(), bytes(2000)
    signature = key.sign(message, Purpose.OFFER)
    return lambda: key.public.accepts(message, signature, Purpose.OFFER)


def anoncreds_proof():
    """(present, verify, bytes) of AnonCreds with the same number of attributes; raises ImportError without it."""
    import anoncreds as peer

    names = [f"x{j}" for j in range(ATTRIBUTES)]
    schema = peer.Schema.create("card", "1.0", "did:example:bank", names)
    definition, private, correctness = peer.CredentialDefinition.create(
        "schema:1", schema, "did:example:bank", "tag", "CL"
    )
    secret = peer.create_link_secret()
    offer = peer.CredentialOffer.create("schema:1", "def:1", correctness)
    request, metadata = peer.CredentialRequest.create("entropy", None, definition, secret, "default", offer)
    raw = peer.Credential.create(definition, private, offer, request, dict.fromkeys(names, str(VALUE)))
    credential = raw.process(metadata, secret, definition)
    predicate = {"name": "x0", "p_type": ">=", "p_value": 500, "restrictions": []}
    asked = json.dumps(
        {
            "nonce": peer.generate_nonce(),
            "name": "loan",
            "version": "1.0",
            "requested_attributes": {},
            "requested_predicates": {"threshold": predicate},
        }
    )
    schemas, definitions = {"schema:1": schema}, {"def:1": definition}

    def make():
        used = peer.PresentCredentials()
        used.add_predicates(credential, "threshold")
        return peer.Presentation.create(asked, used, {}, secret, schemas, definitions)

    shown = make()
    assert shown.verify(asked, schemas, definitions)
    return make, lambda: shown.verify(asked, schemas, definitions), len(shown.to_json())


def measure(repeats, with_peer=True):
    """All named figures; what cannot be had is None, with the reason under the same name and `_reason`."""
    out = {
        "attributes": ATTRIBUTES,
        "bits": BITS,
        "signature_check_ms": median_ms(signature_floor(), repeats),
    }
    peer_ms = None
    try:
        if not with_peer:
            raise ImportError("left out by --no-peer")
        make, verify_peer, out["anoncreds_bytes"] = anoncreds_proof()
        out["anoncreds_prove_ms"] = median_ms(make, repeats)
        out["anoncreds_verify_ms"] = median_ms(verify_peer, repeats)
        peer_ms = out["anoncreds_prove_ms"] + out["anoncreds_verify_ms"]
    except ImportError as absent:
        reason = f"{absent}; pip install anoncreds to measure it"
        for key in ("prove_ms", "verify_ms", "bytes"):
            out[f"anoncreds_{key}"] = None
        out["anoncreds_reason"] = reason
    found = groups()
    for prefix in ("p256", "ristretto"):
        keys = ("prove_ms", "verify_ms", "presentation_prove_ms", "presentation_verify_ms", "presentation_bytes")
        if prefix not in found:
            absent_keys = ("proof_bytes", "batch_verify_gain", "over_anoncreds", "bytes_over_anoncreds", "nullifier_ms")
            one_show_keys = ("batch_gain", "issue_ms", "prove_ms", "verify_ms", "bytes", "over_anoncreds")
            out |= {f"{prefix}_{key}": None for key in (*keys, *absent_keys)}
            out |= {f"{prefix}_one_show_{key}": None for key in one_show_keys}
            out[f"{prefix}_reason"] = "the package rbcl is not installed"
            continue
        group = found[prefix]
        make, one, batch, size = threshold_proof(group)
        apply, verify_one, frame = sealed_presentation(group)
        figures = (
            median_ms(make, repeats),
            median_ms(one, repeats),
            median_ms(apply, min(repeats, 60)),
            median_ms(verify_one, repeats),
            frame,
        )
        out |= {f"{prefix}_{key}": value for key, value in zip(keys, figures, strict=True)}
        out[f"{prefix}_proof_bytes"] = size
        out[f"{prefix}_batch_verify_gain"] = BATCH * figures[1] / median_ms(batch, max(3, repeats // 8))
        out[f"{prefix}_over_anoncreds"] = None if peer_ms is None else peer_ms / (figures[2] + figures[3])
        out[f"{prefix}_bytes_over_anoncreds"] = None if peer_ms is None else out["anoncreds_bytes"] / frame
        issue, apply, verify_one, verify_16, frame = one_show_presentation(group)
        ms = [median_ms(call, min(repeats, 40)) for call in (issue, apply, verify_one)]
        out[f"{prefix}_one_show_batch_gain"] = 16 * ms[2] / median_ms(verify_16, max(3, repeats // 8))
        out |= {f"{prefix}_one_show_{key}": v for key, v in zip(("issue_ms", "prove_ms", "verify_ms"), ms, strict=True)}
        out[f"{prefix}_nullifier_ms"] = holder_figures(group, repeats)
        out[f"{prefix}_one_show_bytes"] = frame
        out[f"{prefix}_one_show_over_anoncreds"] = None if peer_ms is None else peer_ms / (ms[1] + ms[2])
    out |= token_figures(repeats)
    out["proof_bytes"] = out["p256_proof_bytes"]
    out["batch_verify_gain"] = out["p256_batch_verify_gain"]
    return out


@pytest.mark.parametrize("prefix", ["p256", "ristretto"])
@pytest.mark.parametrize("what", ["prove", "verify", "verify 64"])
def test_threshold_proof(benchmark, prefix, what):
    make, one, batch, size = threshold_proof(groups()[prefix])
    benchmark.extra_info["proof_bytes"] = size
    benchmark.extra_info["proofs"] = BATCH if what == "verify 64" else 1
    benchmark({"prove": make, "verify": one, "verify 64": batch}[what])


@pytest.mark.parametrize("prefix", ["p256", "ristretto"])
def test_check_a_presentation(benchmark, prefix):
    _, verify_one, size = sealed_presentation(groups()[prefix])
    benchmark.extra_info["presentation_bytes"] = size
    benchmark(verify_one)


@pytest.mark.parametrize("prefix", ["p256", "ristretto"])
@pytest.mark.parametrize("what", ["issue", "check"])
def test_one_show(benchmark, prefix, what):
    issue, _, verify_one, _, size = one_show_presentation(groups()[prefix])
    benchmark.extra_info["presentation_bytes"] = size
    benchmark({"issue": issue, "check": verify_one}[what])


def test_signature_floor(benchmark):
    benchmark(signature_floor())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=40, help="timed calls a figure (default 40)")
    parser.add_argument("--no-peer", action="store_true", help="leave AnonCreds out (its key takes minutes to make)")
    arguments = parser.parse_args()
    figures = measure(arguments.repeats, not arguments.no_peer)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:34} {value if not isinstance(value, float) else round(value, 3)}")


if __name__ == "__main__":
    main()
