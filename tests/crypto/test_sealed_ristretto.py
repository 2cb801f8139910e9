"""ristretto255 behind the group interface: published encodings, group laws, and the whole protocol on it."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import ForgeryError, MissingExtraError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.attestation import Attestation
from blindscore_crypto.sealed.check import check
from blindscore_crypto.sealed.groups import ristretto
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.range_proof import Claim, RangeProof, prove, verify, verify_batch
from tests.crypto.sealed_world import GOOD, World

pytest.importorskip("rbcl")
GROUP = ristretto.ristretto255()
PEDERSEN = Pedersen(GROUP)
Q = GROUP.order
# RFC 9496, appendix A.1: the generator and its double; A.2: encodings that must be refused.
MULTIPLES = {
    1: "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
    2: "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
}
BAD = {
    "field element not reduced": "00" + "ff" * 31,
    "field element not reduced, top bit clear": "ff" * 31 + "7f",
    "negative field element": "01" + "00" * 31,
    "negative and not reduced": "01" + "ff" * 30 + "7f",
    "identity": "00" * 32,
    "truncated": MULTIPLES[1][:-2],
    "oversized": MULTIPLES[1] + "00",
    "empty": "",
}


@pytest.mark.parametrize("k", MULTIPLES)
def test_multiples_of_the_generator_are_the_published_ones(k):
    assert GROUP.base_mul(k).hex() == MULTIPLES[k]
    assert GROUP.decode(bytes.fromhex(MULTIPLES[k])) == GROUP.base_mul(k)


@pytest.mark.parametrize("name", BAD)
def test_bad_encodings_are_refused_and_their_good_twin_is_not(name):
    GROUP.decode(bytes.fromhex(MULTIPLES[1]))
    with pytest.raises(ForgeryError, match=r"not the canonical encoding|must be 32 bytes and not the identity"):
        GROUP.decode(bytes.fromhex(BAD[name]))


@given(st.integers(0, Q - 1), st.integers(0, Q - 1))
@settings(max_examples=20, deadline=None)
def test_group_laws(a, b):
    pa, pb = GROUP.base_mul(a), GROUP.base_mul(b)
    assert GROUP.add(pa, pb) == GROUP.base_mul((a + b) % Q)
    assert GROUP.sub(pa, pb) == GROUP.base_mul((a - b) % Q)
    assert GROUP.mul(a, pb) == GROUP.mul(b, pa) == GROUP.base_mul(a * b % Q)
    assert GROUP.combine([a, -b, 0], [pb, pa, pa]) == GROUP.identity()


def test_zero_and_identity_behave():
    g = GROUP.base_mul(1)
    assert GROUP.base_mul(0) == GROUP.mul(0, g) == GROUP.mul(5, GROUP.identity()) == GROUP.identity()
    assert GROUP.base_mul(Q) == GROUP.identity()
    with pytest.raises(ForgeryError, match="identity"):
        GROUP.encode(GROUP.identity())


def test_hashing_gives_elements_that_depend_on_message_and_domain():
    seen = {GROUP.hash_to_point(m, d) for m in (b"a", b"b") for d in (b"x", b"y")}
    assert len(seen) == 4
    assert all(GROUP.decode(p) == p for p in seen)


def test_a_range_proof_holds_and_its_spoiled_twins_do_not():
    r = random_scalar(GROUP)
    commitment, proof = PEDERSEN.commit(700, r), prove(PEDERSEN, 700, r, 10, Transcript(b"t", GROUP))
    data = proof.encode(GROUP)
    assert len(data) == 576

    def holds(commitment=commitment, proof=proof, protocol=b"t"):
        return verify(PEDERSEN, Claim(commitment, 10, proof, Transcript(protocol, GROUP)))

    assert holds(proof=RangeProof.decode(GROUP, 10, data))
    assert not holds(commitment=PEDERSEN.commit(701, r))
    assert not holds(protocol=b"u")
    assert not holds(proof=replace(proof, responses=((proof.responses[0] + 1) % Q, *proof.responses[1:])))
    with pytest.raises(ForgeryError, match="a scalar is not in canonical form"):
        RangeProof.decode(GROUP, 10, data[:-32] + Q.to_bytes(32, "big"))
    claims = [Claim(commitment, 10, proof, Transcript(b"t", GROUP)) for _ in range(3)]
    assert verify_batch(PEDERSEN, claims)


@pytest.mark.parametrize("blind", [False, True])
def test_the_whole_protocol_runs_on_it(blind):
    world = World(group=GROUP, blind=blind)
    assert world.apply("ada", "good").verdict() is True
    assert world.apply("bob", "poor").verdict() is False
    client = SigningKey()
    answer = bytearray(world.answer(GOOD, client=client)[:-64])
    answer[-1] ^= 1
    with pytest.raises(ForgeryError, match=r"canonical|not proven"):
        check(world.terms, bytes(answer) + client.sign(bytes(answer), Purpose.ANSWER))


def test_an_attestation_of_one_group_is_not_taken_in_the_other():
    world = World(group=GROUP)
    issued = world.issue("ada", GOOD)[0]
    source = world.terms.sources[0]
    Attestation.decode(GROUP, source, issued.attestation)
    with pytest.raises(ForgeryError, match="bytes"):
        Attestation.decode(P256_GROUP, source, issued.attestation)


def test_without_the_extra_the_message_says_what_to_do(monkeypatch):
    ristretto._sodium.cache_clear()
    monkeypatch.setitem(sys.modules, "rbcl", None)
    with pytest.raises(MissingExtraError, match=r"blindscore\[ristretto\]"):
        ristretto.Ristretto255()
