"""Figure loss: the iteration that wrong theories are made by is the solver's fixed point, and the best ridge is the best."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.figures.figure_loss import FIGURE, LOSSES, SPECTRA, Place, _setting, iterated
from synthmix.solvers.predict import predict, predict_grid


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_iteration_without_a_fault_is_the_theory(loss: str, spectrum: str) -> None:
    for ratio in FIGURE.quick.ratios:
        setting = _setting(FIGURE.quick, Place(spectrum, 0.3, ratio, False), loss)
        right = predict(setting, loss=loss)
        np.testing.assert_allclose(iterated(setting, loss), (right.mean_margin, right.variance), rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_other_ridge_is_better(loss: str) -> None:
    setting = _setting(FIGURE.quick, Place("power:1", 0.3, 0.2), loss)
    best = predict(setting, loss=loss).accuracy
    assert best >= predict_grid(setting, gamma=np.geomspace(1e-3, 30, 200), loss=loss).accuracy.max() - 1e-5
