"""Perk tokens: framing by known answers, one token a proof, one perk a token, whoever asks again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.blind.blind_rsa import BlindSigner
from blindscore_crypto.sealed.blind.voprf import P384_SHA384, Server
from blindscore_crypto.sealed.offer import digest
from blindscore_crypto.sealed.parties.gate import VISIT_S, Gate, Redeemed
from blindscore_crypto.sealed.parties.office import Office, token_request
from blindscore_crypto.sealed.perks.token_key import BLIND_RSA, VOPRF, TokenKey
from blindscore_crypto.sealed.perks.tokens import (
    INPUT_BYTES,
    REQUEST_BYTES,
    Challenge,
    RsaIssuer,
    VoprfIssuer,
    request_token,
    request_with,
    rsa_accepts,
    token_bytes,
)
from tests.crypto.sealed_world import EPOCH, GOOD, World

SHARED = Path(__file__).parents[3] / "shared" / "vectors"
OWN = Path(__file__).parents[1] / "vectors" / "fresh_blind_rsa.json"


def signer() -> BlindSigner:
    """The test vectors' key: making one takes time."""
    v = json.loads(OWN.read_text())["vectors"][0]
    return BlindSigner(RSA.construct(tuple(int(v[name], 16) for name in ("n", "e", "d", "p", "q"))))


class Perk:
    """An office, a gate, and people who have proven their score."""

    def __init__(self, kind: int = BLIND_RSA) -> None:
        self.world = World(threshold=650, role="office", purpose="perk", lender_name="Perk office")
        self.kind = kind
        self.issuer = RsaIssuer(650, EPOCH, signer()) if kind == BLIND_RSA else VoprfIssuer(650, EPOCH)
        self.office = Office(self.world.lender, self.issuer)
        self.challenge = Challenge("perks.example", "bicycles.example", kind=kind)
        self.gate = self.new_gate("gate")

    def new_gate(self, name: str, store: MemoryStore | None = None, challenge: Challenge | None = None) -> Gate:
        accepts = rsa_accepts if self.kind == BLIND_RSA else lambda _, *token: self.issuer.accepts(*token)
        keys, store = [self.issuer.key], store or MemoryStore()
        return Gate(name, challenge or self.challenge, keys, store, clock=self.world.clock, accepts=accepts)

    def proof(self, who: str = "ada", bins: dict[str, int] = GOOD) -> tuple[bytes, SigningKey]:
        client = SigningKey()
        answer = self.world.answer(bins, who, client)
        self.world.decide(self.world.lender, answer, client)
        return answer, client

    def token(self, who: str = "ada") -> bytes:
        answer, client = self.proof(who)
        pending = request_token(self.challenge, self.issuer.key)
        return pending.finish(self.office.grant(token_request(digest(answer), pending.request, client)))


@pytest.fixture(params=[BLIND_RSA, VOPRF], ids=["type 2", "type 1"])
def perk(request) -> Perk:
    return Perk(request.param)


# Framing


def test_challenges_are_encoded_as_rfc_9577_says():
    path = SHARED / "rfc9577_token_challenge.json"
    if not path.exists():
        pytest.skip("rfc9577_token_challenge.json is not beside this checkout")
    checked = 0
    for v in json.loads(path.read_text())["vectors"]:
        kind = int(v["token_type"], 16)
        if kind not in REQUEST_BYTES:
            continue  # grease: to be ignored
        names = (bytes.fromhex(v[name]).decode() for name in ("issuer_name", "origin_info"))
        challenge = Challenge(*names, bytes.fromhex(v["redemption_context"]), kind)
        token_input = kind.to_bytes(2, "big") + bytes.fromhex(v["nonce"]) + challenge.digest
        assert (token_input + bytes.fromhex(v["token_key_id"])).hex() == v["token_authenticator_input"]
        checked += 1
    assert checked > 0


def test_tokens_of_type_2_are_those_of_rfc_9578(monkeypatch):
    path = SHARED / "rfc9578_privacy_pass_type2_blind_rsa_2048.json"
    if not path.exists():
        pytest.skip("rfc9578_privacy_pass_type2_blind_rsa_2048.json is not beside this checkout")
    for v in json.loads(path.read_text())["vectors"]:
        issuer = RsaIssuer(600, EPOCH, BlindSigner(RSA.import_key(bytes.fromhex(v["skS"]).decode())))
        assert issuer.key.public.hex() == v["pkS"]
        challenge = Given(v["token_challenge"], BLIND_RSA)
        pending = request_with(
            challenge, issuer.key, bytes.fromhex(v["nonce"]), int(v["blind"], 16), bytes.fromhex(v["salt"])
        )
        assert pending.request.hex() == v["token_request"]
        assert issuer.answer(pending.request).hex() == v["token_response"]
        token = pending.finish(bytes.fromhex(v["token_response"]))
        assert token.hex() == v["token"]
        assert rsa_accepts(issuer.key, token[:INPUT_BYTES], token[INPUT_BYTES:])


def test_tokens_of_type_1_are_those_of_rfc_9578():
    path = SHARED / "rfc9578_privacy_pass_type1_voprf_p384.json"
    if not path.exists():
        pytest.skip("rfc9578_privacy_pass_type1_voprf_p384.json is not beside this checkout")
    for v in json.loads(path.read_text())["vectors"]:
        issuer = VoprfIssuer(600, EPOCH, Server(P384_SHA384, int(v["skS"], 16)))
        assert issuer.key.public.hex() == v["pkS"]
        pending = request_with(
            Given(v["token_challenge"], VOPRF), issuer.key, bytes.fromhex(v["nonce"]), int(v["blind"], 16)
        )
        assert pending.request.hex() == v["token_request"]
        token = pending.finish(bytes.fromhex(v["token_response"]))  # the RFC's own proof verifies
        assert token.hex() == v["token"]
        ours = issuer.answer(pending.request)  # another proof nonce, the same element
        assert ours[:49].hex() == v["token_response"][:98]
        assert pending.finish(ours) == token
        assert issuer.accepts(token[:INPUT_BYTES], token[INPUT_BYTES:])


class Given:
    """A challenge as a vector gives it, encoded."""

    def __init__(self, encoded: str, kind: int) -> None:
        self.digest, self.kind = hashlib.sha256(bytes.fromhex(encoded)).digest(), kind


@pytest.mark.parametrize("bad", [Challenge("", "x"), Challenge("x", "y", b"short"), Challenge("x" * 65536, "y")])
def test_a_challenge_that_cannot_be_encoded_is_refused(bad):
    assert Challenge("x", "", bytes(32)).encode()
    with pytest.raises(ParameterError, match="issuer's name"):
        bad.encode()


def test_token_keys_travel_as_bytes_and_are_checked_whole(perk):
    key = perk.issuer.key
    assert TokenKey.decode(key.encode()) == key
    element, rsa = "an element has 49 bytes", "no RSA key"
    own, other = (rsa, element) if key.kind == BLIND_RSA else (element, rsa)
    for kind, public, said in (
        (3, key.public, "type 3 is none of 1 and 2"),
        (3 - key.kind, key.public, other),
        (key.kind, key.public[:-1], own),
        (key.kind, b"", own),
    ):
        with pytest.raises(ForgeryError, match=said):
            replace(key, kind=kind, public=public)
    with pytest.raises(ForgeryError, match="1 bytes are left over"):
        TokenKey.decode(key.encode() + b"\0")


def test_a_key_of_another_size_than_its_type_fixes_is_refused():
    path = SHARED / "rfc9474_blind_rsa.json"
    if not path.exists():
        pytest.skip("rfc9474_blind_rsa.json is not beside this checkout")
    one = json.loads(path.read_text())["vectors"][0]
    large = BlindSigner(RSA.construct(tuple(int(one[name], 16) for name in ("n", "e", "d", "p", "q"))))
    with pytest.raises(ForgeryError, match="2048"):
        RsaIssuer(600, EPOCH, large)


# Granting and redeeming


def test_a_proof_buys_a_token_and_the_token_a_perk(perk):
    token = perk.token()
    assert len(token) == token_bytes(perk.kind)
    visit = perk.gate.visit()
    assert perk.gate.redeem(visit, token) == Redeemed(650, first=True)
    assert perk.gate.redeem(visit, token) == Redeemed(650, first=False)  # the answer was lost: nothing more is due
    with pytest.raises(ForgeryError, match="spent before"):
        perk.gate.redeem(perk.gate.visit(), token)


def test_gate_and_office_answer_messages(perk):
    answer, client = perk.proof()
    pending = request_token(perk.challenge, perk.issuer.key)
    body = token_request(digest(answer), pending.request, client)
    (made,) = perk.office.handle(Message("Perk office", "token", body, "line"))
    token = pending.finish(made.body)
    (visit,) = perk.gate.handle(Message("gate", "visit", b"", "line"))
    (granted,) = perk.gate.handle(Message("gate", "redeem", visit.body + token, "line"))
    assert (granted.kind, granted.body) == ("granted", (650).to_bytes(4, "big") + b"\x01")
    for party, kind, data in (
        (perk.gate, "redeem", bytes(32) + token),
        (perk.gate, "sing", b""),
        (perk.office, "token", body[:-1]),
        (perk.office, "sing", b""),
    ):
        (refused,) = party.handle(Message(party.name, kind, data, "line"))
        assert (refused.kind, refused.body) == ("refused", b"")


def test_the_office_answers_the_same_request_again_and_another_never(perk):
    answer, client = perk.proof()
    first, second = (request_token(perk.challenge, perk.issuer.key) for _ in range(2))
    body = token_request(digest(answer), first.request, client)
    assert first.finish(perk.office.grant(body)) == first.finish(perk.office.grant(body))
    with pytest.raises(ForgeryError, match="bought a token already"):
        perk.office.grant(token_request(digest(answer), second.request, client))


@pytest.mark.parametrize("spoil", ["truncated", "other key", "other type"])
def test_a_malformed_request_is_refused_and_spends_nothing(perk, spoil):
    answer, client = perk.proof()
    request = request_token(perk.challenge, perk.issuer.key).request
    assert len(request) == REQUEST_BYTES[perk.kind]
    bad, said = {
        "truncated": (request[:-1], "a token is asked for with"),
        "other key": (request[:2] + bytes([request[2] ^ 1]) + request[3:], "names this perk's key"),
        "other type": (b"\x00\x07" + request[2:], "names this perk's key"),
    }[spoil]
    with pytest.raises(ForgeryError, match=said):
        perk.office.grant(token_request(digest(answer), bad, client))
    perk.office.grant(token_request(digest(answer), request, client))


def test_an_offices_tokens_are_of_its_terms(perk):
    with pytest.raises(DataError, match="perk and epoch"):
        Office(perk.world.lender, RsaIssuer(700, EPOCH, signer()))
    with pytest.raises(ParameterError, match="another type"):
        request_token(replace(perk.challenge, kind=3 - perk.kind), perk.issuer.key)


def test_office_and_gate_together_share_no_bytes(perk):
    tokens, seen = [], []
    for who in ("ada", "bob"):
        perk.world.secret += 1
        answer, client = perk.proof(who)
        pending = request_token(perk.challenge, perk.issuer.key)
        made = perk.office.grant(token_request(digest(answer), pending.request, client))
        seen.append(answer + pending.request + made)
        token = pending.finish(made)
        tokens.append(token[2:34] + token[INPUT_BYTES:])  # what differs between tokens: nonce and signature
        assert token[2:34].hex() not in repr(pending)
    words = {s[k : k + 16] for s in seen for k in range(len(s) - 15)}
    assert not any(t[k : k + 16] in words for t in tokens for k in range(len(t) - 15))


def test_a_visit_times_out(perk):
    token, visit = perk.token(), perk.gate.visit()
    perk.world.clock.advance(VISIT_S + 1)
    with pytest.raises(ForgeryError, match="too long ago"):
        perk.gate.redeem(visit, token)
    assert perk.gate.redeem(perk.gate.visit(), token).first


def test_two_processes_of_one_gate_name_visits_alike(perk):
    store = MemoryStore()
    one, other = perk.new_gate("gate", store), perk.new_gate("gate", store)
    token = perk.token()
    assert other.redeem(one.visit(), token).first
    with pytest.raises(ForgeryError, match="spent before"):
        one.redeem(other.visit(), token)
