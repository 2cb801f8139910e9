"""A lender that does not answer a named person: what it takes, what can be proven, what asking again leaves of it."""

from __future__ import annotations

import random

import pytest

from blindscore.parties.party import DAY_S, SetClock
from blindscore.parties.table import Table
from blindscore.surveillance.ledger import CAPTURED, REFUSES
from blindscore_app.town.silence import CONDITIONS, Silenced, measure, silence_rows
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


@pytest.fixture(scope="module")
def measured():
    return {
        (one.relayed, one.share, one.retries): said for one, said in zip(CONDITIONS, measure("one-show", 3, seed=2))
    }


def test_over_tls_a_login_is_silenced_and_the_relay_leaves_nobody_to_aim_at(measured):
    direct, relayed = measured[False, 0.0, 5], measured[True, 0.0, 5]
    assert (direct.named, direct.others, direct.provable) == (3, 0, 0)
    assert (relayed.named, relayed.others, relayed.complained) == (0, 0, 0)
    assert relayed.passed >= 4 * 6  # ask, commit, answer, fetch of six people
    assert direct.passed == 0  # none of it went through the relay


def test_a_line_whose_mark_happens_to_spell_the_name_is_nobodys(monkeypatch):
    monkeypatch.setattr("blindscore_app.town.service.secrets.token_hex", lambda n: "ada0" * (n // 2))
    played = zip(CONDITIONS, measure("one-show", 1, seed=2), strict=True)
    (relayed,) = (said for one, said in played if one.relayed and one.share == 0.0)
    assert (relayed.named, relayed.complained) == (0, 0)


def test_who_silences_everybody_shows_in_the_public_count_and_each_person_holds_a_receipt(measured):
    everybody = measured[True, 1.0, 5]
    assert (everybody.named, everybody.others, everybody.receipts) == (3, 3, 3)
    assert everybody.complained == everybody.passed == 6 * 6  # each question of six people, asked six times
    assert everybody.advantage[0] == 0.0


def test_rows_of_silence_are_captured_and_claim_nothing(measured):
    rows = silence_rows("one-show", list(measured.values()))
    assert len({row.secret for row in rows}) == len(CONDITIONS)
    for row, said in zip(rows, measured.values(), strict=True):
        assert (row.kind, row.bound, row.removed, row.adversary) == (CAPTURED, None, False, REFUSES)
        assert row.low <= row.advantage == (said.named - said.others) / 3 <= row.high
    none = Silenced("", 100, named=0, others=0).advantage
    assert none[0] == 0.0
    assert -0.04 < none[1] < 0 < none[2] < 0.04
