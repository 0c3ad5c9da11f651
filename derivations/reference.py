r"""The margins of left-out samples, without a potential and without a derivative: a second way to the same numbers, at 50 digits.

A sample with the label $\tilde y$, the left-out margin $h$ and the leverage $\delta$ pulls at the classifier with the force $f =
c(\tilde y - h)/(1 + c\delta)$. So the classifier is a response to forces. Their means make $\bar w = \bar Q\sum_kT_k\bar y_k\mu_k$,
and what they vary by is noise, independent from sample to sample, which the bulk resolvent answers:

$$m_k = \mu_k^\top\bar w,\qquad v_k = \bar w^\top C_k\bar w + \sum_l\hat q_l\,\frac1N\operatorname{tr}(C_kBC_lB),$$

$$\hat q_k = \theta_kE[f^2] = \theta_k\left(\frac{c_k}{1 + c_k\delta_k}\right)^2\left[\tilde v_k + (\bar y_k - m_k)^2 + v_k\right].$$

Mean and variance of a fresh sample are these with $\mu_\mathrm{test}$ and $C_\mathrm{test}$. Given $\delta$ the variances are a
linear system. Of a fitted generator the base is such a source, of weight $r\kappa$, and the noise of the generated samples varies
its labels by $\hat q/(r\kappa^2)$. What a left-out generated sample sees are the margins of the base as trained, $(h + r\kappa
q\,\hat y)/(1 + r\kappa q)$.

Here everything is a matrix: the resolvent is inverted with the means inside, the unknowns are found by mpmath's own root finder,
the linear system is solved. The check compares with the two derivatives of $\Psi$, and the compiled solvers are tested against it.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace

import mpmath as mp
import sympy as sp

from .derivatives import mean_margin, variance
from .model import N, gamma, source
from .potential import Block, Statement, Values
from .theorem import CheckResult, Equation, Theorem, check

DIGITS = 50


@dataclass(frozen=True)
class Point:
    """Numbers for K sources in p dimensions.

    Attributes
    ----------
    N, gamma
        N and the regulariser.
    sources
        (theta, c, e, r, b, mean_fitted) of each source; the samples of its fit have right labels.
    covariances, means
        (K, p, p) and (K, p).
    test_covariance, test_mean
        (p, p) and (p,).
    """

    N: float
    gamma: float
    sources: tuple[tuple[float, float, float, float, float, bool], ...]
    covariances: tuple[tuple[tuple[float, ...], ...], ...]
    test_covariance: tuple[tuple[float, ...], ...]
    means: tuple[tuple[float, ...], ...]
    test_mean: tuple[float, ...]


@dataclass(frozen=True)
class Carrier:
    """The samples that carry a source in the resolvent: its own, or those that it was fitted on.

    Attributes
    ----------
    theta, c
        Their number over N and their weight.
    label
        Their mean label, None where they are centred and carry no mean.
    mean_weight
        Weight of the mean of the source.
    handed_down
        The variance of their labels per unit of the noise of generated samples; 0 for a source that is not fitted.
    """

    theta: mp.mpf
    c: mp.mpf
    label: mp.mpf | None
    mean_weight: mp.mpf
    handed_down: mp.mpf


def carrier(point: Point, k: int, q: mp.mpf, delta: mp.mpf) -> Carrier:
    """Return the carrier of source k where its trace is q and its leverage delta."""
    theta, c, e, r, b = map(mp.mpf, point.sources[k][:5])
    own = theta * c / (1 + c * delta)
    if r == 0:
        return Carrier(theta, c, 1 - 2 * e, own, mp.mpf(0))
    both = b + own
    handed_down = 1 / (r * both**2) if both else mp.mpf(0)
    if not point.sources[k][5]:
        return Carrier(1 / r, r * both, None, both, handed_down)
    return Carrier(1 / r, r * both, (b + own * (1 - 2 * e)) / both if both else mp.mpf(0), both / (1 + r * both * q), handed_down)


@dataclass(frozen=True)
class ClassifierLaw:
    """The law of w over training sets: its mean (p,), the bulk resolvent B (p, p), and the noise qhat of each of K carriers."""

    mean: mp.matrix
    resolvent: mp.matrix
    noises: list[mp.mpf]

    def fluctuation(self, point: Point) -> mp.matrix:
        """Return the covariance of w, (p, p).

        Parameters
        ----------
        point
            Whose law it is.
        """
        B, found = self.resolvent, mp.zeros(self.resolvent.rows)
        for noise, covariance in zip(self.noises, point.covariances, strict=True):
            found += B * mp.matrix(covariance) * B * (noise / mp.mpf(point.N))
        return found


def classifier_law(point: Point, q: list[mp.mpf], delta: list[mp.mpf]) -> ClassifierLaw:
    """Return the law of the classifier at the solved fixed point: traces q and leverages delta of the K sources."""
    K = len(point.sources)
    carriers = [carrier(point, k, q[k], delta[k]) for k in range(K)]
    C, B, w = [mp.matrix(each) for each in point.covariances], mp.inverse(_bulk(point, carriers, q)), _mean_classifier(point, carriers, q)
    along = [(w.T * each * w)[0] for each in C]
    echo = [[_trace(C[k] * B * C[l] * B) / mp.mpf(point.N) for l in range(K)] for k in range(K)]
    m = [(mp.matrix(mean).T * w)[0] for mean in point.means]
    return ClassifierLaw(w, B, _noises(point, carriers, q, delta, m, along, echo))


def evaluate(point: Point) -> dict[str, mp.mpf]:
    """Return the mean margin, the variance and the leverage delta of every source."""
    with mp.workdps(DIGITS):
        solved = fixed_point(point)
        delta = solved[1::2]
        law, test = classifier_law(point, solved[0::2], delta), mp.matrix(point.test_covariance)
        spread = (law.mean.T * test * law.mean)[0] + _trace(test * law.fluctuation(point))
        margin = (mp.matrix(point.test_mean).T * law.mean)[0]
        return {"mean_margin": margin, "variance": spread, **{f"delta_{k}": +each for k, each in enumerate(delta)}}


def _trace(matrix: mp.matrix) -> mp.mpf:
    return sum(matrix[i, i] for i in range(matrix.rows))


def _bulk(point: Point, carriers: list[Carrier], q: list[mp.mpf]) -> mp.matrix:
    inverse = mp.eye(len(point.test_mean)) * mp.mpf(point.gamma)
    for each, trace, covariance in zip(carriers, q, point.covariances, strict=True):
        inverse += mp.matrix(covariance) * (each.theta * each.c / (1 + each.c * trace))
    return inverse


def _mean_classifier(point: Point, carriers: list[Carrier], q: list[mp.mpf]) -> mp.matrix:
    """The mean of w, with the means inside the resolvent."""
    inverse, moment = _bulk(point, carriers, q), mp.matrix(len(point.test_mean), 1)
    for k, each in enumerate(carriers):
        mean = mp.matrix(point.means[k])
        label = 1 - 2 * mp.mpf(point.sources[k][2]) if each.label is None else each.label
        inverse += mean * mean.T * each.mean_weight
        moment += mean * (each.mean_weight * label)
    return mp.lu_solve(inverse, moment)


def _noises(point: Point, carriers: list[Carrier], q: list[mp.mpf], delta: list[mp.mpf], m: list[mp.mpf], along: list[mp.mpf],
            echo: list[list[mp.mpf]]) -> list[mp.mpf]:
    """The noise qhat of every carrier, from the linear system for variances v, noises qhat and noises of generated samples."""
    K = len(carriers)
    left, right = mp.eye(3 * K), mp.matrix(3 * K, 1)
    for k, each in enumerate(carriers):
        theta, c, e = map(mp.mpf, point.sources[k][:3])
        v, noise, generated = k, K + k, 2 * K + k
        for l in range(K):
            left[v, K + l] -= echo[k][l]
        right[v] = along[k]
        square = each.theta * (each.c / (1 + each.c * q[k])) ** 2
        direct = each.handed_down == 0
        left[noise, v] -= square
        left[noise, generated] -= square * each.handed_down
        right[noise] = square * ((0 if each.label is None else (each.label - m[k]) ** 2) + (4 * e * (1 - e) if direct else 0))
        if direct:
            continue
        pull, own = each.c * q[k], theta * (c / (1 + c * delta[k])) ** 2
        trained = m[k] if each.label is None else (m[k] + pull * each.label) / (1 + pull)
        left[generated, v] -= own / (1 + pull) ** 2
        left[generated, generated] -= own * each.handed_down * (pull / (1 + pull)) ** 2
        right[generated] = own * (4 * e * (1 - e) + (1 - 2 * e - trained) ** 2)
    return list(mp.lu_solve(left, right))[K : 2 * K]


def fixed_point(point: Point) -> list[mp.mpf]:
    """Return q and delta of every source in turn: q_0, delta_0, q_1, delta_1, ..."""
    size = 2 * len(point.sources)

    def residuals(*x: mp.mpf) -> list[mp.mpf]:
        q, delta = x[0::2], x[1::2]
        carriers = [carrier(point, k, q[k], delta[k]) for k in range(len(point.sources))]
        B = mp.inverse(_bulk(point, carriers, q))
        found = []
        for k, each in enumerate(carriers):
            product = mp.matrix(point.covariances[k]) * B
            share = 1 if each.handed_down == 0 else 1 + each.c * q[k]
            found += [q[k] - sum(product[i, i] for i in range(B.rows)) / mp.mpf(point.N), delta[k] - q[k] / share]
        return found

    with mp.workdps(DIGITS):
        start = [mp.mpf(0)] * size
        with mp.workdps(20):
            for _ in range(300):  # the map is monotone: plain iteration from 0 converges
                start = [a - b for a, b in zip(start, residuals(*start), strict=True)]
        root = mp.findroot(residuals, start, solver="mdnewton", tol=mp.mpf(10) ** (-2 * DIGITS + 10), maxsteps=60)
        return [root[i] for i in range(size)]


def random_point(draw: random.Random, *, commuting: bool = False, p: int = 3) -> Point:
    """Return a point with two sources, one direct and one of a fitted generator, independent or fitted on samples that train.

    Parameters
    ----------
    draw
        The random numbers.
    commuting
        Whether all covariances are diagonal.
    p
        The dimension.
    """
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


def symbolic(point: Point) -> tuple[Statement, Values]:
    """Return the statement of a point with two sources and diagonal covariances, and its numbers, those of the unknowns included."""
    symbols = (source(1), source(2, fitted=True, mean_fitted=point.sources[1][5]))
    vectors = [*point.means, point.test_mean]
    blocks = []
    for j in range(len(point.test_mean)):
        entries = sp.Matrix([sp.Rational(vector[j]) for vector in vectors])
        blocks.append(Block(1 / N, tuple(sp.Rational(C[j][j]) for C in point.covariances), sp.Rational(point.test_covariance[j][j]),
                            entries * entries.T))
    solved = fixed_point(point)
    at: dict[sp.Symbol, sp.Expr] = {N: sp.Rational(point.N), gamma: sp.Rational(point.gamma)}
    for k, s in enumerate(symbols):
        names = (s.theta, s.c, sp.Symbol(f"e_{k + 1}", nonnegative=True), s.r, s.b)
        at |= {name: sp.Rational(value) for name, value in zip(names, point.sources[k][:5], strict=True) if name != 0}
        at |= {s.q: sp.Float(solved[2 * k], DIGITS), s.delta: sp.Float(solved[2 * k + 1], DIGITS)}
    return Statement(symbols, tuple(blocks)), at


@check("derivatives and left-out margins", r"mean margin and variance as derivatives of $\Psi$ (commuting covariances, $p = 3$, one "
       r"source direct, one fitted) with those from left-out margins with matrices, at 4 random points, 50 digits")
def fifty_digits() -> CheckResult:
    draw, worst = random.Random(1), mp.mpf(0)
    for _ in range(4):
        point = random_point(draw, commuting=True)
        statement, at = symbolic(point)
        expected = evaluate(point)
        for name, derive in (("mean_margin", mean_margin), ("variance", variance)):
            with mp.workdps(DIGITS):
                worst = max(worst, abs(mp.mpf(sp.Float(derive(statement, at), DIGITS)) / expected[name] - 1))
    return CheckResult(worst < mp.mpf(10) ** -40, f"largest relative difference {mp.nstr(worst, 3)}")


def golden() -> dict[str, object]:
    """Return points and their values to 30 digits, as JSON, which the compiled solvers are tested against.

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


def theorem() -> Theorem:
    """Return the chapter on left-out margins."""
    label, h, c, delta, f = sp.symbols("ytilde h c_k delta_k f")
    pull = sp.Symbol("r_k") * sp.Symbol("kappa_k") * sp.Symbol("q_k")
    return Theorem(
        "reference",
        "Left-out margins",
        __doc__.split("\n\n", 1)[1],
        (
            Equation("the force of a sample", sp.Eq(f, c * (label - h) / (1 + c * delta))),
            Equation("the margin of a sample of the base, as trained",
                     sp.Eq(sp.Symbol("u"), (h + pull * sp.Symbol("yhat_k")) / (1 + pull))),
        ),
        after="theory",
    )
