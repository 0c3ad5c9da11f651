"""Will synthetic data help on the user's data, how many samples, with what weight and ridge, and how good must the verifier be?

The accuracy without synthetic data is measured by exact leave-one-out over the real samples. What synthetic data add is predicted by the
theory of the mix, for the population estimated from the real samples. With a file of synthetic samples the mix is measured by
leave-one-out too, and the theory only says what other numbers of such samples would do.
"""

from __future__ import annotations

from synthmix.advice.break_even import ExchangeRates
from synthmix.advice.evidence import gather
from synthmix.advice.generated_file import Samples
from synthmix.advice.outlook import corrected, predicted
from synthmix.advice.plan import Plan
from synthmix.advice.result import Advice, Choice
from synthmix.advice.verdict import judge, notes

ENOUGH = 0.001  # fewer samples are enough if they cost no more accuracy than this
NONE = ("hurts", "no difference you could measure")  # verdicts that advise against synthetic data


def advise(real: Samples, plan: Plan, synthetic: Samples | None = None, *, details: bool = True, seed: int = 0) -> Advice:
    """Advise whether to add synthetic data to real samples.

    Parameters
    ----------
    real : Samples
        Anything with features X (n, p) and labels y (n,), such as an `advice.tables.Table`.
    plan : Plan
        The generator, its noise and verifier, and the budget. With a synthetic file the generator only says whether it was self-fitted, and
        an audit in the file replaces epsilon, rho and phi.
    synthetic : Samples or None
        A file's samples, where there are any, perhaps with keep, score and truth.
    details : bool
        Whether to compute the curve over m, the break-even line and what a real sample is worth. Without them the advice is the
        verdict with its mix, and the rest is nan or None.
    seed : int
        Divides the real samples into the groups of the jackknife.

    Raises
    ------
    BadInput
        For samples that cannot be used, in one line.
    """
    e = gather(real, plan, synthetic, seed)
    rates, measured = ExchangeRates(e), None if e.file is None else e.measured
    outlook = predicted(e, details)
    if measured is not None:
        outlook = corrected(outlook, measured, e.baseline)
    verdict, reason = judge(e, outlook, measured, rates)
    best = outlook.best
    if verdict in NONE:
        best = Choice(0.0, 0.0, 1.0, e.baseline.gamma, e.baseline.accuracy, e.baseline.se)
    enough = next((one.m for one in outlook.curve if one.accuracy >= best.accuracy - ENOUGH), best.m) if best.m else 0.0
    worth, worth_next = rates.worth(best) if details or not best.m else (float("nan"), float("nan"))
    return Advice(
        verdict, reason, e.n, e.X.shape[1], len(e.classes), plan.budget, e.baseline, best, float(enough), outlook.gain, outlook.plain,
        outlook.curve, worth, worth_next, rates.needed if details else float("nan"),
        rates.break_even() if details and not e.self_fitted else None, measured,
        None if e.file is None else e.file.audit, tuple(notes(e, measured)), None if e.file is None else e.file.keep,
    )  # fmt: skip
