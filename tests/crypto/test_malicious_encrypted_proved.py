"""``encrypted-proved``: lenders, applicants and sources that cheat, each beside its honest twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.proved import transfer, wire
from blindscore_crypto.encrypted.proved.judge import is_bent
from blindscore_crypto.encrypted.proved.lender import ProvingLender
from blindscore_crypto.encrypted.proved.terms import ProvedTerms
from blindscore_crypto.encrypted.proved.transfer import ENTRY_BYTES, Masks
from blindscore_crypto.layout import Layout
from blindscore_crypto.sealed.groups.group import P256_GROUP, random_scalar
from tests.crypto.encrypted_world import NAME, random_bins, random_card
from tests.crypto.proved_world import EPOCH, ProvedWorld

GROUP, ORDER = P256_GROUP, P256_GROUP.order
CARD = random_card(np.random.default_rng(41), characteristics=4)
ROWS = random_bins(np.random.default_rng(42), CARD, 40)
LAYOUT = Layout.of(CARD)
FIRST = LAYOUT.ones(ROWS[0]).tolist()


# -- lenders ----------------------------------------------------------------------------------------------------------


class OtherPoints(ProvingLender):
    """Answers by other points than it committed to: the first bin of the first person is worth ten points less."""

    def weights(self):
        out = self.kept.points.weights.copy()
        out[FIRST[0]] -= 10
        return out

    def _answer(self, message):
        honest = self.kept
        self.kept = replace(honest, points=replace(honest.points, weights=self.weights()))
        try:
            return super()._answer(message)
        finally:
            self.kept = honest


class ReadsBins(OtherPoints):
    """Answers by points of a positional system: one total tells every bin."""

    def weights(self):
        where = np.concatenate([np.arange(n) * 10 ** (3 + j) for j, n in enumerate(LAYOUT.n_bins)])
        return where.astype(np.int64)


class ProbesOneBin(ProvingLender):
    """Spoils the blinding of one bin: whoever has it cannot open, and nobody else notices."""

    def _answer(self, message):
        honest = self.kept
        spoilt = list(honest.blindings)
        spoilt[FIRST[0]] += 1
        self.kept = replace(honest, blindings=tuple(spoilt))
        try:
            return super()._answer(message)
        finally:
            self.kept = honest


class OtherMasks(ProvingLender):
    """Shows a shift under which the total comes out ten points less."""

    def _unmask(self, message):
        nonce, _ = wire.read_bound(message.body, GROUP)
        row = self.store.get("open", nonce)
        masks = Masks.decode(GROUP, bytes(row["masks"]))
        bent = replace(masks, shift=(masks.shift + 10 * masks.factor) % ORDER)
        self.store.put("open", nonce, {**row, "masks": bent.encode()})
        return super()._unmask(message)


class OtherBlind(ProvingLender):
    """Shows a wrong blinding."""

    def _unmask(self, message):
        nonce, _ = wire.read_bound(message.body, GROUP)
        row = self.store.get("open", nonce)
        masks = Masks.decode(GROUP, bytes(row["masks"]))
        self.store.put("open", nonce, {**row, "masks": replace(masks, blind=(masks.blind + 1) % ORDER).encode()})
        return super()._unmask(message)


class SignsOther(ProvingLender):
    """Reads the proved total and signs ten points less, or the other decision."""

    shift, turn = -10, False

    def _conclude(self, message):
        honest = super()._conclude(message)
        read = wire.ProvedResult.read(honest.body, self.terms, self.reply)
        bent = replace(read, score=read.score + self.shift, approved=read.approved != self.turn)
        return replace(honest, body=bent.sign(GROUP, self._signer))

    def _answer(self, message):
        answered = super()._answer(message)
        self.reply = answered.body
        return answered


class TurnsDecisions(SignsOther):
    shift, turn = 0, True


@pytest.mark.parametrize("cheat", [OtherPoints, ReadsBins, ProbesOneBin, OtherMasks, OtherBlind])
def test_a_lender_that_departs_from_its_card_reads_nothing_and_is_convicted(cheat):
    bent, honest = ProvedWorld.of(CARD, ROWS, lender_class=cheat), ProvedWorld.of(CARD, ROWS)
    wallet, straight = bent.play(), honest.play()
    assert wallet.bent
    assert is_bent(wallet.papers, bent.terms, [bent.bank.public])
    assert wallet.decision is None
    assert bent.read == []
    assert "opening" not in {m.kind for m in bent.sent}
    assert not straight.bent
    assert honest.read == [CARD.totals(ROWS[:1])[0]]


@pytest.mark.parametrize("cheat", [SignsOther, TurnsDecisions])
def test_another_score_or_decision_than_the_proved_one_convicts(cheat):
    bent, honest = ProvedWorld.of(CARD, ROWS, lender_class=cheat), ProvedWorld.of(CARD, ROWS)
    for i in range(5):
        assert bent.play(who=f"p-{i + 1}").bent
        assert not honest.play(who=f"p-{i + 1}").bent


def test_a_card_that_reads_bins_would_read_them_all_were_the_total_not_proved_first():
    """The control: the number that the wallet keeps to itself tells every bin; the lender gets none of it."""
    world = ProvedWorld.of(CARD, ROWS, lender_class=ReadsBins)
    wallet = world.play()
    masks = wire.read_unmasking(wallet.papers.unmasking, world.terms, wallet.papers.reply)
    told = masks.value(GROUP, wire.Opening.decode(wallet._opening, GROUP).masked)
    assert [told // 10 ** (3 + j) % 10 for j in range(len(LAYOUT.n_bins))] == ROWS[0].tolist()
    assert world.read == []


def test_whoever_has_the_probed_bin_convicts_and_the_others_are_served():
    world = ProvedWorld.of(CARD, ROWS, lender_class=ProbesOneBin)
    has = ROWS[:, 0] == ROWS[0, 0]
    assert 0 < has.sum() < len(ROWS)
    convicted = np.array([world.play(who=f"p-{i + 1}").bent for i in range(len(ROWS))])
    assert (convicted == has).all()
    assert len(world.read) == (~has).sum()


def test_other_terms_for_one_person_are_refused_before_anything_opens():
    world = ProvedWorld.of(CARD, ROWS)
    other, kept = ProvedTerms.of(NAME, world.signer.public, GROUP, CARD, 650, EPOCH)
    world.lender.terms, world.lender.kept = other, kept
    wallet = world.play()
    assert "bound" not in {m.kind for m in world.sent}
    assert wallet.papers is None
    assert world.play(world.wallet(other)).score is not None  # whoever holds these terms is served under them


def test_silence_proves_nothing():
    for kind in ("unmasking", "result"):
        world = ProvedWorld.of(CARD, ROWS)
        wallet = world.play(change=lambda m, kind=kind: None if m.kind == kind else m)
        assert wallet.decision is None
        assert not wallet.bent


def test_an_honest_lender_is_not_framed():
    world, sources = ProvedWorld.of(CARD, ROWS), []
    sources.append(world.bank.public)
    one, two = world.play().papers, world.play(who="p-2").papers
    renewed, _ = ProvedTerms.of(NAME, world.signer.public, GROUP, CARD, 600, EPOCH)
    with pytest.raises(ForgeryError, match="other terms"):
        is_bent(one, renewed, sources)
    for swapped, said in (
        ("seed", "were not made under this seed"),
        ("application", "it answers another application"),
        ("reply", "it answers another application"),
        ("unmasking", "it unmasks another reply"),
        ("result", "it is for another reply"),
    ):
        with pytest.raises(ForgeryError, match=said):
            is_bent(replace(one, **{swapped: getattr(two, swapped)}), world.terms, sources)
    assert not is_bent(replace(one, result=b""), world.terms, sources)


def test_not_even_a_source_that_makes_choices_up_frames_an_honest_lender():
    """Whatever a source signs, what opens is the committed card's."""
    world = ProvedWorld.of(CARD, ROWS)
    for row in ROWS[:3]:  # bins of its own making
        world.bank.bins = lambda layout, who, row=row: row.tolist()
        wallet = world.play()
        assert not wallet.bent
        assert wallet.score == CARD.scores(row[None])[0]


# -- applicants -------------------------------------------------------------------------------------------------------


def opening_of(wallet, frame: bytes, change: int) -> bytes:
    opening = wire.Opening.decode(frame, GROUP)
    return replace(opening, masked=(opening.masked + change) % ORDER).encode(GROUP)


def test_an_applicant_opens_what_it_was_bound_to():
    world, wallet = ProvedWorld.of(CARD, ROWS), None

    def raised(message):
        return replace(message, body=opening_of(wallet, message.body, 50)) if message.kind == "opening" else message

    assert world.play(change=raised).decision is None
    assert world.read == []
    assert world.play().decision is not None


def test_an_applicant_that_is_bound_to_a_lie_gets_nothing():
    world = ProvedWorld.of(CARD, ROWS)
    for change in (1, 50, ORDER - 1):
        wallet = world.wallet()
        bind = wallet.bind

        def lie(reply, wallet=wallet, bind=bind, change=change):
            bind(reply)
            wallet._opening = opening_of(wallet, wallet._opening, change)
            return wire.bound_frame(GROUP, wallet._opening, wallet._signer)

        wallet.bind = lie
        assert world.play(wallet).decision is None
    assert world.read == []
    assert world.play().decision is not None


def test_masks_are_shown_once_and_only_to_whoever_is_bound():
    world = ProvedWorld.of(CARD, ROWS)
    wallet = world.play(change=lambda m: None if m.kind == "opening" else m)  # it has seen the masks
    masks = wire.read_unmasking(world.of_kind("unmasking"), world.terms, wallet.papers.reply)
    best = (masks.factor * world.kept.points.high + masks.shift) % ORDER
    lie = wire.Opening(wallet.nonce, best, bytes(32)).encode(GROUP)
    again = wire.bound_frame(GROUP, lie, wallet._signer)
    for kind, body in (("bound", again), ("opening", lie), ("bound", again), ("opening", wallet._opening[:-1])):
        assert world.lender.handle(Message(NAME, kind, body, "wallet"))[0].kind == "refusal"
    assert world.read == []


def test_nobody_else_is_bound_or_opens_in_an_applicants_place():
    world, stranger = ProvedWorld.of(CARD, ROWS), SigningKey()
    wallet = world.play(change=lambda m: None if m.kind == "bound" else m)
    own = wire.bound_frame(GROUP, b"", wallet._signer)
    for frame in (wire.bound_frame(GROUP, b"", stranger), own[:-1] + bytes([own[-1] ^ 1])):
        assert world.lender.handle(Message(NAME, "bound", frame, "wallet"))[0].kind == "refusal"
    honest = wire.bound_frame(GROUP, wallet._opening, wallet._signer)
    assert world.lender.handle(Message(NAME, "bound", honest, "wallet"))[0].kind == "unmasking"


def test_applications_replayed_stale_or_for_another_lender_are_refused():
    world = ProvedWorld.of(CARD, ROWS, limit=3)
    world.play()
    used = next(m for m in world.sent if m.kind == "application")
    assert world.lender.handle(used)[0].kind == "refusal"
    other = replace(world.terms, lender="another")
    assert world.play(ProvedWorld.wallet(world, other)).decision is None
    stale = world.wallet()
    application = stale.apply(world.bank.attest(stale.ask(), "p-1"))
    world.clock.advance(5 * 86_400)
    assert world.lender.handle(Message(NAME, "application", application, "wallet"))[0].kind == "refusal"
    salt = bytes(32)
    served = [
        world.play(replace(world.wallet(), salt=salt)).decision is not None for _ in range(4)
    ]  # one pseudonym: three answers
    assert served == [True, True, True, False]


def test_choices_that_the_source_did_not_sign_are_refused():
    world = ProvedWorld.of(CARD, ROWS)
    for at in (20, 200, -100):

        def flip(message, at=at):
            if message.kind != "application":
                return message
            spoilt = bytearray(message.body)
            spoilt[at] ^= 1
            return replace(message, body=bytes(spoilt))

        assert world.play(change=flip).decision is None
    assert world.read == []


# -- sources that make choices up, together with the applicant --------------------------------------------------------


def entries(sent: bytes, nonce: bytes, pads) -> list[int]:
    """The masked totals of every bin, as far as an attacker's pads open them."""
    shown, body, out, at = sent[: GROUP.point_bytes], sent[GROUP.point_bytes :], [], 0
    for j, n in enumerate(LAYOUT.n_bins):
        for b in range(n):
            pad = transfer._pad(nonce, shown, j, b, GROUP.encode(pads(GROUP.decode(shown), j, b)))
            out.append(int.from_bytes(transfer._under(pad, body[ENTRY_BYTES * at : ENTRY_BYTES * (at + 1)])[:32]))
            at += 1
    return out


@pytest.mark.parametrize("broken", [True, False])
def test_a_card_is_read_from_one_reply_by_whoever_knows_the_logarithm_and_by_nobody_else(monkeypatch, broken):
    """The attack on the transfer, and that it stands and falls with the logarithm of T."""
    tau = random_scalar(GROUP)
    if broken:
        monkeypatch.setattr(transfer, "_base", lambda group: group.base_mul(tau))
    kappas = [random_scalar(GROUP) for _ in LAYOUT.n_bins]
    masks, weights = Masks.fresh(GROUP), ProvedWorld.of(CARD, ROWS).kept.points.weights.tolist()
    choices = [GROUP.base_mul(kappa) for kappa in kappas]  # bin 0 of everything
    sent = transfer.send(GROUP, LAYOUT, choices, weights, [0] * LAYOUT.size, masks, bytes(32))
    found = entries(sent, bytes(32), lambda shown, j, b: GROUP.mul((kappas[j] - b * tau) % ORDER, shown))
    at, right = 0, 0
    for n in LAYOUT.n_bins:
        for b in range(1, n):  # differences within a characteristic, once the masks are shown
            moved = (found[at + b] - found[at]) * pow(masks.factor, -1, ORDER) % ORDER
            right += moved == (weights[at + b] - weights[at]) % ORDER
        at += n
    assert right == (LAYOUT.size - len(LAYOUT.n_bins) if broken else 0)


def test_choices_of_no_bin_at_all_open_nothing_and_an_identity_is_refused():
    layout = LAYOUT
    seed, beyond = bytes(32), [n + 3 for n in layout.n_bins]
    base, kappas = transfer._base(GROUP), transfer._kappas(GROUP, seed, len(beyond))
    made = [GROUP.add(GROUP.base_mul(k), GROUP.mul(b, base)) for k, b in zip(kappas, beyond, strict=True)]
    masks, weights = Masks.fresh(GROUP), ProvedWorld.of(CARD, ROWS).kept.points.weights.tolist()
    sent = transfer.send(GROUP, layout, made, weights, [0] * layout.size, masks, bytes(32))
    for bins in ([0] * len(beyond), [n - 1 for n in layout.n_bins]):
        masked, _ = transfer.receive(GROUP, layout, seed, bins, sent, bytes(32))
        assert masks.value(GROUP, masked) > 2**128  # no total
    with pytest.raises(ForgeryError, match="identity"):
        transfer.send(GROUP, layout, [base, *made[1:]], weights, [0] * layout.size, masks, bytes(32))


# -- hostile bytes ----------------------------------------------------------------------------------------------------


def test_changed_bytes_of_any_message_are_refused_by_whoever_gets_them():
    rng = np.random.default_rng(5)
    world = ProvedWorld.of(CARD, ROWS)
    world.play()
    frames = {m.kind: m.body for m in world.sent}
    wallet = world.wallet()
    wallet.apply(world.bank.attest(wallet.ask(), "p-1"))
    receivers = {
        "ask": lambda body: world.bank.attest(body, "p-1"),
        "attestation": wallet.apply,
        "reply": wallet.bind,
        "unmasking": lambda body: wire.read_unmasking(body, world.terms, frames["reply"]),
        "result": lambda body: wire.ProvedResult.read(body, world.terms, frames["reply"]),
        "bound": lambda body: wire.read_bound(body, GROUP),
        "opening": lambda body: world.lender._conclude(Message(NAME, "opening", body, "wallet")),
        "application": lambda body: world.lender._answer(Message(NAME, "application", body, "wallet")),
    }
    wire.read_unmasking(frames["unmasking"], world.terms, frames["reply"])  # unchanged ones pass
    wire.read_bound(frames["bound"], GROUP)
    for kind, receive in receivers.items():
        for _ in range(40):
            body = bytearray(frames[kind])
            how = rng.integers(4)
            if how == 0:
                body[rng.integers(len(body))] ^= 1 << rng.integers(8)
                if kind == "ask" and body[12:108] != frames[kind][12:108]:
                    continue  # a seed, pseudonym or nonce like any other
            elif how == 1:
                del body[rng.integers(len(body)) :]
            elif how == 2:
                body += rng.bytes(int(rng.integers(1, 40)))
            else:
                body[:] = rng.bytes(len(body))
            if bytes(body) == frames[kind]:
                continue
            with pytest.raises(ForgeryError, match=f"({kind}|attestation|layout|signature key)( refused)?: "):
                receive(bytes(body))
    assert len(world.read) == 1
