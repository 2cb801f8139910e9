"""Blind signatures on attributes: good ones verify, spoiled ones bounce, and no session answers twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.blind.acl import AclKey, AclReceiver, AclSignature, AclSigner, Opening, commitment
from blindscore_crypto.sealed.groups.group import P256_GROUP, encode_scalar, random_scalar

GROUP, Q = P256_GROUP, P256_GROUP.order
ATTRIBUTES = [123_456_789, 1, 0, 1, 0]


@pytest.fixture(scope="module")
def signer() -> AclSigner:
    return AclSigner(GROUP, b"a context")


def sign(signer: AclSigner, attributes=ATTRIBUTES):
    session = signer.begin(attributes)
    receiver = AclReceiver(signer.key, attributes, session.opening)
    closing = session.answer(receiver.challenge)
    return receiver.finish(closing), session, receiver, closing


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
    bad = {
        "truncated": data[:-1],
        "oversized": data + b"\0",
        "identity": data[:32] + b"\x04" + bytes(64) + data[97:],
        "scalar not reduced": data[:-32] + Q.to_bytes(32, "big"),
    }[spoil]
    with pytest.raises(ForgeryError):
        AclSignature.decode(GROUP, bad)


def test_a_session_answers_once_for_a_second_answer_would_give_the_key_away(signer):
    session = signer.begin(ATTRIBUTES)
    receiver = AclReceiver(signer.key, ATTRIBUTES, session.opening)
    with pytest.raises(ForgeryError):  # malformed: the session stays open
        session.answer(b"\xff" * 32)
    receiver.finish(session.answer(receiver.challenge))
    with pytest.raises(ParameterError, match="answered already"):
        session.answer(encode_scalar(5))


def test_two_answers_with_one_nonce_would_indeed_give_the_key_away(signer):
    """The control: r1 - r2 = (c2 - c1) x."""
    u, c1, c2 = (random_scalar(GROUP) for _ in range(3))
    x = (signer._respond(u, c1) - signer._respond(u, c2)) * pow(c2 - c1, -1, Q) % Q
    assert GROUP.equal(GROUP.base_mul(x), signer.key.y)


def test_the_receiver_notices_a_signer_that_signs_other_attributes(signer):
    other = [ATTRIBUTES[0], 0, 1, 1, 0]
    session = signer.begin(other)
    receiver = AclReceiver(signer.key, ATTRIBUTES, session.opening)
    with pytest.raises(ForgeryError, match="does not make a signature"):
        receiver.finish(session.answer(receiver.challenge))


def test_the_receiver_notices_spoiled_messages(signer):
    credential, session, receiver, closing = sign(signer)
    assert credential.signature.verify(signer.key)
    for i in range(5):
        bad = bytearray(closing)
        bad[32 * i + 31] ^= 1
        with pytest.raises(ForgeryError):
            receiver.finish(bytes(bad))
    for bad_closing in (closing[:-1], closing + b"\0", b""):
        with pytest.raises(ForgeryError, match="bytes"):
            receiver.finish(bad_closing)
    for bad_opening in (session.opening[:-1], session.opening[:32] + b"\x04" + bytes(64) + session.opening[97:]):
        with pytest.raises(ForgeryError):
            AclReceiver(signer.key, ATTRIBUTES, bad_opening)


def test_a_receiver_that_never_spoke_to_the_signer_has_no_signature(signer):
    """Without the secret key the verification equation is met with probability 1/q."""
    receiver = AclReceiver(signer.key, ATTRIBUTES, AclSigner(GROUP, b"a context").begin(ATTRIBUTES).opening)
    with pytest.raises(ForgeryError):
        receiver.finish(b"".join(encode_scalar(random_scalar(GROUP)) for _ in range(5)))


def test_one_session_gives_one_nullifier_pair_and_another_session_another(signer):
    first, second = sign(signer)[0].signature, sign(signer)[0].signature
    again = AclSignature.decode(GROUP, first.encode(GROUP))
    assert first.nullifiers(signer.key) == again.nullifiers(signer.key)
    assert not set(first.nullifiers(signer.key)) & set(second.nullifiers(signer.key))


def test_the_signed_commitment_is_the_sum_it_claims(signer):
    bases = signer.key.attribute_bases(len(ATTRIBUTES))
    expected = GROUP.combine([*ATTRIBUTES, 77], [*bases, GROUP.base_mul(1)])
    assert GROUP.equal(commitment(signer.key, ATTRIBUTES, 77), expected)


def test_the_signer_does_not_find_its_sessions_in_the_signatures(signer):
    """Every session explains every signature equally well, and no bytes recur.

    The signer's best handle are the blinding values t1 = rho - r, t2 = omega - c and t4 = delta - d that would turn a
    session into a signature: they exist for every pair, and reproduce the hashed announcement for every pair.
    """
    made = [sign(signer) for _ in range(4)]
    signatures = [credential.signature for credential, *_ in made]
    for i, (_, session, receiver, closing) in enumerate(made):
        opening = Opening.decode(GROUP, session.opening)
        c, _, r, *_ = (int.from_bytes(closing[k : k + 32], "big") for k in range(0, 160, 32))
        seen = session.opening + receiver.challenge + closing
        words = {seen[k : k + 32] for k in range(len(seen) - 31)}
        for j, signature in enumerate(signatures):
            rho, omega = signature.scalars[:2]
            explained = GROUP.combine([1, rho - r, omega - c], [opening.a, GROUP.base_mul(1), signer.key.y])
            assert GROUP.equal(explained, GROUP.combine([rho, omega], [GROUP.base_mul(1), signer.key.y])), (i, j)
            data = signature.encode(GROUP)
            assert not any(data[k : k + 32] in words for k in range(len(data) - 31))


def test_a_credential_does_not_print_its_secrets(signer):
    credential = sign(signer)[0]
    assert str(credential.gamma) not in repr(credential)
    assert str(ATTRIBUTES[0]) not in repr(credential)
