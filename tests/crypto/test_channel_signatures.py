"""One Ed25519: known answers, keys that save and load, keys that must be refused, and nothing secret in print."""

from __future__ import annotations

import copy
import json
import pickle
import stat
import subprocess
from pathlib import Path

import pytest
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey, VerifyingKey
from tests.crypto.sealed_world import wycheproof

# RFC 8032 section 7.1, TEST 2: Ed25519 over the one byte 72.
RFC_SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
RFC_PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
BAD = json.loads((Path(__file__).parents[1] / "vectors" / "ed25519_bad_keys.json").read_text())
PASSPHRASE = b"correct horse"


def test_known_answer():
    key = SigningKey.of_seed(bytes.fromhex(RFC_SEED))
    assert key.public.raw.hex() == RFC_PUBLIC
    # Read as "a purpose of 72 = 0x72 bytes": the purpose's length is the message's one byte, and nothing follows.
    assert key._key.sign(b"\x72").hex() == RFC_SIGNATURE
    assert not key.public.accepts(b"\x72", bytes.fromhex(RFC_SIGNATURE), Purpose.OFFER)
    with pytest.raises(ParameterError, match="32 bytes"):
        SigningKey.of_seed(bytes(31))


@pytest.mark.parametrize("purpose", [Purpose.OFFER, Purpose.LOG_HEAD])
def test_another_library_signs_and_accepts_the_same_bytes(purpose):
    """What is signed is written out here: length of the purpose, purpose, message."""
    key = SigningKey.of_seed(bytes.fromhex(RFC_SEED))
    for message in (b"", b"m", bytes(range(256)) * 40):
        framed = bytes([len(bytes(purpose))]) + bytes(purpose) + message
        other = eddsa.new(eddsa.import_private_key(bytes.fromhex(RFC_SEED)), "rfc8032")
        assert key.sign(message, purpose) == other.sign(framed)
        other.verify(framed, key.sign(message, purpose))


def test_the_library_below_answers_as_wycheproof_says():
    seen = set()
    for group in wycheproof("ed25519_test.json"):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            try:
                key.verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
                accepted = True
            except InvalidSignature:
                accepted = False
            seen.add(accepted)
            assert case["result"] == "acceptable" or accepted is (case["result"] == "valid"), case["tcId"]
    assert seen == {True, False}


def test_every_flipped_bit_of_a_signature_is_refused():
    key = SigningKey()
    signature = key.sign(b"message", Purpose.OFFER)
    assert key.public.accepts(b"message", signature, Purpose.OFFER)
    for bit in range(512):
        spoilt = bytearray(signature)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert not key.public.accepts(b"message", bytes(spoilt), Purpose.OFFER)
    assert not SigningKey().public.accepts(b"message", signature, Purpose.OFFER)


def test_a_signature_serves_its_own_purpose_only():
    key = SigningKey()
    signature = key.sign(b"m", Purpose.OFFER)
    key.public.require(b"m", signature, Purpose.OFFER)
    for message, bad, purpose in (
        (b"m", signature, Purpose.DECISION),
        (b"n", signature, Purpose.OFFER),
        (b"m", signature[:-1], Purpose.OFFER),
        (b"m", bytes(SIGNATURE_BYTES), Purpose.OFFER),
    ):
        with pytest.raises(ForgeryError, match="does not verify"):
            key.public.require(message, bad, purpose)


def test_no_purpose_is_the_beginning_of_another():
    tags = [bytes(purpose) for purpose in Purpose]
    assert len(set(tags)) == len(tags) == len(Purpose.__members__)
    assert not any(a != b and b.startswith(a) for a in tags for b in tags)


@pytest.mark.parametrize("encoded", BAD["small_order"])
def test_a_key_of_small_order_is_refused_for_under_it_anything_verifies(encoded):
    """The forgery: with R and S of nothing, one of eight messages verifies at least, whoever wrote it."""
    raw = bytes.fromhex(encoded)
    with pytest.raises(ForgeryError, match="small order or not in canonical form"):
        VerifyingKey(raw)
    point = Ed25519PublicKey.from_public_bytes(raw)
    nothing = bytes([1]) + bytes(63)  # R = identity, S = 0
    accepted = 0
    for i in range(64):
        try:
            point.verify(nothing, bytes([i]))
            accepted += 1
        except InvalidSignature:
            continue
    assert accepted > 0


def test_a_key_in_another_than_its_canonical_form_is_refused():
    first = int.from_bytes(bytes.fromhex(BAD["not_reduced_first"]), "little")
    assert first == (1 << 255) - 19
    for i in range(BAD["not_reduced_count"]):
        for sign in (0, 1):
            with pytest.raises(ForgeryError, match="canonical"):
                VerifyingKey((first + i | sign << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), b"\xff" * 32, b"\x02" + bytes(31), "text"])
def test_a_public_key_that_is_none_is_refused(raw):
    VerifyingKey(bytes.fromhex(RFC_PUBLIC))
    with pytest.raises(ForgeryError, match="signature key"):
        VerifyingKey(raw)


def test_keys_have_different_names():
    assert len({SigningKey().public.id for _ in range(4)}) == 4


def test_a_key_saves_and_loads(tmp_path):
    key = SigningKey()
    key.save(tmp_path / "key.pem", PASSPHRASE)
    key.public.save(tmp_path / "key.pub")
    again = SigningKey.load(tmp_path / "key.pem", PASSPHRASE)
    assert again.public == key.public == VerifyingKey.load(tmp_path / "key.pub")
    assert key.public.accepts(b"m", again.sign(b"m", Purpose.OFFER), Purpose.OFFER)
    assert (tmp_path / "key.pem").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_openssl_reads_what_we_save(tmp_path):
    try:
        subprocess.run(["openssl", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not installed here")
    key = SigningKey()
    key.save(tmp_path / "key.pem", PASSPHRASE)
    key.public.save(tmp_path / "key.pub")
    shown = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-passin", f"pass:{PASSPHRASE.decode()}", "-pubout"],
        check=True,
        capture_output=True,
    ).stdout
    assert shown.split() == (tmp_path / "key.pub").read_bytes().split()


def test_key_files_that_cannot_be_used_say_why(tmp_path):
    key = SigningKey()
    key.save(tmp_path / "key.pem", PASSPHRASE)
    key.public.save(tmp_path / "key.pub")
    (tmp_path / "noise").write_bytes(b"noise")
    (tmp_path / "large").write_bytes(bytes(5000))
    (tmp_path / "p256").write_text(ECC.generate(curve="P-256").export_key(format="PEM"))
    with pytest.raises(DataError, match="name a new file"):
        key.save(tmp_path / "key.pem", PASSPHRASE)
    with pytest.raises(ParameterError, match="at least 8"):
        key.save(tmp_path / "other.pem", b"short")
    for name, passphrase, why in (
        ("key.pem", b"wrong horse", "another passphrase"),
        ("key.pub", PASSPHRASE, "this is a public key"),
        ("noise", PASSPHRASE, "no key"),
        ("large", PASSPHRASE, "larger than"),
        ("p256", PASSPHRASE, "Ed25519 is needed"),
        ("nowhere", PASSPHRASE, "was not read"),
    ):
        with pytest.raises(DataError, match=why):
            SigningKey.load(tmp_path / name, passphrase)
    (tmp_path / "bare").write_text(ECC.generate(curve="Ed25519").export_key(format="PEM"))
    with pytest.raises(DataError, match="hand out the public one"):
        VerifyingKey.load(tmp_path / "bare")


def test_a_secret_key_is_not_printed_copied_or_pickled():
    seed = bytes(range(32))
    key = SigningKey.of_seed(seed)
    shown = repr(key) + str(key) + repr(key.public)
    assert seed.hex() not in shown
    assert str(int.from_bytes(seed, "big")) not in shown
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(ParameterError, match="not copied or pickled"):
            action(key)
