"""BBS: the draft's own fixture, and forgeries that bounce."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blindscore.errors import ForgeryError
from blindscore.extras import missing
from blindscore_crypto.world import bbs, bbs_signature

if missing("bbs"):
    pytest.skip("the extra bbs is not installed", allow_module_level=True)

FIXTURE = json.loads((Path(__file__).parent / "vectors" / "bbs-proof-several-of-ten.json").read_text("utf-8"))
NONCE = b"n" * 16


def known(name):
    return bytes.fromhex(FIXTURE[name])


MESSAGES = [bytes.fromhex(message) for message in FIXTURE["messages"]]
TOLD = {i: MESSAGES[i] for i in FIXTURE["opened"]}


def test_the_fixture_of_the_draft_holds_and_what_departs_from_it_does_not():
    public, header, use = known("public"), known("header"), known("use")
    assert f"{bbs_signature.domain(public, len(MESSAGES), header):064x}" == FIXTURE["domain"]
    assert bbs_signature.holds(known("signature"), public, MESSAGES, header)
    assert not bbs_signature.holds(known("signature"), public, MESSAGES[::-1], header)
    bbs_signature.check(known("proof"), public, TOLD, header, use)
    departs = "not made for these messages and this use"
    for proof, told, head, nonce, said in (
        (known("proof"), {**TOLD, 0: b"another"}, header, use, departs),
        (known("proof"), TOLD, b"another", use, departs),
        (known("proof"), TOLD, header, b"another", departs),
        (known("proof")[:-1], TOLD, header, use, "too short, too long, or cut"),
        (bytes(len(known("proof"))), TOLD, header, use, "no point of the group"),
    ):
        with pytest.raises(ForgeryError, match=said):
            bbs_signature.check(proof, public, told, head, nonce)


@pytest.mark.parametrize("approved", [True, False])
def test_a_proof_is_good_for_one_use_and_no_two_resemble_each_other(approved):
    bureau, other = bbs.scheme(), bbs.scheme()
    holder = bureau.holding()
    credential = bureau.issuing.issue(holder.ask(), {"approved": approved})
    shown, again = (holder.present(credential, (), NONCE, "lender") for _ in range(2))
    assert bureau.checking.check(shown, NONCE, "lender") == {"approved": approved}
    assert not {shown[i : i + 16] for i in range(len(shown))} & {again[i : i + 16] for i in range(1, len(again) - 15)}
    flipped = bytes([1 - shown[0]]) + shown[1:]
    otherwise, neither = "not made for these messages and this use", "neither yes nor no"
    for checking, presentation, nonce, audience, said in (
        (bureau.checking, shown, b"m" * 16, "lender", otherwise),
        (bureau.checking, shown, NONCE, "other", otherwise),
        (bureau.checking, flipped, NONCE, "lender", otherwise),
        (bureau.checking, b"\x07" + shown[1:], NONCE, "lender", neither),
        (bureau.checking, b"", NONCE, "lender", neither),
        (other.checking, shown, NONCE, "lender", otherwise),
    ):
        with pytest.raises(ForgeryError, match=said):
            checking.check(presentation, nonce, audience)
