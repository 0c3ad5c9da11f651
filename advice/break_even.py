"""How good a verifier has to be for synthetic data to help, and how many synthetic samples replace one more real sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..solvers.best_mix import Family, Optimum, best_mix
from ..solvers.problem import Generator, Verifier
from ..support.errors import NotConverged
from ..support.progress import stage
from .calibration import calibrated
from .evidence import Evidence
from .result import SMALLEST, BreakEven, Choice

GRID, GRID_OF_MANY = 9, 7  # values of epsilon and of rho in the plane of the break-even line (33 move it by 0.003), and with many classes
MOST_NOISE = 0.5
ASKED_NOISE, ASKED_PHI = 0.4, 0.9  # at which a verifier is asked for where they are not given
MOST_SYNTHETIC = 1e4  # for one real sample: above that they are worth nothing
MOST_REAL = 100.0  # times n: where the search for an equal number of real samples ends


@dataclass(frozen=True, eq=False)
class ExchangeRates:
    """Gains of the whole budget under other noise and verifiers, and the worth of its samples in real ones.

    Attributes
    ----------
    evidence : Evidence
    """

    evidence: Evidence

    # ------------------------------------------------------------ the verifier

    @property
    def _asked(self) -> tuple[float, float]:
        """epsilon and phi at which the largest harmless rho is asked for: the most noise that was stated, and the stated phi."""
        plan = self.evidence.plan
        return ASKED_NOISE if plan.epsilon is None else plan.epsilon.high, ASKED_PHI if plan.phi is None else plan.phi.value

    @cached_property
    def needed(self) -> float:
        """The largest rho that leaves a gain; nan: none does, or the generator is self-fitted."""
        if self.evidence.self_fitted:
            return float("nan")
        stage("how good the verifier must be")
        epsilon, phi = self._asked
        smallest = max(SMALLEST, self.evidence.baseline.se / 10)
        return _largest(lambda rho: self._gain(float(self.evidence.plan.budget), epsilon, Verifier(rho, phi), None)[0] - smallest)

    def needed_in_words(self) -> str:
        """Return a sentence that says how many of the wrong labels the verifier may keep."""
        needed = self.needed
        epsilon, phi = self._asked
        noise = f"At {100 * epsilon:.0f}% wrong labels "
        if np.isnan(needed):
            return f"{noise}no verifier is good enough."
        if needed >= 1:
            return f"{noise}none is needed."
        return f"{noise}it may keep at most {100 * needed:.0f}% of them, if it keeps {100 * phi:.0f}% of the right ones."

    def break_even(self, m: float, omega: float) -> BreakEven:
        """Return the gains of m samples at a weight omega over noise and verifier, and the line where they vanish."""
        plan, phi = self.evidence.plan, self._asked[1]
        count = GRID if len(self.evidence.classes) == 2 else GRID_OF_MANY
        epsilons, rhos = np.linspace(0, MOST_NOISE, count), np.linspace(0, 1, count)
        gain = self._plane(epsilons, rhos, phi, m, omega)
        line = np.array([_crossing(rhos, row) for row in gain])
        rho_at = epsilon_at = float("nan")
        if plan.epsilon is not None:
            rho_at = _largest(lambda rho: self._gain(m, plan.epsilon.value, Verifier(rho, phi), omega)[0])
        if plan.rho is not None:
            epsilon_at = _largest(lambda epsilon: self._gain(m, epsilon, Verifier(plan.rho.value, phi), omega)[0])
        return BreakEven(m, omega, phi, epsilons, rhos, gain, line, rho_at, epsilon_at)

    def _plane(self, epsilons: np.ndarray, rhos: np.ndarray, phi: float, m: float, omega: float) -> np.ndarray:
        """Gains (E, R); each search for the best ridge starts at its neighbour's."""
        values = np.empty((len(epsilons), len(rhos)))
        first = None
        for i, epsilon in enumerate(epsilons):
            near = first
            for j, rho in enumerate(rhos if epsilon else rhos[:1]):
                stage("where synthetic samples stop to help", i * len(rhos) + j, values.size)
                values[i, j], near = self._gain(m, float(epsilon), Verifier(float(rho), phi), omega, near)
                first = near if j == 0 else first
            if not epsilon:  # without wrong labels none is let through
                values[i] = values[i, 0]
        return values

    def _gain(
        self, m: float, epsilon: float, verifier: Verifier, omega: float | None, near: Optimum | None = None
    ) -> tuple[float, Optimum | None]:
        """The predicted gain of m samples with their best ridge, at one omega or (None) the best, and that mix; nan: not solved."""
        e = self.evidence
        if not verifier.alpha(epsilon):
            return 0.0, near  # nothing is kept
        try:
            family = self._planned(epsilon, verifier)
            found = best_mix(family, m, m=m, omega=omega, near=near)
            expected = e.with_best_ridge(family, found, nearest=True).accuracy
            value, _ = calibrated(expected, e.expected_without, e.baseline.accuracy, len(e.classes))
        except NotConverged:
            return float("nan"), near
        return float(value) - e.baseline.accuracy, found

    def _planned(self, epsilon: float, verifier: Verifier) -> Family:
        e = self.evidence
        generator = e.plan.generator
        if e.file is not None:
            generator = Generator("independent", n_hat=e.file.n_hat) if np.isfinite(e.file.n_hat) else Generator()
        return e.population.family(generator, epsilon, verifier, n=e.n)

    # ------------------------------------------------------------ real samples

    def worth(self, best: Choice) -> tuple[float, float]:
        """Return how many synthetic samples of the best mix replace one more real one, on average and at the margin (`Advice.worth`)."""
        if not best.m:
            return float("nan"), float("nan")
        family = self.evidence.family
        there = family.at(best.m, best.omega, best.gamma)
        margin = there.d_n / there.d_m if min(there.d_n, there.d_m) > 0 else float("nan")
        more = self._real_samples_for(best_mix(family, best.m, m=best.m).accuracy)
        return _rate(best.m / more if more else float("nan")), _rate(margin)

    def _real_samples_for(self, accuracy: float) -> float:
        """How many more real samples reach this accuracy in theory; 0: none are needed, nan: more than MOST_REAL n or not solved."""
        from scipy.optimize import brentq

        e = self.evidence
        if accuracy <= e.optimum_without.accuracy + 1e-9:
            return 0.0

        def lead(log_times: float) -> float:
            family = e.population.family(Generator(), 0.0, Verifier(), n=e.n * float(np.exp(log_times)))
            return best_mix(family, 0, near=e.optimum_without).accuracy - accuracy

        top = float(np.log(MOST_REAL))
        try:
            if lead(top) < 0:
                return float("nan")
            return e.n * (np.exp(brentq(lead, 0.0, top, xtol=1e-3)) - 1)
        except NotConverged:
            return float("nan")


def _rate(found: float) -> float:
    """An exchange rate that is of use; nan for any other."""
    return float(found) if found < MOST_SYNTHETIC else float("nan")


def _crossing(x: np.ndarray, values: np.ndarray) -> float:
    """The x at which values (interpolated) first fall below 0: the last x where they never do, nan where they start below."""
    below = np.flatnonzero(values < 0)
    if not below.size:
        return float(x[-1])
    i = below[0]
    if i == 0:
        return float("nan")
    return float(x[i - 1] + (x[i] - x[i - 1]) * values[i - 1] / (values[i - 1] - values[i]))


def _largest(gain: Callable[[float], float]) -> float:
    """The largest argument in [0, 1] at which a falling gain is not negative; nan where there is none."""
    from scipy.optimize import brentq

    ends = gain(0.0), gain(1.0)
    if np.isnan(ends).any() or ends[0] < 0:
        return float("nan")
    return 1.0 if ends[1] >= 0 else float(brentq(gain, 0.0, 1.0, xtol=1e-3))
