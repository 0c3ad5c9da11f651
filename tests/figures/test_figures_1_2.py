"""Figures 1 and 2: the Marchenko-Pastur law against the generated fixed point, the measured traces, and the claims of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from synthmix.figures import figure1, figure2
from synthmix.figures.kit.run import Run
from synthmix.sims.traces import _resolvent_traces
from synthmix.sims.trial import Factor, TrainingSet
from synthmix.solvers.marchenko_pastur import MarchenkoPastur
from synthmix.solvers.predict import predict, predict_grid
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.support.errors import BadInput

RATIOS = (1e-4, 0.1, 0.7, 1.0, 2.0, 30.0)


@pytest.mark.parametrize("ratio", RATIOS)
def test_cdf_is_the_integral_of_the_pdf(ratio: float) -> None:
    law = MarchenkoPastur(ratio)
    low, high = law.edges
    for x in low + (high - low) * np.array([0.03, 0.4, 0.9, 1.0]):
        assert law.cdf(x) == pytest.approx(law.atom + quad(law.pdf, low, x, epsabs=1e-12, limit=400)[0], abs=1e-10)
    assert law.cdf([-0.1, high, 2 * high]).tolist() == [0, 1, 1]
    assert law.cdf(low / 2) == pytest.approx(law.atom, abs=1e-12)
    assert law.atom == max(0, 1 - 1 / ratio)
    assert law.pdf([low - 0.1, high + 0.1]).tolist() == [0, 0]


def stieltjes(law: MarchenkoPastur, z: float) -> tuple[float, float]:
    """The integral of 1 / (x + z) over the law: from its density, and from its distribution function by parts."""
    low, high = law.edges
    density = quad(lambda x: law.pdf(x) / (x + z), low, high, epsabs=1e-12, limit=400)[0] + law.atom / z
    parts = quad(lambda x: law.cdf(x) / (x + z) ** 2, 0, high, points=[low], epsabs=1e-12, limit=400)[0] + 1 / (high + z)
    return density, parts


@pytest.mark.parametrize("n", [0, 300])
@pytest.mark.parametrize("ratio", [0.2, 1.0, 2.0])
def test_the_fixed_point_sees_the_law(ratio: float, n: int) -> None:
    """Given Sigma_beta, Qbar = (b + s Sigma_beta)^{-1} with b = gamma + pi / (1 + d_r) and s = alpha (1 - pi) / (1 + d_s), so

    d_r = (eta / s) g(b / s) and d_s = (eta / s) (1 - (b / s) g(b / s)), g being the law's Stieltjes transform.
    """
    p = 200
    setting = Setting(n, 700, p, 1.0, 0.3, Verifier(0.4, 0.9), Generator("independent", p / ratio), Ridge(0.2))
    solved = predict(setting).fixed_point
    base = setting.ridge.gamma + setting.pi / (1 + solved["delta_r"])
    strength = setting.alpha * (1 - setting.pi) / (1 + solved["delta_s"])
    z, scale = base / strength, p / setting.N / strength
    for g in stieltjes(MarchenkoPastur(ratio), z):
        assert solved["delta_r"] == pytest.approx(scale * g, rel=1e-8)
        assert solved["delta_s"] == pytest.approx(scale * (1 - z * g), rel=1e-8)
    assert abs(scale * stieltjes(MarchenkoPastur(1.05 * ratio), z)[0] / solved["delta_r"] - 1) > 1e-3  # the check can fail


@pytest.mark.parametrize("ratio", [0, -1, float("nan")])
def test_a_ratio_is_positive(ratio: float) -> None:
    with pytest.raises(BadInput, match="ratio"):
        MarchenkoPastur(ratio)


@pytest.mark.parametrize("q", [4, 12, 30])
def test_resolvent_traces_are_those_of_the_inverse(q: int) -> None:
    """Both systems, the samples' Gram matrix and its dual, for every shape of a covariance's root."""
    p, rng = 12, np.random.default_rng(q)
    data = TrainingSet(rng.standard_normal((p, 1)), np.ones(1), (rng.standard_normal((p, q - 1)),))
    samples = np.concatenate([data.columns, *data.scatter], axis=1)
    roots = [np.array(1.5), rng.random(p), rng.standard_normal((p, 5))]
    resolvent = np.linalg.inv(samples @ samples.T + 0.3 * np.eye(p))
    wanted = [np.trace(cov @ resolvent) for cov in (roots[0] ** 2 * np.eye(p), np.diag(roots[1] ** 2), roots[2] @ roots[2].T)]
    assert _resolvent_traces(data, 0.3, [Factor(root, p) for root in roots]) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("figure", [figure1, figure2])
def test_every_claim_holds(figure) -> None:
    built = figure.build(figure.QUICK, Run(seed=1, jobs=2))
    assert [claim.name for claim in built.claims if not claim.holds] == []
    assert any(claim.kind == "falls outside" for claim in built.claims)


SMALL = replace(figure2.QUICK, n=200, measured=((50, 6), (300, 6), (600, 6)))


def test_figure_2_is_the_same_for_any_number_of_workers() -> None:
    one, two = (figure2.build(SMALL, Run(seed=3, jobs=jobs)) for jobs in (1, 2))
    assert one.claims == two.claims


def test_figure_2_notices_a_wrong_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure2, "predict_grid", lambda curve, **rest: predict_grid(curve.with_(rho=0.5), **rest))
    failed = {claim.name.split(",")[0] for claim in figure2.build(SMALL, Run(seed=3)).claims if not claim.holds}
    assert {"d_r", "d_s", "d_g"} <= failed


def test_figure_1_notices_another_spectrum(monkeypatch: pytest.MonkeyPatch) -> None:
    law = figure1.MarchenkoPastur
    monkeypatch.setattr(figure1, "MarchenkoPastur", lambda ratio: law(1.4 * ratio))
    failed = {claim.name.split(",")[0] for claim in figure1.build(figure1.QUICK, Run(seed=3)).claims if not claim.holds}
    assert {"Kolmogorov-Smirnov distance", "largest eigenvalue"} <= failed
