"""The theory of every loss against Monte-Carlo, and proof that the comparison can fail; comparison and budget as for the square loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_theory_vs_simulation import QUANTITIES, critical, dimension, outcomes, surprises

from synthmix.sims.monte_carlo import Estimate, simulate
from synthmix.solvers import loss_side
from synthmix.solvers.generated.losses import NAMES
from synthmix.solvers.predict import Prediction, predict
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

TRIALS = 60
KINDS = {
    "exact": Generator(beta=0.8, mu_perp=0.4),
    "fitted": Generator("independent", 200, beta=0.9),
    "mean fitted too": Generator("independent", 200, estimate_mean=True),
    "self-fitted": Generator("self-fitted"),
}
SETTING = Setting(150, 450, 120, 1.2, 0.3, Verifier(0.3, 0.8), Generator(), Ridge(0.15), 0.7)
OTHERS = [name for name in NAMES if name != "square"]
LIMIT = critical(3 * len(NAMES) * len(KINDS))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", NAMES)
def test_the_theory_is_what_simulations_say(loss: str, kind: str) -> None:
    setting = SETTING.with_(generator=KINDS[kind])
    seed = [NAMES.index(loss), list(KINDS).index(kind)]
    measured = outcomes(simulate(setting, trials=TRIALS, seed=10 * seed[0] + seed[1], loss=loss, sampler="direct"))
    assert np.abs(surprises(predict(setting, loss=loss), measured, dimension(setting))).max() < LIMIT


@pytest.mark.parametrize("kind", ["mean fitted too", "self-fitted"])
def test_generated_samples_that_gather_on_the_kink(kind: str) -> None:
    """All margins of the synthetic samples are 1: they have no leverage, and no variance, but the classifier is that of the theory."""
    setting = SETTING.with_(generator=KINDS[kind], epsilon=0.1, gamma=0.01)
    setting = setting.with_(n_hat=15) if kind != "self-fitted" else setting.with_(n=24, m=600)
    theory = predict(setting, loss="hinge")
    assert theory.fixed_point["delta_s"] < 1e-12
    measured = outcomes(simulate(setting, trials=TRIALS, seed=1, loss="hinge"))
    assert np.abs(surprises(theory, measured, dimension(setting))).max() < critical(2 * len(QUANTITIES))


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Estimate]]:
    """Simulations with an exact generator, of every loss but the square one."""
    return {loss: outcomes(simulate(SETTING, trials=2 * TRIALS, seed=1, loss=loss)) for loss in OTHERS}


def by_hand(loss: str, *, curvature: float = 1.0, leverage: float = 1.0) -> Prediction:
    """SETTING by plain damped iteration, curvature and leverage of the loss side multiplied by these factors."""
    (kind, threshold), s = loss_side.kind_of(loss), SETTING
    sources = ((s.n / s.N, 1.0, 0.0), (s.alpha * s.m / s.N, s.omega, s.verifier.wrong(s.epsilon)))
    pulls, work = np.zeros((2, 3)), np.empty((2, loss_side.MOMENTS))
    for step in range(400):
        b, force, noise = 1 / (s.ridge.gamma + curvature * pulls[:, 1].sum()), pulls[:, 0].sum(), pulls[:, 2].sum()
        margin = s.mu**2 * b * force
        variance = (s.mu * b * force) ** 2 + s.p / s.N * b * b * noise
        seen = np.array([margin, max(variance, 1e-4), leverage * s.p / s.N * b])
        forces = [loss_side.forces(kind, threshold, theta, c, e, seen, loss_side.FINE, *work)[:3] for theta, c, e in sources]
        pulls += (0.3 if step else 1.0) * (np.array(forces) - pulls)
    return replace(predict(s, loss=loss), mean_margin=margin, variance=variance)


def refuted(theory: Prediction, measured: dict[str, Estimate]) -> bool:
    return bool(np.abs(surprises(theory, measured, dimension(SETTING)))[:2].max() > critical(len(QUANTITIES) * len(OTHERS)))


@pytest.mark.parametrize("loss", OTHERS)
def test_a_wrong_loss_side_is_refuted(loss: str, measured: dict[str, dict[str, Estimate]]) -> None:
    right = by_hand(loss)
    theory = predict(SETTING, loss=loss)
    np.testing.assert_allclose([right.mean_margin, right.variance], [theory.mean_margin, theory.variance], rtol=1e-6)
    assert not refuted(right, measured[loss])
    assert refuted(by_hand(loss, leverage=1e-9), measured[loss]), "no proximal step"
    assert refuted(by_hand(loss, curvature=0.8), measured[loss]), "the curvature is 20% less"


@pytest.mark.parametrize("loss", OTHERS)
def test_a_theory_that_leaves_something_out_is_refuted(loss: str, measured: dict[str, dict[str, Estimate]]) -> None:
    """The pruning, the weight, or which loss it is."""
    assert refuted(predict(SETTING.with_(rho=1, phi=1), loss=loss), measured[loss])
    assert refuted(predict(SETTING.with_(omega=1.0), loss=loss), measured[loss])
    assert refuted(predict(SETTING), measured[loss])
