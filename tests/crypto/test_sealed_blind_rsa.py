"""Blind RSA: known answers of all variants, and what must bounce."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.blind.blind_rsa import (
    PSS_DETERMINISTIC,
    PSS_RANDOMIZED,
    PSSZERO_RANDOMIZED,
    VARIANTS,
    BlindPublicKey,
    BlindSigner,
)
from tests.crypto.sealed_world import wycheproof

OWN = Path(__file__).parents[1] / "vectors" / "fresh_blind_rsa.json"
RFC = Path(__file__).parents[3] / "shared" / "vectors" / "rfc9474_blind_rsa.json"


def vectors() -> list[tuple[str, dict]]:
    found = [("fresh", v) for v in json.loads(OWN.read_text())["vectors"]]
    if RFC.exists():
        found += [("RFC 9474", v) for v in json.loads(RFC.read_text())["vectors"]]
    return found


def number(vector: dict, name: str) -> int:
    return int(vector[name], 16)


def octets(vector: dict, name: str) -> bytes:
    return bytes.fromhex(vector[name].removeprefix("0x"))


def key_of(vector: dict) -> RSA.RsaKey:
    return RSA.construct(tuple(number(vector, name) for name in ("n", "e", "d", "p", "q")))


@pytest.fixture(scope="module")
def signer() -> BlindSigner:
    return BlindSigner(key_of(vectors()[0][1]))


@pytest.mark.parametrize(("origin", "vector"), vectors(), ids=lambda x: x if isinstance(x, str) else x["name"])
def test_known_answers(origin, vector):
    signer, variant = BlindSigner(key_of(vector)), VARIANTS[vector["name"]]
    assert variant.salt_bytes == number(vector, "sLen")
    prepared = octets(vector, "msg_prefix") + octets(vector, "msg")
    assert prepared == octets(vector, "input_msg")
    r = pow(number(vector, "inv"), -1, number(vector, "n"))
    blinded = signer.public.blind_with(variant, prepared, r, octets(vector, "salt"))
    assert blinded.message == octets(vector, "blinded_msg"), origin
    assert signer.sign(blinded.message) == octets(vector, "blind_sig")
    assert blinded.finalize(octets(vector, "blind_sig")) == octets(vector, "sig")
    assert signer.public.verify(variant, prepared, octets(vector, "sig"))


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_round_trip_verifies_under_its_own_variant_key_and_message(signer, variant):
    prepared = variant.prepare(b"a perk")
    assert prepared.endswith(b"a perk")
    assert len(prepared) == 6 + 32 * variant.randomized
    blinded = signer.public.blind(variant, prepared)
    signature = blinded.finalize(signer.sign(blinded.message))
    assert signer.public.verify(variant, prepared, signature)
    assert not signer.public.verify(variant, prepared + b"!", signature)
    other = PSSZERO_RANDOMIZED if variant.salt_bytes else PSS_RANDOMIZED
    assert not signer.public.verify(other, prepared, signature)
    for bad in (signature[:-1], signature + b"\0", bytes(len(signature)), b"\xff" * len(signature)):
        assert not signer.public.verify(variant, prepared, bad)


def test_the_signer_sees_something_else_each_time_and_never_the_message_or_signature(signer):
    prepared = b"one and the same message"
    seen, signatures = [], []
    for _ in range(3):
        blinded = signer.public.blind(PSS_DETERMINISTIC, prepared)
        answer = signer.sign(blinded.message)
        seen += [blinded.message, answer]
        signatures.append(blinded.finalize(answer))
    assert len(set(seen)) == 6
    assert not set(seen) & set(signatures)


def test_a_wrong_answer_of_the_signer_is_noticed(signer):
    blinded = signer.public.blind(PSS_DETERMINISTIC, b"m")
    answer = signer.sign(blinded.message)
    blinded.finalize(answer)
    flipped = bytes([answer[0] ^ 1]) + answer[1:]
    unsigned, length = "does not make a signature under the published key", "a blind signature has 256 bytes, got"
    for bad, said in (
        (flipped, f"{unsigned}|not below the modulus"),  # a flipped bit may lift it above
        (answer[:-1], length),
        (b"", length),
        (b"\xff" * len(answer), "not below the modulus"),
        (signer.sign(blinded.message[:-1] + b"\x05"), unsigned),
    ):
        with pytest.raises(ForgeryError, match=said):
            blinded.finalize(bad)


@pytest.mark.parametrize("bad", [b"", bytes(255), bytes(257), b"\xff" * 256])
def test_a_malformed_request_is_refused(signer, bad):
    signer.sign(bytes(255) + b"\x02")
    with pytest.raises(ForgeryError, match="a blinded message has 256 bytes and is below the modulus"):
        signer.sign(bad)


@pytest.mark.parametrize(
    ("n", "e", "weak"),
    [
        (1 << 2047, 65537, "modulus"),
        ((1 << 1024) + 1, 65537, "modulus"),
        ((1 << 2047) + 1, 1, "exponent"),
        (15, 3, "modulus"),
    ],
)
def test_weak_keys_are_refused(signer, n, e, weak):
    BlindPublicKey(signer.public.n, signer.public.e)
    with pytest.raises(ParameterError, match=f"an RSA {weak} must be odd"):
        BlindPublicKey(n, e)


def test_a_short_key_is_never_made():
    with pytest.raises(ParameterError, match="bits"):
        BlindSigner(bits=1024)


def test_half_way_state_does_not_print_what_links(signer):
    blinded = signer.public.blind(PSS_DETERMINISTIC, b"m")
    assert str(blinded._inverse) not in repr(blinded)


def test_pss_of_wycheproof_is_answered_alike():
    seen = set()
    for group in wycheproof("rsa_pss_2048_sha384_mgf1_48_test.json"):
        key = group["publicKey"]
        public = BlindPublicKey(int(key["modulus"], 16), int(key["publicExponent"], 16))
        for case in group["tests"]:
            accepted = public.verify(PSS_DETERMINISTIC, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            seen.add(accepted)
            assert case["result"] == "acceptable" or accepted is (case["result"] == "valid"), case["tcId"]
    assert seen == {True, False}
