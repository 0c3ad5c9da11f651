"""Random calls of the Python API: whatever is passed, the answer is finite or the refusal is BadInput or NotConverged."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import synthmix as sm
from synthmix.solvers.generated.losses import NAMES as LOSSES
from tests.fuzz.oracle import time_limit

ODD = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.just(10**400), st.just([]), st.just([1, 2]), st.just({}), st.just(object),
    st.just(1j), st.just(np.array([[1.0, 2.0]])), st.just(np.array("x")), st.just(np.datetime64("2020-01-01")), st.floats(), st.just(b"1"),
    st.builds(lambda: np.asmatrix(np.eye(2))),
)  # fmt: skip
NUMBER = st.one_of(st.integers(0, 500), st.floats(0, 10), st.floats(allow_nan=False, allow_infinity=False))
ARGUMENT = st.one_of(*[NUMBER] * 12, ODD)
SHARE = st.one_of(*[st.floats(0, 1)] * 12, ODD)


def _finite(prediction: sm.Prediction) -> None:
    values = [getattr(prediction, name) for name in ("mean_margin", "variance", "accuracy", "risk")]
    assert np.isfinite(values).all(), f"not finite: {values}"
    assert prediction.variance >= 0 and 0 <= prediction.accuracy <= 1


def _quietly(call: object) -> None:
    with time_limit(), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # of NumPy: an overflow that nobody looked at
        try:
            call()
        except (sm.BadInput, sm.NotConverged) as refusal:
            assert len(str(refusal).splitlines()) == 1 and len(str(refusal)) < 1000, f"no single line: {refusal!s:.500}"


@given(n=ARGUMENT, m=ARGUMENT, p=ARGUMENT, mu=ARGUMENT, epsilon=SHARE, rho=SHARE, phi=SHARE, gamma=ARGUMENT, omega=ARGUMENT,
       kind=st.sampled_from(["exact", "independent", "self-fitted", "other", None]), n_hat=ARGUMENT, mean=st.booleans(), beta=ARGUMENT,
       covariance=st.one_of(st.just(1.0), ARGUMENT), loss=st.one_of(*[st.just("square")] * 4, st.sampled_from(LOSSES), ODD))  # fmt: skip
def predict(n, m, p, mu, epsilon, rho, phi, gamma, omega, kind, n_hat, mean, beta, covariance, loss) -> None:
    """`predict` of any setting."""

    def call() -> None:
        fitted = kind == "independent"
        generator = sm.Generator(kind, n_hat if fitted else None, mean and fitted, 1.0 if kind == "self-fitted" else beta)
        setting = sm.Setting(n, m, p, mu, epsilon, sm.Verifier(rho, phi), generator, sm.Ridge(gamma), omega, covariance)
        _finite(sm.predict(setting, loss=loss))

    _quietly(call)


@given(name=st.sampled_from([field.name for field in fields(sm.Setting)] + ["gamma", "rho", "phi", "n_hat", "nothing"]),
       values=st.one_of(st.lists(NUMBER, max_size=4), ODD, st.lists(ODD, max_size=2)))  # fmt: skip
def grid(name: str, values: object) -> None:
    """`predict_grid` over any parameter."""
    setting = sm.Setting(100, 400, 50, 1.0, 0.2, sm.Verifier(0.2, 0.9))
    _quietly(lambda: sm.predict_grid(setting, **{name: values}))


@given(means=st.one_of(ODD, st.lists(st.lists(NUMBER, min_size=1, max_size=3), max_size=3)), counts=ARGUMENT, covariance=ARGUMENT)
def laws(means: object, counts: object, covariance: object) -> None:
    """Sources and laws of any problem."""

    def call() -> None:
        several = means if isinstance(means, list) else [means]
        sources = tuple(sm.Source(str(i), counts, sm.Law(mean, covariance)) for i, mean in enumerate(several))
        sm.Problem(sources, sm.Ridge(1.0), 100.0, 3, sm.Law(np.ones(3)))

    _quietly(call)


@given(p=st.one_of(st.integers(1, 5), ARGUMENT), means=st.lists(st.lists(NUMBER, min_size=3, max_size=3), min_size=1, max_size=4),
       n=ARGUMENT, m=ARGUMENT, noise=st.one_of(SHARE, st.builds(lambda: np.array([[1.0, 2.0]]))), omega=ARGUMENT, angle=ARGUMENT,
       share=SHARE, scheme=st.one_of(
           st.sampled_from(["replace", "accumulate", "fresh:0.2", "fresh:2"]), ODD), depth=st.one_of(st.integers(-1, 5), ODD),
       keep=st.one_of(st.sampled_from(["hard", "easy", "best"]), ODD))  # fmt: skip
def models(p, means, n, m, noise, omega, angle, share, scheme, depth, keep) -> None:
    """Several classes, family trees, selection by a score, and critical noise."""

    def classes() -> None:
        laws, each = tuple(sm.Law(np.array(mean)) for mean in means), len(means)
        matrix = np.full((each, each), noise) if isinstance(noise, float) else noise
        _shares(sm.predict_classes(sm.ClassMixture(laws, (n,) * each, (m,) * each, matrix, omega=omega)).accuracy)

    def tree() -> None:
        setting = sm.Setting(n, m, p, 1.0, 0.2, sm.Verifier(share, 0.9), sm.Generator("independent", 50), omega=omega)
        _finite(sm.predict_tree(sm.generations(setting, depth, scheme)))

    def selection() -> None:
        setting = sm.Setting(n, m, 3, np.array([1.0, 0.5, 0.2]), 0.2, omega=omega)
        rule = sm.keep_share(keep, share, setting, sm.score_direction(setting, angle))
        _finite(sm.predict_selection(sm.Selection(setting, rule)))

    for call in (classes, tree, selection, lambda: _shares(sm.critical_noise(sm.Verifier(share, 0.9)))):
        _quietly(call)


def _shares(value: float) -> None:
    assert 0 <= value <= 1, f"no share: {value}"


FEATURES = st.one_of(st.lists(st.lists(NUMBER, min_size=2, max_size=2), max_size=8), ODD)
LABELS = st.one_of(st.lists(st.integers(0, 1), max_size=8), st.lists(st.sampled_from(["a", "b", None, 1.5]), max_size=8), ODD)


@given(X=FEATURES, y=LABELS, synthetic=st.one_of(st.none(), st.lists(st.booleans(), max_size=8), ODD),
       alpha=st.one_of(st.just("auto"), ARGUMENT), weight=st.one_of(st.just("auto"), ARGUMENT), relabelled=st.booleans())  # fmt: skip
def fits(X, y, synthetic, alpha, weight, relabelled) -> None:
    """Estimators on any arrays: what they refuse is a ValueError, as scikit-learn has it."""

    def call() -> None:
        model = sm.RelabelledMix(alpha) if relabelled else sm.SyntheticMixRidge(alpha, weight)
        fitted = model.fit(X, y, synthetic=synthetic)
        assert len(fitted.predict(X)) == len(y)

    with time_limit(), warnings.catch_warnings(), suppress(ValueError, TypeError, sm.NotConverged):  # scikit-learn's checks raise both
        warnings.simplefilter("ignore")
        call()


PROPERTIES = (predict, grid, laws, models, fits)
