"""Any convex loss, solved: against ridge, against mpmath, over a box of settings, between backends; what is not covered says so."""

from __future__ import annotations

import re
from dataclasses import replace

import mpmath as mp
import numba
import numpy as np
import pytest

from synthmix.sims import stress
from synthmix.solvers import any_loss, convex, data_side, gathered, kernels, loss_side
from synthmix.solvers.case import posed
from synthmix.solvers.generated import losses
from synthmix.solvers.input_dependent import MarginLabeller, selected
from synthmix.solvers.lowering import lower_setting
from synthmix.solvers.predict import _points, predict, predict_grid
from synthmix.solvers.problem import Fit, Generator, Law, Problem, Ridge, Setting, Source, Verifier
from synthmix.support.errors import BadInput, NotConverged

NAMES = losses.NAMES
OTHERS = [name for name in NAMES if name != "square"]
GENERATORS = {
    "exact": Generator(beta=0.8, mu_perp=0.4),
    "independent": Generator("independent", 150, beta=0.9),
    "mean fitted": Generator("independent", 150, estimate_mean=True),
    "self-fitted": Generator("self-fitted"),
}
SETTING = Setting(100, 300, 80, 1.2, 0.3, Verifier(0.3, 0.8), Generator(), Ridge(0.1), 0.7)


@numba.njit(error_model="numpy")
def data_side_fresh(side, gamma, pulls, margins, variances):
    """`data_side.fresh`, which only compiled code can call."""
    data_side.fresh(side, gamma, pulls, margins, variances)


def setting(kind: str, **changes: object) -> Setting:
    """The setting with a generator of that kind."""
    return SETTING.with_(**{"generator": GENERATORS[kind], **changes})


# --- ridge is the square loss


@pytest.fixture
def square_by_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """loss="square" goes through the solver of any loss."""
    monkeypatch.setattr(any_loss, "SQUARE", "none")


@pytest.mark.parametrize("kind", GENERATORS)
def test_the_square_loss_is_ridge(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"gamma": [[1e-3], [0.1], [10.0]], "m": [0, 50, 5000], "epsilon": 0.4}
    ridge = predict_grid(setting(kind), **axes)
    monkeypatch.setattr(any_loss, "SQUARE", "none")
    both = predict_grid(setting(kind), **axes, loss="square")
    for name in ("mean_margin", "variance", "accuracy", "risk"):
        np.testing.assert_allclose(getattr(both, name), getattr(ridge, name), rtol=1e-12)
    assert both.delta.keys() == ridge.delta.keys()
    for name, delta in ridge.delta.items():
        np.testing.assert_allclose(both.delta[name], delta, rtol=1e-11)


def test_the_square_loss_is_ridge_over_the_box_of_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over sixteen decades of gamma both agree to rounding, or the point is refused: nothing is off in silence.

    Refused is where a generator was fitted on so few samples that training interpolates them: generated samples then have margins of 1
    to all digits, and their variance is lost.
    """
    off, points, refused = [], 0, 0
    for backend, draw, count, chunk in ((0, stress._isotropic, 1600, 200), (1, stress._spectral, 200, 25)):
        for number, size, stream in stress._chunks(backend, count, [3], chunk):
            one, axes = draw(number, size, np.random.default_rng(stream))
            ridge = predict_grid(one, **axes)
            for i, point in enumerate(stress._settings(one, axes)):
                points += 1
                monkeypatch.setattr(any_loss, "SQUARE", "none")
                try:
                    both = predict(point, loss="square")
                except NotConverged:
                    refused += 1
                    continue
                finally:
                    monkeypatch.setattr(any_loss, "SQUARE", "square")
                variance, margin = ridge.variance[i], ridge.mean_margin[i]
                away = abs(both.variance - variance) + abs(both.mean_margin - margin) * np.sqrt(variance + margin**2)
                off.append(away / (variance + margin**2) if away else 0.0)
    off = np.array(off)
    assert np.mean(off <= 1e-12) >= 0.998 and off.max() <= 1e-9
    assert refused <= 0.008 * points


# --- the loss side against mpmath


def mp_force(name: str, h: mp.mpf, c: mp.mpf, delta: mp.mpf) -> mp.mpf:
    """f by Newton's method on u + c delta ell'(u) = h, within its bracket."""

    def slopes(u: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        """ell' and ell''."""
        if name == "logistic":
            share = 1 / (1 + mp.exp(u))
            return -share, share * (1 - share)
        ratio = mp.npdf(u) / mp.ncdf(u)
        return -ratio, ratio * (u + ratio)

    low, high = h, h - c * delta * slopes(h)[0]
    u = low
    for _ in range(500):
        slope, curvature = slopes(u)
        over = u + c * delta * slope - h
        low, high = (low, u) if over > 0 else (u, high)
        step = over / (1 + c * delta * curvature)
        if min(abs(step), high - low) < mp.mpf("1e-18") * (1 + abs(u)):
            break
        u = u - step if low < u - step < high else (low + high) / 2
    return -c * slopes(u)[0]


@pytest.mark.parametrize("name", ["logistic", "probit"])
@pytest.mark.parametrize(("mean", "sd", "c", "delta"), [(0.3, 1.1, 1.0, 0.7), (-2.0, 0.05, 3.0, 12.0), (4.0, 6.0, 0.1, 300.0)])
def test_gaussian_integrals(name: str, mean: float, sd: float, c: float, delta: float) -> None:
    """Golden values: E f, E f^2 and, by Stein's identity, E f' = E[g f] / sd, by quadrature in g with a root found at every node."""
    out = np.empty(loss_side.MOMENTS)
    with mp.workdps(20):
        ends = [mp.mpf(x) for x in (-9, -5, -2.5, -1, 0, 1, 2.5, 5, 9)]

        def expected(of: object) -> float:
            return float(mp.quad(lambda g: of(mp_force(name, mean + sd * g, mp.mpf(c), mp.mpf(delta)), g) * mp.npdf(g), ends, maxdegree=4))

        golden = [expected(lambda f, g: f), expected(lambda f, g: g * f) / sd, expected(lambda f, g: f * f)]
    for level, tolerance in ((loss_side.ROUGH, 1e-5), (loss_side.FINE, 1e-9), (loss_side.FINEST, 1e-9)):
        loss_side.moments(NAMES.index(name), c, delta, 1.0, mean, sd, level, out)
        np.testing.assert_allclose(out[:3], golden, rtol=tolerance)


HARD = {
    "a light ridge": Setting(300, 600, 200, 1.5, 0.3, Verifier(0.3, 0.8), ridge=Ridge(1e-4)),
    "leverages of 50,000": Setting(50, 100, 900, 5.0, 0.1, ridge=Ridge(1e-4), omega=30.0),
    "classes far apart": Setting(500, 500, 100, 8.0, ridge=Ridge(1e-4)),
    "heavy weights and every label wrong": Setting(100, 900, 3000, 0.5, 1.0, ridge=Ridge(1e-3), omega=100.0),
}


@pytest.mark.parametrize("name", ["logistic", "probit"])
@pytest.mark.parametrize("hard", HARD)
def test_the_fixed_point_is_one_of_exact_integrals(hard: str, name: str) -> None:
    """Both sides written out in mpmath, isotropic, at the solution: one more round stays where it is, to ten digits.

    The trapezoidal rule over g errs by exp(-2 pi times the strip in which the force is analytic over the step); a step half as long agrees.
    """
    one = HARD[hard]
    found, N = predict(one, loss=name), one.N
    with mp.workdps(22):
        m, v, delta, gamma, mu, h = (mp.mpf(float(x)) for x in (found.mean_margin, found.variance, found.fixed_point["delta_r"],
                                                                one.ridge.gamma, one.mu, one.p / N))
        force, curvature, noise = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for theta, c, e in ((one.n / N, 1.0, 0.0), (one.alpha * one.m / N, one.omega, one.verifier.wrong(one.epsilon))):
            for share, sign in ((1 - e, 1), (e, -1)):
                if share * theta:
                    first, turn, second = trapezoid(name, sign * m, mp.sqrt(v), mp.mpf(c), delta)
                    force += theta * share * sign * first
                    curvature -= theta * share * turn
                    noise += theta * share * second
        B = 1 / (gamma + curvature)
        round_ = (mu**2 * force * B, (mu**2 * force**2 + h * noise) * B**2, h * B)
    size = (mp.sqrt(v + m * m), v, delta)
    for before, after, unit in zip((m, v, delta), round_, size, strict=True):
        assert abs(after - before) <= 1e-10 * unit


def trapezoid(name: str, mean: mp.mpf, sd: mp.mpf, c: mp.mpf, delta: mp.mpf) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """E f, E f' and E f^2 at the margin mean + sd g."""
    step, totals = mp.mpf(1) / 24, [mp.mpf(0)] * 3
    for i in range(-216, 217):
        g = step * i
        f, weight = mp_force(name, mean + sd * g, c, delta), step * mp.npdf(g)
        for j, value in enumerate((f, g * f / sd, f * f)):
            totals[j] += weight * value
    return tuple(totals)


@pytest.mark.parametrize("name", ["logistic", "probit"])
def test_the_proximal_step_never_jumps_to_and_fro(name: str) -> None:
    """Newton's method alone does, over the bend of the loss, where rate and margin are large."""
    rng, kind = np.random.default_rng(0), NAMES.index(name)
    h, c, delta = rng.standard_normal(20_000) * 10 ** rng.uniform(-1, 3, 20_000), *10 ** rng.uniform([[-2], [-4]], [[2], [5]], (2, 20_000))
    for i in range(h.size):
        u = loss_side.prox(kind, h[i], c[i], delta[i], 1.0)
        _, slope, curvature = losses.margin_loss(kind, u, 1.0)
        assert abs(u + c[i] * delta[i] * slope - h[i]) <= 1e-12 * (1 + c[i] * delta[i] * curvature) * (1 + abs(u))


@pytest.mark.parametrize("name", NAMES)
def test_slopes_of_the_forces(name: str) -> None:
    """Central differences of mean force, curvature and noise with the slopes."""
    kind, rng, moments = NAMES.index(name), np.random.default_rng(0), np.empty((2, loss_side.MOMENTS))

    def forces(seen: np.ndarray) -> np.ndarray:
        return np.array(loss_side.forces(kind, 0.8, 0.6, 1.3, 0.2, seen, loss_side.FINEST, moments[0], moments[1]))

    for _ in range(5):
        seen = np.array([rng.normal(0.5, 1), rng.uniform(0.3, 3), rng.uniform(0.2, 3)])
        slopes = forces(seen)[3:].reshape(3, 3)
        for j in range(3):
            step = np.zeros(3)
            step[j] = 1e-5
            np.testing.assert_allclose((forces(seen + step) - forces(seen - step))[:3] / 2e-5, slopes[:, j], rtol=1e-6, atol=1e-8)


# --- the fixed point


def box(rng: np.random.Generator, generator: Generator, size: int) -> dict[str, np.ndarray]:
    """gamma 1e-4 to 1e4, p/N 1e-2 to 10, weights 1e-2 to 1e2, |mu| to 10, everything else over its range, ends included."""

    def ends(low: float = 0.0) -> np.ndarray:
        where, value = rng.random(size), rng.random(size)
        return np.where(where < 0.1, low, np.where(where > 0.9, 1.0, value))

    def decades(low: float, high: float) -> np.ndarray:
        return 10 ** rng.uniform(low, high, size)

    N, own = 1e4, generator.kind == "self-fitted"
    real = np.maximum(ends(), 1e-2) if own else ends()
    axes = {"n": real * N, "m": (1 - real) * N, "p": np.rint(N * decades(-2, 1)),
            "mu": np.where(rng.random(size) < 0.1, 0.0, decades(-2, 1)),
            "gamma": decades(-4, 4), "omega": decades(-2, 2), "epsilon": ends(), "rho": ends(), "phi": ends()}
    if generator.kind == "independent":
        axes["n_hat"] = np.rint(N * decades(-2, 1))
    if not own:
        axes |= {"beta": rng.choice([-1.0, 0.0, 0.5, 1.0, 2.0], size), "mu_perp": np.where(rng.random(size) < 0.5, 0.0, decades(-2, 1))}
    return axes


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("name", NAMES)
def test_every_point_of_the_box_is_solved(name: str, kind: str, square_by_both_sides: None) -> None:
    found = predict_grid(setting(kind), loss=name, **box(np.random.default_rng([NAMES.index(name), len(kind)]), GENERATORS[kind], 150))
    assert found.residual.max() <= convex.TOLERANCE and np.isfinite(found.mean_margin).all() and (found.variance >= 0).all()


@pytest.mark.parametrize("kind", ["independent", "mean fitted", "self-fitted"])
def test_gathered_samples_or_not_the_hinge_loss_has_one_solution(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the general solver and that of gathered samples both find a solution it is the same."""
    axes, same = box(np.random.default_rng([7, len(kind)]), GENERATORS[kind], 60), 0
    lowered = lower_setting(setting(kind), _points(setting(kind), axes)[0])
    for i in range(60):
        sources, wrong = lowered.grid.sources[i], (1 - lowered.grid.labels[i, 0, :, kernels.LABEL]) / 2
        h = np.repeat(lowered.grid.h[i], lowered.form.eigenvalues.shape[1])
        side = data_side.Spectral(lowered.form.eigenvalues, lowered.form.tests, h,
                                  convex.means_within(lowered.form.means, lowered.grid.mixing[i]))
        one, J = posed(NAMES.index("hinge"), 1.0, sources, np.ascontiguousarray(wrong), side)
        z, pulls, margins, variances = np.empty((J, 3)), np.empty((len(sources), 3)), np.empty((2, 1)), np.empty((2, 1))
        if sources[:, kernels.THETA] @ sources[:, kernels.WEIGHT] == 0:
            continue
        gamma, seen = lowered.grid.gamma[i], np.empty((len(sources), convex.SEEN))
        residual = gathered.solve(one, gamma, z, pulls)
        data_side_fresh(side, gamma, pulls, margins[0], variances[0])
        general = convex.solve_point(NAMES.index("hinge"), 1.0, sources, np.ascontiguousarray(wrong), side, gamma, seen, margins[1],
                                     variances[1])
        assert max(residual, general) <= convex.TOLERANCE
        size = np.sqrt(variances[1] + margins[1] ** 2)
        assert abs(margins[0] - margins[1]) <= 1e-8 * size and abs(variances[0] - variances[1]) <= 1e-8 * size**2
        same += seen[:, convex.LEVERAGE].min() > 1e-9 * seen[:, convex.LEVERAGE].max()
    assert same >= 20  # most of them do not gather


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", GENERATORS)
def test_the_backends_agree(name: str, kind: str, square_by_both_sides: None) -> None:
    """One scalar, eigenvalues and matrices: an isotropic setting; then eigenvalues and matrices in a rotated basis."""
    rng, p = np.random.default_rng(1), 12
    scalar = setting(kind).with_(n=40, m=90, p=p, gamma=0.3)
    if kind != "self-fitted":
        scalar = scalar.with_(mu_perp=0.0, **({} if kind == "exact" else {"n_hat": 30}))
    mu = rng.standard_normal(p)
    mu *= scalar.mu / np.linalg.norm(mu)

    def spread(covariance: object, mean: np.ndarray, of_generator: object = None) -> Setting:
        made = scalar.generator if kind == "self-fitted" else replace(scalar.generator, mu_perp=np.zeros(p), covariance=of_generator)
        return Setting(scalar.n, scalar.m, p, mean, scalar.epsilon, scalar.verifier, made, scalar.ridge, scalar.omega, covariance)

    def same(one: Setting, other: Setting) -> None:
        a, b = (predict(each, loss=name) for each in (one, other))
        np.testing.assert_allclose([a.mean_margin, a.variance, a.accuracy], [b.mean_margin, b.variance, b.accuracy], rtol=1e-9)

    same(scalar, spread(np.ones(p), mu))
    eigenvalues, others = np.linspace(0.3, 2, p), np.linspace(1.5, 0.5, p)
    turn = np.linalg.qr(rng.standard_normal((p, p)))[0]
    both = (None, None) if kind == "self-fitted" else (others, turn * others @ turn.T)
    same(spread(eigenvalues, mu, both[0]), spread(turn * eigenvalues @ turn.T, turn @ mu, both[1]))


def test_a_grid_is_its_points() -> None:
    axes = {"gamma": np.array([0.01, 1.0]), "m": np.array([0, 400])}
    grid = predict_grid(SETTING, loss="logistic", **axes)
    for i in range(2):
        one = predict(SETTING.with_(gamma=axes["gamma"][i], m=axes["m"][i]), loss="logistic")
        assert (one.mean_margin, one.variance, one.fixed_point["delta_s"]) == (grid.mean_margin[i], grid.variance[i], grid.delta["s"][i])


def test_limits_of_hubers_loss() -> None:
    """With a large threshold it is the square loss; with a small one, times its inverse, the absolute deviation: not the square."""
    square = predict(SETTING)
    wide = predict(SETTING, loss="huber", huber_threshold=1e3)
    assert wide.mean_margin == pytest.approx(square.mean_margin, rel=1e-10)
    assert abs(predict(SETTING, loss="huber", huber_threshold=0.1).accuracy - square.accuracy) > 1e-3


def test_a_heavy_ridge_makes_all_losses_alike() -> None:
    """w is then the mean of the samples times the slope of the loss at 0, whatever the loss."""
    accuracy = [predict(SETTING.with_(gamma=1e5), loss=name).accuracy for name in NAMES]
    assert np.ptp(accuracy) < 1e-5


def test_nothing_to_train_on() -> None:
    found = predict(SETTING.with_(n=0, rho=0.0, phi=0.0), loss="logistic")
    assert (found.mean_margin, found.variance, found.accuracy) == (0.0, 0.0, 0.5)


# --- what is not covered

LAWS = Law(np.array([1.0, 0.0]), 1.0)


def test_problems_of_several_sources() -> None:
    """Two sources of one law are one source; a base that trains beside its generator is the self-fitted setting."""
    one = Problem((Source("a", 100, LAWS),), Ridge(0.1), 100, 50, LAWS)
    two = Problem((Source("a", 60, LAWS), Source("b", 40, LAWS)), Ridge(0.1), 100, 50, LAWS)
    assert predict(one, loss="logistic").accuracy == pytest.approx(predict(two, loss="logistic").accuracy, rel=1e-10)
    own = setting("self-fitted")
    general = Problem((Source("s", own.alpha * own.m, own.real, own.verifier.wrong(own.epsilon), own.omega, Fit(own.n, 1.0, True)),),
                      own.ridge, own.N, own.p, own.real)
    assert predict(general, loss="hinge").accuracy == pytest.approx(predict(own, loss="hinge").accuracy, rel=1e-10)


def refused(message: str, *arguments: object, **options: object) -> None:
    with pytest.raises(BadInput, match=message) as error:
        predict(*arguments, **options)
    assert not re.search("\n", str(error.value))


def test_bad_input_is_one_line() -> None:
    refused("loss must be one of hinge, huber, logistic, probit, square, squared-hinge, not 'ridge'", SETTING, loss="ridge")
    refused("huber-threshold must be above 0", SETTING, loss="huber", huber_threshold=0)
    refused("the logistic loss has none", SETTING, loss="logistic", huber_threshold=1.0)
    refused("the square loss has none", SETTING, huber_threshold=1.0)
    refused("the published formula is that of the square loss", SETTING, loss="hinge", formula="published")
    kept = selected(Law(np.ones(4)), MarginLabeller(np.ones(4)))
    refused("leave no Gaussian samples", Problem((kept.source("s", 50),), Ridge(), 50, 4, Law(np.ones(4))), loss="hinge")
    refused("a covariance of 0", SETTING.with_(covariance=0.0), loss="hinge")
