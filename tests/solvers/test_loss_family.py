"""The best mix under any loss: against the family of the square loss, difference quotients, and dense grids."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.solvers.best_mix import DIRECTIONS, Family, best_mix, settled
from synthmix.solvers.loss_family import LossFamily
from synthmix.solvers.predict import predict_grid
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.support.errors import BadInput

GENERATORS = {"exact": Generator(beta=0.8, mu_perp=0.3), "independent": Generator("independent", 150),
              "self-fitted": Generator("self-fitted")}  # fmt: skip
MIX = (800.0, 0.6, 0.1)  # m, omega, gamma
OTHERS = ("logistic", "hinge", "squared-hinge", "huber", "probit")


def setting(kind: str) -> Setting:
    return Setting(200, MIX[0], 100, 1.2, 0.35, Verifier(0.3, 0.8), GENERATORS[kind], Ridge(MIX[2]), omega=MIX[1])


@pytest.mark.parametrize("kind", GENERATORS)
def test_the_square_loss_has_the_slopes_of_its_own_family(kind: str) -> None:
    closed = Family.of_setting(setting(kind))
    for m in (MIX[0], 0.0):
        one, other = closed.at(m, *MIX[1:]), LossFamily(setting(kind), "square").at(m, *MIX[1:])
        assert other.accuracy == pytest.approx(one.accuracy, rel=1e-10)
        for name in DIRECTIONS:
            scale = abs(getattr(one, f"d_{name}")) + 1e-6
            assert abs(getattr(other, f"d_{name}") - getattr(one, f"d_{name}")) < (1e-4 if m else 0.02) * scale, name


@pytest.mark.parametrize("loss", OTHERS)
@pytest.mark.parametrize("kind", ["exact", "self-fitted"])
def test_never_worse_than_a_grid(loss: str, kind: str) -> None:
    one, budget = setting(kind), 3000.0
    family = LossFamily(one, loss)
    m, omega = np.array([0.0, 300, budget])[:, None, None], np.geomspace(1e-2, 1e2, 9)[:, None]
    gamma = np.geomspace(1e-2, 1e2, 13) * one.n / (one.n + m)
    grid = predict_grid(one, loss=loss, m=m, omega=omega, gamma=gamma).accuracy
    found = best_mix(family, budget)
    assert found.accuracy >= grid.max() - 1e-4
    assert found.accuracy == pytest.approx(float(predict_grid(one, loss=loss, m=found.m, omega=found.omega, gamma=found.gamma).accuracy))
    alone = best_mix(family, 0.0)
    assert (alone.m, alone.omega) == (0.0, 1.0) and alone.accuracy >= grid[0].max() - 1e-4
    calm = settled(family, found, 5e-4)
    assert calm.gamma <= found.gamma and calm.accuracy >= found.accuracy - 5e-4


def test_matrices_are_covered() -> None:
    """In a rotated basis the same mix is best."""
    rng, p = np.random.default_rng(0), 20
    eigenvalues, turn, mu = np.linspace(0.4, 2, p), np.linalg.qr(rng.standard_normal((p, p)))[0], np.full(p, 1.5 / np.sqrt(p))
    one, other = (LossFamily(Setting(60, 1, p, mean, 0.3, covariance=covariance, generator=Generator(covariance=other)), "logistic")
                  for mean, covariance, other in ((mu, eigenvalues, eigenvalues[::-1].copy()),
                                                  (turn @ mu, turn * eigenvalues @ turn.T, turn * eigenvalues[::-1] @ turn.T)))
    a, b = one.at(100.0, 0.5, 0.3), other.at(100.0, 0.5, 0.3)
    assert other.size == pytest.approx(one.size)
    np.testing.assert_allclose([b.accuracy, b.d_log_omega, b.d_m], [a.accuracy, a.d_log_omega, a.d_m], rtol=1e-6)


@pytest.mark.parametrize(("made", "message"), [
    (lambda: LossFamily(setting("exact"), "ridge"), "loss must be one of"),
    (lambda: LossFamily(setting("exact"), "hinge", 1.0), "has none"),
    (lambda: LossFamily(None, "hinge"), "must be a Setting"),
    (lambda: LossFamily(setting("exact"), "hinge").at(1, 0, 1), "omega must be above"),
])
def test_bad_input_is_one_line(made: object, message: str) -> None:
    with pytest.raises(BadInput, match=message) as raised:
        made()
    assert "\n" not in str(raised.value)
