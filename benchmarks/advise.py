"""How long does the decision take, which omega, gamma and m are best, at p = 1000 with 1000 different eigenvalues?

Run from the project root: python -m benchmarks.advise

The other side is a grid search with the same compiled solver: 25 weights by 25 ridges by 5 numbers of samples, which is what one does
without a gradient. The accuracies found are compared too: the ascent may not be worse than the grid by more than 1e-4. The
eigenvalues have to be found once; that is a row of its own. A whole advice on a file is compared with cross-validation of the
same weights and ridges. One core for all.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.linear_model import RidgeClassifier

from benchmarks.measure import duration, interleaved, one_core, seconds, show
from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table
from synthmix.estimators.candidates import ALPHAS, SHARES
from synthmix.solvers.best_mix import Family, best_mix
from synthmix.solvers.predict import predict_grid
from synthmix.solvers.problem import Generator, Setting, Verifier

P, BUDGET = 1000, 20_000.0
WEIGHTS, RIDGES, SIZES = np.geomspace(1e-3, 1e2, 25), np.geomspace(1e-3, 1e2, 25), np.array([200.0, 1000, 4000, 10_000, BUDGET])
WORSE, FOLDS = 1e-4, 5
CASES = {
    "n_hat = 700": Generator("independent", n_hat=700, estimate_mean=True),
    "exact": Generator(),
    "self-fitted": Generator("self-fitted"),
}


def setting(generator: Generator, covariance: np.ndarray, mu: np.ndarray) -> Setting:
    """500 real samples of a population with these eigenvalues or this matrix."""
    return Setting(500, BUDGET, P, mu, 0.3, Verifier(rho=0.2, phi=0.8), generator, covariance=covariance)


def population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, a matrix that has them, and the class mean."""
    rng = np.random.default_rng(0)
    eigenvalues, mu = np.sort(rng.gamma(1.0, 1.0, P) + 0.05), rng.standard_normal(P)
    basis = np.linalg.qr(rng.standard_normal((P, P)))[0]
    return eigenvalues, (basis * eigenvalues) @ basis.T, 1.5 * mu / np.linalg.norm(mu)


def main() -> None:
    """Measure, compare, print."""
    one_core()
    eigenvalues, matrix, mu = population()
    rows = []
    for name, generator in CASES.items():
        own = setting(generator, eigenvalues, mu)
        family = Family.of_setting(own)
        gamma = RIDGES[:, None] * family.size * own.n / (own.n + SIZES)

        def ascent(own: Setting = own) -> float:
            return best_mix(Family.of_setting(own), BUDGET).accuracy

        def grid(own: Setting = own, gamma: np.ndarray = gamma) -> float:
            return float(predict_grid(own, omega=WEIGHTS[:, None, None], gamma=gamma, m=SIZES, threads=1).accuracy.max())

        found, best = ascent(), grid()
        assert found >= best - WORSE, f"{name}: the ascent finds {found:.5f}, the grid {best:.5f}"
        times = interleaved(5, {"ascent": (ascent, 5), "grid": (grid, 1), "one": (lambda f=family: f.at(BUDGET, 0.2, 0.1), 50)})
        evaluations = best_mix(family, BUDGET).evaluations
        rows.append((name, duration(times["one"]), duration(times["ascent"]), str(evaluations), duration(times["grid"]),
                     f"{times['grid'] / times['ascent']:,.0f}", f"{100 * (found - best):+.3f} points"))
    # gradient: one accuracy with its slopes; calls: how many of them a decision takes; better by: accuracy of the decision less the grid's
    points = WEIGHTS.size * RIDGES.size * SIZES.size
    show(f"Best omega, gamma and m, p = {P}, eigenvalues given, one core (grid: {points:,} points)",
         ("generator", "gradient", "decision", "calls", "grid", "ratio", "better by"), rows)
    times = interleaved(3, {"eigenvalues": (lambda: np.linalg.eigh(matrix), 1)})
    show("Once for every data set", ("", "time"), [(f"eigendecomposition of a {P} x {P} matrix", duration(times["eigenvalues"]))])


def samples(n: int, m: int, p: int, classes: int) -> tuple[Table, Table]:
    """Real and synthetic samples of as many of each class."""
    rng = np.random.default_rng(0)
    y, y_s, means = np.arange(n) % classes, np.arange(m) % classes, 0.15 * rng.standard_normal((classes, p))
    names = tuple(f"x{i}" for i in range(p))
    return tuple(Table(rng.standard_normal((len(labels), p)) + means[labels], labels, names, total=len(labels), columns=names)
                 for labels in (y, y_s))


def cross_validation(real: Table, made: Table) -> float:
    """Return the best accuracy of scikit-learn's ridge in five folds of the real samples, over the weights and ridges of the advice."""
    n, m, parts, best = len(real.y), len(made.y), np.random.default_rng(0).permutation(len(real.y)) % FOLDS, 0.0
    for share in (0.0, *SHARES):
        for alpha in ALPHAS * n:
            right = 0.0
            for part in range(FOLDS):
                train = parts != part
                weights = np.append(np.ones(train.sum()), np.full(m, share * n / m))
                model = RidgeClassifier(alpha)
                model.fit(np.concatenate([real.X[train], made.X]), np.append(real.y[train], made.y), sample_weight=weights)
                right += np.sum(model.predict(real.X[~train]) == real.y[~train])
            best = max(best, right / n)
    return best


def against_cross_validation() -> None:
    """Measure an advice with all details on a file against five-fold cross-validation of the same weights and ridges by scikit-learn."""
    rows = []
    for n, m, p, classes in ((100, 400, 100, 2), (200, 1000, 300, 2), (400, 2000, 300, 10)):
        real, made = samples(n, m, p, classes)
        advice, grid = partial(advise, real, Plan(m, self_fitted=False), made), partial(cross_validation, real, made)
        advice()  # compiles
        start = seconds(grid)
        own = interleaved(3, {"advice": (advice, 1)})["advice"]
        rows.append((f"{classes} classes, n = {n}, m = {m}, p = {p}", duration(own), duration(start), f"{start / own:.0f}"))
    show("An advice with all details, one core", ("samples", "advice", "cross-validation of the same grid", "ratio"), rows)


if __name__ == "__main__":
    main()
    against_cross_validation()
