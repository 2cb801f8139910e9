"""Perk tokens and nullifiers: framing by known answers, one token a proof, one perk a token, whoever races."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.channel.nullifiers import MemoryNullifiers, SqliteNullifiers
from blindscore_crypto.sealed.blind.blind_rsa import PSS_DETERMINISTIC, BlindSigner
from blindscore_crypto.sealed.perks.tokens import (
    INPUT_BYTES,
    REQUEST_BYTES,
    TOKEN_BYTES,
    TOKEN_TYPE,
    Challenge,
    Gate,
    PerkOffice,
    TokenKey,
    request_token,
)
from tests.crypto.sealed_world import EPOCH, GOOD, POOR, World

SHARED = Path(__file__).parents[3] / "shared" / "vectors"
OWN = Path(__file__).parents[1] / "vectors" / "fresh_blind_rsa.json"


def signer(which: int) -> BlindSigner:
    """The test vectors' key, or a fresh one."""
    if which:
        return BlindSigner()
    v = json.loads(OWN.read_text())["vectors"][0]
    return BlindSigner(RSA.construct(tuple(int(v[name], 16) for name in ("n", "e", "d", "p", "q"))))


CHALLENGE = Challenge("perks.example", "bicycles.example")


class Perk:
    """An office, a gate, and people."""

    def __init__(self) -> None:
        self.world = World(threshold=650)
        self.office = PerkOffice(self.world.terms, EPOCH.number, MemoryNullifiers(), signer(0))
        self.published = [self.office.key]
        self.gate = Gate(CHALLENGE, self.published, MemoryNullifiers())

    def token(self, who: str = "ada") -> bytes:
        pending = request_token(CHALLENGE, self.office.key, self.published)
        return pending.finish(self.office.grant(self.world.frame(GOOD, who), pending.request))


@pytest.fixture(scope="module")
def perk() -> Perk:
    return Perk()


# Framing


def test_challenges_are_encoded_as_rfc_9577_says():
    path = SHARED / "rfc9577_token_challenge.json"
    if not path.exists():
        pytest.skip("rfc9577_token_challenge.json is not beside this checkout")
    checked = 0
    for v in json.loads(path.read_text())["vectors"]:
        if v["token_type"] != "0002":
            continue  # grease: to be ignored
        names = (bytes.fromhex(v[name]).decode() for name in ("issuer_name", "origin_info"))
        challenge = Challenge(*names, bytes.fromhex(v["redemption_context"]))
        token_input = TOKEN_TYPE + bytes.fromhex(v["nonce"]) + challenge.digest + bytes.fromhex(v["token_key_id"])
        assert token_input.hex() == v["token_authenticator_input"]
        checked += 1
    assert checked > 0


def test_tokens_are_those_of_rfc_9578():
    path = SHARED / "rfc9578_privacy_pass_type2_blind_rsa_2048.json"
    if not path.exists():
        pytest.skip("rfc9578_privacy_pass_type2_blind_rsa_2048.json is not beside this checkout")
    for v in json.loads(path.read_text())["vectors"]:
        private = RSA.import_key(bytes.fromhex(v["skS"]).decode())
        issuer = BlindSigner(private)
        key = TokenKey(600, 1, issuer.public)
        assert key.spki.hex() == v["pkS"]
        digest = hashlib.sha256(bytes.fromhex(v["token_challenge"])).digest()
        token_input = TOKEN_TYPE + bytes.fromhex(v["nonce"]) + digest + key.key_id
        r = int(v["blind"], 16)
        blinded = issuer.public.blind_with(PSS_DETERMINISTIC, token_input, r, bytes.fromhex(v["salt"]))
        request = TOKEN_TYPE + key.key_id[-1:] + blinded.message
        assert request.hex() == v["token_request"]
        answer = issuer.sign(request[3:])
        assert answer.hex() == v["token_response"]
        assert (token_input + blinded.finalize(answer)).hex() == v["token"]


@pytest.mark.parametrize("bad", [Challenge("", "x"), Challenge("x", "y", b"short"), Challenge("x" * 65536, "y")])
def test_a_challenge_that_cannot_be_encoded_is_refused(bad):
    assert Challenge("x", "", bytes(32)).encode()
    with pytest.raises(ParameterError):
        bad.encode()


def test_a_token_key_has_the_size_that_its_type_fixes():
    v = json.loads((SHARED / "rfc9474_blind_rsa.json").read_text()) if SHARED.exists() else None
    if v is None:
        pytest.skip("rfc9474_blind_rsa.json is not beside this checkout")
    one = v["vectors"][0]
    public = BlindSigner(RSA.construct(tuple(int(one[name], 16) for name in ("n", "e", "d", "p", "q")))).public
    with pytest.raises(ParameterError, match="2048"):
        TokenKey(600, 1, public)


# Granting and redeeming


def test_a_proof_buys_a_token_and_the_token_a_perk(perk):
    token = perk.token()
    assert len(token) == TOKEN_BYTES
    assert perk.gate.redeem(token, b"my request") == 650
    assert perk.gate.redeem(token, b"my request") == 650  # the answer was lost: ask again
    with pytest.raises(ForgeryError, match="spent before"):
        perk.gate.redeem(token, b"somebody else's request")


def test_a_refusal_buys_nothing(perk):
    pending = request_token(CHALLENGE, perk.office.key, perk.published)
    with pytest.raises(ForgeryError, match="no token is due"):
        perk.office.grant(perk.world.frame(POOR), pending.request)


def test_a_proof_buys_one_token(perk):
    frame = perk.world.frame(GOOD)
    first, second = (request_token(CHALLENGE, perk.office.key, perk.published) for _ in range(2))
    answer = perk.office.grant(frame, first.request)
    assert perk.office.grant(frame, first.request) == answer
    with pytest.raises(ForgeryError, match="bought a token already"):
        perk.office.grant(frame, second.request)


@pytest.mark.parametrize("spoil", ["truncated", "other key", "other type", "above the modulus"])
def test_a_malformed_request_is_refused_and_spends_nothing(perk, spoil):
    frame = perk.world.frame(GOOD)
    request = request_token(CHALLENGE, perk.office.key, perk.published).request
    assert len(request) == REQUEST_BYTES
    bad = {
        "truncated": request[:-1],
        "other key": request[:2] + bytes([request[2] ^ 1]) + request[3:],
        "other type": b"\x00\x01" + request[2:],
        "above the modulus": request[:3] + b"\xff" * 256,
    }[spoil]
    with pytest.raises(ForgeryError):
        perk.office.grant(frame, bad)
    perk.office.grant(frame, request)


def test_an_offer_of_another_epoch_buys_nothing(perk):
    late = PerkOffice(perk.world.terms, EPOCH.number + 1, MemoryNullifiers(), signer(0))
    request = request_token(CHALLENGE, late.key, [late.key]).request
    with pytest.raises(ForgeryError, match="epoch"):
        late.grant(perk.world.frame(GOOD), request)


def test_a_forged_token_is_refused(perk):
    token = perk.token()
    other = Gate(replace(CHALLENGE, origin="trains.example"), perk.published, MemoryNullifiers())
    strange = PerkOffice(perk.world.terms, EPOCH.number, MemoryNullifiers(), signer(1))
    forger = request_token(CHALLENGE, strange.key, [strange.key])
    own_key = forger.finish(strange.grant(perk.world.frame(GOOD), forger.request))
    bad = {
        "truncated": token[:-1],
        "oversized": token + b"\0",
        "other type": b"\x00\x01" + token[2:],
        "other nonce": token[:2] + bytes(32) + token[34:],
        "flipped signature": token[:-1] + bytes([token[-1] ^ 1]),
        "no signature": token[:INPUT_BYTES] + bytes(256),
        "a key of the forger's own": own_key,
        "renamed key": token[:66] + strange.key.key_id + token[INPUT_BYTES:],
    }
    for forged in bad.values():
        with pytest.raises(ForgeryError):
            perk.gate.redeem(forged, b"r")
    with pytest.raises(ForgeryError, match="another gate"):
        other.redeem(token, b"r")
    assert perk.gate.redeem(token, b"r") == 650


def test_a_key_for_one_person_is_refused(perk):
    """Tracking by key: the office offers Ada a key that nobody else sees."""
    marked = replace(perk.office.key, public=signer(1).public)
    request_token(CHALLENGE, perk.office.key, perk.published)
    for key in (marked, replace(perk.office.key, perk=600), replace(perk.office.key, epoch=1)):
        with pytest.raises(ForgeryError, match="mark its holder"):
            request_token(CHALLENGE, key, perk.published)


def test_office_and_gate_together_share_no_bytes(perk):
    frames, tokens, seen = [], [], []
    for who in ("ada", "bob"):
        pending = request_token(CHALLENGE, perk.office.key, perk.published)
        frames.append(perk.world.frame(GOOD, who))
        answer = perk.office.grant(frames[-1], pending.request)
        seen.append(frames[-1] + pending.request + answer)
        token = pending.finish(answer)
        tokens.append(token[2:34] + token[INPUT_BYTES:])  # what differs between tokens: nonce and signature
        assert "0x" not in repr(pending)
    words = {s[k : k + 16] for s in seen for k in range(len(s) - 15)}
    assert not any(t[k : k + 16] in words for t in tokens for k in range(len(t) - 15))


# Nullifiers


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryNullifiers()
        return
    kept = SqliteNullifiers(tmp_path / "spent.db")
    yield kept
    kept.close()


def test_spent_once_by_one_request(store):
    assert store.spend([digest("a"), digest("b")], digest("r1"))
    assert store.spend([digest("a"), digest("b")], digest("r1"))  # idempotent
    assert not store.spend([digest("a")], digest("r2"))
    assert not store.spend([digest("c"), digest("b")], digest("r2"))  # all or none: c stays unspent
    assert store.spend([digest("c")], digest("r3"))


def test_spending_survives_a_restart(tmp_path):
    path = tmp_path / "spent.db"
    first = SqliteNullifiers(path)
    assert first.spend([digest("a")], digest("r1"))
    first.close()
    second = SqliteNullifiers(path)
    assert not second.spend([digest("a")], digest("r2"))
    assert second.spend([digest("a")], digest("r1"))
    assert len(second) == 1
    second.close()


def test_the_database_writes_through(tmp_path):
    store = SqliteNullifiers(tmp_path / "spent.db")
    connection = store._connection()
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_of_racing_threads_exactly_one_wins(tmp_path):
    path = tmp_path / "spent.db"
    SqliteNullifiers(path).close()

    def race(i: int) -> list[bool]:
        mine = SqliteNullifiers(path)
        won = [mine.spend([digest(f"token {k}")], digest(f"request {i}")) for k in range(5)]
        mine.close()
        return won

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(8)))
    assert [sum(column) for column in zip(*won, strict=True)] == [1] * 5


def test_of_racing_processes_exactly_one_wins(tmp_path):
    path = tmp_path / "spent.db"
    SqliteNullifiers(path).close()
    program = (
        "import sys, hashlib\n"
        "from blindscore_crypto.channel.nullifiers import SqliteNullifiers\n"
        "d = lambda s: hashlib.sha256(s.encode()).digest()\n"
        "s = SqliteNullifiers(sys.argv[1])\n"
        "print(sum(s.spend([d(f'token {k}')], d('request ' + sys.argv[2])) for k in range(20)))\n"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(i)], stdout=subprocess.PIPE) for i in range(3)
    ]
    assert sum(int(racer.communicate(timeout=60)[0]) for racer in racers) == 20


def test_a_killed_spender_leaves_all_or_nothing(tmp_path):
    """Kill -9 in the middle of a run of acknowledged spends: each acknowledged one is kept."""
    path = tmp_path / "spent.db"
    program = (
        "import sys, hashlib\n"
        "from blindscore_crypto.channel.nullifiers import SqliteNullifiers\n"
        "d = lambda s: hashlib.sha256(s.encode()).digest()\n"
        "s = SqliteNullifiers(sys.argv[1])\n"
        "for k in range(100000):\n"
        "    assert s.spend([d(f'a {k}'), d(f'b {k}')], d('r'))\n"
        "    print(k, flush=True)\n"
    )
    racer = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert racer.stdout is not None
    acknowledged = [int(racer.stdout.readline()) for _ in range(15)]
    racer.kill()
    acknowledged += [int(line) for line in racer.stdout if line.strip()]
    racer.stdout.close()
    racer.wait()
    kept = SqliteNullifiers(path)
    for k in acknowledged:
        assert not kept.spend([digest(f"a {k}")], digest("another"))
        assert not kept.spend([digest(f"b {k}")], digest("another"))
    assert len(kept) % 2 == 0
    kept.close()


def test_a_file_that_cannot_hold_nullifiers_is_refused(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database " * 500)
    with pytest.raises(DataError, match="cannot be kept"):
        SqliteNullifiers(broken)
    with pytest.raises(DataError, match="cannot be kept"):
        SqliteNullifiers(tmp_path / "nowhere" / "spent.db")


def test_digests_have_one_length(tmp_path):
    store = SqliteNullifiers(tmp_path / "spent.db")
    with pytest.raises(DataError, match="32 bytes"):
        store.spend([b"short"], digest("r"))
    assert len(store) == 0
    store.close()
