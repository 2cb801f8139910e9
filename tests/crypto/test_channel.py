"""Frames and signatures: known answers, exact sizes, and every spoilt frame beside its accepted twin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, unpack
from blindscore_crypto.channel.signatures import SigningKey, VerifyingKey

# RFC 8032 section 7.3, Ed25519ph over "abc".
RFC_PUBLIC = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"
RFC_SIGNATURE = (
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
    "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
)


def test_signature_known_answer():
    key = VerifyingKey(bytes.fromhex(RFC_PUBLIC))
    assert key.accepts(b"abc", bytes.fromhex(RFC_SIGNATURE), b"")
    assert not key.accepts(b"abd", bytes.fromhex(RFC_SIGNATURE), b"")
    assert not key.accepts(b"abc", bytes.fromhex(RFC_SIGNATURE), b"another purpose")


def test_every_flipped_bit_of_a_signature_is_refused():
    key = SigningKey()
    signature = key.sign(b"message", b"purpose")
    assert key.public.accepts(b"message", signature, b"purpose")
    for bit in range(512):
        spoilt = bytearray(signature)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert not key.public.accepts(b"message", bytes(spoilt), b"purpose")
    assert not key.public.accepts(b"message", signature[:-1], b"purpose")
    assert not SigningKey().public.accepts(b"message", signature, b"purpose")


def test_malleable_signatures_are_refused():
    """Public keys and signatures of Project Wycheproof, checked by the library below ours."""
    path = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof_ed25519.json"
    if not path.exists():
        pytest.skip("wycheproof_ed25519.json is not beside this checkout")
    from Crypto.Signature import eddsa

    for group in json.loads(path.read_text())["testGroups"]:
        key = eddsa.new(eddsa.import_public_key(bytes.fromhex(group["publicKey"]["pk"])), "rfc8032")
        for case in group["tests"]:
            try:
                key.verify(bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                accepted = True
            except ValueError:
                accepted = False
            assert accepted == (case["result"] == "valid"), case["comment"]


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), b"\xff" * 32])
def test_a_public_key_that_is_none_is_refused(raw):
    with pytest.raises(ForgeryError):
        VerifyingKey(raw)


def test_key_id_depends_on_the_key():
    assert len({SigningKey().public.id for _ in range(4)}) == 4


@given(body=st.binary(max_size=64), kind=st.sampled_from(Kind), code=st.integers(0, 255))
def test_a_frame_returns_its_body(body, kind, code):
    assert unpack(pack(kind, code, body), kind, code, len(body)) == body


@given(where=st.integers(0, HEADER_BYTES - 1), flip=st.integers(1, 255))
def test_any_other_header_is_refused(where, flip):
    frame = bytearray(pack(Kind.REPLY, 2, b"body"))
    assert unpack(bytes(frame), Kind.REPLY, 2, 4) == b"body"
    frame[where] ^= flip
    with pytest.raises(ForgeryError):
        unpack(bytes(frame), Kind.REPLY, 2, 4)


@pytest.mark.parametrize("cut", [0, 1, HEADER_BYTES, HEADER_BYTES + 3])
def test_a_truncated_frame_is_refused(cut):
    with pytest.raises(ForgeryError):
        unpack(pack(Kind.REPLY, 2, b"body")[:cut], Kind.REPLY, 2, 4)


def test_a_longer_frame_is_refused():
    with pytest.raises(ForgeryError):
        unpack(pack(Kind.REPLY, 2, b"body") + b"!", Kind.REPLY, 2, 4)
    with pytest.raises(ForgeryError):
        unpack("BLSC", Kind.REPLY, 2, 4)
