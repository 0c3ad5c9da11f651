"""What to measure next to be surer of an advice: one line."""

from __future__ import annotations

from .evidence import SIGMAS, Evidence
from .outlook import Outlook
from .result import SMALLEST, Verdict
from .words import two_digits

AUDIT = 100  # rows whose true label is looked up where none is known
PILOT = 200  # rows generated to be measured, where samples are only planned
MOST_TIMES = 20.0  # times the real rows there are, beyond which no one measures


def next_step(e: Evidence, outlook: Outlook, verdict: Verdict, instead: str = "") -> str:
    """Return what would reduce the largest doubt in a verdict, a sentence.

    Parameters
    ----------
    e : Evidence
    outlook : Outlook
    verdict
    instead
        Another model that is better, as `--model` calls it; "" if there is none.
    """
    if instead:
        return f"Ask again with --model {instead}: whether synthetic rows add anything to it is another question."
    gain = outlook.gain
    if e.file is not None and e.plan.self_fitted is None and (e.self_fitted or verdict == "depends on the generator"):
        return ("Ask whoever made the synthetic rows whether the generator was fitted on your real rows, and say --self-fitted or "
                "--not-self-fitted.")
    if e.self_fitted and e.file is None:
        return "Ask for rows of a generator that was fitted on other rows: those of your own cannot add what they do not hold."
    shares = (("how many labels are wrong", e.plan.epsilon), ("which of them the verifier keeps", e.plan.rho))
    unknown = [what for what, share in shares if share is None]
    from_noise = (gain.high - gain.low) / 2 - SIGMAS * gain.se  # half of the band that the noise and the verifier alone make
    if e.file is None and (unknown or from_noise > gain.se):
        what = " and ".join(unknown) if unknown else "the share of wrong labels and the verifier's"
        return (f"Look up the true labels of {AUDIT} synthetic rows (column truth): {what} would then be known to about "
                f"{100 * SIGMAS * 0.5 / AUDIT**0.5:.0f} points.")
    if e.file is None:
        return f"Generate {PILOT} rows and give them with --synthetic: the gain is then cross-validated on your rows, too."
    times = (SIGMAS * gain.se / max(abs(gain.value), SMALLEST)) ** 2
    if times <= 1:
        error = (outlook.best.accuracy * (1 - outlook.best.accuracy) / e.n) ** 0.5
        return f"Keep your next {e.n:,} real rows as a test set: they say the accuracy to {100 * error:.1f} points and confirm the gain."
    if times > MOST_TIMES:
        return f"The gain is too small to be told from none with fewer than {MOST_TIMES:.0f} times your real rows: spend nothing on it."
    one = "gain" if gain.value > 0 else "loss"
    return f"Label about {two_digits((times - 1) * e.n)} more real rows: a {one} like this would then stand out by two standard errors."
