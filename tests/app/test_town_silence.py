"""A lender that does not answer a named person: what it takes, what can be proven, what asking again leaves of it."""

from __future__ import annotations

import random

import pytest

from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.table import Table
from blindscore_app.town.storm.campaign import checks_remembered
from blindscore_app.town.storm.village import EPOCHS, LENDER, TODAY, Village, wallet_of
from blindscore_crypto.sealed.judge import Finding

TRIES = 20
NAMED = wallet_of("ada")


@pytest.fixture(scope="module")
def village():
    return Village(blind=True)


class Silent:
    """A lender that says nothing to whom it does not like; the rest of it is honest."""

    role, name = "lender", LENDER

    def __init__(self, honest, disliked):
        self.honest, self.disliked, self.store = honest, disliked, honest.store

    def handle(self, message):
        return [] if self.disliked(message) else self.honest.handle(message)


def applied(village, disliked, shown, who="ada", retries=0):
    """One application to a silent lender; the lines show wallets as told. Returns the wallet."""
    clock = SetClock(TODAY * DAY_S + 4000.0)
    lender = village.party(LENDER, EPOCHS[0], village.stocked[LENDER].copy(), clock)
    table = Table([Silent(lender, disliked)], {("wallet", "lender"): shown}, clock)
    wallet = village.wallet(wallet_of(who), EPOCHS[0], village.stocked[wallet_of(who)].copy(), clock)
    table.seat(wallet)
    for _ in range(1 + retries):
        table.play(0, wallet.name, "apply", legal_id=who)
        clock.advance(60)
        if wallet.application()["receipt"]:
            table.play(0, wallet.name, "collect", legal_id=who)
    return wallet


def test_where_the_line_shows_who_asks_a_named_person_is_silenced_and_nothing_is_provable(village):
    with checks_remembered():
        aimed = [applied(village, lambda m: m.sender.endswith(NAMED), "pairwise", retries=1) for _ in range(TRIES)]
        other = applied(village, lambda m: m.sender.endswith(NAMED), "pairwise", who="bob")
    assert [wallet.verdict() for wallet in aimed] == [None] * TRIES
    assert [wallet.finding() for wallet in aimed] == [None] * TRIES  # no paper, so nothing to judge
    assert other.verdict() is False  # a refusal: an answer


def test_behind_a_relay_there_is_nobody_to_aim_at(village):
    seen = []

    def watching(message):
        seen.append(message.sender)
        return NAMED in message.sender

    with checks_remembered():
        played = [applied(village, watching, "one-time") for _ in range(TRIES)]
    assert [wallet.verdict() for wallet in played] == [True] * TRIES
    assert not any("ada" in sender for sender in seen)


def test_who_silences_at_random_is_met_by_asking_again_in_the_same_epoch(village):
    draw = random.Random(5)
    with checks_remembered():
        once, again = (
            [
                applied(village, lambda m: m.kind == "ask" and draw.random() < 0.5, "one-time", retries=n).verdict()
                for _ in range(TRIES)
            ]
            for n in (0, 5)
        )
    assert 4 <= once.count(None) <= 16  # half of them; chance of falling outside: one in 400
    assert again.count(True) >= TRIES - 2  # expected unanswered: 20 / 64


def test_silence_after_the_receipt_convicts(village):
    with checks_remembered():
        wallet = applied(village, lambda m: m.kind in ("answer", "fetch"), "one-time")
    assert wallet.verdict() is None
    assert wallet.finding() == Finding.OVERDUE
