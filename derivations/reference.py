"""The statement evaluated with matrices at 50 digits by mpmath: slow, plain, and independent of every simplification.

The unknowns are found by mpmath's own root finder in the equations as potential.py states them, the resolvent is inverted as a
p x p matrix with the means inside, and the two derivatives of the potential are taken numerically (at 50 digits a difference
quotient is good to more than 20). Checks and golden values compare with this.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import mpmath as mp
import sympy as sp

from synthmix.derivations.derivatives import DIGITS, Values, mean_margin, variance
from synthmix.derivations.model import N, gamma, source
from synthmix.derivations.potential import Block, Statement
from synthmix.derivations.theorem import CheckResult, check


@dataclass(frozen=True)
class Point:
    """Numbers for K sources in p dimensions. sources: (theta, c, e, r, b, mean_fitted); means and test_mean are vectors."""

    N: float
    gamma: float
    sources: tuple[tuple[float, float, float, float, float, bool], ...]
    covariances: tuple[tuple[tuple[float, ...], ...], ...]
    test_covariance: tuple[tuple[float, ...], ...]
    means: tuple[tuple[float, ...], ...]
    test_mean: tuple[float, ...]


def evaluate(point: Point) -> dict[str, mp.mpf]:
    """Mean margin, variance and delta of every source."""
    with mp.workdps(DIGITS):
        solved = _solve(point, mp.mpf(0))
        margin = mp.diff(lambda j: _potential(point, mp.mpf(0), j, solved), 0) / 2
        spread = -mp.diff(lambda t: _potential(point, t, mp.mpf(0), _solve(point, t, solved)), 0)
        deltas = {f"delta_{k}": solved[2 * k + 1] for k in range(len(point.sources))}
        return {"mean_margin": +margin, "variance": +spread, **deltas}


def _weights(point: Point, k: int, q: mp.mpf, delta: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    theta, c, _, r, b = map(mp.mpf, point.sources[k][:5])
    own = theta * c / (1 + c * delta)
    both = b + own
    return own, both, both / (1 + r * both * q)


def _bulk(point: Point, t: mp.mpf, x: list[mp.mpf]) -> mp.matrix:
    size = len(point.test_mean)
    inverse = mp.eye(size) * point.gamma + mp.matrix(point.test_covariance) * t
    for k, covariance in enumerate(point.covariances):
        inverse += mp.matrix(covariance) * _weights(point, k, x[2 * k], x[2 * k + 1])[2]
    return inverse


def _equations(point: Point, t: mp.mpf) -> Callable[..., list[mp.mpf]]:
    def residuals(*x: mp.mpf) -> list[mp.mpf]:
        B = mp.inverse(_bulk(point, t, list(x)))
        found = []
        for k, covariance in enumerate(point.covariances):
            q, delta = x[2 * k], x[2 * k + 1]
            product = mp.matrix(covariance) * B
            found.append(q - sum(product[i, i] for i in range(B.rows)) / point.N)
            found.append(delta * (1 + point.sources[k][3] * _weights(point, k, q, delta)[1] * q) - q)
        return found

    return residuals


def _solve(point: Point, t: mp.mpf, start: list[mp.mpf] | None = None) -> list[mp.mpf]:
    if start is None:
        x = [mp.mpf(0)] * (2 * len(point.sources))
        with mp.workdps(20):
            for _ in range(300):  # the map is monotone: plain iteration from 0 converges
                left = _equations(point, t)(*x)
                x = [x[i] - left[i] if i % 2 == 0 else x[i - 1] / (1 + point.sources[i // 2][3]
                     * _weights(point, i // 2, x[i - 1], x[i])[1] * x[i - 1]) for i in range(len(x))]
        start = x
    root = mp.findroot(_equations(point, t), start, solver="mdnewton", tol=mp.mpf(10) ** (-2 * DIGITS + 10), maxsteps=60)
    return [root[i] for i in range(len(start))]


def _potential(point: Point, t: mp.mpf, j: mp.mpf, x: list[mp.mpf]) -> mp.mpf:
    inverse = _bulk(point, t, x)
    M, noise = mp.matrix(point.test_mean) * j, mp.mpf(0)
    for k, (*numbers, mean_fitted) in enumerate(point.sources):
        theta, c, e, r, b = map(mp.mpf, numbers)
        q, delta = x[2 * k], x[2 * k + 1]
        own, both, effective = _weights(point, k, q, delta)
        mean = mp.matrix(point.means[k])
        weight = effective if mean_fitted else both
        clean = (b + own * (1 - 2 * e)) / both if both else mp.mpf(0)
        inverse += mean * mean.T * weight
        M += mean * (weight * clean)
        noise += theta * c**2 * delta / (1 + c * delta)
        if mean_fitted:
            noise += r * (both * clean) ** 2 * q / (1 + r * both * q)
    return (M.T * mp.inverse(inverse) * M)[0] + noise


def random_point(draw: random.Random, *, commuting: bool = False, p: int = 3) -> Point:
    """Two sources: one direct, one of a fitted generator (independent, or self-fitted with samples that train)."""
    own = draw.random() < 0.5
    theta = draw.uniform(0.1, 0.9)
    share = draw.uniform(0.05, 1 - theta)
    n_hat = draw.uniform(0.2, 1.5)
    b = n_hat if own else 0.0
    fitted = own or draw.random() < 0.5
    sources = (
        (theta, draw.uniform(0.3, 2), draw.uniform(0, 0.4), 0.0, 0.0, False),
        (share, draw.uniform(0.3, 2), draw.uniform(0, 0.6), 1 / n_hat, b, fitted),
    )

    def covariance() -> tuple[tuple[float, ...], ...]:
        if commuting:
            return tuple(tuple(draw.uniform(0.2, 3) if i == k else 0.0 for k in range(p)) for i in range(p))
        a = [[draw.gauss(0, 1) for _ in range(p)] for _ in range(p)]
        return tuple(tuple(sum(a[i][h] * a[k][h] for h in range(p)) / p + (0.2 if i == k else 0) for k in range(p)) for i in range(p))

    def vector() -> tuple[float, ...]:
        return tuple(draw.gauss(0, 1) for _ in range(p))

    return Point(draw.uniform(2, 6), 10 ** draw.uniform(-2, 1), sources, (covariance(), covariance()), covariance(),
                 (vector(), vector()), vector())


def _products(entries: list[sp.Rational]) -> sp.Matrix:
    return sp.Matrix(entries) * sp.Matrix(entries).T


@check("50 digits", "mean margin and variance from the symbolic derivatives (commuting covariances, p = 3, one source direct, one "
       "of a fitted generator) with mpmath's dense evaluation at 4 random points")
def fifty_digits() -> CheckResult:
    draw, worst = random.Random(1), mp.mpf(0)
    for _ in range(4):
        point = random_point(draw, commuting=True)
        wrong = sp.symbols("e_1 e_2", nonnegative=True)
        symbols = (source(1), source(2, fitted=True, mean_fitted=point.sources[1][5]))
        means = (*point.means, point.test_mean)
        blocks = tuple(
            Block(1 / N, tuple(sp.Rational(c[j][j]) for c in point.covariances), sp.Rational(point.test_covariance[j][j]),
                  _products([sp.Rational(mean[j]) for mean in means]))
            for j in range(len(point.test_mean))
        )
        with mp.workdps(DIGITS):
            solved, expected = _solve(point, mp.mpf(0)), evaluate(point)
        at: Values = {N: sp.Rational(point.N), gamma: sp.Rational(point.gamma)}
        for k, one in enumerate(symbols):
            at |= {symbol: sp.Rational(value) for symbol, value in zip((one.theta, one.c, wrong[k], one.r, one.b), point.sources[k][:5],
                                                                       strict=True) if symbol != 0}
            at |= {one.q: sp.Float(solved[2 * k], DIGITS), one.delta: sp.Float(solved[2 * k + 1], DIGITS)}
        for name, derive in (("mean_margin", mean_margin), ("variance", variance)):
            derived = sp.Float(derive(Statement(symbols, blocks), at), DIGITS)
            with mp.workdps(DIGITS):
                worst = max(worst, abs(mp.mpf(derived) / expected[name] - 1))
    return CheckResult(worst < mp.mpf(10) ** -20, f"largest relative difference {mp.nstr(worst, 3)}")


def golden() -> dict[str, object]:
    """Points and their values to 30 digits, as JSON: what the compiled solvers are tested against.

    Ordinary points, commuting and not, then the same with each of gamma, the weights and the means pushed far out.
    """
    draw = random.Random(7)
    points = [random_point(draw, commuting=i % 2 == 0) for i in range(10)]
    for stretch in ("gamma small", "gamma large", "weights", "means"):
        base = random_point(draw)
        scale = {"gamma small": 1e-8, "gamma large": 1e8}.get(stretch, base.gamma)
        sources = tuple((s[0], s[1] * (1e-4, 1e4)[k] if stretch == "weights" else s[1], *s[2:]) for k, s in enumerate(base.sources))
        far = 60.0 if stretch == "means" else 1.0
        points.append(replace(base, gamma=scale, sources=sources, means=tuple(tuple(far * x for x in v) for v in base.means),
                              test_mean=tuple(far * x for x in base.test_mean)))
    return {"made": "by mpmath at 50 digits (derivations/reference.py), with python cli.py derive",
            "points": [{**asdict(point), "values": {name: mp.nstr(value, 30) for name, value in evaluate(point).items()}}
                       for point in points]}
