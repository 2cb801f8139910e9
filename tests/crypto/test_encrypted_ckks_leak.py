"""Why no score here rests on CKKS: who sees approximate decryptions finds the key (Li, Micciancio, EUROCRYPT 2021).

A CKKS decryption carries the encryption's own noise. Its exact value m' obeys ``m' = c0 + c1 s`` modulo q, so one
decrypted vector, shared back with whoever holds the ciphertext, gives ``s = (m' - c0) / c1``. BFV rounds it away.
"""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tenseal.sealapi as seal

from blindscore_crypto.encrypted.engines.seal_bytes import CIPHER_WORDS, save

DEGREE, SCALE = 8192, 2.0**30
PLAIN_WORDS = 32 + 8 + 8 + 16 + 8  # parameters' id, count, scale, then a header and a length


def inverse(values, p: int):
    return [pow(int(v), -1, p) for v in values]


@pytest.fixture(scope="module")
def scene():
    parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.CKKS)
    parameters.set_poly_modulus_degree(DEGREE)
    parameters.set_coeff_modulus(seal.CoeffModulus.Create(DEGREE, [50, 50]))
    context = seal.SEALContext(parameters, True, seal.SEC_LEVEL_TYPE.TC128)
    secret = seal.KeyGenerator(context).secret_key()
    prime = int(context.first_context_data().parms().coeff_modulus()[0].value())
    return context, secret, prime


def attack(context, cipher, decoded, prime: int) -> np.ndarray:
    """From a ciphertext and what its decryption decoded to: the secret key's transform, as the attack computes it."""
    encoder = seal.CKKSEncoder(context)
    again = seal.Plaintext()
    encoder.encode(decoded, SCALE, again)  # rounds back to the very polynomial that was decrypted
    raw = save(cipher)
    c0 = np.frombuffer(raw, "<u8", DEGREE, CIPHER_WORDS).astype(object)
    c1 = np.frombuffer(raw, "<u8", DEGREE, CIPHER_WORDS + 8 * DEGREE).astype(object)
    message = np.frombuffer(save(again), "<u8", DEGREE, PLAIN_WORDS).astype(object)
    return (message - c0) * np.array(inverse(c1, prime), object) % prime


def test_one_shared_decryption_gives_the_key_away(scene):
    context, secret, prime = scene
    encoder, plain = seal.CKKSEncoder(context), seal.Plaintext()
    values = np.linspace(-4, 4, DEGREE // 2).tolist()
    encoder.encode(values, SCALE, plain)
    cipher = seal.Ciphertext()
    seal.Encryptor(context, secret).encrypt_symmetric(plain, cipher)
    opened = seal.Plaintext()
    seal.Decryptor(context, secret).decrypt(cipher, opened)
    decoded = encoder.decode_complex(opened)
    assert np.abs(np.array(decoded) - values).max() < 1e-3  # nothing looks wrong
    true = np.frombuffer(save(secret), "<u8", DEGREE, PLAIN_WORDS).astype(object)
    assert (attack(context, cipher, decoded, prime) == true).all()
    # Shared with three decimals only, the same attack finds nothing: precision is what leaks.
    rounded = np.round(decoded, 3).tolist()
    assert (attack(context, cipher, rounded, prime) == true).mean() < 0.01


def test_the_byte_layout_is_as_assumed(scene):
    context, _, _ = scene
    plain = seal.Plaintext()
    seal.CKKSEncoder(context).encode(1.0, SCALE, plain)
    count, scale = struct.unpack_from("<Qd", save(plain), 32)
    assert (count, scale) == (DEGREE, SCALE)
