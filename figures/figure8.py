"""Figure 8: safety alignment. On frozen features preference tuning is the ridge classifier, and the theory is tested on real pairs.

Scale features: hh-rlhf pairs seen through a small language model (experiments/preferences.py), theory and measurement split by
split, the theory beside a study by fine-tuning, and the published scores in panels of their own, which are of another model, another task
and another measure. Scales lora and paper: IPO with adapters, of which the orderings are claimed where it is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..drawing.panels import Line, Panel, Points
from ..experiments.preferences import Curves, PreferenceSettings, curves, differences
from ..language.tuned_panels import as_record, tuned_panels
from ..sims.monte_carlo import Estimate
from .kit.claims import Claim, agrees, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.published import published
from .kit.run import Run
from .kit.scale import ScaleOptions
from .kit.tuned import tuned, tuned_claims

if TYPE_CHECKING:
    from ..language.tuned_scores import TunedScores

WITHIN, SHARE = 0.02, 0.9
STRENGTHS = {"strong": "strong (0.2, 0.9)", "weak": "weak (0.5, 0.5)"}  # in the order of PreferenceSettings.verifiers
WRONG = ("without debiasing", "isotropic")
# what the theory may miss besides noise, as a share: three strata are not yet all lengths. The averages over settings must be closer,
# where a shrunken covariance of one law for all pairs fails
MOMENTS, POOLED = {"accuracy": 0.01, "mean_margin": 0.02, "variance": 0.02}, 0.005
QUANTITIES = {"accuracy": "accuracy", "mean_margin": "mean margin", "variance": "variance of the margin"}
KEY = {"theory": "theory", "alternative": "theory without debiasing", "o": "measured, 2 SE of resampling",
       "band": "2 SE with that of the pool"}  # fmt: skip
FROZEN, NOTHING = 12, {"accuracy": {}}  # random splits, at the numbers of pairs of a fine-tuning; no theory
ONE_LAW = ("one law", "shrunken covariance")


@dataclass(frozen=True)
class Settings:
    """The settings at the scale `features`.

    Attributes
    ----------
    design : PreferenceSettings
    layer : int
        Whose hidden states are the features.
    resamples : int
        Random splits.
    strata : int
        Splits on which the theory of strata is asked, which takes seconds.
    moments : bool
        Whether there are enough splits to judge mean margins and variances.
    """

    design: PreferenceSettings = PreferenceSettings()
    layer: int = 15
    resamples: int = 200
    strata: int = 24
    moments: bool = True


FULL = Settings()
QUICK = replace(FULL, resamples=24, strata=4, moments=False, design=replace(FULL.design, m=(0, 250, 1500)))


def build(s: Settings, run: Run, options: ScaleOptions) -> Built:
    """Scale features: measure, predict, compare. Other scales: fine-tune and draw the scores."""
    values = published("figure8_safety")
    if options.scale != "features":
        from ..language.tuned_scores import safety_scores

        scores = safety_scores(options.scale, run.out, **options.arguments(run))
        frozen = _frozen(scores, s, run) if options.scale == "lora" else NOTHING
        return Built([*_tuned(scores, frozen), *_published(values)], tuned_claims(scores),
                     as_record(scores, options.scale) | {"frozen features": frozen})  # fmt: skip
    from ..language.models.features import FeatureSettings, load

    found = load("hh_rlhf", FeatureSettings(s.layer), run.data, progress=run.progress)
    X, design = differences(found.values), replace(s.design, m=options.counts(s.design.n, s.design.m))
    result = curves(X, s.resamples, run.child_seed(), run.jobs, design, run.progress, s.strata)
    panels = [*_accuracies(result), _residuals(result), _margins(result), *_tuned(*tuned("figure8_lora")), *_published(values)]
    return Built(panels, _claims(result, s.moments), _record(result, len(X), found.check))


FIGURE = Figure("Safety alignment: real preference pairs, and further ones that are noisy and pruned", columns=3,
                settings=FULL, quick=QUICK, build=build, options=ScaleOptions)  # fmt: skip


def _places(e: PreferenceSettings) -> list[tuple[tuple[int, int, int], str]]:
    """Every setting once: without synthetic pairs they are all one."""
    return [((i, j, k), f"epsilon={epsilon}, {kind}, m={m}") for i, epsilon in enumerate(e.epsilon) for j, kind in enumerate(STRENGTHS)
            for k, m in enumerate(e.m) if m or (i, j) == (0, 0)]


def _claims(c: Curves, moments: bool) -> list[Claim]:
    e, measured = c.design, c.measured()
    places = [place for place, _ in _places(e)]

    def share(theory: str) -> float:
        off = np.abs((c.predicted(theory) - measured).mean)
        return float(np.mean([off[place] <= WITHIN for place in places]))

    points = f"{100 * WITHIN:g} points"
    noise = max((c.predicted("strata") - measured).resampling_se[place] for place in places)
    return [
        at_least(f"share of settings within {points}", share("strata"), SHARE),
        *(at_most(f"share of settings within {points} by a wrong theory, {wrong}", share(wrong), SHARE) for wrong in WRONG),
        at_most("largest standard error of theory less measured", noise, WITHIN / 2),
        *(_moments(c) if moments else []),
        *_strength(c),
        *_no_signal(c),
    ]


def _moments(c: Curves) -> list[Claim]:
    """Accuracy, mean margin and variance at every setting and on average over the settings; wrong theories fall outside."""
    claims, places = [], _places(c.design)
    for quantity, name in QUANTITIES.items():
        measured, theory = c.measured(quantity), c.predicted("strata", quantity)
        error, budget = (theory - measured).resampling_se, MOMENTS[quantity] * np.abs(theory.mean)
        claims += [agrees(f"{name}, {words}", theory.mean[place], Estimate(measured.mean[place], error[place]), budget[place])
                   for place, words in places]
        off = _average(c, "strata", quantity)
        claims.append(agrees(f"{name} on average over the settings, as a share of what is measured", 1 + off.mean, Estimate(1.0, off.se),
                             POOLED))
        wrong = ("shrunken covariance", "published formula") if quantity == "variance" else ("without debiasing",)
        averages = {one: _average(c, one, quantity) for one in wrong}
        claims += [falls_outside(f"{one}, {name} on average over the settings", 1 + off.mean, Estimate(1.0, off.se), POOLED)
                   for one, off in averages.items() if np.isfinite(off.mean)]  # the published formula may have no solution
    return claims


def _average(c: Curves, theory: str, quantity: str) -> Estimate:
    """Theory over measured less 1, averaged over the settings, with the error of resampling."""
    rows = tuple(np.array([place for place, _ in _places(c.design)]).T)
    measured = c.measured(quantity)[rows]
    off = (c.predicted(theory, quantity)[rows].values - measured.values) / measured.mean
    each = off.mean(axis=1)
    return Estimate(float(each.mean()), float(each.std(ddof=1) / len(each) ** 0.5))


def _strength(c: Curves) -> list[Claim]:
    """The strong verifier against the weak one on the same splits, averaged over m >= n."""
    measured, much = c.measured(), np.array(c.design.m) >= c.design.n
    claims = []
    if not much.any():
        return claims
    for i, epsilon in enumerate(c.design.epsilon):
        gain = (measured[i, 0, much] - measured[i, 1, much]).averaged()
        claims.append(at_least(f"strong above weak by two standard errors, epsilon={epsilon}", float(gain.mean), 2 * float(gain.se),
                               float(gain.se)))
    return claims


def _no_signal(c: Curves) -> list[Claim]:
    """Where lambda = 0 synthetic pairs carry no signal: they must not help."""
    e, measured, margin = c.design, c.measured(), c.measured("mean_margin")
    claims = []
    for i, epsilon in enumerate(e.epsilon):
        for j, (verifier, kind) in enumerate(zip(e.verifiers, STRENGTHS, strict=True)):
            if verifier.lam(epsilon) != 0 or e.m[0] != 0:
                continue
            name = f"where lambda = 0, epsilon={epsilon}, {kind}"
            signal = max(range(len(e.verifiers)), key=lambda other: e.verifiers[other].lam(epsilon))
            if e.m[-1] >= e.n:  # the rule can fail: pairs that a better verifier kept do help
                gain = (measured[i, signal, -1] - measured[i, j, 0])
                claims.append(at_least(f"a gain above two standard errors, epsilon={epsilon}, {list(STRENGTHS)[signal]}, m={e.m[-1]}",
                                       float(gain.mean), 2 * float(gain.se), float(gain.se)))
            for k, m in enumerate(e.m[1:], 1):
                gain, less = measured[i, j, k] - measured[i, j, 0], margin[i, j, k] - margin[i, j, 0]
                claims += [at_most(f"no gain within two standard errors {name}, m={m}", float(gain.mean), 2 * float(gain.se),
                                   float(gain.se)),
                           at_most(f"no margin gained {name}, m={m}", float(less.mean), 0.0, float(less.se))]
    return claims


def _accuracies(c: Curves) -> list[Panel]:
    e, measured = c.design, c.measured()
    (x, theory), (_, plain) = c.drawn("strata"), c.drawn("without debiasing")
    panels = []
    for i, epsilon in enumerate(e.epsilon):
        marks = []
        for j, label in enumerate(STRENGTHS.values()):
            marks += [Line("", x, theory[i, j], j, curve=label),
                      Line("", x, plain[i, j], j, "alternative", curve=f"without debiasing, {label}"),
                      Line("", e.proportion, measured.mean[i, j], j, "joined", spread=2 * measured.se[i, j]),
                      Points(label, e.proportion, measured.mean[i, j], measured.resampling_se[i, j], j)]  # fmt: skip
        panels.append(Panel(rf"label noise $\varepsilon$ = {epsilon}", "proportion of synthetic pairs $m/N$",
                            "held-out preference accuracy", marks, key=KEY))  # fmt: skip
    return panels


def _residuals(c: Curves) -> Panel:
    e, off = c.design, c.predicted("strata") - c.measured()
    marks = [Line("", np.array([0, e.proportion[-1]]), np.full(2, shift), 5, "guide" if shift else "joined")
             for shift in (-100 * WITHIN, 0.0, 100 * WITHIN)]  # fmt: skip
    for i, (epsilon, marker) in enumerate(zip(e.epsilon, "os", strict=False)):
        for j, kind in enumerate(STRENGTHS):
            marks.append(Points(rf"{kind}, $\varepsilon$ = {epsilon}", e.proportion + 0.008 * (2 * i + j - 1.5), 100 * off.mean[i, j],
                                100 * off.resampling_se[i, j], j, marker))
    return Panel(f"residuals; between the dotted lines: {100 * WITHIN:g} points",
                 "proportion of synthetic pairs $m/N$", "theory less measured, points",
                 marks, ylim=(-150 * WITHIN, 250 * WITHIN), key={"|": "2 SE"})  # fmt: skip


def _margins(c: Curves) -> Panel:
    e, marks = c.design, []
    measured, (x, theory) = c.measured("mean_margin"), c.drawn("strata", "mean_margin")
    for i, (epsilon, marker) in enumerate(zip(e.epsilon, "os", strict=False)):
        for j, kind in enumerate(STRENGTHS):
            curve = rf"{kind}, $\varepsilon$ = {epsilon}"
            marks += [Line("", x, theory[i, j], j, curve=curve),
                      Points(curve, e.proportion, measured.mean[i, j], measured.resampling_se[i, j], j,
                             marker)]  # fmt: skip
    return Panel(r"mean margin: $\lambda$ = 0 for weak, $\varepsilon$ = 0.5", "proportion of synthetic pairs $m/N$",
                 "mean margin $E[y\\,w^Tx]$, held out", marks, ylim=(0, None), key={"theory": "theory", "|": "2 SE"})  # fmt: skip


def _frozen(scores: TunedScores, s: Settings, run: Run) -> dict[str, object]:
    """The theory of frozen features at the numbers of pairs of a fine-tuning: curves over the proportion, by label noise and verifier."""
    from ..language.models.features import FeatureSettings, load

    X = differences(load("hh_rlhf", FeatureSettings(s.layer), run.data, progress=run.progress).values)
    noises = tuple(dict.fromkeys(one.epsilon for one in scores.points if one.epsilon is not None))
    m = tuple(sorted({0, *(one.synthetic for one in scores.points)}))
    design = replace(s.design, n=scores.points[0].real, m=m, epsilon=noises)
    x, theory = curves(X, FROZEN, run.child_seed(), run.jobs, design, run.progress, strata=FROZEN // 6).drawn("strata")
    return {"proportion": x, "accuracy": {f"{noise:g}": dict(zip(STRENGTHS, theory[i], strict=True)) for i, noise in enumerate(noises)}}


def _tuned(scores: TunedScores, frozen: Mapping[str, object]) -> list[Panel]:
    """What fine-tuning gave, beside the theory of frozen features."""
    panels, words = tuned_panels(scores), {"theory": f"theory of frozen features, n = {scores.points[0].real}",
                                           "o": f"LoRA, runs: {scores.repeats}, 95% intervals"}  # fmt: skip
    for i, (noise, curve) in enumerate(frozen["accuracy"].items()):
        lines = [Line("", np.array(frozen["proportion"]), np.array(curve[kind]), j, curve=f"{kind}, frozen features")
                 for j, kind in enumerate(STRENGTHS)]
        panels[i] = replace(panels[i], title=rf"fine-tuned: {scores.points[0].model}, $\varepsilon$ = {noise}",
                            marks=[*lines, *panels[i].marks], key=words)
    return panels


def _published(values: dict) -> list[Panel]:
    x, panels = np.array(values["proportion"]), []
    for epsilon in ("0.1", "0.5"):
        marks = []
        for j, kind in enumerate(STRENGTHS):
            y = np.array(values[kind][epsilon])
            marks += [Line("", x, y, j, "joined"), Points(kind, x, y, np.zeros(x.size), j)]
        panels.append(Panel(rf"published: Falcon-11B, $\varepsilon$ = {epsilon}", "proportion of synthetic pairs", "safety score, %", marks,
                            ylim=(60, 102)))  # fmt: skip
    return panels


def _record(c: Curves, pairs: int, check: str) -> dict[str, object]:
    e, measured, theory = c.design, c.measured(), c.predicted("strata")
    moments = {theory: {name: _average(c, theory, name) for name in ("mean_margin", "variance")} for theory in ("strata", *ONE_LAW)}
    rows = []
    for place, words in _places(e):
        rows.append({"setting": words, "proportion": e.proportion[place[2]], "measured": measured.mean[place],
                     "SE of resampling": measured.resampling_se[place], "SE with the pool": measured.se[place],
                     "predicted": theory.mean[place], "predicted less measured": theory.mean[place] - measured.mean[place],
                     "its SE": (theory - measured).resampling_se[place]})  # fmt: skip
    return {
        "scale": "features", "features": check, "pairs": pairs, "tested on, a split": pairs - e.trained_on,
        "statistics": "of the n + max m pairs of each split that may be trained on, with their true labels; no test pair",
        "errors": "theory and measurement of a split come from one pool, and averaged over splits both are averages over products of "
                  "distinct pairs of it: the pool's error is common to both, and the SE of their difference is that of resampling; an "
                  "SE with the pool is an infinitesimal jackknife over pairs",
        "settings": rows,
        "largest miss": max(abs(row["predicted less measured"]) for row in rows),
        "predicted above measured, as a share, mean over settings": moments,
    }  # fmt: skip
