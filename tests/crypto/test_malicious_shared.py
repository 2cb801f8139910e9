"""Lenders, helpers, sources and applicants of ``shared`` that cheat, each beside its accepted twin."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

import blindscore_crypto.shared.check as check
import blindscore_crypto.shared.parties.helper as helper_module
import blindscore_crypto.shared.parties.lender as lender_module
import blindscore_crypto.shared.parties.source as source_module
from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore_crypto.channel.frames import Kind
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.shared import wire
from blindscore_crypto.shared.deal import chi_hash
from blindscore_crypto.shared.field import T
from blindscore_crypto.shared.line import OVERHEAD, Line
from blindscore_crypto.shared.points import Points
from tests.crypto.encrypted_world import BANK, NAME, WHO, random_bins, random_card
from tests.crypto.shared_world import HELPER, Shares

CARD = random_card(np.random.default_rng(31), characteristics=8)
ROWS = random_bins(np.random.default_rng(32), CARD, 8)
THRESHOLD = int(np.median(CARD.scores(ROWS))) + 1


def world(row=ROWS[0]) -> Shares:
    return Shares.of(CARD, row, THRESHOLD)


def clear(row=ROWS[0]) -> bool:
    return bool(CARD.scores(row[None])[0] >= THRESHOLD)


def refused(played: Shares, wallet) -> bool:
    return wallet.decision is None and played.decided() == []


def resealed(played: Shares, kind: Kind, which: str, change):
    """Let a server put other numbers into one of its frames on the servers' line, properly sealed."""

    def put(sender, message):
        if message.kind != which:
            return message
        body = played.to_lender.open(kind, message.body, len(message.body) - OVERHEAD)
        return replace(message, body=played.to_lender.seal(kind, change(body, played.lender.points.shape)))

    return put


def test_the_accepted_twin_of_all_that_follows():
    assert {clear(row) for row in ROWS} == {True, False}
    for row in ROWS:
        played = world(row)
        assert played.play().decision is clear(row)
        assert played.decided() == [int(clear(row))]


# -- lender ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [0, 1, -1], ids=["threshold", "first point", "last point"])
def test_a_lender_that_bends_its_card_for_one_person_learns_nothing(entry):
    """Whatever the bins are: a refusal says nothing of the person."""
    for row in ROWS:
        played = world(row)
        honest = played.lender.points
        bent = honest.weights.copy()
        bent[entry] = (bent[entry] + 300) % T
        played.lender.points = Points(honest.shape, bent)
        assert refused(played, played.play())
        played.lender.points = honest
        assert played.play().decision is clear(row)


@pytest.mark.parametrize("part", ["points", "opened", "total", "defect", "tags"])
def test_a_lender_that_shows_other_numbers_than_it_was_dealt_learns_nothing(part):
    def change(body, shape):
        proof = wire.Proof.decode(shape, body)
        value = getattr(proof, part)
        if part == "tags":
            return replace(proof, tags=bytes(32)).encode()
        moved = value.copy()
        moved.flat[0] = (moved.flat[0] + 1) % T
        return replace(proof, **{part: moved}).encode()

    for row in ROWS[:4]:
        played = world(row)
        assert refused(played, played.play(change=resealed(played, Kind.PROOF, "proof", change)))


def test_a_lender_that_enrols_a_second_card_or_for_no_source_of_the_helper_is_refused():
    played = world()
    again = played.lender.enrol(played.bank.public.id)
    (told,) = played.helper.handle(replace(again, sender=NAME))
    assert told.kind == "refusal"
    stranger = SigningKey().public
    played.lender.sources[stranger.id] = stranger
    (told,) = played.helper.handle(replace(played.lender.enrol(stranger.id), sender=NAME))
    assert told.kind == "refusal"
    assert played.play().decision is clear()


def test_a_lender_asks_once_about_a_person():
    played = world()
    played.play()
    for kind in ("masked", "proof"):
        (frame,) = (m for _, m in played.sent if m.kind == kind)
        (told,) = played.helper.handle(replace(frame, sender=NAME))
        assert told.kind == "refusal"


def test_a_lender_cannot_tell_its_applicant_another_decision():
    played = world()

    def turn(sender, message):
        if message.kind == "decision":
            approved, token = wire.read_decision(message.body, wallet.nonce)
            return replace(message, body=wire.decision_frame(wallet.nonce, not approved, token))
        return message

    wallet = played.wallet()
    assert played.play(wallet, change=turn).decision is None
    assert played.decided() == [int(clear())]  # it knows, and can only stay silent
    assert played.play().decision is clear()


# -- helper ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["total", "defect", "token", "tags"])
def test_a_helper_that_shifts_its_last_word_decides_nothing(part):
    def change(body, shape):
        last = wire.TokenShare.decode(body)
        if part == "token":
            return replace(last, token=(last.token + 1) % 2**64).encode()
        if part == "tags":
            return replace(last, tags=bytes(32)).encode()
        moved = getattr(last, part).copy()
        moved.flat[0] = (moved.flat[0] + 300) % T
        return replace(last, **{part: moved}).encode()

    for row in ROWS[:4]:
        played = world(row)
        assert refused(played, played.play(change=resealed(played, Kind.TOKEN, "token", change)))


@pytest.mark.parametrize("part", ["opened", "chi", "tags"])
def test_a_helper_that_challenges_falsely_gets_no_proof(part):
    """Other weights chi would show it a sum of points; other sums would test a guess of a bin."""

    def change(body, shape):
        asked = wire.Challenge.decode(shape, body)
        moved = asked.opened.copy()
        moved[0, 0] = (moved[0, 0] + 1) % T
        other = {"opened": moved, "chi": bytes(16), "tags": bytes(32)}[part]
        return replace(asked, **{part: other}).encode()

    for row in ROWS[:4]:
        played = world(row)
        assert refused(played, played.play(change=resealed(played, Kind.CHALLENGE, "challenge", change)))
        assert [m.kind for _, m in played.sent if m.kind == "proof"] == []


def test_without_the_hash_of_chi_the_helper_would_read_a_sum_of_points(monkeypatch):
    """The control of the test above: what G shows under weights that were not dealt is the lender's own secret."""
    from blindscore_crypto.shared.deal import challenge
    from blindscore_crypto.shared.field import dot, times

    played, other = world(), b"\1" * 16
    monkeypatch.setattr(check, "chi_hash", lambda nonce, chi: chi_hash(nonce, dealt[0]))
    dealt, shown = [], []

    def change(body, shape):
        asked = wire.Challenge.decode(shape, body)
        dealt.append(asked.chi)
        return replace(asked, chi=other).encode()

    def listen(sender, message):
        if message.kind == "proof":
            body = played.to_lender.open(Kind.PROOF, message.body, len(message.body) - OVERHEAD)
            shown.append(wire.Proof.decode(played.lender.points.shape, body))
        return resealed(played, Kind.CHALLENGE, "challenge", change)(sender, message)

    played.play(change=listen)
    _, masked, half, card = played.helper._waiting(shown[0].nonce)
    shape, weights = half.shape, played.lender.points.weights
    right, wrong = challenge(shape, dealt[0]), challenge(shape, other)
    tag = (times(card.key, (weights - masked.delta) @ right % T) + half.grown.point_pad) % T
    read = (shown[0].points + tag - dot(wrong, card.pads)) % T  # phi times a sum of points under the wrong weights
    assert (read == times(card.key, weights @ wrong % T)).all()


def test_helper_and_applicant_together_do_not_turn_a_refusal_into_an_approval():
    """The applicant knows both hashes of tokens and carries every sealed half; the helper may send any share."""
    row = next(row for row in ROWS if not clear(row))
    played = world(row)
    for shift in (1, 2**63, 0x1234):

        def change(body, shape, shift=shift):
            last = wire.TokenShare.decode(body)
            return replace(last, token=last.token ^ shift).encode()

        assert refused(played, played.play(change=resealed(played, Kind.TOKEN, "token", change)))
    assert played.play().decision is False


def test_a_helper_sees_uniform_points_of_comparison_for_the_best_and_the_worst(monkeypatch):
    seen = []
    point = check._point
    monkeypatch.setattr(check, "_point", lambda *parts: seen.append(point(*parts)) or seen[-1])
    for row in (CARD_BEST, CARD_WORST):
        seen.clear()
        played = world(row)
        for _ in range(30):
            played.play()
        assert abs(np.mean(seen) / T - 0.5) < 0.27  # five standard deviations of a uniform mean of thirty
        assert np.std(seen) / T > 0.15


CARD_BEST = np.array([int(np.argmax(c.points)) for c in CARD.characteristics])
CARD_WORST = np.array([int(np.argmin(c.points)) for c in CARD.characteristics])


# -- source ------------------------------------------------------------------------------------------------------------


def false_deal(monkeypatch, indicators):
    honest = source_module.deal
    monkeypatch.setattr(source_module, "deal", lambda shape, ones, nonce, phi: honest(shape, indicators, nonce, phi))


@pytest.mark.parametrize("entry", [2, T - 1, T // 2], ids=["two", "minus one", "half"])
def test_a_source_that_shares_something_else_than_a_bin_is_refused(monkeypatch, entry):
    played = world()
    ones = played.lender.layout.indicators(ROWS[0])
    false_deal(monkeypatch, [entry, *ones[1:]])
    assert refused(played, played.play())


def test_a_source_that_shares_two_bins_of_one_characteristic_is_refused_and_one_bin_is_not(monkeypatch):
    played = world()
    shape = played.lender.points.shape
    wide = next(k for k, width in enumerate(shape.widths) if width > 1)
    at = int(shape.starts[wide])
    ones = [0] * shape.indicators
    false_deal(monkeypatch, [1 if i in (at, at + 1) else one for i, one in enumerate(ones)])
    assert refused(played, played.play())
    monkeypatch.undo()
    false_deal(monkeypatch, [1 if i == at else one for i, one in enumerate(ones)])
    assert played.play().decision is not None  # a lie about the bin, told in form: a source is believed


def test_a_false_sum_of_squares_does_not_cover_up_for_a_false_bin(monkeypatch):
    """The source deals the masks and their squares itself, so it may deal those falsely, too, tags and all."""
    played = world()
    ones = played.lender.layout.indicators(ROWS[0])
    false_deal(monkeypatch, [2, *ones[1:]])
    honest = source_module.deal

    def covering(shape, indicators, nonce, phi):
        helpers, lenders = honest(shape, indicators, nonce, phi)
        squares, tags = helpers.squares.copy(), helpers.tags.copy()
        squares[0] = (squares[0] - 2) % T  # what e^2 - e of the false entry is, were its weight one
        row = shape.indicators + shape.masks
        tags[row] = (tags[row] - 2 * lenders.grown.key) % T
        return replace(helpers, squares=squares, tags=tags), lenders

    monkeypatch.setattr(source_module, "deal", covering)
    assert refused(played, played.play())


def test_a_source_decides_itself_by_a_false_blinding_and_nobody_notices(monkeypatch):
    """Not protected, and said so: the dealer of the comparison is believed."""
    row = next(row for row in ROWS if not clear(row))
    played = world(row)
    honest = source_module.deal

    def shifting(shape, indicators, nonce, phi):
        helpers, lenders = honest(shape, indicators, nonce, phi)
        tags = helpers.tags.copy()
        tags[-1] = (tags[-1] + 700 * lenders.grown.key) % T
        return replace(helpers, blinding=(helpers.blinding + 700) % T, tags=tags), lenders

    monkeypatch.setattr(source_module, "deal", shifting)
    assert played.play().decision is True


def test_source_and_helper_together_read_the_points():
    """Not protected, and said so: the dealer knows the pads under which the points were sent."""
    played = world()
    dealt, honest = [], source_module.deal
    source_module.deal = lambda *parts: dealt.append(honest(*parts)) or dealt[-1]
    try:
        wallet = played.play()
    finally:
        source_module.deal = honest
    body = bytes(played.helper.store.get("masked", wallet.nonce)["body"])
    read = (wire.Masked.decode(body).delta + dealt[0][1].grown.pads_of_points) % T
    np.testing.assert_array_equal(read, played.lender.points.weights)


def test_a_source_that_is_not_believed_is_not_heard():
    played = world()
    played.lender.sources.clear()
    assert refused(played, played.play())


# -- applicant ---------------------------------------------------------------------------------------------------------


def test_an_applicant_changes_no_byte_of_what_it_carries():
    """Every place of both messages in steps, and both lengths."""
    played = world()
    for kind, step in (("application", 53), ("part", 53)):
        length = len(next(m.body for _, m in played.sent if m.kind == kind)) if played.sent else 0
        if not length:
            played.play()
            played.lender.store.take("decisions", played.lender.store.items("decisions")[0][0])
            length = len(next(m.body for _, m in played.sent if m.kind == kind))
        for at in [*range(0, length, step), length - 1]:

            def flip(sender, message, at=at, kind=kind):
                if message.kind != kind:
                    return message
                body = bytearray(message.body)
                body[at] ^= 1
                return replace(message, body=bytes(body))

            assert refused(played, played.play(change=flip))
        for cut in (lambda body: body[:-1], lambda body: body + b"\0", lambda body: b""):
            put = lambda sender, m, cut=cut, kind=kind: replace(m, body=cut(m.body)) if m.kind == kind else m  # noqa: E731
            assert refused(played, played.play(change=put))
    assert played.play().decision is clear()


def test_an_applicant_that_mixes_two_attestations_gets_nothing():
    played = world()
    wallet, other = played.wallet(), played.wallet()
    other.nonce = wallet.nonce
    parts = []

    def mix(sender, message):
        if message.kind == "attestation":
            again = other.ask(message_box[0])
            parts.append(other.apply(played.bank.attest(again, WHO))[1])
        if message.kind == "box":
            message_box.append(message.body)
        return replace(message, body=parts[0]) if message.kind == "part" else message

    message_box = []
    assert refused(played, played.play(wallet, change=mix))
    assert played.play().decision is clear()


def test_an_applicant_with_boxes_or_layouts_or_helpers_of_its_own_gets_nothing():
    from blindscore_crypto.channel.hpke import new_box

    played = world()
    put = lambda sender, m: replace(m, body=new_box()[1]) if m.kind == "box" else m  # noqa: E731
    assert refused(played, played.play(change=put))
    wallet = played.wallet()
    with pytest.raises(ForgeryError, match="helper"):
        played.bank.attest(replace(wire.Ask.decode(wallet.ask(new_box()[1])), helper=bytes(16)).encode(), WHO)
    with pytest.raises(ForgeryError, match="box"):
        played.bank.attest(wallet.ask(bytes(32)), WHO)
    part = played.lender.layout.part(played.lender.layout.features[1:])
    wallet.terms = replace(wallet.terms, layout=part)
    assert refused(played, played.play(wallet))


def test_an_application_is_answered_once_and_not_on_another_day():
    played = world()
    played.play()
    application = next(m for _, m in played.sent if m.kind == "application")
    part = next(m for _, m in played.sent if m.kind == "part")
    for receiver, message in ((played.lender, application), (played.helper, part)):
        (told,) = receiver.handle(replace(message, sender="wallet"))
        assert told.kind == "refusal"
    late = world()
    keep = lambda sender, m: None if m.kind in ("application", "part") else m  # noqa: E731
    late.play(change=keep)
    wallet = late.wallet()
    (box,) = late.lender.handle(Message(NAME, "begin", b"", "wallet"))
    application, part = wallet.apply(late.bank.attest(wallet.ask(box.body), WHO))
    late.clock.advance(3 * 86_400)
    assert late.lender.handle(Message(NAME, "application", application, "wallet"))[0].kind == "refusal"
    assert late.helper.handle(Message(HELPER, "part", part, "wallet"))[0].kind == "refusal"


# -- anybody -----------------------------------------------------------------------------------------------------------


def test_frames_of_somebody_without_the_lines_key_are_not_heard():
    played = world()
    stranger = Line.fresh()
    for kind, name in (("masked", Kind.MASKED), ("proof", Kind.PROOF), ("enrol", Kind.ENROL), ("card", Kind.CARD)):
        (told,) = played.helper.handle(Message(HELPER, kind, stranger.seal(name, bytes(400)), NAME))
        assert told.kind == "refusal"
        (told,) = played.helper.handle(Message(HELPER, kind, played.to_lender.seal(name, bytes(400)), "a stranger"))
        assert told.kind == "refusal"
    for kind, name in (("challenge", Kind.CHALLENGE), ("token", Kind.TOKEN)):
        (told,) = played.lender.handle(Message(NAME, kind, stranger.seal(name, bytes(200)), HELPER))
        assert told.kind == "refusal"
        assert played.lender.handle(Message(NAME, kind, bytes(200), "a stranger")) == []
    (told,) = played.bank.handle(Message(BANK, "deal", stranger.seal(Kind.DEAL, bytes(200)), HELPER))
    assert told.kind == "refusal"
    assert played.play().decision is clear()


def test_noise_is_refused_by_everybody_and_breaks_nobody():
    rng = np.random.default_rng(7)
    played = world()
    kinds = {
        played.helper: ["part", "masked", "proof", "enrol", "dealt", "card"],
        played.lender: ["application", "keys", "challenge", "token"],
        played.bank: ["ask", "deal"],
    }
    for (receiver, names), length in itertools.product(kinds.items(), (0, 1, 12, 44, 300, 1500)):
        for name, sender in itertools.product(names, (NAME, HELPER, BANK, "wallet")):
            for answer in receiver.handle(Message(receiver.name, name, rng.bytes(length), sender)):
                assert answer.kind == "refusal"
    assert played.play().decision is clear()
    assert helper_module.KEEP_DAYS > lender_module.MAX_AGE
