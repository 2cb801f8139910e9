"""Oblivious and binary HTTP against the official example of RFC 9458, Appendix A, and against tampering."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.bhttp import BinaryRequest, BinaryResponse
from blindscore_crypto.channel.ohttp import (
    REQUEST_OVERHEAD,
    RESPONSE_OVERHEAD,
    Gateway,
    KeyConfig,
    ask,
)

# RFC 9458, Appendix A
SECRET = bytes.fromhex("3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a")
CONFIG = bytes.fromhex("01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003")
REQUEST = bytes.fromhex("00034745540568747470730b6578616d706c652e636f6d012f")
ENCAPSULATED = bytes.fromhex(
    "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b4726374e469135906992e1268c594d2a10c695d"
    "858c40a026e7965e7d86b83dd440b2c0185204b4d63525"
)
RESPONSE = bytes.fromhex("0140c8")
NONCE = bytes.fromhex("c789e7151fcba46158ca84b04464910d")
ANSWER = bytes.fromhex("c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd")


def test_the_official_example_opens_and_is_answered_byte_for_byte():
    gateway = Gateway(1, SECRET)
    config = KeyConfig.decode(CONFIG)
    assert config == gateway.config
    opened = gateway.open(ENCAPSULATED)
    assert opened.request == REQUEST
    assert opened.secret.hex() == "62d87a6ba569ee81014c2641f52bea36"
    assert opened.respond(RESPONSE, nonce=NONCE) == ANSWER
    assert BinaryRequest.decode(REQUEST) == BinaryRequest("GET", "https", "example.com", "/")
    assert BinaryResponse.decode(RESPONSE) == BinaryResponse(200)
    assert BinaryRequest("GET", "https", "example.com", "/").encode() == REQUEST + b"\0\0\0"
    assert BinaryResponse(200).encode() == RESPONSE + b"\0\0\0"


def test_a_request_and_its_answer_go_round_and_have_the_stated_sizes():
    gateway = Gateway()
    asked = ask(gateway.config, b"x" * 100)
    assert len(asked.encapsulated) == 100 + REQUEST_OVERHEAD
    answer = gateway.open(asked.encapsulated).respond(b"y" * 50)
    assert len(answer) == 50 + RESPONSE_OVERHEAD
    assert asked.open(answer) == b"y" * 50
    assert ask(gateway.config, b"x" * 100).encapsulated[7:] != asked.encapsulated[7:]
    assert "secret" not in repr(asked)


def test_what_was_touched_or_is_for_somebody_else_does_not_open():
    gateway, other = Gateway(), Gateway()
    asked, second = ask(gateway.config, b"request"), ask(gateway.config, b"request")
    answer = gateway.open(asked.encapsulated).respond(b"answer")
    assert asked.open(answer) == b"answer"
    for i in (0, 3, 10, 45, len(asked.encapsulated) - 1):
        spoilt = bytearray(asked.encapsulated)
        spoilt[i] ^= 1
        with pytest.raises(ForgeryError, match="encapsulated request"):
            gateway.open(bytes(spoilt))
    for spoilt in (asked.encapsulated[:20], b"", other.config.header):
        with pytest.raises(ForgeryError, match="cut short"):
            gateway.open(spoilt)
    with pytest.raises(ForgeryError, match="not for this key"):
        other.open(asked.encapsulated)
    with pytest.raises(ForgeryError, match="not to this request"):
        second.open(answer)
    with pytest.raises(ForgeryError, match="cut short"):
        asked.open(answer[:10])


def test_a_configuration_that_is_not_ours_is_refused():
    assert KeyConfig.decode(Gateway(7).config.encode()).key_id == 7
    for spoilt in (CONFIG[:20], CONFIG[:-1], CONFIG[:1] + b"\0\x10" + CONFIG[3:], CONFIG[:-8] + b"\0\x01\0\x02" * 2):
        with pytest.raises(ForgeryError, match=r"key configuration|does not offer"):
            KeyConfig.decode(spoilt)
    with pytest.raises(ForgeryError, match="no X25519 key"):
        ask(KeyConfig(1, bytes(32)), b"x")
    with pytest.raises(ParameterError, match="one byte"):
        Gateway(256)


NAMES = st.text("abcxyz-", min_size=1, max_size=9)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=5)


@given(FIELDS, st.binary(max_size=300))
def test_a_binary_message_comes_back_as_it_went_at_any_padding(fields, content):
    fields = tuple(fields)
    request = BinaryRequest("POST", "https", "lender.example", "/messages", fields, content)
    assert BinaryRequest.decode(request.encode(2048)) == request
    assert len(request.encode(2048)) == 2048
    response = BinaryResponse(400, fields, content)
    assert BinaryResponse.decode(response.encode(1024)) == response


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_refusal(data):
    for kind in (BinaryRequest, BinaryResponse):
        try:
            decoded = kind.decode(data)
        except ForgeryError:
            continue
        assert kind.decode(decoded.encode()) == decoded


def test_malformed_binary_messages_are_refused_and_a_message_too_long_for_its_padding():
    good = BinaryRequest("GET", "https", "a", "/", (("x", "y"),), b"c").encode()
    assert BinaryRequest.decode(good).content == b"c"
    for spoilt in (b"", good[:3], b"\x02" + good[1:], good + b"\x01", good.replace(b"x", b"X"), good[:-1] + b"\x01z"):
        with pytest.raises(ForgeryError, match=r"HTTP|padding|fields|kind|trailers"):
            BinaryRequest.decode(spoilt)
    with pytest.raises(ForgeryError, match="status of 200 to 599"):
        BinaryResponse.decode(b"\x01\x40\x64")
    with pytest.raises(ParameterError, match="does not fit"):
        BinaryRequest("GET", "https", "a", "/").encode(4)
