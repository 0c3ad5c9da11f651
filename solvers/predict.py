"""predict: a problem in, the limits of mean margin, variance, accuracy and risk out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numba
import numpy as np
from numpy.typing import ArrayLike

from ..support.errors import BadInput, NotConverged, instance, number, one_of
from . import any_loss, kernels
from .limit import limit
from .lowering import Lowered, lower_problem, lower_setting
from .problem import RANGES, Law, Problem, Setting, in_range, kept_labels
from .solve import Solution, solve

Formula = Literal["rederived", "published"]


@dataclass(frozen=True)
class Prediction:
    """The limits for one problem and one test law.

    Attributes
    ----------
    mean_margin : float
        E[y w^T x] over training sets and fresh samples.
    variance : float
        w^T C w, that of the margin of a fresh sample given w.
    accuracy : float
        The share of fresh samples that are classified right.
    risk : float
        The mean square error of the score, E[(w^T x - y)^2].
    alpha, lam : float
        Kept fraction and signal lambda of the synthetic samples; nan for a general problem.
    fixed_point : dict
        delta of each source (delta_r, delta_s), delta_g of the fitted generator, the relative residual.
    limit : float or None
        The accuracy that no classifier trained on the same samples can exceed; None where it is not known (`solvers.limit.limit`).
    """

    mean_margin: float
    variance: float
    accuracy: float
    risk: float
    alpha: float
    lam: float
    fixed_point: Mapping[str, float]
    limit: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the values by the keys that other programs read: lam is spelled lambda."""
        values = asdict(self)
        return {"lambda" if key == "lam" else key: value for key, value in values.items()}


@dataclass(frozen=True)
class PredictionGrid:
    """Predictions over a grid.

    Attributes
    ----------
    mean_margin, variance, accuracy, risk, alpha, lam : arrays
        As in `Prediction`, each of the broadcast shape of the axes.
    delta : dict of arrays
        By the name of the source: r, s, and g for the fitted generator.
    residual : array
        Relative, of the fixed point.
    """

    mean_margin: np.ndarray
    variance: np.ndarray
    accuracy: np.ndarray
    risk: np.ndarray
    alpha: np.ndarray
    lam: np.ndarray
    delta: Mapping[str, np.ndarray]
    residual: np.ndarray


def predict(
    problem: Setting | Problem, *, formula: Formula = "rederived", loss: str = any_loss.SQUARE, huber_threshold: float | None = None
) -> Prediction:
    """Predict one setting, or one general problem with any number of sources.

    Parameters
    ----------
    problem
        What is trained on, and the law of a fresh sample.
    formula
        "published" evaluates the paper's pruning formula instead (settings and the square loss only).
    loss
        What the classifier minimises, a name in `solvers.generated.losses.NAMES`.
    huber_threshold
        Where Huber's loss becomes linear, 1 by default.

    Raises
    ------
    BadInput
        For a combination that has no formula.
    NotConverged
        If the fixed point is not solved to 1e-12 (square loss) or 1e-9 (any other).
    """
    instance("what is predicted", problem, Setting, Problem)
    if isinstance(problem, Setting):
        grid = predict_grid(problem, formula=formula, loss=loss, huber_threshold=huber_threshold)
        fixed_point = {f"delta_{name}": float(value) for name, value in grid.delta.items()}
        values = (float(x) for x in (grid.mean_margin, grid.variance, grid.accuracy, grid.risk, grid.alpha, grid.lam))
        return Prediction(*values, fixed_point={**fixed_point, "residual": float(grid.residual)}, limit=limit(problem))
    if formula != "rederived":
        raise BadInput("the published formula covers the paper's mixture only: give a Setting")
    return predict_tests(problem, [problem.test], loss=loss, huber_threshold=huber_threshold)[0]


def predict_tests(
    problem: Problem, tests: Sequence[Law], *, loss: str = any_loss.SQUARE, huber_threshold: float | None = None
) -> list[Prediction]:
    """Predict one general problem on several test laws; the fixed point is solved once.

    Parameters
    ----------
    problem : Problem
        Its own test law is not used.
    tests : sequence of laws
        Of fresh samples.
    loss, huber_threshold
        As in `predict`.

    Returns
    -------
    list of Prediction
        One for each test law.

    Raises
    ------
    BadInput, NotConverged
        As in `predict`.
    """
    chosen = any_loss.Loss.of(loss, huber_threshold)
    if loss != any_loss.SQUARE:
        any_loss.check_covered(problem)
    lowered = lower_problem(problem, tests)
    found = solve(lowered) if loss == any_loss.SQUARE else any_loss.solve(lowered, chosen)
    values = [x[0, :, 0] for x in (found.margins, found.variances, *_outcomes(found))]
    fixed_point = {f"delta_{name}": float(delta) for name, delta in zip(lowered.names, found.delta[0], strict=True)}
    fixed_point["residual"] = float(found.residual[0])
    return [Prediction(*map(float, each), float("nan"), float("nan"), fixed_point, limit(replace(problem, test=test)))
            for test, each in zip(tests, zip(*values, strict=True), strict=True)]


def predict_grid(
    setting: Setting, *, formula: Formula = "rederived", loss: str = any_loss.SQUARE, huber_threshold: float | None = None,
    threads: int | None = None, gaps: bool = False, **axes: ArrayLike,
) -> PredictionGrid:  # fmt: skip
    """Predict a setting over any of its parameters, compiled and in parallel.

    Parameters
    ----------
    setting
        What is not named among the axes keeps its value.
    formula, loss, huber_threshold
        As in `predict`.
    threads
        How many threads; all by default.
    gaps
        Make a point where the published formula has no solution nan, instead of an error. Points of the re-derived theory are always
        solved or an error.
    **axes
        n, m, p, mu, epsilon, rho, phi, gamma, omega, n_hat, beta or mu_perp: arrays, broadcast against each other.

    Raises
    ------
    BadInput
        For an axis that the setting does not have, or a value outside its range.
    NotConverged
        If any point's fixed point is not solved to 1e-12 (square loss) or 1e-9 (any other), but for `gaps`.
    """
    chosen = any_loss.Loss.of(loss, huber_threshold)
    instance("what is predicted", setting, Setting)
    one_of("formula", formula, ("rederived", "published"))
    if formula == "published":
        _check_published(setting, loss)
    at, shape = _points(setting, axes)
    lowered = lower_setting(setting, at)
    alpha, lam, _ = kept_labels(at["epsilon"], at["rho"], at["phi"])
    with _threads(threads):
        if loss != any_loss.SQUARE:
            found = any_loss.solve(lowered, chosen)
        else:
            found = solve(lowered) if formula == "rederived" else solve(_published(lowered, alpha), gaps=gaps)
    if formula == "rederived" and not np.all(found.variances >= 0):
        raise NotConverged("a predicted variance is negative: the arithmetic was not precise enough for these values")
    deltas = {name: found.delta[:, k].reshape(shape) for k, name in enumerate(lowered.names)}
    if setting.generator.kind == "independent":
        deltas["g"] = found.fit[:, -1].reshape(shape)
    results = (*(x[:, 0, 0] for x in (found.margins, found.variances, *_outcomes(found))), alpha, lam)
    return PredictionGrid(*(np.ascontiguousarray(one).reshape(shape) for one in results), delta=deltas,
                          residual=found.residual.reshape(shape))  # fmt: skip


def _points(setting: Setting, axes: Mapping[str, ArrayLike]) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """The numbers of the setting at every point of a grid, arrays (P,), and the shape of the grid."""
    values = _axes(setting, axes)
    try:
        shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
    except ValueError:
        raise BadInput("the axes of a grid must broadcast against each other: " + ", ".join(
            f"{name} {np.shape(v)}" for name, v in values.items() if np.ndim(v))) from None
    at = {name: np.broadcast_to(v, shape).ravel() for name, v in values.items()}
    if np.any((at["p"] < 2) & (at["mu_perp"] != 0)) and np.ndim(setting.mu) == 0:
        raise BadInput("mu-perp needs a second dimension: p must be at least 2")
    if np.any(at["n"] + at["m"] == 0):
        raise BadInput("n and m are both 0: there is nothing to train on")
    if setting.generator.kind == "self-fitted" and np.any(at["n"] == 0):
        raise BadInput("the self-fitted generator needs real samples to be fitted on: n must be above 0")
    return at, shape


def _check_published(setting: Setting, loss: str) -> None:
    if loss != any_loss.SQUARE:
        raise BadInput(f"the published formula is that of the square loss: use --formula rederived for the {loss} loss")
    if setting.generator.kind == "self-fitted":
        raise BadInput("the paper has no formula for a self-fitted generator: use --formula rederived")


def _published(lowered: Lowered, alpha: np.ndarray) -> Lowered:
    """Lower the same problems for the published formula, which has the kept fraction alpha (P,) where it does not belong."""
    from . import published

    kept = np.ones(lowered.grid.sources.shape[:2])
    kept[:, -1] = alpha
    return replace(lowered, grid=published.PublishedGrid(*lowered.grid, kept))


def _outcomes(found: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy and risk, (P, T, A)."""
    accuracy, risk = np.empty_like(found.margins), np.empty_like(found.margins)
    kernels.outcomes(found.margins, found.variances, accuracy, risk)
    return accuracy, risk


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


def _axes(setting: Setting, axes: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """The numbers of the setting with those of the axes in their place, checked."""
    isotropic, kind = np.ndim(setting.mu) == 0, setting.generator.kind
    fixed = set() if isotropic else {"p", "mu", "mu_perp"}
    if kind != "independent":
        fixed |= {"n_hat"}
    if kind == "self-fitted":
        fixed |= {"beta", "mu_perp"}
    for name in axes:
        if name not in RANGES:
            raise BadInput(f"{name} is no parameter of a setting; use one of {', '.join(RANGES)}")
        if name in fixed:
            raise BadInput(f"{name} cannot vary here: this setting's means, covariances or generator fix it")
    own = {name: np.asarray(value, dtype=float) for name, value in setting.numbers.items()}
    return own | {name: in_range(name, value) for name, value in axes.items()}
