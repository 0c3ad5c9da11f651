"""What to buy: more real rows, synthetic rows, or synthetic rows whose labels a person checks; by theory, calibrated on the user's rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from ..solvers.best_mix import Family, Optimum, best_mix
from ..solvers.problem import Generator, Verifier
from ..support.errors import BadInput, NotConverged, number
from .calibration import calibrated
from .evidence import GAIN_SPREAD, Evidence
from .population import Population
from .result import Purchase

STEPS = 12  # numbers of real rows that are tried
MOST_REAL, MOST_SYNTHETIC = 20.0, 1e4  # times the real rows there are, where only a target is given
CHECKED = Verifier(0.0, 1.0)  # a person keeps the right labels and throws the wrong ones away


@dataclass(frozen=True)
class Prices:
    """Prices of a row, and what is to be spent or reached.

    Attributes
    ----------
    real
        Of one more real row with its label.
    synthetic
        Of a synthetic row, before pruning.
    check
        Of having a person check the label of a synthetic row; None: nobody can.
    spend
        Money that there is; None: as much as the target takes.
    target
        Accuracy to be reached; None: as much as the money buys.

    Raises
    ------
    BadInput
        For a price below 0, nothing to spend and nothing to reach, or both.
    """

    real: float
    synthetic: float
    check: float | None = None
    spend: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("the price of a real row", self.real), ("the price of a synthetic row", self.synthetic)):
            number(name, value, 0, open_low=True)
        if self.check is not None:
            number("the price of a check", self.check, 0)
        if (self.spend is None) == (self.target is None):
            raise BadInput("say either what there is to spend (--spend) or what accuracy to reach (--target)")
        if self.spend is not None:
            number("what there is to spend", self.spend, 0, open_low=True)
        else:
            number("the target", self.target, 0, 1)


def prices_of(
    real: float | None, synthetic: float | None, check: float | None, spend: float | None, target: float | None
) -> Prices | None:
    """Return the prices that the options of the command line say; None where they say nothing of money.

    Parameters
    ----------
    real, synthetic, check, spend, target
        As in `Prices`.

    Raises
    ------
    BadInput
        With everything that is missing, and as `Prices`.
    """
    if all(one is None for one in (real, synthetic, check, spend, target)):
        return None
    missing = [name for name, one in (("--price-real", real), ("--price-synthetic", synthetic)) if one is None]
    missing += ["--spend or --target"] if spend is None and target is None else []
    if missing:
        raise BadInput(f"to say what to buy, {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed too")
    return Prices(real, synthetic, check, spend, target)


def purchases(e: Evidence, prices: Prices) -> tuple[Purchase, ...]:
    """Return the best purchase, and then the best of another kind: real rows only, synthetic rows too, or checked ones too.

    With money to spend the best is the most accurate, with a target the cheapest that is expected to reach it; none may.

    Parameters
    ----------
    e : Evidence
    prices : Prices
    """
    shop = _Shop(e, prices)
    found = [one for one in (shop.best(kind) for kind in shop.kinds) if one is not None]
    by_worth = (lambda one: -one.accuracy) if prices.spend is not None else (lambda one: one.cost)
    return tuple(shop.with_error(one) for one in sorted(found, key=by_worth)[:2])


@dataclass(frozen=True, eq=False)
class _Shop:
    """What can be bought, and the accuracy that it buys."""

    e: Evidence
    prices: Prices

    @property
    def kinds(self) -> tuple[str, ...]:
        if self.e.self_fitted:
            return ("real rows",)
        return ("real rows", "synthetic rows", *["checked synthetic rows"] * (self.prices.check is not None))

    def best(self, kind: str) -> Purchase | None:
        """The best purchase of a kind; None where none reaches the target."""
        price = self._price(kind)
        found = []
        for more in self._numbers_of_real():
            left = None if self.prices.spend is None else self.prices.spend - more * self.prices.real
            with suppress(NotConverged):
                if left is not None:
                    m = 0.0 if kind == "real rows" else float(np.floor(left / price))
                    found.append(self._purchase(kind, more, m))
                elif (m := self._enough(kind, more)) is not None:
                    found.append(self._purchase(kind, more, m))
        if kind == "real rows" and self.prices.target is not None:
            found = [one for one in found if one.accuracy >= self.prices.target]
        if not found:
            return None
        return max(found, key=lambda one: one.accuracy) if self.prices.spend is not None else min(found, key=lambda one: one.cost)

    def with_error(self, one: Purchase) -> Purchase:
        """The purchase with the standard error of its accuracy: the baseline's, and the gain's."""
        gains = []
        for population in self.e.left_out:
            with suppress(NotConverged):
                gains.append(self._accuracy(self._family(one.kind, one.real, population), one.synthetic)[0])
        k = len(gains)
        noise = (k - 1) / k * np.sum((np.array(gains) - np.mean(gains)) ** 2) if k > 1 else 0.0
        doubt = self._accuracy(self._family(one.kind, one.real, self.e.population), one.synthetic)[1]
        gain_se = float(np.sqrt(noise + doubt**2 + GAIN_SPREAD**2 / self.e.n))
        return replace(one, gain_se=gain_se, se=float(np.hypot(gain_se, self.e.baseline.se)))

    def _numbers_of_real(self) -> Iterator[float]:
        prices = self.prices
        most = MOST_REAL * self.e.n if prices.spend is None else prices.spend / prices.real
        yield 0.0
        yield from np.unique(np.floor(np.geomspace(1, most, STEPS))) if most >= 1 else []

    def _price(self, kind: str) -> float:
        return self.prices.synthetic + (self.prices.check if kind.startswith("checked") else 0.0)

    def _purchase(self, kind: str, more: float, m: float) -> Purchase:
        accuracy, _, mix = self._accuracy(self._family(kind, more, self.e.population), m)
        cost, gain = more * self.prices.real + m * self._price(kind), accuracy - self.e.baseline.accuracy
        omega, gamma = mix.omega if m else 1.0, mix.gamma * self.e.scaling.ridge_unit
        return Purchase(kind, more, m, cost, accuracy, 0.0, gain, 0.0, omega, gamma)

    def _enough(self, kind: str, more: float) -> float | None:
        """The fewest synthetic rows that reach the target with `more` real ones; None where none do."""
        family = self._family(kind, more, self.e.population)
        if self._accuracy(family, 0.0)[0] >= self.prices.target:
            return 0.0
        if kind == "real rows":
            return None
        low, high = 1.0, MOST_SYNTHETIC * self.e.n / 100
        if self._accuracy(family, high)[0] < self.prices.target:
            return None
        while high / low > 1.02:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self._accuracy(family, middle)[0] >= self.prices.target else (middle, high)
        return float(np.ceil(high))

    def _family(self, kind: str, more: float, population: Population) -> Family:
        e = self.e
        epsilon, verifier = e.plan.noise()
        generator = e.plan.generator if e.plan.generator.kind != "self-fitted" else Generator()
        if e.file is not None and np.isfinite(e.file.n_hat):
            generator = Generator("independent", n_hat=e.file.n_hat)
        return population.family(generator, epsilon, CHECKED if kind.startswith("checked") else verifier, n=e.n + more)

    def _accuracy(self, family: Family, m: float) -> tuple[float, float, Optimum]:
        e = self.e
        mix = e.with_best_ridge(family, best_mix(family, m, m=m) if m else best_mix(family, 0))
        value, doubt = calibrated(mix.accuracy, e.expected_without, e.baseline.accuracy, len(e.classes))
        return float(value), float(doubt), mix
