"""HPKE in one shot: the library's own opens what is sealed here, and the other way round."""

from __future__ import annotations

import pytest
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.hpke import ENC_BYTES, SEAL_BYTES, Aead, new_box, seal, unseal

THEIRS = {Aead.AES128_GCM: HPKE.AEAD.AES128_GCM, Aead.CHACHA20_POLY1305: HPKE.AEAD.CHACHA20_POLY1305}
BODY, INFO = b"what is sealed", b"in this context"


@pytest.mark.parametrize("aead", Aead)
def test_the_library_opens_what_is_sealed_here(aead):
    secret, box = new_box()
    sealed = seal(box, BODY, INFO, aead)
    assert len(sealed) == ENC_BYTES + len(BODY) + SEAL_BYTES
    key = import_x25519_private_key(secret)
    theirs = HPKE.new(receiver_key=key, aead_id=THEIRS[aead], enc=sealed[:ENC_BYTES], info=INFO)
    assert theirs.unseal(sealed[ENC_BYTES:]) == BODY


@pytest.mark.parametrize("aead", Aead)
def test_what_the_library_seals_opens_here(aead):
    secret, box = new_box()
    theirs = HPKE.new(receiver_key=import_x25519_public_key(box), aead_id=THEIRS[aead], info=INFO)
    assert unseal(secret, box, theirs.enc + theirs.seal(BODY), INFO, aead) == BODY


def test_another_receiver_context_or_byte_opens_nothing():
    secret, box = new_box()
    other_secret, other_box = new_box()
    sealed = seal(box, BODY, INFO, Aead.CHACHA20_POLY1305)
    assert unseal(secret, box, sealed, INFO, Aead.CHACHA20_POLY1305) == BODY
    spoilt = [bytes(b ^ (i == k) for i, b in enumerate(sealed)) for k in range(0, len(sealed), 5)]
    wrong = [
        *((secret, box, other, INFO) for other in (*spoilt, sealed[:-1], sealed + b"\0", sealed[:47], b"")),
        (other_secret, other_box, sealed, INFO),
        (secret, other_box, sealed, INFO),
        (other_secret, box, sealed, INFO),
        (secret, box, sealed, b""),
    ]
    for arguments in wrong:
        with pytest.raises(ForgeryError, match="not sealed to this receiver"):
            unseal(*arguments, Aead.CHACHA20_POLY1305)
    with pytest.raises(ForgeryError, match="not sealed to this receiver"):
        unseal(secret, box, sealed, INFO, Aead.AES128_GCM)


def test_boxes_of_small_order_are_refused_at_both_ends():
    secret, box = new_box()
    sealed = seal(box, BODY, INFO, Aead.CHACHA20_POLY1305)
    order_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
    for x in (0, 1, order_8, 2**255 - 20, 2**255 - 19, 2**255 - 18):  # p - 1, p and p + 1 at the end
        low = x.to_bytes(32, "little")
        with pytest.raises(ForgeryError, match="no X25519 key"):
            seal(low, BODY, INFO, Aead.CHACHA20_POLY1305)
        with pytest.raises(ForgeryError, match="not sealed to this receiver"):
            unseal(secret, box, low + sealed[ENC_BYTES:], INFO, Aead.CHACHA20_POLY1305)
