"""``encrypted-proved`` and the public log: lenders with two commitments and keepers that help, beside honest twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import DataError, ForgeryError
from blindscore.parties.party import DAY_S
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.proved.published import Setting, all_terms, find, is_off_log
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.log.keymap import KeyMap
from blindscore_crypto.sealed.log.monitor import describe, watch
from blindscore_crypto.sealed.log.tree import leaf_hash
from blindscore_crypto.sealed.parties.log import NEEDED, LogKeeper, found_log, keep
from blindscore_crypto.sealed.terms import Epoch
from tests.crypto.encrypted_world import BANK, DAY, NAME, random_bins, random_card
from tests.crypto.proved_world import EPOCH, ProvedWorld

CARD = random_card(np.random.default_rng(61), characteristics=3)
ROWS = random_bins(np.random.default_rng(62), CARD, 4)
NEXT = Epoch(2, DAY + 60)


class Published:
    """A proving lender and a bank, members of a log with three witnesses."""

    def __init__(self, *, log_terms: bool = True) -> None:
        self.world, self.registrar = ProvedWorld.of(CARD, ROWS), SigningKey()
        self.keeper, self.witnesses = self.log(log_terms=log_terms)
        self.trust = Trust(self.keeper.public, tuple(w.public for w in self.witnesses), NEEDED)

    def log(self, *, log_terms: bool = True):
        world, keys = self.world, {}
        members = (Member(NAME, "lender", world.signer.public), Member(BANK, "source", world.bank.public))
        made = found_log(
            self.registrar.public,
            lambda name: MemoryStore(),
            world.clock,
            lambda name: keys.setdefault(name, SigningKey()),
        )
        keep(*made, [Entry.sign(Kind.MEMBER, self.registrar, member.encode()) for member in members])
        if log_terms:
            keep(*made, [self.entry(world.terms)])
        return made

    def entry(self, terms: ProvedTerms, key: SigningKey | None = None) -> Entry:
        return Entry.sign(Kind.PROVED_TERMS, key or self.world.signer, terms.encode())

    def second(self, epoch: Epoch = EPOCH, threshold: int = 650) -> tuple[ProvedTerms, object]:
        return ProvedTerms.of(NAME, self.world.signer.public, P256_GROUP, CARD, threshold, epoch)

    def find(self, store=None, epoch: Epoch = EPOCH, keeper: LogKeeper | None = None, **other):
        setting = replace(Setting(NAME, BANK, epoch, self.trust), **other)
        return find(setting, store or MemoryStore(), self.world.clock, (keeper or self.keeper).look_up)


def test_a_wallet_finds_the_terms_and_the_source_and_is_served_under_them():
    here = Published()
    found = here.find()
    assert (found.terms.digest, found.source) == (here.world.terms.digest, here.world.bank.public)
    wallet = here.world.play(here.world.wallet(found.terms))
    assert wallet.score == CARD.scores(ROWS[:1])[0]
    assert wallet.off_terms is None
    (last,) = [describe(data) for data in here.keeper.book.entries[-1:]]
    assert last.startswith(f"committed terms of {NAME!r} for 'loan', epoch 1: from 600 points under a secret card")
    assert watch(here.keeper.book.entries, here.registrar.public) == []


def test_a_second_commitment_for_one_epoch_is_admitted_by_nobody():
    here = Published()
    twin = here.entry(here.second()[0])
    with pytest.raises(ForgeryError, match="the log holds another proved terms under this key, entry 2"):
        here.keeper.append(twin.encode())
    keep(here.keeper, here.witnesses, [here.entry(here.second(NEXT, 600)[0])])  # the next epoch's own: admitted
    assert here.find(epoch=NEXT).terms.epoch == NEXT
    assert watch(here.keeper.book.entries, here.registrar.public) == []
    (alarm,) = watch([*here.keeper.book.entries, twin.encode()], here.registrar.public)
    assert (alarm.index, "holds another proved terms" in alarm.what) == (4, True)
    (changed,) = watch(
        [*here.keeper.book.entries[:3], here.entry(here.second(NEXT)[0]).encode()], here.registrar.public
    )
    assert "has changed threshold" in changed.what


def test_a_keeper_that_puts_the_second_commitment_in_the_first_ones_place_loses_its_witnesses():
    here = Published()
    store, twin = MemoryStore(), here.entry(here.second()[0]).encode()
    here.find(store)
    book, other = here.keeper.book, KeyMap()
    for at, data in ((0, book.entries[0]), (1, book.entries[1]), (3, twin)):
        keys = Entry.decode(data).keys()
        book._index |= dict.fromkeys(keys, at)
        for key in keys:
            other.insert(key, leaf_hash(data))
    book.map = other
    book.entries.append(twin)
    book.tree.append(twin)
    keep(here.keeper, here.witnesses, [])
    with pytest.raises(ForgeryError, match="0 witnesses cosigned the log's head, 2 must"):
        here.find(store)


def test_a_log_of_ones_own_for_one_person_needs_its_witnesses():
    """The keeper shows one wallet another log, with the second commitment in it; one witness of three helps."""
    here = Published()
    keeper, witnesses = here.log(log_terms=False)
    keeper._key = here.keeper._key  # the true keeper's name on the other log
    for witness in witnesses:
        witness._log = keeper.public
    witnesses[0]._key = here.witnesses[0]._key
    keep(keeper, witnesses, [here.entry(here.second()[0])])
    with pytest.raises(ForgeryError, match="1 witnesses cosigned the log's head, 2 must"):
        here.find(keeper=keeper)
    assert here.find().terms.digest == here.world.terms.digest


def test_a_lender_that_answers_under_a_second_commitment_is_convicted():
    here = Published()
    world, found = here.world, here.find()
    honest = world.play(world.wallet(found.terms), who="p-2")
    world.lender.terms, world.lender.kept = here.second()
    wallet = world.play(world.wallet(found.terms))
    assert world.read == [CARD.totals(ROWS[1:2])[0]]  # of the honest twin alone
    assert wallet.decision is None
    logged = all_terms(here.keeper.book.entries, world.signer.public)
    assert is_off_log(*wallet.off_terms, found.terms, logged)
    assert not is_off_log(honest.papers.application, honest.papers.reply, found.terms, logged)


def test_a_lender_that_has_moved_on_to_its_next_logged_terms_is_not_framed():
    here = Published()
    world, found = here.world, here.find()
    world.lender.terms, world.lender.kept = here.second(NEXT)
    keep(here.keeper, here.witnesses, [here.entry(world.lender.terms)])
    wallet = world.play(world.wallet(found.terms))
    logged = all_terms(here.keeper.book.entries, world.signer.public)
    assert not is_off_log(*wallet.off_terms, found.terms, logged)
    application, reply = wallet.off_terms
    for spoilt, said in (
        ((application, reply[:-1] + bytes([reply[-1] ^ 1])), "signature is not the sender's"),
        ((application[:-1] + bytes([application[-1] ^ 1]), reply), "answers another application"),
    ):
        with pytest.raises(ForgeryError, match=said):
            is_off_log(*spoilt, found.terms, logged)
    with pytest.raises(ForgeryError, match="the log does not hold"):
        is_off_log(application, reply, here.second()[0], logged)


def test_terms_that_are_absent_of_another_epoch_or_out_of_force_are_not_used():
    here = Published(log_terms=False)
    with pytest.raises(DataError, match="no such lender, source or terms"):
        here.find()
    keep(here.keeper, here.witnesses, [here.entry(here.world.terms)])
    assert here.find().terms.threshold == 600
    for other, said in (
        ({"epoch": NEXT}, "no such"),
        ({"purpose": "rent"}, "no such"),
        ({"lender": "another"}, "no such"),
        ({"lender": BANK}, "another role"),
        ({"epoch": replace(EPOCH, last_day=DAY + 40)}, "dates are not the published ones"),
    ):
        with pytest.raises((DataError, ForgeryError), match=said):
            here.find(**other)
    here.world.clock.advance(31 * DAY_S)
    here.keeper.refresh()
    keep(here.keeper, here.witnesses, [])
    with pytest.raises(ForgeryError, match="not the published ones, or past"):
        here.find()
    assert here.world.play().decision is None  # and the lender, too, answers no longer


def test_terms_are_logged_by_their_own_lender_and_whole():
    here, stranger = Published(log_terms=False), SigningKey()
    terms = here.world.terms
    for made, said in (
        (here.entry(terms, stranger), "no member"),
        (here.entry(terms, here.world.bank._signer), "no member, or of a role"),
        (here.entry(replace(terms, lender="another")), "under its own name and key"),
        (here.entry(replace(terms, signs=stranger.public)), "under its own name and key"),
        (here.entry(replace(terms, threshold=terms.low)), "must lie above"),
        (here.entry(replace(terms, half=1500)), "no power of two"),
        (here.entry(replace(terms, half=1 << 14)), "no power of two"),
        (here.entry(replace(terms, commitments=terms.commitments[:-64])), "not one commitment a bin"),
        (here.entry(replace(terms, commitments=b"\1" * len(terms.commitments))), "proved terms: "),
    ):
        with pytest.raises(ForgeryError, match=said):
            here.keeper.append(made.encode())
    body, rng = terms.encode(), np.random.default_rng(7)
    assert ProvedTerms.decode(body) == terms
    for _ in range(60):
        at = int(rng.integers(len(body)))
        for bad in (body[:at], body + body[: at + 1]):
            with pytest.raises(ForgeryError, match="proved terms"):
                ProvedTerms.decode(bad)
    for at in range(0, len(body), 41):
        if at >= len(body) - len(terms.commitments) - 4 or at < 4:
            with pytest.raises(ForgeryError, match="proved terms"):
                ProvedTerms.decode(body[:at] + bytes([body[at] ^ 8]) + body[at + 1 :])
