"""Figure 7: networks on 50 real MNIST digits a class and m synthetic ones. Left: label noise, right: feature noise.

Every point is a mean over seeds, the band a standard deviation, and the published single run is drawn on top. The right-most panel
shows why two ways of pruning with the same rho and phi differ: what the published one does to the last class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from ..data.sets import mnist
from ..drawing.panels import Line, Panel, Points
from ..experiments.mnist_networks import MnistImages, NetworkDesign, NetworkPoint, NetworkScores, Statistics, Synthetic
from ..experiments.mnist_networks import run as run_networks
from ..experiments.networks import Training
from ..solvers.problem import NO_SUPERVISION, ORACLE, Verifier
from ..support.typed import Count, Some
from .kit.claims import Claim, at_most
from .kit.figure import Built, Figure
from .kit.published import published
from .kit.run import Run

XLABEL = "proportion of synthetic data $m/(n+m)$"
SDS, BUDGET = 3.0, 0.015  # a published run is one draw: within 3 standard deviations of the mean, and 1.5 points
WIDEST = 0.075  # what that is at most: where a seed breaks down, 3 standard deviations would admit anything
LEVEL = 0.01  # of the paired tests
BROKEN = 0.1  # below the median of the seeds: recorded, with what is left of the network
LAST = 9  # the class that pruning by position drops
EPSILON, STRONG = 0.3, Verifier(rho=0.1, phi=0.9)

PUBLISHED_RUNS = (
    "One run a point. The random numbers start from the same state for every curve, so the point without synthetic data is one and the "
    "same network in all of them, not a repeated measurement.",
    "The strong verifier prunes by position: the noisy images lie in the order of their classes, and the first 90% of the correct and the "
    "first 10% of the wrong ones are kept. Every synthetic 9 with its correct label is dropped, and all wrong labels that are kept are "
    "images of 0 called 1. A verifier with the same rho and phi that judges every image on its own keeps 90% of the 9s; its networks "
    "recognise more of the real ones (third panel).",
    "On pixels of 0 to 255 this rate is at the edge of what trains: while it rises many hidden units go silent for good, and in some runs "
    "so many that images are left without any activity. Hence the spread between seeds; one run is weak evidence.",
)


@dataclass(frozen=True)
class Curve:
    """A kind of synthetic data as a curve.

    Attributes
    ----------
    name, title : str
    synthetic : Synthetic
    published : pair of str or None
        Panel and key of its published values.
    """

    name: str
    title: str
    synthetic: Synthetic
    published: tuple[str, str] | None


LEFT = (
    Curve("oracle", r"oracle, $(\rho,\varphi)=(0,1)$", Synthetic(epsilon=EPSILON, verifier=ORACLE), ("left", "oracle")),
    Curve("strong", "strong, $(0.1,0.9)$, pruned by position", Synthetic(epsilon=EPSILON, verifier=STRONG), ("left", "strong_rho01_phi09")),
    Curve("none", "no supervision, $(1,1)$", Synthetic(epsilon=EPSILON, verifier=NO_SUPERVISION), ("left", "none")),
    Curve("strong at random", "strong, $(0.1,0.9)$, pruned at random", Synthetic(epsilon=EPSILON, verifier=STRONG, at_random=True), None),
)
RIGHT = (
    Curve("all samples", "statistics from all samples", Synthetic(), ("right", "all_samples")),
    Curve("1000 a class", "from 1000 a class", Synthetic(Statistics(1000)), ("right", "n_hat_1000")),
    Curve("100 a class", "from 100 a class", Synthetic(Statistics(100)), ("right", "n_hat_100")),
    Curve("10 a class", "from 10 a class", Synthetic(Statistics(10)), ("right", "n_hat_10")),
    Curve("identity covariance", "identity covariance", Synthetic(Statistics(identity=True)), ("right", "identity_covariance")),
)
# (better, worse): by a paired test over the seeds, at every m of at least ORDERED_FROM
ORDERED = (("oracle", "strong"), ("strong", "none"), ("oracle", "none"), ("all samples", "100 a class"), ("100 a class", "10 a class"),
           ("all samples", "identity covariance"))  # fmt: skip
# the published values of the latter do not pass for the former
SWAPPED = (("oracle", "none"), ("all samples", "10 a class"), ("all samples", "identity covariance"))
ORDERED_FROM = 125


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes
    ----------
    left, right : tuple of Curve
        Of the first two panels.
    m : tuple of int
        Synthetic images a class.
    n : int
        Real images a class.
    seeds : int
    training : Training
    """

    left: tuple[Curve, ...] = LEFT
    right: tuple[Curve, ...] = RIGHT
    m: Annotated[tuple[Count, ...], Some()] = (0, 25, 50, 125, 500, 750)
    n: int = 50
    seeds: int = 10
    training: Training = Training()


FULL = Settings()
# without identity covariance: few seeds do not show how far its runs spread
QUICK = replace(FULL, right=(RIGHT[0], RIGHT[2], RIGHT[3]), m=(0, 125, 750), seeds=5)


def build(s: Settings, run: Run) -> Built:
    """Train every network, compare with the published values, and test what the paper concludes."""
    images, labels = mnist.load("train", run.data)
    test_images, test_labels = mnist.load("test", run.data)
    data = MnistImages(images.reshape(len(images), -1), labels, test_images.reshape(len(test_images), -1), test_labels)
    curves = {curve.name: curve for curve in (*s.left, *s.right)}
    points = tuple(dict.fromkeys(_point(curve, m) for curve in curves.values() for m in s.m))
    design = NetworkDesign(points, s.n, s.seeds, s.training)
    measured = run_networks(design, data, run.child_seed(), run.jobs, run.checkpoints, run.progress)

    scores = {name: [measured[_point(curve, m)] for m in s.m] for name, curve in curves.items()}
    values = {name: _published(curve, s.m) for name, curve in curves.items() if curve.published}
    claims = [*_published_claims(s, scores, values), *_order_claims(s, scores), *_pruning_claims(s, scores)]
    panels = [_panel(s, title, curves, scores, values) for title, curves in (("label noise", s.left), ("feature noise", s.right))]
    return Built([*panels, _recall_panel(s, scores)], claims, _record(s, scores, values, claims))


FIGURE = Figure("MNIST networks: test accuracy against the proportion of synthetic data", columns=3, settings=FULL, quick=QUICK,
                build=build)  # fmt: skip


def _point(curve: Curve, m: int) -> NetworkPoint:
    return (curve.synthetic if m else Synthetic(), m)  # without synthetic data all curves are the same networks


def _published(curve: Curve, m: tuple[int, ...]) -> dict[int, float]:
    panel, key = curve.published
    return {row["m"]: row["test_accuracy"] / 100 for row in published("figure7_mnist")[panel][key] if row["m"] in m}


def _against(name: str, kind: str, value: float, scores: NetworkScores) -> Claim:
    """Whether one published run lies where another run of the same networks would."""
    sd = float(scores.accuracy.std(ddof=1))
    mean, tolerance = float(scores.accuracy.mean()), min(SDS * sd + BUDGET, WIDEST)
    inside = abs(value - mean) <= tolerance
    return Claim(name, kind, value, mean, sd / len(scores.accuracy) ** 0.5, tolerance, inside if kind == "agrees" else not inside)


def _published_claims(s: Settings, scores: dict[str, list[NetworkScores]], values: dict[str, dict[int, float]]) -> list[Claim]:
    claims = []
    for i, m in enumerate(s.m):
        names = list(values) if m else list(values)[:1]
        claims += [_against(f"published accuracy, {name if m else 'real images only'}, m={m}", "agrees", values[name][m], scores[name][i])
                   for name in names if m in values[name]]
        claims += [_against(f"published accuracy of another curve, {worse} for {better}, m={m}", "falls outside", values[worse][m],
                            scores[better][i])
                   for better, worse in SWAPPED if m >= ORDERED_FROM and {better, worse} <= set(values) and m in values[worse]]
    return claims


def _above(name: str, better: np.ndarray, worse: np.ndarray) -> Claim:
    """The p-value of a paired one-sided t-test over the seeds."""
    from scipy.stats import ttest_rel

    return at_most(name, float(ttest_rel(better, worse, alternative="greater").pvalue), LEVEL)


def _order_claims(s: Settings, scores: dict[str, list[NetworkScores]]) -> list[Claim]:
    return [_above(f"{better} above {worse} (p of a paired test), m={m}", scores[better][i].accuracy, scores[worse][i].accuracy)
            for better, worse in ORDERED if {better, worse} <= set(scores) for i, m in enumerate(s.m) if m >= ORDERED_FROM]


def _pruning_claims(s: Settings, scores: dict[str, list[NetworkScores]]) -> list[Claim]:
    at_random, by_position = (scores[name] for name in ("strong at random", "strong"))
    return [_above(f"recall of {LAST} above that of pruning by position (p of a paired test), m={m}", at_random[i].by_class[:, LAST],
                   by_position[i].by_class[:, LAST]) for i, m in enumerate(s.m) if m >= ORDERED_FROM]


def _panel(
    s: Settings, title: str, curves: tuple[Curve, ...], scores: dict[str, list[NetworkScores]], values: dict[str, dict[int, float]]
) -> Panel:
    marks = []
    for color, curve in enumerate(curves):
        marks += _marks(curve.title, s, np.array([one.accuracy for one in scores[curve.name]]), color)
        if curve.published:
            known = values[curve.name]
            marks.append(Line("", _proportion(s, list(known)), np.array(list(known.values())), color, "published"))
    return Panel(title, XLABEL, "test accuracy", marks, key=_key(s) | {"published": "published, one run"})


def _recall_panel(s: Settings, scores: dict[str, list[NetworkScores]]) -> Panel:
    marks = []
    for color, curve in enumerate(s.left):
        marks += _marks(curve.title, s, np.array([one.by_class[:, LAST] for one in scores[curve.name]]), color)
    return Panel(f"label noise: test images of {LAST} that are recognised", XLABEL, f"recall of {LAST}", marks, key=_key(s))


def _key(s: Settings) -> dict[str, str]:
    return {"o": f"mean of {s.seeds} seeds, 2 SE", "band": "their standard deviation"}


def _marks(title: str, s: Settings, values: np.ndarray, color: int) -> list[Line | Points]:
    """Mean with a band of one standard deviation, and the standard error of the mean; values (m, seeds)."""
    x, mean, sd = _proportion(s, s.m), values.mean(axis=1), values.std(axis=1, ddof=1)
    return [Line("", x, mean, color, "joined", spread=sd), Points(title, x, mean, sd / values.shape[1] ** 0.5, color)]


def _proportion(s: Settings, m: tuple[int, ...] | list[int]) -> np.ndarray:
    return np.array([one / (s.n + one) for one in m])


def _record(
    s: Settings, scores: dict[str, list[NetworkScores]], values: dict[str, dict[int, float]], claims: list[Claim]
) -> dict[str, object]:
    """Every number behind the panels, and what is known of the published runs."""
    return {
        "design": "the real images are the first of every class for every seed, as published; a seed is one draw of the initial weights, "
                  "the synthetic images, the mini-batches and the pruning at random, shared by all curves",
        "published runs": PUBLISHED_RUNS,
        "published points outside": [claim.name for claim in claims if claim.kind == "agrees" and not claim.holds],
        "seeds that broke down": [{"curve": name, "m": m, "accuracy": one.accuracy[i], "median": np.median(one.accuracy),
                                   "live hidden units": one.live[i], "training images without activity": one.blank[i]}
                                  for name, rows in scores.items() for m, one in zip(s.m, rows, strict=True)
                                  for i in np.flatnonzero(one.accuracy < np.median(one.accuracy) - BROKEN)],
        "points": {name: [{"m": m, "published": values.get(name, {}).get(m), "sd": one.accuracy.std(ddof=1), "test accuracy": one.accuracy,
                           "training accuracy": one.training, "live hidden units": one.live, "training images without activity": one.blank,
                           "recall by class": one.by_class.mean(axis=0)}
                          for m, one in zip(s.m, rows, strict=True)] for name, rows in scores.items()},
    }  # fmt: skip
