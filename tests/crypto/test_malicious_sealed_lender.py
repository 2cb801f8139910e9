"""Cheats of lenders against sealed and one-show: bent decisions, silence, made-up excuses, probes, sibling names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore.parties.store import MemoryStore
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.check import answer_bytes, check
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from blindscore_crypto.sealed.holder import nullifier, scope
from blindscore_crypto.sealed.judge import Finding, judge
from blindscore_crypto.sealed.log.entries import Entry, Kind, Member
from blindscore_crypto.sealed.offer import Decision, Offer, Receipt, Verdict, ask, digest, seal
from blindscore_crypto.sealed.parties.lender import Lender
from tests.crypto.sealed_world import CARD, GOOD, KEYS, POOR, RECORDS, TODAY, World

FORMS = pytest.mark.parametrize("blind", [False, True], ids=["sealed", "one-show"])


class Cheat(Lender):
    """A lender that does one thing otherwise, by the kind of message that it answers."""

    def __init__(self, world: World, **instead) -> None:
        super().__init__(world.terms, world.key, MemoryStore(), clock=world.clock)
        self.instead, self.world = instead, world

    def handle(self, message: Message) -> list[Message]:
        action = self.instead.get(message.kind)
        return super().handle(message) if action is None else action(self, message)


def signed(verdict: Verdict, other: bytes = bytes(32)):
    """Decide every answer alike."""

    def action(lender, message):
        body = Decision.make(lender.world.key, message.body, verdict, other).encode()
        return [Message(message.sender, "decision", body)]

    return action


def played(world: World, who: str, record: str, **instead):
    return world.apply(who, record, world.table(lender=Cheat(world, **instead)))


@FORMS
@pytest.mark.parametrize("record", ["good", "poor"])
def test_an_answer_against_the_terms_is_proof_against_the_lender(blind, record):
    world = World(blind=blind)
    good = record == "good"
    assert world.apply("ada", record).finding() == Finding.KEPT
    for verdict in Verdict:
        wallet = played(world, f"{record} {verdict}", record, fetch=signed(verdict))
        honest = verdict == (Verdict.APPROVED if good else Verdict.REFUSED)
        assert wallet.finding() == (Finding.KEPT if honest else Finding.BENT), verdict


@FORMS
def test_silence_after_the_receipt_is_evidence_and_before_it_nothing_is_known(blind):
    world = World(blind=blind)
    for silent in ("answer", "fetch"):
        wallet = played(world, f"ada {silent}", "good", **{silent: lambda *_: []})
        assert (wallet.verdict(), wallet.finding()) == (None, Finding.OVERDUE)
    for silent in ("ask", "commit"):
        table = world.table(lender=Cheat(world, **{silent: lambda *_: []}))
        wallet = world.apply(f"eve {silent}", "good", table)
        assert (wallet.verdict(), wallet.finding()) == (None, None)  # refuses to serve: nothing to judge
        told = b"".join(p.body for p in table.tape.received("lender"))
        answer = wallet.application()["answer"]
        shown = {answer[i : i + 32] for i in range(300, len(answer) - 32)}
        assert not any(told[i : i + 32] in shown for i in range(len(told) - 31))  # nor had it seen any of the proof


def test_a_lender_that_is_silent_is_asked_by_the_judge_and_may_still_keep_its_word():
    world, client = World(), SigningKey()
    answer = world.answer(GOOD, client=client)
    offer = Offer.decode(world.terms, answer[1:185])
    from blindscore_crypto.sealed.offer import commit

    (receipt,) = world.lender.handle(Message("lender", "commit", commit(offer, answer, client), "line"))
    now = world.clock()
    assert judge(world.terms, answer, receipt.body, None, now) == Finding.OVERDUE
    decision, other = world.lender.file(answer)  # the judge shows the answer: it had never come
    assert judge(world.terms, answer, receipt.body, decision, now, other) == Finding.KEPT
    with pytest.raises(ForgeryError, match="no receipt"):
        world.lender.file(world.answer(GOOD, "bob", client))


def test_used_before_needs_the_other_answer():
    """An honest "used" names what used it; a made-up one has nothing to show."""
    world, first, second = World(), SigningKey(), SigningKey()
    one, two = world.answer(GOOD, client=first), world.answer(GOOD, client=second)
    world.decide(world.lender, one, first)
    said = world.decide(world.lender, two, second)
    assert (said.verdict, said.other) == (Verdict.USED, digest(one))
    offer = Offer.decode(world.terms, two[1:185])
    receipt = Receipt.make(world.key, offer.nullifier, digest(two), int(world.clock())).encode()
    filed, other = world.lender.file(two)
    now = world.clock()
    assert judge(world.terms, two, receipt, filed, now, other) == Finding.KEPT
    strangers = World()
    strangers.secret = random_scalar(P256_GROUP)
    unrelated = replace_secret(world, "bob")
    for excuse in (None, unrelated, two, strangers.answer(GOOD), b"", bytes(len(two))):
        named = Decision.make(world.key, digest(two), Verdict.USED, digest(excuse or b"")).encode()
        assert judge(world.terms, two, receipt, named, now, excuse) == Finding.BENT
    refusal = seal(world.offer(SigningKey()), 0, b"", answer_bytes(world.terms), SigningKey())
    made_up = Decision.make(world.key, digest(two), Verdict.USED, digest(refusal)).encode()
    assert judge(world.terms, two, receipt, made_up, now, refusal) == Finding.BENT


def replace_secret(world: World, who: str) -> bytes:
    """An honest answer of somebody else."""
    kept, world.secret = world.secret, random_scalar(P256_GROUP)
    try:
        return world.answer(GOOD, who)
    finally:
        world.secret = kept


def test_nobody_is_accused_with_forged_papers():
    world = World()
    wallet = world.apply("ada", "good")
    papers = wallet.application()
    answer, receipt, decision, now = papers["answer"], papers["receipt"], papers["decision"], world.clock()
    bent = Decision.make(world.key, digest(answer), Verdict.REFUSED).encode()
    assert judge(world.terms, answer, receipt, bent, now) == Finding.BENT
    stranger, other = SigningKey(), world.answer(GOOD, "bob")
    offer = Offer.decode(world.terms, answer[1:185]).nullifier
    for papers, said in (
        ((other, receipt, bent), "for another answer"),  # an answer without this receipt
        ((answer, receipt, b"\x01" + bent[1:]), "decision does not verify"),  # the verdict turned
        ((answer, receipt, bent[:-1]), "a decision has 97 bytes"),
        ((answer, receipt, b"\x09" + bent[1:]), "says one of 4 things"),
        ((answer, receipt, Decision.make(stranger, digest(answer), Verdict.REFUSED).encode()), "does not verify"),
        ((answer, Receipt.make(stranger, offer, digest(answer), 0).encode(), bent), "receipt does not verify"),
        ((answer, receipt[:-1], bent), "a receipt has 140 bytes"),
        (
            (answer, Receipt.make(world.key, offer, digest(answer), int(now) + 60).encode(), None),
            "deadline has not passed",
        ),
    ):
        with pytest.raises(ForgeryError, match=said):
            judge(world.terms, *papers, now)
    broken = answer[:-1] + bytes([answer[-1] ^ 1])  # proves nothing: the lender is right to call it void
    paper = Receipt.make(world.key, offer, digest(broken), 0).encode()
    void = Decision.make(world.key, digest(broken), Verdict.VOID).encode()
    assert judge(world.terms, broken, paper, void, now) == Finding.KEPT
    assert judge(world.terms, answer, receipt, decision, now) == Finding.KEPT


def test_the_judge_reads_the_terms_own_form():
    """Under one-show terms a complaint is judged by the one-show rules, whoever judges."""
    world = World(blind=True)
    papers = world.apply("ada", "good").application()
    bent = Decision.make(world.key, digest(papers["answer"]), Verdict.REFUSED).encode()
    assert judge(world.terms, papers["answer"], papers["receipt"], bent, world.clock()) == Finding.BENT


# Probing


@FORMS
def test_a_threshold_of_its_own_finds_no_wallet_that_answers(blind):
    """Ten questions would read a score by bisection; the wallet answers the logged one, once."""
    world = World(blind=blind)
    table, wallet = world.table(), world.new_wallet(batch=12)
    world.enrol("ada", RECORDS["good"])
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    client = SigningKey()
    assert wallet.check_offer(world.offer(client).encode(), client)
    for threshold in range(641, 650):
        probe = replace(world.terms, threshold=threshold)
        with pytest.raises(ForgeryError, match="other terms"):
            wallet.check_offer(world.offer(client, probe).encode(), client)


def test_the_wallet_refuses_an_offer_that_is_not_in_order():
    world = World()
    table, wallet, client = world.table(), world.new_wallet(), SigningKey()
    world.enrol("ada", RECORDS["good"])
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    offer = world.offer(client).encode()
    assert wallet.check_offer(offer, client)
    for bad, said in (
        (offer[:-1], "an offer has 184 bytes"),
        (offer[:-1] + bytes([offer[-1] ^ 1]), "does not verify"),
        (Offer.make(world.terms, world.key, ask(client.public), day=TODAY - 1).encode(), "of another day or epoch"),
        (world.offer(SigningKey()).encode(), "to somebody else"),
        (world.offer(client, key=SigningKey()).encode(), "does not verify"),  # of somebody else
        (bytes(len(offer)), "begins with BSO2"),
    ):
        with pytest.raises(ForgeryError, match=said):
            wallet.check_offer(bad, client)


def test_a_deadline_in_the_far_future_is_not_answered():
    world = World()

    def later(lender, message):
        from blindscore_crypto.sealed.offer import read_commit

        offer, name = read_commit(world.terms, message.body)
        body = Receipt.make(world.key, offer.nullifier, name, int(world.clock()) + 10**8).encode()
        return [Message(message.sender, "receipt", body)]

    wallet = played(world, "ada", "good", commit=later)
    assert wallet.verdict() is None
    assert "the lender's deadline lies too far away" in wallet.troubles()


def test_sibling_names_have_no_second_place():
    """One key under two names, or two purposes: the log admits one name a key, and N is of the key."""
    world = World()
    keeper, _ = world.published()
    sibling = Entry.sign(Kind.MEMBER, KEYS.registrar, Member("Sibling", "lender", world.key.public).encode())
    with pytest.raises(ForgeryError, match="another member"):
        keeper.append(sibling.encode())
    squatter = Entry.sign(Kind.MEMBER, KEYS.registrar, Member("Harbour Bank", "lender", SigningKey().public).encode())
    with pytest.raises(ForgeryError, match="another member"):
        keeper.append(squatter.encode())
    at = scope(P256_GROUP, world.key.public, 1)
    assert P256_GROUP.equal(at, scope(P256_GROUP, world.key.public, 1))
    assert not P256_GROUP.equal(at, scope(P256_GROUP, world.key.public, 2))
    assert not P256_GROUP.equal(at, scope(P256_GROUP, SigningKey().public, 1))
    # Under a second purpose with another threshold, the wallet's row and the holder's nullifier are the same.
    client, second = SigningKey(), replace(world.terms, purpose="overdraft", threshold=700)
    shown = set()
    for terms in (world.terms, second):
        answer = world.present(world.issue("ada", GOOD), world.offer(client, terms), client, terms=terms)
        shown.add(check(terms, answer).nullifiers[1])
    assert len(shown) == 1
    assert shown == {nullifier(P256_GROUP, P256_GROUP.mul(world.secret, scope(P256_GROUP, world.key.public, 202611)))}


@FORMS
def test_a_card_bent_for_one_person_is_caught_whatever_the_lender_does(blind):
    """The lender dislikes Ada and shifts her score: it finds no place in the log, no answer, or its conviction."""
    world = World(blind=blind)
    *others, housing = CARD.characteristics
    card = replace(CARD, characteristics=(*others, replace(housing, points=(-100, 20, 0))))  # her 725 become 605
    bent = replace(world.terms, card=card)
    keeper, _ = world.published()
    with pytest.raises(ForgeryError, match="another terms"):
        keeper.append(Entry.sign(Kind.TERMS, world.key, bent.encode()).encode())
    crooked = World(blind=blind)
    crooked.terms, crooked.key, crooked.sources, crooked.source_keys = bent, world.key, world.sources, world.source_keys
    crooked.clock = world.clock
    table = world.table(lender=crooked.new_lender())
    wallet = world.apply("ada", "good", table)
    assert wallet.verdict() is None
    assert any("other terms" in why for why in wallet.troubles())


# Time and order of replies


def test_the_reply_to_an_answer_is_the_same_work_whatever_it_says(monkeypatch):
    """Nothing is checked before the deadline, so that the time of a reply says nothing of the answer."""
    from blindscore_crypto.sealed.parties import lender as module

    calls = []
    real = module.check_each
    monkeypatch.setattr(module, "check_each", lambda *a: (calls.append(len(a[1])), real(*a))[1])
    world = World(delay_s=60)
    table = world.table()
    wallets = [world.apply(who, record, table) for who, record in (("ada", "good"), ("bob", "poor"))]
    assert calls == []
    assert [p.kind for p in table.tape.passages if p.sender == "lender"][-1] == "later"
    world.clock.advance(61)
    assert world.lender.settle() == 2
    assert calls == [2]  # by the clock, in one batch
    calls.clear()
    for wallet in wallets:
        table.play(0, wallet.name, "collect")
    assert calls == []
    assert [wallet.verdict() for wallet in wallets] == [True, False]
    sent = [[(p.kind, len(p.body)) for p in table.tape.passages if p.sender_name == w.name] for w in wallets]
    assert sent[0] == sent[1]


def test_two_processes_on_one_store_answer_a_replay_once_and_alike(tmp_path):
    """A restarted lender, or a second one beside it, on the same database."""
    from blindscore.parties.sqlite_store import SqliteStore

    world, client = World(), SigningKey()
    first = world.new_lender(store=SqliteStore(tmp_path / "lender.db"))
    second = world.new_lender(store=SqliteStore(tmp_path / "lender.db"))
    answer, again = world.answer(GOOD, client=client), world.answer(GOOD, client=client)
    assert world.decide(first, answer, client).verdict == Verdict.APPROVED
    assert world.decide(second, again, client).verdict == Verdict.USED
    assert world.decide(second, answer, client).verdict == Verdict.APPROVED  # the same frame, the same word
    for lender in (first, second):
        lender.store.close()


def test_processes_that_share_the_work_settle_each_answer_once_and_all_between_them(tmp_path):
    from blindscore.parties.sqlite_store import SqliteStore

    world, n = World(), 3
    lenders = [world.new_lender(store=SqliteStore(tmp_path / "lender.db"), share=(k, n)) for k in range(n)]
    answers = []
    for i in range(9):
        client, world.secret = SigningKey(), random_scalar(world.group)
        answers.append(world.answer(GOOD, f"person {i}", client))
        world.hand_in(lenders[0], answers[-1], client)  # one stores all of them
    falls_to = Counter(digest(answer)[0] % n for answer in answers)
    assert [lender.settle() for lender in lenders] == [falls_to[k] for k in range(n)]
    assert [lender.settle() for lender in lenders] == [0, 0, 0]
    for lender in lenders:
        for answer in answers:
            (told,) = lender.handle(Message("lender", "fetch", digest(answer), "line"))
            assert Decision.decode(world.terms, digest(answer), told.body).verdict == Verdict.APPROVED
        lender.store.close()


def test_a_decision_that_is_due_is_given_though_the_process_whose_share_it_is_is_gone(tmp_path):
    world, client = World(), SigningKey()
    answer = world.answer(GOOD, client=client)
    other = world.new_lender(share=(1 - digest(answer)[0] % 2, 2))
    world.hand_in(other, answer, client)
    assert other.settle() == 0
    (told,) = other.handle(Message("lender", "fetch", digest(answer), "line"))
    assert Decision.decode(world.terms, digest(answer), told.body).verdict == Verdict.APPROVED


def test_of_many_threads_one_application_of_a_holder_is_approved(tmp_path):
    import sys
    import threading

    from blindscore.parties.sqlite_store import SqliteStore

    world = World()
    lender, won = world.new_lender(store=SqliteStore(tmp_path / "lender.db")), []
    made = [(world.answer(GOOD, client=client), client) for client in (SigningKey() for _ in range(6))]

    def decide(answer, client):
        won.append(world.decide(lender, answer, client).verdict)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=decide, args=pair) for pair in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        lender.store.close()
    assert sorted(won) == [Verdict.APPROVED, *[Verdict.USED] * 5]


def test_poor_is_poor():
    world, client = World(), SigningKey()
    with pytest.raises(ForgeryError, match="not proven"):
        check(world.terms, world.present(world.issue("ada", POOR), world.offer(client), client))


@pytest.mark.parametrize("lost", ["offer", "receipt", "noted", "decision"])
@FORMS
def test_a_reply_that_was_lost_is_asked_for_again(blind, lost):
    """The lender handles the message, and its reply never arrives; the person asks once more, later."""
    world, dropped = World(blind=blind), []

    class Lossy(Lender):
        def handle(self, message):
            replies = super().handle(message)
            if replies and replies[0].kind == lost and not dropped:
                dropped.append(message.kind)
                return []
            return replies

    lender = Lossy(world.terms, world.key, MemoryStore(), clock=world.clock)
    table, wallet = world.table(lender=lender), world.new_wallet(batch=2)
    world.apply("ada", "good", table, wallet)
    assert (len(dropped), wallet.verdict()) == (1, None)
    table.play(0, wallet.name, "collect" if lost != "offer" else "apply", legal_id="ada")
    assert (wallet.verdict(), wallet.finding(), wallet.troubles()) == (True, Finding.KEPT, [])
