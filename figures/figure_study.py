"""The published study's other plots: decision functions, moments over the ridge, accuracy over everything else.

Histograms of margins against their Gaussian, in three settings of the theory (isotropic: both covariances are the identity; general: real
and synthetic samples have unlike covariances and means; toy: the generator's covariance is estimated from n_hat samples) with noise of +-1
in every entry, and on reviews. Mean, variance and risk over the ridge. Accuracy over n_hat, over label noise under two verifiers, and over
the proportion of synthetic data for several n and, at a fixed N, several p. How far apart two digits of MNIST seem, over the number of
samples that their means are estimated from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..drawing.panels import Histogram, Line, Mark, Panel, Points
from ..estimators.statistics import mean_products
from ..experiments.amazon import AmazonSettings, child_seeds, held_out_margins, load, training_statistics
from ..experiments.decision_functions import distance_to_gaussian, drawn_margins
from ..experiments.real_data import RealData
from ..sims.monte_carlo import Estimate, Simulation
from ..solvers.critical import critical_noise
from ..solvers.predict import PredictionGrid, predict_grid
from ..solvers.problem import NO_SUPERVISION, Generator, Ridge, Setting, Verifier, synthetic_only
from ..solvers.spectra import even_mean
from .kit.claims import SIGMAS, Budget, Claim, agrees, at_least, at_most, falls_outside, pooled_by_quantity
from .kit.figure import Built, Figure
from .kit.run import Run

KS_AT_MOST = 0.01  # of simulated margins
KS_OF_REVIEWS = 0.05  # of reviews: their scores have long tails, which no Gaussian has, and splits share reviews
SMOOTH = 41  # points of a curve
SHOWN = 5.0  # standard deviations of a histogram
QUANTITIES = ("mean margin", "variance", "risk", "accuracy")


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes
    ----------
    p, n, m, n_hat, mu, epsilon, verifier, gamma
        Of the settings of histograms, of the ridge and of n_hat.
    fresh : int
        Fresh samples for each of the trials of a histogram.
    gammas, n_hats, epsilons, proportions
        Where curves are simulated.
    verifiers
        Of the transitions in label noise.
    many_n, many_p, N
        Sizes of the toy settings: n = n_hat at the largest p, and every p at a fixed N.
    digits, samples, draws
        Pair of digits; numbers of samples of each from which they are described, and how often.
    reviews, splits
        Which reviews, and how many splits of them.
    """

    p: int = 200
    n: int = 100
    m: int = 300
    n_hat: int = 200
    mu: float = 1.5
    epsilon: float = 0.3
    verifier: Verifier = Verifier(rho=0.2, phi=0.8)
    gamma: float = 0.1
    trials: int = 200
    fresh: int = 2000
    gammas: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    n_hats: tuple[int, ...] = (50, 100, 200, 400, 1000, 4000)
    verifiers: tuple[Verifier, ...] = (Verifier(0.2, 0.8), Verifier(0.2, 0.9))
    epsilons: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0)
    proportions: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9)
    many_n: tuple[int, ...] = (200, 500, 2000, 4000, 5000)
    many_p: tuple[int, ...] = (50, 200, 784)
    N: int = 5000
    toy_trials: int = 24
    digits: tuple[int, int] = (3, 8)
    samples: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000)
    draws: int = 40
    reviews: str = "books"
    splits: int = 20


FULL = Settings()
QUICK = replace(FULL, trials=80, fresh=1000, gammas=(0.01, 0.1, 1.0, 10.0), n_hats=(50, 200, 2000),
                epsilons=(0.0, 0.4, 0.8, 1.0), proportions=(0.3, 0.9), many_n=(200, 5000), many_p=(50, 200), toy_trials=16,
                samples=(10, 100, 1000), draws=20, splits=12)


@dataclass(frozen=True)
class Curve:
    """A curve of a study: settings along an axis.

    Attributes
    ----------
    label : str
    at : function
        From a value on the axis to the setting there.
    x, fine : tuples of numbers
        Where it is simulated, and where it is drawn.
    """

    label: str
    at: Callable[[float], Setting]
    x: tuple[float, ...]
    fine: np.ndarray


@dataclass(frozen=True)
class Study:
    """Curves over one axis.

    Attributes
    ----------
    name, axis : str
        In claims; under the panels.
    curves : tuple of Curve
    quantities : tuple of str
        Of QUANTITIES: a panel each.
    trials : int
    log : bool
        Whether the axis is logarithmic.
    guides : tuple of numbers
        Values of the axis that are marked, as critical label noise.
    """

    name: str
    axis: str
    curves: tuple[Curve, ...]
    quantities: tuple[str, ...]
    trials: int
    log: bool = False
    guides: tuple[float, ...] = ()


def build(s: Settings, run: Run) -> Built:
    """Draw the histograms, simulate and predict every curve, describe the digits."""
    panels: list[Panel] = []
    claims: list[Claim] = []
    for name, setting in _named_settings(s).items():
        panel, found = _histogram(s, name, setting, run.child_seed())
        panels.append(panel)
        claims += found
    for part in (_reviews, _digits):
        panel, found = part(s, run)
        panels.append(panel)
        claims += found
    for study in _studies(s):
        more, found = _studied(study, run)
        panels += more
        claims += found
    return Built(panels, claims)


FIGURE = Figure("The study's plots: decision functions, ridge, generator, label noise, sizes", columns=4, settings=FULL, quick=QUICK,
                build=build)  # fmt: skip


# --- settings and studies ---------------------------------------------------------------------------------------------

def _named_settings(s: Settings) -> dict[str, Setting]:
    """The means have equal parts along all axes, so that w^T x is a sum of many terms whatever the noise."""
    mean, across = even_mean(1.0, s.p), np.resize([1.0, -1.0], s.p) / np.sqrt(s.p)
    isotropic = Setting(s.n, s.m, s.p, s.mu * mean, s.epsilon, s.verifier, Generator(), Ridge(s.gamma))
    spread = np.linspace(0.4, 1.6, s.p)
    other = Generator(beta=0.8, mu_perp=0.5 * (across - (across @ mean) * mean), covariance=spread[::-1] ** 2)
    return {"isotropic": isotropic, "general": replace(isotropic, covariance=spread, generator=other),
            "toy": replace(isotropic, generator=Generator("independent", s.n_hat))}  # fmt: skip


def _studies(s: Settings) -> tuple[Study, ...]:
    named = _named_settings(s)
    alone = synthetic_only(s.m, s.p, s.mu, s.epsilon, s.verifier, s.gamma)
    ridges = tuple(Curve(name, partial(_with_ridge, setting), s.gammas, np.geomspace(s.gammas[0], s.gammas[-1], SMOOTH))
                   for name, setting in {"general": named["general"], "toy": named["toy"], "synthetic only": alone}.items())
    toy = Setting(s.n, s.m, s.p, s.mu, s.epsilon, s.verifier, Generator("independent", s.n_hat), Ridge(s.gamma))
    fitted = tuple(Curve(f"m = {m}", partial(_with_n_hat, replace(toy, m=m)), s.n_hats,
                         np.geomspace(s.n_hats[0], s.n_hats[-1], SMOOTH)) for m in (s.m, 10 * s.m))
    noise = tuple(Curve(rf"$(\rho,\varphi)=({one.rho:g},{one.phi:g})$", partial(_with_noise, replace(alone, verifier=one)),
                        tuple(sorted({*s.epsilons, critical_noise(one)})), np.linspace(0, 1, SMOOTH)) for one in s.verifiers)
    most = np.linspace(s.proportions[0], s.proportions[-1], SMOOTH)
    sizes = tuple(Curve(f"n = {n}", partial(_mixed, s, max(s.many_p), n, None), s.proportions, most) for n in s.many_n)
    fixed = tuple(Curve(f"p = {p}", partial(_mixed, s, p, None, s.N), s.proportions, most) for p in s.many_p)
    share = "proportion of synthetic data $m/N$"
    return (
        Study("the ridge", r"ridge $\gamma$", ridges, ("mean margin", "variance", "risk"), s.trials, True),
        Study("n_hat", r"samples behind the generator $\hat n$", fitted, ("accuracy",), s.trials, True),
        Study("label noise", r"label noise $\varepsilon$", noise, ("accuracy",), s.trials, False, tuple(map(critical_noise, s.verifiers))),
        Study(f"the proportion at p={max(s.many_p)}", share, sizes, ("accuracy",), s.toy_trials),
        Study(f"the proportion at N={s.N}", share, fixed, ("accuracy",), s.toy_trials),
    )


def _with_ridge(setting: Setting, gamma: float) -> Setting:
    return replace(setting, ridge=Ridge(gamma))


def _with_n_hat(setting: Setting, n_hat: float) -> Setting:
    return replace(setting, generator=Generator("independent", round(n_hat)))


def _with_noise(setting: Setting, epsilon: float) -> Setting:
    return replace(setting, epsilon=epsilon)


def _mixed(s: Settings, p: int, n: int | None, N: int | None, proportion: float) -> Setting:
    """A toy setting at a proportion of synthetic data, with n real samples or N in all; n_hat = n."""
    if n is None:
        n = round(N * (1 - proportion))
        m = N - n
    else:
        m = round(n * proportion / (1 - proportion))
    return Setting(n, m, p, s.mu, s.epsilon, s.verifier, Generator("independent", n), Ridge(s.gamma))


# --- curves -----------------------------------------------------------------------------------------------------------

def _studied(study: Study, run: Run) -> tuple[list[Panel], list[Claim]]:
    """A panel for each quantity; claims on every point and on average, and wrong formulas that are rejected."""
    settings = [curve.at(x) for curve in study.curves for x in curve.x]
    measured = run.simulate_many(settings, trials=study.trials)
    claims, at = [], 0
    by_curve = []
    for curve in study.curves:
        points = measured[at : at + len(curve.x)]
        at += len(curve.x)
        by_curve.append(points)
        for x, point in zip(curve.x, points, strict=True):
            claims += _agree(curve.at(x), point, f"over {study.name}, {curve.label}, {x:g}")
    claims += pooled_by_quantity(claims)
    claims += _rejected(study.name, settings, measured)
    return [_panel(study, quantity, by_curve) for quantity in study.quantities], claims


def _agree(setting: Setting, point: Simulation, at: str) -> list[Claim]:
    theory, budget = predict_grid(setting), Budget.at(setting.p)
    margin, variance = float(theory.mean_margin), float(theory.variance)
    # a margin of 0 has no relative size: the budget is relative to the margin or the spread, whichever is larger
    size = max(abs(margin), variance**0.5 / setting.p**0.5)
    return [
        agrees(f"mean margin {at}", margin, point.mean_margin, budget.relative * size),
        agrees(f"variance {at}", variance, point.variance, budget.relative * variance, se_at_most=0.05 * variance),
        agrees(f"risk {at}", float(theory.risk), point.risk, budget.relative * (variance + 2 * size)),
        agrees(f"accuracy {at}", float(theory.accuracy), point.accuracy, budget.accuracy, se_at_most=0.005),
    ]


def _rejected(name: str, settings: Sequence[Setting], measured: Sequence[Simulation]) -> list[Claim]:
    """Variances by wrong theories, each where it departs most from ours; left out where that is too little to be seen."""
    claims = []
    for wrong, formula in WRONG.items():
        found = []
        for setting, point in zip(settings, measured, strict=True):
            ours, theirs = float(predict_grid(setting).variance), formula(setting)
            budget = Budget.at(setting.p).relative * abs(theirs)
            found.append((abs(theirs - ours) / (SIGMAS * point.variance.se + budget), theirs, point.variance, budget))
        power, theirs, estimate, budget = max(found, key=lambda one: np.nan_to_num(one[0]))
        if power > 2:
            claims.append(falls_outside(f"variance over {name} by {wrong}", theirs, estimate, budget))
    return claims


def _published(setting: Setting) -> float:
    """nan where the formula has no value."""
    return float(predict_grid(setting, formula="published", gaps=True).variance)


def _of_exact_generator(setting: Setting) -> float:
    return float(predict_grid(replace(setting, generator=Generator())).variance) if setting.generator.n_hat else np.nan


WRONG: dict[str, Callable[[Setting], float]] = {"the published formula": _published, "an exact generator": _of_exact_generator}


def _panel(study: Study, quantity: str, by_curve: Sequence[Sequence[Simulation]]) -> Panel:
    field = quantity.replace(" ", "_")
    marks: list[Mark] = []
    for color, (curve, points) in enumerate(zip(study.curves, by_curve, strict=True)):
        grids: list[PredictionGrid] = [predict_grid(curve.at(x)) for x in curve.fine]
        seen = [getattr(point, field) for point in points]
        marks += [Line(curve.label, curve.fine, np.array([float(getattr(grid, field)) for grid in grids]), color),
                  Points("", np.array(curve.x), np.array([one.mean for one in seen]), np.array([one.se for one in seen]), color)]
    values = np.concatenate([mark.y for mark in marks])
    marks += [Line("" if i else r"$\varepsilon^*$", np.full(2, x), np.array([values.min(), values.max()]), 5, "guide")
              for i, x in enumerate(study.guides)]
    return Panel(f"{quantity} over {study.name}", study.axis, quantity, marks, xscale="log" if study.log else "linear",
                 key={"theory": "theory", "o": "simulated, 2 SE"})  # fmt: skip


# --- histograms and digits --------------------------------------------------------------------------------------------

def _histogram(s: Settings, name: str, setting: Setting, seed: int) -> tuple[Panel, list[Claim]]:
    margins = drawn_margins(setting, s.trials, s.fresh, seed, "rademacher")
    theory = predict_grid(setting)
    mean, variance = float(theory.mean_margin), float(theory.variance)
    theirs = predict_grid(setting, formula="published")
    wrong = distance_to_gaussian(margins, float(theirs.mean_margin), float(theirs.variance))
    return _against_gaussian(f"margins, {name}", margins, mean, variance), [
        at_most(f"distance of margins to their Gaussian, {name}", distance_to_gaussian(margins, mean, variance), KS_AT_MOST),
        at_least(f"distance of margins to the published Gaussian, {name}", wrong, KS_AT_MOST),
    ]


def _against_gaussian(title: str, margins: np.ndarray, mean: float, variance: float) -> Panel:
    ends = mean + np.array([-SHOWN, SHOWN]) * variance**0.5
    heights, edges = np.histogram(margins, bins=60, range=tuple(ends), density=True)
    x = np.linspace(*ends, 200)
    density = np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return Panel(title, "margin $y w^T x$", "density", [Histogram("fresh samples", edges, heights, 0), Line("theory", x, density, 1)])


def _reviews(s: Settings, run: Run) -> tuple[Panel, list[Claim]]:
    """Held-out reviews, with the self-fitted theory of their training samples."""
    design = AmazonSettings()
    reviews, m = load(s.reviews, run.data), design.n
    seeds = child_seeds(run.child_seed(), s.splits)
    margins = np.concatenate([held_out_margins(reviews, seed, m, NO_SUPERVISION, design) for seed in seeds])
    found = []
    for seed in seeds:
        known = training_statistics(reviews, seed, design)
        setting = Setting(design.n, m, known.eigenvalues.size, np.sqrt(np.abs(known.mean_products)), design.epsilon,
                          generator=Generator("self-fitted"), ridge=Ridge(design.gamma), covariance=known.eigenvalues,
                          mean_squares=known.mean_products)
        grid = predict_grid(setting)
        found.append((float(grid.mean_margin), float(grid.variance)))
    mean, variance = np.mean(found, axis=0)
    return _against_gaussian(f"margins, {s.reviews}", margins, mean, variance), [
        at_most(f"distance of margins to their Gaussian, {s.reviews}", distance_to_gaussian(margins, mean, variance), KS_OF_REVIEWS),
        at_least(f"distance of margins to another Gaussian, {s.reviews} without label noise",
                 distance_to_gaussian(margins, mean / (1 - design.epsilon), variance), KS_OF_REVIEWS),
    ]


def _digits(s: Settings, run: Run) -> tuple[Panel, list[Claim]]:
    """The squared distance of the class means: plugged in, and debiased.

    Of k out of K samples without replacement the mean has the variance (1/k - 1/K) tr C; what is taken off is tr C / k on average.
    """
    pool = RealData("pair", "mnist", s.digits, "halved").splits(0, 1, run.data)[0]
    rng = np.random.default_rng(run.child_seed())
    groups = [pool.X[pool.y == k] for k in range(2)]
    truth = float(np.sum((groups[0].mean(axis=0) - groups[1].mean(axis=0)) ** 2))
    traces = [group.var(axis=0, ddof=1).sum() for group in groups]
    whole = sum(trace / len(group) for trace, group in zip(traces, groups, strict=True))
    seen: dict[str, list[Estimate]] = {"plugged in": [], "debiased": []}
    for k in s.samples:
        values = np.array([_distances(rng, groups, k) for _ in range(s.draws)])
        for name, column in zip(seen, values.T, strict=True):
            seen[name].append(Estimate.of(column))
    theory = {"plugged in": lambda k: truth - whole + sum(traces) / k, "debiased": lambda k: truth - whole + 0 * k}
    x, fine = np.array(s.samples, dtype=float), np.geomspace(s.samples[0], s.samples[-1], SMOOTH)
    marks: list[Mark] = []
    for color, name in enumerate(seen):
        marks += [Line(name, fine, theory[name](fine), color),
                  Points("", x, np.array([one.mean for one in seen[name]]), np.array([one.se for one in seen[name]]), color)]
    claims = [agrees(f"distance of digits, {name}, {k} samples", theory[name](k), seen[name][i], 0.0)
              for name in seen for i, k in enumerate(s.samples)]
    claims.append(falls_outside(f"distance of digits without debiasing, {s.samples[0]} samples", truth, seen["plugged in"][0], 0.0))
    pair = " and ".join(map(str, s.digits))
    return Panel(f"MNIST: distance of {pair}", "samples of each digit", r"$|\hat\mu_1-\hat\mu_2|^2$", marks, xscale="log", yscale="log",
                 key={"theory": "expected", "o": "measured, 2 SE"}), claims


def _distances(rng: np.random.Generator, groups: Sequence[np.ndarray], k: int) -> tuple[float, float]:
    """Plugged in and debiased, from k random samples of each class."""
    X = np.concatenate([group[rng.permutation(len(group))[:k]] for group in groups])
    products = mean_products(X, np.repeat([0, 1], k))
    off = X[:k].mean(axis=0) - X[k:].mean(axis=0)
    return float(off @ off), float(products[0, 0] + products[1, 1] - 2 * products[0, 1])
