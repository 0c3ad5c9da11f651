"""What a verifier has to be for synthetic data to help, and what one more real sample is worth in synthetic ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthmix.advice.evidence import Evidence, calibrated
from synthmix.advice.result import SMALLEST, BreakEven, Choice
from synthmix.solvers.best_mix import Family, Optimum, best_mix
from synthmix.solvers.problem import Generator, Verifier
from synthmix.support.errors import NotConverged

PLANE = 13  # values of epsilon and of rho in the plane of the break-even line
MOST_NOISE = 0.5
ASKED_NOISE, ASKED_PHI = 0.4, 0.9  # at which a verifier is asked for where they are not given
MOST_REAL = 100.0  # times n: where the search for an equal number of real samples ends


@dataclass(frozen=True, eq=False)
class Exchange:
    """Of the whole budget."""

    evidence: Evidence

    def _planned(self, epsilon: float, verifier: Verifier) -> Family:
        e = self.evidence
        generator = e.plan.generator
        if e.file is not None:
            generator = Generator("independent", n_hat=e.file.n_hat) if np.isfinite(e.file.n_hat) else Generator()
        return e.population.family(generator, epsilon, verifier, n=e.n)

    def _gain_of(self, epsilon: float, verifier: Verifier, omega: float | None, near: Optimum | None = None
                 ) -> tuple[float, Optimum | None]:
        """The predicted gain of the whole budget with its best ridge, and weight 1 or the best one; and that mix. nan: not to be solved."""
        e = self.evidence
        try:
            family, budget = self._planned(epsilon, verifier), float(e.plan.budget)
            found = best_mix(family, budget, m=budget, omega=omega, near=near)
            value, _ = calibrated(e.chosen(family, found).accuracy, e.theory_without, e.baseline.accuracy, len(e.classes))
        except NotConverged:
            return float("nan"), near
        return float(value) - e.baseline.accuracy, found

    @property
    def _asked_of(self) -> tuple[float, float]:
        """epsilon and phi of the question how large rho may be: the most noise that was stated, and the phi."""
        e = self.evidence
        plan = e.noisy_plan
        return ASKED_NOISE if plan.epsilon is None else plan.epsilon.high, ASKED_PHI if plan.phi is None else plan.phi.value

    @cached_property
    def needed(self) -> float:
        """The largest rho with a gain that is one; nan: none, and where the generator is self-fitted."""
        e = self.evidence
        if e.self_fitted:
            return float("nan")
        epsilon, phi = self._asked_of
        worth = max(SMALLEST, e.baseline.se / 10)
        return _largest(lambda rho: self._gain_of(epsilon, Verifier(rho, phi), None)[0] - worth)

    def asked(self) -> str:
        """The same in words, the end of a sentence."""
        needed = self.needed
        epsilon, phi = self._asked_of
        noise = f" At {100 * epsilon:.0f}% wrong labels "
        if np.isnan(needed):
            return f".{noise}no verifier is good enough."
        if needed >= 1:
            return f".{noise}none is needed."
        return f".{noise}it may keep at most {100 * needed:.0f}% of them, if it keeps {100 * phi:.0f}% of the right ones."

    def break_even(self) -> BreakEven:
        """Where the budget with all weights 1 neither helps nor hurts."""
        e = self.evidence
        plan = e.noisy_plan
        phi = self._asked_of[1]
        count = PLANE if len(e.classes) == 2 else PLANE // 2 + 1
        epsilons, rhos = np.linspace(0, MOST_NOISE, count), np.linspace(0, 1, count)
        plain, tuned = np.empty((count, count)), np.empty((count, count))
        for values, omega in ((plain, 1.0), (tuned, None)):
            first = near = None
            for i, epsilon in enumerate(epsilons):
                near = first
                for j, rho in enumerate(rhos):
                    values[i, j], near = self._gain_of(float(epsilon), Verifier(float(rho), phi), omega, near)
                    first = near if j == 0 else first
        line = np.array([_crossing(rhos, row) for row in plain])
        at = [float("nan"), float("nan")]
        if plan.epsilon is not None:
            at[0] = _largest(lambda rho: self._gain_of(plan.epsilon.value, Verifier(rho, phi), 1.0)[0])
        if plan.rho is not None:
            at[1] = _largest(lambda epsilon: self._gain_of(epsilon, Verifier(plan.rho.value, phi), 1.0)[0])
        return BreakEven(phi, epsilons, rhos, plain, tuned, line, *at)

    def worth(self, best: Choice) -> tuple[float, float]:
        """Synthetic samples that a real one is worth: all of the best mix against so many more real ones, and at the margin."""
        from scipy.optimize import brentq

        e = self.evidence
        if not best.m:
            return float("inf"), float("inf")
        family = e.family(e.population)
        there = family.at(best.m, best.omega, best.gamma)
        ratio = there.d_n / there.d_m if there.d_m > 0 else float("inf")
        accuracy = best_mix(family, best.m, m=best.m).accuracy

        def more(log_times: float) -> float:
            family = e.population.family(Generator(), 0.0, Verifier(), n=e.n * float(np.exp(log_times)))
            return best_mix(family, 0, near=e.optimum_without).accuracy - accuracy

        if accuracy <= e.optimum_without.accuracy + 1e-9:
            return float("inf"), float(ratio)
        top = float(np.log(MOST_REAL))
        try:
            if more(top) < 0:
                return float("nan"), float(ratio)
            equal = e.n * (np.exp(brentq(more, 0.0, top, xtol=1e-3)) - 1)
        except NotConverged:
            return float("nan"), float(ratio)
        return float(best.m / max(equal, 1e-9)), float(ratio)


def _crossing(x: np.ndarray, values: np.ndarray) -> float:
    """The largest x up to which values stay above 0, between two points by interpolation; nan where they start below."""
    below = np.flatnonzero(values < 0)
    if not below.size:
        return float(x[-1])
    i = below[0]
    if i == 0:
        return float("nan")
    return float(x[i - 1] + (x[i] - x[i - 1]) * values[i - 1] / (values[i - 1] - values[i]))


def _largest(gain: Callable[[float], float], most: float = 1.0) -> float:
    """The largest argument in [0, most] with a gain that is not negative, where it falls; nan where there is none."""
    from scipy.optimize import brentq

    ends = gain(0.0), gain(most)
    if np.isnan(ends).any() or ends[0] < 0:
        return float("nan")
    return most if ends[1] >= 0 else float(brentq(gain, 0.0, most, xtol=1e-3))
