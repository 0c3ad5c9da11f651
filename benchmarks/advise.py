"""How long does the decision take, which omega, gamma and m are best, at p = 1000 with 1000 different eigenvalues?

Run from the project root: python -m benchmarks.advise

The other side is a grid search with the same compiled solver: 25 weights by 25 ridges by 5 numbers of samples, which is what one does
without a gradient. The accuracies found are compared too: the ascent may not be worse than the grid by more than 1e-4. The
eigenvalues have to be found once; that is a row of its own. A whole advice on a file is compared with cross-validation of the
same weights and ridges. One core for all.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeClassifier

from benchmarks.measure import duration, interleaved, one_core, show
from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table
from synthmix.estimators.candidates import ALPHAS, SHARES
from synthmix.solvers.best_mix import Family, best_mix
from synthmix.solvers.predict import predict_grid
from synthmix.solvers.problem import Generator, Setting, Verifier

P, BUDGET = 1000, 20_000.0
WEIGHTS, RIDGES, SIZES = np.geomspace(1e-3, 1e2, 25), np.geomspace(1e-3, 1e2, 25), np.array([200.0, 1000, 4000, 10_000, BUDGET])
WORSE = 1e-4
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


def against_cross_validation() -> None:
    """Measure an advice with all details on a file against five-fold cross-validation of the same weights and ridges by scikit-learn."""
    rng = np.random.default_rng(0)
    n, m, p, folds = 100, 400, 100, 5
    y, y_s = np.arange(n) % 2, np.arange(m) % 2
    X, X_s = (rng.standard_normal((len(labels), p)) + 0.15 * (2 * labels[:, None] - 1) for labels in (y, y_s))
    names = tuple(f"x{i}" for i in range(p))
    real, made = Table(X, y, names, total=n, columns=names), Table(X_s, y_s, names, total=m, columns=names)

    def cross_validation() -> float:
        parts, best = rng.permutation(n) % folds, 0.0
        for share in (0.0, *SHARES):
            for alpha in ALPHAS * n:
                right = 0.0
                for part in range(folds):
                    train = parts != part
                    weights = np.append(np.ones(train.sum()), np.full(m, share * n / m))
                    model = RidgeClassifier(alpha).fit(np.concatenate([X[train], X_s]), np.append(y[train], y_s), sample_weight=weights)
                    right += np.sum(model.predict(X[~train]) == y[~train])
                best = max(best, right / n)
        return best

    advise(real, Plan(m, self_fitted=False), made)  # compiles
    times = interleaved(2, {"advice": (lambda: advise(real, Plan(m, self_fitted=False), made), 1), "grid": (cross_validation, 1)})
    show(f"An advice with all details, n = {n}, m = {m}, p = {p}, one core", ("advice", "cross-validation of the same grid", "ratio"),
         [(duration(times["advice"]), duration(times["grid"]), f"{times['grid'] / times['advice']:.1f}")])


if __name__ == "__main__":
    main()
    against_cross_validation()
