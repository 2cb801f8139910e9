"""ARC: the draft's own vectors, the limit, and forgeries that bounce."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import P256_GROUP as P256
from blindscore_crypto.world import arc, sigma
from blindscore_crypto.world import arc_credential as a
from blindscore_crypto.world.linking import known_again

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "arc_p256.json").read_text("utf-8"))
SERVER, REQUEST, RESPONSE = (VECTORS[name] for name in ("ServerKey", "CredentialRequest", "CredentialResponse"))
KEY = a.PrivateKey(*(int(SERVER[name], 16) for name in ("x0", "x1", "x2", "xb")))
ASKED = bytes.fromhex(REQUEST["m1_enc"] + REQUEST["m2_enc"] + REQUEST["proof"])
ANSWERED = bytes.fromhex(
    "".join(RESPONSE[name] for name in ("U", "enc_U_prime", "X0_aux", "X1_aux", "X2_aux", "H_aux", "proof"))
)
SECRETS = a.Secrets(*(int(REQUEST[name], 16) for name in ("m1", "r1", "r2")), ASKED)
CONTEXT = bytes.fromhex(REQUEST["request_context"])
SHOWN = ("U", "U_prime_commit", "m1_commit", "tag", "nonce_commit")
LIMIT = 2  # of the vectors
NONCE = b"n" * 16


def shown(name):
    one = VECTORS[name]
    return bytes.fromhex("".join(one[part] for part in (*SHOWN, "proof"))), bytes.fromhex(one["presentation_context"])


def drawing(*first):
    """Scalars of a vector, and fresh ones after them."""
    left = [int(scalar, 16) for scalar in first]
    return lambda: left.pop(0) if left else a.random_scalar(P256)


def test_keys_and_requests_are_the_drafts():
    public = KEY.public
    assert [sigma.encode(x).hex() for x in (public.x0, public.x1, public.x2)] == [SERVER[f"X{i}"] for i in range(3)]
    assert a.attribute(CONTEXT) == int(REQUEST["m2"], 16)
    made = a.ask(CONTEXT, drawing(*(REQUEST[name] for name in ("m1", "r1", "r2"))))
    assert made.request[: 2 * a.POINT] == ASKED[: 2 * a.POINT]


def test_the_drafts_request_is_answered_as_in_the_draft_and_its_answer_finished():
    made = a.issue(KEY, ASKED, drawing(RESPONSE["b"]))
    assert made[: 6 * a.POINT] == ANSWERED[: 6 * a.POINT]
    for response in (made, ANSWERED):
        held = a.finish(SECRETS, response, KEY.public)
        assert sigma.encode(held.u_prime).hex() == VECTORS["Credential"]["U_prime"]


@pytest.mark.parametrize("name", ["Presentation1", "Presentation2"])
def test_the_drafts_presentations_hold_and_are_made_again(name):
    presentation, context = shown(name)
    one = VECTORS[name]
    assert a.verify(KEY, CONTEXT, context, LIMIT, presentation).hex() == one["tag"]
    held = a.finish(SECRETS, ANSWERED, KEY.public)
    draw = drawing(*(one[part] for part in ("a", "r", "z", "nonce_blinding")))
    made = a.present(held, context, int(one["nonce"], 16), LIMIT, draw=draw)
    assert made[: 6 * a.POINT] == presentation[: 6 * a.POINT]
    assert a.verify(KEY, CONTEXT, context, LIMIT, made).hex() == one["tag"]


def test_what_departs_from_the_vectors_is_refused():
    presentation, context = shown("Presentation1")
    proofs = (
        (lambda data: a.issue(KEY, data), ASKED),
        (lambda data: a.finish(SECRETS, data, KEY.public), ANSWERED),
        (lambda data: a.verify(KEY, CONTEXT, context, LIMIT, data), presentation),
    )
    for reads, good in proofs:
        reads(good)
        for at in range(0, len(good), 29):
            with pytest.raises(ForgeryError, match=r"does not|not in|not those"):
                reads(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        for bad in (b"", good[:-1], good + b"\0"):
            with pytest.raises(ForgeryError, match="refused"):
                reads(bad)
    for other in ((CONTEXT + b"x", context, LIMIT, b""), (CONTEXT, b"x", LIMIT, b""), (CONTEXT, context, LIMIT, b"x")):
        with pytest.raises(ForgeryError, match="does not hold"):
            a.verify(KEY, *other[:3], presentation, other[3])
    with pytest.raises(ForgeryError, match="does not hold"):
        a.finish(SECRETS, ANSWERED, a.PrivateKey.fresh().public)  # a key of one's own marks the holder


@pytest.mark.parametrize("limit", [2, 3, 4, 7, 16, 21])
def test_sums_of_bases_are_exactly_what_lies_below_the_limit(limit):
    sums = {0}
    for base in a.bases(limit):
        sums |= {base + s for s in sums}
    assert sums == set(range(limit))


def test_a_credential_is_shown_so_often_and_its_tags_differ_until_one_repeats():
    key, secrets = a.PrivateKey.fresh(), a.ask(b"day")
    held, limit = a.finish(secrets, a.issue(key, secrets.request), key.public), 5
    tags = [a.verify(key, b"day", b"here", limit, a.present(held, b"here", i, limit)) for i in range(limit)]
    assert len(set(tags)) == limit
    assert a.verify(key, b"day", b"here", limit, a.present(held, b"here", 2, limit)) == tags[2]
    assert a.verify(key, b"day", b"there", limit, a.present(held, b"there", 2, limit)) not in tags
    for beyond in (limit, -1):
        with pytest.raises(ParameterError, match="shown 5 times"):
            a.present(held, b"here", beyond, limit)
    more = a.present(held, b"here", limit, 8)  # under a limit of its own, which has as many bits
    assert len(more) == len(a.present(held, b"here", 0, limit))
    with pytest.raises(ForgeryError, match="not those of its nonce"):
        a.verify(key, b"day", b"here", limit, more)


def test_the_context_of_a_request_is_not_proved_to_the_issuer():
    """So no answer may stand there: whoever is refused would ask under the other one."""
    key, secrets = a.PrivateKey.fresh(), a.ask(b"approved")
    held = a.finish(secrets, a.issue(key, secrets.request), key.public)
    assert a.verify(key, b"approved", b"here", 4, a.present(held, b"here", 0, 4))


def test_a_presentation_is_good_once_for_one_nonce_lender_issuer_and_holder():
    made, other = arc.scheme(), arc.scheme()
    holder, thief = made.holding(), made.holding()
    yes, no = (made.issuing.issue(holder.ask(), {"approved": told}) for told in (True, False))
    present = lambda: holder.present(yes, ("approved",), NONCE, "lender")  # noqa: E731
    first = present()
    assert made.checking.check(first, NONCE, "lender") == {"approved": True}
    assert made.checking.check(holder.present(no, (), NONCE, "lender"), NONCE, "lender") == {"approved": False}
    with pytest.raises(ForgeryError, match="shown here before"):
        made.checking.check(first, NONCE, "lender")
    fresh = present()
    for checking, presentation, nonce, audience in (
        (made.checking, fresh, b"m" * 16, "lender"),
        (made.checking, fresh, NONCE, "other"),
        (other.checking, fresh, NONCE, "lender"),
        (made.checking, arc.NO + fresh[1:], NONCE, "lender"),
        (made.checking, b"\2" + fresh[1:], NONCE, "lender"),
        (made.checking, b"", NONCE, "lender"),
    ):
        with pytest.raises(ForgeryError, match=r"does not hold|neither yes nor no"):
            checking.check(presentation, nonce, audience)
    with pytest.raises(ForgeryError, match="does not hold"):
        thief.present(yes, ("approved",), NONCE, "lender")
    assert made.checking.check(fresh, NONCE, "lender") == {"approved": True}
    present()
    with pytest.raises(ParameterError, match="shown 4 times"):
        present()


def test_nothing_joins_two_presentations_at_one_lender_or_at_two():
    assert known_again(arc.scheme(), people=4) == (0.0, 0.0)
