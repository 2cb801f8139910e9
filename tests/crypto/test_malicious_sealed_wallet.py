"""Cheats of persons and strangers against sealed and one-show, each beside its accepted twin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SIGNATURE_BYTES, SigningKey
from blindscore_crypto.sealed import one_show
from blindscore_crypto.sealed.check import answer_bytes, check
from blindscore_crypto.sealed.contract import require_holder, sign_as_holder
from blindscore_crypto.sealed.groups.group import P256_GROUP, encode_scalar
from blindscore_crypto.sealed.holder import read_request, request, secret_base
from blindscore_crypto.sealed.offer import (
    HEAD_BYTES,
    NO_CHANNEL,
    Offer,
    Verdict,
    ask,
    commit,
    digest,
    seal,
)
from blindscore_crypto.sealed.parties.source import LIMIT, MAX_BATCH, SESSION_S
from tests.crypto.sealed_world import EPOCH, GOOD, POOR, RECORDS, TODAY, World

FORMS = pytest.mark.parametrize("blind", [False, True], ids=["sealed", "one-show"])


def say(party, kind: str, body: bytes, sender: str = "line") -> Message:
    (reply,) = party.handle(Message(party.name, kind, body, sender))
    return reply


# Who comes back


@FORMS
def test_a_wallet_that_forgets_is_known_by_its_holders_nullifier(blind):
    """Five perks in one epoch: fresh signatures, fresh one-time keys, fresh offers, and one approval all the same."""
    world = World(blind=blind)
    verdicts, clients = [], [SigningKey() for _ in range(5)]
    for client in clients:
        verdicts.append(world.decide(world.lender, world.answer(GOOD, client=client), client))
    assert [v.verdict for v in verdicts] == [Verdict.APPROVED, *[Verdict.USED] * 4]
    other = World(blind=blind)  # another lender is another place
    client = SigningKey()
    assert other.decide(other.lender, other.answer(GOOD, client=client), client).verdict == Verdict.APPROVED


@FORMS
def test_another_persons_nullifier_or_a_made_up_one_is_not_taken(blind):
    world, client = World(blind=blind), SigningKey()
    assert check(world.terms, world.answer(GOOD, client=client)).approved
    world.secret, honest = 4711, world.secret  # N of another secret than was signed
    if blind:
        made = [world.credential(i, GOOD, secret=honest) for i in (0, 1)]
        forged = one_show.present(world.terms, world.offer(client), client, world.blind_witness(made, GOOD))
    else:
        forged = world.present(world.issue("ada", GOOD, secret=honest), world.offer(client), client)
    with pytest.raises(ForgeryError, match="one and the same person"):
        check(world.terms, forged)


@FORMS
def test_a_customer_has_one_secret_an_epoch(blind):
    """Two wallets of one person would have two places at a lender: the source signs for the first."""
    world = World(blind=blind)
    source, good = world.sources[0], "issued" if not blind else "openings"
    source.enrol("ada", RECORDS["good"])
    key, epoch = source.signatory.key, world.terms.epoch.number
    assert say(source, "request", request(P256_GROUP, 5, key, epoch, 1), "ada").kind == good
    assert say(source, "request", request(P256_GROUP, 5, key, epoch, 1), "ada").kind == good
    assert say(source, "request", request(P256_GROUP, 6, key, epoch, 1), "ada").kind == "refused"
    source.enrol("bob", RECORDS["good"])
    assert say(source, "request", request(P256_GROUP, 6, key, epoch, 1), "bob").kind == good


def test_a_request_for_anothers_secret_or_to_another_source_or_epoch_is_refused():
    world = World()
    key, other = world.source_keys[0].public, world.source_keys[1].public
    data = request(P256_GROUP, 5, key, 1, 2)
    public, count = read_request(P256_GROUP, data, key, 1, MAX_BATCH)
    assert count == 2
    assert P256_GROUP.equal(public, P256_GROUP.mul(5, secret_base(P256_GROUP)))
    stolen = P256_GROUP.encode(P256_GROUP.mul(9, secret_base(P256_GROUP))) + data[65:]
    unproven = "no proof that the wallet knows its secret"
    for bad, who, said in (
        (data, other, unproven),
        (stolen, key, unproven),
        (data[:-1] + b"\x03", key, unproven),  # more than was signed for
        (data[:-2] + b"\0\0", key, "it asks for nothing"),
        (data[:-2] + b"\xff\xff", key, "says that 65535 follow, 16 may"),
        (data[:-1], key, "cut short after 163 bytes"),
        (data + b"\0", key, "1 bytes are left over"),
    ):
        with pytest.raises(ForgeryError, match=said):
            read_request(P256_GROUP, bad, who, 1, MAX_BATCH)
    with pytest.raises(ForgeryError, match=unproven):
        read_request(P256_GROUP, data, key, 2, MAX_BATCH)  # of another epoch


def test_what_a_customer_fetches_and_keeps_open_is_bounded():
    world = World(blind=True)
    source = world.sources[0]
    source.enrol("ada", RECORDS["good"])
    body = request(P256_GROUP, 5, source.signatory.key, world.terms.epoch.number, MAX_BATCH)
    kinds = [say(source, "request", body, "ada").kind for _ in range(LIMIT // MAX_BATCH + 1)]
    assert kinds == ["openings"] * (LIMIT // MAX_BATCH) + ["refused"]
    assert len(source.store.items("sessions")) == MAX_BATCH
    assert say(source, "request", body, "stranger").kind == "refused"


def test_an_open_session_answers_once_in_time_and_to_its_owner():
    world = World(blind=True)
    source = world.sources[0]
    challenge = encode_scalar(12345)
    for who in ("ada", "bob"):
        source.enrol(who, RECORDS["good"])
        say(
            source, "request", request(P256_GROUP, 5 + len(who), source.signatory.key, world.terms.epoch.number, 1), who
        )
    assert say(source, "challenges", b"\xff" * 32, "ada").kind == "refused"  # malformed: the session stays open
    assert say(source, "challenges", challenge * 2, "ada").kind == "refused"  # more than were opened
    assert say(source, "challenges", challenge, "ada").kind == "closings"
    assert say(source, "challenges", challenge, "ada").kind == "refused"
    world.clock.advance(SESSION_S + 1)
    assert say(source, "challenges", challenge, "bob").kind == "refused"
    assert say(World().sources[0], "challenges", challenge, "ada").kind == "refused"


def test_nothing_is_signed_after_the_epoch():
    world = World()
    source = world.sources[0]
    source.enrol("ada", RECORDS["good"])
    body = request(P256_GROUP, 5, source.signatory.key, world.terms.epoch.number, 1)
    assert say(source, "request", body, "ada").kind == "issued"
    world.clock.now = (EPOCH.last_day + 1) * 86_400.0
    assert say(source, "request", body, "ada").kind == "refused"
    assert say(world.lender, "ask", ask(SigningKey().public)).kind == "refused"


# Who answers


@FORMS
def test_somebody_elses_proof_is_not_taken_in_poes_session(blind):
    """Poe asks; Ada's proof, made for her own offer, is shown under his."""
    world, ada, poe = World(blind=blind), SigningKey(), SigningKey()
    proof = world.answer(GOOD, client=ada)
    assert check(world.terms, proof).approved
    body, length = proof[HEAD_BYTES:-SIGNATURE_BYTES], answer_bytes(world.terms)
    poes, adas = world.offer(poe), Offer.decode(world.terms, proof[1 : HEAD_BYTES - 32])
    for forged, why in (
        (seal(poes, 1, body, length, poe), "one and the same person"),  # her proof under his offer
        (seal(adas, 1, body, length, poe), "somebody else"),  # her offer, his key
        (proof[:-64] + poe.sign(proof[:-64], Purpose.ANSWER), "does not verify"),
    ):
        with pytest.raises(ForgeryError, match=why):
            check(world.terms, forged)


def test_an_outsiders_refusal_does_not_spend_a_persons_offer():
    """Neither a stranger nor the lender itself can refuse in somebody's name: the one-time key signs a refusal too."""
    world, ada, stranger = World(), SigningKey(), SigningKey()
    offer, length = world.offer(ada), answer_bytes(world.terms)
    made_up = seal(offer, 0, b"", length, stranger)
    with pytest.raises(ForgeryError, match="somebody else"):
        check(world.terms, made_up)
    assert say(world.lender, "commit", commit(offer, made_up, stranger)).kind == "refused"
    proof = world.present(world.issue("ada", GOOD), offer, ada)
    assert world.decide(world.lender, proof, ada).verdict == Verdict.APPROVED
    refusal = seal(world.offer(ada), 0, b"", length, ada)
    assert world.decide(world.lender, refusal, ada).verdict == Verdict.REFUSED


def test_an_offer_is_good_on_its_own_channel():
    """A relay in between has another TLS channel to either side."""
    world, client = World(), SigningKey()
    here, there = bytes(range(32)), bytes(32)
    bound = world.new_lender(channel_of=lambda message: here if message.sender == "line" else there)
    offer = say(bound, "ask", ask(client.public, here))
    assert offer.kind == "offer"
    assert say(bound, "ask", ask(client.public, here), "relay").kind == "refused"
    assert say(bound, "ask", ask(client.public)).kind == "refused"
    decoded = Offer.decode(world.terms, offer.body)
    answer = world.present(world.issue("ada", GOOD), decoded, client)
    assert say(bound, "commit", commit(decoded, answer, client), "relay").kind == "refused"
    assert say(bound, "commit", commit(decoded, answer, client)).kind == "receipt"
    wallet = world.new_wallet(channel_to=lambda name: there)
    world.enrol("ada", RECORDS["good"])
    table = world.table(lender=bound)
    table.seat(wallet)
    table.play(0, wallet.name, "learn", legal_id="ada")
    with pytest.raises(ForgeryError, match="stand in between"):
        wallet.check_offer(offer.body, client)
    assert world.new_wallet(store=wallet.store, channel_to=lambda name: here).check_offer(offer.body, client)
    assert decoded.channel != NO_CHANNEL


def test_one_answer_an_offer_and_one_receipt_an_answer():
    world, client = World(), SigningKey()
    offer = world.offer(client)
    first, second = (world.present(world.issue("ada", GOOD), offer, client) for _ in range(2))
    receipt = say(world.lender, "commit", commit(offer, first, client))
    assert say(world.lender, "commit", commit(offer, first, client)) == receipt
    assert say(world.lender, "commit", commit(offer, second, client)).kind == "refused"
    assert say(world.lender, "answer", second).kind == "refused"  # no receipt: not even stored
    assert say(world.lender, "answer", first).kind == "noted"
    assert say(world.lender, "fetch", digest(second)).kind == "refused"
    assert say(world.lender, "fetch", digest(first)).kind == "decision"


def test_bad_answers_get_a_signed_void_and_cost_nothing_before():
    """An offer of another day, a proof that proves nothing, an answer to another receipt: decided, in the batch."""
    world, client = World(), SigningKey()
    late = Offer.make(world.terms, world.key, ask(client.public), day=TODAY - 1)
    stale = world.present(world.issue("ada", GOOD), late, client)
    assert say(world.lender, "commit", commit(late, stale, client)).kind == "refused"
    lifted = world.present(world.issue("ada", POOR), world.offer(client), client, 200)
    honest = world.answer(GOOD, "eve", client)
    assert world.decide(world.lender, lifted, client).verdict == Verdict.VOID
    assert world.decide(world.lender, honest, client).verdict == Verdict.APPROVED


def test_a_flood_of_noise_stores_nothing():
    world = World()
    before = len(world.lender.store.journal)
    for kind in ("ask", "commit", "answer", "fetch", "sing"):
        for body in (b"", b"\x07" * 32, b"\x07" * 316, bytes(answer_bytes(world.terms))):
            assert say(world.lender, kind, body).kind == "refused" or (kind, len(body)) == ("ask", 64)
    assert len(world.lender.store.journal) == before


def test_a_contract_names_the_holder_whose_score_was_proven():
    """Credentials that were lent: the score is proven, and the loan's paper cannot be signed by another name."""
    for blind in (False, True):
        world = World(blind=blind)
        wallet = world.apply("ada", "good")
        papers = wallet.application()
        blinding = int.from_bytes(papers["blinding"], "big")
        proof = sign_as_holder(world.terms, papers["answer"], b"contract 7", "ada", blinding)
        require_holder(world.terms, papers["answer"], b"contract 7", "ada", proof)
        poe = sign_as_holder(world.terms, papers["answer"], b"contract 7", "poe", blinding)
        other = world.answer(GOOD, "bob")
        for answer, contract, who, bad in (
            (papers["answer"], b"contract 7", "poe", poe),
            (papers["answer"], b"contract 7", "poe", proof),
            (papers["answer"], b"contract 8", "ada", proof),
            (other, b"contract 7", "ada", proof),
        ):
            with pytest.raises(ForgeryError, match="not the person"):
                require_holder(world.terms, answer, contract, who, bad)
        refusal = b"\0" + papers["answer"][1:]
        with pytest.raises(ForgeryError, match="names no holder"):
            require_holder(world.terms, refusal, b"contract 7", "ada", proof)


def test_an_attestation_shown_twice_is_recognised_and_two_of_a_batch_are_not():
    """At two lenders: the supercookie that a wallet must not be."""
    first, client = World(), SigningKey()
    key = SigningKey()
    second = replace(first.terms, lender="Quay Bank", lender_key=key.public)

    def shown(terms, signer, parts):
        offer = first.offer(client, terms, signer)
        return set(check(terms, first.present(parts, offer, client, terms=terms)).nullifiers)

    once, twice = first.issue("ada", GOOD), first.issue("ada", GOOD)
    assert len(shown(first.terms, first.key, once) & shown(second, key, once)) == len(first.sources)
    assert not shown(first.terms, first.key, once) & shown(second, key, twice)
