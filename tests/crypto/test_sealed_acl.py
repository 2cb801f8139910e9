"""Blind signatures on attributes: good ones verify, spoiled ones bounce, and no session answers twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore_crypto.sealed.blind.acl import (
    AclCredential,
    AclKey,
    AclReceiver,
    AclSignature,
    AclSigner,
    Attributes,
    Opening,
    commitment,
)
from blindscore_crypto.sealed.groups.group import P256_GROUP, encode_scalar, random_scalar
from blindscore_crypto.sealed.holder import secret_base

GROUP, Q = P256_GROUP, P256_GROUP.order
SECRET = 987_654_321
ATTRIBUTES = Attributes(123_456_789, GROUP.mul(SECRET, secret_base(GROUP)), (1, 0, 1, 0))


@pytest.fixture(scope="module")
def signer() -> AclSigner:
    return AclSigner(GROUP, b"a context")


def sign(signer: AclSigner, attributes=ATTRIBUTES):
    opening, state = signer.begin(attributes)
    receiver = AclReceiver.begin(signer.key, attributes, opening)
    closing = signer.answer(state, receiver.challenge)
    return receiver.finish(closing), opening, receiver, closing


def test_a_finished_signature_verifies_and_survives_encoding(signer):
    signature = sign(signer)[0].signature
    data = signature.encode(GROUP)
    assert len(data) == AclSignature.size(GROUP)
    assert signature.verify(signer.key)
    assert AclSignature.decode(GROUP, data).verify(signer.key)


def test_it_does_not_verify_under_another_key_or_context(signer):
    signature = sign(signer)[0].signature
    assert signature.verify(signer.key)
    assert not signature.verify(AclSigner(GROUP, b"a context").key)
    assert not signature.verify(AclKey(GROUP, signer.key.y, b"another context"))


def test_every_part_of_it_counts(signer):
    signature = sign(signer)[0].signature
    g = GROUP.base_mul(1)
    spoiled = [
        replace(signature, serial=bytes(32)),
        replace(signature, zeta=GROUP.add(signature.zeta, g)),
        replace(signature, zeta1=GROUP.add(signature.zeta1, g)),
    ]
    for i in range(6):
        bumped = list(signature.scalars)
        bumped[i] = (bumped[i] + 1) % Q
        spoiled.append(replace(signature, scalars=tuple(bumped)))
    assert signature.verify(signer.key)
    assert not any(bad.verify(signer.key) for bad in spoiled)


@pytest.mark.parametrize("spoil", ["truncated", "oversized", "identity", "scalar not reduced"])
def test_bad_bytes_are_refused(signer, spoil):
    data = sign(signer)[0].signature.encode(GROUP)
    AclSignature.decode(GROUP, data)
    bad, said = {
        "truncated": (data[:-1], "has 354 bytes, got 353"),
        "oversized": (data + b"\0", "has 354 bytes, got 355"),
        "identity": (data[:32] + b"\x04" + bytes(64) + data[97:], "point is the identity or not in canonical form"),
        "scalar not reduced": (data[:-32] + Q.to_bytes(32, "big"), "scalar is not in canonical form"),
    }[spoil]
    with pytest.raises(ForgeryError, match=said):
        AclSignature.decode(GROUP, bad)


def test_two_answers_with_one_state_would_give_the_key_away(signer):
    """Why a source takes a session out of its store before it answers: r1 - r2 = (c2 - c1) x."""
    _, state = signer.begin(ATTRIBUTES)
    first, second = (signer.answer(state, encode_scalar(random_scalar(GROUP))) for _ in range(2))
    (c1, _, r1, *_), (c2, _, r2, *_) = (
        [int.from_bytes(one[i : i + 32], "big") for i in range(0, 160, 32)] for one in (first, second)
    )
    x = (r1 - r2) * pow(c2 - c1, -1, Q) % Q
    assert GROUP.equal(GROUP.base_mul(x), signer.key.y)


def test_states_of_both_sides_are_bytes(signer):
    opening, state = signer.begin(ATTRIBUTES)
    kept = AclReceiver.begin(signer.key, ATTRIBUTES, opening).encode()
    receiver = AclReceiver.decode(signer.key, kept)
    assert receiver.encode() == kept
    credential = receiver.finish(signer.answer(state, receiver.challenge))
    assert AclCredential.decode(GROUP, credential.encode(GROUP)) == credential
    for bad, said in (
        (kept[:-1], "cut short"),
        (kept + b"\0", "left over"),
        (kept[:-32] + Q.to_bytes(32, "big"), "canonical"),
    ):
        with pytest.raises(ForgeryError, match=said):
            AclReceiver.decode(signer.key, bad)
    with pytest.raises(ForgeryError, match="credential"):
        AclCredential.decode(GROUP, credential.encode(GROUP)[:-1])
    for bad, said in ((state[:-1], "state has 128 bytes"), (b"\xff" * 32 + state[32:], "canonical")):
        with pytest.raises(ForgeryError, match=said):
            signer.answer(bad, receiver.challenge)
    with pytest.raises(ForgeryError, match="canonical"):
        signer.answer(state, b"\xff" * 32)


def test_the_commitment_does_the_same_work_whatever_the_bits(signer, monkeypatch):
    """Else the time of a signature would tell the source's clock-watcher which bins a customer has."""
    calls = []
    for name in ("add", "mul", "base_mul"):
        real = getattr(GROUP, name)
        monkeypatch.setattr(GROUP, name, lambda *a, n=name, r=real: (calls.append(n), r(*a))[1])
    work = []
    for bits in ((0,) * 8, (1,) * 8, (1, 0) * 4):
        calls.clear()
        commitment(signer.key, replace(ATTRIBUTES, bits=bits), 5)
        work.append(tuple(calls))
    assert len(set(work)) == 1


def test_the_receiver_notices_a_signer_that_signs_other_attributes(signer):
    for other in (replace(ATTRIBUTES, bits=(0, 1, 1, 0)), replace(ATTRIBUTES, secret=GROUP.base_mul(7))):
        opening, state = signer.begin(other)
        receiver = AclReceiver.begin(signer.key, ATTRIBUTES, opening)
        with pytest.raises(ForgeryError, match="does not make a signature"):
            receiver.finish(signer.answer(state, receiver.challenge))


def test_the_receiver_notices_spoiled_messages(signer):
    credential, opening, receiver, closing = sign(signer)
    assert credential.signature.verify(signer.key)
    for i in range(5):
        bad = bytearray(closing)
        bad[32 * i + 31] ^= 1
        with pytest.raises(ForgeryError, match="does not make a signature on these attributes"):
            receiver.finish(bytes(bad))
    for bad_closing in (closing[:-1], closing + b"\0", b""):
        with pytest.raises(ForgeryError, match="bytes"):
            receiver.finish(bad_closing)
    identity = opening[:32] + b"\x04" + bytes(64) + opening[97:]
    for bad_opening, said in ((opening[:-1], "has 227 bytes, got 226"), (identity, "point is the identity")):
        with pytest.raises(ForgeryError, match=said):
            AclReceiver.begin(signer.key, ATTRIBUTES, bad_opening)


def test_a_receiver_that_never_spoke_to_the_signer_has_no_signature(signer):
    """Without the secret key the verification equation is met with probability 1/q."""
    receiver = AclReceiver.begin(signer.key, ATTRIBUTES, AclSigner(GROUP, b"a context").begin(ATTRIBUTES)[0])
    with pytest.raises(ForgeryError, match="does not make a signature on these attributes"):
        receiver.finish(b"".join(encode_scalar(random_scalar(GROUP)) for _ in range(5)))


def test_one_session_gives_one_nullifier_pair_and_another_session_another(signer):
    first, second = sign(signer)[0].signature, sign(signer)[0].signature
    again = AclSignature.decode(GROUP, first.encode(GROUP))
    assert first.nullifiers(signer.key) == again.nullifiers(signer.key)
    assert not set(first.nullifiers(signer.key)) & set(second.nullifiers(signer.key))


def test_the_signed_commitment_is_the_sum_it_claims(signer):
    first, *bases = signer.key.attribute_bases(5)
    scalars = [ATTRIBUTES.number, SECRET, *ATTRIBUTES.bits, 77]
    expected = GROUP.combine(scalars, [first, secret_base(GROUP), *bases, GROUP.base_mul(1)])
    assert GROUP.equal(commitment(signer.key, ATTRIBUTES, 77), expected)


def test_the_signer_does_not_find_its_sessions_in_the_signatures(signer):
    """Every session explains every signature equally well, and no bytes recur.

    The signer's best handle are the blinding values t1 = rho - r, t2 = omega - c and t4 = delta - d that would turn a
    session into a signature: they exist for every pair, and reproduce the hashed announcement for every pair.
    """
    made = [sign(signer) for _ in range(4)]
    signatures = [credential.signature for credential, *_ in made]
    for i, (_, first, receiver, closing) in enumerate(made):
        opening = Opening.decode(GROUP, first)
        c, _, r, *_ = (int.from_bytes(closing[k : k + 32], "big") for k in range(0, 160, 32))
        seen = first + receiver.challenge + closing
        words = {seen[k : k + 32] for k in range(len(seen) - 31)}
        for j, signature in enumerate(signatures):
            rho, omega = signature.scalars[:2]
            explained = GROUP.combine([1, rho - r, omega - c], [opening.a, GROUP.base_mul(1), signer.key.y])
            assert GROUP.equal(explained, GROUP.combine([rho, omega], [GROUP.base_mul(1), signer.key.y])), (i, j)
            data = signature.encode(GROUP)
            assert not any(data[k : k + 32] in words for k in range(len(data) - 31))


def test_a_credential_does_not_print_its_secrets(signer):
    credential, _, receiver, _ = sign(signer)
    for shown in (repr(credential), repr(receiver), repr(ATTRIBUTES), repr(signer)):
        for secret in (credential.gamma, credential.rnd, signer._x, ATTRIBUTES.number, *receiver.secrets):
            assert str(secret) not in shown
