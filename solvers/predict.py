"""predict: a problem in, the limits of mean margin, variance, accuracy and risk out.

The backend follows from the shape of the covariances: multiples of the identity need one scalar, covariances that commute their
eigenvalues, anything else p x p matrices. One different matrix beside multiples of the identity commutes with them, so it is
diagonalised and costs its eigenvalues too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

import numba
import numpy as np
from numpy.typing import ArrayLike

from synthmix.solvers import any_loss, kernels
from synthmix.solvers.problem import RANGES, Covariance, Law, Problem, Setting, Source, in_range
from synthmix.solvers.sample_covariance import SampleCovariance
from synthmix.support.errors import BadInput, NotConverged, number

Formula = Literal["rederived", "published"]


@dataclass(frozen=True)
class Prediction:
    """The limits for one problem and one test law.

    variance is w^T C w, that of the margin of a fresh sample given w. alpha and lam are those of the synthetic samples (nan for a
    general problem). fixed_point: delta of each source (delta_r, delta_s), delta_g of the fitted generator, the relative residual.
    """

    mean_margin: float
    variance: float
    accuracy: float
    risk: float
    alpha: float
    lam: float
    fixed_point: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """The keys that other programs read: lam is spelled lambda."""
        values = asdict(self)
        return {"lambda" if key == "lam" else key: value for key, value in values.items()}


@dataclass(frozen=True)
class Grid:
    """Predictions over a grid; every array has the broadcast shape of the axes. delta: name of the source -> array."""

    mean_margin: np.ndarray
    variance: np.ndarray
    accuracy: np.ndarray
    risk: np.ndarray
    alpha: np.ndarray
    lam: np.ndarray
    delta: dict[str, np.ndarray]
    residual: np.ndarray


@dataclass(frozen=True)
class _Spectrum:
    """What does not change from point to point: eigenvalues (K, L) or matrices, those of the tests, mean directions."""

    covariances: list[Covariance]
    tests: list[Covariance]
    means: np.ndarray | None = None  # (D, D, L), products of the directions within each eigenvalue
    directions: np.ndarray | None = None  # (D, p), for dense matrices
    # for dense matrices, of each direction that is an estimate: the covariance of its error; with sample covariances (covariance, samples)
    errors: tuple = ()


def predict(
    problem: Setting | Problem, *, formula: Formula = "rederived", loss: str = any_loss.SQUARE, huber_threshold: float | None = None
) -> Prediction:
    """Predict one setting, or one general problem with any number of sources.

    formula: "published" evaluates the paper's pruning formula instead (settings only). loss: what the classifier minimises, a name in
    `solvers.generated.losses.NAMES`; huber_threshold: where Huber's loss becomes linear (1 by default).

    Raises:
        BadInput: for a combination that has no formula.
        NotConverged: if the fixed point was not solved to 1e-12 (square loss) or 1e-9 (any other).
    """
    if isinstance(problem, Setting):
        grid = predict_grid(problem, formula=formula, loss=loss, huber_threshold=huber_threshold)
        fixed_point = {f"delta_{name}": float(value) for name, value in grid.delta.items()}
        values = (float(x) for x in (grid.mean_margin, grid.variance, grid.accuracy, grid.risk, grid.alpha, grid.lam))
        return Prediction(*values, fixed_point={**fixed_point, "residual": float(grid.residual)})
    if formula != "rederived":
        raise BadInput("the published formula covers the paper's mixture only: give a Setting")
    return predict_tests(problem, [problem.test], loss=loss, huber_threshold=huber_threshold)[0]


def predict_tests(
    problem: Problem, tests: Sequence[Law], *, loss: str = any_loss.SQUARE, huber_threshold: float | None = None
) -> list[Prediction]:
    """One general problem scored on several test laws; the fixed point is solved once."""
    chosen = any_loss.Loss.of(loss, huber_threshold)
    if loss != any_loss.SQUARE:
        return _predict_loss(problem, tests, chosen)
    labels = np.array([[wrong_labels(source.wrong) for source in problem.sources]])
    margins, variances, _, fixed_point = solve_problem(problem, labels, tests)
    accuracy, risk = np.empty_like(margins), np.empty_like(margins)
    kernels.outcomes(margins, variances, accuracy, risk)
    return [Prediction(*(float(x[i, 0]) for x in (margins, variances, accuracy, risk)), float("nan"), float("nan"), fixed_point)
            for i in range(len(tests))]


def _predict_loss(problem: Problem, tests: Sequence[Law], loss: any_loss.Loss) -> list[Prediction]:
    any_loss.check_covered(problem)
    spectrum, mixing = _problem_spectrum(problem, tests)
    wrong = np.array([[source.wrong for source in problem.sources]], dtype=float)
    found = any_loss.solve(loss, problem_columns(problem)[None], wrong, np.array([problem.ridge.gamma]), np.array([problem.N]),
                           np.array([float(problem.p)]), spectrum, mixing[None])
    accuracy, risk = np.empty_like(found.margins), np.empty_like(found.margins)
    kernels.outcomes(found.margins, found.variances, accuracy, risk)
    fixed_point = {f"delta_{source.name}": float(delta) for source, delta in zip(problem.sources, found.delta[0], strict=True)}
    fixed_point["residual"] = float(found.residual[0])
    values = zip(found.margins[0], found.variances[0], accuracy[0], risk[0], strict=True)
    return [Prediction(*map(float, each), float("nan"), float("nan"), fixed_point) for each in values]


def _problem_spectrum(problem: Problem, tests: Sequence[Law]) -> tuple[_Spectrum, np.ndarray]:
    """The spectrum of a general problem and its test laws, and their means in its directions, (K + T, D)."""
    laws = [*(source.law for source in problem.sources), *tests]
    directions, mixing, errors = distinct_means(laws, problem.center)
    spectrum, basis = _spectrum([law.covariance for law in laws[: len(problem.sources)]], [law.covariance for law in tests],
                                directions, np.eye(len(directions)), problem.p, errors=errors)
    return spectrum, mixing @ basis


def wrong_labels(wrong: ArrayLike) -> np.ndarray:
    """Columns of a source's labels +-1 of which a share is wrong; those of the samples it was fitted on are right. (..., 4)"""
    e = np.asarray(wrong, dtype=float)
    return np.stack([1 - 2 * e, 4 * e * (1 - e), np.ones_like(e), np.zeros_like(e)], axis=-1)


def solve_problem(
    problem: Problem, labels: np.ndarray, tests: Sequence[Law]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Mean margins and variances (T, A), and q (K,), of a general problem on T test laws under A labellings of the same samples.

    labels (A, K, 4): mean and variance of the labels of each source, then of the samples it was fitted on. The fixed point does
    not depend on labels, so it is solved once. Also returns delta of every source and the relative residual.
    """
    sources = problem_columns(problem)[None]
    spectrum, mixing = _problem_spectrum(problem, tests)
    margins, variances, delta, q, relative = _solve(sources, labels[None], np.array([problem.ridge.gamma]), np.array([problem.N]),
                                                    np.array([float(problem.p)]), spectrum, mixing[None], problem.intercept)
    fixed_point = {f"delta_{source.name}": float(delta[0, k]) for k, source in enumerate(problem.sources)}
    return margins[0], variances[0], q[0], {**fixed_point, "residual": float(relative[0])}


def predict_grid(
    setting: Setting, *, formula: Formula = "rederived", loss: str = any_loss.SQUARE, huber_threshold: float | None = None,
    threads: int | None = None, **axes: ArrayLike,
) -> Grid:  # fmt: skip
    """Predict a setting over any of its parameters, compiled and in parallel.

    axes: name -> array (n, m, p, mu, epsilon, rho, phi, gamma, omega, n_hat, beta, mu_perp), broadcast against each other;
    what is not named keeps the setting's value. loss, huber_threshold: as in `predict`. threads: how many threads (all by default).

    Raises:
        BadInput: for an axis that the setting does not have, or a value outside its range.
        NotConverged: if any point's fixed point was not solved to 1e-12 (square loss) or 1e-9 (any other).
    """
    chosen = any_loss.Loss.of(loss, huber_threshold)
    if loss != any_loss.SQUARE and formula != "rederived":
        raise BadInput(f"the published formula is that of the square loss: use --formula rederived for the {loss} loss")
    values = _axes(setting, axes)
    try:
        shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
    except ValueError:
        raise BadInput("the axes of a grid must broadcast against each other: " + ", ".join(
            f"{name} {np.shape(v)}" for name, v in values.items() if np.ndim(v))) from None
    flat = {name: np.broadcast_to(v, shape).ravel() for name, v in values.items()}
    if np.any((flat["p"] < 2) & (flat["mu_perp"] != 0)) and np.ndim(setting.mu) == 0:
        raise BadInput("mu-perp needs a second dimension: p must be at least 2")
    if np.any(flat["n"] + flat["m"] == 0):
        raise BadInput("n and m are both 0: there is nothing to train on")
    sources, labels, alpha, lam = _mixture_columns(setting, flat, formula)
    names = ("s",) if setting.generator.kind == "self-fitted" else ("r", "s")
    spectrum, mixing = _mixture_spectrum(setting, flat, len(names))
    N = flat["n"] + flat["m"]
    with _threads(threads):
        if loss == any_loss.SQUARE:
            margins, variances, delta, q, relative = _solve(sources, labels, flat["gamma"], N, flat["p"], spectrum, mixing)
            fit = _fit_trace(sources[:, -1], q[:, -1], delta[:, -1])
        else:
            wrong = np.ascontiguousarray((1 - labels[:, 0, :, kernels.LABEL]) / 2)
            found = any_loss.solve(chosen, sources, wrong, flat["gamma"], N, flat["p"], spectrum, mixing)
            margins, variances = found.margins[..., None], found.variances[..., None]
            delta, fit, relative = found.delta, found.fit[:, -1], found.residual
    accuracy, risk = np.empty_like(margins), np.empty_like(margins)
    kernels.outcomes(margins, variances, accuracy, risk)
    if formula == "rederived" and not np.all(variances >= 0):
        raise NotConverged("a predicted variance is negative: the arithmetic was not precise enough for these values")
    deltas = {name: delta[:, k].reshape(shape) for k, name in enumerate(names)}
    if setting.generator.kind == "independent":
        deltas["g"] = fit.reshape(shape)
    results = (*(x[:, 0, 0] for x in (margins, variances, accuracy, risk)), alpha, lam)
    return Grid(*(np.ascontiguousarray(r).reshape(shape) for r in results), delta=deltas, residual=relative.reshape(shape))


@contextmanager
def _threads(threads: int | None) -> Iterator[None]:
    if threads is None:
        yield
        return
    most, before = numba.config.NUMBA_NUM_THREADS, numba.get_num_threads()
    numba.set_num_threads(int(number("threads", threads, 1, most)))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _axes(setting: Setting, axes: dict[str, ArrayLike]) -> dict[str, np.ndarray]:
    generator, isotropic = setting.generator, np.ndim(setting.mu) == 0
    own = {
        "n": setting.n, "m": setting.m, "p": setting.p, "epsilon": setting.epsilon, "omega": setting.omega,
        "rho": setting.verifier.rho, "phi": setting.verifier.phi, "gamma": setting.ridge.gamma, "beta": generator.beta,
        "mu": setting.mu if isotropic else 1.0, "mu_perp": generator.mu_perp if isotropic else 1.0,
        "n_hat": generator.n_hat if generator.n_hat is not None else 1.0,
    }  # fmt: skip
    fixed = set() if isotropic else {"p", "mu", "mu_perp"}
    if generator.kind != "independent":
        fixed |= {"n_hat"}
    if generator.kind == "self-fitted":
        fixed |= {"beta", "mu_perp"}
    for name in axes:
        if name not in RANGES:
            raise BadInput(f"{name} is no parameter of a setting; use one of {', '.join(RANGES)}")
        if name in fixed:
            raise BadInput(f"{name} cannot vary here: this setting's means, covariances or generator fix it")
    values = {**own, **axes}
    return {name: in_range(name, value) if name in axes else np.asarray(value, dtype=float) for name, value in values.items()}


def _mixture_columns(setting: Setting, flat: dict[str, np.ndarray], formula: Formula) -> tuple[np.ndarray, ...]:
    """The columns of the real and the synthetic source at every point, (P, K, 6), their labels (P, 1, K, 4), alpha and lambda."""
    kind = setting.generator.kind
    if formula not in ("rederived", "published"):
        raise BadInput(f"formula must be rederived or published, not {formula!r}")
    if formula == "published" and kind == "self-fitted":
        raise BadInput("the paper has no formula for a self-fitted generator: use --formula rederived")
    n, m, epsilon = flat["n"], flat["m"], flat["epsilon"]
    N = n + m
    right, wrong = flat["phi"] * (1 - epsilon), flat["rho"] * epsilon
    alpha = right + wrong
    share = np.divide(wrong, alpha, out=np.zeros_like(alpha), where=alpha > 0)
    columns = np.zeros((n.size, 1 if kind == "self-fitted" else 2, kernels.SOURCE_COLUMNS))
    columns[..., kernels.SLIP] = 1.0
    wrongs = np.zeros(columns.shape[:2])
    wrongs[:, -1] = share
    labels = wrong_labels(wrongs)[:, None]
    synthetic = columns[:, -1]
    synthetic[:, kernels.THETA] = alpha * m / N
    synthetic[:, kernels.WEIGHT] = flat["omega"]
    if formula == "published":
        synthetic[:, kernels.SLIP] = alpha
    if kind == "self-fitted":
        if np.any(n == 0):
            raise BadInput("the self-fitted generator needs real samples to be fitted on: n must be above 0")
        synthetic[:, kernels.FIT] = N / n
        synthetic[:, kernels.BASE] = n / N
        synthetic[:, kernels.MEAN_FITTED] = 1.0
        return columns, labels, alpha, right - wrong
    columns[:, 0, kernels.THETA] = n / N
    columns[:, 0, kernels.WEIGHT] = 1.0
    if kind == "independent":
        synthetic[:, kernels.FIT] = N / flat["n_hat"]
        synthetic[:, kernels.MEAN_FITTED] = float(setting.generator.estimate_mean)
    return columns, labels, alpha, right - wrong


def _mixture_spectrum(setting: Setting, flat: dict[str, np.ndarray], K: int) -> tuple[_Spectrum, np.ndarray]:
    """The spectrum of a setting, and its means at every point in the directions mu and mu_perp, (P, K + 1, 2)."""
    generator = setting.generator
    of_synthetic = setting.covariance if generator.covariance is None else generator.covariance
    covariances = [of_synthetic] if K == 1 else [setting.covariance, of_synthetic]
    mixing = np.zeros((flat["n"].size, K + 1, 2))
    mixing[:, :, 0] = flat["mu"][:, None]
    mixing[:, K - 1, 0] *= flat["beta"]
    mixing[:, K - 1, 1] = flat["mu_perp"]
    if np.ndim(setting.mu) == 0:
        return _Spectrum(covariances, [setting.covariance]), mixing
    directions = np.zeros((2, setting.p))
    directions[0], directions[1] = setting.mu, generator.mu_perp
    tests = [setting.covariance]
    if setting.mean_squares is not None:  # products of means that are no vector's need a spectrum
        covariances, tests = ([np.full(setting.p, c) if np.ndim(c) == 0 else c for c in group] for group in (covariances, tests))
    spectrum, basis = _spectrum(covariances, tests, directions, np.eye(2), setting.p, setting.mean_squares)
    return spectrum, mixing @ basis


def problem_columns(problem: Problem) -> np.ndarray:
    """The columns of every source, (K, 6), as kernels.py names them."""

    def column(source: Source) -> tuple[float, ...]:
        fit = source.fit
        r = problem.N / fit.n_hat if fit else 0.0
        base = fit.weight * fit.n_hat / problem.N if fit else 0.0
        return (source.count / problem.N, source.weight, r, base, float(bool(fit and fit.mean)), 1.0)

    for source in problem.sources:
        if source.fit and source.fit.weight > 0 and not source.fit.mean:
            raise BadInput(f"source {source.name}: samples of its fit train, so its mean must be theirs too (Fit(mean=True))")
    return np.array([column(source) for source in problem.sources])


def distinct_means(
    laws: Sequence[Law], center: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[Covariance, float] | None]]:
    """The different means less `center` as rows (padded to one length), which of them each law has (B, D), how each was estimated.

    An estimated mean is one direction however many laws share it: its product with itself is debiased wherever it occurs.
    """
    rows = [np.atleast_1d(np.asarray(law.mean, dtype=float)) for law in laws]
    size = max(center.size, *(row.size for row in rows))
    rows = [np.pad(row, (0, size - row.size)) - np.pad(center, (0, size - center.size)) for row in rows]
    found: list[int] = []
    which = []
    for i, row in enumerate(rows):
        same = [d for d, j in enumerate(found) if np.array_equal(rows[j], row) and laws[j].mean_samples == laws[i].mean_samples]
        if not same:
            found.append(i)
        which.append(same[0] if same else len(found) - 1)
    errors = [(laws[i].covariance, laws[i].mean_samples) if laws[i].mean_samples else None for i in found]
    return np.array([rows[i] for i in found]), np.eye(len(found))[which], errors


def _spectrum(
    covariances: list[Covariance],
    tests: list[Covariance],
    directions: np.ndarray,
    mixing: np.ndarray,
    p: int,
    squares: np.ndarray | None = None,
    errors: Sequence[tuple[Covariance, float] | None] = (),
) -> tuple[_Spectrum, np.ndarray]:
    """Choose the backend's form; returns it with the mixing of the means in its directions."""
    everything = [*covariances, *tests]
    sampled = [c for c in everything if isinstance(c, SampleCovariance)]
    if sampled:
        return _sampled_spectrum(covariances, tests, directions, errors, sampled[0]), mixing
    estimated = [error for error in errors if error is not None]
    if estimated and all(np.ndim(c) == 0 for c in everything):
        covariances, tests = ([np.full(p, c) for c in group] for group in (covariances, tests))
        everything = [*covariances, *tests]
    if all(np.ndim(c) == 0 for c in everything):
        return _Spectrum(covariances, tests), mixing @ directions
    if directions.shape[1] != p:
        raise BadInput(f"with covariances that are not multiples of the identity the means need p = {p} entries")
    matrices = [c for c in everything if np.ndim(c) == 2]
    if matrices:
        if any(np.ndim(c) == 1 for c in everything):
            raise BadInput("give either matrices or eigenvalues for all covariances, not both")
        first = matrices[0]
        if all(c is first or np.array_equal(c, first) for c in matrices[1:]):
            eigenvalues, basis = np.linalg.eigh(first)
            turned = [error and (error[0] if np.ndim(error[0]) == 0 else eigenvalues, error[1]) for error in errors]
            return _spectrum([c if np.ndim(c) == 0 else eigenvalues for c in covariances],
                             [c if np.ndim(c) == 0 else eigenvalues for c in tests], directions @ basis, mixing, p, squares, turned)
        for c in {id(c): c for c in matrices}.values():
            if np.linalg.eigvalsh(c)[0] < -1e-10 * np.abs(c).max():
                raise BadInput("a covariance matrix has a negative eigenvalue")
        identity = np.eye(p)
        dense = [[c if np.ndim(c) == 2 else c * identity for c in group] for group in (covariances, tests)]
        own = tuple(error and (error[0] if np.ndim(error[0]) == 2 else error[0] * np.eye(p)) / error[1] for error in errors)
        return _Spectrum(dense[0], dense[1], directions=directions, errors=own), mixing
    means = directions[:, None, :] * directions[None, :, :]
    if squares is not None:
        means[0, 0] = squares
    for d, error in enumerate(errors):
        if error is not None:
            means[d, d] -= error[0] / error[1]
    rows = [[np.broadcast_to(np.asarray(c, dtype=float), (p,)) for c in group] for group in (covariances, tests)]
    if any(row.min() < -1e-10 * np.abs(row).max() for group in rows for row in group):
        raise BadInput("a covariance has a negative eigenvalue")
    covariances, tests = ([np.maximum(row, 0) for row in group] for group in rows)  # an eigendecomposition's -1e-17 is a 0
    return _Spectrum(covariances, tests, means=means), mixing


def _sampled_spectrum(
    covariances: list[Covariance], tests: list[Covariance], directions: np.ndarray, errors: Sequence[tuple[Covariance, float] | None],
    sampled: SampleCovariance,
) -> _Spectrum:
    """The form of a problem with covariances that are known by samples: a spectrum where all are `sampled`, else matrices."""
    if directions.shape[1] != len(sampled.matrix):
        raise BadInput(f"with a sample covariance the means need p = {len(sampled.matrix)} entries")
    if not all(c is sampled for c in (*covariances, *tests, *(error[0] for error in errors if error))):
        return _Spectrum(covariances, tests, directions=directions, errors=tuple(errors))
    same = sampled.equivalent
    means = same.products(directions)
    for d, error in enumerate(errors):
        if error is not None:
            means[d, d] -= same.eigenvalues / error[1]
    return _Spectrum([same.eigenvalues] * len(covariances), [same.eigenvalues] * len(tests), means=means)


def _solve(
    sources: np.ndarray, labels: np.ndarray, gamma: np.ndarray, N: np.ndarray, p: np.ndarray, spectrum: _Spectrum, mixing: np.ndarray,
    intercept: bool = False,
) -> tuple[np.ndarray, ...]:
    """Dispatch to the backend; margins and variances (P, T, A), delta and q (P, K), relative residual (P,)."""
    from synthmix.solvers.dense import dense_point
    from synthmix.solvers.sampled import sampled_point

    P, K, T, A = gamma.size, sources.shape[1], len(spectrum.tests), labels.shape[1]
    q, delta, relative = np.empty((P, K)), np.empty((P, K)), np.empty(P)
    margins, variances = np.empty((P, T, A)), np.empty((P, T, A))
    if spectrum.directions is not None:
        known = not any(isinstance(c, SampleCovariance) for c in (*spectrum.covariances, *spectrum.tests))
        for i in range(P):
            q[i], margins[i], variances[i], relative[i] = (dense_point if known else sampled_point)(
                sources[i], labels[i], gamma[i], N[i], spectrum.covariances, spectrum.tests, spectrum.directions, mixing[i],
                spectrum.errors, intercept)
    elif spectrum.means is not None:
        h = np.repeat((1 / N)[:, None], spectrum.means.shape[2], axis=1)
        eigenvalues, tests, means = np.array(spectrum.covariances), np.array(spectrum.tests), spectrum.means
        if P == 1:
            relative[0] = kernels.spectral_point(sources[0], labels[0], gamma[0], eigenvalues, tests, h[0], means, mixing[0], q[0],
                                                 margins[0], variances[0], intercept)
        else:
            kernels.spectral_batch(sources, labels, np.ascontiguousarray(gamma), eigenvalues, tests, h, means, mixing, q, margins,
                                   variances, relative, intercept)
    else:
        scale = np.broadcast_to(np.asarray(spectrum.covariances, dtype=float), (P, K))
        tests = np.broadcast_to(np.asarray(spectrum.tests, dtype=float), (P, T))
        if P == 1:
            relative[0] = kernels.isotropic_point(sources[0], labels[0], scale[0], tests[0], gamma[0], p[0] / N[0], q[0], margins[0],
                                                  variances[0], mixing[0], intercept)
        else:
            kernels.isotropic_batch(sources, labels, scale, tests, np.ascontiguousarray(gamma), p / N, mixing, q, margins, variances,
                                    relative, intercept)
    _converged(relative, margins, variances)
    kernels.deltas(sources, q, delta)
    return margins, variances, delta, q, relative


def _converged(relative: np.ndarray, *results: np.ndarray) -> None:
    bad = ~(relative <= kernels.TOLERANCE)
    for result in results:
        bad |= ~np.isfinite(result).all(axis=(1, 2))
    if bad.any():
        unsolved = relative[bad & ~(relative <= kernels.TOLERANCE)]
        why = f"relative residual {unsolved[0]:.1e} where {kernels.TOLERANCE:.0e} is wanted" if unsolved.size else "the margin overflows"
        raise NotConverged(f"{bad.sum()} of {bad.size} points were not solved: {why}")


def _fit_trace(synthetic: np.ndarray, q: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """delta_g = r tau q of the fitted generator."""
    tau = synthetic[:, kernels.THETA] * synthetic[:, kernels.WEIGHT] / (1 + synthetic[:, kernels.WEIGHT] * delta)
    return synthetic[:, kernels.FIT] * tau * q
