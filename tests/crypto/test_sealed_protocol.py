"""The sealed protocol between source, wallet, lender and judge: each forgery beside its accepted twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed.attestation import Attestation, Issued, Source, blindings, header, holder_scalar
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from blindscore_crypto.sealed.layout import Layout, layouts_of
from blindscore_crypto.sealed.parties.lender import DECISION_BYTES, Decision, Verifier, is_bent
from blindscore_crypto.sealed.parties.wallet import Epoch, Wallet
from blindscore_crypto.sealed.presentation import check, check_many, decline, difference, present
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.terms import OFFER_BYTES, Offer, Terms
from tests.crypto.sealed_world import CARD, EPOCH, GOOD, POOR, SOURCE_OF, TODAY, World, cards


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def decide(world: World, frame: bytes) -> bool:
    answer = Verifier(world.terms, world.key).decide(frame, day=TODAY)
    return Decision.decode(world.terms, frame, answer).approved


# What must work


def test_who_reaches_the_threshold_is_approved_and_who_does_not_is_not(world):
    assert decide(world, world.frame(GOOD)) is True
    assert decide(world, world.frame(POOR)) is False


def test_proof_refusal_offer_and_decision_have_one_size_each(world):
    frames = [world.frame(GOOD), world.frame(POOR), world.frame(GOOD | {"arrears": 1})]
    assert {len(frame) for frame in frames} == {world.terms.frame_bytes}
    assert {len(world.verifier.decide(frame, day=TODAY)) for frame in frames} == {DECISION_BYTES}
    assert len(world.offer()) == OFFER_BYTES


def test_two_proofs_of_one_person_share_no_group_element(world):
    wallet = world.wallet(GOOD, count=2)
    other = World(threshold=600, lender="Quay Bank")
    second_terms = replace(other.terms, layouts=world.terms.layouts, source_keys=world.terms.source_keys)
    wallet._published[second_terms.fingerprint] = second_terms
    second_lender = Verifier(second_terms, other.key)
    first = wallet.apply(world.offer(), day=TODAY)
    second = wallet.apply(second_lender.offer(epoch=EPOCH.number, day=TODAY), day=TODAY)
    assert check(world.terms, first).approved
    assert check(second_terms, second).approved
    assert not set(_chunks(world, first)) & set(_chunks(world, second))


def _chunks(world: World, frame: bytes) -> list[bytes]:
    """Every group element of a frame's attestations."""
    at, out = 1 + OFFER_BYTES, []
    for layout, size in zip(world.terms.layouts, world.terms.attestation_sizes, strict=True):
        points = frame[at + 61 : at + size - SIGNATURE_BYTES]
        assert len(points) == 65 * (1 + layout.n_commitments)
        out += [points[i : i + 65] for i in range(0, len(points), 65)]
        at += size
    return out


def test_the_wallet_knows_score_reasons_and_what_if(world):
    wallet = world.wallet(POOR)
    assert wallet.score(world.terms) == wallet.committed_score(world.terms) == 455
    assert wallet.distance(world.terms) == 455 - 640
    reasons = wallet.reasons(world.terms)
    assert [(r.feature, r.lost) for r in reasons] == [("arrears", 135), ("income", 100), ("housing", 35)]
    assert wallet.what_if(world.terms, "arrears", 0) == 455 + 135
    with pytest.raises(DataError, match="no such feature or bin"):
        wallet.what_if(world.terms, "arrears", 9)


@given(cards(), st.booleans())
@settings(max_examples=12, deadline=None)
def test_every_card_person_and_threshold_gives_the_clear_decision(drawn, two_sources):
    card, bins, threshold = drawn
    if threshold > card.max_total:
        return
    source_of = {f: f"s{i % 2 if two_sources else 0}" for i, f in enumerate(card.features)}
    world = World(card, threshold, source_of=source_of)
    wallet = world.wallet(dict(zip(card.features, bins, strict=True)))
    clear = int(card.scores(np.array([bins]))[0])
    assert wallet.committed_score(world.terms) == wallet.score(world.terms) == clear
    assert decide(world, wallet.apply(world.offer(), day=TODAY)) is (clear >= threshold)


@given(st.integers(-2000, 3000), st.integers(351, 950))
@settings(deadline=None)
def test_a_clipped_score_passes_exactly_when_the_total_does(total, threshold):
    assert (int(CARD.clip(np.array([total]))[0]) >= threshold) is (total >= threshold)


# Terms


@pytest.mark.parametrize("threshold", [350, 951, 0, -5])
def test_a_threshold_that_clipping_would_change_is_refused(threshold):
    World(threshold=351), World(threshold=725)
    with pytest.raises(ParameterError, match="threshold"):
        World(threshold=threshold)


def test_a_threshold_out_of_reach_is_refused():
    with pytest.raises(ParameterError, match="out of reach"):
        World(threshold=CARD.max_total + 1)


def test_terms_need_one_layout_for_each_feature(world):
    bank, bureau = world.terms.layouts
    for layouts in ((bank,), (bank, bank), (bank, bureau, bureau)):
        with pytest.raises(DataError, match=r"layout|cover"):
            replace(world.terms, layouts=layouts)
    with pytest.raises(DataError, match="no source vouches"):
        layouts_of(CARD, {"income": "bank"})


def test_a_card_with_other_edges_does_not_fit_the_layout(world):
    moved = replace(CARD.characteristics[0], edges=(1000.0, 2000.0, 4000.5))
    other = replace(CARD, characteristics=(moved, *CARD.characteristics[1:]))
    world.terms.layouts[0].weights(CARD)
    with pytest.raises(DataError, match="bin it differently"):
        world.terms.layouts[0].weights(other)


def test_the_source_sees_no_points(world):
    """Two cards over the same edges give the source the same layout, hence the same work and bytes."""
    other = replace(CARD, characteristics=tuple(replace(c, points=c.points[::-1]) for c in CARD.characteristics))
    assert other.fingerprint != CARD.fingerprint
    assert layouts_of(other, SOURCE_OF) == world.terms.layouts


@pytest.mark.parametrize("bins", [(0,), (0, 0, 0), (5, 0), (-1, 0)])
def test_bins_outside_the_layout_are_refused(world, bins):
    world.sources[0].attest("ada", (4, 2), epoch=1, expires=1)
    with pytest.raises(DataError):
        world.sources[0].attest("ada", bins, epoch=1, expires=1)


@pytest.mark.parametrize("date", [-1, 1 << 32])
def test_dates_that_do_not_fit_are_refused(world, date):
    with pytest.raises(ParameterError, match="2\\^32"):
        world.sources[0].attest("ada", (0, 0), epoch=date, expires=1)
    with pytest.raises(ParameterError, match="2\\^32"):
        world.verifier.offer(epoch=1, day=date)


# Attestations


def test_an_attestation_is_the_signed_truth(world):
    issued = world.issue("ada", GOOD)[0]
    layout, key = world.terms.layouts[0], world.terms.source_keys[0]
    attestation = Attestation.decode(P256_GROUP, layout, issued.attestation, key)
    assert attestation.encode() == issued.attestation
    assert (attestation.epoch, attestation.expires) == (EPOCH.number, EPOCH.last_day)


def test_every_bit_of_an_attestation_is_signed(world):
    issued = world.issue("ada", GOOD)[0]
    layout, key = world.terms.layouts[0], world.terms.source_keys[0]
    Attestation.decode(P256_GROUP, layout, issued.attestation, key)
    for at in [*range(0, 61), 100, 300, len(issued.attestation) - 1, len(issued.attestation) - 64]:
        bad = bytearray(issued.attestation)
        bad[at] ^= 1
        with pytest.raises(ForgeryError):
            Attestation.decode(P256_GROUP, layout, bytes(bad), key)


@pytest.mark.parametrize("change", ["truncated", "oversized", "empty", "other key", "other layout"])
def test_an_attestation_that_is_not_the_expected_one_is_refused(world, change):
    issued = world.issue("ada", GOOD)[0]
    layout, key = world.terms.layouts[0], world.terms.source_keys[0]
    bad = {
        "truncated": (layout, issued.attestation[:-1], key),
        "oversized": (layout, issued.attestation + b"\0", key),
        "empty": (layout, b"", key),
        "other key": (layout, issued.attestation, SigningKey().public),
        "other layout": (replace(layout, source="mint"), issued.attestation, key),
    }[change]
    Attestation.decode(P256_GROUP, layout, issued.attestation, key)
    with pytest.raises(ForgeryError):
        Attestation.decode(P256_GROUP, bad[0], bad[1], bad[2])


def test_a_source_cannot_forge_for_another(world):
    """A forger with a key of its own signs better bins; the wallet and the lender know the true key."""
    forger = Source(P256_GROUP, world.terms.layouts[0])
    forged = forger.attest("ada", (3, 0), epoch=EPOCH.number, expires=EPOCH.last_day)
    resigned = header(P256_GROUP, forger.layout, world.terms.source_keys[0]) + forged.attestation[53:]
    true = world.issue("ada", GOOD)
    Wallet("ada", [world.terms], EPOCH).accept(true, world.terms)
    for bytes_ in (forged.attestation, resigned):
        with pytest.raises(ForgeryError):
            Wallet("ada", [world.terms], EPOCH).accept([replace(forged, attestation=bytes_)], world.terms)
        with pytest.raises(ForgeryError):
            check(world.terms, _replace_attestation(world, world.frame(GOOD), bytes_))


def _replace_attestation(world: World, frame: bytes, attestation: bytes) -> bytes:
    at = 1 + OFFER_BYTES
    return frame[:at] + attestation + frame[at + len(attestation) :]


@pytest.mark.parametrize("lie", ["other bins", "other seed", "other person", "other epoch", "other expiry"])
def test_the_wallet_notices_an_attestation_that_does_not_open_or_marks_its_holder(world, lie):
    true = world.issue("ada", GOOD)
    world.wallet(GOOD).score(world.terms)
    bank = true[0]
    wrong: list[Issued] = {
        "other bins": [replace(bank, bins=(bank.bins[0], 1 - bank.bins[1]))],
        "other seed": [replace(bank, seed=bytes(32))],
        "other person": world.issue("bob", GOOD),
        "other epoch": world.issue("ada", GOOD, epoch=Epoch(EPOCH.number + 1, EPOCH.last_day)),
        "other expiry": world.issue("ada", GOOD, epoch=Epoch(EPOCH.number, EPOCH.last_day - 1)),
    }[lie]
    with pytest.raises(ForgeryError):
        Wallet("ada", [world.terms], EPOCH).accept(wrong, world.terms)


def test_an_issued_attestation_does_not_print_its_secrets(world):
    issued = world.issue("ada", GOOD)[0]
    assert issued.seed.hex() not in repr(issued)
    assert str(issued.bins) not in repr(issued)


# Forged presentations


def cheat(world: World, parts: list[Issued], offer: bytes, lift: int = 0) -> bytes:
    """A wallet without scruples: present any attestations, claiming `lift` points more than they hold."""
    terms = world.terms
    attestations = [
        Attestation.decode(terms.group, layout, part.attestation, key)
        for layout, key, part in zip(terms.layouts, terms.source_keys, parts, strict=True)
    ]
    rows = [blindings(terms.group, p.seed, 1 + len(a.commitments)) for a, p in zip(attestations, parts, strict=True)]
    bits = [b for layout, part in zip(terms.layouts, parts, strict=True) for b in layout.indicators(part.bins)]
    constant, weights = terms.linear
    value = constant + sum(w * b for w, b in zip(weights, bits, strict=True)) + lift
    r = sum(w * r for w, r in zip(weights, (r for row in rows for r in row[1:]), strict=True)) % terms.group.order
    decoded = Offer.decode(terms, offer)
    return present(terms, decoded, attestations, [row[0] for row in rows], max(value, 0), r)


def test_a_proof_about_another_number_than_the_attested_score_is_refused(world):
    parts = world.issue("ada", POOR)
    good = world.issue("ada", GOOD)
    assert check(world.terms, cheat(world, good, world.offer())).approved
    for lift in (0, 200):  # 0: claims exactly the threshold; 200: lifts itself over it
        with pytest.raises(ForgeryError, match="not proven"):
            check(world.terms, cheat(world, parts, world.offer(), lift))


def test_attestations_of_two_people_do_not_add_up(world):
    ada, bob = world.issue("ada", GOOD), world.issue("bob", GOOD)
    assert check(world.terms, cheat(world, ada, world.offer())).approved
    assert check(world.terms, cheat(world, bob, world.offer())).approved
    with pytest.raises(ForgeryError, match="one and the same person"):
        check(world.terms, cheat(world, [ada[0], bob[1]], world.offer()))


def test_commitments_of_two_attestations_cannot_be_swapped(world):
    frame = world.frame(POOR)
    good = world.issue("ada", GOOD)[0].attestation
    own = world.issue("ada", POOR)[0].attestation
    mixed = own[:126] + good[126:191] + own[191:]
    assert len(mixed) == len(own)
    with pytest.raises(ForgeryError, match="signature"):
        check(world.terms, _replace_attestation(world, b"\x01" + frame[1:], mixed))


def test_a_proof_does_not_move_to_another_lender_threshold_card_nonce_or_day(world):
    frame = world.frame(GOOD)
    assert check(world.terms, frame).approved
    richer = replace(CARD, base=CARD.base + 50)
    other_key = SigningKey()
    for terms in (
        replace(world.terms, threshold=world.threshold + 1),
        replace(world.terms, threshold=world.threshold - 1),
        replace(world.terms, lender="Quay Bank"),
        replace(world.terms, lender_key=other_key.public),
        replace(world.terms, card=richer),
    ):
        with pytest.raises(ForgeryError):
            check(terms, frame)
    # The strongest mover: other terms with the same keys, and an offer that their lender really signs.
    key = world.key
    for terms in (
        world.terms,  # another nonce of the same lender
        replace(world.terms, threshold=world.threshold - 40),
        replace(world.terms, lender="Quay Bank"),
        replace(world.terms, card=richer, threshold=world.threshold + 50),
    ):
        offer = Offer.make(terms, key, epoch=EPOCH.number, day=TODAY).encode()
        moved = frame[:1] + offer + frame[1 + OFFER_BYTES :]
        if len(moved) != terms.frame_bytes:
            moved = moved[: terms.frame_bytes].ljust(terms.frame_bytes, b"\0")
        with pytest.raises(ForgeryError):
            check(terms, moved)


def test_attestations_of_another_epoch_or_past_their_day_are_refused(world):
    def frame(epoch: int, day: int, attested: Epoch = EPOCH) -> bytes:
        offer = world.verifier.offer(epoch=epoch, day=day)
        return cheat(world, world.issue("ada", GOOD, epoch=attested), offer)

    assert check(world.terms, frame(EPOCH.number, EPOCH.last_day)).approved
    with pytest.raises(ForgeryError, match="expired"):
        check(world.terms, frame(EPOCH.number, EPOCH.last_day + 1))
    with pytest.raises(ForgeryError, match="epoch"):
        check(world.terms, frame(EPOCH.number + 1, TODAY))
    with pytest.raises(ForgeryError, match="epoch"):
        check(world.terms, frame(EPOCH.number, TODAY, Epoch(EPOCH.number - 1, EPOCH.last_day)))


def test_every_byte_of_a_frame_counts(world):
    frame = world.frame(GOOD)
    assert check(world.terms, frame).approved
    for at in [*range(0, len(frame), 97), 0, len(frame) - 1]:
        bad = bytearray(frame)
        bad[at] ^= 0x40
        with pytest.raises(ForgeryError):
            check(world.terms, bytes(bad))


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_noise_is_refused_and_nothing_else_happens(noise):
    world = NOISE_WORLD
    with pytest.raises(ForgeryError):
        check(world.terms, noise)
    with pytest.raises(ForgeryError):
        check(world.terms, noise.ljust(world.terms.frame_bytes, b"\x07"))


NOISE_WORLD = World()


@pytest.mark.parametrize("change", ["truncated", "oversized", "empty", "unknown tag", "refusal with content"])
def test_a_frame_of_another_shape_is_refused(world, change):
    frame, refusal = world.frame(GOOD), world.frame(POOR)
    assert check(world.terms, refusal).approved is False
    bad = {
        "truncated": frame[:-1],
        "oversized": frame + b"\0",
        "empty": b"",
        "unknown tag": b"\x02" + frame[1:],
        "refusal with content": refusal[:-1] + b"\x01",
    }[change]
    with pytest.raises(ForgeryError):
        check(world.terms, bad)


def test_a_refusal_does_not_become_a_proof_nor_a_proof_a_refusal(world):
    proof, refusal = world.frame(GOOD), world.frame(POOR)
    for bad in (b"\x00" + proof[1:], b"\x01" + refusal[1:]):
        with pytest.raises(ForgeryError):
            check(world.terms, bad)


def test_the_link_proof_is_needed_and_bound(world):
    """Swapping one link's scalar, or another run's whole link proof, breaks the frame."""
    first, second = world.frame(GOOD), world.frame(GOOD)
    at = 1 + OFFER_BYTES + sum(world.terms.attestation_sizes)
    assert check(world.terms, first).approved
    with pytest.raises(ForgeryError):
        check(world.terms, first[:at] + second[at : at + 97] + first[at + 97 :])


def test_many_frames_are_checked_at_once_and_one_bad_frame_spoils_the_batch(world):
    frames = [world.frame(GOOD, "ada"), world.frame(POOR, "bob"), world.frame(GOOD, "eve")]
    assert [one.approved for one in check_many(world.terms, frames)] == [True, False, True]
    lifted = cheat(world, world.issue("mal", POOR), world.offer(), 200)
    with pytest.raises(ForgeryError):
        check_many(world.terms, [*frames, lifted])


# Replay, probing, and the judge


def test_a_replay_is_answered_alike_and_a_second_use_is_refused(world):
    verifier = Verifier(world.terms, world.key)
    parts, offer = world.issue("ada", GOOD), world.offer()
    frame = cheat(world, parts, offer)
    answer = verifier.decide(frame, day=TODAY)
    assert verifier.decide(frame, day=TODAY) == answer  # the reply was lost: ask again
    with pytest.raises(ForgeryError, match="used before"):
        verifier.decide(cheat(world, parts, world.offer()), day=TODAY)  # same attestations, new offer
    with pytest.raises(ForgeryError, match="used before"):
        verifier.decide(cheat(world, world.issue("ada", GOOD), offer), day=TODAY)  # same offer
    with pytest.raises(ForgeryError, match="another day"):
        verifier.decide(world.frame(GOOD), day=TODAY + 1)


def test_a_lender_cannot_probe_with_thresholds_of_its_own(world):
    """Ten questions read a score by bisection; the wallet answers one, and only if it is published."""
    wallet = world.wallet(GOOD, count=12)
    low, high, answers = 351, CARD.max_total, 0
    while low < high:
        middle = (low + high + 1) // 2
        probe = replace(world.terms, threshold=middle)
        try:
            frame = wallet.apply(Verifier(probe, world.key).offer(epoch=EPOCH.number, day=TODAY), day=TODAY)
        except ParameterError:
            high = middle - 1
            continue
        answers += 1
        low = middle if check(probe, frame).approved else low
    assert answers == 0
    assert check(world.terms, wallet.apply(world.offer(), day=TODAY)).approved  # the published one is answered
    with pytest.raises(ParameterError, match="second answer"):
        wallet.apply(world.offer(), day=TODAY)


def test_without_the_wallets_rule_the_probe_would_work(world):
    """The control: a wallet that takes any terms for published gives its score away in ten questions."""
    low, high = 351, CARD.max_total
    for _ in range(10):
        middle = (low + high + 1) // 2
        probe = Terms(**{**vars_of(world.terms), "threshold": middle})
        wallet = Wallet("ada", [probe], EPOCH)
        wallet.accept(world.issue("ada", GOOD), probe)
        frame = wallet.apply(Verifier(probe, world.key).offer(epoch=EPOCH.number, day=TODAY), day=TODAY)
        low, high = (middle, high) if check(probe, frame).approved else (low, middle - 1)
    assert low == high == 725


def vars_of(terms: Terms) -> dict[str, object]:
    return {name: getattr(terms, name) for name in Terms.__dataclass_fields__}


@pytest.mark.parametrize("change", ["truncated", "unsigned", "other day", "other epoch", "noise"])
def test_the_wallet_refuses_an_offer_that_is_not_in_order(world, change):
    wallet, offer = world.wallet(GOOD), world.offer()
    bad = {
        "truncated": offer[:-1],
        "unsigned": offer[:-1] + bytes([offer[-1] ^ 1]),
        "other day": world.verifier.offer(epoch=EPOCH.number, day=TODAY - 1),
        "other epoch": world.verifier.offer(epoch=EPOCH.number + 1, day=TODAY),
        "noise": b"\x07" * OFFER_BYTES,
    }[change]
    with pytest.raises((ForgeryError, ParameterError)):
        wallet.apply(bad, day=TODAY)
    assert check(world.terms, wallet.apply(offer, day=TODAY)).approved


def test_a_wallet_without_attestations_says_so(world):
    with pytest.raises(DataError, match="no fresh attestation"):
        Wallet("ada", [world.terms], EPOCH).apply(world.offer(), day=TODAY)


def test_a_refusal_uses_up_no_attestation_and_a_proof_uses_one(world):
    poor, good = world.wallet(POOR), world.wallet(GOOD)
    poor.apply(world.offer(), day=TODAY)
    good.apply(world.offer(), day=TODAY)
    assert (poor.presentations_left(world.terms), good.presentations_left(world.terms)) == (1, 0)


def test_a_refusal_costs_the_wallet_the_work_of_a_proof(world, monkeypatch):
    """Else the time to the answer would tell the bit to whoever sees the wire."""
    made = []

    def counting(*arguments):
        made.append(arguments)
        return present(*arguments)

    monkeypatch.setattr("blindscore_crypto.sealed.parties.wallet.present", counting)
    refused, proven = world.frame(POOR), world.frame(GOOD)
    assert len(made) == 2
    assert (check(world.terms, refused).approved, check(world.terms, proven).approved) == (False, True)


def test_a_bent_decision_is_proof_against_the_lender(world):
    frame = world.frame(GOOD)
    honest = world.verifier.decide(frame, day=TODAY)
    bent = world.verifier.sign_decision(frame, False).encode()
    assert is_bent(world.terms, frame, honest) is False
    assert is_bent(world.terms, frame, bent) is True
    refused = world.frame(POOR)
    assert is_bent(world.terms, refused, world.verifier.sign_decision(refused, True).encode()) is True


def test_nobody_is_accused_with_forged_papers(world):
    frame, other = world.frame(GOOD), world.frame(GOOD, "bob")
    bent = world.verifier.sign_decision(frame, False).encode()
    assert is_bent(world.terms, frame, bent) is True
    stranger = Verifier(replace(world.terms, lender_key=(key := SigningKey()).public), key)
    for papers in (
        (other, bent),  # an answer to another frame
        (frame, b"\x01" + bent[1:]),  # the bit turned
        (frame, bent[:-1]),
        (frame, b"\x02" + bent[1:]),
        (frame, stranger.sign_decision(frame, False).encode()),
    ):
        with pytest.raises(ForgeryError):
            is_bent(world.terms, *papers)
    made_up = bytearray(frame)
    made_up[-1] ^= 1  # a frame that proves nothing, but that the lender was led to sign
    with pytest.raises(ForgeryError):
        is_bent(world.terms, bytes(made_up), world.verifier.sign_decision(bytes(made_up), False).encode())


def test_a_verifier_needs_the_published_key(world):
    with pytest.raises(ForgeryError, match="not the one"):
        Verifier(world.terms, SigningKey())


def test_the_lender_cannot_choose_what_is_added_up(world):
    """The commitment to score - threshold follows from public things; the wallet's opening fits it."""
    parts = world.issue("ada", GOOD)
    pairs = zip(world.terms.layouts, world.terms.source_keys, parts, strict=True)
    attestations = [Attestation.decode(P256_GROUP, layout, p.attestation, key) for layout, key, p in pairs]
    rows = [blindings(P256_GROUP, p.seed, 1 + len(a.commitments)) for a, p in zip(attestations, parts, strict=True)]
    r = sum(w * r for w, r in zip(world.terms.linear[1], (r for row in rows for r in row[1:]), strict=True))
    pedersen = Pedersen(P256_GROUP)
    assert P256_GROUP.equal(difference(world.terms, attestations), pedersen.commit(725 - 640, r))
    assert not P256_GROUP.equal(difference(world.terms, attestations), pedersen.commit(725 - 639, r))
    assert P256_GROUP.equal(attestations[0].holder, pedersen.commit(holder_scalar(P256_GROUP, "ada"), rows[0][0]))


def test_present_refuses_to_prove_what_is_false(world):
    parts = world.issue("ada", POOR)
    layout, key = world.terms.layouts[0], world.terms.source_keys[0]
    attestation = Attestation.decode(P256_GROUP, layout, parts[0].attestation, key)
    offer = Offer.decode(world.terms, world.offer())
    with pytest.raises(ParameterError, match="cannot be proven"):
        present(world.terms, offer, [attestation], [1], -1, random_scalar(P256_GROUP))


def test_a_refusal_says_nothing_but_no(world):
    offer = Offer.decode(world.terms, world.offer())
    assert decline(world.terms, offer) == b"\0" + offer.encode() + bytes(world.terms.frame_bytes - 1 - OFFER_BYTES)


def test_a_layout_blanks_points():
    layout = Layout("bank", CARD.characteristics)
    assert all(set(c.points) == {0} for c in layout.characteristics)
