"""``map``: find who is friends with whom.

Attack: the edges themselves where they are read; else the best of several classifiers on pairs of records (how alike
two records are in every column, which categories befriend which, whether two people were seen in one place at one
hour), learnt on pairs of auxiliary people. Where only some edges are read, the hidden ones are asked for, and the pairs
are also compared by common friends, Adamic-Adar, resource allocation, Jaccard, degrees and paths of three steps
(Liben-Nowell and Kleinberg 2007; Zhou, Lü and Zhang 2009).
Advantage: TPR - FPR on friends against random strangers, both among targets. Control: the
same on pairs of register entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from blindscore.parties.view import View
from blindscore.surveillance.capability import Capability
from blindscore.surveillance.inference.bound import Bound, finite_view_bounds, plug_in_bias
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Columns, Evidence, encode, friends_of, ranks
from blindscore.surveillance.inference.intervals import Estimate, balanced_advantage, tpr_at_fpr
from blindscore.surveillance.knowledge import Knowledge, Labels, Pairs, codes_by_person, row_codes
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.truth import Truth

READ = "readable edges"
PARTS = 5  # folds in which auxiliary pairs learn of one another
PAIRWISE_ALPHABET = 5000  # pairs of values beyond which the plug-in bound says nothing


@dataclass(frozen=True)
class Map(Capability):
    """Find friendships."""

    name = "map"
    question = "find out who your friends are"
    order = 30
    needs = frozenset({"pairs"})

    def secrets(self, truth: Truth) -> list[str]:
        """Return one, or none where the experimenter knows no friendships."""
        return [] if truth.pairs() is None else ["friendships"]

    def attack(self, knowledge: Knowledge, secret: str) -> Guess:
        """Return which pairs are friends; see :func:`guess_friends`."""
        return guess_friends(knowledge)

    def judge(self, truth: Truth, secret: str, guess: Guess) -> Row:
        """Return the row, held against pairs of register entries."""
        pairs = truth.pairs()
        assert pairs is not None
        targets = ~pairs.auxiliary
        found, control = _advantage(truth, guess, pairs), _advantage(truth, _publicly(truth), pairs)
        bound, reason = _bound(truth, pairs)
        return Row(
            design=truth.design,
            coalition=truth.coalition.name,
            capability=self.name,
            secret=secret,
            attack=guess.attack,
            advantage=found.value,
            low=found.low,
            high=found.high,
            control=control.value,
            tpr_at_fpr_0_001=tpr_at_fpr(pairs.friends[targets] == 1, guess.probability[targets, 1]),
            reason=reason,
        ).bounded(bound)


def guess_friends(knowledge: Knowledge) -> Guess:
    """Return the coalition's best guess of which pairs are friends: the view that served best on auxiliary people."""
    pairs = knowledge.pairs
    assert pairs is not None
    if not pairs.hidden:
        return _read(knowledge, pairs)
    guesses = [_guess(knowledge, view, pairs) for view in knowledge.parts]
    if knowledge.named:
        guesses.append(_guess_public(knowledge, pairs))
    return min(guesses, key=lambda g: g.loss)


def _read(knowledge: Knowledge, pairs: Pairs) -> Guess:
    """Look the pairs up among the edges that are read."""
    n = np.int64(len(knowledge))
    shown = [view.friends.astype(np.int64) for view in knowledge.views if view.friends is not None]
    edges = np.concatenate([np.sort(edge, axis=1) @ np.array([n, 1]) for edge in shown])
    asked = np.minimum(pairs.first, pairs.second) * n + np.maximum(pairs.first, pairs.second)
    return Guess(READ, np.eye(2)[np.isin(asked, edges).astype(np.int64)], np.full(2, 0.5), 0.0)


def _publicly(truth: Truth) -> Guess:
    knowledge = truth.knowledge({"pairs"})
    assert knowledge.pairs is not None
    return _guess_public(knowledge, knowledge.pairs)


def _advantage(truth: Truth, guess: Guess, pairs: Pairs) -> Estimate:
    targets = ~pairs.auxiliary
    return balanced_advantage(pairs.friends[targets], guess.best[targets], truth.rng("map"))


def _guess_public(knowledge: Knowledge, pairs: Pairs) -> Guess:
    key = ("map", "public", len(pairs.first))
    register = knowledge.register

    def play() -> Guess:
        return _infer_pairs(knowledge, [_alike(register, pairs), _befriending(register, pairs)], pairs)

    return knowledge.once(key, play)


def _guess(knowledge: Knowledge, view: View, pairs: Pairs) -> Guess:
    def attack() -> Guess:
        table = view.clear[view.values].iloc[np.argsort(view.person)].reset_index(drop=True)
        if len(table) != len(knowledge):
            return _infer_pairs(knowledge, [], pairs)
        if view.named:
            register = knowledge.register.drop(columns=table.columns, errors="ignore")
            table = pd.concat([table, register], axis=1)
        columns = [_alike(table, pairs), _befriending(table, pairs)] if table.shape[1] else []
        if view.visits is not None and len(view.visits):
            columns.append(_together(view.visits, pairs))
        if view.friends is not None and len(view.friends):
            columns.append(_near_in_graph(friends_of(view.friends, len(knowledge)), pairs))
        return _infer_pairs(knowledge, columns, pairs)

    return knowledge.once(("map", view.digest, len(pairs.first)), attack)


def _infer_pairs(knowledge: Knowledge, columns: list[Columns], pairs: Pairs) -> Guess:
    shown = np.hstack(columns) if columns else np.zeros((len(pairs.first), 0))
    return infer(Evidence.of(shown), Labels(pairs.friends, 2), pairs.auxiliary, knowledge.seed)


def _alike(table: pd.DataFrame, pairs: Pairs) -> Columns:
    """Return how two records compare: distance of ranks in every number, equality and both-set in every category."""
    numbers = [c for c in table.columns if pd.api.types.is_numeric_dtype(table[c])]
    parts = [np.zeros((len(pairs.first), 0))]
    if numbers:
        ranked = ranks(encode(table[numbers]))
        one, two = ranked[pairs.first], ranked[pairs.second]
        parts += [np.abs(one - two), one * two]
    for name in table.columns:
        if name not in numbers:
            code = row_codes(table[[name]])
            parts.append((code[pairs.first] == code[pairs.second])[:, None].astype(np.float64))
    return np.hstack(parts)


def _befriending(table: pd.DataFrame, pairs: Pairs) -> Columns:
    """Return, for every category, how often people of two such values are friends, log-odds against strangers.

    Learnt on pairs of auxiliary people; one of these gets what the other folds say, never its own label.
    """
    categories = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
    fold = np.where(
        pairs.auxiliary, np.random.default_rng(len(pairs.first)).integers(0, PARTS, len(pairs.first)), PARTS
    )
    columns = np.zeros((len(pairs.first), len(categories)))
    for j, name in enumerate(categories):
        code = row_codes(table[[name]])
        one, two = code[pairs.first], code[pairs.second]
        _, pair = np.unique(np.minimum(one, two) * (int(code.max()) + 1) + np.maximum(one, two), return_inverse=True)
        for part in range(PARTS + 1):
            learn, shown = pairs.auxiliary & (fold != part), fold == part
            friends, strangers = (
                np.bincount(pair[learn & (pairs.friends == kind)], minlength=int(pair.max()) + 1) for kind in (1, 0)
            )
            odds = np.log((friends + 0.5) / (strangers + 0.5))
            columns[shown, j] = odds[pair[shown]]
    return columns


def _together(visits: pd.DataFrame, pairs: Pairs) -> Columns:
    """Return how many (place, hour) sightings, and how many places, two people share."""
    person = visits["person"].to_numpy()
    at_once = visits["place"].to_numpy().astype(np.int64) * 1_000_000 + visits["hour"].to_numpy()
    shared = []
    for key in (at_once, visits["place"].to_numpy()):
        order = np.argsort(person, kind="stable")
        starts = np.searchsorted(person[order], np.arange(int(person.max()) + 2))
        sets = [set(key[order[starts[i] : starts[i + 1]]].tolist()) for i in range(len(starts) - 1)]
        empty: set[int] = set()
        of = [sets[i] if i < len(sets) else empty for i in range(max(len(sets), int(pairs.second.max()) + 1))]
        shared.append([len(of[a] & of[b]) for a, b in zip(pairs.first, pairs.second, strict=True)])
    return np.array(shared, np.float64).T


def _near_in_graph(adjacency: sparse.csr_array, pairs: Pairs) -> Columns:
    """Return how near two people are over the edges that are read: the usual scores of link prediction."""
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    one, two = adjacency[pairs.first], adjacency[pairs.second]
    both = one.multiply(two).tocsr()
    common = np.asarray(both.sum(axis=1)).ravel()
    adamic_adar = both @ (1.0 / np.log(np.maximum(degree, 2.0)))
    allocation = both @ (1.0 / np.maximum(degree, 1.0))
    three_steps = np.asarray((one @ adjacency).multiply(two).sum(axis=1)).ravel()
    degrees = np.sort(np.column_stack([degree[pairs.first], degree[pairs.second]]), axis=1)
    jaccard = common / np.maximum(degrees.sum(axis=1) - common, 1.0)
    scaled = three_steps / np.sqrt(np.maximum(degrees.prod(axis=1), 1.0))
    return np.column_stack([common, adamic_adar, allocation, jaccard, three_steps, scaled, degrees]).astype(np.float64)


def _bound(truth: Truth, pairs: Pairs) -> tuple[Bound | None, str]:
    if not pairs.hidden:
        return None, "attack only: the coalition reads the edges"
    if any(view.named or view.universe is None for view in truth.views):
        return None, "attack only: the view has no small alphabet, or carries names"
    view = truth.views[0]
    if len(truth.views) > 1 or view.universe is None or view.universe**2 > PAIRWISE_ALPHABET:
        return None, "attack only: pairs of views take too many values for a useful bound"
    code = codes_by_person(len(truth.population), view)
    one, two = code[pairs.first], code[pairs.second]
    pair = np.minimum(one, two) * (int(code.max()) + 1) + np.maximum(one, two)
    targets = ~pairs.auxiliary
    bound = finite_view_bounds(pair[targets], pairs.friends[targets], view.universe * (view.universe + 1) // 2)
    bias = plug_in_bias(pair[targets], pairs.friends[targets], truth.rng("map", "bound"))
    return bound, (
        f"no function of two views of {view.universe} values does better (total variation, pairs taken as drawn one "
        f"by one; on these independence alone would read {bias:.3f})"
    )
