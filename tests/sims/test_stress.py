"""The sweep over the box: what it covers, that it is reproducible, and that it would see a failure."""

from __future__ import annotations

import numpy as np
import pytest

import synthmix.sims.stress as module
from synthmix.sims.stress import LOSSES, sweep, sweep_losses
from synthmix.solvers.predict import predict
from synthmix.support.errors import BadInput, NotConverged


def test_every_point_of_a_small_sweep_is_solved() -> None:
    seen = []
    report = sweep(20_000, seed=3, progress=lambda done, total: seen.append((done, total)))
    assert (report.points, report.unsolved, report.seed) == (20_000, 0, 3)
    assert report.spectral.points == 1000 and report.isotropic.rate > 0
    assert report.residual <= 1e-12
    assert predict(report.worst).fixed_point["residual"] == report.residual
    assert seen[-1] == (20_000, 20_000) and seen == sorted(seen)


def test_a_sweep_depends_on_points_and_seed_alone() -> None:
    a, b, other = sweep(400, 1, threads=1), sweep(400, 1), sweep(400, 2)
    assert (a.residual, a.worst.mu) == (b.residual, b.worst.mu)
    assert a.isotropic.worst != other.isotropic.worst


def test_the_points_reach_the_ends_of_the_box() -> None:
    chunks = [module._isotropic(i, size, np.random.default_rng(stream))[1] for i, size, stream in module._chunks(0, 80_000, [0])]
    every = {name: np.concatenate([axes[name] for axes in chunks if name in axes]) for name in chunks[1]}
    low_high = {name: (values.min(), values.max()) for name, values in every.items()}
    for name in ("epsilon", "rho", "phi"):
        assert low_high[name] == (0, 1)
    assert low_high["gamma"] == pytest.approx((1e-8, 1e8))
    assert low_high["omega"] == pytest.approx((1e-4, 1e4))
    assert low_high["p"] == pytest.approx((1e-4 * module.N, 1e3 * module.N))
    assert low_high["mu"] == pytest.approx((0, 100))
    assert low_high["n"] == low_high["m"] == (0, module.N)


def test_a_point_that_is_not_solved_is_counted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    solve, solve_one = module.predict_grid, module.predict

    def failing_grid(setting, **options):
        if np.any(options["gamma"] == 1e8):
            raise NotConverged("too heavy a ridge")
        return solve(setting, **options)

    def failing(setting, **options):
        if setting.ridge.gamma == 1e8:
            raise NotConverged("too heavy a ridge")
        return solve_one(setting, **options)

    monkeypatch.setattr(module, "predict_grid", failing_grid)
    monkeypatch.setattr(module, "predict", failing)
    monkeypatch.setattr(module, "_compile", lambda backend, loss: None)
    report = sweep(400, seed=1)
    assert report.points == 400 and 20 < report.unsolved < 80
    assert report.residual == np.inf and report.worst.ridge.gamma == 1e8


def test_every_point_of_a_small_sweep_of_losses_is_solved() -> None:
    seen = []
    shares = sweep_losses(1200, seed=3, progress=lambda done, total: seen.append((done, total)))
    assert tuple(shares) == LOSSES and all((share.points, share.unsolved) == (200, 0) for share in shares.values())
    assert max(share.residual for share in shares.values()) <= 1e-9 and seen[-1] == (1200, 1200)
    again = sweep_losses(200, 3, losses=["hinge"])["hinge"]
    assert (again.residual, again.worst.mu) == (shares["hinge"].residual, shares["hinge"].worst.mu)
    with pytest.raises(BadInput, match="loss must be one of"):
        sweep_losses(100, losses=["ridge"])


@pytest.mark.parametrize("bad", [{"points": 1}, {"seed": -1}, {"points": float("nan")}, {"threads": 0}])
def test_bad_options(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(bad))):
        sweep(**{"points": 10, **bad})
