"""The checks of the fold can fail: each ingredient broken once."""

from __future__ import annotations

import pytest

from synthmix.derivations.losses import wrong_labels
from synthmix.derivations.special import family_tree


def test_the_checks_hold() -> None:
    assert family_tree.one_generator().holds and family_tree.union_is_one_set().holds


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("reduced", lambda theta, omega, delta: theta * omega),  # handed down at its full weight
        ("reduced", lambda theta, omega, delta: theta * omega / (1 + omega * delta) ** 2),  # reduced twice
        ("seen", lambda omega, delta: delta),  # a fitted covariance taken for the true one
        ("root_loss", lambda root, target, product: root * target**2 / (1 + product)),
    ],
)
def test_a_wrong_fold_is_noticed(monkeypatch: pytest.MonkeyPatch, name: str, broken: object) -> None:
    monkeypatch.setattr(family_tree, name, broken)
    assert not family_tree.one_generator().holds


@pytest.mark.parametrize("name", ["mhat", "variance"])
def test_wrong_labels_that_are_not_mixed_are_noticed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The mean force without its sign; the variance without the direction that is gained."""
    right, wrong = wrong_labels.sides()
    broken = {**wrong_labels.mixed(), name: (1 - wrong_labels.E) * right[name] + wrong_labels.E * wrong[name]}
    assert wrong_labels.ridge().holds
    monkeypatch.setattr(wrong_labels, "mixed", lambda: broken)
    assert not wrong_labels.ridge().holds and not wrong_labels.handing_down().holds
