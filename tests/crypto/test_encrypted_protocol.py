"""The protocol: true scores pass, and every forgery bounces beside its accepted twin."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES
from blindscore_crypto.encrypted.parameters import BARE, DEFAULT
from blindscore_crypto.encrypted.protocol import CONTEXT, Applicant, Lender, Source, pseudonym
from blindscore_crypto.encrypted.wire import (
    SALT_BYTES,
    application_bytes,
    attestation_bytes,
    opening_bytes,
    reply_bytes,
)
from tests.crypto.encrypted_world import DAY, World, random_bins, random_card

RNG = np.random.default_rng(11)
CARD = random_card(RNG, characteristics=10)
ROW = random_bins(RNG, CARD, 1)[0]
FACTS = HEADER_BYTES + SALT_BYTES + HEADER_BYTES  # where the signed facts begin in an application
SIGNER, LAYOUT, TAG, NONCE, WHEN = FACTS, FACTS + 16, FACTS + 48, FACTS + 80, FACTS + 96
UPLOAD = FACTS + 100


@pytest.fixture
def world():
    return World.of(CARD)


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
    applicant = world.applicant()
    application = world.application(ROW, applicant)
    spoilt = bytearray(application)
    spoilt[where] ^= 1
    with pytest.raises(ForgeryError):
        world.lender.answer(bytes(spoilt))
    assert world.lender.conclude(applicant.open(world.lender.answer(application))).total == CARD.totals(ROW[None])[0]


@pytest.mark.parametrize("change", ["truncated", "oversized", "empty"])
def test_a_wrong_size_is_refused(world, change):
    application = world.application(ROW, world.applicant())
    forged = {"truncated": application[:-1], "oversized": application + b"\0", "empty": b""}[change]
    with pytest.raises(ForgeryError):
        world.lender.answer(forged)
    assert world.lender.answer(application)


def test_nothing_reaches_the_engine_before_the_signature_holds(world, monkeypatch):
    touched = []
    scheme = world.lender._scheme
    check = scheme.check
    monkeypatch.setattr(scheme, "check", lambda upload: (touched.append(1), check(upload)))
    application = world.application(ROW, world.applicant())
    spoilt = bytearray(application)
    spoilt[UPLOAD + 500] ^= 1
    with pytest.raises(ForgeryError, match="signature"):
        world.lender.answer(bytes(spoilt))
    assert not touched
    world.lender.answer(application)
    assert touched


def test_a_signed_residue_beyond_its_prime_is_refused(world):
    """A source that signs nonsense: the fields are checked after the signature, before the engine parses."""
    application = world.application(ROW, world.applicant())
    attestation = bytearray(application[HEADER_BYTES + SALT_BYTES :])
    attestation[-SIGNATURE_BYTES - 5 : -SIGNATURE_BYTES] = b"\xff" * 5
    attestation[-SIGNATURE_BYTES:] = world.source._signer.sign(bytes(attestation[:-SIGNATURE_BYTES]), CONTEXT)
    with pytest.raises(ForgeryError, match="prime"):
        world.lender.answer(application[: HEADER_BYTES + SALT_BYTES] + bytes(attestation))
    assert world.lender.answer(application)


def test_a_replayed_application_is_refused(world):
    application = world.application(ROW, world.applicant())
    assert world.lender.answer(application)
    with pytest.raises(ForgeryError, match="used before"):
        world.lender.answer(application)


def test_another_lender_refuses_what_was_not_made_for_it(world):
    other = Lender("another lender", CARD, [world.source.public], clock=lambda: DAY)
    application = world.application(ROW, world.applicant())
    with pytest.raises(ForgeryError, match="another lender"):
        other.answer(application)
    assert world.lender.answer(application)


def test_another_layout_is_refused(world):
    other = World.of(random_card(np.random.default_rng(4), characteristics=10))
    other.lender._sources = world.lender._sources
    application = world.application(ROW, world.applicant())
    with pytest.raises(ForgeryError, match="layout"):
        other.lender.answer(application)
    assert world.lender.answer(application)


def test_another_source_is_refused(world):
    applicant, twin = world.applicant(), world.applicant()
    forged = applicant.apply(Source().attest(applicant.ask(), "p-1", ROW, DAY))
    with pytest.raises(ForgeryError, match="source"):
        world.lender.answer(forged)
    assert world.lender.answer(twin.apply(world.source.attest(twin.ask(), "p-1", ROW, DAY)))


@pytest.mark.parametrize(("day", "good"), [(DAY - 2, False), (DAY - 1, True), (DAY + 1, True), (DAY + 2, False)])
def test_dates_hold_for_as_long_as_they_say(world, day, good):
    application = world.application(ROW, world.applicant(), day)
    if good:
        assert world.lender.answer(application)
    else:
        with pytest.raises(ForgeryError, match="date"):
            world.lender.answer(application)


def test_another_parameter_set_is_refused(world):
    applicant = Applicant("the lender", world.lender.layout, BARE)
    with pytest.raises(ForgeryError):
        world.lender.answer(world.application(ROW, applicant))
    small = World.of(CARD, BARE)
    assert small.score(ROW).total == CARD.totals(ROW[None])[0]


@pytest.mark.parametrize("value", range(4))
def test_a_lying_applicant_is_caught(world, value):
    applicant, honest = world.applicant(), world.applicant()
    opening = applicant.open(world.lender.answer(world.application(ROW, applicant)))
    lie = bytearray(opening)
    at = HEADER_BYTES + 16 + 4 * value
    old = int.from_bytes(lie[at : at + 4])
    lie[at : at + 4] = ((old + 1) % DEFAULT.t).to_bytes(4)
    with pytest.raises(ForgeryError, match="not what the reply contained"):
        world.lender.conclude(bytes(lie))
    with pytest.raises(ForgeryError, match="waits"):  # one attempt each: the truth afterwards comes too late
        world.lender.conclude(opening)
    opening = honest.open(world.lender.answer(world.application(ROW, honest)))
    assert world.lender.conclude(opening).total == CARD.totals(ROW[None])[0]


def test_openings_cannot_be_swapped_repeated_or_out_of_range(world):
    one, two = world.applicant(), world.applicant()
    first = one.open(world.lender.answer(world.application(ROW, one)))
    second = two.open(world.lender.answer(world.application(ROW, two)))
    swapped = first[: HEADER_BYTES + 16] + second[HEADER_BYTES + 16 :]
    with pytest.raises(ForgeryError):
        world.lender.conclude(swapped)
    assert world.lender.conclude(second).total == CARD.totals(ROW[None])[0]
    with pytest.raises(ForgeryError):
        world.lender.conclude(second)
    three = world.applicant()
    third = bytearray(three.open(world.lender.answer(world.application(ROW, three))))
    third[HEADER_BYTES + 16 : HEADER_BYTES + 20] = b"\xff" * 4
    with pytest.raises(ForgeryError, match="range"):
        world.lender.conclude(bytes(third))


def test_a_reply_to_someone_else_is_refused(world):
    one, two = world.applicant(), world.applicant()
    reply = world.lender.answer(world.application(ROW, one))
    with pytest.raises(ForgeryError, match="another application"):
        two.open(reply)
    assert one.open(reply)


def test_a_tampered_reply_ends_in_refusal_not_in_a_wrong_score(world):
    one, two = world.applicant(), world.applicant()
    reply = bytearray(world.lender.answer(world.application(ROW, one)))
    reply[HEADER_BYTES + 16 + 2] ^= 0x80  # half the modulus, added to the first answer
    with pytest.raises(ForgeryError):
        world.lender.conclude(one.open(bytes(reply)))
    assert world.lender.conclude(two.open(world.lender.answer(world.application(ROW, two))))


def test_every_refusal_looks_the_same_and_as_long_as_a_reply(world):
    application = world.application(ROW, world.applicant())
    spoilt = bytearray(application)
    spoilt[-1] ^= 1
    refusals = {world.lender.serve(frame) for frame in (b"", application[:-1], bytes(spoilt), bytes(len(application)))}
    assert len(refusals) == 1
    reply = world.lender.serve(application)
    assert reply not in refusals
    assert {len(r) for r in refusals} == {len(reply)} == {reply_bytes(DEFAULT)}
    refusal = refusals.pop()
    assert world.lender.serve(application) == refusal  # replayed
    with pytest.raises(ForgeryError):
        world.applicant().open(refusal)


def test_queries_are_bounded_on_both_sides():
    world = World.of(CARD, limit=2)
    salt = os.urandom(SALT_BYTES)
    for _ in range(2):
        assert world.lender.answer(world.application(ROW, world.applicant(salt=salt)))
    with pytest.raises(ForgeryError, match="asked 2 times"):
        world.lender.answer(world.application(ROW, world.applicant(salt=salt)))
    source = Source(limit=1)
    ask = world.applicant().ask()
    assert source.attest(ask, "p-1", ROW)
    with pytest.raises(ParameterError):
        source.attest(ask, "p-1", ROW)
    assert source.attest(ask, "p-2", ROW)


def test_a_source_does_not_sign_bins_that_do_not_exist(world):
    with pytest.raises(DataError):
        world.source.attest(world.applicant().ask(), "p-1", ROW + 40, DAY)
    with pytest.raises(ForgeryError):
        world.applicant().apply(b"no attestation")


def test_a_lender_cannot_be_set_up_with_a_card_too_wide_for_its_set():
    wide = random_card(np.random.default_rng(1), characteristics=60, bins=17)
    with pytest.raises(ValueError, match="bins"):
        World.of(wide, DEFAULT)


def test_message_sizes_are_the_same_for_every_person(world):
    sizes = set()
    for row in random_bins(np.random.default_rng(6), CARD, 8):
        applicant = world.applicant()
        application = world.application(row, applicant)
        reply = world.lender.answer(application)
        sizes.add((len(application), len(reply), len(applicant.open(reply))))
    p = world.lender.parameters
    assert sizes == {(application_bytes(p), reply_bytes(p), opening_bytes(p))}
    assert application_bytes(p) + reply_bytes(p) + opening_bytes(p) <= 64_000
    assert attestation_bytes(p) < application_bytes(p)


def test_the_source_learns_neither_lender_nor_card(world):
    """What an ask carries is the same distribution for any lender; the salt that would tell stays with the person."""
    ask = world.applicant().ask()
    assert "the lender" not in repr(ask)
    assert ask.pseudonym != pseudonym("the lender", bytes(SALT_BYTES))
    assert world.applicant().ask().pseudonym != ask.pseudonym
    salt = os.urandom(SALT_BYTES)
    assert world.applicant(salt=salt).ask().pseudonym == pseudonym("the lender", salt)


def test_no_method_of_the_lender_takes_a_key():
    for name, method in inspect.getmembers(Lender, inspect.isfunction):
        assert "key" not in inspect.signature(method).parameters, name


def test_old_nonces_are_forgotten_and_stay_refused_by_date():
    now = [DAY]
    source = Source()
    lender = Lender("the lender", CARD, [source.public], clock=lambda: now[0])
    applicant = Applicant("the lender", lender.layout, lender.parameters)
    application = applicant.apply(source.attest(applicant.ask(), "p-1", ROW, DAY))
    lender.answer(application)
    now[0] += 3
    with pytest.raises(ForgeryError, match="date"):
        lender.answer(application)
    fresh = Applicant("the lender", lender.layout, lender.parameters)
    assert lender.answer(fresh.apply(source.attest(fresh.ask(), "p-1", ROW, now[0])))
    assert len(lender._seen) == 1


def test_a_reply_frame_with_a_foreign_kind_is_refused(world):
    applicant = world.applicant()
    reply = world.lender.answer(world.application(ROW, applicant))
    with pytest.raises(ForgeryError):
        applicant.open(pack(Kind.OPENING, DEFAULT.code, reply[HEADER_BYTES:]))
    assert applicant.open(reply)
