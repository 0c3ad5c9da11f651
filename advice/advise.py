"""Will synthetic data help on the user's data, how many samples, with what weight and ridge, and how good must the verifier be?

The accuracy without synthetic data is measured by exact leave-one-out over the real samples. What synthetic data add is predicted by the
theory of the mix, for the population estimated from the real samples. With a file of synthetic samples the mix is measured by
leave-one-out too, and the theory only says what other numbers of such samples would do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..support.errors import BadInput, instance, shown
from ..support.threads import on_one_thread
from .break_even import ExchangeRates
from .evidence import Evidence, gather
from .generated_file import Samples
from .modelled import Task, check_task, modelled, other_models, shuffled, tried
from .money import Prices, purchases
from .next_step import next_step
from .outlook import Outlook, against, corrected, predicted
from .plan import Plan
from .relabelling import relabelled
from .result import SMALLEST, Advice, Choice, MeasuredGain, Rival, Verdict
from .rivals import rivals
from .snippet import snippet
from .verdict import another_model, conclude, conclude_on_model, notes, on_relabelling

ENOUGH = 0.001  # fewer samples are enough if they cost no more accuracy than this
NAN = float("nan")


@on_one_thread
def advise(
    real: Samples, plan: Plan, synthetic: Samples | None = None, *, standardise: bool = True, details: bool = True, model: str = "ridge",
    metric: str = "accuracy", compare: bool = False, prices: Prices | None = None, seed: int = 0,
) -> Advice:  # fmt: skip
    """Advise whether to add synthetic data to real samples.

    Parameters
    ----------
    real
        Anything with features X (n, p) and labels y (n,), such as an `advice.tables.Table`.
    plan
        The generator, its noise and verifier, and the budget. With a synthetic file the generator only says whether it was self-fitted, and
        an audit in the file replaces epsilon, rho and phi.
    synthetic
        A file's samples, where there are any, perhaps with keep, score and truth.
    standardise
        Whether features are brought to mean 0 and variance 1 over the real samples. The ridges of the advice are for features that are
        standardised in the same way.
    details
        Whether to compute the curve over m, the break-even line and what a real sample is worth. Without them the advice is the verdict
        with its mix, and the rest is nan or None.
    model
        "ridge", "logistic" or "MODULE:CLASS", a classifier with scikit-learn's conventions and sample weights. Others than ridge are
        measured by cross-validation, for which a file is needed.
    metric
        "accuracy", "balanced" (accuracy), "auc", "f1" (the mean over the classes) or "log-loss". Others than accuracy are measured by
        cross-validation, too.
    compare
        Whether logistic regression and gradient boosting without synthetic data are tried beside: it takes seconds.
    prices
        Of real and synthetic rows: what to buy is said, too.
    seed
        Divides the real samples into the groups of the jackknife.

    Raises
    ------
    BadInput
        For samples or a model that cannot be used, in one line.
    """
    instance("the plan", plan, Plan)
    for name, samples in (("real", real), ("synthetic", synthetic)):
        if not (hasattr(samples, "X") and hasattr(samples, "y")) and (name == "real" or samples is not None):
            raise BadInput(f"the {name} samples need features X and labels y, as a Table has them, not {shown(samples)}")
    task = Task(model, metric)
    check_task(task, file=synthetic is not None, priced=prices is not None)
    e = gather(real, plan, synthetic, standardise=standardise, seed=seed)
    rates, unit = ExchangeRates(e), e.scaling.ridge_unit
    outlook, measured, units, verdict, reason, others = _judged(e, task, rates, details)
    others = (*others, *(other_models(e, task) if compare else ()))
    verdict, reason, train = another_model(verdict, reason, outlook, others, task.said)
    base, best = outlook.baseline, outlook.best
    unmeasured = e.self_fitted and (measured is None or not task.by_theory)
    if outlook.gain.value <= SMALLEST or verdict in ("hurts", "change the model") or unmeasured:
        best = Choice(0.0, 0.0, 1.0, base.gamma, base.accuracy, base.se)
    enough = next((one.m for one in outlook.curve if one.accuracy >= best.accuracy - ENOUGH), best.m) if best.m else 0.0
    details = details and task.by_theory
    worth, worth_next = rates.worth(best) if details else (NAN, NAN)
    even = rates.break_even(best.m or e.plan.budget, best.omega) if details and not e.self_fitted else None
    cleaned = relabelled(e, seed) if details else None
    advice = Advice(
        verdict=verdict, reason=reason, n=e.n, p=e.X.shape[1], classes=len(e.classes), budget=plan.budget,
        baseline=replace(base, gamma=base.gamma * unit), best=replace(best, gamma=best.gamma * unit), enough=float(enough),
        gain=outlook.gain, plain=outlook.plain, curve=tuple(replace(one, gamma=one.gamma * unit) for one in outlook.curve),
        worth=worth, worth_next=worth_next, needed=rates.needed if details else NAN,
        break_even=even if even is not None and even.agrees(verdict, e.plan) else None, rivals=others,
        measured=None if measured is None else replace(measured, gamma=measured.gamma * unit),
        relabelled=None if cleaned is None else replace(cleaned, alpha=cleaned.alpha * unit),
        audit=None if e.file is None else e.file.audit, provenance=None if e.file is None else e.file.provenance,
        threshold=None if e.file is None else e.file.threshold,
        thresholds=() if e.file is None else e.file.thresholds, standardised=standardise,
        notes=(*notes(e, outlook, measured, task), *on_relabelling(cleaned, unit)),
        next=next_step(e, outlook, verdict, train if train != model else ""), model=model, metric=metric, train=train,
        purchases=() if prices is None else purchases(e, prices),
        keep=None if e.file is None else _used(e.file.keep, best), units=units,
    )  # fmt: skip
    return replace(advice, snippet=snippet(advice, real, synthetic))


def _judged(
    e: Evidence, task: Task, rates: ExchangeRates, details: bool
) -> tuple[Outlook, MeasuredGain | None, np.ndarray | None, Verdict, str, tuple[Rival, ...]]:
    """The outlook, what was measured of a file and its gain in every row or fold, the verdict, its reason, and the ridges beside."""
    if not task.by_theory:
        ways = tried(e, task)
        outlook, measured = modelled(e, ways, task)
        return outlook, measured, ways.found.scores[ways.found.best] - ways.found.scores[0], *conclude_on_model(e, outlook), ()
    measured = None if e.file is None else e.measured
    outlook, ridges = predicted(e, details), rivals(e)
    if measured is not None:
        outlook = corrected(outlook, measured)
    better = max((one for one in ridges if one.better), key=lambda one: one.lead, default=None)
    if better is not None:
        outlook = against(outlook, better, better.alpha / (e.n * e.scaling.ridge_unit))
    return outlook, measured, None if e.file is None else e.units, *conclude(e, outlook, measured, rates), ridges


def _used(keep: np.ndarray, best: Choice) -> np.ndarray:
    """The rows of the file to train on: all kept ones, or as many of them as the best mix has."""
    used = np.zeros_like(keep)
    used[shuffled(keep)[: round(best.kept) if best.m else None]] = True
    return used
