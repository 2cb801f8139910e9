"""Decision only: right at every score and threshold, one bit for the lender, none for the helper, liars caught."""

from __future__ import annotations

import numpy as np
import pytest

from blindscore.designs.design import CONSTANT_SIZES, NO_CONDUCT, ONE_BIT, SOURCE_BLIND, Design
from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card, Characteristic
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack
from blindscore_crypto.designs.encrypted_decision import EncryptedDecision
from blindscore_crypto.encrypted import decision as module
from blindscore_crypto.encrypted.decision import (
    KEYS_FRAME_BYTES,
    SHARE_FRAME_BYTES,
    DealingSource,
    DecidingLender,
    Helper,
    check_bytes,
)
from blindscore_crypto.encrypted.mask import Mask
from blindscore_crypto.encrypted.parameters import TABLE, fitting
from blindscore_crypto.encrypted.points import Points
from blindscore_crypto.encrypted.protocol import Applicant, _Session
from blindscore_crypto.layout import Layout
from tests.crypto.encrypted_world import DAY, random_bins, random_card
from tests.crypto.test_encrypted_design import make_people

NONCE = b"n" * 16


class Trio:
    """A source that deals, a lender that decides, a helper."""

    def __init__(self, card: Card, threshold: int) -> None:
        self.card, self.source = card, DealingSource(limit=10**6)
        self.helper = Helper(set_for(card), [self.source.public])
        self.lender = DecidingLender(
            "the lender", card, [self.source.public], threshold, self.helper.public, clock=lambda: DAY
        )
        self.p = self.lender.parameters

    def played(self, row, change=lambda opening: opening) -> bool:
        """One application from bins to decision."""
        applicant = Applicant("the lender", self.lender.layout, self.p)
        application = applicant.apply(self.source.attest(applicant.ask(), "p-1", row, DAY))
        opening = change(applicant.open(self.lender.answer(application)))
        nonce = opening[HEADER_BYTES : HEADER_BYTES + 16]
        to_lender, to_helper = self.source.deal(nonce, self.p)
        check = self.lender.consult(nonce, to_lender)
        share = self.helper.compare(check, self.lender.public, to_helper, opening)
        return self.lender.decide(share)

    def shared(self, v: int, mask: Mask) -> tuple[bytes, bytes, bytes, bytes]:
        """The comparison alone, for a sum of weights v under a given mask: check, keys, opening, share frame."""
        self.lender._sessions[NONCE] = _Session(mask, b"")
        values = (mask.factors * v + mask.shifts) % self.p.t
        opening = pack(Kind.OPENING, self.p.code, NONCE + values.astype(">u4").tobytes())
        to_lender, to_helper = self.source.deal(NONCE, self.p)
        check = self.lender.consult(NONCE, to_lender)
        return check, to_helper, opening, self.helper.compare(check, self.lender.public, to_helper, opening)


def set_for(card: Card):
    return fitting(Layout.of(card).size, Points.of(card).span)


def fresh(p, first: int | None = None) -> Mask:
    """A mask; with ``first`` the shift of the first value is this one, and its factor 1."""
    mask = Mask.fresh(p.t, p.outputs, np.random.default_rng(1).bytes)
    if first is not None:
        mask.factors[0], mask.shifts[0] = 1, first
    return mask


@pytest.fixture(scope="module")
def card():
    return random_card(np.random.default_rng(1), characteristics=12)


@pytest.fixture(scope="module")
def trio(card):
    return Trio(card, 600)


def test_decisions_are_those_of_the_clear_card(card):
    rng = np.random.default_rng(2)
    bins = random_bins(rng, card, 30)
    scores = card.scores(bins)
    for threshold in (351, int(np.median(scores)), 950):
        trio = Trio(card, threshold)
        assert [trio.played(row) for row in bins] == (scores >= threshold).tolist()


def test_every_total_around_the_threshold_and_around_the_modulus(trio):
    """All sums near the bar, and masks that make them wrap modulo t at every place where it could go wrong."""
    points, p, bar = trio.lender._points, trio.p, trio.lender._bar
    sums = {*range(bar - 4, bar + 4), points.low, points.low + 1, points.high - 1, points.high}
    for v in sums:
        for at in (-2, -1, 0, 1, 2):
            for place in (0, -v, bar - v, -bar, points.high - v):
                share = trio.shared(v, fresh(p, (place + at) % p.t))[3]
                assert trio.lender.decide(share) == (v >= bar), (v, place, at)


def test_every_difference_modulo_t_at_a_small_modulus():
    """The rule ``[d <= top] - [d <= -1] + [d <= top - t]`` in whole numbers, over all d and all tops."""
    t = 29
    for top in range(-1, t):
        for d in range(-t + 1, t):
            rule = (d <= top) - (d <= -1) + (d <= top - t)
            assert rule == (d % t <= top and top >= 0)


@pytest.mark.parametrize("base", [-2000, 5000])
def test_where_all_or_nobody_passes(base):
    card = Card((Characteristic("a", (0, 5, 9), (1.0,)),), base)
    trio = Trio(card, 600)
    assert [trio.played(np.array([b])) for b in range(3)] == [base > 600] * 3


def test_the_comparison_is_exact_over_many_random_masks(trio):
    rng = np.random.default_rng(3)
    points = trio.lender._points
    for v in rng.integers(points.low, points.high + 1, 400).tolist():
        mask = Mask.fresh(trio.p.t, trio.p.outputs, rng.bytes)
        assert trio.lender.decide(trio.shared(v, mask)[3]) == (v >= trio.lender._bar)


def test_sums_that_may_have_wrapped_fall_to_the_spare_keys_or_are_refused():
    keys, middle = module._compare().keygen(6), [2**31] * 3
    edges = ([2**15 - 1, 2**31, 2**31], [2**31, 2**31, 2**32 - 2**15])
    first = module._evaluate(0, np.array([2**15, 2**31, 2**32 - 2**15 - 1, *middle], np.int64), keys[0], Kind.SHARE)
    assert first != module._evaluate(0, np.array(edges[0] + middle, np.int64), keys[0], Kind.SHARE)
    for edge in edges:
        spare = module._evaluate(0, np.array(edge + middle, np.int64), keys[0], Kind.SHARE)
        assert spare == module._evaluate(0, np.array(edges[0] + middle, np.int64), keys[0], Kind.SHARE)
        with pytest.raises(ForgeryError, match="wrapped"):
            module._evaluate(0, np.array(edge + edge, np.int64), keys[0], Kind.SHARE)
    assert 2 * max(p.t for p in TABLE.values()) < module.MARGIN


def test_a_lying_applicant_is_caught_by_the_helper(trio, card):
    row = random_bins(np.random.default_rng(4), card, 1)[0]
    for at in range(HEADER_BYTES + 16 + 3, HEADER_BYTES + 32, 4):  # the low byte of each value
        with pytest.raises(ForgeryError):
            trio.played(row, lambda o, at=at: o[:at] + bytes([o[at] ^ 1]) + o[at + 1 :])
    with pytest.raises(ForgeryError):  # one shift on all four: a total moved by one, were there no factors
        trio.played(row, lambda o: o[:-16] + ((np.frombuffer(o[-16:], ">u4") + 1) % trio.p.t).astype(">u4").tobytes())
    assert trio.played(row) in (True, False)


def test_the_lender_sees_uniform_values_whatever_the_score(trio):
    """Its own share of the decision, the masked sums, and the helper's words: means agree between far apart scores."""
    points, seen = trio.lender._points, {}
    for v in (points.low, points.high):
        words = []
        for k in range(150):
            frame = trio.shared(v, Mask.fresh(trio.p.t, 4, np.random.default_rng([v - points.low, k]).bytes))[3]
            words.append(np.frombuffer(frame[HEADER_BYTES + 16 : -64], ">u4") / 2**32)
        seen[v] = np.array(words)
    for words in seen.values():  # six masked values and a share, each uniform: six standard errors of 150
        assert (np.abs(words.mean(axis=0) - 0.5) < 6 / np.sqrt(12 * 150)).all()
        assert (np.abs(words.var(axis=0) - 1 / 12) < 0.04).all()


def test_the_helper_sees_uniform_values_whatever_the_score(trio):
    """What it can compute best, the unmasked z, and the lender's masked words."""
    points = trio.lender._points
    for v in (points.low, points.high):
        words, opened = [], []
        for k in range(150):
            mask = Mask.fresh(trio.p.t, 4, np.random.default_rng([5, v - points.low, k]).bytes)
            check, _, opening, _ = trio.shared(v, mask)
            words.append(np.frombuffer(check[-64 - 24 : -64], ">u4") / 2**32)
            first = int.from_bytes(opening[-16:-12])
            opened.append(first * pow(int(mask.factors[0]), -1, trio.p.t) % trio.p.t / trio.p.t)
        for values in (np.array(words), np.array(opened)[:, None]):
            assert (np.abs(values.mean(axis=0) - 0.5) < 6 / np.sqrt(12 * 150)).all()


def test_lender_and_helper_together_have_the_score(trio):
    """The control: the assumption that they do not collude is one that matters."""
    v = trio.lender._points.low + 7
    mask = Mask.fresh(trio.p.t, 4, np.random.default_rng(6).bytes)
    opening = trio.shared(v, mask)[2]
    values = np.frombuffer(opening[-16:], ">u4").astype(np.int64)
    assert mask.settle(values, trio.lender._points.low, trio.lender._points.high) == v


def test_sizes_are_the_same_for_everybody(trio):
    points = trio.lender._points
    sizes = set()
    for v in (points.low, 0, points.high):
        check, keys, _, share = trio.shared(v, Mask.fresh(trio.p.t, 4, np.random.default_rng(7).bytes))
        sizes.add((len(check), len(keys), len(share)))
    assert sizes == {(check_bytes(trio.p), KEYS_FRAME_BYTES, SHARE_FRAME_BYTES)}


def test_frames_are_refused_unless_signed_and_in_place(trio):
    mask = Mask.fresh(trio.p.t, 4, np.random.default_rng(8).bytes)
    check, keys, opening, share = trio.shared(3, mask)
    other = Helper(trio.p, [])
    own, _ = trio.source.deal(NONCE, trio.p)
    flipped = [f[:60] + bytes([f[60] ^ 1]) + f[61:] for f in (check, keys, share)]
    attempts = [
        lambda: trio.helper.compare(flipped[0], trio.lender.public, keys, opening),
        lambda: trio.helper.compare(check, trio.lender.public, flipped[1], opening),
        lambda: trio.helper.compare(check, trio.helper.public, keys, opening),  # another lender's key
        lambda: trio.helper.compare(check, trio.lender.public, own, opening),  # dealt to the lender
        lambda: trio.helper.compare(check[:-1], trio.lender.public, keys, opening),
        lambda: trio.helper.compare(check, trio.lender.public, keys, opening[:13] + b"x" + opening[14:]),
        lambda: other.compare(check, trio.lender.public, keys, opening),  # believes no source
        lambda: trio.lender.decide(flipped[2]),
        lambda: trio.lender.consult(NONCE, own),  # consulted already
        lambda: trio.lender.conclude(opening),  # reads no openings
    ]
    for attempt in attempts:
        with pytest.raises(ForgeryError):
            attempt()
    assert trio.lender.decide(share) == (trio.lender._bar <= 3)
    with pytest.raises(ForgeryError):
        trio.lender.decide(share)  # one bit an application


def test_applications_that_the_helper_never_answers_are_forgotten(card):
    trio, days = Trio(card, 600), [DAY]
    trio.lender._clock = lambda: days[0]
    row = random_bins(np.random.default_rng(9), card, 1)[0]
    for expected in (1, 1):
        applicant = Applicant("the lender", trio.lender.layout, trio.p)
        ask = applicant.ask()
        trio.lender.answer(applicant.apply(trio.source.attest(ask, "p-1", row, days[0])))
        trio.lender.consult(ask.nonce, trio.source.deal(ask.nonce, trio.p)[0])
        assert len(trio.lender._waiting) == expected
        days[0] += 3


def test_a_threshold_outside_the_scale_is_refused(card):
    with pytest.raises(ParameterError):
        Trio(card, 350)
    with pytest.raises(ParameterError):
        Trio(card, 951)


def test_the_design_agrees_with_the_clear_card_and_shows_the_lender_one_bit():
    people = make_people()
    run = EncryptedDecision(sample=12).run(people, Scorecard(), np.random.default_rng(7))
    assert isinstance(EncryptedDecision(), Design)
    assert EncryptedDecision().enforces == {ONE_BIT, NO_CONDUCT, SOURCE_BLIND, CONSTANT_SIZES}
    assert run.real_runs == run.real_agree == 12
    view = run.views["lender"]
    assert list(view.clear.columns) == ["approved"]
    assert (view.clear["approved"].to_numpy() == run.decisions).all()
    assert view.universe == 2
    assert set(run.costs.us_per_person) == {"applicant", "source", "lender", "helper"}
    assert view.messages["bytes_up"].nunique() == 1
    with pytest.raises(ParameterError):
        EncryptedDecision(sample=0)
