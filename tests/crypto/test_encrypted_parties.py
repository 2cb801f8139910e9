"""Parties of ``encrypted``: true scores pass, and every forgery bounces beside its accepted twin."""

from __future__ import annotations

import inspect
import os
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.sqlite_store import SqliteStore
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES
from blindscore_crypto.encrypted.parameters import BARE, DEFAULT, WIDE
from blindscore_crypto.encrypted.parties.lender import Lender
from blindscore_crypto.encrypted.parties.read_score import ReadScore
from blindscore_crypto.encrypted.parties.scorer import BlindScorer
from blindscore_crypto.encrypted.parties.wallet import Wallet
from blindscore_crypto.encrypted.wire import (
    SALT_BYTES,
    application_bytes,
    attestation_bytes,
    opening_bytes,
    pseudonym,
    reply_bytes,
)
from tests.crypto.encrypted_world import BANK, DAY, NAME, WHO, World, random_bins, random_card, source_of

RNG = np.random.default_rng(11)
CARD = random_card(RNG, characteristics=10)
ROW = random_bins(RNG, CARD, 1)[0]
TOTAL = CARD.totals(ROW[None])[0]
FACTS = HEADER_BYTES + SALT_BYTES + HEADER_BYTES  # where the signed facts begin in an application
SIGNER, LAYOUT, TAG, NONCE, WHEN = FACTS, FACTS + 16, FACTS + 48, FACTS + 80, FACTS + 112
UPLOAD = FACTS + 116
VALUES = HEADER_BYTES + 64  # where an opening's values begin


@pytest.fixture
def world():
    made = World.of(CARD)
    made.holds(ROW)
    return made


def test_the_score_is_the_clear_one(world):
    rng = np.random.default_rng(2)
    for row in random_bins(rng, CARD, 20):
        outcome = world.score(row)
        assert outcome.total == CARD.totals(row[None])[0]
        assert outcome.score == CARD.scores(row[None])[0]


def test_totals_beyond_the_scale_are_clipped():
    card = random_card(np.random.default_rng(3), largest=90)
    for pick in (np.argmin, np.argmax):
        row = np.array([pick(c.points) for c in card.characteristics])
        assert World.of(card).score(row).score == card.scores(row[None])[0] in (350, 950)


@pytest.mark.parametrize(("above", "approved"), [(0, True), (1, False)])
def test_the_applicant_is_told_the_decision(above, approved):
    world = World.of(CARD, threshold=int(CARD.scores(ROW[None])[0]) + above)
    world.holds(ROW)
    assert world.play().decision is approved


FLIPS = {
    "signer": SIGNER,
    "layout": LAYOUT,
    "pseudonym": TAG,
    "nonce": NONCE,
    "date": WHEN,
    "seed": UPLOAD,
    "first residue": UPLOAD + 64,
    "last residue": -SIGNATURE_BYTES - 1,
    "signature": -1,
    "salt": HEADER_BYTES,
    "outer header": 4,
    "inner header": HEADER_BYTES + SALT_BYTES + 5,
}


@pytest.mark.parametrize("where", FLIPS.values(), ids=FLIPS.keys())
def test_a_flipped_bit_in_any_field_is_refused(world, where):
    wallet = world.wallet()
    application = world.application(wallet)
    spoilt = bytearray(application)
    spoilt[where] ^= 1
    with pytest.raises(ForgeryError, match="refused"):
        world.answer(bytes(spoilt))
    assert world.conclude(wallet.open(world.answer(application))).total == TOTAL


@pytest.mark.parametrize("change", ["truncated", "oversized", "empty"])
def test_a_wrong_size_is_refused(world, change):
    application = world.application(world.wallet())
    forged = {"truncated": application[:-1], "oversized": application + b"\0", "empty": b""}[change]
    with pytest.raises(ForgeryError, match="bytes"):
        world.answer(forged)
    assert world.answer(application)


def test_nothing_reaches_the_engine_before_the_signature_holds(world, monkeypatch):
    touched = []
    scheme = world.lender.scorer.scheme
    check = scheme.check
    monkeypatch.setattr(scheme, "check", lambda upload: (touched.append(1), check(upload)))
    application = world.application(world.wallet())
    spoilt = bytearray(application)
    spoilt[UPLOAD + 500] ^= 1
    with pytest.raises(ForgeryError, match="signature"):
        world.answer(bytes(spoilt))
    assert not touched
    world.answer(application)
    assert touched


def test_a_signed_residue_beyond_its_prime_is_refused(world):
    """A source that signs nonsense: the fields are checked after the signature, before the engine parses."""
    application = world.application(world.wallet())
    attestation = bytearray(application[HEADER_BYTES + SALT_BYTES :])
    attestation[-SIGNATURE_BYTES - 5 : -SIGNATURE_BYTES] = b"\xff" * 5
    signed = world.bank._signer.sign(bytes(attestation[:-SIGNATURE_BYTES]), Purpose.ENCRYPTED_ATTESTATION)
    attestation[-SIGNATURE_BYTES:] = signed
    with pytest.raises(ForgeryError, match="prime"):
        world.answer(application[: HEADER_BYTES + SALT_BYTES] + bytes(attestation))
    assert world.answer(application)


def test_a_replayed_application_is_refused(world):
    application = world.application(world.wallet())
    assert world.answer(application)
    with pytest.raises(ForgeryError, match="used before"):
        world.answer(application)


def test_a_restarted_lender_refuses_what_it_has_answered_and_concludes_what_waits(tmp_path):
    world = World.of(CARD, store=SqliteStore(tmp_path / "lender.db"))
    world.holds(ROW)
    wallet = world.wallet()
    application = world.application(wallet)
    reply = world.answer(application)
    world.lender.store.close()
    sources = [world.bank.public]
    scorer = BlindScorer(NAME, CARD, sources, SqliteStore(tmp_path / "lender.db"), world.clock)
    world.lender = Lender(scorer, ReadScore(600))
    with pytest.raises(ForgeryError, match="used before"):
        world.answer(application)
    assert world.conclude(wallet.open(reply)).total == TOTAL


@pytest.fixture
def racing():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def race(action, threads=8):
    """Do one thing in many threads at once; return how often it succeeded."""
    done, start = [], threading.Barrier(threads)

    def run():
        start.wait()
        try:
            action()
            done.append(1)
        except (ForgeryError, ParameterError):
            pass

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(done)


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
def test_eight_threads_get_one_application_answered_once(racing, kept, tmp_path):
    world = World.of(CARD, store=SqliteStore(tmp_path / "lender.db") if kept == "sqlite" else None)
    world.holds(ROW)
    for _ in range(3):
        application = world.application(world.wallet())
        assert race(lambda sent=application: world.answer(sent)) == 1


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
def test_a_source_with_a_limit_of_three_gives_three(racing, kept, tmp_path):
    store = SqliteStore(tmp_path / "bank.db") if kept == "sqlite" else None
    bank = source_of(CARD, ROW[None], SetClock(), limit=3, store=store)
    asks = [World.of(CARD).wallet().ask() for _ in range(2)]
    assert sum(race(lambda ask=ask: bank.attest(ask, WHO), threads=6) for ask in asks) == 3


def test_an_opening_is_concluded_once_whoever_asks_at_once(racing, world):
    wallet = world.wallet()
    opening = wallet.open(world.answer(world.application(wallet)))
    assert race(lambda: world.conclude(opening)) == 1


def test_another_lender_refuses_what_was_not_made_for_it(world):
    other = World.of(CARD)
    other.lender.scorer.name = "another lender"
    other.lender.scorer.sources = world.lender.scorer.sources
    application = world.application(world.wallet())
    with pytest.raises(ForgeryError, match="another lender"):
        other.answer(application)
    assert world.answer(application)


def test_another_layout_is_refused(world):
    other = World.of(random_card(np.random.default_rng(4), characteristics=10))
    other.lender.scorer.sources = world.lender.scorer.sources
    application = world.application(world.wallet())
    with pytest.raises(ForgeryError, match="layout"):
        other.answer(application)
    assert world.answer(application)


def test_another_source_is_refused(world):
    wallet = world.wallet()
    stranger = source_of(CARD, ROW[None], world.clock)
    with pytest.raises(ForgeryError, match="source"):
        world.answer(wallet.apply(stranger.attest(wallet.ask(), WHO)))
    assert world.answer(world.application(world.wallet()))


@pytest.mark.parametrize(("day", "good"), [(DAY - 2, False), (DAY - 1, True), (DAY + 1, True), (DAY + 2, False)])
def test_dates_hold_for_as_long_as_they_say(world, day, good):
    world.clock.now = day * float(DAY_S)
    application = world.application(world.wallet())
    world.clock.now = DAY * float(DAY_S)
    if good:
        assert world.answer(application)
    else:
        with pytest.raises(ForgeryError, match="date"):
            world.answer(application)


def test_another_parameter_set_is_refused(world):
    small = World.of(CARD, BARE)
    with pytest.raises(ForgeryError, match="bytes"):
        world.answer(small.application(small.wallet(), ROW))
    assert small.score(ROW).total == TOTAL


def test_a_reply_to_someone_else_is_refused(world):
    one, two = world.wallet(), world.wallet()
    reply = world.answer(world.application(one))
    with pytest.raises(ForgeryError, match="another application"):
        two.open(reply)
    assert one.open(reply)


def test_a_tampered_reply_ends_in_refusal_not_in_a_wrong_score(world):
    one, two = world.wallet(), world.wallet()
    reply = bytearray(world.answer(world.application(one)))
    reply[HEADER_BYTES + 32 + 3] ^= 0x80  # half the modulus, added to the first answer
    with pytest.raises(ForgeryError, match="not what the reply contained"):
        world.conclude(one.open(bytes(reply)))
    assert world.conclude(two.open(world.answer(world.application(two)))).total == TOTAL


def test_every_refusal_looks_the_same_and_as_long_as_a_reply(world):
    def serve(frame):
        return world.lender.handle(Message(NAME, "application", frame, "w"))[0].body

    application = world.application(world.wallet())
    spoilt = bytearray(application)
    spoilt[-1] ^= 1
    refusals = {serve(frame) for frame in (b"", application[:-1], bytes(spoilt), bytes(len(application)))}
    assert len(refusals) == 1
    reply = serve(application)
    assert reply not in refusals
    assert {len(r) for r in refusals} == {len(reply)} == {reply_bytes(DEFAULT)}
    refusal = refusals.pop()
    assert serve(application) == refusal  # replayed
    with pytest.raises(ForgeryError, match="header"):
        world.wallet().open(refusal)


@pytest.mark.parametrize(
    ("limits", "what"),
    [({"limit": 2}, "pseudonym"), ({"of_source": 2}, "source"), ({"life": 2, "of_source": 9}, "card")],
)
def test_queries_are_bounded_by_pseudonym_source_and_card(limits, what):
    world = World.of(CARD, **limits)
    salt = os.urandom(SALT_BYTES)
    for _ in range(2):
        assert world.answer(world.application(world.wallet(salt=salt)))
    refused = world.application(world.wallet(salt=salt))
    with pytest.raises(ForgeryError, match=f"this {what} has had its 2 answers"):
        world.answer(refused)
    world.lender.scorer.limit = world.lender.scorer.of_source = world.lender.scorer.life = 3
    assert world.answer(refused)  # what was refused has used up nothing


def test_a_source_bounds_what_a_person_asks():
    world = World.of(CARD)
    world.bank.limit = 1
    assert world.bank.attest(world.wallet().ask(), "p-1")
    with pytest.raises(ParameterError, match="1 attestations"):
        world.bank.attest(world.wallet().ask(), "p-1")
    assert world.bank.attest(world.wallet().ask(), "p-2")
    with pytest.raises(ParameterError, match="no customer"):
        world.bank.attest(world.wallet().ask(), "p-9")


def test_a_source_does_not_attest_what_it_cannot_bin(world):
    record = dict(world.bank.store.get("records", WHO.encode()))
    world.bank.store.put("records", WHO.encode(), record | {"f0": float("inf")})
    with pytest.raises(DataError, match="'f0': a finite number"):
        world.bank.attest(world.wallet().ask(), WHO)
    assert world.bank.handle(Message(BANK, "ask", world.wallet().ask(), WHO))[0].body == b""


def test_a_lender_cannot_be_set_up_with_a_card_too_wide_for_its_set():
    wide = random_card(np.random.default_rng(1), characteristics=60, bins=17)
    with pytest.raises(ValueError, match="bins"):
        World.of(wide, DEFAULT)


def test_message_sizes_are_the_same_for_every_person(world):
    sizes = set()
    for row in random_bins(np.random.default_rng(6), CARD, 8):
        wallet = world.wallet()
        application = world.application(wallet, row)
        reply = world.answer(application)
        sizes.add((len(application), len(reply), len(wallet.open(reply))))
    p = world.lender.scorer.parameters
    assert sizes == {(application_bytes(p), reply_bytes(p), opening_bytes(p))}
    assert application_bytes(p) + reply_bytes(p) + opening_bytes(p) <= 64_000
    assert attestation_bytes(p) < application_bytes(p)


def test_the_source_learns_neither_lender_nor_card(world):
    """What an ask carries is the same distribution for any lender; the salt that would tell stays with the person."""
    assert NAME.encode() not in world.wallet().ask()
    salt = os.urandom(SALT_BYTES)
    assert pseudonym(NAME, salt) in world.wallet(salt=salt).ask()
    assert pseudonym(NAME, salt) not in world.wallet().ask()


def test_no_method_of_a_lender_takes_a_key_and_no_repr_shows_one(world):
    for kind in (Lender, BlindScorer, ReadScore):
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            assert "key" not in inspect.signature(method).parameters, name
    wallet = Wallet("wallet", world.terms, BANK)
    wallet.open(world.answer(world.application(wallet)))
    shown = repr(wallet)
    assert wallet.salt.hex() not in shown
    assert repr(wallet.salt)[2:-1] not in shown
    assert repr(wallet._key)[2:-1] not in shown


def test_old_nonces_are_forgotten_and_stay_refused_by_date(world):
    application = world.application(world.wallet())
    world.answer(application)
    world.clock.advance(3 * DAY_S)
    assert world.lender.store.sweep(DAY + 3) >= 1
    assert world.lender.store.items("answered") == []
    with pytest.raises(ForgeryError, match="date"):
        world.answer(application)
    assert world.answer(world.application(world.wallet()))


def test_a_nonce_of_tomorrow_is_not_forgotten_before_its_date_has_passed(world):
    world.clock.advance(DAY_S)
    application = world.application(world.wallet())
    world.clock.advance(-DAY_S)
    world.answer(application)
    world.clock.advance(2 * DAY_S)
    world.lender.store.sweep(DAY + 2)
    with pytest.raises(ForgeryError, match="used before"):
        world.answer(application)


def test_a_reply_frame_with_a_foreign_kind_is_refused(world):
    wallet = world.wallet()
    reply = world.answer(world.application(wallet))
    with pytest.raises(ForgeryError, match="header"):
        wallet.open(pack(Kind.OPENING, DEFAULT.code, reply[HEADER_BYTES:]))
    assert wallet.open(reply)


def test_a_card_bounds_how_often_it_is_asked_by_what_flooding_leaves():
    scorer = World.of(CARD).lender.scorer
    p, bins = scorer.parameters, scorer.layout.size
    assert scorer.life == p.life(bins) == int(2 ** (p.flooding_bits(bins) - 30))
    assert scorer.of_source == p.of_source(bins) <= scorer.life
    for each in (DEFAULT, WIDE):
        assert each.bits_by_false_encryption(each.of_source(144)) <= 20


def test_a_renewed_card_has_a_life_of_its_own_in_the_same_store():
    world = World.of(CARD, life=1, of_source=9)
    assert world.answer(world.application(world.wallet()))
    refused = world.application(world.wallet())
    with pytest.raises(ForgeryError, match="this card has had its 1 answers"):
        world.answer(refused)
    old, first = world.lender.scorer, CARD.characteristics[0]
    renewed = replace(CARD, characteristics=(replace(first, points=first.points[::-1]), *CARD.characteristics[1:]))
    sources, store = old.sources.values(), world.lender.store
    world.lender = Lender(BlindScorer(NAME, renewed, sources, store, world.clock, life=1, of_source=9), ReadScore(600))
    assert world.answer(refused)
