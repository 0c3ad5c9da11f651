"""From gains and their errors to a verdict, the reason for it in words, and notes on the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .break_even import ExchangeRates
from .calibration import area
from .evidence import SIGMAS, Evidence
from .formats import listed
from .modelled import Task
from .outlook import Outlook
from .result import SMALLEST, Gain, MeasuredGain, RelabelledGain, Rival, Verdict
from .words import points, two_digits, with_error

FEW = 10  # real samples of a class below which everything is rough
SAY = "say --not-self-fitted or --self-fitted."
EVEN = 0.4  # the share of the smaller class from which on an accuracy says an area under the ROC curve
SCALES = 100.0  # a ratio of the features' spreads above which they should be standardised


def conclude(e: Evidence, outlook: Outlook, measured: MeasuredGain | None, rates: ExchangeRates) -> tuple[Verdict, str]:
    """Return the verdict and its reason.

    Parameters
    ----------
    e : Evidence
    outlook : Outlook
    measured : MeasuredGain or None
        Of the file, if there is one.
    rates : ExchangeRates
    """
    if measured is not None:
        return _of_file(e, outlook, measured)
    if e.self_fitted:
        hurts = outlook.plain.value < -max(SMALLEST, outlook.plain.se)
        return "hurts" if hurts else "too close to call", (
            "A generator fitted on your own real rows knows nothing that they do not say, whatever the verifier keeps. Tune the ridge "
            "instead.")
    return _of_plan(e, outlook, rates)


def _of_plan(e: Evidence, outlook: Outlook, rates: ExchangeRates) -> tuple[Verdict, str]:
    """The verdict on planned samples, which may depend on what is not known of noise and verifier."""
    gain = outlook.gain
    stated = "at the noise and verifier you stated" if e.plan.known else "with label noise and a verifier of middling quality"
    worst, best = gain.low + SIGMAS * gain.se, gain.high - SIGMAS * gain.se
    if worst < SMALLEST < gain.value:
        return "depends on the verifier", (f"The best mix gains {_points(gain)} {stated}, but nothing at the worst end of what you stated "
                                           f"or left open. {rates.needed_in_words()}")
    if gain.value <= SMALLEST < best:
        return "depends on the verifier", (f"The best mix gains {points(best)} points at the best end of what you stated or left open, "
                                           f"but {_points(gain)} {stated}. {rates.needed_in_words()}")
    return _of_gain(gain, outlook.plain)


def _of_file(e: Evidence, outlook: Outlook, measured: MeasuredGain) -> tuple[Verdict, str]:
    """The verdict on a file, which may depend on whether its generator saw the real rows."""
    plain = outlook.plain
    if plain.value != measured.plain:  # the budget is larger than the file: harm is judged by the file itself
        plain = Gain(measured.plain, measured.plain_se, measured.plain, measured.plain)
    word, reason = _of_gain(outlook.gain, plain)
    if word != "helps" or e.plan.self_fitted is not None or e.self_fitted:
        return word, reason
    seen = e.gain_if_self_fitted() - (measured.gain - outlook.gain.value)
    if seen > max(SMALLEST, outlook.gain.se):
        return word, f"{reason} Were the generator fitted on your own real rows, it would be {points(seen)} points."
    return "depends on the generator", (f"The best mix gains {_points(outlook.gain)} if the generator never saw your real rows, but "
                                        f"{points(seen)} points if it was fitted on them, and the file does not show which: {SAY}")


def conclude_on_model(e: Evidence, outlook: Outlook) -> tuple[Verdict, str]:
    """Return the verdict, and its reason, on what was measured by cross-validation.

    Parameters
    ----------
    e : Evidence
    outlook : Outlook
    """
    word, reason = _of_gain(outlook.gain, outlook.plain)
    if e.self_fitted and word != "hurts":
        return "too close to call", (f"{reason} But the generator was fitted on your own real rows: what cross-validation measures is too "
                                     "good. Fit the generator anew on the training rows of every fold, or on other rows.")
    if word == "helps" and e.plan.self_fitted is None:
        return "depends on the generator", (f"The best mix gains {_points(outlook.gain)} if the generator never saw your real rows. If it "
                                            "was fitted on them, what cross-validation measures is too good, and nothing is known. The "
                                            f"file does not show which: {SAY}")
    return word, reason


def another_model(
    verdict: Verdict, reason: str, outlook: Outlook, others: Sequence[Rival], said: str
) -> tuple[Verdict, str, str]:
    """Return the verdict, its reason, and what to train, where another model without synthetic data may gain more.

    Parameters
    ----------
    verdict, reason
        On the model that was asked about.
    outlook : Outlook
    others : sequence of Rival
    said
        The model that was asked about.
    """
    best = max((one for one in others if one.said and one.better), key=lambda one: one.lead, default=None)
    if best is None:
        return verdict, reason, said
    gain = outlook.gain
    lead = f"{best.name} without synthetic data is {with_error(best.lead, best.lead_se)} better"
    if best.lead - max(gain.value, 0.0) <= np.hypot(best.lead_se, gain.se):
        return verdict, f"{reason} {lead[0].upper()}{lead[1:]}.", said
    helped = f", more than the {_points(gain)} that the best mix gains" if gain.value > SMALLEST else ""
    return "change the model", (f"{lead[0].upper()}{lead[1:]}{helped}. Ask again for it with --model {best.said}. On the model asked "
                                f"about: {verdict}. {reason}"), best.said


def _of_gain(gain: Gain, plain: Gain) -> tuple[Verdict, str]:
    """The verdict where only the gain's own error is left to doubt."""
    if gain.value > max(SMALLEST, gain.se):
        return "helps", f"The best mix gains {_points(gain)}{'' if gain.value > SIGMAS * gain.se else ': likely, not certain'}."
    if gain.value > SMALLEST:
        return "too close to call", (f"The best mix gains {_points(gain)}, less than its error. It is the better bet; leaving the "
                                     "synthetic rows out may be as good.")
    if plain.value < -max(SMALLEST, plain.se):
        return "hurts", (f"At weight 1 the synthetic rows change the accuracy by {_points(plain)}, and no other weight gains anything: the "
                         f"best one changes it by {_points(gain)}.")
    return "too close to call", f"The best mix changes the accuracy by {_points(gain)}: leave the synthetic rows out."


def notes(e: Evidence, outlook: Outlook, measured: MeasuredGain | None, task: Task) -> list[str]:
    """Return remarks about the data and the measurement that the user should know, a sentence each.

    Parameters
    ----------
    e : Evidence
    outlook : Outlook
        What the theory predicts.
    measured : MeasuredGain or None
        Of the synthetic file, where there is one.
    task : Task
        What is trained and judged.
    """
    found = [*_on_features(e), *_on_generator(e)]
    if not task.by_theory:
        found.append("All gains are cross-validated: only training folds see synthetic rows, the optimism of choosing among the mixes is "
                     "taken off, and errors allow for the training rows that folds share (Nadeau and Bengio).")
        if task.metric != "accuracy":
            unit = {"log-loss": "points of log-loss are hundredths, and more is better"}.get(task.metric, "points are hundredths of it")
            found.append(f"Everything is in {task.metric}, not accuracy: {unit}.")
        if task == Task(metric="auc") and len(e.classes) == 2 and e.population.shares.min() > EVEN:
            found.append(area_by_theory(e))
    elif outlook.baseline.model != e.baseline.model:
        found.append(f"{outlook.baseline.model} is better without synthetic data than the ridge of this advice: all gains are over it.")
    if e.file is None and not e.self_fitted and not e.plan.known:
        epsilon, verifier = e.plan.noise()
        found.append(f"Not all of epsilon, rho and phi are given. The advised mix assumes {100 * epsilon:.0f}% wrong labels and a verifier "
                     f"that keeps {100 * verifier.rho:.0f}% of them and {100 * verifier.phi:.0f}% of the right ones; the band covers "
                     "everything from the best to the worst.")
    if e.population.counts.min() < FEW:
        found.append(f"A class has only {e.population.counts.min()} real rows: everything here is rough.")
    if e.debiased < 1:
        found.append(f"Only {100 * e.debiased:.0f}% of the noise in the class means is taken off: with all of it the theory could not be "
                     "solved. Predicted accuracies may be too high, before they are calibrated on leave-one-out.")
    if measured is not None and not measured.agree:
        found.append(f"Theory and leave-one-out disagree on the gain of the file: "
                     f"{with_error(measured.predicted_gain, measured.predicted_se)} predicted, "
                     f"{with_error(measured.gain, measured.gain_se)} measured. The measurement is trusted.")
    return found


def area_by_theory(e: Evidence) -> str:
    """Return what theory says of the area under the ROC curve of ridge: it knows accuracies, and Gaussian scores make one of the other."""
    base, mix = e.baseline, e.measured
    levels = ((base.accuracy, base.se), (base.accuracy + mix.predicted_gain, float(np.hypot(base.se, mix.predicted_se))))
    now, then = (f"{area(level):.3f} +- {(area(level + se) - area(level - se)) / 2:.3f}" for level, se in levels)
    return (f"By theory, for Gaussian scores, the auc of ridge is {now} without the file and {then} with all of it at weight "
            f"{two_digits(mix.omega)}.")


def on_relabelling(cleaned: RelabelledGain | None, unit: float) -> list[str]:
    """Return whether the labels of the file should be cleaned, where that was measured and is clear; unit: of ridges."""
    if cleaned is None or not (cleaned.recommended or cleaned.harmful):
        return []
    gain = with_error(cleaned.gain, cleaned.gain_se)
    if cleaned.recommended:
        return [f"Clean the synthetic labels: synthmix.RelabelledMix(alpha={two_digits(cleaned.alpha * unit)}) on the kept rows gains "
                f"{gain} on the mix above, cross-validated on your rows."]
    return [f"Leave the synthetic labels as they are: cleaning them changes the accuracy by {gain}. They are right, or wrong for a reason "
            "that lies in the rows."]


def _on_features(e: Evidence) -> list[str]:
    found = []
    generated = (0, 0) if e.file is None else (e.file.m, e.file_rows)
    for what, used, total in (("real", len(e.X), e.n), ("synthetic", *generated)):
        if used < total:
            found.append(f"Of the {total:,} {what} rows a random {used:,} were used for everything that is measured.")
    for why in dict.fromkeys(why for _, why in e.columns_left_out):
        names = [name for name, one in e.columns_left_out if one == why]
        found.append(f"Left out: {listed(list(map(repr, names)))} ({why}).")
    found += e.remarks
    if e.scaling.standardised:
        found.append("Features are standardised by the mean and standard deviation of your real rows, as scikit-learn's StandardScaler "
                     "does: train on standardised features.")
        return found
    spread = e.given.std(axis=0)
    moving = spread[spread > 0]
    if moving.max() > SCALES * moving.min():
        found.append("The features have very different scales, and a ridge treats all features alike: let them be standardised.")
    return found


def _on_generator(e: Evidence) -> list[str]:
    if e.file is None or e.file.provenance.fitted_on != "own rows" or (said := e.plan.self_fitted):
        return []
    why = e.file.provenance.why
    if said is None:
        return [f"The generator was fitted on your real rows, it seems: {why}. Its gain is measured as that of such a generator; if it "
                "never saw them, say --not-self-fitted."]
    return [f"You say that the generator never saw your real rows, but {why}."]


def _points(gain: Gain) -> str:
    return f"{points(gain.value)} points (standard error {100 * gain.se:.1f})"
