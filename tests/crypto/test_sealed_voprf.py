"""VOPRF and light tokens: known answers, a key that marks its clients, and tokens spent twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.channel.nullifiers import MemoryNullifiers
from blindscore_crypto.sealed.blind.voprf import (
    MAX_BATCH,
    VoprfClient,
    VoprfServer,
    decode_element,
    encode_element,
)
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.groups.hash_to_curve import P
from blindscore_crypto.sealed.perks.light_tokens import TOKEN_BYTES, LightDesk, PendingLightToken
from tests.crypto.sealed_world import EPOCH, GOOD, POOR, World

OWN = Path(__file__).parents[1] / "vectors" / "fresh_oprf_p256.json"
RFC = Path(__file__).parents[3] / "shared" / "vectors" / "rfc9497_oprf_p256_p384.json"


def cases() -> list[tuple[dict, dict]]:
    suites = [s for path in (OWN, RFC) if path.exists() for s in json.loads(path.read_text())["suites"]]
    chosen = [s for s in suites if s["identifier"] == "P256-SHA256" and s["mode"] == 1]
    return [(suite, vector) for suite in chosen for vector in suite["vectors"]]


def split(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


@pytest.mark.parametrize(("suite", "vector"), cases(), ids=range(len(cases())))
def test_known_answers(suite, vector):
    server = VoprfServer.derive(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]))
    assert server._k == int(suite["skSm"], 16)
    assert encode_element(server.public).hex() == suite["pkSm"]
    blinds = tuple(int.from_bytes(b, "big") for b in split(vector["Blind"]))
    client = VoprfClient(server.public, tuple(split(vector["Input"])), blinds)
    assert client.blinded == split(vector["BlindedElement"])
    evaluated, proof = server.evaluate_with(client.blinded, int(vector["Proof"]["r"], 16))
    assert evaluated == split(vector["EvaluationElement"])
    assert proof.hex() == vector["Proof"]["proof"]
    outputs = client.finalize(evaluated, proof)
    assert outputs == split(vector["Output"])
    assert [server.output(message) for message in client.messages] == outputs


def test_another_key_than_the_published_one_is_noticed():
    """Tracking by key: the server answers one client under a key of its own."""
    server, marked = VoprfServer(), VoprfServer()
    client = VoprfClient.begin(server.public, [b"a", b"b"])
    assert len(client.finalize(*server.evaluate(client.blinded))) == 2
    with pytest.raises(ForgeryError, match="published key"):
        client.finalize(*marked.evaluate(client.blinded))


def test_every_part_of_an_answer_counts():
    server = VoprfServer()
    client = VoprfClient.begin(server.public, [b"a", b"b"])
    evaluated, proof = server.evaluate(client.blinded)
    client.finalize(evaluated, proof)
    for answer in (
        (evaluated[::-1], proof),
        (evaluated[:1], proof),
        ([], proof),
        (evaluated, proof[:-1]),
        (evaluated, bytes([proof[0] ^ 1]) + proof[1:]),
        (evaluated, P256_GROUP.order.to_bytes(32, "big") + proof[32:]),
        ([b"\x02" + bytes(32), evaluated[1]], proof),
    ):
        with pytest.raises(ForgeryError):
            client.finalize(*answer)


GENERATOR = encode_element(P256_GROUP.base_mul(1))


@pytest.mark.parametrize(
    "bad",
    [b"", GENERATOR[:-1], GENERATOR + b"\0", b"\x04" + GENERATOR[1:], b"\0" * 33, b"\x02" + P.to_bytes(32, "big")],
)
def test_bad_elements_are_refused(bad):
    assert encode_element(decode_element(GENERATOR)) == GENERATOR
    with pytest.raises(ForgeryError):
        decode_element(bad)
    with pytest.raises(ForgeryError):
        VoprfServer().evaluate([bad])


def test_an_x_without_a_point_is_refused():
    tried = [b"\x02" + x.to_bytes(32, "big") for x in range(20)]
    refused = 0
    for data in tried:
        try:
            assert encode_element(decode_element(data)) == data
        except ForgeryError:
            refused += 1
    assert 0 < refused < 20


def test_batches_are_bounded_and_keys_are_checked():
    server = VoprfServer()
    for batch in ([], [GENERATOR] * (MAX_BATCH + 1)):
        with pytest.raises(ForgeryError, match="batch"):
            server.evaluate(batch)
    for secret in (0, P256_GROUP.order, -1):
        with pytest.raises(ParameterError, match="key"):
            VoprfServer(secret)
    with pytest.raises(ParameterError, match="seed"):
        VoprfServer.derive(b"short", b"")


# Light tokens


@pytest.fixture(scope="module")
def world() -> World:
    return World(threshold=650)


def test_a_proof_buys_a_light_token_and_the_token_a_perk_once(world):
    desk = LightDesk(world.terms, EPOCH.number, MemoryNullifiers())
    pending, frame = PendingLightToken(desk.public), world.frame(GOOD)
    answer = desk.grant(frame, pending.request)
    token = pending.finish(answer)
    assert len(token) == TOKEN_BYTES
    assert desk.redeem(token, b"r") == desk.redeem(token, b"r") == 650
    with pytest.raises(ForgeryError, match="spent before"):
        desk.redeem(token, b"another")
    with pytest.raises(ForgeryError, match="bought a token already"):
        desk.grant(frame, PendingLightToken(desk.public).request)
    with pytest.raises(ForgeryError, match="no token is due"):
        desk.grant(world.frame(POOR), PendingLightToken(desk.public).request)
    assert not {answer[i : i + 32] for i in range(len(answer) - 31)} & {token[:32], token[32:]}


def test_forged_light_tokens_are_refused(world):
    desk, other = (LightDesk(world.terms, EPOCH.number, MemoryNullifiers()) for _ in range(2))
    pending = PendingLightToken(desk.public)
    token = pending.finish(desk.grant(world.frame(GOOD), pending.request))
    strange = PendingLightToken(other.public)
    foreign = strange.finish(other.grant(world.frame(GOOD), strange.request))
    guessed = token[:32] + hashlib.sha256(token[:32]).digest()
    for bad in (foreign, guessed, bytes(64), token[:-1], token + b"\0", token[:-1] + bytes([token[-1] ^ 1])):
        with pytest.raises(ForgeryError):
            desk.redeem(bad, b"r")
    assert desk.redeem(token, b"r") == 650
    with pytest.raises(ForgeryError, match="published key"):
        PendingLightToken(desk.public).finish(other.grant(world.frame(GOOD), PendingLightToken(desk.public).request))
    with pytest.raises(ForgeryError, match="bytes"):
        pending.finish(b"")
