"""``map``: find who is friends with whom.

Attack: the edges themselves where they are read; else the best of several classifiers on pairs of records (how alike
two records are in every column, whether two people were seen in one place at one hour), learnt on pairs of auxiliary
people. Where only some edges are read, the hidden ones are asked for, and the pairs are also compared by common
friends, Adamic-Adar, resource allocation, Jaccard, degrees and paths of three steps (Liben-Nowell and Kleinberg 2007;
Zhou, Lü and Zhang 2009). Advantage: TPR - FPR on friends against random strangers, both among targets. Control: the
same on pairs of register entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from blindscore.designs.plain import LEGAL_ID
from blindscore.parties.view import View
from blindscore.surveillance.inference.bound import finite_view_bound, plug_in_bias
from blindscore.surveillance.inference.classifiers import Guess, infer
from blindscore.surveillance.inference.evidence import Columns, Evidence, encode, friends_of, ranks
from blindscore.surveillance.inference.intervals import Estimate, balanced_advantage, tpr_at_fpr
from blindscore.surveillance.ledger import Row
from blindscore.surveillance.scene import Scene, codes_by_person, public_register, row_codes

MOST_PAIRS = 6000  # of each kind, on each side
PAIRWISE_ALPHABET = 5000  # pairs of values beyond which the plug-in bound says nothing


@dataclass(frozen=True)
class Pairs:
    """Pairs of people: friends and as many strangers, of auxiliary people and of targets."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    friends: NDArray[np.int64]  # 1 = friends
    auxiliary: NDArray[np.bool_]


@dataclass(frozen=True)
class Map:
    """Find friendships."""

    name = "map"

    def measure(self, scene: Scene) -> list[Row]:
        """Return one row, or none where the experimenter knows no friendships."""
        friends = scene.population.friends
        if friends is None or len(friends) == 0:
            return []
        pairs = asked_pairs(scene)
        targets = ~pairs.auxiliary
        truth = pairs.friends[targets]
        control = _advantage(scene, _guess_public(scene, pairs), pairs)
        if len(_hidden(scene)) == 0:
            found, attack, tpr = Estimate(1.0, 1.0, 1.0), "readable edges", 1.0
            bound, reason = None, "attack only: the coalition reads the edges"
        else:
            guess = guess_friends(scene, pairs)
            found, attack = _advantage(scene, guess, pairs), guess.attack
            tpr = tpr_at_fpr(truth == 1, guess.probability[targets, 1])
            bound, reason = _bound(scene, pairs)
        return [
            Row(
                design=scene.design,
                coalition=scene.coalition.name,
                capability=self.name,
                secret="friendships",
                attack=attack,
                advantage=found.value,
                low=found.low,
                high=found.high,
                control=control.value,
                tpr_at_fpr_0_001=tpr,
                bound=bound,
                reason=reason,
            )
        ]


def guess_friends(scene: Scene, pairs: Pairs) -> Guess:
    """Return the coalition's best guess of which pairs are friends: the view that served best on auxiliary people."""
    guesses = [_guess(scene, view, pairs) for view in scene.views]
    if any(view.named for view in scene.views):
        guesses.append(_guess_public(scene, pairs))
    return min(guesses, key=lambda g: g.loss)


def draw_pairs(scene: Scene, friends: NDArray[np.int32], asked: NDArray[np.int32] | None = None) -> Pairs:
    """Return friends and strangers: pairs within the auxiliary people to learn from, within targets to be judged on.

    Parameters
    ----------
    friends : (m, 2) int32, everybody's, so that no stranger is a friend
    asked : (a, 2) int32, those of them that are to be found; all if None
    """
    rng = scene.rng("map", "pairs")
    n = len(scene.population)
    edges = set((friends[:, 0].astype(np.int64) * n + friends[:, 1]).tolist())
    kept: list[NDArray[np.int64]] = []
    labels, sides = [], []
    for side in (True, False):
        members = np.flatnonzero(scene.auxiliary == side)
        wanted = friends if asked is None else asked
        within = wanted[(scene.auxiliary[wanted] == side).all(axis=1)].astype(np.int64)
        within = within[rng.permutation(len(within))[:MOST_PAIRS]]
        strangers = np.sort(rng.choice(members, size=(2 * len(within) + 10, 2)), axis=1)
        fresh = [a < b and int(a * n + b) not in edges for a, b in strangers]
        strangers = strangers[fresh][: len(within)]
        kept += [within, strangers]
        labels += [np.ones(len(within), np.int64), np.zeros(len(strangers), np.int64)]
        sides += [np.full(len(within) + len(strangers), side)]
    both = np.vstack(kept)
    return Pairs(both[:, 0], both[:, 1], np.concatenate(labels), np.concatenate(sides))


def asked_pairs(scene: Scene) -> Pairs:
    """Return the pairs that the coalition is asked about: friendships that it does not read, if there are any."""
    friends, hidden = scene.population.friends, _hidden(scene)
    assert friends is not None
    return scene.once(("pairs", len(hidden)), lambda: draw_pairs(scene, friends, hidden if len(hidden) else friends))


def _hidden(scene: Scene) -> NDArray[np.int32]:
    """Return the friendships that no view of the coalition shows."""
    friends, n = scene.population.friends, len(scene.population)
    assert friends is not None
    edge = friends[:, 0].astype(np.int64) * n + friends[:, 1]
    shown = [v.friends[:, 0].astype(np.int64) * n + v.friends[:, 1] for v in scene.views if v.friends is not None]
    return friends[~np.isin(edge, np.concatenate(shown))] if shown else friends


def _advantage(scene: Scene, guess: Guess, pairs: Pairs) -> Estimate:
    targets = ~pairs.auxiliary
    return balanced_advantage(pairs.friends[targets], guess.best[targets], scene.rng("map"))


def _guess_public(scene: Scene, pairs: Pairs) -> Guess:
    register = public_register(scene.population)
    return scene.once(
        ("map", "public", len(pairs.first)), lambda: _infer_pairs(scene, [_alike(register, pairs)], pairs)
    )


def _guess(scene: Scene, view: View, pairs: Pairs) -> Guess:
    def attack() -> Guess:
        table = view.clear[view.values].iloc[np.argsort(view.person)].reset_index(drop=True)
        if len(table) != len(scene.population):
            return _infer_pairs(scene, [], pairs)
        if view.named:
            register = scene.population.register.drop(columns=[LEGAL_ID, *table.columns], errors="ignore")
            table = pd.concat([table, register], axis=1)
        columns = [_alike(table, pairs)] if table.shape[1] else []
        if view.visits is not None and len(view.visits):
            columns.append(_together(view.visits, pairs))
        if view.friends is not None and len(view.friends):
            columns.append(_near_in_graph(friends_of(view.friends, len(scene.population)), pairs))
        return _infer_pairs(scene, columns, pairs)

    return scene.once(("map", view.digest, len(pairs.first)), attack)


def _infer_pairs(scene: Scene, columns: list[Columns], pairs: Pairs) -> Guess:
    shown = np.hstack(columns) if columns else np.zeros((len(pairs.first), 0))
    return infer(Evidence.of(shown), pairs.friends, pairs.auxiliary, scene.seed)


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


def _bound(scene: Scene, pairs: Pairs) -> tuple[float | None, str]:
    if any(view.named or view.universe is None for view in scene.views):
        return None, "attack only: the view has no small alphabet, or carries names"
    view = scene.views[0]
    if len(scene.views) > 1 or view.universe is None or view.universe**2 > PAIRWISE_ALPHABET:
        return None, "attack only: pairs of views take too many values for a useful bound"
    code = codes_by_person(scene, view)
    one, two = code[pairs.first], code[pairs.second]
    pair = np.minimum(one, two) * (int(code.max()) + 1) + np.maximum(one, two)
    targets = ~pairs.auxiliary
    bound = finite_view_bound(pair[targets], pairs.friends[targets])
    bias = plug_in_bias(pair[targets], pairs.friends[targets], scene.rng("map", "bound"))
    return bound, (
        f"no function of two views of {view.universe} values does better on these pairs (total variation; "
        f"independence alone would read {bias:.3f})"
    )
