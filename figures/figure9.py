"""Figure 9: did the answer comply or refuse? Real weak labels and real keep decisions, whose errors depend on the answer.

Scale features: XSTest's answers seen through a small language model (experiments/compliance.py). The labeller's epsilon and the
verifier's rho and phi are measured; the theory is asked with labels and keep decisions as they depend on the answer, and as if they
did not. The published scores, of other models on another task, are in panels of their own. Scales lora and paper: fine-tuning,
measured only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..data.sets import xstest
from ..drawing.panels import Line, Panel, Points
from ..experiments.compliance import SUPERVISION, AnswerFeatures, ComplianceSettings, Curves, curves, labelled_answers
from ..language.tuned_panels import as_record, tuned_panels
from ..sims.monte_carlo import Estimate
from .kit.claims import Claim, at_least, at_most, falls_outside
from .kit.figure import Built, Figure
from .kit.published import published
from .kit.run import Run
from .kit.scale import ScaleOptions
from .kit.tuned import tuned_claims

WITHIN, SHARE = 0.02, 0.9
NAMES = {"oracle": "oracle", "GPT-4": "verified by GPT-4", "none": "no verifier"}
ORACLE, GPT4, NONE = (list(SUPERVISION).index(kind) for kind in ("oracle", "GPT-4", "none"))
THEORIES = {"dependent": "labels depend on the answer", "independent": "labels independent of it"}

KEY = {"theory": f"theory, {THEORIES['dependent']}", "alternative": f"theory, {THEORIES['independent']}",
       "o": "measured, 2 SE of resampling", "band": "2 SE with that of the pool"}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """The settings at the scale `features`.

    Attributes
    ----------
    design : ComplianceSettings
    layer : int
        Whose hidden states are the features.
    resamples : int
        Random splits.
    predictions : int
        Splits on which the theory is asked.
    """

    design: ComplianceSettings = ComplianceSettings()
    layer: int = 15
    resamples: int = 200
    predictions: int = 20


FULL = Settings()
QUICK = replace(FULL, resamples=30, predictions=4, design=replace(FULL.design, m=(0, 100, 300)))


def build(s: Settings, run: Run, options: ScaleOptions) -> Built:
    """Scale features: measure, predict twice, compare. Other scales: fine-tune and draw the scores."""
    values = published("figure9_qa")
    if options.scale != "features":
        from ..language.tuned_scores import qa_scores

        scores = qa_scores(options.scale, run.out, **options.arguments(run))
        return Built([*tuned_panels(scores), *_published(values)], tuned_claims(scores), as_record(scores, options.scale))
    from ..language.models.features import FeatureSettings, load

    found = load("xstest", FeatureSettings(s.layer), run.data, progress=run.progress)
    data, design = labelled_answers(xstest.load(run.data), found.values), replace(s.design, m=options.counts(s.design.n, s.design.m))
    result = curves(data, s.resamples, s.predictions, run.child_seed(), run.jobs, design, run.progress)
    return Built([*_accuracies(result), _residuals(result), *_published(values)], _claims(result, options.proportions is None),
                 _record(result, data, found.check))  # fmt: skip


FIGURE = Figure("Question-answer safety: real weak labels and a real verifier", columns=3,
                settings=FULL, quick=QUICK, build=build, options=ScaleOptions)  # fmt: skip


def _places(e: ComplianceSettings) -> list[tuple[tuple[int, int], str]]:
    """Every setting once: without weakly labelled answers they are all one."""
    return [((i, k), f"{kind}, m={m}") for i, kind in enumerate(NAMES.values()) for k, m in enumerate(e.m) if m or i == 0]


def _misses(c: Curves, theory: str) -> np.ndarray:
    """Predicted less measured, at every place."""
    off = c.predicted(theory).mean - c.measured.mean
    return np.array([off[place] for place, _ in _places(c.design)])


def _claims(c: Curves, to_the_end: bool) -> list[Claim]:
    """to_the_end: whether the largest m is the figure's own, where independent labels must be seen to miss."""
    measured, independent = c.measured, c.predicted("independent")
    misses = {theory: np.abs(_misses(c, theory)) for theory in THEORIES}
    within = {theory: float(np.mean(miss <= WITHIN)) for theory, miss in misses.items()}
    points = f"{100 * WITHIN:g} points"
    claims = [
        at_least(f"share of settings within {points}", within["dependent"], SHARE),
        at_most("largest standard error of resampling", float(measured.resampling_se.max()), WITHIN / 2),
    ]
    if not to_the_end:
        return claims
    last = len(c.design.m) - 1
    gain, verified = ((measured[i, last] - measured[NONE, last]) for i in (ORACLE, GPT4))
    error = float(np.hypot(measured.resampling_se[GPT4, last], independent.resampling_se[GPT4, last]))
    return [
        *claims,
        at_most(f"share of settings within {points} were labels independent of the answer", within["independent"], SHARE),
        at_most("mean miss, against that with independent labels", misses["dependent"].mean(), misses["independent"].mean()),
        falls_outside("independent labels, verified by GPT-4, largest m", independent.mean[GPT4, last],
                      Estimate(measured.mean[GPT4, last], error), WITHIN),
        at_least("oracle above no verifier by two standard errors, largest m", float(gain.mean), 2 * float(gain.se), float(gain.se)),
        at_most("a verifier that errs where the labeller does is no help, largest m", float(verified.mean), 0.0, float(verified.se)),
    ]  # fmt: skip


def _accuracies(c: Curves) -> list[Panel]:
    x, measured, panels = c.design.proportion, c.measured, []
    (fine, dependent), (_, independent) = c.drawn("dependent"), c.drawn("independent")
    for i, name in enumerate(NAMES.values()):
        marks = [Line("", fine, dependent[i], i, curve=name),
                 Line("", fine, independent[i], i, "alternative", curve=f"{name}, {THEORIES['independent']}"),
                 Line("", x, measured.mean[i], i, "joined", spread=2 * measured.se[i], curve=name),
                 Points("", x, measured.mean[i], measured.resampling_se[i], i, curve=name)]  # fmt: skip
        panels.append(Panel(name, "proportion of weakly labelled data $m/N$", "accuracy on held-out prompts", marks, ylim=(0.86, 1.0),
                            key=KEY))
    return panels


def _residuals(c: Curves) -> Panel:
    x = c.design.proportion
    marks = [Line("", np.array([0, x[-1]]), np.full(2, shift), 5, "guide" if shift else "joined")
             for shift in (-100 * WITHIN, 0.0, 100 * WITHIN)]  # fmt: skip
    for (theory, words), marker in zip(THEORIES.items(), "os", strict=True):
        predicted = c.predicted(theory)
        for i in range(len(NAMES)):
            off, error = predicted.mean[i] - c.measured.mean[i], np.hypot(predicted.resampling_se[i], c.measured.resampling_se[i])
            marks.append(Points(list(NAMES.values())[i] if marker == "o" else "", x + 0.012 * (i - 1), 100 * off, 100 * error, i, marker,
                                f"{list(NAMES.values())[i]}, {words}"))
    return Panel(f"residuals; between the dotted lines: {100 * WITHIN:g} points",
                 "proportion of weakly labelled data $m/N$", "theory less measured, points",
                 marks, ylim=(-300 * WITHIN, 300 * WITHIN), key=dict(zip("os|", (*THEORIES.values(), "2 SE"), strict=True)))


def _published(values: dict) -> list[Panel]:
    panels = []
    for model, title in (("llama3.1-8B-Instruct", "Llama-3.1-8B-Instruct"), ("Gemma-2-2B-it", "Gemma-2-2B-it")):
        marks = []
        for color, kind in ((ORACLE, "oracle"), (GPT4, "weak")):
            x, y = (np.array(values[model][kind][axis]) for axis in "xy")
            marks += [Line("", x, y, color, "joined"), Points(kind, x, y, np.zeros(x.size), color)]
        panels.append(Panel(f"published: {title}", "proportion of synthetic data", "test accuracy, %", marks, ylim=(62, 80)))
    return panels


def _record(c: Curves, data: AnswerFeatures, check: str) -> dict[str, object]:
    e, measured = c.design, c.measured
    audit = data.audit()
    rows = []
    for place, words in _places(e):
        row = {"setting": words, "proportion": e.proportion[place[1]], "measured": measured.mean[place],
               "SE of resampling": measured.resampling_se[place], "SE with the pool": measured.se[place]}  # fmt: skip
        for theory, name in THEORIES.items():
            predicted = c.predicted(theory)
            row |= {f"predicted, {name}": predicted.mean[place], f"miss, {name}": predicted.mean[place] - measured.mean[place]}
        rows.append(row)
    return {
        "scale": "features", "features": check, "answers": len(data.y), "prompts": data.prompts, "prompts tested on, a split":
        data.prompts - e.trained_on, "epsilon": audit.epsilon, "rho": audit.rho, "phi": audit.phi,
        "shares": {name: getattr(audit, name).share for name in ("epsilon", "rho", "phi")},
        "partial refusals": "count as refusals",
        "statistics": "of all answers of the n + max m prompts of a split that may be trained on; no test prompt",
        "settings": rows,
        "largest miss": {name: np.abs(_misses(c, theory)).max() for theory, name in THEORIES.items()},
        "misses of more than the tolerance, labels depend on the answer":
            [row for row in rows if abs(row[f"miss, {THEORIES['dependent']}"]) > WITHIN],
    }  # fmt: skip
