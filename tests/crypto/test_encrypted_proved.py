"""``encrypted-proved``: totals are exact and proved, one entry a characteristic opens, commitments hide and bind."""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
import pytest

from blindscore.designs.design import VERIFIED_SCORE, Design
from blindscore.errors import CardError, ForgeryError, ParameterError
from blindscore.parties.message import Message
from blindscore.scorecard.card import Card
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.designs.encrypted_proved import EncryptedProved
from blindscore_crypto.encrypted.proved import wire
from blindscore_crypto.encrypted.proved.judge import is_bent, proved_total
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import (
    ENTRY_BYTES,
    Masks,
    choose,
    chosen,
    read_choices,
    receive,
    send,
    transfer_bytes,
)
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.groups.ristretto import group_named
from blindscore_crypto.sealed.wire import blob
from tests.crypto.encrypted_world import NAME, random_bins, random_card
from tests.crypto.proved_world import EPOCH, ProvedWorld
from tests.crypto.test_encrypted_design import make_people

CARD = random_card(np.random.default_rng(31), characteristics=5)
ROWS = random_bins(np.random.default_rng(32), CARD, 12)
LAYOUT = Layout.of(CARD)


@pytest.fixture(params=["P-256", "ristretto255"])
def group(request) -> Group:
    return group_named(request.param)


def test_every_total_is_the_cards_proved_and_read_once(group):
    world = ProvedWorld.of(CARD, ROWS, group=group)
    scores = CARD.scores(ROWS)
    for i in range(6):
        wallet = world.play(who=f"p-{i + 1}")
        assert (wallet.score, wallet.decision) == (scores[i], scores[i] >= 600)
        assert not wallet.bent
        v = proved_total(wallet.papers, world.terms, [world.bank.public])
        assert v == CARD.totals(ROWS)[i] - world.terms.offset
    assert sorted(world.read) == sorted(CARD.totals(ROWS[:6]).tolist())


def test_one_entry_a_characteristic_opens_and_sums_are_all_that_it_tells(group):
    rng = np.random.default_rng(1)
    weights = rng.integers(-50, 51, LAYOUT.size).tolist()
    blindings = [secrets.randbelow(group.order) for _ in weights]
    seed, nonce, bins = secrets.token_bytes(32), bytes(32), ROWS[0].tolist()
    choices = choose(group, seed, LAYOUT, bins)
    assert chosen(group, seed, LAYOUT, choices) == bins
    masks = Masks.fresh(group)
    sent = send(group, LAYOUT, read_choices(group, LAYOUT, choices), weights, blindings, masks, nonce)
    assert len(sent) == transfer_bytes(group, LAYOUT)
    masked, blinding = receive(group, LAYOUT, seed, bins, sent, nonce)
    ones = LAYOUT.ones(bins).tolist()
    assert masks.value(group, masked) == sum(weights[i] for i in ones) % group.order
    assert (blinding - masks.blind) % group.order == sum(blindings[i] for i in ones) % group.order
    for j, n in enumerate(LAYOUT.n_bins):  # another bin of any characteristic, even of one alone, gives noise
        other = [*bins[:j], (bins[j] + 1) % n, *bins[j + 1 :]]
        wrong, _ = receive(group, LAYOUT, seed, other, sent, nonce)
        assert abs((masks.value(group, wrong) + group.order // 2) % group.order - group.order // 2) > 2**100


def test_choices_are_uniform_elements_and_bind_to_one_seed(group):
    bins, seed = ROWS[0].tolist(), secrets.token_bytes(32)
    one, other = choose(group, seed, LAYOUT, bins), choose(group, secrets.token_bytes(32), LAYOUT, bins)
    width = group.point_bytes
    assert not {one[i : i + width] for i in range(0, len(one), width)} & {
        other[i : i + width] for i in range(0, len(other), width)
    }
    with pytest.raises(ForgeryError, match="not made under this seed"):
        chosen(group, secrets.token_bytes(32), LAYOUT, one)


def test_a_commitment_opens_to_its_own_sum_alone():
    terms, kept = ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, CARD, 600, EPOCH)
    ones = LAYOUT.ones(ROWS[0]).tolist()
    v, rho = int(kept.points.weights[ones].sum()), sum(kept.blindings[i] for i in ones) % P256_GROUP.order
    assert terms.total(ones, v % P256_GROUP.order, rho) == v
    assert terms.total(ones, (v + 1) % P256_GROUP.order, rho) is None
    assert terms.total(ones, v % P256_GROUP.order, rho + 1) is None
    assert terms.total(LAYOUT.ones(ROWS[1]).tolist(), v % P256_GROUP.order, rho) is None
    again, _ = ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, CARD, 600, EPOCH)
    assert not set(terms.points[0].xy) & set(again.points[0].xy)  # one card, two commitments: nothing to compare


def test_terms_have_one_encoding_and_whatever_reads_as_terms_is_it(monkeypatch):
    terms, _ = ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, CARD, 600, EPOCH)
    data, layout = terms.encode(), terms.layout.encode()
    assert ProvedTerms.decode(data).encode() == data
    for at in [*range(0, 160), *range(160, len(data), 61)]:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            read = ProvedTerms.decode(changed)
        except ForgeryError:
            continue
        assert read.encode() == changed  # another document, which is named by its own bytes
    # Were a part of it read leniently, one document would stand in the log under two names.
    strictly, longer = Layout.decode, data.replace(blob(layout), blob(layout + b" "))
    monkeypatch.setattr(Layout, "decode", lambda given: strictly(given.rstrip()))
    assert Layout.decode(layout + b" ") == terms.layout
    with pytest.raises(ForgeryError, match="one form"):
        ProvedTerms.decode(longer)


def test_every_field_of_the_terms_is_in_their_digest():
    terms, _ = ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, CARD, 600, EPOCH)
    changes = {"lender": "x", "signs": SigningKey().public, "half": 2048, "offset": 1, "threshold": 601, "low": 1}
    changes |= {
        "high": 949,
        "epoch": replace(EPOCH, last_day=EPOCH.last_day + 1),
        "purpose": "rent",
        "commitments": terms.commitments[::-1],
        "layout": Layout.of(random_card(np.random.default_rng(2))),
    }
    changes |= {"group": group_named("ristretto255")}
    assert set(changes) == set(ProvedTerms.__dataclass_fields__)
    digests = {replace(terms, **{name: value}).digest for name, value in changes.items()} | {terms.digest}
    assert len(digests) == len(changes) + 1


def test_cards_and_thresholds_that_cannot_be_are_refused():
    wide = replace(CARD.characteristics[0], points=(-9000, *(9000,) * (CARD.n_bins[0] - 1)))
    with pytest.raises(CardError, match="rescale"):
        ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, Card((wide,), 500), 600, EPOCH)
    with pytest.raises(ParameterError, match="threshold"):
        ProvedTerms.of(NAME, SigningKey().public, P256_GROUP, CARD, 100, EPOCH)
    with pytest.raises(ParameterError, match="sample"):
        EncryptedProved(sample=0)


def test_messages_have_one_size_and_a_refusal_is_one_of_them():
    world = ProvedWorld.of(CARD, ROWS)
    for i in range(3):
        world.play(who=f"p-{i + 1}")
    sizes = {kind: {len(m.body) for m in world.sent if m.kind == kind} for kind in {m.kind for m in world.sent}}
    assert all(len(found) == 1 for found in sizes.values())
    assert set(sizes) == {"ask", "attestation", "application", "reply", "bound", "unmasking", "opening", "result"}
    (refused,) = world.lender.handle(Message(NAME, "application", b"", "wallet"))
    assert {len(refused.body)} == sizes["reply"]
    assert sizes["reply"] == {wire.reply_bytes(P256_GROUP, LAYOUT)}
    assert sizes["application"] == {wire.application_bytes(P256_GROUP, LAYOUT)}
    assert next(iter(sizes["reply"])) < 400 + ENTRY_BYTES * LAYOUT.size


def test_a_restarted_lender_concludes_what_waits_and_answers_nothing_twice():
    world = ProvedWorld.of(CARD, ROWS)
    held: list[Message] = []

    def stop(message):
        if message.kind == "opening":
            held.append(message)
            return None
        return message

    wallet = world.play(change=stop)
    old = world.lender
    world.lender = ProvingLender(
        world.terms, world.kept, [world.bank.public], old.store, world.clock, world.signer, 10**6
    )
    application = next(m for m in world.sent if m.kind == "application")
    assert world.lender.handle(replace(application, sender="wallet"))[0].kind == "refusal"
    (result,) = world.lender.handle(replace(held[0], sender="wallet"))
    wallet.read(result.body)
    assert wallet.score == CARD.scores(ROWS[:1])[0]


def test_the_design_runs_for_real_and_claims_that_each_score_is_proved():
    design = EncryptedProved(sample=4)
    assert isinstance(design, Design)
    run = design.run(make_people(), Scorecard(), np.random.default_rng(3))
    assert run.real_runs == run.real_agree == 4
    assert run.audit_share == 1.0
    assert VERIFIED_SCORE in design.enforces
    assert set(run.views) == {"scorer", "lender", "source"}
    assert all(view.basis == "observed" for view in run.views.values())
    assert run.views["lender"].values == ["total"]


def test_papers_of_an_honest_application_convict_nobody_and_survive_no_change():
    world = ProvedWorld.of(CARD, ROWS)
    papers = world.play().papers
    assert not is_bent(papers, world.terms, [world.bank.public])
    with pytest.raises(ForgeryError, match="its source is not one that is believed here"):
        is_bent(papers, world.terms, [SigningKey().public])
    said = "header is not that of this version|signature is not the sender's|were not made under this seed"
    for name in ("application", "reply", "unmasking", "result", "seed"):
        whole = getattr(papers, name)
        for at in {0, 7, len(whole) // 2, len(whole) - 1}:
            spoilt = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            with pytest.raises(ForgeryError, match=said):
                is_bent(replace(papers, **{name: spoilt}), world.terms, [world.bank.public])
