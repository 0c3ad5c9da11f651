"""The compiled solvers: one theory whatever the backend, its limits and symmetries, and a solution at every input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shared import mean, rotation, wishart

from synthmix.solvers import kernels
from synthmix.solvers.predict import Prediction, predict, predict_grid, predict_tests
from synthmix.solvers.problem import (
    NO_SUPERVISION,
    ORACLE,
    Fit,
    Generator,
    Law,
    Problem,
    Ridge,
    Setting,
    Source,
    Verifier,
    synthetic_only,
)
from synthmix.support.errors import BadInput, NotConverged

P = 24
WEAK = Verifier(rho=0.3, phi=0.8)
GENERATORS = {
    "exact": Generator(beta=0.8, mu_perp=0.5),
    "independent": Generator("independent", 40, beta=0.8, mu_perp=0.5),
    "independent, mean too": Generator("independent", 40, estimate_mean=True, beta=0.8, mu_perp=0.5),
    "self-fitted": Generator("self-fitted"),
}


def mixture(generator: Generator = GENERATORS["exact"], **changes: object) -> Setting:
    """An ordinary isotropic setting."""
    own = {name: changes.pop(name) for name in tuple(changes) if name in Setting.__dataclass_fields__}
    plain = Setting(60, 90, P, 0.9, 0.25, WEAK, Generator(), Ridge(0.1), 0.7)
    return replace(plain, generator=generator, **own).with_(**changes)


def in_vectors(setting: Setting, basis: np.ndarray | None = None, **changes: object) -> Setting:
    """The same with mu and mu_perp as vectors: along the first two axes, or columns of a basis."""
    e = np.eye(setting.p) if basis is None else basis.T
    lengths = {"mu": setting.mu * e[0]}
    if setting.generator.kind != "self-fitted":
        lengths["mu_perp"] = setting.generator.mu_perp * e[1]
    return setting.with_(**lengths, **changes)


def values(prediction: Prediction) -> np.ndarray:
    """Everything a prediction holds that two ways to state one problem have in common."""
    p = prediction
    deltas = [value for name, value in p.fixed_point.items() if name not in ("residual", "delta_g")]
    return np.array([p.mean_margin, p.variance, p.accuracy, p.risk, *deltas])


def same(a: Setting | Problem | Prediction, b: Setting | Problem | Prediction, tolerance: float = 1e-10) -> None:
    """Assert that two problems have one prediction."""
    a, b = (x if isinstance(x, Prediction) else predict(x) for x in (a, b))
    np.testing.assert_allclose(values(a), values(b), rtol=tolerance, atol=1e-14)


def five_sources(shape: Callable[[float], object], test: object, p: int = P) -> Problem:
    """Five sources, two of them fitted; `shape` makes a covariance of a scale."""
    rng = np.random.default_rng(5)
    sources = tuple(
        Source(f"s{k}", 20 + 9 * k, Law(mean(rng, p), shape(0.5 + 0.4 * k)), 0.08 * k, 1.5 / (1 + k), fit)
        for k, fit in enumerate((None, None, Fit(30), Fit(25, weight=0.6, mean=True), None))
    )
    return Problem(sources, Ridge(0.05), 250, p, Law(mean(rng, p), test))


# --- the backends agree


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("scale", [1.0, 1.7])
def test_one_isotropic_problem_in_every_shape(name: str, scale: float) -> None:
    setting = mixture(GENERATORS[name], covariance=scale)
    basis = rotation(np.random.default_rng(0), P)
    expected = predict(setting)
    same(in_vectors(setting), expected)
    same(in_vectors(setting, basis), expected)
    same(in_vectors(setting, covariance=np.full(P, scale)), expected)
    same(in_vectors(setting, basis, covariance=scale * np.eye(P)), expected)


def test_only_length_and_angle_of_the_means_count() -> None:
    rng = np.random.default_rng(1)
    mu, other = mean(rng, P, 0.9), mean(rng, P, 0.6)  # not orthogonal
    setting = mixture(Generator(mu_perp=other), mu=mu)
    same(setting, setting.problem())
    same(setting, setting.with_(covariance=np.ones(P)))


@pytest.mark.parametrize("name", GENERATORS)
def test_commuting_covariances_by_eigenvalues_and_as_matrices(name: str) -> None:
    rng = np.random.default_rng(2)
    basis, own = rotation(rng, P), rng.exponential(size=P)
    other = None if name == "self-fitted" else rng.exponential(size=P)
    mu, mu_perp = mean(rng, P), mean(rng, P) if other is not None else 0.0
    setting = mixture(replace(GENERATORS[name], covariance=other, mu_perp=mu_perp), mu=mu, covariance=own)
    turned = setting.with_(
        mu=basis @ mu,
        covariance=basis * own @ basis.T,
        generator=setting.generator
        if other is None
        else replace(setting.generator, covariance=basis * other @ basis.T, mu_perp=basis @ mu_perp),
    )
    same(setting, turned)


def test_one_matrix_beside_multiples_of_the_identity() -> None:
    rng = np.random.default_rng(3)
    matrix, mu = wishart(rng, P), mean(rng, P)
    setting = mixture(Generator("independent", 30, covariance=1.3), mu=mu, covariance=matrix)
    same(setting, setting.with_(generator=replace(setting.generator, covariance=1.3 * np.eye(P))))


@pytest.mark.parametrize("shape", ["eigenvalues", "matrix", "two matrices"])
def test_rank_deficient_covariances(shape: str) -> None:
    rng = np.random.default_rng(4)
    basis, eigenvalues = rotation(rng, P), np.maximum(rng.standard_normal(P), 0)
    mu = mean(rng, P)
    setting = mixture(Generator(), mu=mu, covariance=eigenvalues)
    turned = setting.with_(mu=basis @ mu, covariance=basis * eigenvalues @ basis.T)
    if shape == "two matrices":
        small = np.where(eigenvalues > 1, eigenvalues, 0)
        setting = setting.with_(generator=Generator(covariance=small))
        turned = turned.with_(generator=Generator(covariance=basis * small @ basis.T))
    same(setting, setting.problem() if shape == "eigenvalues" else turned)


def test_five_sources_in_every_backend() -> None:
    numbers = five_sources(float, 0.8)
    vectors = five_sources(lambda scale: np.full(P, scale), 0.8)
    basis = rotation(np.random.default_rng(6), P)
    nearly = np.diag(1 + 1e-14 * np.arange(P))  # as good as I, but another matrix
    matrices = five_sources(lambda scale: scale * (nearly if scale > 1 else np.eye(P)), 0.8)
    same(numbers, vectors)
    same(numbers, matrices)
    turned = [replace(s, law=replace(s.law, mean=basis @ s.law.mean)) for s in numbers.sources]
    same(numbers, replace(numbers, sources=tuple(turned), test=replace(numbers.test, mean=basis @ numbers.test.mean)))
    assert len(predict(numbers).fixed_point) == 6


def test_a_negligible_difference_of_covariances_is_negligible() -> None:
    """The dense backend beside the spectral one, where nothing is special."""
    rng = np.random.default_rng(7)
    matrix = wishart(rng, P)
    nudged = five_sources(lambda scale: scale * (matrix + (1e-13 * wishart(rng, P) if scale > 1 else 0)), matrix)
    eigenvalues, basis = np.linalg.eigh(matrix)
    by_eigenvalues = Problem(
        tuple(
            replace(s, law=Law(basis.T @ s.law.mean, (0.5 + 0.4 * k) * eigenvalues))
            for k, s in enumerate(nudged.sources)
        ),
        nudged.ridge,
        nudged.N,
        P,
        Law(basis.T @ nudged.test.mean, eigenvalues),
    )
    same(nudged, by_eigenvalues)


# --- a setting, its problem, and grids


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("changes", [{}, {"n": 0}, {"m": 0}, {"rho": 0, "phi": 0}, {"epsilon": 1}, {"p": 400}])
def test_a_setting_is_its_problem(name: str, changes: dict[str, float]) -> None:
    if name == "self-fitted" and changes == {"n": 0}:
        pytest.skip("fitted on nothing")
    setting = mixture(GENERATORS[name], **changes)
    same(setting, setting.problem(), 1e-13)


@pytest.mark.parametrize("kind", ["exact", "independent", "self-fitted"])
def test_one_dimension(kind: str) -> None:
    setting = mixture(Generator(kind, 40 if kind == "independent" else None), p=1)
    same(setting, setting.problem(), 1e-13)
    same(setting, setting.with_(mu=np.array([0.9]), covariance=np.ones(1)))


AXES = {
    "n": [0, 1, 60],
    "m": [0, 20, 1e4],
    "p": [2, 24.5, 3000],
    "mu": [0, 0.1, 30],
    "epsilon": [0, 0.25, 1],
    "rho": [0, 0.3, 1],
    "phi": [0, 0.8, 1],
    "gamma": [1e-6, 0.1, 1e5],
    "omega": [1e-3, 0.7, 50],
    "n_hat": [1, 40, 1e6],
    "beta": [-1, 0, 2],
    "mu_perp": [-1, 0, 2],
}


def point_by_point(setting: Setting, formula: str = "rederived", **axes: list[float]) -> None:
    grid = predict_grid(setting, formula=formula, **axes)
    for i, point in enumerate(zip(*axes.values(), strict=True)):
        one = predict_grid(setting, formula=formula, **dict(zip(axes, point, strict=True)))
        if float(point[0]).is_integer() or "p" not in axes:
            single = predict(setting.with_(**dict(zip(axes, point, strict=True))), formula=formula)
            expected = (single.mean_margin, single.variance, single.accuracy, single.risk, single.alpha, single.lam)
            found = (one.mean_margin, one.variance, one.accuracy, one.risk, one.alpha, one.lam)
            np.testing.assert_allclose(found, expected)
            for name, delta in grid.delta.items():
                assert delta[i] == pytest.approx(single.fixed_point[f"delta_{name}"], rel=1e-12)
        for field in ("mean_margin", "variance", "accuracy", "risk", "alpha", "lam"):
            assert getattr(grid, field)[i] == pytest.approx(getattr(one, field), rel=1e-12, abs=1e-15, nan_ok=True)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", GENERATORS)
def test_a_grid_is_its_points(name: str, axis: str) -> None:
    setting, axes = mixture(GENERATORS[name]), AXES[axis]
    foreign = {"self-fitted": ("n_hat", "beta", "mu_perp"), "exact": ("n_hat",)}
    if axis in foreign.get(name, ()):
        with pytest.raises(BadInput, match="cannot vary"):
            predict_grid(setting, **{axis: axes})
        return
    if axis == "n" and name == "self-fitted":
        axes = axes[1:]
    point_by_point(setting, **{axis: axes})


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis not in ("p", "mu", "mu_perp")])
@pytest.mark.parametrize("shape", ["number", "eigenvalues", "matrix", "matrices"])
def test_a_grid_of_vectors_is_its_points(shape: str, axis: str) -> None:
    rng = np.random.default_rng(8)
    covariance = {"number": 1.2, "eigenvalues": rng.exponential(size=P)}.get(shape, wishart(rng, P))
    other = wishart(rng, P) if shape == "matrices" else None
    generator = Generator("independent", 40, beta=0.8, mu_perp=mean(rng, P, 0.5), covariance=other)
    point_by_point(mixture(generator, mu=mean(rng, P, 0.9), covariance=covariance), **{axis: AXES[axis]})


def test_axes_together_broadcast() -> None:
    gamma, epsilon = np.array([[0.1], [1.0], [10.0]]), np.array([0.1, 0.4])
    grid = predict_grid(mixture(), gamma=gamma, epsilon=epsilon, threads=1)
    assert grid.accuracy.shape == grid.delta["s"].shape == grid.residual.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        one = predict(mixture(gamma=gamma[i, 0], epsilon=epsilon[j]))
        assert (grid.accuracy[i, j], grid.risk[i, j]) == pytest.approx((one.accuracy, one.risk), rel=1e-13)
    assert predict_grid(mixture(), gamma=np.empty(0)).accuracy.shape == (0,)
    assert predict_grid(mixture()).accuracy.shape == ()


def test_the_published_formula_on_a_grid() -> None:
    for name in ("exact", "independent"):
        point_by_point(mixture(GENERATORS[name]), "published", epsilon=[0.1, 0.3, 0.6])


@settings(max_examples=150)
@given(st.sampled_from(["exact", "independent", "independent, mean too"]), st.booleans(), st.data())
def test_the_published_fixed_point_is_always_solved(name: str, vectors: bool, data: st.DataObject) -> None:
    """Newton takes the slope of the published fixed point itself, not the published slope, with which it cycles."""
    setting = data.draw(boxed(P))
    real = replace(GENERATORS[name], n_hat=setting.generator.n_hat or 40.0) if name != "exact" else Generator()
    setting = replace(setting, generator=real, n=setting.n)
    if vectors:
        setting = in_vectors(setting, covariance=np.linspace(0, 2, P))
    try:
        assert predict(setting, formula="published").fixed_point["residual"] <= 1e-12
    except NotConverged as error:  # published slopes may have a pole
        assert "overflows" in str(error)


# --- limits


def only(setting: Setting, name: str) -> Problem:
    """The setting's problem with one of its sources alone."""
    problem = setting.problem()
    return replace(problem, sources=tuple(source for source in problem.sources if source.name == name))


def without_deltas(prediction: Prediction) -> tuple[float, ...]:
    return prediction.mean_margin, prediction.variance, prediction.accuracy, prediction.risk


LIMITS = [
    ("r", {"rho": 0, "phi": 0}),
    ("r", {"rho": 1e-13, "phi": 1e-13}),
    ("r", {"m": 0}),
    ("r", {"m": 1e-11}),
    ("s", {"n": 0}),
    ("s", {"n": 1e-11}),
]


@pytest.mark.parametrize(("name", "changes"), LIMITS)
@pytest.mark.parametrize("kind", ["exact", "independent", "independent, mean too"])
@pytest.mark.parametrize("vectors", [False, True])
def test_a_source_of_nothing_is_no_source(name: str, changes: dict[str, float], kind: str, vectors: bool) -> None:
    setting = mixture(GENERATORS[kind], **changes)
    if vectors:
        setting = in_vectors(setting, covariance=np.linspace(0, 2, P))
    assert without_deltas(predict(setting)) == pytest.approx(without_deltas(predict(only(setting, name))), rel=1e-11)


@pytest.mark.parametrize("changes", [{"rho": 0, "phi": 0}, {"m": 0}])
def test_a_self_fitted_generator_that_adds_nothing(changes: dict[str, float]) -> None:
    fitted, real = mixture(Generator("self-fitted"), **changes), mixture(Generator(), **changes)
    assert without_deltas(predict(fitted)) == pytest.approx(without_deltas(predict(only(real, "r"))), rel=1e-12)


@pytest.mark.parametrize("kind", ["exact", "independent"])
def test_nothing_at_all_is_a_coin_toss(kind: str) -> None:
    nothing = predict(mixture(GENERATORS[kind], n=0, rho=0, phi=0))
    assert without_deltas(nothing) == (0, 0, 0.5, 1)
    assert nothing.fixed_point["delta_r"] == pytest.approx(P / 90 / 0.1)


def test_a_fit_on_infinitely_many_samples_is_exact() -> None:
    for name in ("independent", "independent, mean too"):
        fitted = mixture(GENERATORS[name], n_hat=1e13)
        assert without_deltas(predict(fitted)) == pytest.approx(without_deltas(predict(mixture())), rel=1e-10)


def test_without_noise_in_the_features_every_sample_is_classified() -> None:
    certain = predict(mixture(Generator(), covariance=0.0))
    assert certain.variance == 0 and certain.mean_margin > 0 and certain.accuracy == 1


def test_the_trace_of_the_fit_where_it_is_large() -> None:
    """delta_g = q / delta - 1, which must not be lost in rounding where delta_g is large."""
    setting = Setting(1, 1e6, 1000, 0.7, 0.2, WEAK, Generator("independent", 2), Ridge(1e-8))
    found = predict(setting).fixed_point
    assert found["delta_g"] == pytest.approx(found["delta_r"] / found["delta_s"] - 1, rel=1e-12)
    found = predict(mixture(GENERATORS["independent"])).fixed_point
    assert found["delta_g"] == pytest.approx(found["delta_r"] / found["delta_s"] - 1, rel=1e-12)


def test_synthetic_only_closed_form() -> None:
    s = synthetic_only(300, 120, 1.1, 0.2, WEAK, 0.3)
    delta, eta = predict(s).fixed_point["delta_s"], 120 / 300
    assert 0.3 * delta**2 + (0.3 + s.alpha - eta) * delta == pytest.approx(eta, rel=1e-14)
    expected = s.lam * 1.1**2 / (s.alpha * (1 + 1.1**2) + 0.3 * (1 + delta))
    assert predict(s).mean_margin == pytest.approx(expected, rel=1e-14)


# --- symmetries


@pytest.mark.parametrize("shape", ["number", "eigenvalues", "matrix"])
def test_two_sources_of_one_law_are_one(shape: str) -> None:
    """Also where their shares of wrong labels differ: only the mean of the label counts."""
    rng = np.random.default_rng(9)
    covariance = {"number": 1.4, "eigenvalues": rng.exponential(size=P), "matrix": wishart(rng, P)}[shape]
    law, other = Law(mean(rng, P), covariance), Law(mean(rng, P), wishart(rng, P) if shape == "matrix" else 0.6)

    def problem(*parts: tuple[float, float]) -> Problem:
        sources = [Source(f"part {i}", count, law, wrong, 0.8) for i, (count, wrong) in enumerate(parts)]
        return Problem((Source("r", 30, other), *sources), Ridge(0.05), 100, P, other)

    merged = without_deltas(predict(problem((50, 0.24))))
    assert without_deltas(predict(problem((20, 0.24), (30, 0.24)))) == pytest.approx(merged, rel=1e-12)
    assert without_deltas(predict(problem((20, 0.0), (30, 0.4)))) == pytest.approx(merged, rel=1e-12)
    assert without_deltas(predict(problem((50, 0.24), (0, 0.9)))) == pytest.approx(merged, rel=1e-12)


def scaled(problem: Problem, weight: float = 1.0, features: float = 1.0, size: float = 1.0) -> Problem:
    """The problem with all weights times `weight`, features times `features`, counts and dimension times `size`."""

    def law(one: Law) -> Law:
        return Law(features * one.mean, features**2 * one.covariance)

    def fit(one: Fit | None) -> Fit | None:
        return one and replace(one, n_hat=size * one.n_hat, weight=weight * one.weight)

    sources = tuple(
        replace(s, law=law(s.law), weight=weight * s.weight, count=size * s.count, fit=fit(s.fit))
        for s in problem.sources
    )
    ridge = Ridge(weight * features**2 * problem.ridge.gamma)
    return Problem(sources, ridge, size * problem.N, round(size * problem.p), law(problem.test))


@pytest.mark.parametrize("shape", ["number", "eigenvalues", "matrix"])
def test_units_do_not_matter(shape: str) -> None:
    rng = np.random.default_rng(10)
    shapes = {
        "number": float,
        "eigenvalues": lambda scale: scale * np.linspace(0.2, 2, P),
        "matrix": lambda scale: scale * wishart(rng, P),
    }
    problem = five_sources(shapes[shape], shapes[shape](0.8))
    expected = without_deltas(predict(problem))
    for factor in (1e-3, 7.0, 1e5):
        for change in ({"weight": factor}, {"features": factor}):  # w / features: the margins are the same
            assert without_deltas(predict(scaled(problem, **change))) == pytest.approx(expected, rel=1e-9)
        other_n = replace(problem, N=factor * problem.N, ridge=Ridge(problem.ridge.gamma / factor))
        assert without_deltas(predict(other_n)) == pytest.approx(expected, rel=1e-9)
    if shape == "number":
        assert without_deltas(predict(scaled(problem, size=11))) == pytest.approx(expected, rel=1e-12)


def test_turning_all_labels_turns_the_classifier() -> None:
    problem = five_sources(float, 0.8)
    plain = replace(problem, sources=tuple(replace(s, fit=None) for s in problem.sources))  # fits have right labels
    turned = replace(plain, sources=tuple(replace(s, wrong=1 - s.wrong) for s in plain.sources))
    a, b = predict(plain), predict(turned)
    assert (b.mean_margin, b.variance) == pytest.approx((-a.mean_margin, a.variance), rel=1e-12)
    assert a.accuracy + b.accuracy == pytest.approx(1, rel=1e-12)


# --- monotone facts


def test_an_oracle_is_at_least_no_supervision() -> None:
    axes = {"epsilon": np.linspace(0, 1, 11)[:, None], "m": np.geomspace(1, 1e5, 13)}
    for n in (0, 60):
        setting = mixture(Generator(), n=n, gamma=1.0, omega=1.0, mu=1.0)
        oracle, none = (predict_grid(replace(setting, verifier=v), **axes) for v in (ORACLE, NO_SUPERVISION))
        assert np.all(oracle.accuracy >= none.accuracy - 1e-14)
        assert np.all(oracle.accuracy[1:] > none.accuracy[1:])


def test_accuracy_falls_with_label_noise_through_one_half() -> None:
    epsilon = np.linspace(0, 1, 101)
    accuracy = predict_grid(synthetic_only(200, 100, 1.0, 0.0, WEAK, 1.0), epsilon=epsilon).accuracy
    assert np.all(np.diff(accuracy) < 0) and accuracy[0] > 0.75 and accuracy[-1] < 0.3
    critical = predict(synthetic_only(200, 100, 1.0, 1 / (1 + 0.3 / 0.8), WEAK, 1.0))
    assert critical.accuracy == pytest.approx(0.5, abs=1e-15)


def test_delta_falls_with_gamma_and_rises_with_dimension() -> None:
    for generator in GENERATORS.values():
        by_gamma = predict_grid(mixture(generator), gamma=np.geomspace(1e-8, 1e8, 60)).delta["s"]
        by_p = predict_grid(mixture(generator), p=np.geomspace(2, 1e5, 60)).delta["s"]
        assert np.all(np.diff(by_gamma) < 0) and np.all(np.diff(by_p) > 0)


# --- several test laws


@pytest.mark.parametrize("shape", ["number", "eigenvalues", "matrix"])
def test_several_test_laws_are_each_their_own(shape: str) -> None:
    rng = np.random.default_rng(11)
    shapes = {
        "number": float,
        "eigenvalues": lambda scale: scale * np.linspace(0.2, 2, P),
        "matrix": lambda scale: scale * wishart(rng, P),
    }
    problem = five_sources(shapes[shape], shapes[shape](0.8))
    laws = [Law(mean(rng, P, 1 + k), shapes[shape](1 + k)) for k in range(3)]
    together = predict_tests(problem, laws)
    for law, prediction in zip(laws, together, strict=True):
        same(replace(problem, test=law), prediction, 1e-12)
    same(predict_tests(problem, [problem.test])[0], problem)


# --- estimated means


def test_products_of_the_means_may_be_estimated() -> None:
    rng = np.random.default_rng(12)
    mu = mean(rng, P)
    setting = mixture(Generator("independent", 40), mu=mu, covariance=np.linspace(0.2, 2, P))
    same(setting, setting.with_(mean_squares=mu**2))
    debiased = mu**2 - setting.covariance / 60
    assert predict(setting.with_(mean_squares=debiased)).mean_margin < predict(setting).mean_margin
    blind = predict(setting.with_(mean_squares=np.zeros(P)))
    assert (blind.mean_margin, blind.accuracy) == (0, 0.5)


def test_products_of_the_means_count_with_a_multiple_of_the_identity_too() -> None:
    mu = mean(np.random.default_rng(13), P)
    setting = mixture(Generator(), mu=mu)
    same(setting, setting.with_(mean_squares=mu**2))
    same(setting.with_(mean_squares=mu**2 / 2), mixture(Generator(), mu=np.sqrt(0.5)))


# --- the published formula

TABLE = [  # m, p, mu, epsilon, rho, phi, gamma; mean margin and E[(w^T x)^2], re-derived and published
    ((1000, 500, 1, 0.3, 0.1, 0.8, 0.1), (0.3712, 0.7165), (0.3943, 0.9599)),
    ((1000, 1000, 1, 0.5, 0, 1, 0.01), (0.3290, 0.7340), (0.4647, -1.0604)),
    ((1000, 1000, 1.5, 0.2, 0.2, 0.4, 0.1), (0.3221, 0.3950), (0.4448, 28.81)),
]


@pytest.mark.parametrize(("numbers", "rederived", "published"), TABLE)
def test_the_published_formula_and_the_rederived_one(
    numbers: tuple[float, ...], rederived: tuple[float, float], published: tuple[float, float]
) -> None:
    m, p, mu, epsilon, rho, phi, gamma = numbers
    setting = synthetic_only(m, p, mu, epsilon, Verifier(rho, phi), gamma)
    for formula, expected in (("rederived", rederived), ("published", published)):
        found = predict(setting, formula=formula)
        assert found.mean_margin == pytest.approx(expected[0], abs=6e-5)
        assert found.variance + found.mean_margin**2 == pytest.approx(expected[1], abs=6e-5, rel=2e-4)


def test_the_published_formula_with_real_data() -> None:
    setting = Setting(200, 800, 300, 0.7, 0.4, Verifier(0.3, 0.5), Generator("independent", 400), Ridge(0.1))
    assert predict(setting).variance == pytest.approx(0.4855, abs=1e-4)
    assert predict(setting, formula="published").variance == pytest.approx(0.5605, abs=1e-4)


@pytest.mark.parametrize("name", ["exact", "independent", "independent, mean too"])
def test_without_pruning_the_published_formula_is_right(name: str) -> None:
    for epsilon in (0.0, 0.4, 1.0):
        setting = mixture(GENERATORS[name], epsilon=epsilon, rho=1, phi=1)
        same(predict(setting, formula="published"), setting, 1e-13)
        vectors = in_vectors(setting, covariance=np.linspace(0.1, 2, P))
        same(predict(vectors, formula="published"), vectors, 1e-13)
    pruned = mixture(GENERATORS[name])
    published, rederived = (predict(pruned, formula=f).fixed_point["delta_s"] for f in ("published", "rederived"))
    assert published < 0.7 * rederived


# --- every input of the box has a solution

# 0, or nothing whose products leave floating point: those are refused
shares = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-20, 1))
lengths = st.one_of(st.just(0.0), st.floats(1e-20, 100))


def decades(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


@st.composite
def boxed(draw: st.DrawFn, p: int | None = None) -> Setting:
    """Any setting of the box, of dimension p or with p / N drawn first."""
    eta = draw(decades(-4, 3))
    N = 1e4 if p is None else p / eta
    p = p or max(1, round(eta * N))
    kind, real, beta = draw(st.sampled_from(list(GENERATORS))), draw(shares), draw(st.floats(-2, 2))
    mu, mu_perp = draw(lengths), draw(lengths) if p > 1 else 0.0
    generator = Generator(beta=beta, mu_perp=mu_perp)
    if kind.startswith("independent"):
        n_hat = max(1.0, N * draw(decades(-4, 3)))
        generator = replace(generator, kind="independent", n_hat=n_hat, estimate_mean=kind != "independent")
    elif kind == "self-fitted":
        generator, real = Generator("self-fitted"), max(real, 1e-4)
    verifier, ridge = Verifier(draw(shares), draw(shares)), Ridge(draw(decades(-8, 8)))
    return Setting(real * N, (1 - real) * N, p, mu, draw(shares), verifier, generator, ridge, draw(decades(-4, 4)))


@settings(max_examples=600)
@given(boxed())
def test_every_isotropic_input_is_solved(setting: Setting) -> None:
    found = predict(setting)
    assert found.fixed_point["residual"] <= 1e-12
    assert found.variance >= 0 and 0 <= found.accuracy <= 1
    assert all(np.isfinite(value) and value >= 0 for value in found.fixed_point.values())


def spectra(p: int) -> st.SearchStrategy[np.ndarray]:
    """p eigenvalues from 0 to 1e4; Hypothesis likes to make many of them 0."""
    return arrays(float, p, elements=st.one_of(st.just(0.0), st.floats(1e-4, 1e4)))


@settings(max_examples=150)
@given(st.data(), st.integers(20, 60), st.integers(0, 2**32 - 1))
def test_every_commuting_input_is_solved(data: st.DataObject, p: int, seed: int) -> None:
    setting, own, other = data.draw(boxed(p)), data.draw(spectra(p)), data.draw(spectra(p))
    rng = np.random.default_rng(seed)
    generator = setting.generator
    if generator.kind != "self-fitted":
        generator = replace(generator, mu_perp=mean(rng, p, generator.mu_perp), covariance=other)
    found = predict(setting.with_(mu=mean(rng, p, setting.mu), covariance=own, generator=generator))
    assert found.fixed_point["residual"] <= 1e-12
    assert found.variance >= 0 and 0 <= found.accuracy <= 1


def test_a_variance_that_is_next_to_nothing() -> None:
    """A mean outside of the range of C, hardly any ridge: the margin is 1, the variance still has all its digits."""
    p = 48
    mu, covariance = np.linspace(0.5, 2.5, p), np.where(np.arange(p) < 27, 0.0, np.linspace(0.1, 7, p))
    generator, verifier = Generator("self-fitted"), Verifier(0.1, 0.6)
    setting = Setting(85, 373, p, mu, 0.0, verifier, generator, Ridge(1e-8), 440, covariance)
    tiny = predict(setting)
    assert tiny.mean_margin == pytest.approx(1, rel=1e-10) and 0 < tiny.variance < 1e-18
    finer = predict(setting.with_(gamma=1e-9))  # the variance goes with gamma squared
    assert tiny.variance / finer.variance == pytest.approx(100, rel=1e-5)


@settings(max_examples=40)
@given(boxed(12), st.integers(0, 2**32 - 1))
def test_every_dense_input_is_solved(setting: Setting, seed: int) -> None:
    rng = np.random.default_rng(seed)
    generator = setting.generator
    if generator.kind != "self-fitted":
        generator = replace(generator, mu_perp=mean(rng, 12, generator.mu_perp), covariance=wishart(rng, 12))
    found = predict(setting.with_(mu=mean(rng, 12, setting.mu), covariance=wishart(rng, 12), generator=generator))
    assert found.fixed_point["residual"] <= 1e-12 and found.variance >= 0


@settings(max_examples=200)
@given(boxed(10))
def test_the_scalar_and_the_vector_newton_have_one_solution(setting: Setting) -> None:
    """Two iterations that share nothing, compared in values where a small residual alone could deceive."""
    scalar, vector = predict(setting), predict(in_vectors(setting, covariance=np.ones(10)))
    assume(scalar.variance > 0)
    scale = np.sqrt(scalar.variance)
    assert vector.mean_margin == pytest.approx(scalar.mean_margin, rel=1e-9, abs=1e-9 * scale)
    assert vector.variance == pytest.approx(scalar.variance, rel=1e-8)
    for name in ("delta_r", "delta_s") if len(scalar.fixed_point) > 2 else ("delta_s",):
        assert vector.fixed_point[name] == pytest.approx(scalar.fixed_point[name], rel=1e-10)


@pytest.mark.parametrize("backend", ["isotropic", "spectral", "dense"])
def test_what_did_not_converge_is_not_returned(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setting, rng = mixture(), np.random.default_rng(14)
    if backend == "spectral":
        setting = in_vectors(setting, covariance=np.linspace(0.1, 2, P))
    elif backend == "dense":
        generator = Generator(covariance=wishart(rng, P))
        setting = setting.with_(mu=mean(rng, P), covariance=wishart(rng, P), generator=generator)
    predict(setting)
    monkeypatch.setattr(kernels, "TOLERANCE", -1.0)
    with pytest.raises(NotConverged, match="1 of 1 points were not solved: relative residual"):
        predict(setting)
    with pytest.raises(NotConverged, match="2 of 2 points"):
        predict_grid(setting, gamma=[0.1, 1.0])


# --- bad input

NAN, INF = float("nan"), float("inf")
LAW = Law(np.ones(3))
MATRIX = np.eye(P)


def general(source: Source | None = None, test: Law = LAW, **changes: object) -> Problem:
    return replace(Problem((source or Source("a", 10, LAW),), Ridge(1), 20, 3, test), **changes)


BAD = {
    "negative gamma": (lambda: Ridge(-1), "gamma"),
    "gamma 0": (lambda: Ridge(0), "gamma must be above 0"),
    "no number": (lambda: Ridge("a lot"), "gamma must be a number"),
    **{f"{name} nan": (lambda name=name: mixture(GENERATORS["independent"], **{name: NAN}), "finite") for name in AXES},
    **{
        f"{name} infinite": (lambda name=name: mixture(GENERATORS["independent"], **{name: INF}), "finite")
        for name in AXES
    },
    "epsilon above 1": (lambda: mixture(epsilon=1.1), "epsilon must be at least 0 and at most 1"),
    "rho below 0": (lambda: mixture(rho=-0.1), "rho"),
    "mu negative": (lambda: mixture(mu=-1), "mu"),
    "omega 0": (lambda: mixture(omega=0), "omega"),
    "p no whole number": (lambda: mixture(p=10.5), "whole"),
    "nothing": (lambda: mixture(n=0, m=0), "both 0"),
    "nothing on a grid": (lambda: predict_grid(mixture(n=0), m=[1, 0]), "both 0"),
    "no n-hat": (lambda: Generator("independent"), "needs n-hat"),
    "n-hat of an exact generator": (lambda: Generator(n_hat=10), "does not apply"),
    "n-hat of a self-fitted one": (lambda: Generator("self-fitted", 10), "does not apply"),
    "n-hat 0": (lambda: Generator("independent", 0), "n-hat"),
    "estimate-mean of an exact one": (lambda: Generator(estimate_mean=True), "does not apply"),
    "beta of a self-fitted one": (lambda: Generator("self-fitted", beta=0.5), "beta"),
    "unknown generator": (lambda: Generator("good"), "generator must be one of"),
    "self-fitted on nothing": (lambda: mixture(Generator("self-fitted"), n=0), "n must be above 0"),
    "self-fitted on nothing on a grid": (
        lambda: predict_grid(mixture(Generator("self-fitted")), n=[1, 0]),
        "n must be above 0",
    ),
    "unknown axis": (lambda: predict_grid(mixture(), temperature=[1, 2]), "temperature is no parameter"),
    "axis out of range": (lambda: predict_grid(mixture(), phi=[0.5, 1.5]), "phi"),
    "axes that do not match": (lambda: predict_grid(mixture(), phi=[0.5, 1], rho=[0.1, 0.2, 0.3]), "broadcast"),
    "no threads": (lambda: predict_grid(mixture(), threads=0), "threads"),
    "more threads than there are": (lambda: predict_grid(mixture(), threads=10**6), "threads"),
    "unknown formula": (lambda: predict(mixture(), formula="better"), "formula must be"),
    "published, self-fitted": (lambda: predict(mixture(Generator("self-fitted")), formula="published"), "no formula"),
    "published, a problem": (lambda: predict(mixture().problem(), formula="published"), "Setting"),
    "covariance negative": (lambda: predict(mixture(covariance=-1.0)), "covariance"),
    "covariance nan": (lambda: predict(mixture(covariance=NAN)), "covariance"),
    "covariance text": (lambda: predict(mixture(covariance="I")), "covariance"),
    "too few eigenvalues": (lambda: predict(in_vectors(mixture(), covariance=np.ones(P - 1))), "covariance"),
    "eigenvalue negative": (lambda: predict(in_vectors(mixture(), covariance=-np.ones(P))), "covariance|eigenvalue"),
    "matrix of a wrong size": (lambda: predict(in_vectors(mixture(), covariance=np.eye(P + 1))), "covariance"),
    "matrix not symmetric": (lambda: predict(in_vectors(mixture(), covariance=np.triu(np.ones((P, P))))), "symmetric"),
    "matrix with nan": (lambda: predict(in_vectors(mixture(), covariance=NAN * MATRIX)), "finite"),
    "matrix indefinite": (
        lambda: predict(in_vectors(mixture(), covariance=np.diag(np.linspace(-1, 1, P)))),
        "negative eigenvalue",
    ),
    "matrices, one indefinite": (
        lambda: predict(
            mixture(Generator(covariance=np.diag(np.linspace(-0.1, 1, P))), mu=np.ones(P), covariance=1 + MATRIX)
        ),
        "negative eigenvalue",
    ),
    "matrix and eigenvalues": (
        lambda: predict(mixture(Generator(covariance=np.ones(P)), mu=np.ones(P), covariance=1 + MATRIX)),
        "not both",
    ),
    "eigenvalues without a vector": (lambda: mixture(covariance=np.ones(P)), "mu as a vector"),
    "mu of a wrong size": (lambda: mixture(mu=np.ones(P - 1)), "mu as a vector"),
    "mu with nan": (lambda: mixture(mu=NAN * np.ones(P)), "finite"),
    "length of mu-perp beside a vector": (lambda: mixture(Generator(mu_perp=0.5), mu=np.ones(P)), "mu-perp"),
    "vector of mu-perp beside a length": (lambda: mixture(Generator(mu_perp=np.ones(P))), "mu-perp"),
    "mu-perp of a wrong size": (lambda: mixture(Generator(mu_perp=np.ones(3)), mu=np.ones(P)), "mu-perp"),
    "mu-perp in one dimension": (lambda: mixture(p=1), "second dimension"),
    "mean_squares of a wrong size": (
        lambda: mixture(Generator(), mu=np.ones(P), mean_squares=np.ones(3)),
        "mean_squares",
    ),
    "mean_squares beside a matrix": (
        lambda: predict(mixture(Generator(), mu=np.ones(P), mean_squares=np.ones(P), covariance=1 + MATRIX)),
        "mean_squares",
    ),
    "mean_squares beside a length": (lambda: mixture(mean_squares=np.ones(P)), "give mu as a vector"),
    "mean_squares of a problem": (lambda: mixture(Generator(), mu=np.ones(P), mean_squares=np.ones(P)).problem(), "has no mean_squares"),
    "no sources": (lambda: Problem((), Ridge(1), 10, 3, LAW), "at least one source"),
    "N 0": (lambda: general(N=0), "N must be above 0"),
    "count negative": (lambda: Source("a", -1, LAW), "count of source a"),
    "wrong above 1": (lambda: Source("a", 1, LAW, wrong=2), "wrong labels of source a"),
    "weight 0": (lambda: Source("a", 1, LAW, weight=0), "weight of source a"),
    "fit on nothing": (lambda: predict(general(Source("a", 1, LAW, fit=Fit(0)))), "n-hat"),
    "fit on less than nothing": (lambda: predict(general(Source("a", 1, LAW, fit=Fit(-1)))), "n-hat"),
    "fit that trains without its mean": (lambda: predict(general(Source("a", 1, LAW, fit=Fit(5, 1.0)))), "mean=True"),
    "mean with nan": (lambda: predict(general(test=Law(NAN * np.ones(3)))), "mean"),
    "mean too long": (lambda: predict(general(test=Law(np.ones(4)))), "mean"),
    "two sources of one name": (lambda: predict(general(sources=(Source("a", 1, LAW),) * 2)), "names"),
    "eigenvalues of a wrong size": (lambda: general(test=Law(np.ones(3), np.ones(2))), "eigenvalues|covariance"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line(name: str) -> None:
    attempt, words = BAD[name]
    with pytest.raises(BadInput, match=words) as refused:
        attempt()
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 160


def test_a_mean_of_texts_is_refused() -> None:
    with pytest.raises(BadInput, match="mu must be a number"):
        Setting(5, 5, 3, np.array(["a", "b", "c"]))
