"""Learn from another society, all of whose people the attacker knows, and try it on this one.

A fifth of the people here may be too few to learn a weak trace from; another town, last year's customers or a society
made up for the purpose may have any number. What was learnt there is judged on the auxiliary people here, beside what
was learnt of them, and plays only where it serves better.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blindscore.parties.view import View
from blindscore.surveillance.inference.classifiers import Guess, balanced_loss, infer, prior_of
from blindscore.surveillance.inference.evidence import Columns, Evidence, encode
from blindscore.surveillance.knowledge import UNKNOWN, Elsewhere, Knowledge, Labels


def learnt_elsewhere(knowledge: Knowledge, view: View, secret: str, other: Elsewhere) -> Guess | None:
    """Return what a view of another society taught of a trait, tried here; None where it taught nothing of it."""
    labels, n = knowledge.labels[secret], len(knowledge)
    theirs = other.classes.get(secret)
    evidence = knowledge.scratch.once(("elsewhere", view.digest), lambda: _both(knowledge, view, other))
    if theirs is None or evidence.values.shape[1] == 0 or not labels.known.any():
        return None
    code = np.concatenate([np.full(n, UNKNOWN, np.int64), theirs])
    learn = np.arange(len(code)) >= n
    found = infer(evidence, Labels(code, labels.classes), learn, knowledge.seed)
    known = np.flatnonzero(labels.known)
    prior = prior_of(labels.code[known], labels.classes)
    believed = found.probability[:n] * (prior / found.prior)  # carriers may be more or fewer here
    believed /= believed.sum(axis=1, keepdims=True)
    loss = balanced_loss(believed[known], labels.code[known], prior)
    return Guess(f"learnt elsewhere: {found.attack}", believed, prior, loss)


def _both(knowledge: Knowledge, view: View, other: Elsewhere) -> Evidence:
    """Return what is read of everybody here, and below it of everybody there, in the same columns."""
    shown = other.view(view)
    here, there = (_table(one, register) for one, register in ((view, knowledge.register), (shown, other.register)))
    shared = [name for name in here.columns if name in there.columns]
    encoded = encode(pd.concat([here[shared], there[shared]], ignore_index=True))
    columns: Columns = np.full((len(knowledge) + len(there), encoded.shape[1]), np.nan)
    rows: NDArray[np.int64] = np.concatenate([view.person, len(knowledge) + np.arange(len(there))])
    columns[rows] = encoded
    return Evidence.of(columns)


def _table(view: View, register: pd.DataFrame) -> pd.DataFrame:
    table = view.clear[view.values]
    if not view.named:
        return table.reset_index(drop=True)
    more = [name for name in register.columns if name not in table.columns]
    return pd.concat([table.reset_index(drop=True), register[more].iloc[view.person].reset_index(drop=True)], axis=1)
