"""Random calls of the Python API: whatever is passed, the answer is finite or the refusal is BadInput or NotConverged."""

from __future__ import annotations

import warnings
from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import synthmix as sm
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
       covariance=st.one_of(st.just(1.0), ARGUMENT))  # fmt: skip
def predict(n, m, p, mu, epsilon, rho, phi, gamma, omega, kind, n_hat, mean, beta, covariance) -> None:
    """`predict` of any setting."""

    def call() -> None:
        fitted = kind == "independent"
        generator = sm.Generator(kind, n_hat if fitted else None, mean and fitted, 1.0 if kind == "self-fitted" else beta)
        _finite(sm.predict(sm.Setting(n, m, p, mu, epsilon, sm.Verifier(rho, phi), generator, sm.Ridge(gamma), omega, covariance)))

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


PROPERTIES = (predict, grid, laws)
