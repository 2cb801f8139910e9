"""Cheats around perks: clients that forget, tokens shown twice or elsewhere, offices and keys past their time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.check import answer_bytes
from blindscore_crypto.sealed.log.book import Book
from blindscore_crypto.sealed.log.entries import Entry, Kind
from blindscore_crypto.sealed.offer import Verdict, digest, seal
from blindscore_crypto.sealed.parties.office import token_request
from blindscore_crypto.sealed.perks.token_key import BLIND_RSA, VOPRF
from blindscore_crypto.sealed.perks.tokens import INPUT_BYTES, RsaIssuer, VoprfIssuer, request_token
from tests.crypto.sealed_world import EPOCH, GOOD, KEYS
from tests.crypto.test_sealed_perks import Perk, signer


@pytest.fixture(params=[BLIND_RSA, VOPRF], ids=["type 2", "type 1"])
def perk(request) -> Perk:
    return Perk(request.param)


def test_five_perks_become_one(perk):
    """A wallet that forgets, with fresh signatures each time: one token, whatever it asks."""
    world, tokens = perk.world, 0
    for _ in range(5):
        client = SigningKey()
        answer = world.answer(GOOD, client=client)
        world.decide(world.lender, answer, client)
        request = request_token(perk.challenge, perk.issuer.key).request
        body = token_request(digest(answer), request, client)
        if not tokens:
            perk.office.grant(body)
            tokens += 1
            continue
        with pytest.raises(ForgeryError, match="no approved answer"):
            perk.office.grant(body)
    assert tokens == 1


def test_one_visit_at_two_gates_on_one_store_is_one_perk(perk):
    store = MemoryStore()
    here, there = perk.new_gate("here", store), perk.new_gate("there", store)
    token, visit = perk.token(), here.visit()
    assert here.redeem(visit, token).first
    assert not here.redeem(visit, token).first  # told again, and told that it was before
    with pytest.raises(ForgeryError, match="not named by this gate"):
        there.redeem(visit, token)
    with pytest.raises(ForgeryError, match="spent before"):
        there.redeem(there.visit(), token)
    perk.world.secret += 1
    other = perk.token("eve")
    for made_up in (b"", bytes(32), visit[:-1] + bytes([visit[-1] ^ 1]), b"my own request".ljust(32)):
        with pytest.raises(ForgeryError, match="not named by this gate"):
            here.redeem(made_up, other)
    with pytest.raises(ForgeryError, match="visit was for another"):
        here.redeem(visit, other)
    assert here.redeem(here.visit(), other).first  # nothing was spent by the refusals


def test_a_refusal_buys_nothing_nor_does_an_answer_that_was_not_decided(perk):
    world, client = perk.world, SigningKey()
    request = request_token(perk.challenge, perk.issuer.key).request
    refusal = seal(world.offer(client), 0, b"", answer_bytes(world.terms), client)
    assert world.decide(world.lender, refusal, client).verdict == Verdict.REFUSED
    for name in (digest(refusal), bytes(32), digest(world.answer(GOOD))):
        with pytest.raises(ForgeryError, match="no approved answer"):
            perk.office.grant(token_request(name, request, client))


def test_somebody_else_does_not_collect_a_persons_token(perk):
    answer, client = perk.proof()
    request = request_token(perk.challenge, perk.issuer.key).request
    body = token_request(digest(answer), request, client)
    other = request_token(perk.challenge, perk.issuer.key).request
    for forged in (
        token_request(digest(answer), request, SigningKey()),
        body[:32] + other + body[-64:],
        body[:-1] + bytes([body[-1] ^ 1]),
    ):
        with pytest.raises(ForgeryError, match="does not verify"):
            perk.office.grant(forged)
    perk.office.grant(body)


def test_nothing_is_granted_or_taken_after_the_epoch(perk):
    token = perk.token()
    perk.world.secret += 1
    answer, client = perk.proof("bob")
    body = token_request(digest(answer), request_token(perk.challenge, perk.issuer.key).request, client)
    perk.world.clock.now = (EPOCH.last_day + 1) * 86_400.0
    with pytest.raises(ForgeryError, match="epoch is over"):
        perk.office.grant(body)
    with pytest.raises(ForgeryError, match="epoch is over"):
        perk.gate.redeem(perk.gate.visit(), token)
    perk.world.clock.now -= 86_400.0
    perk.office.grant(body)
    assert perk.gate.redeem(perk.gate.visit(), token).first


def test_a_forged_token_is_refused(perk):
    token = perk.token()
    strange = RsaIssuer(650, EPOCH) if perk.kind == BLIND_RSA else VoprfIssuer(650, EPOCH)
    forger = request_token(perk.challenge, strange.key)
    own_key = forger.finish(strange.answer(forger.request))
    elsewhere = perk.new_gate("elsewhere", challenge=replace(perk.challenge, origin="trains.example"))
    malformed, unsigned, other_key = (
        "a token has .* bytes and is of type",
        "signature does not verify",
        "under a key that",
    )
    for forged, said in (
        (token[:-1], malformed),
        (token + b"\0", malformed),
        (b"\x00\x07" + token[2:], malformed),
        (token[:2] + bytes(32) + token[34:], unsigned),
        (token[:-1] + bytes([token[-1] ^ 1]), unsigned),
        (token[:INPUT_BYTES] + bytes(len(token) - INPUT_BYTES), unsigned),
        (own_key, other_key),
        (token[:66] + strange.key.key_id + token[INPUT_BYTES:], other_key),
    ):
        with pytest.raises(ForgeryError, match=said):
            perk.gate.redeem(perk.gate.visit(), forged)
    with pytest.raises(ForgeryError, match="another gate"):
        elsewhere.redeem(elsewhere.visit(), token)
    assert perk.gate.redeem(perk.gate.visit(), token).perk == 650
    pending = request_token(perk.challenge, perk.issuer.key)  # an office that answers under a key for this person
    own = strange.key.kind.to_bytes(2, "big") + strange.key.key_id[-1:] + pending.request[3:]
    too_large = perk.kind == BLIND_RSA and int.from_bytes(own[3:], "big") >= strange.key.rsa.n
    marked = bytes(256) if too_large else strange.answer(own)
    # the number that another key gives may lie above this key's modulus
    with pytest.raises(ForgeryError, match=r"published key|not below the modulus"):
        pending.finish(marked)


def test_the_log_holds_one_token_key_a_perk_and_epoch(perk):
    world = perk.world
    book = Book(KEYS.registrar.public)
    for entry in world.entries():
        book.append(entry)
    book.append(Entry.sign(Kind.TOKEN_KEY, world.key, perk.issuer.key.encode()).encode())
    marked = VoprfIssuer(650, EPOCH).key  # of another type even
    with pytest.raises(ForgeryError, match="holds another token key"):
        book.append(Entry.sign(Kind.TOKEN_KEY, world.key, marked.encode()).encode())
    book.append(Entry.sign(Kind.TOKEN_KEY, world.key, RsaIssuer(700, EPOCH, signer()).key.encode()).encode())
    with pytest.raises(ForgeryError, match="role that does not"):
        book.append(Entry.sign(Kind.TOKEN_KEY, world.source_keys[0], perk.issuer.key.encode()).encode())
