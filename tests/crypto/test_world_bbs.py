"""BBS: the drafts' own fixtures, pseudonyms by verifier, and forgeries that bounce."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blindscore.errors import ForgeryError
from blindscore.extras import missing
from blindscore.parties.observe import windows_of
from blindscore_crypto.world import bbs, bbs_pseudonym, bbs_signature
from blindscore_crypto.world.linking import known_again

if missing("bbs"):
    pytest.skip("the extra bbs is not installed", allow_module_level=True)

VECTORS = Path(__file__).parent / "vectors"
FIXTURE = json.loads((VECTORS / "bbs-proof-several-of-ten.json").read_text("utf-8"))
PSEUDONYM = json.loads((VECTORS / "bbs-pseudonym.json").read_text("utf-8"))
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


OTHERWISE = "not made for these messages and this use"


def test_the_fixtures_of_pseudonyms_are_met_byte_for_byte_and_what_departs_from_them_is_refused():
    octets = {name: bytes.fromhex(v) for name, v in PSEUDONYM.items() if isinstance(v, str) and name != "source"}
    number = {name: int.from_bytes(octets[name]) for name in ("key", "blind", "own", "entropy", "whole")}
    masks = iter(PSEUDONYM["masks"])
    made = bbs_pseudonym.commit(number["blind"], number["own"], lambda _: int(next(masks), 16) - 1)
    assert made == octets["commitment"]
    public, header, use, context = (octets[name] for name in ("public", "header", "use", "context"))
    assert bbs_pseudonym.sign(number["key"], public, [], header, made, number["entropy"]) == octets["signature"]
    assert (number["own"] + number["entropy"]) % bbs_signature.ORDER == number["whole"]
    own = [number["blind"], number["whole"]]
    counted = header + bbs_pseudonym.SECRETS
    assert bbs_signature.holds(octets["signature"], public, own, counted, bbs_pseudonym.OWN)
    assert not bbs_signature.holds(octets["signature"], public, own[::-1], counted, bbs_pseudonym.OWN)
    assert bbs_pseudonym.pseudonym(context, number["whole"]) == octets["pseudonym"]
    told = {i: bytes.fromhex(m) for i, m in enumerate(PSEUDONYM["messages"])}
    told |= {11 + i: bytes.fromhex(m) for i, m in enumerate(PSEUDONYM["committed"])}
    seven = replace(bbs_pseudonym.OWN, committed=7)
    shown = octets["pseudonym"] + octets["proof"]
    assert bbs_pseudonym.check(shown, public, told, header, use, context, seven) == octets["pseudonym"]
    for opened, at, said in (
        ({**told, 0: b"another"}, context, OTHERWISE),
        (told, b"another", OTHERWISE),
        ({i: told[i] for i in range(10)} | {12: b"the secret's place"}, context, "must stay hidden"),
    ):
        with pytest.raises(ForgeryError, match=said):
            bbs_pseudonym.check(shown, public, opened, header, use, at, seven)


@pytest.mark.parametrize("approved", [True, False])
def test_a_lender_knows_who_returns_and_two_lenders_hold_nothing_in_common(approved):
    bureau = bbs.scheme()
    holder, neighbour = bureau.holding(), bureau.holding()
    asked = holder.ask()
    credential = bureau.issuing.issue(asked, {"approved": approved})
    first, again, elsewhere = (holder.present(credential, (), NONCE, to) for to in ("lender", "lender", "second"))
    told = [
        bureau.checking.check(x, NONCE, to) for x, to in ((first, "lender"), (again, "lender"), (elsewhere, "second"))
    ]
    assert [claims["approved"] for claims in told] == [approved] * 3
    assert told[0]["pseudonym"] == told[1]["pseudonym"] != told[2]["pseudonym"]
    assert {len(first), len(again), len(elsewhere)} == {bbs.PRESENTATION}
    # Beside the pseudonym nothing recurs; between two lenders, or a lender and the issuer, nothing at all.
    beside = 1 + bbs_signature.POINT
    assert not np.intersect1d(windows_of([first[beside:]]), windows_of([again[beside:]])).size
    for other in (elsewhere, asked, credential):
        assert not np.intersect1d(windows_of([first]), windows_of([other])).size
    assert known_again(bureau, 3) == (1.0, 0.0)
    # The next day's credential for the same commitment keeps the names; another holder has others.
    tomorrow = holder.present(bureau.issuing.issue(asked, {"approved": approved}), (), NONCE, "lender")
    theirs = neighbour.present(bureau.issuing.issue(neighbour.ask(), {"approved": approved}), (), NONCE, "lender")
    assert bureau.checking.check(tomorrow, NONCE, "lender")["pseudonym"] == told[0]["pseudonym"]
    assert bureau.checking.check(theirs, NONCE, "lender")["pseudonym"] != told[0]["pseudonym"]


@pytest.fixture(scope="module")
def played():
    """One bureau, a holder with a credential and one presentation, and a thief with a credential of its own."""
    bureau = bbs.scheme()
    holder, thief = bureau.holding(), bureau.holding()
    credential, own = (bureau.issuing.issue(x.ask(), {"approved": True}) for x in (holder, thief))
    return bureau, holder, thief, credential, own, holder.present(credential, (), NONCE, "lender")


def test_a_proof_is_good_for_one_nonce_verifier_issuer_and_answer(played):
    bureau, _, _, _, _, shown = played
    assert bureau.checking.check(shown, NONCE, "lender")["approved"]
    flipped, neither = bytes([1 - shown[0]]) + shown[1:], "neither yes nor no, or too short or too long"
    for checking, presentation, nonce, audience, said in (
        (bureau.checking, shown, b"m" * 16, "lender", OTHERWISE),
        (bureau.checking, shown, NONCE, "other", OTHERWISE),
        (bureau.checking, flipped, NONCE, "lender", OTHERWISE),
        (bureau.checking, b"\x07" + shown[1:], NONCE, "lender", neither),
        (bureau.checking, shown + bytes(32), NONCE, "lender", neither),
        (bureau.checking, shown[:-1], NONCE, "lender", neither),
        (bureau.checking, b"", NONCE, "lender", neither),
        (bbs.scheme().checking, shown, NONCE, "lender", OTHERWISE),
    ):
        with pytest.raises(ForgeryError, match=said):
            checking.check(presentation, nonce, audience)


def test_a_holder_has_one_pseudonym_a_verifier_and_a_stolen_credential_shows_nothing(played):
    bureau, holder, thief, credential, own, shown = played
    elsewhere, theirs = holder.present(credential, (), NONCE, "second"), thief.present(own, (), NONCE, "lender")
    assert bureau.checking.check(theirs, NONCE, "lender")["approved"]  # the thief's own proof is good
    end = 1 + bbs_signature.POINT
    stolen = [
        shown[:1] + elsewhere[1:end] + shown[end:],  # the name that another verifier sees
        shown[:1] + theirs[1:end] + shown[end:],  # another holder's name before one's own proof
        theirs[:1] + shown[1:end] + theirs[end:],  # one's name before a proof of another credential
        thief.present(credential, (), NONCE, "lender"),  # no secret
        replace(thief, blind=holder.blind).present(credential, (), NONCE, "lender"),  # what blinds it, not the secret
        holder.present(own, (), NONCE, "lender"),
        holder.present(credential[:-1] + bytes([credential[-1] ^ 1]), (), NONCE, "lender"),  # another secret
    ]
    # Provers that want a second name: for another secret throughout; and for the signed one, beside another's name.
    use, context = NONCE + b"lender", bbs.context_of("lender")
    second = bbs_pseudonym.prove(
        credential[1:81], bureau.checking.public, [bbs.YES], (holder.blind, 1234), bbs.HEADER, use, [0], context
    )
    whole = (holder.own + int.from_bytes(credential[81:])) % bbs_signature.ORDER
    name = bbs_pseudonym.pseudonym(context, 1234)
    signed = bbs_signature.prove(
        credential[1:81],
        bureau.checking.public,
        [bbs.YES, holder.blind, whole],
        bbs.HEADER + bbs_pseudonym.SECRETS,
        use,
        [0],
        interface=bbs_pseudonym.OWN,
        beside=bbs_pseudonym._beside(name, context),
    )
    for presentation in (*stolen, b"\x01" + second, b"\x01" + name + signed):
        with pytest.raises(ForgeryError, match=f"{OTHERWISE}|no signature of this issuer stands behind it"):
            bureau.checking.check(presentation, NONCE, "lender")


def _beside_the_group():
    """Return a point of the curve that is not of the group, compressed."""
    from py_arkworks_bls12381 import G1Point

    for x in range(1, 200):
        data = bytes([0x80]) + x.to_bytes(47, "big")
        try:
            if not G1Point.from_compressed_bytes_unchecked(data).is_in_subgroup():
                return data
        except ValueError:
            continue
    raise AssertionError("no such point found")


def test_points_that_are_none_and_commitments_that_nobody_knows_are_refused(played):
    bureau, holder, thief, _, _, shown = played
    nought, end = bytes([0xC0]) + bytes(47), 1 + bbs_signature.POINT
    for name in (nought, bytes(48), b"\xff" * 48, _beside_the_group()):
        with pytest.raises(ForgeryError, match="pseudonym refused: no point of the group"):
            bureau.checking.check(shown[:1] + name + shown[end:], NONCE, "lender")
    asked, other = holder.ask(), thief.ask()
    beyond = bbs_signature.ORDER.to_bytes(32, "big")
    for bad, said in (
        (asked[:-1], "a commitment has 144 bytes"),
        (other[:48] + asked[48:], "does not know what it committed to"),
        (asked[:48] + beyond + asked[80:], "a number out of range"),
        (nought + asked[48:], "no point of the group"),
        (_beside_the_group() + asked[48:], "no point of the group"),
    ):
        with pytest.raises(ForgeryError, match=said):
            bureau.issuing.issue(bad, {"approved": True})
    for context in (b"", bytes(1025)):
        with pytest.raises(ForgeryError, match="a context has 1 to 1024 bytes"):
            bbs_pseudonym.pseudonym(context, 5)
    with pytest.raises(ForgeryError, match="credential refused: it has 113 bytes"):
        holder.present(b"", (), NONCE, "lender")
