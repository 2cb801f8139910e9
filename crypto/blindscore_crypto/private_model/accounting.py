"""What was released, kept apart from what it costs: a frozen record, its accountants, and a ledger that says no.

Who sees what: everything recorded here is public. Neighbouring data sets differ by one added or removed person.
Assumption: each release adds noise of the recorded sigma to a sum to which one person adds a vector no longer than
the recorded sensitivity; where the noise is discrete, the vector is one of integers.

The claimed epsilon is :func:`epsilon_of`. Each discrete release counts as the slightly less noisy continuous one that
it is a rounding of (:mod:`~blindscore_crypto.private_model.privacy_loss`); releases to which everybody contributes are
then one Gaussian mechanism, whose epsilon is exact, and sampled ones are composed by the privacy loss distributions of
dp-accounting (Doroshenko et al., "Connect the dots", PoPETs 2022), which are rounded up. Renyi divergences (Mironov,
CSF 2017; Canonne, Kamath and Steinke, NeurIPS 2020, for discrete noise) give a larger bound; they and Opacus' PRV
cross-check.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore_crypto.private_model.noise import RandomBytes, Variance, discrete_gaussian
from blindscore_crypto.private_model.privacy_loss import (
    MOST_RELEASES,
    SLACK,
    epsilon_of_mu,
    log_delta,
    mu_of,
    rounding_variance,
)

if TYPE_CHECKING:
    from dp_accounting import DpEvent

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

NEIGHBOURS = "add or remove one person"
MAX_DELTA = 1e-3
INTERVAL = 1e-3  # on which privacy loss distributions of sampled releases are rounded
FOURIER_DELTA = 1e-10  # below it, rounding in the Fourier transforms of these could matter
ORDERS = (*(1.5 + k / 20 for k in range(190)), *range(11, 64), *(64 * 2**k for k in range(7)))


@dataclass(frozen=True)
class Release:
    """One noisy sum (or a run of alike ones) that was published."""

    what: str  # in words
    sensitivity: float  # most that one person can add, L2
    sigma: float  # standard deviation of the noise, in the same unit
    steps: int = 1  # releases of this kind
    sampling: float | None = None  # chance that a person takes part in a step; None = everybody does
    noise: Literal["discrete", "float"] = "discrete"

    @property
    def multiplier(self) -> float:
        """Noise in units of the sensitivity."""
        return self.sigma / self.sensitivity

    @property
    def smooth(self) -> float:
        """Noise, in units of the sensitivity, of the continuous release that this one is a rounding of; 0 = of none."""
        rounding = rounding_variance(self.sensitivity) if self.noise == "discrete" else 0.0
        return math.sqrt(max(self.sigma**2 - rounding, 0.0)) / self.sensitivity

    def event(self, multiplier: float) -> DpEvent:
        """Return the record as dp-accounting knows it, with noise in units of the sensitivity."""
        with needs("frontier"):
            from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent

        one: DpEvent = GaussianDpEvent(multiplier)
        if self.sampling is not None:
            one = PoissonSampledDpEvent(self.sampling, one)
        return SelfComposedDpEvent(one, self.steps)


def epsilon_of(releases: Sequence[Release], delta: float) -> float:
    """Epsilon of all releases together, the one that is claimed; infinite where noise is too small to be counted."""
    discrete = sum(release.steps for release in releases if release.noise == "discrete")
    if discrete > MOST_RELEASES or not all(release.smooth for release in releases):
        return math.inf
    within = delta * math.exp(-SLACK)
    if all(release.sampling is None for release in releases):
        mu = math.sqrt(sum(release.steps / release.smooth**2 for release in releases))
        return epsilon_of_mu(mu, within) + SLACK
    return _epsilon_sampled(tuple(releases), within) + SLACK


@lru_cache(maxsize=4096)
def _epsilon_sampled(releases: tuple[Release, ...], delta: float) -> float:
    if delta < FOURIER_DELTA:
        return epsilon_rdp(releases, delta)
    with needs("frontier"):
        from dp_accounting.pld.pld_privacy_accountant import PLDAccountant

    accountant = PLDAccountant(value_discretization_interval=INTERVAL)
    for release in releases:
        accountant.compose(release.event(release.smooth))
    return float(accountant.get_epsilon(delta))


def epsilon_rdp(releases: Sequence[Release], delta: float) -> float:
    """Epsilon of all releases together, by Renyi differential privacy; valid for discrete noise too."""
    counted = Counter(releases)  # the order does not matter, and alike releases are composed at once
    return _epsilon_rdp(frozenset(counted.items()), delta)


@lru_cache(maxsize=4096)
def _epsilon_rdp(counted: frozenset[tuple[Release, int]], delta: float) -> float:
    with needs("frontier"):
        from dp_accounting.rdp.rdp_privacy_accountant import RdpAccountant

    accountant = RdpAccountant(ORDERS)
    for release, times in sorted(counted, key=repr):
        accountant.compose(release.event(release.multiplier), times)
    return float(accountant.get_epsilon(delta))


def epsilon_pld(releases: Sequence[Release], delta: float) -> float:
    """Epsilon of all releases together, by privacy loss distributions; for continuous noise."""
    with needs("frontier"):
        from dp_accounting.pld.pld_privacy_accountant import PLDAccountant

    accountant = PLDAccountant(value_discretization_interval=INTERVAL)
    for release in releases:
        accountant.compose(release.event(release.multiplier))
    return float(accountant.get_epsilon(delta))


def epsilon_prv(releases: Sequence[Release], delta: float) -> float:
    """Epsilon of all releases together, by Opacus' privacy random variables; for continuous noise."""
    with needs("opacus"):
        from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = [(r.multiplier, 1.0 if r.sampling is None else r.sampling, r.steps) for r in releases]
    # Its log(1 - sampling) is minus infinity where everybody takes part, which is right and no cause for a warning.
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        # It sizes its grid by a Renyi bound on a fixed set of orders; a loose one makes the grid larger, not wrong.
        warnings.filterwarnings("ignore", message="Optimal order is the (largest|smallest) alpha")
        return float(accountant.get_epsilon(delta))


def check_budget(epsilon: float, delta: float) -> None:
    """Raise :class:`ParameterError` unless 0 < epsilon <= 50 and 0 < delta <= 0.001."""
    if not (math.isfinite(epsilon) and 0 < epsilon <= 50):
        raise ParameterError(f"epsilon must be positive and at most 50, got {epsilon}; beyond that it protects nobody")
    if not 0 < delta <= MAX_DELTA:
        raise ParameterError(f"delta must lie in (0, {MAX_DELTA:g}], got {delta}; choose less than 1 / people")


class Budget:
    """A ledger of releases under one (epsilon, delta) that refuses to overspend, and makes none without charging it.

    It cannot be pickled: a copy in another process would forget what it charged. Several processes share a
    :class:`~.account_file.FileBudget`.

    Attributes
    ----------
    record : tuple of Release
        What was released so far; grows only through :meth:`spend`.

    Parameters
    ----------
    epsilon, delta : float
    within : Budget, optional
        A larger budget, of the same people, to which everything is charged as well.
    insecure_simulation_bytes : callable, optional
        Seeded source of the noise, for people who do not exist; see :func:`~.noise.discrete_gaussian`.
    """

    def __init__(
        self,
        epsilon: float,
        delta: float,
        within: Budget | None = None,
        *,
        insecure_simulation_bytes: RandomBytes | None = None,
    ) -> None:
        check_budget(epsilon, delta)
        self.epsilon, self.delta, self._within = epsilon, delta, within
        self.insecure_simulation_bytes = insecure_simulation_bytes
        self._record: tuple[Release, ...] = ()
        self._lock = threading.RLock()  # two fits in two threads are charged one after the other

    @property
    def record(self) -> tuple[Release, ...]:
        """What was released so far."""
        return self._record

    @property
    def spent(self) -> float:
        """Epsilon of the record at this delta; 0 before the first release."""
        record = self.record
        return epsilon_of(record, self.delta) if record else 0.0

    def spend(self, release: Release) -> None:
        """Enter a release before it is made.

        Raises
        ------
        ParameterError
            Together with the record it would cost more than epsilon; nothing is entered.
        """
        with self._lock:
            check_cost(self._record, release, self.epsilon, self.delta)
            if self._within is not None:
                self._within.spend(release)
            self._record = (*self._record, release)

    def release(self, sums: Counts, what: str, sensitivity: float, multiplier: float) -> tuple[Floats, float]:
        """Charge one release, then return the sums with discrete Gaussian noise, and its sigma.

        Parameters
        ----------
        sums : int64 array
            To which one person adds a vector of integers of L2 length at most ``sensitivity``.
        what : str
            In words, for the record.
        sensitivity : float
        multiplier : float
            Noise in units of the sensitivity, before the little that rounding adds.
        """
        sigma = Variance.at_least(math.sqrt((multiplier * sensitivity) ** 2 + rounding_variance(sensitivity))).sigma
        self.spend(Release(what, sensitivity, sigma))
        draws, _ = discrete_gaussian(sigma, sums.size, insecure_simulation_bytes=self.insecure_simulation_bytes)
        return (sums + draws.reshape(sums.shape)).astype(np.float64), sigma

    def __copy__(self) -> Budget:
        """Return the ledger itself: a copy would forget what the other one charges."""
        return self

    def __deepcopy__(self, memo: object) -> Budget:
        """Return the ledger itself: scikit-learn copies parameters when it clones, and a copied ledger forgets."""
        return self

    def __reduce__(self) -> Any:
        """Refuse to be pickled."""
        raise ParameterError(
            "a budget in memory cannot go to another process, where it would forget what was charged; "
            "fit with n_jobs=1, or keep the account in a file (FileBudget), which processes share"
        )


def check_cost(record: Sequence[Release], release: Release, epsilon: float, delta: float) -> None:
    """Return if a release fits into a budget beside what was released before.

    Raises
    ------
    ParameterError
        Together they would cost more than epsilon.
    """
    cost = epsilon_of((*record, release), delta)
    if cost > epsilon:
        raise ParameterError(
            f"{release.what} would bring epsilon to {cost:.4g}, the budget is {epsilon:.4g}; "
            "add noise, release less, or grant a larger budget"
        )


def whole_budget(epsilon: float, delta: float) -> float:
    """Return the noise multiplier with which a single release would use up the whole budget.

    Releases with multipliers ``m_j`` use it up together where ``sum_j 1 / m_j^2 = 1 / m^2``.

    Raises
    ------
    ParameterError
        The budget is too small for any noise.
    """
    check_budget(epsilon, delta)
    if epsilon < 10 * SLACK:
        raise ParameterError(f"no noise meets an epsilon below {10 * SLACK:g}; grant a larger one")
    return (1 + 1e-9) / mu_of(epsilon - SLACK, delta * math.exp(-SLACK))  # the billionth covers the root's own error


def distance_within(epsilon: float, delta: float) -> float:
    """Total variation distance between all that comes out with and without one person: the delta at epsilon 0.

    No attack on membership has a larger TPR - FPR. It holds for every record that the budget admits and in which nobody
    is sampled: that is a Gaussian mechanism of at most this mu, however its noise followed from earlier answers. The
    (epsilon, delta) by itself leaves room for worse mechanisms, and about four times this figure.
    """
    return min(1.0, math.exp(log_delta((1 + 1e-8) / whole_budget(epsilon, delta), 0.0)) + 2 * SLACK)


def least(fits: Callable[[float], bool], low: float, high: float, precision: float = 1e-4) -> float:
    """Return a value in (low, high] for which ``fits`` holds, near the least; ``fits`` must be monotone.

    Raises
    ------
    ParameterError
        Not even ``high`` fits.
    """
    if not fits(high):
        raise ParameterError(f"no noise up to {high:g} times the sensitivity meets this budget; grant a larger one")
    while high - low > precision * high:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
