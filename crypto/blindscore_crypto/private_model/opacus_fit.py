"""Method "opacus": differentially private stochastic gradient descent on the one-hot bins, by Opacus.

Who sees what: the weights are published as points. Assumption: Gaussian noise of real numbers. It is drawn here in
floating point from bytes of the operating system, both the noise and who takes part in a step (torch's own generator
hangs on 32 bits of its seed), and falls short of that assumption in the last bits (Mironov, CCS 2012; Jin et al., S&P
2022).

Source: Abadi et al., "Deep learning with differential privacy" (CCS 2016). Every person is one unit-length vector, so
that a residual of at most one is the whole gradient and clipping at 1 changes nobody's.
"""

from __future__ import annotations

import math
import secrets
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import DataError
from blindscore.extras import needs
from blindscore_crypto.private_model.accounting import Budget, Release, epsilon_of, least
from blindscore_crypto.private_model.layout import Floats, Layout
from blindscore_crypto.private_model.noise import RandomBytes

COUNT_SHARE = 0.01  # of the budget, for the head count
SAMPLING = 0.05  # chance that a person takes part in a step
STEPS = 150
# Step on unit-length rows: below 2 (1 + momentum) / (1/4), where descent on any data is stable, and smaller where noise
# outweighs people, so that few people give a flat card and not a wild one. Fixed on synthetic people, never a lender's.
RATE_CAP = 15.0
RATE_PER_SIGNAL = 0.02  # times expected people in a step over the noise multiplier
MOMENTUM = 0.9


def gradient_release(multiplier: float) -> Release:
    """Return the record of a whole training run with this noise multiplier."""
    return Release("gradients of sampled people", 1.0, multiplier, STEPS, SAMPLING, "float")


@lru_cache(maxsize=64)
def least_multiplier(earlier: tuple[Release, ...], epsilon: float, delta: float) -> float:
    """Return the least noise multiplier whose training run, after the earlier releases, keeps within the budget."""

    def fits(multiplier: float) -> bool:
        return epsilon_of((*earlier, gradient_release(multiplier)), delta) <= epsilon

    return least(fits, 0.3, 1000.0, precision=1e-3)


def train(
    bins: NDArray[np.uint8], bad: NDArray[np.bool_], layout: Layout, multiplier: float, budget: Budget
) -> tuple[list[Floats], float]:
    """Return (weights a feature, intercept), log-odds of default; see :data:`~.methods.METHODS`."""
    with needs("opacus"):
        import torch

    people, _ = budget.release(np.array([len(bad)]), "head count", 1.0, multiplier / math.sqrt(COUNT_SHARE))
    linear = torch.nn.Linear(int(layout.starts[-1]), 1, bias=False)
    torch.nn.init.zeros_(linear.weight)
    mean = descend(linear, bins, layout, bad, float(people[0]), budget)["weight"]
    return layout.split(mean[0].double().numpy() / math.sqrt(layout.features)), 0.0


def one_hot(columns: Any, layout: Layout) -> Any:
    """Return one-hot rows of length 1, a (n, k) tensor, from a (n, d) tensor of columns."""
    with needs("opacus"):
        import torch

    size = 1 / math.sqrt(layout.features)
    return torch.zeros(len(columns), int(layout.starts[-1])).scatter_(1, columns, size)


def descend(
    module: Any,
    bins: NDArray[np.uint8],
    layout: Layout,
    bad: NDArray[np.bool_],
    people: float,
    budget: Budget,
    rate_cap: float = RATE_CAP,
) -> dict[str, Any]:
    """Train a torch module in place with what is left of the budget; return its parameters averaged by name.

    Parameters
    ----------
    module : torch.nn.Module
        (n, k) one-hot rows of unit length -> (n, 1) log-odds of default.
    bins : (n, d) uint8
    layout : Layout
    bad : (n,) bool
    people : float
        A released (noisy) head count; it scales the step, so that the true one is not used.
    budget : Budget
    rate_cap : float
        Largest step.

    Raises
    ------
    DataError
        Training diverged.
    """
    with needs("opacus"):
        import torch
        from opacus import GradSampleModule
        from opacus.optimizers import DPOptimizer

    source = budget.insecure_simulation_bytes or secrets.token_bytes

    class NoisyDescent(DPOptimizer):  # type: ignore[misc]
        """Opacus' optimizer, its noise drawn from ``source`` in place of torch's generator."""

        def add_noise(self) -> None:
            for p in self.params:
                noise = normals(p.summed_grad.numel(), source) * (self.noise_multiplier * self.max_grad_norm)
                noise = torch.from_numpy(noise).to(p.summed_grad.dtype).view_as(p.summed_grad)
                p.grad = (p.summed_grad + noise).view_as(p)

    multiplier = least_multiplier(budget.record, budget.epsilon, budget.delta)
    budget.spend(gradient_release(multiplier))
    columns, outcome = torch.from_numpy(layout.columns(bins)), torch.from_numpy(bad.astype(np.float32))
    model = GradSampleModule(module, loss_reduction="sum")
    batch_size = SAMPLING * max(people, 1.0)
    rate = min(rate_cap, RATE_PER_SIGNAL * batch_size / multiplier) / batch_size
    optimizer = NoisyDescent(
        torch.optim.SGD(model.parameters(), lr=rate, momentum=MOMENTUM),
        noise_multiplier=multiplier,
        max_grad_norm=1.0,
        expected_batch_size=None,
        loss_reduction="sum",
    )
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
    mean = {name: torch.zeros_like(value) for name, value in module.named_parameters()}
    # Rows are gathered by index here: the stock data loader spends far longer on a step than the arithmetic does.
    for step in range(STEPS):
        batch = torch.from_numpy(taking_part(len(bad), source))
        optimizer.zero_grad()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Full backward hook is firing")
            loss(model(one_hot(columns[batch], layout))[:, 0], outcome[batch]).backward()
        optimizer.step()
        if step >= STEPS // 2:  # averaging the second half costs no budget and steadies the weights
            for name, value in module.named_parameters():
                mean[name] += value.detach() / (STEPS - STEPS // 2)
    if not all(bool(value.isfinite().all()) for value in mean.values()):
        raise DataError("training diverged; grant a larger epsilon, or train on more people")
    return mean


def normals(size: int, source: RandomBytes) -> Floats:
    """Return standard normal draws, (size,), from uniform bytes (Box and Muller, 1958)."""
    half = (size + 1) // 2
    words = np.frombuffer(source(16 * half), np.uint64) >> np.uint64(11)
    first, second = (words.reshape(2, half) + 0.5) * 2.0**-53  # in (0, 1)
    radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:size]


def taking_part(people: int, source: RandomBytes) -> NDArray[np.int64]:
    """Return who takes part in a step: each with chance SAMPLING, independently (to within 2^-33)."""
    drawn = np.frombuffer(source(4 * people), np.uint32)
    return np.flatnonzero(drawn < np.uint32(SAMPLING * 2**32))
