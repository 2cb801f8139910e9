"""Sealed and one-show, whole applications and single messages: each forgery beside its accepted twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import CardError, DataError, ForgeryError, ParameterError
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed import one_show
from blindscore_crypto.sealed.attestation import HEADER_BYTES, Attestation, Issued, blindings, opened
from blindscore_crypto.sealed.check import answer_bytes, check, check_each, check_many
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.holder import holder_scalar, secret_base
from blindscore_crypto.sealed.judge import Finding
from blindscore_crypto.sealed.offer import HEAD_BYTES, OFFER_BYTES, Offer, Verdict, ask, seal
from blindscore_crypto.sealed.presentation import difference
from blindscore_crypto.sealed.proofs.commitments import Pedersen
from blindscore_crypto.sealed.terms import Epoch, Terms, layouts_of, weights_of
from tests.crypto.sealed_world import CARD, EPOCH, GOOD, POOR, SOURCE_OF, World, cards

FORMS = pytest.mark.parametrize("blind", [False, True], ids=["sealed", "one-show"])


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def blind_world() -> World:
    return World(blind=True)


@pytest.fixture(params=["sealed", "one-show"])
def either(request, world, blind_world) -> World:
    return world if request.param == "sealed" else blind_world


# What must work


@FORMS
def test_who_reaches_the_threshold_is_approved_and_who_does_not_is_not(blind):
    world = World(blind=blind)
    table = world.table()
    good, poor = world.apply("ada", "good", table), world.apply("bob", "poor", table)
    assert (good.verdict(), poor.verdict()) == (True, False)
    assert good.finding() == poor.finding() == Finding.KEPT
    assert good.troubles() == poor.troubles() == []
    assert (good.score(), poor.score()) == (725, 455)
    sizes = table.tape.sizes()
    assert all(len(sequences) == 1 for sequences in sizes.values())  # one size, whatever is said
    assert (answer_bytes(world.terms) in sizes["wallet", "lender"].pop()) is True


def test_the_wallet_knows_score_reasons_and_what_if():
    wallet = World().apply("bob", "poor")
    assert wallet.distance() == 455 - 640
    assert [(r.feature, r.lost) for r in wallet.reasons()] == [("arrears", 135), ("income", 100), ("housing", 35)]
    assert wallet.what_if("arrears", 0) == 455 + 135
    with pytest.raises(DataError, match="no such feature or bin"):
        wallet.what_if("arrears", 9)


@given(cards(), st.booleans(), st.booleans())
@settings(max_examples=10, deadline=None)
def test_every_card_person_and_threshold_gives_the_clear_decision(drawn, two_sources, blind):
    card, bins, threshold = drawn
    if threshold > card.max_total:
        return
    source_of = {f: f"s{i % 2 if two_sources else 0}" for i, f in enumerate(card.features)}
    world = World(card, threshold, source_of=source_of, blind=blind)
    clear, client = int(card.scores(np.array([bins]))[0]), SigningKey()
    by_feature = dict(zip(card.features, bins, strict=True))
    if clear >= threshold:
        assert check(world.terms, world.answer(by_feature, client=client)).approved
    else:
        with pytest.raises((ForgeryError, ParameterError), match=r"not proven|cannot be proven"):
            check(world.terms, world.answer(by_feature, client=client))


@given(st.integers(-2000, 3000), st.integers(351, 950))
@settings(deadline=None)
def test_a_clipped_score_passes_exactly_when_the_total_does(total, threshold):
    assert (int(CARD.clip(np.array([total]))[0]) >= threshold) is (total >= threshold)


def test_a_wallet_that_restarts_half_way_goes_on_from_its_store():
    world = World(blind=True)
    table, store = world.table(), MemoryStore()
    wallet = world.new_wallet(store=store)
    world.enrol("ada", {"income": 5000.0, "arrears": 0.0, "housing": "own"})
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    assert wallet.purse.left(wallet.terms) == 1
    table.leave(wallet.name)
    again = world.new_wallet(store=store)
    table.seat(again)
    table.play(0, again.name, "apply", legal_id="ada")
    assert again.verdict() is True
    assert again.secret(world.group) == wallet.secret(world.group)
    table.play(0, again.name, "apply", legal_id="ada")
    assert any("second answer" in why for why in again.troubles())


def test_a_wallet_fetches_in_batches_early_and_uses_one_signature_an_application():
    world = World()
    table, wallet = world.table(), world.new_wallet(batch=4)
    world.enrol("ada", {"income": 5000.0, "arrears": 0.0, "housing": "own"})
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    assert wallet.purse.left(wallet.terms) == 4
    assert "lender" not in {p.receiver for p in table.tape.passages}
    table.play(0, wallet.name, "apply", legal_id="ada")
    assert (wallet.verdict(), wallet.purse.left(wallet.terms)) == (True, 3)
    poor = world.apply("bob", "poor", table)
    assert poor.purse.left(poor.terms) == 1  # a refusal uses up none


# Terms


@pytest.mark.parametrize("threshold", [350, 951, 0, -5])
def test_a_threshold_that_clipping_would_change_is_refused(world, threshold):
    replace(world.terms, threshold=351), replace(world.terms, threshold=725)
    with pytest.raises(ParameterError, match="threshold"):
        replace(world.terms, threshold=threshold)


def test_a_threshold_out_of_reach_is_refused(world):
    with pytest.raises(ParameterError, match="out of reach"):
        replace(world.terms, threshold=CARD.max_total + 1)


def test_terms_need_one_layout_for_each_feature(world):
    bank, bureau = world.terms.sources
    for sources in ((bank,), (bank, bank), (bank, bureau, bureau), ()):
        with pytest.raises(DataError, match=r"sources|cover"):
            replace(world.terms, sources=sources)
    with pytest.raises(DataError, match="no source vouches"):
        layouts_of(CARD, {"income": "bank"})


def test_a_card_with_other_edges_does_not_fit_the_layout(world):
    moved = replace(CARD.characteristics[0], edges=(1000.0, 2000.0, 4000.5))
    other = replace(CARD, characteristics=(moved, *CARD.characteristics[1:]))
    weights_of(CARD, world.terms.sources[0].layout)
    with pytest.raises(DataError, match="bin it differently"):
        weights_of(other, world.terms.sources[0].layout)
    with pytest.raises(DataError, match="bin it differently"):
        replace(world.terms, card=other)


def test_the_source_sees_no_points(world):
    """Two cards over the same edges give the source the same layout, hence the same work and bytes."""
    other = replace(CARD, characteristics=tuple(replace(c, points=c.points[::-1]) for c in CARD.characteristics))
    assert other.fingerprint != CARD.fingerprint
    assert layouts_of(other, SOURCE_OF) == {s.name: s.layout for s in world.terms.sources}
    assert all(set(c.points) == {0} for s in world.terms.sources for c in s.layout.characteristics)


def test_terms_travel_as_bytes_and_are_checked_whole(either):
    data = either.terms.encode()
    assert Terms.decode(data) == either.terms
    assert Terms.decode(data).fingerprint == either.terms.fingerprint
    for at in range(0, len(data), 7):
        bad = bytearray(data)
        bad[at] ^= 1
        try:
            assert Terms.decode(bytes(bad)).fingerprint != either.terms.fingerprint
        except (ForgeryError, CardError):
            continue
    for bad, said in (
        (b"", "cut short after 0 bytes"),
        (data[:-1], "cut short"),
        (data + b"\0", "1 bytes are left over"),
        (b"x" + data[1:], "begins otherwise than BST2"),
        ("text", "not bytes"),
    ):
        with pytest.raises(ForgeryError, match=f"terms: .*{said}"):
            Terms.decode(bad)


# Attestations


@pytest.fixture
def issued(world) -> Issued:
    return world.issue("ada", GOOD)[0]


def test_every_bit_of_an_attestation_is_signed(world, issued):
    source = world.terms.sources[0]
    assert Attestation.decode(P256_GROUP, source, issued.attestation).encode() == issued.attestation
    for at in [*range(0, HEADER_BYTES), 100, 300, len(issued.attestation) - 1, len(issued.attestation) - 64]:
        bad = bytearray(issued.attestation)
        bad[at] ^= 1
        with pytest.raises(ForgeryError, match=r"is not one of 'bank'|signature on this attestation does not verify"):
            Attestation.decode(P256_GROUP, source, bytes(bad))


def test_an_attestation_that_is_not_the_expected_one_is_refused(world, issued):
    source = world.terms.sources[0]
    Attestation.decode(P256_GROUP, source, issued.attestation)
    whole = issued.attestation
    for other, data, said in (
        (source, whole[:-1], f"has {len(whole)} bytes, got {len(whole) - 1}"),
        (source, whole + b"\0", f"has {len(whole)} bytes, got {len(whole) + 1}"),
        (source, b"", f"has {len(whole)} bytes, got 0"),
        (replace(source, key=SigningKey().public), whole, "is not one of 'bank'"),
        (replace(source, layout=world.terms.sources[1].layout), whole, f"bytes, got {len(whole)}"),
    ):
        with pytest.raises(ForgeryError, match=said):
            Attestation.decode(P256_GROUP, other, data)


def test_issued_attestations_travel_as_bytes(world, issued):
    source, data = world.terms.sources[0], issued.encode()
    assert Issued.decode(P256_GROUP, source, data) == issued
    assert len(data) == Issued.size(P256_GROUP, source)
    for bad, said in (
        (data[:-1], f"issues {len(data)} bytes, got {len(data) - 1}"),
        (data + b"\0", f"issues {len(data)} bytes, got {len(data) + 1}"),
        (data[:-1] + b"\x09", "a bin that its layout does not have"),
    ):
        with pytest.raises(ForgeryError, match=said):
            Issued.decode(P256_GROUP, source, bad)


@pytest.mark.parametrize(
    "lie", ["other bins", "other seed", "other person", "other epoch", "other expiry", "other secret"]
)
def test_the_wallet_notices_an_attestation_that_does_not_open_or_marks_its_holder(world, issued, lie):
    source, public = world.terms.sources[0], P256_GROUP.mul(world.secret, secret_base(P256_GROUP))
    opened(P256_GROUP, source, EPOCH, "ada", public, issued)
    wrong = {
        "other bins": replace(issued, bins=(issued.bins[0], 1 - issued.bins[1])),
        "other seed": replace(issued, seed=bytes(32)),
        "other person": world.issue("bob", GOOD)[0],
        "other epoch": world.issue("ada", GOOD, epoch=Epoch(EPOCH.number + 1, EPOCH.last_day))[0],
        "other expiry": world.issue("ada", GOOD, epoch=Epoch(EPOCH.number, EPOCH.last_day - 1))[0],
        "other secret": world.issue("ada", GOOD, secret=7)[0],
    }[lie]
    with pytest.raises(ForgeryError, match=r"mark its holder|does not commit"):
        opened(P256_GROUP, source, EPOCH, "ada", public, wrong)


# Presentations


def test_a_proof_about_another_number_than_the_attested_score_is_refused(world):
    client = SigningKey()
    parts, good = world.issue("ada", POOR), world.issue("ada", GOOD)
    assert check(world.terms, world.present(good, world.offer(client), client)).approved
    for lift in (0, 200):  # 0: claims exactly the threshold; 200: lifts itself over it
        with pytest.raises(ForgeryError, match="not proven"):
            check(world.terms, world.present(parts, world.offer(client), client, lift))


def test_attestations_of_two_people_do_not_add_up(world):
    client = SigningKey()
    ada, bob = world.issue("ada", GOOD), world.issue("bob", GOOD)
    for parts in (ada, bob):
        assert check(world.terms, world.present(parts, world.offer(client), client)).approved
    with pytest.raises(ForgeryError, match="one and the same person"):
        check(world.terms, world.present([ada[0], bob[1]], world.offer(client), client))


def test_attestations_of_two_secrets_do_not_add_up(world):
    """Two wallets of one person: each has its own place at a lender, and they cannot be mixed."""
    client = SigningKey()
    one, other = world.issue("ada", GOOD), world.issue("ada", GOOD, secret=77)
    assert check(world.terms, world.present(other, world.offer(client), client, secret=77)).approved
    for secret in (world.secret, 77):
        with pytest.raises(ForgeryError, match="one and the same person"):
            check(world.terms, world.present([one[0], other[1]], world.offer(client), client, secret=secret))


def test_blind_signatures_of_two_people_or_secrets_do_not_add_up(blind_world):
    world, client = blind_world, SigningKey()
    offer = world.offer(client)
    ada = [world.credential(i, GOOD, "ada") for i in (0, 1)]
    bob = [world.credential(i, GOOD, "bob") for i in (0, 1)]
    other = [world.credential(i, GOOD, "ada", secret=77) for i in (0, 1)]
    made = one_show.present(world.terms, offer, client, world.blind_witness(ada, GOOD))
    assert check(world.terms, made).approved
    for mixed in ([ada[0], bob[1]], [ada[0], other[1]]):
        with pytest.raises(ForgeryError, match="one and the same person"):
            check(world.terms, one_show.present(world.terms, offer, client, world.blind_witness(mixed, GOOD)))


def test_claiming_better_bins_than_were_blindly_signed_is_caught(blind_world):
    world, client = blind_world, SigningKey()
    offer = world.offer(client)
    poor = [world.credential(i, POOR) for i in (0, 1)]
    with pytest.raises(ForgeryError, match="not what the source signed"):
        check(world.terms, one_show.present(world.terms, offer, client, world.blind_witness(poor, GOOD)))
    with pytest.raises(ForgeryError, match="not proven"):
        check(world.terms, one_show.present(world.terms, offer, client, world.blind_witness(poor, POOR), value=0))
    with pytest.raises(ParameterError, match="cannot be proven"):  # wrap-around: a negative number has no proof
        one_show.present(world.terms, offer, client, world.blind_witness(poor, POOR))


def test_claiming_zero_for_the_blinding_factor_is_caught(blind_world):
    """gamma = 0 would make every equation on C_s void; zeta would have to be the identity, which has no encoding."""
    world, client = blind_world, SigningKey()
    good = [replace(world.credential(i, GOOD), gamma=0) for i in (0, 1)]
    with pytest.raises(ForgeryError, match="not what the source signed"):
        check(world.terms, one_show.present(world.terms, world.offer(client), client, world.blind_witness(good, GOOD)))


def test_a_forged_blind_signature_is_caught(blind_world):
    other, world, client = World(blind=True), blind_world, SigningKey()
    forged = [other.credential(i, GOOD) for i in (0, 1)]
    with pytest.raises(ForgeryError, match="does not verify"):
        check(
            world.terms, one_show.present(world.terms, world.offer(client), client, world.blind_witness(forged, GOOD))
        )


def test_a_proof_does_not_move_to_other_terms_or_another_offer(either):
    client = SigningKey()
    answer = either.answer(GOOD, client=client)
    assert check(either.terms, answer).approved
    richer = replace(CARD, base=CARD.base + 50)
    for terms in (
        either.terms,  # another nonce of the same lender
        replace(either.terms, threshold=either.threshold - 40),
        replace(either.terms, lender="Quay Bank"),
        replace(either.terms, purpose="perk"),
        replace(either.terms, card=richer, threshold=either.threshold + 50),
    ):
        offer = either.offer(client, terms)  # the strongest mover: an offer that this lender really signs
        moved = seal(offer, 1, answer[HEAD_BYTES:-SIGNATURE_BYTES], answer_bytes(terms), client)
        with pytest.raises(ForgeryError, match="one and the same person"):
            check(terms, moved)
    with pytest.raises(ForgeryError, match="other terms"):
        check(replace(either.terms, threshold=either.threshold + 1), answer)


def test_attestations_past_their_day_are_refused(either):
    client = SigningKey()
    late = Offer.make(either.terms, either.key, ask(client.public), day=EPOCH.last_day + 1)
    on_time = Offer.make(either.terms, either.key, ask(client.public), day=EPOCH.last_day)

    def answer(offer: Offer) -> bytes:
        if either.blind:
            made = [either.credential(i, GOOD) for i in (0, 1)]
            return one_show.present(either.terms, offer, client, either.blind_witness(made, GOOD))
        return either.present(either.issue("ada", GOOD), offer, client)

    assert check(either.terms, answer(on_time)).approved
    with pytest.raises(ForgeryError, match="expired"):
        check(either.terms, answer(late))


EVERY_PART = (
    "neither a proof nor a refusal|does not verify|does not hold|is not one of|on the curve|canonical|SEC 1"
    "|one and the same person|other terms|another day or epoch|an offer has"
)


def test_every_byte_of_an_answer_counts(either):
    client = SigningKey()
    answer = either.answer(GOOD, client=client)
    assert check(either.terms, answer).approved
    for at in [*range(0, len(answer) - 64, 131), len(answer) - 65]:
        bad = bytearray(answer[:-64])
        bad[at] ^= 0x40
        with pytest.raises(ForgeryError, match=EVERY_PART):
            check(either.terms, bytes(bad) + client.sign(bytes(bad), Purpose.ANSWER))
    for other in (b"", answer[:-1], answer + b"\0"):
        with pytest.raises(ForgeryError, match=f"has {len(answer)} bytes, got {len(other)}"):
            check(either.terms, other)
    with pytest.raises(ForgeryError, match="the signature on this answer does not verify"):
        check(either.terms, answer[:-1] + bytes([answer[-1] ^ 1]))


@given(st.binary(max_size=200))
@settings(max_examples=30, deadline=None)
def test_noise_is_refused_and_nothing_else_happens(noise):
    for data in (noise, noise.ljust(answer_bytes(NOISE_WORLD.terms), b"\x07")):
        with pytest.raises(
            ForgeryError,
            match=r"an answer under these terms has|neither a proof nor a refusal|holds nothing|an offer has",
        ):
            check(NOISE_WORLD.terms, data)


NOISE_WORLD = World()


def test_a_refusal_says_nothing_but_no_and_does_not_become_a_proof(either):
    client = SigningKey()
    offer, length = either.offer(client), answer_bytes(either.terms)
    refusal, proof = seal(offer, 0, b"", length, client), either.answer(GOOD, client=client)
    assert check(either.terms, refusal).approved is False
    other = seal(either.offer(SigningKey()), 0, b"", length, client)
    assert refusal[HEAD_BYTES:-SIGNATURE_BYTES] == other[HEAD_BYTES:-SIGNATURE_BYTES]  # the same for everybody
    for kind, body, said in (
        (0, proof[HEAD_BYTES:-64], "a refusal holds nothing"),
        (1, refusal[HEAD_BYTES:-64], "is not one of 'bank'|SEC 1 uncompressed form"),
        (2, b"", "neither a proof nor a refusal"),
        (0, b"\x01" * 9, "a refusal holds nothing"),
    ):
        with pytest.raises(ForgeryError, match=said):
            check(either.terms, seal(offer, kind, body, length, client))


def test_many_answers_are_checked_at_once_and_one_bad_one_is_blamed(either):
    client = SigningKey()
    answers = [either.answer(GOOD, who, client) for who in ("ada", "bob")]
    answers.append(seal(either.offer(client), 0, b"", answer_bytes(either.terms), client))
    assert [one.approved for one in check_many(either.terms, answers)] == [True, True, False]
    assert check_many(either.terms, []) == []
    if either.blind:
        poor = either.blind_witness([either.credential(i, POOR) for i in (0, 1)], POOR)
        bad = one_show.present(either.terms, either.offer(client), client, poor, value=0)
    else:
        bad = either.present(either.issue("mal", POOR), either.offer(client), client, 200)
    for batch in ([*answers, bad], [bad, *answers], [bad]):
        with pytest.raises(ForgeryError, match="not proven"):
            check_many(either.terms, batch)


def test_among_many_answers_the_bad_ones_are_found_in_few_batches(either, monkeypatch):
    from blindscore_crypto.sealed import check as module

    client, sizes = SigningKey(), []
    good = [either.answer(GOOD, f"person {i}", client) for i in range(16)]
    real = module._holds
    monkeypatch.setattr(module, "_holds", lambda terms, shown: (sizes.append(len(shown)), real(terms, shown))[1])
    assert [one.approved for one in check_each(either.terms, good)] == [True] * 16
    assert sizes == [16]
    if either.blind:
        poor = either.blind_witness([either.credential(i, POOR) for i in (0, 1)], POOR)
        false = one_show.present(either.terms, either.offer(client), client, poor, value=0)
    else:
        false = either.present(either.issue("mal", POOR), either.offer(client), client, 200)
    for at in (0, 9, 15):
        sizes.clear()
        mixed = [*good[:at], false, *good[at + 1 :]]
        mixed[3 if at else 4] = bytes(len(false))  # malformed: in no batch at all
        told = [one is not None for one in check_each(either.terms, mixed)]
        assert told == [i not in (at, 3 if at else 4) for i in range(16)]
        assert len(sizes) <= 1 + 2 * 4  # log2(16) times two halves
    assert check_each(either.terms, []) == []


def test_the_lender_cannot_choose_what_is_added_up(world):
    """The commitment to score - threshold follows from public things; the wallet's opening fits it."""
    parts = world.issue("ada", GOOD)
    pairs = list(zip(world.terms.sources, parts, strict=True))
    attestations = [Attestation.decode(P256_GROUP, source, p.attestation) for source, p in pairs]
    rows = [blindings(P256_GROUP, p.seed, 2 + source.n_commitments) for source, p in pairs]
    r = sum(w * r for w, r in zip(world.terms.linear[1], (r for row in rows for r in row[2:]), strict=True))
    pedersen = Pedersen(P256_GROUP)
    assert P256_GROUP.equal(difference(world.terms, attestations), pedersen.commit(725 - 640, r))
    assert not P256_GROUP.equal(difference(world.terms, attestations), pedersen.commit(725 - 639, r))
    assert P256_GROUP.equal(attestations[0].holder, pedersen.commit(holder_scalar(P256_GROUP, "ada"), rows[0][0]))


def test_a_refusal_costs_the_wallet_the_work_of_a_proof(monkeypatch):
    """Else the time to the answer would tell the bit to whoever sees the wire."""
    from blindscore_crypto.sealed import presentation

    made, real = [], presentation.present
    monkeypatch.setattr(presentation, "present", lambda *a: (made.append(a), real(*a))[1])
    world = World()
    assert [world.apply(who, record).verdict() for who, record in (("ada", "good"), ("bob", "poor"))] == [True, False]
    assert len(made) == 2


def test_decisions_have_one_size_and_a_lost_reply_is_given_again(either):
    client = SigningKey()
    answer = either.answer(GOOD, client=client)
    lender = either.new_lender()
    first = either.decide(lender, answer, client)
    assert first.verdict == Verdict.APPROVED
    assert either.decide(lender, answer, client).encode() == first.encode()
    restarted = either.new_lender(store=lender.store)
    assert either.decide(restarted, answer, client).encode() == first.encode()
    assert len(answer) - len(answer[HEAD_BYTES:]) == 1 + OFFER_BYTES + 32


def test_a_lender_needs_the_published_key(world):
    with pytest.raises(ForgeryError, match="not the one"):
        world.new_lender(key=SigningKey())
