"""Method "opacus": differentially private stochastic gradient descent on the one-hot bins, by Opacus.

Who sees what: the weights are published as points. Assumption: Gaussian noise of real numbers. Opacus draws it in
floating point from a statistical generator (here freshly seeded by the operating system, and not by any caller), which
falls short of that assumption in the last bits (Mironov, CCS 2012; Jin et al., S&P 2022).

Source: Abadi et al., "Deep learning with differential privacy" (CCS 2016). Every person is one unit-length vector, so
that a residual of at most one is the whole gradient and clipping at 1 changes nobody's.
"""

from __future__ import annotations

import secrets
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore_crypto.private_model.accounting import Release, epsilon_rdp, least

SAMPLING = 0.05  # chance that a person takes part in a step
STEPS = 150
# Step on unit-length rows: below 2 (1 + momentum) / (1/4), where descent on any data is stable, and smaller where noise
# outweighs people, so that few people give a flat card and not a wild one. Fixed on synthetic people, never a lender's.
RATE_CAP = 15.0
RATE_PER_SIGNAL = 0.02  # times expected people in a step over the noise multiplier
MOMENTUM = 0.9


def gradient_release(multiplier: float) -> Release:
    """Return the record of a whole training run with this noise multiplier."""
    return Release("gradients of the one-hot bins", 1.0, multiplier, STEPS, SAMPLING, "float")


@lru_cache(maxsize=64)
def least_multiplier(earlier: tuple[Release, ...], epsilon: float, delta: float) -> float:
    """Return the least noise multiplier whose training run, after the earlier releases, keeps within the budget."""

    def fits(multiplier: float) -> bool:
        return epsilon_rdp((*earlier, gradient_release(multiplier)), delta) <= epsilon

    return least(fits, 0.3, 1000.0, precision=1e-3)


def train(bins: NDArray[np.uint8], n_bins: list[int], bad: NDArray[np.bool_], multiplier: float, people: float) -> Any:
    """Return the weight of every bin, a list of (n_bins[j],) float64 arrays, in log-odds of default.

    Parameters
    ----------
    bins : (n, d) uint8
    n_bins : bins of each feature, the missing bin included
    bad : (n,) bool
    multiplier : float
        Noise in units of the clipping norm.
    people : float
        A released (noisy) head count; it scales the step, so that the true one is not used.
    """
    import torch
    from opacus import GradSampleModule
    from opacus.optimizers import DPOptimizer
    from opacus.utils.uniform_sampler import UniformWithReplacementSampler

    def fresh() -> torch.Generator:
        return torch.Generator().manual_seed(secrets.randbits(63))

    starts = np.concatenate([[0], np.cumsum(n_bins)])
    columns = torch.from_numpy(bins.astype(np.int64) + starts[:-1])
    outcome = torch.from_numpy(bad.astype(np.float32))
    size = 1 / np.sqrt(bins.shape[1])  # of each one-hot entry, so that a row has length 1

    linear = torch.nn.Linear(int(starts[-1]), 1, bias=False)
    torch.nn.init.zeros_(linear.weight)
    model = GradSampleModule(linear, loss_reduction="sum")
    batch_size = SAMPLING * max(people, 1.0)
    rate = min(RATE_CAP, RATE_PER_SIGNAL * batch_size / multiplier) / batch_size
    optimizer = DPOptimizer(
        torch.optim.SGD(model.parameters(), lr=rate, momentum=MOMENTUM),
        noise_multiplier=multiplier,
        max_grad_norm=1.0,
        expected_batch_size=None,
        loss_reduction="sum",
        generator=fresh(),
    )
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
    mean = torch.zeros_like(linear.weight)
    sampler = UniformWithReplacementSampler(num_samples=len(bad), sample_rate=SAMPLING, generator=fresh(), steps=STEPS)
    # Rows are gathered by index here: the stock data loader spends far longer on a step than the arithmetic does.
    for step, batch in enumerate(sampler):
        rows = torch.zeros(len(batch), int(starts[-1])).scatter_(1, columns[batch], float(size))
        optimizer.zero_grad()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Full backward hook is firing")
            loss(model(rows)[:, 0], outcome[batch]).backward()
        optimizer.step()
        if step >= STEPS // 2:  # averaging the second half costs no budget and steadies the weights
            mean += linear.weight.detach()
    weights = mean[0].double().numpy() * size / (STEPS - STEPS // 2)
    return np.split(weights, starts[1:-1])
