"""OPRF, VOPRF, POPRF: known answers of both suites and all modes, and a key that marks its clients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.blind.voprf import (
    MAX_BATCH,
    P256_SHA256,
    P384_SHA384,
    Client,
    Mode,
    Server,
    suite_of,
)
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.groups.hash_to_curve import P

OWN = Path(__file__).parents[1] / "vectors" / "fresh_oprf_p256.json"
RFC = Path(__file__).parents[3] / "shared" / "vectors" / "rfc9497_oprf_p256_p384.json"


def cases() -> list[tuple[dict, dict]]:
    suites = [s for path in (OWN, RFC) if path.exists() for s in json.loads(path.read_text())["suites"]]
    return [(suite, vector) for suite in suites for vector in suite["vectors"]]


def name(case) -> str:
    return f"{case['identifier']}-{case['mode']}" if "identifier" in case else f"batch {case.get('Batch', 1)}"


def split(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


@pytest.mark.parametrize(("case", "vector"), cases(), ids=name)
def test_known_answers(case, vector):
    suite = suite_of(case["identifier"], int(case["mode"]))
    info = bytes.fromhex(vector.get("Info", ""))
    server = Server.derive(suite, bytes.fromhex(case["seed"]), bytes.fromhex(case["keyInfo"]))
    assert server._k == int(case["skSm"], 16)
    if suite.mode != Mode.OPRF:
        assert suite.encode(server.public).hex() == case["pkSm"]
    blinds = tuple(int.from_bytes(b, "big") for b in split(vector["Blind"]))
    client = Client(suite, server.public, tuple(split(vector["Input"])), blinds, info)
    assert client.blinded == split(vector["BlindedElement"])
    proof = vector.get("Proof", {"r": "01", "proof": ""})
    evaluated, made = server.evaluate_with(client.blinded, int(proof["r"], 16), info)
    assert evaluated == split(vector["EvaluationElement"])
    assert made.hex() == proof["proof"]
    outputs = client.finalize(evaluated, made)
    assert outputs == split(vector["Output"])
    assert [server.output(message, info) for message in client.messages] == outputs


def test_all_modes_of_the_own_vectors_were_tried():
    assert {int(case["mode"]) for case, _ in cases()} == set(Mode)


def test_public_information_belongs_to_mode_two_and_changes_the_output():
    suite = suite_of("P256-SHA256", 2)
    server = Server(suite)
    assert server.output(b"m", b"one") != server.output(b"m", b"other")
    client = Client.begin(suite, server.public, [b"m"], b"one")
    assert client.finalize(*server.evaluate(client.blinded, b"one")) == [server.output(b"m", b"one")]
    with pytest.raises(ForgeryError, match="published key"):
        client.finalize(*server.evaluate(client.blinded, b"other"))
    with pytest.raises(ParameterError, match="mode 2"):
        Server(P256_SHA256).output(b"m", b"one")
    with pytest.raises(ParameterError, match="no suite"):
        suite_of("P521-SHA512", 1)


def test_another_key_than_the_published_one_is_noticed():
    """Tracking by key: the server answers one client under a key of its own."""
    server, marked = Server(), Server()
    client = Client.begin(P256_SHA256, server.public, [b"a", b"b"])
    assert len(client.finalize(*server.evaluate(client.blinded))) == 2
    with pytest.raises(ForgeryError, match="published key"):
        client.finalize(*marked.evaluate(client.blinded))


def test_every_part_of_an_answer_counts():
    server = Server()
    client = Client.begin(P256_SHA256, server.public, [b"a", b"b"])
    evaluated, proof = server.evaluate(client.blinded)
    client.finalize(evaluated, proof)
    unproven, shape = "did not evaluate under its published key", "one element an input and one proof"
    for elements, proven, said in (
        (evaluated[::-1], proof, unproven),
        (evaluated[:1], proof, shape),
        ([], proof, shape),
        (evaluated, proof[:-1], shape),
        (evaluated, bytes([proof[0] ^ 1]) + proof[1:], f"{unproven}|canonical"),
        (evaluated, P256_GROUP.order.to_bytes(32, "big") + proof[32:], "a scalar is not in canonical form"),
        ([b"\x02" + bytes(32), evaluated[1]], proof, unproven),
    ):
        with pytest.raises(ForgeryError, match=said):
            client.finalize(elements, proven)


GENERATOR = P256_SHA256.encode(P256_GROUP.base_mul(1))


BAD_ELEMENT = "an element has 33 bytes|an element is not in canonical form"


@pytest.mark.parametrize(
    "bad",
    [b"", GENERATOR[:-1], GENERATOR + b"\0", b"\x04" + GENERATOR[1:], b"\0" * 33, b"\x02" + P.to_bytes(32, "big")],
)
def test_bad_elements_are_refused(bad):
    assert P256_SHA256.encode(P256_SHA256.decode(GENERATOR)) == GENERATOR
    with pytest.raises(ForgeryError, match=BAD_ELEMENT):
        P256_SHA256.decode(bad)
    with pytest.raises(ForgeryError, match=BAD_ELEMENT):
        Server().evaluate([bad])


def test_an_x_without_a_point_is_refused():
    tried = [b"\x02" + x.to_bytes(32, "big") for x in range(20)]
    refused = 0
    for data in tried:
        try:
            assert P256_SHA256.encode(P256_SHA256.decode(data)) == data
        except ForgeryError:
            refused += 1
    assert 0 < refused < 20


def test_batches_are_bounded_and_keys_are_checked():
    server = Server()
    for batch in ([], [GENERATOR] * (MAX_BATCH + 1)):
        with pytest.raises(ForgeryError, match="batch"):
            server.evaluate(batch)
    for secret in (0, P256_GROUP.order, -1):
        with pytest.raises(ParameterError, match="key"):
            Server(P256_SHA256, secret)
    with pytest.raises(ParameterError, match="seed"):
        Server.derive(P384_SHA384, b"short", b"")
