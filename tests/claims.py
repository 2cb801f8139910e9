"""Every claim that a design may make: how it is checked, and the cheats that must be seen to fail.

Two kinds of cheat. *Bent runs*: what a run would record were the claim a lie; the check must refuse it, whoever wrote
the design. *Played cheats*: for what a protocol enforces, a member of the very cast that the design executes does
something otherwise, and the design's own run, or the judge of its protocol, must notice. A design that makes such a
claim and has no cheat here fails the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from blindscore.designs.design import (
    CONSTANT_SIZES,
    NO_CONDUCT,
    ONE_BIT,
    PUBLIC_CARD,
    SCORE_ONLY,
    SIGNED_DECISION,
    SOURCE_BLIND,
    UNLINKABLE,
    VERIFIED_SCORE,
    Design,
    Run,
)
from blindscore.parties.cast import Cast
from blindscore.parties.message import Message
from blindscore.parties.observe import ObservationError
from blindscore.parties.party import Party
from blindscore.parties.store import Field, TableSpec
from blindscore.parties.view import Column
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard


def _with_column(run: Run, role: str, column: Column, values: np.ndarray) -> Run:
    view = run.views[role]
    clear = view.clear.assign(**{column.name: values[view.person]})
    return replace(run, views={**run.views, role: replace(view, clear=clear, columns=(*view.columns, column))})


def _more_for_the_lender(run: Run, people: Population) -> Run:
    return _with_column(run, "lender", Column("overheard", "feature"), people.features.iloc[:, 0].to_numpy())


def _a_common_key(run: Run, people: Population) -> Run:
    key, everybody = Column("common key", "handle"), np.arange(len(people))
    return _with_column(_with_column(run, "lender", key, everybody), "source", key, everybody)


def _told_to_the_source(run: Run, people: Population) -> Run:
    return _with_column(run, "source", Column("told", "decision"), run.decisions.astype(np.int8))


def _longer_for_the_refused(run: Run, people: Population) -> Run:
    lender = run.views["lender"]
    wire = lender.messages.assign(bytes_down=lender.messages["bytes_down"] + ~run.decisions)
    return replace(run, views={**run.views, "lender": replace(lender, messages=wire)})


def _posts_cost_points(run: Run, people: Population) -> Run:
    def rescore(others: Population) -> np.ndarray:
        loud = others.features[[f.name for f in people.schema.features if f.context == "posts"]].sum(axis=1) > 5
        return np.where(loud, run.card.scale.low, run.scores).astype(np.int16)

    return replace(run, rescore=rescore)


BENT: Mapping[str, Callable[[Run, Population], Run]] = {
    SCORE_ONLY: _more_for_the_lender,
    ONE_BIT: _more_for_the_lender,
    UNLINKABLE: _a_common_key,
    SOURCE_BLIND: _told_to_the_source,
    CONSTANT_SIZES: _longer_for_the_refused,
    NO_CONDUCT: _posts_cost_points,
    VERIFIED_SCORE: lambda run, people: replace(run, audit_share=0.0),
}


class Bent:
    """A member of a cast that does one thing otherwise: ``instead(honest, message)`` in place of its own answer."""

    def __init__(self, honest: Party, instead: Callable[[Party, Message], list[Message]]) -> None:
        self.honest, self._instead = honest, instead
        self.role, self.name, self.store = honest.role, honest.name, honest.store

    def handle(self, message: Message) -> list[Message]:
        return self._instead(self.honest, message)


NOTE = TableSpec("note", Field("key", "own"), (Field("approved", "decision"),))
KEY = TableSpec("common", Field("key", "own"), (Field("token", "handle"),))


def _two(cast: Cast) -> tuple[Party, Party]:
    """Return a source and the lender of a cast."""
    source, lender = (next(p for p in cast.institutions if p.role == role) for role in ("source", "lender"))
    return source, lender


def _source_tells_the_name(cast: Cast) -> Cast:
    """The bank tells the lender who is asking."""
    source, lender = _two(cast)

    def tell(honest: Party, message: Message) -> list[Message]:
        return [*honest.handle(message), Message(lender.name, "leak", message.sender.encode())]

    def hear(honest: Party, message: Message) -> list[Message]:
        return [] if message.kind == "leak" else honest.handle(message)

    return cast.replaced(Bent(source, tell)).replaced(Bent(lender, hear))


def _lender_tells_the_bank(cast: Cast) -> Cast:
    """The lender reports to the bank, which writes it down."""
    source, lender = _two(cast)
    source.store.declare(NOTE)

    def tell(honest: Party, message: Message) -> list[Message]:
        return [*honest.handle(message), Message(source.name, "leak", b"approved")]

    def note(honest: Party, message: Message) -> list[Message]:
        if message.kind != "leak":
            return honest.handle(message)
        honest.store.put("note", bytes([honest.store.count("note")]), {"approved": 1})
        return []

    return cast.replaced(Bent(lender, tell)).replaced(Bent(source, note))


def _both_keep_one_string(cast: Cast) -> Cast:
    """Bank and lender agree on a number for each person."""
    source, lender = _two(cast)
    for party in (source, lender):
        party.store.declare(KEY)

    def number(store, at: int) -> None:
        store.put("common", bytes([at]), {"token": np.random.default_rng(at).bytes(32)})

    def tell(honest: Party, message: Message) -> list[Message]:
        number(honest.store, honest.store.count("common"))
        return [*honest.handle(message), Message(lender.name, "leak", b"one more")]

    def hear(honest: Party, message: Message) -> list[Message]:
        if message.kind != "leak":
            return honest.handle(message)
        number(honest.store, honest.store.count("common"))
        return []

    return cast.replaced(Bent(source, tell)).replaced(Bent(lender, hear))


def _lender_says_more_to_some(cast: Cast) -> Cast:
    """The lender's messages differ in length from person to person."""
    source, lender = _two(cast)
    told = [0]

    def tell(honest: Party, message: Message) -> list[Message]:
        told[0] += 1
        return [*honest.handle(message), Message(source.name, "pad", bytes(told[0]))]

    def ignore(honest: Party, message: Message) -> list[Message]:
        return [] if message.kind == "pad" else honest.handle(message)

    return cast.replaced(Bent(lender, tell)).replaced(Bent(source, ignore))


def _noticed(cheat: Callable[[Cast], Cast]) -> Callable[[Design, Population], bool]:
    """Tell whether a design's own run notices a cheat among those that it executes."""

    def noticed(design: Design, people: Population) -> bool:
        from blindscore_crypto.designs import executed

        honest, played = executed.play, []

        def crooked(cast: Cast, whom: Mapping[int, str]):
            played.append(True)
            return honest(cheat(cast), whom)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(executed, "play", crooked)
            try:
                run = design.run(people, Scorecard(), np.random.default_rng(3))
            except ObservationError:
                return bool(played)
        return bool(played) and run.real_agree < run.real_runs

    return noticed


def _bent_results_are_proved(way: str) -> Callable[[Design, Population], bool]:
    """Tell whether an auditor that picks every transcript proves each bent one, and no honest one."""

    def proved(design: Design, people: Population) -> bool:
        from tests.crypto import test_malicious_encrypted_lender as lenders

        bent, honest = lenders.world_of(sign_class=getattr(lenders, way)), lenders.world_of()
        for person in ("p-1", "p-2", "p-3"):
            bent.play(who=person, forgiving=True)
            honest.play(who=person)
        return len(bent.auditor.proofs) == 3 and not honest.auditor.proofs

    return proved


def _bent_papers_convict(way: str) -> Callable[[Design, Population], bool]:
    """Tell whether the person's own papers convict a lender that signs otherwise, and no honest one."""

    def convicted(design: Design, people: Population) -> bool:
        from tests.crypto import test_malicious_encrypted_proved as lenders

        bent = lenders.ProvedWorld.of(lenders.CARD, lenders.ROWS, lender_class=getattr(lenders, way))
        honest = lenders.ProvedWorld.of(lenders.CARD, lenders.ROWS)
        return bent.play().bent and not honest.play().bent

    return convicted


def _answers_against_the_terms_convict(design: Design, people: Population) -> bool:
    from tests.crypto import test_malicious_sealed_lender as lenders

    world = lenders.World(blind=design.name == "one-show")
    wallet = lenders.played(world, "ada", "good", fetch=lenders.signed(lenders.Verdict.REFUSED))
    kept = world.apply("bob", "good").finding()
    return wallet.finding() == lenders.Finding.BENT and kept == lenders.Finding.KEPT


def _a_card_for_one_person_finds_no_answer(design: Design, people: Population) -> bool:
    from tests.crypto import test_malicious_sealed_lender as lenders

    lenders.test_a_card_bent_for_one_person_is_caught_whatever_the_lender_does(design.name == "one-show")
    return True


# (claim, design) -> whether the cheat is noticed; under "" what serves every design whose parties are executed.
PLAYED: Mapping[tuple[str, str], Callable[[Design, Population], bool]] = {
    (SCORE_ONLY, ""): _noticed(_source_tells_the_name),
    (ONE_BIT, ""): _noticed(_source_tells_the_name),
    (SOURCE_BLIND, ""): _noticed(_lender_tells_the_bank),
    (UNLINKABLE, ""): _noticed(_both_keep_one_string),
    (CONSTANT_SIZES, ""): _noticed(_lender_says_more_to_some),
    (VERIFIED_SCORE, "encrypted-audited"): _bent_results_are_proved("Shifts"),
    (SIGNED_DECISION, "encrypted-audited"): _bent_results_are_proved("OtherThreshold"),
    (VERIFIED_SCORE, "encrypted-proved"): _bent_papers_convict("SignsOther"),
    (SIGNED_DECISION, "encrypted-proved"): _bent_papers_convict("TurnsDecisions"),
    (VERIFIED_SCORE, "sealed"): _answers_against_the_terms_convict,
    (VERIFIED_SCORE, "one-show"): _answers_against_the_terms_convict,
    (PUBLIC_CARD, "sealed"): _a_card_for_one_person_finds_no_answer,
    (PUBLIC_CARD, "one-show"): _a_card_for_one_person_finds_no_answer,
}
# What is claimed of a protocol, and so must be played; the others speak of the rule alone.
ONLY_PLAYED = frozenset({PUBLIC_CARD, SIGNED_DECISION})
BY_RULE = frozenset({NO_CONDUCT})


def cheat_for(claim: str, design: Design, executed: bool) -> Callable[[Design, Population], bool] | None:
    """Return the cheat to play against a design's claim; None where nothing is executed that could be bent."""
    cheat = PLAYED.get((claim, design.name)) or (PLAYED.get((claim, "")) if executed else None)
    if cheat is None and claim not in BY_RULE and (executed or claim in ONLY_PLAYED):
        pytest.fail(f"{design.name} claims that {claim}, and tests/claims.py plays no cheat against it")
    return cheat
