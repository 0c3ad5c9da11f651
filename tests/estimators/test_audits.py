"""Audits: what they count, how often their intervals cover the truth, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from synthmix.estimators.audits import audit
from synthmix.support.errors import BadInput


def audited(rng: np.random.Generator, size: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four classes, epsilon 0.3, rho 0.2, phi 0.9."""
    true = rng.integers(4, size=size)
    labels = np.where(rng.random(size) < 0.3, (true + 1) % 4, true)
    return labels, true, rng.random(size) < np.where(labels == true, 0.9, 0.2)


def test_an_audit_covers_the_truth_as_often_as_it_says():
    audits = [audit(*audited(np.random.default_rng(seed)), confidence=0.9) for seed in range(1000)]
    for name, truth in (("epsilon", 0.3), ("rho", 0.2), ("phi", 0.9)):
        proportions = [getattr(one, name) for one in audits]
        covered = np.mean([one.low <= truth <= one.high for one in proportions])
        assert 0.86 < covered < 0.94, name  # 4 standard errors, and what a discrete count allows
        assert np.mean([one.share for one in proportions]) == pytest.approx(truth, abs=0.005)


def test_what_an_audit_counts():
    found = audit(np.array([1, 1, 2, 2, 3]), np.array([1, 2, 2, 1, 3]), np.array([1, 0, 1, 1, 0]))
    assert (found.epsilon.count, found.epsilon.total) == (2, 5)
    assert (found.rho.count, found.rho.total) == (1, 2)
    assert (found.phi.count, found.phi.total) == (2, 3)
    assert found.phi.low < found.phi.share < found.phi.high


def test_no_wrong_label_leaves_rho_open():
    found = audit(np.ones(5), np.ones(5), np.ones(5, dtype=bool))
    assert np.isnan(found.rho.share) and (found.rho.low, found.rho.high) == (0, 1)
    assert found.epsilon.share == 0 and found.epsilon.low == 0 and 0.3 < found.epsilon.high < 0.6


@pytest.mark.parametrize(
    ("labels", "true_labels", "keep", "confidence"),
    [
        ([], [], [], 0.95),
        ([1, 2], [1], [True, True], 0.95),
        ([1, 2], [1, 2], [True], 0.95),
        ([[1, 2]], [[1, 2]], [[True, True]], 0.95),
        ([1, 2], [1, 2], [0.5, 1.0], 0.95),
        ([1, np.nan], [1, 2], [True, True], 0.95),
        ([1, 2], [1, 2], [True, True], 1.5),
        ([1, 2], [1, 2], [True, True], 0),
    ],
)
def test_what_is_no_audit_is_refused_in_one_line(labels, true_labels, keep, confidence):
    with pytest.raises(BadInput) as refused:
        audit(np.array(labels), np.array(true_labels), np.array(keep), confidence=confidence)
    assert "\n" not in str(refused.value)
