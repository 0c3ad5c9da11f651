"""Family trees for any loss: against ridge's own solver and that of one generator, and against Monte-Carlo, with power."""

from __future__ import annotations

import pytest

from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.any_loss import Loss
from synthmix.solvers.generated.losses import NAMES
from synthmix.solvers.predict import predict
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.tree_losses import solve_tree_loss
from synthmix.solvers.trees import SampleSet, Tree, generations, predict_tree, solve_tree
from synthmix.support.errors import BadInput

SETTING = Setting(150, 450, 120, 1.2, 0.3, Verifier(0.3, 0.8), Generator("independent", 200, estimate_mean=True), Ridge(0.15), 0.7)
OTHERS = [name for name in NAMES if name != "square"]
MIXED = Tree(
    (SampleSet("r", 150, weight=1.0), SampleSet("a", 200, ("r",)), SampleSet("b", 150, ("r", "a"), 0.5),
     SampleSet("s", 400, ("a", "b"), 0.7, 0.3, Verifier(0.3, 0.8))), 120, even_mean(1.3, 120), Ridge(0.15), spectrum("power:0.5", 120),
)  # fmt: skip


def same(one, other, rel: float) -> None:
    assert one.mean_margin == pytest.approx(other.mean_margin, rel=rel)
    assert one.variance == pytest.approx(other.variance, rel=rel)


@pytest.mark.parametrize("tree", [
    generations(SETTING, 1, "replace"), generations(SETTING, 4, "replace"), generations(SETTING, 4, "accumulate"),
    generations(SETTING, 4, "fresh:0.3"), MIXED,
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

    def outside(of) -> bool:
        return any(abs(getattr(of, quantity) - one.mean) > 4 * one.se + 2 / 120 * abs(getattr(theory, quantity))
                   for quantity in ("mean_margin", "variance") for one in [getattr(seen, quantity)])  # fmt: skip

    assert not outside(theory)
    assert outside(predict_tree(tree))
    if name == "replace":
        assert outside(predict_tree(generations(alone, 1, name), loss=loss))


def test_a_generator_fitted_on_wrong_labels_is_refused() -> None:
    tree = Tree((SampleSet("r", 150, epsilon=0.1), SampleSet("s", 400, ("r",), 1.0)), 50, 1.0)
    with pytest.raises(BadInput, match="set r: a generator that is fitted on wrong labels"):
        predict_tree(tree, loss="logistic")
    assert predict_tree(tree).accuracy > 0.5
