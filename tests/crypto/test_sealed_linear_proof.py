"""Linear proofs of knowledge: Schnorr, equality of logarithms and representations, and their spoiled twins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.groups.group import P256_GROUP as GROUP
from blindscore_crypto.sealed.groups.group import independent_bases, random_scalar
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.linear_proof import Equation, LinearProof, Term, prove, verify

Q = GROUP.order
G = GROUP.base_mul(1)
H, K = independent_bases(GROUP, b"test", 2)


def transcript(name: bytes = b"t") -> Transcript:
    return Transcript(name, GROUP)


def schnorr(x: int) -> list[Equation]:
    return [Equation(GROUP.mul(x, H), (Term(H, ((0, 1),)),))]


def same_logarithm(x: int, y: int) -> list[Equation]:
    return [*schnorr(x), Equation(GROUP.mul(y, K), (Term(K, ((0, 1),)),))]


def test_schnorr_and_its_spoiled_twins():
    x = random_scalar(GROUP)
    proof = prove(GROUP, schnorr(x), [x], transcript())
    assert verify(GROUP, schnorr(x), 1, proof, transcript())
    assert not verify(GROUP, schnorr(x + 1), 1, proof, transcript())
    assert not verify(GROUP, schnorr(x), 1, proof, transcript(b"elsewhere"))
    assert not verify(GROUP, schnorr(x), 2, proof, transcript())
    assert not verify(GROUP, schnorr(x), 1, replace(proof, responses=((proof.responses[0] + 1) % Q,)), transcript())
    wrong = prove(GROUP, schnorr(x), [x + 1], transcript())
    assert not verify(GROUP, schnorr(x), 1, wrong, transcript())


def test_equal_logarithms_are_proven_and_unequal_ones_are_not():
    x = random_scalar(GROUP)
    good = prove(GROUP, same_logarithm(x, x), [x], transcript())
    assert verify(GROUP, same_logarithm(x, x), 1, good, transcript())
    bad = prove(GROUP, same_logarithm(x, x + 1), [x], transcript())
    assert not verify(GROUP, same_logarithm(x, x + 1), 1, bad, transcript())


def test_weights_and_shared_unknowns():
    """Target = (3 x - y) G + x H, and 0 = (2 x - y) K where y = 2 x."""
    x = random_scalar(GROUP)
    y = 2 * x
    target = GROUP.combine([3 * x - y, x], [G, H])
    equations = [
        Equation(target, (Term(G, ((0, 3), (1, -1))), Term(H, ((0, 1),)))),
        Equation(GROUP.identity(), (Term(K, ((0, 2), (1, -1))),)),
    ]
    proof = prove(GROUP, equations, [x, y], transcript())
    assert verify(GROUP, equations, 2, proof, transcript())
    lie = prove(GROUP, equations, [x, y + 1], transcript())
    assert not verify(GROUP, equations, 2, lie, transcript())
    other = [equations[0], replace(equations[1], terms=(Term(K, ((0, 2), (1, -2))),))]
    assert not verify(GROUP, other, 2, proof, transcript())


def test_an_announcement_cannot_be_fitted_afterwards():
    """Choose the response first and solve for the announcement: the challenge moves away under the forger."""
    target, c, s = GROUP.mul(9, K), random_scalar(GROUP), random_scalar(GROUP)
    equations = [Equation(target, (Term(H, ((0, 1),)),))]
    forged = LinearProof((GROUP.sub(GROUP.mul(s, H), GROUP.mul(c, target)),), (s,))

    class Fixed:
        def absorb(self, label: bytes, data: bytes) -> None:
            pass

        def challenge(self, label: bytes) -> int:
            return c

    assert verify(GROUP, equations, 1, forged, Fixed())
    assert not verify(GROUP, equations, 1, forged, transcript())


@pytest.mark.parametrize("spoil", ["truncated", "oversized", "scalar not reduced"])
def test_bad_bytes_are_refused(spoil):
    x = random_scalar(GROUP)
    data = prove(GROUP, schnorr(x), [x], transcript()).encode(GROUP)
    assert verify(GROUP, schnorr(x), 1, LinearProof.decode(GROUP, 1, 1, data), transcript())
    bad, said = {
        "truncated": (data[:-1], "has 97 bytes, got 96"),
        "oversized": (data + b"\0", "has 97 bytes, got 98"),
        "scalar not reduced": (data[:-32] + Q.to_bytes(32, "big"), "scalar is not in canonical form"),
    }[spoil]
    with pytest.raises(ForgeryError, match=said):
        LinearProof.decode(GROUP, 1, 1, bad)


def test_a_proof_of_nothing_is_empty_and_true():
    proof = prove(GROUP, [], [], transcript())
    assert proof.encode(GROUP) == b""
    assert verify(GROUP, [], 0, proof, transcript())
