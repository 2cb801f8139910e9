"""Helpers that cheat, alone or with the applicant, each beside its honest twin: caught by the lender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blindscore_crypto.encrypted.compare.deal import HelpersHalf, window
from blindscore_crypto.encrypted.compare.exchange import Share
from blindscore_crypto.encrypted.parameters import DEFAULT
from blindscore_crypto.encrypted.wire import Opening
from tests.crypto.encrypted_world import World, random_bins, random_card

CARD = random_card(np.random.default_rng(31), characteristics=8)
ROWS = random_bins(np.random.default_rng(32), CARD, 20)


def deciding(row=ROWS[0], threshold: int = 600) -> World:
    world = World.of(CARD, way="decision", threshold=threshold, limit=10**6)
    world.holds(row)
    return world


def with_share(world, change):
    """Let the helper sign another share frame than the honest one."""

    def put(sender, message):
        if message.kind == "share":
            read = Share.read(DEFAULT, message.body, world.helper.public)
            return replace(message, body=change(read).write(DEFAULT, world.helper._signer))
        return message

    return put


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, share=(s.share + 1) % 2**64),
        lambda s: replace(s, share=s.share ^ 1 << 63),
        lambda s: replace(s, tags=((s.tags[0] + 1) % DEFAULT.t, *s.tags[1:])),
        lambda s: replace(s, tags=tuple((tag + 5) % DEFAULT.t for tag in s.tags)),
        lambda s: replace(s, salt=bytes(16)),
    ],
    ids=["one more", "a high bit", "one tag", "all tags", "salt"],
)
def test_a_helper_that_shifts_its_share_or_tags_decides_nothing(change):
    for row in ROWS:
        world = deciding(row)
        assert world.play(change=with_share(world, change)).decision is None
        assert world.lender.store.items("decisions") == []
    assert deciding().play().decision is not None


def test_a_helper_that_binds_itself_to_shifted_tags_is_caught(monkeypatch):
    """Before it knows the factors: it must guess how a shift of the total moves each of the four tags."""
    world, shift = deciding(), 700
    honest = type(world.helper)._tags
    monkeypatch.setattr(
        type(world.helper), "_tags", lambda self, c, o: tuple((t + shift) % DEFAULT.t for t in honest(self, c, o))
    )
    for _ in range(10):
        assert world.play().decision is None
    monkeypatch.setattr(type(world.helper), "_tags", honest)
    assert world.play().decision is not None


def test_helper_and_applicant_together_do_not_turn_a_refusal_into_an_approval(monkeypatch):
    """The applicant shifts every value by what it likes and the helper checks nothing: the lender's own check holds."""
    world = deciding()
    helper = type(world.helper)

    def unchecked(self, frame, lender):
        from blindscore_crypto.encrypted.compare.exchange import Telling

        p = self.parameters
        telling = Telling.read(p, frame, self._key_of(lender))
        checked, opened = self.store.get("checks", telling.nonce), self.store.get("opened", telling.nonce)
        values, half = self._opened(opened)
        first = values[0] * pow(telling.factors[0], -1, p.t)
        share = half.share(p, (first + half.beta + telling.moved_bar) % p.t)
        salt = bytes(self.store.get("bound", telling.nonce)["salt"])
        return Share(telling.nonce, self._tags(checked, opened), salt, share).write(p, self._signer)

    monkeypatch.setattr(helper, "share", unchecked)
    assert world.play().decision is not None
    for shift in (1, 300, 4000):
        wallet = world.wallet()
        honest = wallet.open

        def lying(answer, honest=honest, wallet=wallet, shift=shift):
            opened = Opening.read(honest(answer), DEFAULT)
            return replace(opened, values=(opened.values + shift) % DEFAULT.t).sign(DEFAULT, wallet._signer)

        wallet.open = lying
        assert world.play(wallet).decision is None


def test_the_chance_of_a_shift_is_what_is_said():
    """Of a window of shifts that turn a refusal, each must fit four secret factors of 1 .. t - 1."""
    bits = DEFAULT.outputs * np.log2(DEFAULT.t - 1) - np.log2(window(DEFAULT))
    assert 40.9 < bits < 41.1


def test_helper_and_applicant_together_do_not_read_the_total(monkeypatch):
    """What both hold, over two people who differ in every bin: the point of comparison is uniform for either."""
    points, share = {0: [], 1: []}, HelpersHalf.share
    for which, row in enumerate((ROWS[0], ROWS[1])):
        world = deciding(row)
        monkeypatch.setattr(
            HelpersHalf, "share", lambda half, p, m, which=which: (points[which].append(m), share(half, p, m))[1]
        )
        for _ in range(40):
            world.play()
    assert abs(np.mean(points[0]) - np.mean(points[1])) / DEFAULT.t < 0.33  # five standard deviations


def test_source_and_helper_together_read_total_minus_threshold():
    """Not protected, and said so: the dealer knows the lender's half."""
    import blindscore_crypto.encrypted.parties.source as module

    world, dealt = deciding(threshold=380), []
    deal = module.deal
    module.deal = lambda p: dealt.append(deal(p)) or dealt[-1]
    points, share = [], HelpersHalf.share
    HelpersHalf.share = lambda half, p, m: (points.append(m), share(half, p, m))[1]
    try:
        world.play()
    finally:
        module.deal, HelpersHalf.share = deal, share
    helper, lender = dealt[0]
    shifted = (points[0] - helper.beta - lender.offset) % DEFAULT.t
    away = shifted - DEFAULT.t if shifted > DEFAULT.t // 2 else shifted
    assert away == CARD.totals(ROWS[:1])[0] - 380


def test_a_helpers_frame_from_somebody_else_is_not_heard():
    world = deciding()

    def elsewhere(sender, message):
        if message.kind == "share":
            world.lender.handle(replace(message, sender="a stranger"))
            return None
        return message

    assert world.play(change=elsewhere).decision is None
    assert world.play().decision is not None
