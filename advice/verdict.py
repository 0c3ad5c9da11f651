"""From gains and their errors to a verdict, the reason for it in words, and notes on the data."""

from __future__ import annotations

from synthmix.advice.break_even import ExchangeRates
from synthmix.advice.evidence import SIGMAS, Evidence
from synthmix.advice.outlook import Outlook
from synthmix.advice.result import SMALLEST, Gain, MeasuredGain, Verdict

FEW = 10  # real samples of a class below which everything is rough
SCALES = 100.0  # a ratio of the features' spreads above which they should be standardised


def judge(e: Evidence, outlook: Outlook, measured: MeasuredGain | None, rates: ExchangeRates) -> tuple[Verdict, str]:
    """The verdict and its reason."""
    gain, plain = outlook.gain, outlook.plain
    if e.self_fitted and measured is None:
        hurts = plain.value < -max(SMALLEST, plain.se)
        word: Verdict = "hurts" if hurts else "no difference you could measure"
        return word, ("A generator fitted on your own real rows knows nothing that they do not say, whatever the verifier keeps. Tune the "
                      "ridge instead.")
    stated = "at the noise and verifier you stated" if e.plan.known else "with label noise and a verifier of middling quality"
    worst, best = gain.low + SIGMAS * gain.se, gain.high - SIGMAS * gain.se
    if gain.value > SMALLEST:
        if worst < SMALLEST and measured is None:
            return "depends on the verifier", (f"The best mix gains {_points(gain)} {stated}, but nothing at the worst end of what you "
                                               f"stated or left open. {rates.needed_in_words()}")
        sure = "" if gain.value > SIGMAS * gain.se else ": likely, not certain" if gain.value > gain.se else ": no more than the better bet"
        return "helps", f"The best mix gains {_points(gain)}{sure}."
    if measured is None and best > SMALLEST:
        return "depends on the verifier", (f"The best mix gains {100 * best:+.1f} points at the best end of what you stated or left open, "
                                           f"{_points(gain)} {stated}. {rates.needed_in_words()}")
    if plain.value < -max(SMALLEST, plain.se):
        return "hurts", (f"At weight 1 the synthetic rows change the accuracy by {100 * plain.value:+.1f} points, and no other weight "
                         f"gains anything: the best one changes it by {_points(gain)}.")
    return "no difference you could measure", f"The best mix gains {_points(gain)}, which cannot be told from nothing."


def notes(e: Evidence, measured: MeasuredGain | None) -> list[str]:
    """What the user should know about the data and the measurement, a sentence each."""
    found = []
    generated = (0, 0) if e.file is None else (e.file.m, e.file_rows)
    for what, used, total in (("real", len(e.X), e.n), ("synthetic", *generated)):
        if used < total:
            found.append(f"Of the {total:,} {what} rows a random {used:,} were used for everything that is measured.")
    spread = e.X.std(axis=0)
    moving = spread[spread > 0]
    if moving.max() > SCALES * moving.min():
        found.append("The features have very different scales, and a ridge treats all features alike: standardise them first.")
    if e.file is not None and e.file.self_fitted and e.plan.generator.kind != "self-fitted":
        found.append("The generator was fitted on your real rows, it seems: its class means match theirs. It is treated as self-fitted.")
    if e.file is None and not e.self_fitted and not e.plan.known:
        epsilon, verifier = e.plan.noise()
        found.append(f"Not all of epsilon, rho and phi are given. The advised mix assumes {100 * epsilon:.0f}% wrong labels and a verifier "
                     f"that keeps {100 * verifier.rho:.0f}% of them and {100 * verifier.phi:.0f}% of the right ones; the band covers "
                     "everything from the best to the worst.")
    if e.population.counts.min() < FEW:
        found.append(f"A class has only {e.population.counts.min()} real rows: everything here is rough.")
    if measured is not None and not measured.agree:
        found.append(f"Theory and leave-one-out disagree on the gain of the file: {100 * measured.predicted_gain:+.1f} +- "
                     f"{100 * measured.predicted_se:.1f} points predicted, {100 * measured.gain:+.1f} +- {100 * measured.gain_se:.1f} "
                     "measured. The measurement is trusted.")
    return found


def _points(gain: Gain) -> str:
    return f"{100 * gain.value:+.1f} points (standard error {100 * gain.se:.1f})"
