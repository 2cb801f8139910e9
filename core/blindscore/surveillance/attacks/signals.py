"""Seven signals of membership that whoever may ask a model about records reads off its answers.

loss (Yeom et al. 2018); loss against others of the same outcome, that is a threshold for each class (Song and Mittal,
"Systematic Evaluation of Privacy Risks of Machine Learning Models", 2021); confidence, which for two classes orders
people as entropy does (Salem et al., "ML-Leaks", 2019); the modified entropy of Song and Mittal; neighbour: how far the
loss lies under that of the same record with one figure exchanged for somebody else's (Mattern et al., "Membership
Inference Attacks against Language Models via Neighbourhood Comparison", 2023); calibrated by reference models (Watson
et al. 2022); and the likelihood ratio (Carlini et al. 2022). The last two need shadow cards. Each is tried alone, and
all together by the package's classifiers, which also read the outcome: stacking of seven such signals led the NIST red
team event on federated genomics of 2025 (Bertoli, arXiv 2604.12737, its abstract).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, log_expit
from scipy.stats import rankdata

from blindscore.scorecard.card import Card
from blindscore.surveillance.inference.classifiers import infer
from blindscore.surveillance.inference.evidence import Evidence
from blindscore.surveillance.knowledge import Labels

Floats = NDArray[np.float64]
TOGETHER = "all signals together"


def black_box(
    confidence: Floats, outcome: NDArray[np.bool_], features: pd.DataFrame, card: Card
) -> list[tuple[str, Floats]]:
    """Return the signals that need no shadow card: name, and suspicion, larger = more likely a member.

    Parameters
    ----------
    confidence : (n,) log-odds that the card gives each person's true outcome
    outcome : (n,) bool
    features : DataFrame, (n, d)
    card : the released card, which is asked about records and nothing else
    """
    among = np.empty(len(confidence))
    for kind in (False, True):
        own = outcome == kind
        among[own] = rankdata(confidence[own]) / max(own.sum(), 1)
    right = expit(confidence)
    entropy = -right * log_expit(confidence) - (1.0 - right) * log_expit(-confidence)
    modified = (1.0 - right) * -log_expit(confidence) * 2.0  # both terms are alike where there are two classes
    return [
        ("loss", confidence),
        ("loss among the same outcome", among),
        ("confidence", -entropy),
        ("modified entropy", -modified),
        ("neighbours", log_expit(confidence) - _neighbours(confidence, outcome, features, card)),
    ]


def _neighbours(confidence: Floats, outcome: NDArray[np.bool_], features: pd.DataFrame, card: Card) -> Floats:
    """Return each person's mean log-likelihood over records that differ in one figure, which is somebody else's."""
    bins = card.bins(features)
    sign = np.where(outcome, -1.0, 1.0) / card.scale.factor
    total = np.zeros(len(bins))
    for own, c in zip(bins.T, card.characteristics, strict=True):
        points = np.asarray(c.points, np.float64)
        share = np.bincount(own, minlength=len(points)) / len(own)
        for other in np.flatnonzero(share):
            total += share[other] * log_expit(confidence + sign * (points[other] - points[own]))
    mean: Floats = total / bins.shape[1]
    return mean


def together(
    signals: Sequence[tuple[str, Floats]],
    outcome: NDArray[np.bool_],
    membership: Labels,
    auxiliary: NDArray[np.bool_],
    seed: int,
) -> Floats:
    """Return the suspicion of the best classifier on all signals and the outcome, learnt on auxiliary people.

    Where it is chosen by cross-validation it must not be judged on those it learnt from: each half of the auxiliary
    people is judged by what the other half taught.
    """
    columns = Evidence.of(np.column_stack([*(level for _, level in signals), outcome.astype(np.float64)]))
    level = _odds(columns, membership, auxiliary, seed)
    half = auxiliary & (np.cumsum(auxiliary) % 2 == 0)
    for learn, shown in ((half, auxiliary & ~half), (auxiliary & ~half, half)):
        level[shown] = _odds(columns, membership, learn, seed)[shown]
    return level


def _odds(columns: Evidence, membership: Labels, learn: NDArray[np.bool_], seed: int) -> Floats:
    believed = infer(columns, membership, learn, seed)
    return np.asarray(np.log(believed.probability[:, 1] / believed.prior[1]), np.float64)
