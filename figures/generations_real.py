"""The rows of figure `generations` on real data: ridge on three data sets against theory, and networks on ten classes of images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.network_generations import NetworkCase, Place, difference, measure
from ..experiments.networks import pytorch
from ..experiments.real_data import RealData
from ..experiments.real_trees import ChainCase, ChainPoint, predict_and_measure
from ..sims.monte_carlo import Estimate
from ..support.errors import BadInput
from .kit.claims import SIGMAS, Claim, at_least, at_most
from .kit.run import Run
from .real_panels import WITHIN

PAIR = ChainCase(RealData("3 against 8", "mnist", (3, 8), "halved"), 100, 400, 1.0)
REVIEWS = ChainCase(RealData("book reviews", "books"), 200, 800, 10.0)
PREFERENCES = ChainCase(RealData("language-model features", "preferences"), 200, 800, 10.0)
TEN = NetworkCase(RealData("ten digits", "mnist", (), "halved"))
INFINITE = 1e12  # samples behind a generator that is as good as exact
ORDER = ("accumulate", "fresh", "replace")  # the better first


@dataclass(frozen=True)
class RealSettings:
    """Settings of the rows on real data.

    Attributes
    ----------
    cases
        Ridge classifiers on two classes.
    networks
        Networks on ten classes.
    depths
        Generations that are measured.
    """

    cases: tuple[ChainCase, ...] = (PAIR, REVIEWS, PREFERENCES)
    networks: NetworkCase | None = TEN
    depths: tuple[int, ...] = (1, 2, 3, 4, 6, 8)


@dataclass
class Rows:
    """What is drawn, claimed and said of real data."""

    panels: list[Panel] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)


def real_rows(s: RealSettings, schemes: Sequence[str], run: Run) -> Rows:
    """Measure and predict on real data; a data set that is not here is left out, and a note says so."""
    rows = Rows()
    for case in s.cases:
        seed = run.child_seed()
        if missing := case.data.task.missing(run.data):
            rows.notes.append(f"Left out, {case.data.name}: {missing}")
        else:
            _ridge(rows, case, s.depths, schemes, seed, run)
    seed = run.child_seed()
    if s.networks:
        missing = s.networks.data.task.missing(run.data) or _no_torch()
        if missing:
            rows.notes.append(f"Left out, networks on {s.networks.data.name}: {missing}")
        else:
            _networks(rows, s.networks, s.depths, schemes, seed, run)
    return rows


def words(scheme: str) -> str:
    """Return a scheme in words."""
    name, _, share = scheme.partition(":")
    return f"{name}, {float(share):.0%} real" if share else name


def _no_torch() -> str:
    try:
        pytorch()
    except BadInput as error:
        return str(error)
    return ""


# --- ridge on two classes ---------------------------------------------------------------------------------------------


def _ridge(rows: Rows, case: ChainCase, depths: Sequence[int], schemes: Sequence[str], seed: int, run: Run) -> None:
    places = [(scheme, depth) for scheme in schemes for depth in depths]
    points, predict = predict_and_measure(case, places, seed, run.data, run.jobs, run.progress)
    name = case.data.name
    for (scheme, depth), point in points.items():
        gap = abs(point.predicted - point.measured.mean)
        rows.claims.append(at_most(f"real data within {100 * WITHIN:g} points, {name}, {scheme}, generation {depth}", gap, WITHIN,
                                   point.measured.se))  # fmt: skip
    rows.claims.append(at_most(f"largest standard error on real data, {name}", max(one.measured.se for one in points.values()), WITHIN / 2))
    rows.claims += _falls(name, depths, points)
    rows.claims += _wrong_folds(name, case, depths, points, predict)
    rows.panels.append(_panel(name, depths, schemes, points))
    rows.extra[name] = {f"{scheme}, generation {depth}": vars(point) for (scheme, depth), point in points.items()}


def _falls(name: str, depths: Sequence[int], points: dict[tuple[str, int], ChainPoint]) -> list[Claim]:
    """The accuracy falls from the first generation to the last where each replaces the one before."""
    first, last = (points["replace", depth].measured for depth in (depths[0], depths[-1]))
    return [at_least(f"the accuracy falls, {name}, replace", first.mean - last.mean - SIGMAS * math.hypot(first.se, last.se), 0.0)]


def _wrong_folds(name: str, case: ChainCase, depths: Sequence[int], points: dict[tuple[str, int], ChainPoint],
                 predict: Callable[[int, float], float]) -> list[Claim]:  # fmt: skip
    """A weight handed down whole, or reduced twice, where it departs most from the right fold; if by little, nothing is claimed."""
    claims = []
    for fold, n_hat in (("handed down whole", INFINITE), ("reduced twice", case.n_hat / 2)):
        wrong = {depth: predict(depth, n_hat) for depth in depths}
        depth = max(depths, key=lambda depth: abs(wrong[depth] - points["replace", depth].predicted))
        if abs(wrong[depth] - points["replace", depth].predicted) > WITHIN:
            measured = points["replace", depth].measured
            claims.append(at_least(f"real data with the weight {fold}, {name}, generation {depth}", abs(wrong[depth] - measured.mean),
                                   WITHIN, measured.se))  # fmt: skip
    return claims


def _panel(name: str, depths: Sequence[int], schemes: Sequence[str], points: dict[tuple[str, int], ChainPoint]) -> Panel:
    x, marks = np.array(depths), []
    for color, scheme in enumerate(schemes):
        own = [points[scheme, depth] for depth in depths]
        marks += [Line(words(scheme), x, np.array([one.predicted for one in own]), color), _points(x, [one.measured for one in own], color)]
    return Panel(name, "generation of the generator", "held-out accuracy", marks,
                 key={"theory": "theory from the pool's statistics", "o": "measured, 2 SE"})  # fmt: skip


def _points(x: np.ndarray, estimates: Sequence[Estimate], color: int, label: str = "", marker: str = "o") -> Points:
    return Points(label, x, np.array([one.mean for one in estimates]), np.array([one.se for one in estimates]), color, marker)


# --- networks on ten classes ------------------------------------------------------------------------------------------


def _networks(rows: Rows, case: NetworkCase, depths: Sequence[int], schemes: Sequence[str], seed: int, run: Run) -> None:
    """What the theory of ridge says of networks too: the order of the schemes, the fall, and that T replaced generators cost no more
    than one that is fitted on a T-th of the samples."""
    lines = [Place(scheme, depth) for scheme in schemes for depth in depths]
    fewer = [Place("replace", 1, depth) for depth in depths[1:]]
    scores = measure(case, [*lines, *fewer], seed, run.data, run.progress)
    last = depths[-1]
    ordered = sorted(schemes, key=lambda scheme: ORDER.index(scheme.partition(":")[0]))
    pairs = [(f"{better} above {worse}, generation {last}", Place(better, last), Place(worse, last))
             for better, worse in pairwise(ordered)]  # fmt: skip
    pairs += [(f"replace, generation {early} above {late}", Place("replace", early), Place("replace", late))
              for early, late in pairwise(depths)]  # fmt: skip
    pairs += [(f"replace, generation {one.divided} above one fitted on 1/{one.divided} of the samples", Place("replace", one.divided), one)
              for one in fewer]  # fmt: skip
    for told, better, worse in pairs:
        gain = difference(scores[better], scores[worse])
        rows.claims.append(at_least(f"networks, {told}", gain.mean + 2 * gain.se, 0.0, gain.se))
    first = difference(scores[Place("replace", depths[0])], scores[Place("replace", last)])
    rows.claims.append(at_least("networks lose accuracy over the generations, replace", first.mean - SIGMAS * first.se, 0.0, first.se))
    x = np.array(depths)
    marks = []
    for color, scheme in enumerate(schemes):
        estimates = [Estimate.of(scores[Place(scheme, depth)]) for depth in depths]
        marks += [Line("", x, np.array([one.mean for one in estimates]), color, "joined"), _points(x, estimates, color, words(scheme))]
    estimates = [Estimate.of(scores[one]) for one in fewer]
    marks.append(_points(np.array([one.divided for one in fewer]), estimates, 5, "one, of 1/T of the samples", "s"))
    rows.panels.append(Panel(f"networks, {case.data.name}", "generation T of the generator", "test accuracy", marks,
                             key={"o": "mean over networks, 2 SE"}))  # fmt: skip
    rows.extra["networks"] = {f"{one.scheme}, generation {one.depth}, 1/{one.divided}": values.tolist() for one, values in scores.items()}
