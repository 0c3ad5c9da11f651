"""Lines of generators in closed form: against the fold of the same tree, against their limits, and what keeps an accuracy for ever."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw, ndtr, ndtri

from synthmix.sims.monte_carlo import simulate
from synthmix.solvers.collapse import predict_line, smallest_fresh_share, weakest_verifier
from synthmix.solvers.generated import collapse
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier
from synthmix.solvers.spectra import even_mean, spectrum
from synthmix.solvers.trees import SampleSet, generations, predict_tree
from synthmix.support.errors import BadInput

SETTING = Setting(100, 800, 200, 1.5, 0.2, Verifier(0.2, 0.9), Generator("independent", 300, estimate_mean=True), Ridge(0.1))
ALONE = replace(SETTING, n=0, epsilon=0.0)


def same(one, other, rel: float = 1e-9) -> None:
    for name in ("mean_margin", "variance"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=rel)


@given(
    n=st.integers(0, 400), m=st.integers(50, 5000), p=st.integers(2, 500), mu=st.floats(0.1, 4), epsilon=st.floats(0, 0.9),
    gamma=st.floats(1e-2, 1e2), omega=st.floats(1e-1, 1e1), n_hat=st.integers(10, 1000), depth=st.integers(1, 7),
    scheme=st.sampled_from(["replace", "accumulate", "fresh:0.2", "fresh:0.7", "fresh:1"]),
)  # fmt: skip
def test_a_line_is_the_tree(n, m, p, mu, epsilon, gamma, omega, n_hat, depth, scheme) -> None:
    setting = replace(SETTING, n=n, m=m, p=p, mu=mu, epsilon=epsilon, generator=replace(SETTING.generator, n_hat=n_hat),
                      ridge=Ridge(gamma), omega=omega)  # fmt: skip
    same(predict_line(setting, scheme, depth), predict_tree(generations(setting, depth, scheme)))


def test_a_line_on_a_spectrum_is_the_tree() -> None:
    one = replace(SETTING, covariance=spectrum("power:0.7", 200), mu=even_mean(1.5, 200))
    for scheme in ("replace", "accumulate", "fresh:0.3"):
        same(predict_line(one, scheme, 4), predict_tree(generations(one, 4, scheme)))


@pytest.mark.parametrize("scheme", ["replace", "accumulate", "fresh:0.3"])
def test_labels_that_go_wrong_in_every_generation(scheme) -> None:
    tree = generations(SETTING, 5, scheme)
    verifier, epsilon = Verifier(0.3, 0.8), 0.25
    sets = tuple(SampleSet(each.name, each.count / verifier.alpha(epsilon), each.parents, 0.0, epsilon, verifier)
                 if each.parents and each.name != "s" else each for each in tree.sets)  # fmt: skip
    label = 1 - 2 * verifier.wrong(epsilon)
    same(predict_line(SETTING, scheme, 5, label=label), predict_tree(replace(tree, sets=sets)))
    assert abs(predict_line(SETTING, scheme, 5).variance / predict_tree(replace(tree, sets=sets)).variance - 1) > 0.01


def test_wrong_labels_that_accumulate_collapse_by_a_power() -> None:
    """The margin falls as T^-(1-y) = T^(-2e), where right labels cost a bounded amount; in the limit nothing is left but noise."""
    label = 0.8
    at = {depth: predict_line(ALONE, "accumulate", depth, label=label) for depth in (10, 100, 1000)}
    slopes = [math.log10(at[depth * 10].mean_margin / at[depth].mean_margin) for depth in (10, 100)]
    assert slopes[1] == pytest.approx(label - 1, abs=0.01) and abs(slopes[1] + 0.2) < abs(slopes[0] + 0.2)
    limit = predict_line(ALONE, "accumulate", label=label)
    assert (limit.mean_margin, limit.accuracy) == (0.0, 0.5)
    gaps = [abs(one.variance / limit.variance - 1) for one in at.values()]
    assert gaps[2] < gaps[1] < gaps[0]
    beside = predict_line(SETTING, "accumulate", label=label)  # real samples are left, beside the noise
    assert 0.5 < beside.accuracy < predict_line(SETTING, "accumulate").accuracy
    at_last = predict_line(SETTING, "accumulate", 1000, label=label)
    assert abs(at_last.accuracy - beside.accuracy) < abs(predict_line(SETTING, "accumulate", 100, label=label).accuracy - beside.accuracy)


def test_wrong_labels_that_accumulate_by_monte_carlo() -> None:
    """Power: with right labels the margin is 20% larger."""
    tree = generations(ALONE, 4, "accumulate")
    wrong = replace(tree, sets=tuple(replace(each, epsilon=0.1) if each.parents and each.name != "s" else each for each in tree.sets))
    seen = simulate(wrong, trials=100)
    for name in ("mean_margin", "variance"):
        theory, one = getattr(predict_line(ALONE, "accumulate", 4, label=0.8), name), getattr(seen, name)
        assert abs(theory - one.mean) <= 4 * one.se + 2 / 200 * theory
    right = predict_line(ALONE, "accumulate", 4).mean_margin
    assert abs(right - seen.mean_margin.mean) > 4 * seen.mean_margin.se + 2 / 200 * right


def test_infinitely_many_accumulated_generations() -> None:
    limit = predict_line(SETTING, "accumulate")
    gaps = [predict_line(SETTING, "accumulate", depth).variance / limit.variance - 1 for depth in (100, 1000)]
    assert gaps[1] / gaps[0] == pytest.approx(0.1, rel=0.05)  # what is missing falls as 1/T
    assert abs(gaps[1]) < 1e-3
    assert predict_line(SETTING, "accumulate", 401).variance == pytest.approx(predict_line(SETTING, "accumulate", 400).variance, rel=1e-5)
    same(predict_line(SETTING, "accumulate", 500), predict_tree(generations(SETTING, 500, "accumulate")), rel=1e-8)


def test_infinitely_many_generations_with_a_fresh_share() -> None:
    for share, depth in ((0.5, 40), (0.2, 120)):
        same(predict_line(SETTING, f"fresh:{share}"), predict_tree(generations(SETTING, depth, f"fresh:{share}")))
        same(predict_line(SETTING, f"fresh:{share}", 10**3), predict_line(SETTING, f"fresh:{share}"))
    same(predict_line(SETTING, "fresh:0.1", 200), predict_tree(generations(SETTING, 200, "fresh:0.1")))
    assert predict_line(ALONE, "replace").accuracy == 0.5


def test_accumulate_at_a_light_load_is_the_sine() -> None:
    A = 1e-3
    product = np.prod([1 - collapse.accumulated(float(k), A)[0] / k for k in range(1, 200_000)])
    assert product == pytest.approx(math.sin(math.pi * math.sqrt(A)) / (math.pi * math.sqrt(A)), abs=3e-6)


def test_how_fast_replaced_generations_fall() -> None:
    """Without a ridge in closed form; with one by Lambert's function."""
    mu, p, K, m = 1.5, 200, 1000, 10**9
    for depth in (1, 4, 10):
        one = replace(ALONE, m=m, ridge=Ridge(1e-9), generator=replace(SETTING.generator, n_hat=K))
        closed = ndtr(mu**2 / math.sqrt(mu**2 + (1 + mu**2) * p * (depth / (K - p) + 1 / (m - p))))
        assert predict_line(one, "replace", depth).accuracy == pytest.approx(closed, abs=1e-6)
    z = lambertw(p * 1000 / (0.1 * 300)).real
    light = ndtri(predict_line(replace(ALONE, m=m), "replace", 1000).accuracy)
    assert light == pytest.approx(mu**2 * math.sqrt(300 * (1 + z) / (p * 1000)), rel=0.03)


def test_generations_are_never_worse_than_one_of_fewer_samples() -> None:
    for depth in (2, 4, 8):
        fewer = replace(ALONE, generator=replace(SETTING.generator, n_hat=300 / depth))
        assert predict_line(ALONE, "replace", depth).accuracy > predict_line(fewer, "replace", 1).accuracy


@pytest.mark.parametrize("scheme, depth", [("accumulate", 30), ("fresh:0.2", 25)])
def test_the_limit_by_monte_carlo(scheme, depth) -> None:
    """Power: the theory of one generation falls outside."""
    small = replace(ALONE, p=100, m=1000, ridge=Ridge(1.0), generator=replace(SETTING.generator, n_hat=100))
    theory, seen = predict_line(small, scheme), simulate(generations(small, depth, scheme), trials=100)
    within = 4 * seen.mean_margin.se + 1 / small.p * theory.mean_margin
    assert abs(theory.mean_margin - seen.mean_margin.mean) < within
    assert abs(theory.accuracy - seen.accuracy.mean) < 4 * seen.accuracy.se + 0.002
    assert abs(predict_line(small, scheme, 1).mean_margin - seen.mean_margin.mean) > within


def test_the_smallest_share_and_the_weakest_verifier_keep_the_accuracy_and_no_more() -> None:
    ridge = replace(ALONE, ridge=Ridge(1.0))
    share = smallest_fresh_share(ridge, 0.85)
    large = replace(ridge, generator=replace(SETTING.generator, n_hat=3e8), p=2 * 10**8, m=8e8)  # whole numbers of fresh samples
    below, at = (predict_line(large, f"fresh:{each}").accuracy for each in (0.97 * share, share))
    assert at == pytest.approx(0.85, abs=1e-6)
    assert below < 0.85
    found = weakest_verifier(SETTING, 0.8, 0.3)
    label = 1 - 2 * found.wrong(SETTING.epsilon)
    assert predict_line(replace(SETTING, verifier=found), "fresh:0.3", label=label).accuracy == pytest.approx(0.8, abs=1e-9)
    assert 0 < found.rho < 1


def test_a_heavy_ridge_gives_the_closed_forms() -> None:
    heavy, accuracy = replace(ALONE, m=1e12, ridge=Ridge(1e6)), 0.88
    mu, p, K = heavy.mu, heavy.p, heavy.generator.n_hat
    z = mu**4 / ndtri(accuracy) ** 2 - mu**2
    assert smallest_fresh_share(heavy, accuracy) == pytest.approx(collapse.least_share(z, p, K), rel=1e-4)
    wrong = replace(heavy, epsilon=0.3, verifier=Verifier(1, 0.9))
    found = weakest_verifier(wrong, accuracy, 0.3)
    assert 1 - 2 * found.wrong(0.3) == pytest.approx(collapse.weakest_labels(z, p, K, 0.3), rel=1e-4)


def test_what_is_refused() -> None:
    for call in (
        lambda: predict_line(SETTING, "accumulate", label=1.5), lambda: predict_line(SETTING, "replac"),
        lambda: predict_line(SETTING, "replace", 0.5), lambda: smallest_fresh_share(ALONE, 0.99),
        lambda: weakest_verifier(ALONE, 0.99, 0.2), lambda: predict_line(replace(SETTING, generator=Generator()), "replace"),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            call()
