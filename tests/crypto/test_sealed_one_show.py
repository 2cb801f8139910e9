"""One-show presentations: one bit, no trail, and each forgery beside its accepted twin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings

from blindscore.errors import DataError, ForgeryError, ParameterError
from blindscore.scorecard.card import Card
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import presentation
from blindscore_crypto.sealed.attestation import Issued, holder_scalar
from blindscore_crypto.sealed.blind.acl import AclCredential, AclReceiver
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group
from blindscore_crypto.sealed.layout import layouts_of
from blindscore_crypto.sealed.one_show import OneShowTerms, check, check_many, present
from blindscore_crypto.sealed.parties.lender import Decision, Verifier, is_bent
from blindscore_crypto.sealed.parties.one_show import BlindSource, OneShowWallet, fetch
from blindscore_crypto.sealed.parties.wallet import Epoch, Wallet
from blindscore_crypto.sealed.terms import OFFER_BYTES, Offer, Terms
from tests.crypto.sealed_world import CARD, EPOCH, GOOD, POOR, SOURCE_OF, TODAY, World, cards


@dataclass
class BlindWorld:
    """Two blind sources, one lender."""

    card: Card = CARD
    threshold: int = 640
    source_of: dict[str, str] = field(default_factory=lambda: dict(SOURCE_OF))
    group: Group = P256_GROUP
    epoch: Epoch = EPOCH

    def __post_init__(self) -> None:
        layouts = layouts_of(self.card, self.source_of)
        self.sources = [BlindSource(self.group, layout, self.epoch) for layout in layouts]
        self.key = SigningKey()
        self.terms = OneShowTerms(
            "Harbour Bank",
            self.key.public,
            self.card,
            self.threshold,
            layouts,
            tuple(source.public for source in self.sources),
            self.group,
            keys=tuple(source.epoch_key for source in self.sources),
        )
        self.verifier = Verifier(self.terms, self.key, check_frame=check)

    def wallet(self, bins: dict[str, int], who: str = "ada", count: int = 1) -> OneShowWallet:
        wallet = OneShowWallet(who, [self.terms], self.epoch)
        for source in self.sources:
            for _ in range(count):
                fetch(wallet, source, who, [bins[f] for f in source.layout.features])
        return wallet

    def credential(self, source: int, bins: dict[str, int], who: str = "ada") -> AclCredential:
        chosen = self.sources[source]
        session = chosen.begin(who, row := [bins[f] for f in chosen.layout.features])
        attributes = [holder_scalar(self.group, who), *chosen.layout.indicators(row)]
        receiver = AclReceiver(chosen.epoch_key.key, attributes, session.opening)
        return receiver.finish(session.answer(receiver.challenge))

    def offer(self) -> bytes:
        return self.verifier.offer(epoch=self.epoch.number, day=TODAY)

    def frame(self, bins: dict[str, int], who: str = "ada") -> bytes:
        return self.wallet(bins, who).apply(self.offer(), day=TODAY)


@pytest.fixture(scope="module")
def world() -> BlindWorld:
    return BlindWorld()


def decide(world: BlindWorld, frame: bytes) -> bool:
    answer = world.verifier.decide(frame, day=TODAY)
    assert is_bent(world.terms, frame, answer, check) is False
    return Decision.decode(world.terms, frame, answer).approved


def test_who_reaches_the_threshold_is_approved_and_sizes_tell_nothing(world):
    good, poor = world.frame(GOOD), world.frame(POOR)
    assert (decide(world, good), decide(world, poor)) == (True, False)
    assert len(good) == len(poor) == world.terms.frame_bytes


def test_every_threshold_gives_the_clear_decision():
    """Scores of the small card: 725 and 455; the decision turns exactly there."""
    for threshold, bins, approved in ((725, GOOD, True), (455, POOR, True), (456, POOR, False)):
        world = BlindWorld(threshold=threshold)
        assert decide(world, world.frame(bins)) is approved


@given(cards())
@settings(max_examples=6, deadline=None)
def test_every_card_person_and_threshold_gives_the_clear_decision(drawn):
    card, bins, threshold = drawn
    if threshold > card.max_total:
        return
    world = BlindWorld(card, threshold, dict.fromkeys(card.features, "bank"))
    clear = int(card.scores(np.array([bins]))[0])
    assert decide(world, world.frame(dict(zip(card.features, bins, strict=True)))) is (clear >= threshold)


def test_it_runs_on_ristretto255():
    pytest.importorskip("rbcl")
    from blindscore_crypto.sealed.groups.ristretto import ristretto255

    world = BlindWorld(group=ristretto255())
    assert (decide(world, world.frame(GOOD)), decide(world, world.frame(POOR))) == (True, False)


def test_the_wallet_knows_score_and_reasons_and_what_is_left(world):
    wallet = world.wallet(POOR, count=2)
    assert wallet.score(world.terms) == 455
    assert wallet.reasons(world.terms)[0].feature == "arrears"
    assert wallet.presentations_left(world.terms) == 2
    with pytest.raises(DataError, match="no fresh blind signature"):
        OneShowWallet("ada", [world.terms], EPOCH).apply(world.offer(), day=TODAY)


def test_signatures_of_two_people_do_not_add_up(world):
    offer = Offer.decode(world.terms, world.offer())
    ada = [world.credential(i, GOOD, "ada") for i in (0, 1)]
    bob = [world.credential(i, GOOD, "bob") for i in (0, 1)]
    assert check(world.terms, present(world.terms, offer, ada)).approved
    assert check(world.terms, present(world.terms, offer, bob)).approved
    with pytest.raises(ForgeryError, match="one and the same person"):
        check(world.terms, present(world.terms, offer, [ada[0], bob[1]]))


def test_claiming_better_bins_than_were_signed_is_caught(world):
    offer = Offer.decode(world.terms, world.offer())
    poor = [world.credential(i, POOR) for i in (0, 1)]
    better = [world.credential(i, GOOD) for i in (0, 1)]
    assert check(world.terms, present(world.terms, offer, better)).approved
    lying = [replace(p, attributes=b.attributes) for p, b in zip(poor, better, strict=True)]
    with pytest.raises(ForgeryError, match="not what the source signed"):
        check(world.terms, present(world.terms, offer, lying))
    with pytest.raises(ForgeryError, match="not proven"):
        check(world.terms, present(world.terms, offer, poor, value=0))
    with pytest.raises(ParameterError):  # wrap-around: a negative number has no proof
        present(world.terms, offer, poor)


def test_claiming_zero_for_the_blinding_factor_is_caught(world):
    """gamma = 0 would make every equation on C_s void; zeta would have to be the identity, which has no encoding."""
    offer = Offer.decode(world.terms, world.offer())
    good = [world.credential(i, GOOD) for i in (0, 1)]
    assert check(world.terms, present(world.terms, offer, good)).approved
    with pytest.raises(ForgeryError):
        check(world.terms, present(world.terms, offer, [replace(c, gamma=0) for c in good]))


def test_many_frames_are_checked_at_once_and_one_bad_frame_is_blamed(world):
    frames = [world.frame(GOOD, "ada"), world.frame(POOR, "bob"), world.frame(GOOD, "eve")]
    assert [one.approved for one in check_many(world.terms, frames)] == [True, False, True]
    assert check_many(world.terms, []) == []
    offer = Offer.decode(world.terms, world.offer())
    poor = [world.credential(i, POOR) for i in (0, 1)]
    better = [replace(p, attributes=world.credential(i, GOOD).attributes) for i, p in enumerate(poor)]
    for bad, why in (
        (present(world.terms, offer, poor, value=0), "not proven"),
        (present(world.terms, offer, better), "not what the source signed"),
    ):
        for batch in ([*frames, bad], [bad, *frames], [bad]):
            with pytest.raises(ForgeryError, match=why):
                check_many(world.terms, batch)


def test_a_forged_signature_is_caught(world):
    """A forger with a key of its own, for the very same layout and epoch."""
    other = BlindWorld()
    offer = Offer.decode(world.terms, world.offer())
    forged = [replace(other.credential(i, GOOD), key=world.terms.keys[i].key) for i in (0, 1)]
    true = [world.credential(i, GOOD) for i in (0, 1)]
    assert check(world.terms, present(world.terms, offer, true)).approved
    with pytest.raises(ForgeryError, match="does not verify"):
        check(world.terms, present(world.terms, offer, forged))


def test_a_signature_is_shown_once(world):
    credentials = [world.credential(i, GOOD) for i in (0, 1)]
    frames = [present(world.terms, Offer.decode(world.terms, world.offer()), credentials) for _ in range(2)]
    first = world.verifier.decide(frames[0], day=TODAY)
    assert world.verifier.decide(frames[0], day=TODAY) == first
    with pytest.raises(ForgeryError, match="used before"):
        world.verifier.decide(frames[1], day=TODAY)


def test_a_proof_does_not_move(world):
    frame = world.frame(GOOD)
    assert check(world.terms, frame).approved
    with pytest.raises(ForgeryError):
        check(replace(world.terms, threshold=641), frame)
    for terms in (world.terms, replace(world.terms, threshold=600), replace(world.terms, lender="Quay Bank")):
        offer = Offer.make(terms, world.key, epoch=EPOCH.number, day=TODAY).encode()
        moved = (frame[:1] + offer + frame[1 + OFFER_BYTES :])[: terms.frame_bytes].ljust(terms.frame_bytes, b"\0")
        with pytest.raises(ForgeryError):
            check(terms, moved)


def test_a_stale_epoch_key_is_refused(world):
    credentials = [world.credential(i, GOOD) for i in (0, 1)]

    def frame(epoch: int, day: int) -> bytes:
        offer = Offer.decode(world.terms, world.verifier.offer(epoch=epoch, day=day))
        return present(world.terms, offer, credentials)

    assert check(world.terms, frame(EPOCH.number, EPOCH.last_day)).approved
    for epoch, day in ((EPOCH.number, EPOCH.last_day + 1), (EPOCH.number + 1, TODAY)):
        with pytest.raises(ForgeryError, match="epoch"):
            check(world.terms, frame(epoch, day))


def test_every_byte_of_a_frame_counts(world):
    frame = world.frame(GOOD)
    assert check(world.terms, frame).approved
    for at in [*range(0, len(frame), 131), 0, len(frame) - 1]:
        bad = bytearray(frame)
        bad[at] ^= 0x20
        with pytest.raises(ForgeryError):
            check(world.terms, bytes(bad))


@pytest.mark.parametrize("size", ["empty", "truncated", "oversized"])
def test_a_frame_of_another_size_is_refused(world, size):
    frame = world.frame(GOOD)
    bad = {"empty": b"", "truncated": frame[:-1], "oversized": frame + b"\0"}[size]
    with pytest.raises(ForgeryError, match="bytes"):
        check(world.terms, bad)


def test_a_key_made_for_one_person_is_refused_by_wallet_and_terms(world):
    """Tracking by key: the source signs a second key for the same epoch; nobody else sees it."""
    source = world.sources[0]
    marked = BlindSource(world.group, source.layout, EPOCH, source._identity)
    wallet = OneShowWallet("ada", [world.terms], EPOCH)
    bins = [GOOD[f] for f in source.layout.features]
    fetch(wallet, source, "ada", bins)
    with pytest.raises(ForgeryError, match="mark its holder"):
        fetch(wallet, marked, "ada", bins)
    stranger = BlindSource(world.group, source.layout, EPOCH)
    with pytest.raises(ForgeryError, match="signature"):
        replace(world.terms, keys=(stranger.epoch_key, world.terms.keys[1]))
    redated = replace(world.terms.keys[0], expires=EPOCH.last_day + 1)
    with pytest.raises(ForgeryError, match="another layout, epoch or expiry"):
        replace(world.terms, keys=(redated, world.terms.keys[1]))
    with pytest.raises(DataError, match="one epoch key"):
        replace(world.terms, keys=world.terms.keys[:1])


def test_terms_with_other_keys_are_other_terms(world):
    marked = BlindSource(world.group, world.sources[0].layout, EPOCH, world.sources[0]._identity)
    other = replace(world.terms, keys=(marked.epoch_key, world.terms.keys[1]))
    assert other.fingerprint != world.terms.fingerprint


def test_plain_terms_are_not_one_show_terms(world):
    plain = World()
    with pytest.raises(ForgeryError, match="not one-show"):
        check(plain.terms, plain.frame(GOOD))
    with pytest.raises(DataError, match="one-show terms only"):
        world.wallet(GOOD).bins(plain.terms)


# Collusion of lender and sources, measured for both designs: what was seen at issuing against what was shown.


def longest_shared(issued: list[bytes], shown: list[bytes]) -> list[int]:
    """For each shown frame, how many issued records share a 32-byte string with it."""
    words = [{seen[k : k + 32] for k in range(len(seen) - 31)} for seen in issued]
    return [sum(any(f[k : k + 32] in w for k in range(len(f) - 31)) for w in words) for f in shown]


def test_collusion_links_sealed_attestations():
    world = World()
    issued, shown = [], []
    for who in ("ada", "bob", "eve", "joe"):
        wallet = world.wallet(GOOD, who)
        issued.append(b"".join(a.commitments and a.signed[61:] for slot in wallet._held.values() for a, _ in slot))
        shown.append(wallet.apply(world.offer(), day=TODAY)[1 + OFFER_BYTES :])
    for i, frame in enumerate(shown):
        assert longest_shared([issued[i]], [frame]) == [1]  # one's own record, found verbatim
        assert longest_shared([issued[j] for j in range(4) if j != i], [frame]) == [0]


def test_two_lenders_link_a_reused_attestation_and_not_two_of_a_batch():
    """The supercookie: one attestation shown at two lenders, against two of one batch."""
    first = World()
    second = replace(first.terms, lender="Quay Bank", lender_key=(key := SigningKey()).public)

    def shown(terms: Terms, signer: SigningKey, wallet: Wallet) -> set[bytes]:
        offer = Offer.make(terms, signer, epoch=EPOCH.number, day=TODAY).encode()
        return set(presentation.check(terms, wallet.apply(offer, day=TODAY)).nullifiers)

    def wallet(issued: list[Issued]) -> Wallet:
        fresh = Wallet("ada", [first.terms, second], EPOCH)
        fresh.accept(issued, first.terms)
        return fresh

    once = first.issue("ada", GOOD)
    reused = shown(first.terms, first.key, wallet(once)) & shown(second, key, wallet(once))
    assert len(reused) == len(first.sources)  # both attestations are recognised
    batch = wallet(first.issue("ada", GOOD, count=2))
    assert not shown(first.terms, first.key, batch) & shown(second, key, batch)


def test_collusion_links_nothing_in_one_show(world):
    issued, shown = [], []
    for who in ("ada", "bob", "eve", "joe"):
        wallet, seen = OneShowWallet(who, [world.terms], EPOCH), b""
        for source in world.sources:
            bins = [GOOD[f] for f in source.layout.features]
            session = source.begin(who, bins)
            receiver = wallet.receive(source.epoch_key, bins, session.opening)
            closing = session.answer(receiver.challenge)
            wallet.keep(source.epoch_key, bins, receiver.finish(closing))
            seen += session.opening + receiver.challenge + closing
        issued.append(seen)
        shown.append(wallet.apply(world.offer(), day=TODAY)[1 + OFFER_BYTES :])
    assert longest_shared(issued, shown) == [0, 0, 0, 0]
