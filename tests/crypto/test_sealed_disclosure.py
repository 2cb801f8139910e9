"""Disclosure by choice: the band and the losses that are true are proven, others bounce."""

from __future__ import annotations

import os

import pytest

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.sealed.attestation import Attestation, blindings
from blindscore_crypto.sealed.disclosure import Openings, disclose, read
from blindscore_crypto.sealed.parties.wallet import Wallet
from tests.crypto.sealed_world import EPOCH, GOOD, POOR, RECORDS, TODAY, World

CONTEXT = os.urandom(32)
DATES = {"day": TODAY}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def openings(world: World, bins: dict[str, int], who: str = "ada") -> tuple[list[Attestation], Openings]:
    parts = world.issue(who, bins)
    pairs = zip(world.terms.sources, parts, strict=True)
    shown = [Attestation.decode(world.group, source, p.attestation) for source, p in pairs]
    rows = [blindings(world.group, p.seed, 2 + len(a.commitments)) for a, p in zip(shown, parts, strict=True)]
    return shown, Openings(rows, dict(bins))


def wallet_of(world: World, record: str, batch: int = 1) -> Wallet:
    """A wallet that has learned the terms and fetched, and applied nowhere."""
    table, wallet = world.table(), world.new_wallet(batch=batch)
    world.enrol("ada", RECORDS[record])
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    assert wallet.troubles() == []
    return wallet


@pytest.fixture
def good(world) -> Wallet:
    return wallet_of(World(), "good", batch=2)


@pytest.mark.parametrize(("low", "high"), [(700, 749), (725, 725), (350, 725), (725, 950), (350, 950)])
def test_a_true_band_is_proven(good, low, high):
    data = good.disclose(CONTEXT, low=low, high=high)
    told = read(good.terms, CONTEXT, data, **DATES)
    assert (told.low, told.high, dict(told.lost)) == (low, high, {})


@pytest.mark.parametrize(("low", "high"), [(726, 950), (350, 724), (800, 900), (351, 400)])
def test_a_false_band_has_no_proof(good, low, high):
    with pytest.raises(ParameterError, match="cannot be proven"):
        good.disclose(CONTEXT, low=low, high=high)


@pytest.mark.parametrize(("low", "high"), [(700, 699), (349, 700), (700, 951), (-1, 5)])
def test_what_is_no_band_is_refused(good, low, high):
    with pytest.raises(ParameterError, match="band"):
        good.disclose(CONTEXT, low=low, high=high)


def test_reasons_are_revealed_by_choice_and_no_others(world):
    wallet = wallet_of(World(), "poor", batch=2)
    wanted = [reason.feature for reason in wallet.reasons(top=2)]
    data = wallet.disclose(CONTEXT, low=350, high=950, features=wanted)
    assert dict(read(wallet.terms, CONTEXT, data, **DATES).lost) == {"arrears": 135, "income": 100}
    assert wallet.purse.left(wallet.terms) == 1
    for features in (["arrears", "arrears"], ["posts"]):
        with pytest.raises(DataError, match="features of the card"):
            wallet.disclose(CONTEXT, low=350, high=950, features=features)


def test_a_loss_that_is_not_the_signed_one_is_caught(world):
    """The cheat claims a better bin in one feature: the opening no longer fits."""
    shown, own = openings(world, POOR)
    true = disclose(world.terms, CONTEXT, shown, own, low=350, high=950, features=["arrears"])
    assert read(world.terms, CONTEXT, true, **DATES).lost["arrears"] == 135
    lie = Openings(own.blindings, POOR | {"arrears": 0})
    forged = disclose(world.terms, CONTEXT, shown, lie, low=350, high=950, features=["arrears"])
    with pytest.raises(ForgeryError, match="not those of the signed bins"):
        read(world.terms, CONTEXT, forged, **DATES)


def test_a_band_that_is_not_the_signed_score_is_caught(world):
    shown, own = openings(world, POOR)
    lie = Openings(own.blindings, GOOD)
    for low, high in ((700, 950), (350, 730)):
        forged = disclose(world.terms, CONTEXT, shown, lie, low=low, high=high)
        with pytest.raises(ForgeryError, match="not proven"):
            read(world.terms, CONTEXT, forged, **DATES)
    read(world.terms, CONTEXT, disclose(world.terms, CONTEXT, shown, own, low=455, high=455), **DATES)


def test_attestations_of_two_people_are_caught(world):
    ada, ada_open = openings(world, GOOD)
    bob, bob_open = openings(world, GOOD, "bob")
    mixed = Openings([ada_open.blindings[0], bob_open.blindings[1]], GOOD)
    read(world.terms, CONTEXT, disclose(world.terms, CONTEXT, ada, ada_open, low=700, high=950), **DATES)
    forged = disclose(world.terms, CONTEXT, [ada[0], bob[1]], mixed, low=700, high=950)
    with pytest.raises(ForgeryError, match="several people"):
        read(world.terms, CONTEXT, forged, **DATES)


def test_it_is_for_one_reader_one_card_and_one_time(good):
    data = good.disclose(CONTEXT, low=700, high=749, features=["housing"])
    assert read(good.terms, CONTEXT, data, **DATES).lost["housing"] == 0
    other = World()
    for terms, context, dates, said in (
        (good.terms, os.urandom(32), DATES, "not those of the signed bins"),
        (other.terms, CONTEXT, DATES, "not one of 'bank'"),
        (good.terms, CONTEXT, DATES | {"day": EPOCH.last_day + 1}, "of another epoch, or have expired"),
    ):
        with pytest.raises(ForgeryError, match=said):
            read(terms, context, data, **dates)
    with pytest.raises(ParameterError, match="32 bytes"):
        good.disclose(b"short", low=700, high=749)


EVERY_PART = (
    "this is no disclosure|as long as its head says|names no band|names features|of another epoch|is not one of"
    "|does not verify|not those of the signed bins|not proven to lie in the band|on the curve|canonical"
)


def test_every_byte_counts(good):
    data = good.disclose(CONTEXT, low=700, high=749, features=["housing", "income"])
    read(good.terms, CONTEXT, data, **DATES)
    for at in [*range(0, 24), *range(24, len(data), 101), len(data) - 1]:
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(ForgeryError, match=EVERY_PART):
            read(good.terms, CONTEXT, bytes(bad), **DATES)
    for bad_size in (b"", data[:8], data[:-1], data + b"\0"):
        with pytest.raises(ForgeryError, match=r"this is no disclosure|not as long as its head says"):
            read(good.terms, CONTEXT, bad_size, **DATES)


def test_blind_signatures_disclose_nothing():
    with pytest.raises(DataError, match="one bit"):
        wallet_of(World(blind=True), "good").disclose(CONTEXT, low=700, high=749)
