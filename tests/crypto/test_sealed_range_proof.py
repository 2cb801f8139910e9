"""Range proofs: what is true is accepted, what is false bounces, whoever writes the prover."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import P256_GROUP as GROUP
from blindscore_crypto.sealed.groups.group import independent_bases, random_scalar
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.proofs.fiat_shamir import Transcript
from blindscore_crypto.sealed.proofs.range_proof import MAX_BITS, Claim, RangeProof, prove, verify, verify_batch

PEDERSEN = Pedersen(GROUP)
Q = GROUP.order


def transcript(context: bytes = b"here") -> Transcript:
    fresh = Transcript(b"test", GROUP)
    fresh.absorb(b"context", context)
    return fresh


def claim(value: int, k: int, context: bytes = b"here") -> Claim:
    r = random_scalar(GROUP)
    proof = prove(PEDERSEN, value, r, k, transcript(context))
    return Claim(PEDERSEN.commit(value, r), k, proof, transcript(context))


class FixedChallenge:
    """A transcript whose challenge the prover knows beforehand: what Fiat-Shamir must never allow."""

    def __init__(self, x: int) -> None:
        self.x = x

    def absorb(self, label: bytes, data: bytes) -> None:
        pass

    def challenge(self, label: bytes) -> int:
        return self.x


def free_prover(digits: list[int], blinding: int, where: Transcript) -> RangeProof:
    """The prover written a second time, by somebody who puts any numbers where bits belong."""
    k, bases = len(digits), independent_bases(GROUP, b"range proof bits", MAX_BITS)
    a = [random_scalar(GROUP) for _ in digits]
    r_b, r_a, r_c, r_d, r_e = (random_scalar(GROUP) for _ in range(5))

    def vector(numbers: list[int], r: int):
        return GROUP.combine([n % Q for n in numbers] + [r], [*bases[:k], GROUP.base_mul(1)])

    points = (
        vector(digits, r_b),
        vector(a, r_a),
        vector([m * (1 - 2 * d) for m, d in zip(a, digits, strict=True)], r_c),
        vector([-m * m for m in a], r_d),
        PEDERSEN.commit(sum(m << i for i, m in enumerate(a)) % Q, r_e),
    )
    value = sum(d << i for i, d in enumerate(digits)) % Q
    where.absorb(b"range proof", k.to_bytes(2, "big"))
    where.absorb(b"commitment", GROUP.encode(PEDERSEN.commit(value, blinding)))
    for point in points:
        where.absorb(b"announcement", GROUP.encode(point))
    x = where.challenge(b"range proof")
    responses = tuple((d * x + m) % Q for d, m in zip(digits, a, strict=True))
    return RangeProof(*points, responses, ((r_b * x + r_a) % Q, (r_c * x + r_d) % Q, (blinding * x + r_e) % Q))


@given(st.integers(1, 12), st.data())
@settings(max_examples=15, deadline=None)
def test_every_number_of_the_range_is_accepted(k, data):
    value = data.draw(st.integers(0, (1 << k) - 1))
    assert verify(PEDERSEN, claim(value, k))


@pytest.mark.parametrize(("value", "k"), [(0, 1), (1, 1), (0, 10), (1023, 10), ((1 << 32) - 1, 32)])
def test_the_ends_of_the_range_are_accepted(value, k):
    assert verify(PEDERSEN, claim(value, k))


@pytest.mark.parametrize("value", [-1, 1024, Q - 1, -Q])
def test_the_prover_refuses_what_lies_outside_and_does_not_repeat_it(value):
    with pytest.raises(ParameterError, match=r"the value does not lie in \[0, 2\^10\)") as caught:
        prove(PEDERSEN, value, 5, 10, transcript())
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize("k", [0, -1, MAX_BITS + 1, 256])
def test_a_range_that_is_empty_or_could_wrap_around_is_refused(k):
    with pytest.raises(ParameterError, match="bits"):
        prove(PEDERSEN, 0, 5, k, transcript())


@pytest.mark.parametrize(
    ("digits", "true"),
    [
        ([1, 0, 1, 1], True),
        ([-5, 0, 0, 0], False),  # wrap-around: the sum is -5, a huge number modulo q
        ([Q - 1, 0, 0, 0], False),
        ([2, 0, 0, 0], False),  # the sum lies in the range, but a digit is no bit
        ([0, 0, 0, 2], False),  # the sum is 2^k
        ([3, 1, -1, 1], False),
        ([pow(2, -1, Q), 0, 0, 0], False),  # a half
    ],
)
def test_numbers_in_the_place_of_bits_are_caught(digits, true):
    r = random_scalar(GROUP)
    value = sum(d << i for i, d in enumerate(digits)) % Q
    proof = free_prover(digits, r, transcript())
    assert verify(PEDERSEN, Claim(PEDERSEN.commit(value, r), 4, proof, transcript())) is true


def test_whoever_guesses_the_challenge_proves_anything_and_so_it_must_not_be_guessed():
    """The zero-knowledge simulator as a forger: a perfect proof of -5, for a challenge chosen beforehand."""
    x, r = random_scalar(GROUP), random_scalar(GROUP)
    commitment = PEDERSEN.commit(-5, r)
    bases = independent_bases(GROUP, b"range proof bits", MAX_BITS)[:4]
    f = [random_scalar(GROUP) for _ in range(4)]
    z = [random_scalar(GROUP) for _ in range(3)]
    bits, cross = (GROUP.base_mul(random_scalar(GROUP)) for _ in range(2))

    def announce(scalars, z_i, point):
        return GROUP.combine([*scalars, z_i, -x], [*bases, GROUP.base_mul(1), point])

    value_part = GROUP.sub(PEDERSEN.commit(sum(n << i for i, n in enumerate(f)), z[2]), GROUP.mul(x, commitment))
    masks, squares = announce(f, z[0], bits), announce([n * (x - n) for n in f], z[1], cross)
    forged = RangeProof(bits, masks, cross, squares, value_part, tuple(f), (z[0], z[1], z[2]))
    assert verify(PEDERSEN, Claim(commitment, 4, forged, FixedChallenge(x)))
    assert not verify(PEDERSEN, Claim(commitment, 4, forged, transcript()))


def test_challenges_fill_the_group_order():
    drawn = [transcript(bytes([i])).challenge(b"x") for i in range(64)]
    assert len(set(drawn)) == 64
    assert max(drawn) > Q // 2
    assert all(challenge.bit_length() > 200 for challenge in drawn)  # fails by chance once in 2^50


def test_a_proof_does_not_move_to_another_context_commitment_or_length():
    true = claim(700, 10)
    assert verify(PEDERSEN, true)
    other = PEDERSEN.commit(700, random_scalar(GROUP))
    assert not verify(PEDERSEN, replace(true, transcript=transcript(b"there")))
    assert not verify(PEDERSEN, replace(true, commitment=other, transcript=transcript()))
    assert not verify(PEDERSEN, replace(true, k=11, transcript=transcript()))


def test_every_part_of_a_proof_counts():
    true = claim(5, 3)
    g = GROUP.base_mul(1)
    proof = true.proof
    spoiled = [
        replace(proof, **{name: GROUP.add(getattr(proof, name), g)})
        for name in ("bits", "masks", "cross", "squares", "value_mask")
    ]
    for i in range(3):
        bumped = tuple((f + (j == i)) % Q for j, f in enumerate(proof.responses))
        spoiled.append(replace(proof, responses=bumped))
        z = tuple((n + (j == i)) % Q for j, n in enumerate(proof.openings))
        spoiled.append(replace(proof, openings=z))
    assert verify(PEDERSEN, true)
    for bad in spoiled:
        assert not verify(PEDERSEN, replace(true, proof=bad, transcript=transcript()))


def test_a_batch_stands_if_all_stand_and_falls_with_one():
    claims = [claim(v, k, bytes([v])) for v, k in ((3, 2), (9, 4), (200, 8), (0, 10))]
    fresh = [replace(c, transcript=transcript(bytes([v]))) for c, v in zip(claims, (3, 9, 200, 0), strict=True)]
    assert verify_batch(PEDERSEN, claims)
    swapped = [replace(fresh[0], proof=fresh[1].proof), *fresh[1:]]
    assert not verify_batch(PEDERSEN, swapped)


def test_two_errors_do_not_cancel_in_a_batch():
    """With equal weights, +G in one proof and -G in another would cancel; random weights keep them apart."""
    one, two = claim(1, 2, b"1"), claim(2, 2, b"2")
    z_a, z_c, z_e = one.proof.openings
    y_a, y_c, y_e = two.proof.openings
    one_bad = replace(one, proof=replace(one.proof, openings=((z_a + 1) % Q, z_c, z_e)))
    two_bad = replace(two, proof=replace(two.proof, openings=((y_a - 1) % Q, y_c, y_e)))
    assert not verify_batch(PEDERSEN, [one_bad, two_bad])


def test_an_empty_batch_claims_nothing():
    assert verify_batch(PEDERSEN, [])


def test_encoding_round_trip_and_size():
    true = claim(700, 10)
    data = true.proof.encode(GROUP)
    assert len(data) == RangeProof.size(GROUP, 10) < 2048
    assert verify(PEDERSEN, replace(true, proof=RangeProof.decode(GROUP, 10, data)))


@pytest.mark.parametrize("spoil", ["truncated", "oversized", "other k", "scalar not reduced", "identity point"])
def test_bad_bytes_are_refused(spoil):
    data = claim(7, 4).proof.encode(GROUP)
    RangeProof.decode(GROUP, 4, data)
    bad, k, said = {
        "truncated": (data[:-1], 4, "4-bit range proof has 549 bytes, got 548"),
        "oversized": (data + b"\0", 4, "4-bit range proof has 549 bytes, got 550"),
        "other k": (data, 5, "5-bit range proof has 581 bytes, got 549"),
        "scalar not reduced": (data[:-32] + Q.to_bytes(32, "big"), 4, "scalar is not in canonical form"),
        "identity point": (b"\x04" + bytes(64) + data[65:], 4, "point is the identity"),
    }[spoil]
    with pytest.raises(ForgeryError, match=said):
        RangeProof.decode(GROUP, k, bad)


def test_the_commitment_of_a_public_value_may_be_the_identity():
    """0 H + 0 G happens where all weights cancel; the proof must neither crash nor be refused."""
    proof = prove(PEDERSEN, 0, 0, 3, transcript())
    assert verify(PEDERSEN, Claim(GROUP.identity(), 3, proof, transcript()))


def test_bit_commitments_are_commitments():
    r = random_scalar(GROUP)
    for bit in (0, 1):
        assert GROUP.equal(PEDERSEN.commit_bit(bit, r), PEDERSEN.commit(bit, r))
    s = random_scalar(GROUP)
    added = GROUP.add(PEDERSEN.commit(3, r), PEDERSEN.commit(4, s))
    assert GROUP.equal(added, PEDERSEN.commit(7, (r + s) % Q))
