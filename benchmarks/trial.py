"""How long does one Monte-Carlo trial take at p = 500, n = 1000, m = 19000, and how long one standard error?

Run from the project root: python -m benchmarks.trial [--record]

The textbook draws every sample, and a test set of 10,000. Ours draws the Gram matrix and the label moment, and knows
the accuracy of the classifier exactly, which is why a trial also tells more. With the independent generator a trial
fits that generator first, on both sides. One core for both, and processor time,
which other programs hardly change.
"""

from __future__ import annotations

import math
from statistics import median
from time import process_time

import numpy as np

from benchmarks import textbook
from benchmarks.measure import duration, one_core, run, seconds, show
from synthmix.sims.monte_carlo import Estimate, Simulation, simulate
from synthmix.solvers.problem import Generator, Ridge, Setting, Verifier

REPEATS = 30  # of one textbook trial and of one simulation
TRIALS = {"independent": 8, "exact": 256}  # of one simulation; the banded path draws 256 at a time


def setting(generator: Generator) -> Setting:
    """The mixture of the question."""
    return Setting(1000, 19000, 500, 0.7, 0.2, Verifier(rho=0.2, phi=0.9), generator, Ridge(1.0))


def compare(generator: Generator) -> dict[str, float]:
    """Time of a trial and standard deviation of its accuracy on both sides, and the ratios of times and of times for an equal error."""
    mixture, trials = setting(generator), TRIALS[generator.kind]
    rng = np.random.default_rng(1)
    drawn: list[float] = []
    simulated: list[Simulation] = []

    def theirs() -> None:
        drawn.append(textbook.trial(mixture, rng))

    def ours() -> None:
        simulated.append(simulate(mixture, trials=trials, seed=len(simulated), jobs=1))

    theirs(), ours()  # unmeasured
    times = [(seconds(theirs, clock=process_time), seconds(ours, clock=process_time) / trials) for _ in range(REPEATS)]
    time_theirs, time_ours = map(median, zip(*times, strict=True))

    reference = Estimate.of(np.array(drawn))
    sd_theirs = reference.se * math.sqrt(len(drawn))
    sd_ours = math.sqrt(np.mean([s.accuracy.se**2 * s.trials for s in simulated]))
    mean = np.mean([s.accuracy.mean for s in simulated])
    sd_of_difference = math.hypot(reference.se, sd_ours / math.sqrt(trials * len(simulated)))
    assert abs(mean - reference.mean) < 4 * sd_of_difference, f"the two differ: {mean:.4f}, {reference.mean:.4f}"
    of_time, of_variance = time_theirs / time_ours, (sd_theirs / sd_ours) ** 2
    return {"textbook, ms": 1e3 * time_theirs, "ours, ms": 1e3 * time_ours, "of time": of_time, "textbook, sd": sd_theirs,
            "ours, sd": sd_ours, "for equal error": of_time * of_variance}  # fmt: skip


def main() -> dict[str, object]:
    """Measure, compare, print; return the numbers of every generator."""
    one_core()
    found = {kind: compare(Generator(kind, n_hat=1000 if kind == "independent" else None)) for kind in TRIALS}
    words = {"textbook, ms": ("time of a trial, textbook", lambda x: duration(x / 1e3)), "ours, ms": ("ours", lambda x: duration(x / 1e3)),
             "of time": ("textbook / ours", "{:,.0f}".format), "textbook, sd": ("sd of its accuracy, textbook", "{:.5f}".format),
             "ours, sd": ("ours", "{:.5f}".format), "for equal error": ("textbook / ours, for equal standard error", "{:,.0f}".format)}
    rows = [(title, *(put(found[kind][name]) for kind in TRIALS)) for name, (title, put) in words.items()]
    show("One trial, p = 500, n = 1000, m = 19000, one core", ("generator", *TRIALS), rows)
    return found


if __name__ == "__main__":
    run(main)
