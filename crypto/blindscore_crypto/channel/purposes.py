"""Purposes: what a signature can mean. One tag a meaning, so that nothing signed for one purpose serves another."""

from __future__ import annotations

from enum import Enum, unique


@unique
class Purpose(bytes, Enum):
    """What every signed message begins with; a new meaning needs a new line here, and no two lines are alike."""

    # encrypted
    ENCRYPTED_ATTESTATION = b"blindscore/attest/v1"
    ENCRYPTED_RESULT = b"blindscore/result/v1"
    COMPARISON_KEYS = b"blindscore/keys/v1"
    COMPARISON_CHECK = b"blindscore/check/v1"
    COMPARISON_COMMITMENT = b"blindscore/comparison-commitment/v1"
    COMPARISON_TELLING = b"blindscore/telling/v1"
    COMPARISON_SHARE = b"blindscore/share/v1"
    OPENING = b"blindscore/opening/v1"
    ENCRYPTED_RECEIPT = b"blindscore/encrypted-receipt/v1"
    # encrypted-proved
    CHOICES = b"blindscore/proved/choices/v1"
    PROVED_REPLY = b"blindscore/proved/reply/v1"
    BOUND = b"blindscore/proved/bound/v1"
    UNMASKING = b"blindscore/proved/unmasking/v1"
    PROVED_RESULT = b"blindscore/proved/result/v1"
    PROVED_TERMS = b"blindscore/proved/terms/v1"
    # shared
    SHARED_ATTESTATION = b"blindscore/shared/attest/v1"
    SHARED_CARD = b"blindscore/shared/card/v1"
    # sealed and one-show
    ATTESTATION = b"blindscore/sealed/attestation/v1"
    EPOCH_KEY = b"blindscore/sealed/epoch-key/v1"
    MEMBER = b"blindscore/sealed/member/v1"
    TERMS = b"blindscore/sealed/terms/v1"
    TOKEN_KEY = b"blindscore/sealed/token-key/v1"
    OFFER = b"blindscore/sealed/offer/v1"
    ANSWER = b"blindscore/sealed/answer/v1"
    COMMIT = b"blindscore/sealed/commit/v1"
    RECEIPT = b"blindscore/sealed/receipt/v1"
    DECISION = b"blindscore/sealed/decision/v1"
    TOKEN_REQUEST = b"blindscore/sealed/token-request/v1"
    LOG_HEAD = b"blindscore/sealed/log-head/v1"
    WITNESS = b"blindscore/sealed/witness/v1"
    # the relay
    PASSED = b"blindscore/relay/passed/v1"
    PASSED_COUNT = b"blindscore/relay/count/v1"
    SEALING_KEY = b"blindscore/relay/sealing-key/v1"
