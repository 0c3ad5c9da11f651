"""How long does one Monte-Carlo trial take at p = 500, n = 1000, m = 19000, and how long one standard error?

Run from the project root: python -m benchmarks.trial

The textbook draws every sample, and a test set of 10,000. Ours draws the Gram matrix and the label moment, and knows
the accuracy of the classifier exactly, which is why a trial also tells more. With the independent generator a trial
fits that generator first, on both sides. One core for both.
"""

from __future__ import annotations

import math
from statistics import median

import numpy as np

from benchmarks import textbook
from benchmarks.measure import duration, one_core, seconds, show
from synthmix.sims.monte_carlo import Estimate, Simulation, simulate
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

REPEATS = 30  # of one textbook trial and of one simulation
TRIALS = {"independent": 8, "exact": 256}  # of one simulation; the banded path draws 256 at a time


def setting(generator: Generator) -> Setting:
    """The mixture of the question."""
    return Setting(1000, 19000, 500, 0.7, 0.2, Verifier(rho=0.2, phi=0.9), generator, Ridge(1.0))


def compare(generator: Generator) -> tuple[str, ...]:
    """A column of the table: time of a trial and standard deviation of its accuracy on both sides, the two ratios."""
    mixture, trials = setting(generator), TRIALS[generator.kind]
    rng = np.random.default_rng(1)
    drawn: list[float] = []
    simulated: list[Simulation] = []

    def theirs() -> None:
        drawn.append(textbook.trial(mixture, rng))

    def ours() -> None:
        simulated.append(simulate(mixture, trials=trials, seed=len(simulated), jobs=1))

    theirs(), ours()  # unmeasured
    times = [(seconds(theirs), seconds(ours) / trials) for _ in range(REPEATS)]
    time_theirs, time_ours = map(median, zip(*times, strict=True))

    reference = Estimate.of(np.array(drawn))
    sd_theirs = reference.se * math.sqrt(len(drawn))
    sd_ours = math.sqrt(np.mean([s.accuracy.se**2 * s.trials for s in simulated]))
    mean = np.mean([s.accuracy.mean for s in simulated])
    sd_of_difference = math.hypot(reference.se, sd_ours / math.sqrt(trials * len(simulated)))
    assert abs(mean - reference.mean) < 4 * sd_of_difference, f"the two differ: {mean:.4f}, {reference.mean:.4f}"
    of_time, of_variance = time_theirs / time_ours, (sd_theirs / sd_ours) ** 2
    times_shown = duration(time_theirs), duration(time_ours), f"{of_time:,.0f}"
    return *times_shown, f"{sd_theirs:.5f}", f"{sd_ours:.5f}", f"{of_time * of_variance:,.0f}"


def main() -> None:
    """Measure, compare, print."""
    one_core()
    quantities = (
        "time of a trial, textbook",
        "time of a trial, ours",
        "textbook / ours",
        "sd of its accuracy, textbook",
        "sd of its accuracy, ours",
        "textbook / ours, for equal standard error",
    )
    columns = compare(Generator("independent", n_hat=1000)), compare(Generator("exact"))
    rows = zip(quantities, *columns, strict=True)
    show("One trial, p = 500, n = 1000, m = 19000, one core", ("generator", "independent", "exact"), rows)


if __name__ == "__main__":
    main()
