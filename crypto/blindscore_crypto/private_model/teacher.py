"""Method "teacher": a small neural network by DP-SGD (Opacus), and the scorecard that imitates it best.

Who sees what: the network could be published, and the noisy counts; the card follows from them alone. Assumption: as in
:mod:`~.opacus_fit`, whose noise is floating point. Not protected: the applicant.

The card learns from the teacher's log-odds for made-up people, whose answers are drawn, feature by feature, from noisy
counts: distillation (Hinton, Vinyals, Dean 2015) that is post-processing and costs nothing further. People made up so
have no correlations, so that the card learns what the network says on average over people who need not exist.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blindscore.extras import needs
from blindscore_crypto.private_model.accounting import Budget
from blindscore_crypto.private_model.layout import Floats, Layout
from blindscore_crypto.private_model.moments import release_labels
from blindscore_crypto.private_model.onestep import intercept_of
from blindscore_crypto.private_model.opacus_fit import descend, one_hot

COUNT_SHARE = 0.1  # of the budget, for people by bin and outcome
HIDDEN = 32
RATE_CAP = 4.0  # a network's curvature is not bounded as a linear model's is
PUPILS = 8_000  # made-up people
RIDGE = 1.0


def train(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], layout: Layout, multiplier: float, budget: Budget
) -> tuple[list[Floats], float]:
    """Return (weights a feature, intercept), log-odds of default; see :data:`~.methods.METHODS`."""
    with needs("opacus"):
        import torch

    moments = release_labels(layout.columns(bins), bad, layout, multiplier / math.sqrt(COUNT_SHARE), budget)
    made_up = np.random.default_rng(0)  # public randomness: nothing that it touches is private
    torch_seed = torch.Generator().manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(int(layout.starts[-1]), HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1)
    )
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(torch.randn(value.shape, generator=torch_seed) * (0.5 if value.ndim > 1 else 0.0))
        network[2].weight.zero_()
        network[2].bias.fill_(float(np.log(moments.bad_rate / (1 - moments.bad_rate))))
    mean = descend(network, bins, layout, bad, moments.people, budget, RATE_CAP)
    with torch.no_grad():
        network.load_state_dict(mean)
        pupils = np.column_stack([made_up.choice(len(p), PUPILS, p=p) for p in layout.split(moments.shares)])
        rows = one_hot(torch.from_numpy(layout.columns(pupils.astype(np.uint8))), layout)
        answers = network(rows)[:, 0].double().numpy()
    weights = imitate(rows.numpy() > 0, answers)
    return layout.split(weights), intercept_of(moments, moments.scatter(), weights)


def imitate(rows: NDArray[np.bool_], answers: Floats) -> Floats:
    """Return the weights, (k,), whose sums over one-hot rows come nearest to the answers, (n,), with a small ridge."""
    table = rows.astype(np.float64)
    gram = table.T @ table + RIDGE * np.eye(table.shape[1])
    return np.asarray(np.linalg.solve(gram, table.T @ (answers - answers.mean())))
