r"""Generators fitted on wrong labels, any loss: a base whose margins are a mixture.

A generator is fitted on samples times their labels as given, $\tilde x = \tilde y x$, of which the share $e$ is mirrored. The left-out
margin of such a base sample is $h = y_s m + \sqrt v\,g$ with $y_s = -1$ for the share $e$. What the generated samples hand down acts on
$\tilde x^\top w$, whatever the label: they were drawn with the mean and the covariance of the base as it is, so that the quadratic of the
chapter on two sides stays what it was. A right base sample takes the base step at the margin $m$, a wrong one takes the same step at $-m$.
The steps are mixed:

    mhat = (1 - e) mhat_right - e mhat_wrong,   s, qhat, response: means over both,

and what the generated samples see is the mean and the variance of the mixture, $e(1-e)$ times the square of the distance of both means
included. This is where the covariance of the generator has gained the direction of the mean. Nothing else changes: the forces of a set
are those of its mixture, to any depth, for every loss.
"""

from __future__ import annotations

import mpmath as mp
import sympy as sp

from ..model import RIGHT, Labels, Source
from ..special.family_tree import SampleSet, fold
from ..special.family_tree import mean_margin as folded_margin
from ..theorem import CheckResult, Equation, Function, Theorem, check, vanishes
from .two_sides import DF, F2, FITTED, M_S, OWN, F, G, M, Q, R, V, _gaussian, base_input, base_step, square_forces, step_moments

E = sp.Symbol("e", nonnegative=True)  # share of wrong labels in the base
STEP = ("mhat", "s", "qhat", "mean", "variance", "leverage")  # what a base step says


def sides() -> tuple[dict[str, sp.Symbol], dict[str, sp.Symbol]]:
    """Return symbols for the base steps of rightly and of wrongly labelled samples."""
    return ({name: sp.Symbol(f"{name}_right", real=True) for name in STEP}, {name: sp.Symbol(f"{name}_wrong", real=True) for name in STEP})


def mixed() -> dict[str, sp.Expr]:
    """Return the step of a base of both kinds of samples, in the steps of each."""
    right, wrong = sides()
    found = {name: (1 - E) * right[name] + E * wrong[name] for name in STEP}
    found["mhat"] = (1 - E) * right["mhat"] - E * wrong["mhat"]
    found["variance"] += E * (1 - E) * (right["mean"] - wrong["mean"]) ** 2
    return found


def mirrored(step: dict[str, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
    """Return values for the symbols of both steps, from the step at a margin of mean m: the other one is at -m."""
    right, wrong = sides()
    return {right[name]: step[name] for name in STEP} | {wrong[name]: step[name].subs(M, -M) for name in STEP}


@check("handing down to wrong labels", "mean, response and second moment of the force on a base sample, and mean, variance and response of "
       "its margin, integrated over labels and both Gaussians for any cubic force of its own, with the mixture of two steps")
def handing_down() -> CheckResult:
    a = sp.symbols("a_0:4", real=True)
    xi, root, noise, sign = sp.symbols("xi root_v root_n y_s", real=True)  # sqrt(v), sqrt(r qhat)
    inside = {name: value.subs(FITTED, 1) for name, value in base_input().items()}
    leverage = inside["leverage"]
    share, e = sp.Rational(3, 10), {E: sp.Rational(3, 10)}
    numbers = {M: 2, Q: sp.Rational(3, 2), OWN.mean: sp.Rational(1, 3), OWN.curvature: sp.Rational(2, 5), M_S: sp.Rational(7, 4), R: 3}
    h, centre = sign * M + root * G, inside["mean"].subs(M, sign * M) + leverage * (root * G / Q + noise * xi)
    force = sum(each * centre**i for i, each in enumerate(a))
    curve = sum(i * each * centre ** (i - 1) for i, each in enumerate(a) if i)
    u = centre + leverage * force
    pull, response = (u - h) / Q, (1 + leverage * curve) * leverage / Q  # du/dh

    def expected(product: sp.Expr, y: int) -> sp.Expr:
        return _gaussian(product.subs(sign, y).subs(numbers), G, xi)

    def over_labels(product: sp.Expr) -> sp.Expr:
        return (1 - share) * expected(product, 1) + share * expected(product, -1)

    whole = {"mhat": over_labels(sign * pull) / 3, "s": over_labels(1 - response) / Q.subs(numbers) / 3, "qhat": over_labels(pull**2) / 3,
             "mean": over_labels(u), "variance": over_labels(u**2) - over_labels(u) ** 2, "leverage": over_labels(response * Q)}
    squares = {V: root**2, OWN.noise: noise**2 / R}
    step = {name: value.subs(step_moments()).subs(FITTED, 1).subs(squares) for name, value in base_step().items()}
    at = {}
    for y, symbols in zip((1, -1), sides(), strict=True):
        moments = {F: expected(force, y), DF: expected(curve, y), F2: expected(force**2, y)}
        at |= {symbols[name]: step[name].subs(M, y * M).subs(numbers).subs(moments) for name in STEP}
    return vanishes(*(sp.expand(whole[name] - value.subs(e).subs(at)) for name, value in mixed().items()))


@check("wrong labels, ridge", "mean margin, variance, root and left-out trace of a generator fitted on wrong labels, its samples and the "
       "base trained on: the mixture for the square loss, solved at 30 digits, with the fold (differentiated in t)")
def ridge() -> CheckResult:
    with mp.workdps(30):
        gamma, c, mean2, count = mp.mpf("0.7"), mp.mpf("1.3"), mp.mpf("2.1"), mp.mpf("0.8")  # one eigenvalue, count / N times
        r, own, wrong, theta, weight, label = (sp.Rational(each) for each in ("5/2", "3/10", "1/4", "6/5", "7/10", "3/5"))
        base, last = sp.symbols("delta_b delta_s", positive=True)
        folded = fold([SampleSet("b", 1 / r, own, 1 - 2 * wrong, base), SampleSet("s", theta, weight, label, last, ("b",))])
        run = sp.lambdify((Q, base, last), [folded.root, folded.target, folded.irreducible, *folded.equations], "mpmath")

        def solved(t: mp.mpf) -> tuple[mp.mpf, ...]:
            q, at = mp.mpf(1) / 2, [mp.mpf(1) / 2, mp.mpf(1) / 2]
            for _ in range(200):
                root, *_, first, second = run(q, *at)
                at = [at[0] - first, at[1] - second]
                q = count * c / (gamma + (root + t) * c)
            root, target, rest, *_ = run(q, *at)
            product = mean2 / (gamma + (root + t) * c)
            return root, at[1], folded_margin(root, target, product), rest + root * target**2 / (1 + root * product)

        expected = [*solved(mp.mpf(0))[:3], mp.diff(lambda t: solved(t)[3], 0)]
        found = _two_sides(gamma, c, mean2, count, {"r": r, "own": own, "wrong": wrong, "theta": theta, "weight": weight, "label": label})
        apart = max(abs(one / other - 1) for one, other in zip(found, expected, strict=True))
        return CheckResult(bool(apart < mp.mpf("1e-20")), f"largest relative difference {mp.nstr(apart, 3)}")


def _two_sides(gamma: mp.mpf, c: mp.mpf, mean2: mp.mpf, count: mp.mpf, at: dict[str, sp.Rational]) -> list[mp.mpf]:
    """Root, left-out trace, mean margin and variance by rounds of both sides, for the square loss."""
    labels = Labels(at["label"], 1 - at["label"] ** 2)
    delta, v_s = sp.symbols("delta_s v_s", positive=True)
    passed = square_forces(Source(at["theta"], at["weight"], labels, delta, delta), M_S, v_s)
    inside = {name: value.subs(FITTED, 1) for name, value in base_input().items()}
    own = square_forces(Source(sp.Integer(1), at["own"], RIGHT, Q, inside["leverage"]), inside["mean"], inside["variance"])
    moments = {F: own.mean, DF: -own.curvature, F2: own.noise}
    step = {name: value.subs(step_moments()).subs(FITTED, 1).subs(moments) for name, value in base_step().items()}
    handed = {OWN.mean: passed.mean, OWN.curvature: passed.curvature, OWN.noise: passed.noise, R: at["r"]}
    whole = [value.subs(E, at["wrong"]).subs(mirrored(step)).subs(handed) for value in mixed().values()]
    run = sp.lambdify((M, V, Q, M_S, v_s, delta), whole, "mpmath", cse=True)
    z = [mp.mpf(1) / 2] * 6
    for _ in range(400):
        mhat, s, qhat, *child = run(*z)
        b = 1 / (gamma + s * c)
        z = [mhat * mean2 * b, c * b * b * (mhat**2 * mean2 + qhat * count * c), count * c * b, *child]
    return [s, z[5], z[0], z[1]]


def theorem() -> Theorem:
    """The chapter on generators fitted on wrong labels, for any loss."""
    right, wrong = sides()
    result = mixed()
    return Theorem(
        "wrong_labels", "Generators fitted on wrong labels, any loss", __doc__.split("\n\n", 1)[1],
        (
            Equation("the mean force on the base", sp.Eq(sp.Symbol("mhat_b"), result["mhat"])),
            Equation("the variance that a generated sample sees", sp.Eq(sp.Symbol("v_g"), result["variance"])),
        ),
        (Function("mixed_step", "Forces of a base with the share e of wrong labels; mean, variance, leverage that generated samples see.",
                  (E, *right.values(), *wrong.values()), result),),
        after="two_sides",
    )  # fmt: skip
