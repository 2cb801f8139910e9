"""``shared``: fields, dealing, known bytes of every message, and decisions that are the clear ones."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from blindscore.designs.design import ONE_BIT, Design
from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.frames import Kind
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.shared import Shared
from blindscore_crypto.encrypted.compare.window import WindowHalf
from blindscore_crypto.layout import Layout
from blindscore_crypto.shared import deal, enrol, field, line, points, wire
from blindscore_crypto.shared.rows import Shape, tags_of
from tests.crypto.encrypted_world import random_bins, random_card
from tests.crypto.shared_world import Shares
from tests.crypto.test_encrypted_design import make_people

CARD = random_card(np.random.default_rng(31), characteristics=8)
ROWS = random_bins(np.random.default_rng(32), CARD, 6)
KEY = SigningKey.of_seed(bytes(range(32)))
SMALL = Card((Characteristic("a", (1, 2, 3), (0.5,)), Characteristic("b", (5, 6), ())), 500)
LAYOUT, SHAPE = Layout.of(SMALL), Shape.of(Layout.of(SMALL))
SOURCES = {KEY.public.id: KEY.public}
NONCE = b"\7" * 32
WINDOW = bytes(deal.window_bytes(field.T) - 8)


def numbers(*shape):
    return (np.arange(int(np.prod(shape))) * 7919 % field.T).reshape(shape)


HELPERS = deal.HelpersHalf(
    SHAPE, b"\1" * 32, b"\2" * 16, numbers(3), numbers(3), numbers(1), numbers(7, 3), 2**63, WindowHalf(0, 5, WINDOW)
)
LENDERS = deal.LendersHalf(
    SHAPE, b"\3" * 32, numbers(7, 3), numbers(3), b"\4" * 16, (b"\5" * 16, b"\6" * 16), 9, WindowHalf(1, 6, WINDOW)
)
ASK = wire.Ask(b"\1" * 32, NONCE, b"\2" * 32, b"\3" * 16, LAYOUT)
SEALED = bytes(line.ENC_BYTES + deal.lenders_bytes(SHAPE) + line.SEAL_BYTES)
ATTESTED = wire.Attested(KEY.public.id, LAYOUT.fingerprint, b"\1" * 32, NONCE, 20_000, b"\2" * 32, SEALED)
MASKED = wire.Masked(NONCE, numbers(4))
CHALLENGE = wire.Challenge(NONCE, b"\1" * 16, b"\2" * 16, numbers(2, 3), b"\3" * 32)
PROOF = wire.Proof(NONCE, numbers(3), numbers(2, 3), numbers(1), numbers(3), b"\4" * 32)
TOKEN = wire.TokenShare(NONCE, numbers(1), numbers(3), 2**64 - 1, b"\5" * 32)
PLAIN = {
    "ask": (ASK.encode(), wire.Ask.decode),
    "attestation": (ATTESTED.sign(KEY), lambda m: wire.Attested.read(m, SHAPE, SOURCES)),
    "application": (
        wire.application_frame(b"\1" * 32, ATTESTED.sign(KEY)),
        lambda m: wire.read_application(m, SHAPE),
    ),
    "masked": (MASKED.encode(), wire.Masked.decode),
    "challenge": (CHALLENGE.encode(), lambda m: wire.Challenge.decode(SHAPE, m)),
    "proof": (PROOF.encode(), lambda m: wire.Proof.decode(SHAPE, m)),
    "token": (TOKEN.encode(), wire.TokenShare.decode),
    "decision": (wire.decision_frame(NONCE, True, 7), lambda m: wire.read_decision(m, NONCE)),
    "helper's half": (HELPERS.encode(), lambda m: deal.HelpersHalf.decode(SHAPE, m)),
    "lender's half": (LENDERS.encode(), lambda m: deal.LendersHalf.decode(SHAPE, m)),
}
FIXED = set(PLAIN) - {"masked"}  # of one length, whatever is in them; points are counted against the card
KNOWN = json.loads((Path(__file__).parents[1] / "vectors" / "shared_messages.json").read_text())


def same(a: object, b: object) -> bool:
    """Whether two values are equal, arrays by their numbers."""
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, (deal.HelpersHalf, deal.LendersHalf, wire.Masked, wire.Challenge, wire.Proof, wire.TokenShare)):
        return type(a) is type(b) and all(same(getattr(a, n), getattr(b, n)) for n in a.__dataclass_fields__)
    return a == b


@pytest.mark.parametrize("kind", PLAIN)
def test_a_message_has_its_known_bytes_and_comes_back_from_them(kind):
    data, read = PLAIN[kind]
    assert [len(data), sha256(data).hexdigest()] == KNOWN[kind]
    meant = {
        "ask": ASK,
        "attestation": ATTESTED,
        "application": (b"\1" * 32, ATTESTED.sign(KEY)),
        "masked": MASKED,
        "challenge": CHALLENGE,
        "proof": PROOF,
        "token": TOKEN,
        "decision": (True, 7),
        "helper's half": HELPERS,
        "lender's half": LENDERS,
    }[kind]
    assert same(read(data), meant)


@pytest.mark.parametrize("kind", sorted(FIXED))
def test_a_byte_more_or_less_or_no_bytes_are_refused(kind):
    data, read = PLAIN[kind]
    for wrong in (data[:-1], data + b"\0", b"", data[: len(data) // 2]):
        with pytest.raises(ForgeryError, match="refused"):
            read(wrong)


@pytest.mark.parametrize("kind", ["masked", "challenge", "proof", "token", "helper's half", "lender's half"])
def test_numbers_beyond_the_modulus_are_refused(kind):
    data, read = PLAIN[kind]
    at = data.rindex(field.encode(numbers(1 if kind == "token" else 3)))
    with pytest.raises(ForgeryError, match="modulus"):
        read(data[:at] + b"\xff\xff" + data[at + 2 :])


def test_frames_on_a_line_come_back_and_no_changed_bit_does():
    own = line.Line(bytes(range(32)))
    part = wire.Part(NONCE, 20_000, LAYOUT.fingerprint, HELPERS.encode())
    frames = {
        "part": (part.seal(KEY.public.id, own)[16:], lambda m: wire.Part.open(own, m), part),
        "enrol": (e := enrol.Enrol(KEY.public.id, b"\1" * 32, LAYOUT))
        and (
            e.seal(own),
            lambda m: enrol.Enrol.open(own, m),
            e,
        ),
        "deal": (d := enrol.Deal(b"\1" * 32, LAYOUT)) and (d.seal(own), lambda m: enrol.Deal.open(own, m), d),
        "dealt": (t := enrol.Dealt(b"\1" * 32, bytes(enrol.KEYS_BYTES), bytes(24)))
        and (
            t.seal(own),
            lambda m: enrol.Dealt.open(own, m),
            t,
        ),
    }
    rng = np.random.default_rng(5)
    for frame, read, meant in frames.values():
        assert read(frame) == meant
        for at in rng.integers(0, len(frame), 40).tolist():
            changed = bytearray(frame)
            changed[at] ^= 1 << int(rng.integers(8))
            with pytest.raises(
                ForgeryError, match=r"does not come from the other end|header is not that of this version"
            ):
                read(bytes(changed))
        for wrong in (frame[:-1], frame + b"\0", b""):
            with pytest.raises(
                ForgeryError, match=r"not the length that it must have|header is not that of this version"
            ):
                read(wrong)
    card = enrol.MaskedCard(b"\1" * 32, numbers(4))
    again = enrol.MaskedCard.open(own, card.seal(own))
    assert again.box == card.box
    np.testing.assert_array_equal(again.masked, card.masked)


def test_a_line_seals_equal_bodies_unlike_and_opens_no_other_kind_or_key():
    own = line.Line.fresh()
    a, b = own.seal(Kind.PROOF, b"x" * 40), own.seal(Kind.PROOF, b"x" * 40)
    assert a[12:] != b[12:]
    assert own.open(Kind.PROOF, a, 40) == own.open(Kind.PROOF, b, 40) == b"x" * 40
    for reader, kind in ((own, Kind.TOKEN), (line.Line.fresh(), Kind.PROOF)):
        with pytest.raises(ForgeryError, match="refused"):
            reader.open(kind, a, 40)
    with pytest.raises(ParameterError, match="32 bytes"):
        line.Line(bytes(16))
    assert own.key.hex() not in repr(own)


def test_keys_of_a_card_are_for_their_box_and_signed():
    from blindscore_crypto.channel.hpke import new_box

    secret, box = new_box()
    frame = enrol.Keys.sign(b"\1" * 32, LAYOUT.fingerprint, box, KEY)
    assert len(frame) == enrol.KEYS_BYTES
    assert enrol.Keys.read(frame, SOURCES).open(secret) == b"\1" * 32
    with pytest.raises(ForgeryError, match="sealed"):
        enrol.Keys.read(frame, SOURCES).open(new_box()[0])
    with pytest.raises(ForgeryError, match="source"):
        enrol.Keys.read(frame, {})
    for at in range(0, len(frame), 9):
        changed = bytearray(frame)
        changed[at] ^= 1
        with pytest.raises(ForgeryError, match=r"keys refused: its (header|source|signature) is not"):
            enrol.Keys.read(bytes(changed), SOURCES)


def test_hashes_are_the_known_ones_and_unlike_one_another():
    made = {
        "token": deal.token_hash(NONCE, 7).hex(),
        "chi": deal.chi_hash(NONCE, b"\1" * 16).hex(),
        "party": enrol.party_id("helper").hex(),
        "digest": field.digest(b"tags/lender", NONCE).hex(),
        "expanded": field.expand(bytes(32), b"rho", 5).tolist(),
        "phi": points.phi_of(line.Line(bytes(32))).tolist(),
    }
    assert made == KNOWN["hashes"]
    assert field.digest(b"a", b"bc", b"d") != field.digest(b"a", b"b", b"cd")
    assert field.expand(bytes(32), b"rho", 5).tolist() != field.expand(bytes(32), b"chi", 5).tolist()


def test_the_cubic_field_is_one():
    assert pow(field.CUBE, (field.T - 1) // 3, field.T) != 1  # x^3 = 2 has no root, and a cubic without one is prime
    rng = np.random.default_rng(3)
    a, b, c = (rng.integers(0, field.T, (50, 3)) for _ in range(3))
    one = field.cubic(np.ones(50, np.int64))
    np.testing.assert_array_equal(field.times(a, one), a)
    np.testing.assert_array_equal(field.times(a, b), field.times(b, a))
    np.testing.assert_array_equal(field.times(field.times(a, b), c), field.times(a, field.times(b, c)))
    np.testing.assert_array_equal(field.times(a, (b + c) % field.T), (field.times(a, b) + field.times(a, c)) % field.T)
    np.testing.assert_array_equal(field.dot(a, b), field.times(a, b).sum(axis=0) % field.T)
    np.testing.assert_array_equal(field.times(a[0], b), field.times(np.repeat(a[:1], 50, axis=0), b))
    greatest = np.full((3, 3), field.T - 1)
    assert field.dot(greatest, greatest).tolist() == [15, 12, 9]  # (-1 - x - x^2)^2 = 5 + 4 x + 3 x^2, three times
    for wrong in (field.times, field.dot):
        with pytest.raises(ValueError, match="vectors of 50 and 49 elements"):
            wrong(a, b[1:])
    cube = field.times(np.array([0, 1, 0]), field.times(np.array([0, 1, 0]), np.array([0, 1, 0])))
    assert cube.tolist() == [2, 0, 0]


def test_what_grows_from_a_seed_is_uniform():
    drawn = field.expand(bytes(32), b"uniform", 65_521 * 4)
    assert 0 <= drawn.min() <= drawn.max() < field.T
    counts = np.bincount(drawn * 16 // field.T, minlength=16)
    expected = len(drawn) / 16
    assert ((counts - expected) ** 2 / expected).sum() < 50  # chi squared of 15 degrees: once in 80,000


def test_shares_add_up_and_their_tags_fit():
    layout = Layout.of(CARD)
    shape, indicators, phi = Shape.of(layout), layout.indicators(ROWS[0]), field.expand(bytes(32), b"phi", 3)
    helper, lender = deal.deal(shape, indicators, NONCE, phi)
    added = (helper.rows + lender.grown.rows) % field.T
    m = shape.indicators
    np.testing.assert_array_equal(added[:m], field.cubic(np.array(indicators)))
    masks = added[m:-2]
    np.testing.assert_array_equal(field.dot(masks, masks), added[-2])
    np.testing.assert_array_equal(tags_of(lender.grown.key, helper.rows, lender.grown.pads), helper.tags)
    np.testing.assert_array_equal(tags_of(helper.grown.key, lender.grown.rows, helper.grown.pads), lender.tags)
    assert str(helper.no) not in repr(helper)
    assert lender.seed.hex() not in repr(lender)


def test_one_half_looks_alike_whatever_the_bins_are():
    shape = Shape((3, 3))
    seen = {}
    for ones in ((0, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0, 1)):
        halves = [deal.deal(shape, list(ones), NONCE, numbers(3)) for _ in range(150)]
        seen[ones] = np.array([np.r_[h.shares, h.blinding, h.tags[0], w.grown.rows[0, :1]] for h, w in halves])
    for drawn in seen.values():
        assert np.abs(drawn.mean(axis=0) / field.T - 0.5).max() < 0.13  # five and a half standard deviations


def test_every_decision_is_the_clear_one_at_threshold_and_beside_it():
    for row in ROWS[:4]:
        score = int(CARD.scores(row[None])[0])
        for threshold in (score - 1, score, score + 1):
            if 350 < threshold <= 950:
                assert Shares.of(CARD, row, threshold).play().decision is (score >= threshold)


@pytest.mark.parametrize("threshold", [351, 950])
def test_where_all_or_none_pass_that_is_the_decision(threshold):
    card = Card((Characteristic("a", (0, 5), ()), Characteristic("b", (-5, 3), ())), 600)
    for row in (np.array([0, 0]), np.array([1, 1])):
        assert Shares.of(card, row, threshold).play().decision is (threshold == 351)


def test_cards_that_cannot_be_shared_are_refused():
    with pytest.raises(ParameterError, match="possible totals"):
        points.Points.of(Card((Characteristic("a", (-9000, 9000), ()),), 600), 600)
    with pytest.raises(ParameterError, match="threshold"):
        points.Points.of(SMALL, 350)
    with pytest.raises(ParameterError, match="nothing to share"):
        Shape(())


def test_messages_have_one_size_and_both_ways_up_stay_below_two_kilobytes():
    sizes, up = set(), {}
    for row in ROWS:
        played = Shares.of(CARD, row)
        played.play()
        sizes.add(tuple((m.kind, len(m.body)) for _, m in played.sent))
        up = {m.kind: len(m.body) for _, m in played.sent}
    assert len(sizes) == 1
    shape = Shape.of(Layout.of(CARD))
    assert up["application"] == wire.application_bytes(shape)
    assert up["part"] == wire.part_bytes(shape)
    wide = Shape((5,) * 24)  # 24 characteristics of six bins, as in the benchmark
    assert wire.application_bytes(wide) < 2000
    assert wire.part_bytes(wide) < 2000


def test_the_lender_writes_down_one_bit_and_the_helper_nothing():
    played = Shares.of(CARD, ROWS[0])
    played.play()
    assert played.decided() == [int(CARD.scores(ROWS[:1])[0] >= 600)]
    specs = played.helper.store.specs.values()
    assert {column.kind for spec in specs for column in (spec.key, *spec.fields)} == {"own"}


def test_the_design_runs_for_real_and_lets_the_lender_read_one_bit():
    design = Shared(sample=6)
    assert isinstance(design, Design)
    assert ONE_BIT in design.enforces
    run = design.run(make_people(), Scorecard(), np.random.default_rng(3))
    assert run.real_runs == run.real_agree == 6
    assert run.views["lender"].values == ["approved"]
    assert run.views["helper"].values == []
    assert run.views["helper"].basis == "observed"
    assert set(run.costs.us_per_person) == {"wallet", "source", "lender", "helper"}
    assert run.costs.bytes_up < 2000
