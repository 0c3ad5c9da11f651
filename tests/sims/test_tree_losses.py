"""Family trees for any loss: against ridge's own solver and that of one generator, and against Monte-Carlo, with power."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.any_loss import Loss
from synthmix.solvers.generated import wrong_labels
from synthmix.solvers.generated.losses import NAMES
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.tree_losses import solve_tree_loss
from synthmix.solvers.trees import SampleSet, Tree, generations, predict_tree, solve_tree

SETTING = Setting(150, 450, 120, 1.2, 0.3, Verifier(0.3, 0.8), Generator("independent", 200, estimate_mean=True), Ridge(0.15), 0.7)
OTHERS = [name for name in NAMES if name != "square"]
MIXED = Tree(
    (SampleSet("r", 150, weight=1.0), SampleSet("a", 200, ("r",)), SampleSet("b", 150, ("r", "a"), 0.5),
     SampleSet("s", 400, ("a", "b"), 0.7, 0.3, Verifier(0.3, 0.8))), 120, even_mean(1.3, 120), Ridge(0.15), spectrum("power:0.5", 120),
)  # fmt: skip
# generators fitted on wrong labels: of real samples, of samples that train, of both to the second generation
WRONG = replace(MIXED, sets=(
    SampleSet("r", 150, weight=1.0, epsilon=0.15), SampleSet("a", 250, ("r",), 0.0, 0.3, Verifier(0.4, 0.9)),
    SampleSet("b", 200, ("r", "a"), 0.5, 0.1), SampleSet("s", 400, ("a", "b"), 0.7, 0.3, Verifier(0.3, 0.8)),
))  # fmt: skip


def outside(of, seen, theory) -> bool:
    """Whether a prediction is more than 4 standard errors and a finite-size budget of 2 / p off what was simulated."""
    return any(abs(getattr(of, quantity) - one.mean) > 4 * one.se + 2 / 120 * abs(getattr(theory, quantity))
               for quantity in ("mean_margin", "variance") for one in [getattr(seen, quantity)])  # fmt: skip


def same(one, other, rel: float) -> None:
    assert one.mean_margin == pytest.approx(other.mean_margin, rel=rel)
    assert one.variance == pytest.approx(other.variance, rel=rel)


@pytest.mark.parametrize("tree", [
    generations(SETTING, 1, "replace"), generations(SETTING, 4, "replace"), generations(SETTING, 4, "accumulate"),
    generations(SETTING, 4, "fresh:0.3"), MIXED, WRONG,
])  # fmt: skip
def test_the_square_loss_is_ridge(tree: Tree) -> None:
    same(solve_tree_loss(tree, Loss.of("square")), solve_tree(tree), 1e-8)


@pytest.mark.parametrize("loss", OTHERS)
def test_one_generation_is_the_independent_generator(loss: str) -> None:
    same(predict_tree(generations(SETTING, 1, "replace"), loss=loss), predict(SETTING, loss=loss), 1e-7)


@pytest.mark.parametrize("loss", OTHERS)
def test_a_generator_fitted_on_the_training_samples_is_the_self_fitted_one(loss: str) -> None:
    setting = SETTING.with_(generator=Generator("self-fitted"), gamma=0.5)
    sets = (SampleSet("r", 150, weight=1.0), SampleSet("s", 450, ("r",), 0.7, 0.3, Verifier(0.3, 0.8)))
    same(predict_tree(Tree(sets, 120, 1.2, Ridge(0.5)), loss=loss), predict(setting, loss=loss), 1e-7)


@pytest.mark.parametrize("loss", ["logistic", "squared-hinge", "hinge"])
@pytest.mark.parametrize("name", ["replace", "accumulate", "fresh:0.3", "mixed"])
def test_the_theory_is_what_simulations_say(loss: str, name: str) -> None:
    """Power: the theory of ridge, and of one generation, fall outside."""
    alone = SETTING.with_(n=0, epsilon=0.1)
    tree = MIXED if name == "mixed" else generations(alone, 3, name)
    theory, seen = predict_tree(tree, loss=loss), simulate(tree, trials=40, loss=loss, seed=OTHERS.index(loss))
    assert not outside(theory, seen, theory)
    assert outside(predict_tree(tree), seen, theory)
    if name == "replace":
        assert outside(predict_tree(generations(alone, 1, name), loss=loss), seen, theory)


@pytest.mark.parametrize("loss", ["logistic", "squared-hinge", "hinge"])
def test_generators_fitted_on_wrong_labels(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Power: a generator that has not gained the direction of the mean falls outside; so do right labels in what it is fitted on."""
    tree = Tree(
        (SampleSet("r", 400, weight=0.3, epsilon=0.25), SampleSet("a", 300, ("r",), 0.5, 0.1),
         SampleSet("s", 500, ("r", "a"), 1.0, 0.1, Verifier(0.3, 0.8))), 120, even_mean(2.0, 120), Ridge(0.15), spectrum("power:0.5", 120),
    )  # fmt: skip
    theory, seen = predict_tree(tree, loss=loss), simulate(tree, trials=400, loss=loss, seed=OTHERS.index(loss))
    assert not outside(theory, seen, theory)
    right = replace(tree, sets=(*(replace(each, epsilon=0.0) for each in tree.sets[:-1]), tree.sets[-1]))
    assert outside(predict_tree(right, loss=loss), seen, theory)
    whole = wrong_labels.mixed_step

    def not_gained(e: float, *steps: float) -> tuple[float, ...]:
        mhat, s, qhat, mean, variance, leverage = whole(e, *steps)
        return mhat, s, qhat, mean, variance - e * (1 - e) * (steps[3] - steps[9]) ** 2, leverage

    monkeypatch.setattr(wrong_labels, "mixed_step", not_gained)
    assert outside(predict_tree(tree, loss=loss), seen, theory)


@pytest.mark.parametrize("loss", ["logistic", "squared-hinge", "hinge"])
def test_wrong_labels_to_the_second_generation(loss: str) -> None:
    theory, seen = predict_tree(WRONG, loss=loss), simulate(WRONG, trials=100, loss=loss, seed=OTHERS.index(loss))
    assert not outside(theory, seen, theory)


def test_wrong_labels_in_all_samples_of_a_base_mirror_the_generator() -> None:
    base, mirrored = SampleSet("r", 200), SampleSet("r", 200, epsilon=1.0)
    one = predict_tree(Tree((base, SampleSet("s", 400, ("r",), 1.0, 0.2)), 100, 1.2), loss="logistic")
    other = predict_tree(Tree((mirrored, SampleSet("s", 400, ("r",), 1.0, 0.2)), 100, 1.2), loss="logistic")
    assert (other.mean_margin, other.variance) == pytest.approx((-one.mean_margin, one.variance), rel=1e-7)
