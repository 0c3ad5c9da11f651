"""An advice as a table: in the words of scikit-learn, and in the paper's symbols."""

from __future__ import annotations

import numpy as np

from ..estimators.audits import Proportion
from .result import Advice
from .words import two_digits, with_error

HEAD = ("", "advice", "in symbols")
Row = tuple[str, str, str]


def table(advice: Advice) -> list[Row]:
    """Return the rows below `HEAD`: the name of a number, the number, and its symbols.

    Parameters
    ----------
    advice : Advice
    """
    base, best, n = advice.baseline, advice.best, advice.n
    features = f"{advice.p:,} features{', standardised' if advice.standardised else ''}"
    by_folds = (advice.model, advice.metric) != ("ridge", "accuracy")
    how = f"{'by cross-validation' if by_folds else 'by leave-one-out'}, {base.model}{_alpha(base.gamma * n)}"
    rows = [("your data", f"{n:,} real rows, {features}, {advice.classes} classes", f"n = {n}, p = {advice.p}"),
            (f"{advice.metric} now", f"{_level(advice, base.accuracy, base.se)}, {how}", _symbol("gamma", base.gamma))]
    own = base.model if by_folds else "Ridge"
    rows += [(one.name, f"{with_error(one.lead, one.lead_se)} against {own}, without synthetic data{_comma(_alpha(one.alpha))}", "")
             for one in advice.rivals]
    if best.m:
        used = f"{best.m:,.0f} synthetic rows" + (f" ({best.kept:,.0f} kept)" if round(best.kept) < round(best.m) else "")
        model = f"{'Ridge' if np.isfinite(best.gamma) else base.model}{_alpha(best.gamma * (n + best.m))}"
        rows += [("use", f"{used}, sample_weight {best.omega:.2g}, {model}",
                  f"m = {best.m:.0f}, omega = {best.omega:.3g}{_comma(_symbol('gamma', best.gamma))}"),
                 (f"{advice.metric} then", _level(advice, best.accuracy, best.se), "")]
        rows += [("nearly as good", f"{advice.enough:,.0f} synthetic rows, within 0.1 points", "")] if advice.enough < best.m else []
    else:
        rows.append(("use", "no synthetic data", "m = 0"))
    rows += [("gain of the best mix", with_error(advice.gain.value, advice.gain.se), ""),
             (f"all {advice.budget:,} at weight 1", with_error(advice.plain.value, advice.plain.se), "omega = 1")]
    return [*rows, *_file_rows(advice), *_candidate_rows(advice), *_exchange_rows(advice), *_purchase_rows(advice)]


def _candidate_rows(advice: Advice) -> list[Row]:
    """Rows on the files among which the best one was chosen."""
    return [(f"{'chosen: ' if one.chosen else ''}{one.name}", f"{with_error(one.gain, one.gain_se)}, {one.verdict}", "")
            for one in advice.candidates] if len(advice.candidates) > 1 else []


def _purchase_rows(advice: Advice) -> list[Row]:
    """Rows on what to buy, and what next to it."""
    rows = []
    for name, one in zip(("buy", "or"), advice.purchases, strict=False):
        what = [f"{one.real:,.0f} real rows"] * bool(one.real) + [f"{one.synthetic:,.0f} {one.kind}"] * bool(one.synthetic)
        level = f"{advice.metric} {_level(advice, one.accuracy, one.se)}"
        rows.append((name, f"{' and '.join(what) or 'nothing'} for {one.cost:,.2f}: {level}, "
                     f"{with_error(one.gain, one.gain_se)}", f"omega = {one.omega:.2g}" if one.synthetic else ""))
    return rows


def _file_rows(advice: Advice) -> list[Row]:
    """Rows on a synthetic file: its measured gain, and its audit."""
    rows = []
    if advice.threshold is not None and advice.best.m:
        rows.append(("keep rows with a score of at least", f"{advice.threshold:.4g}", ""))
    if advice.measured is not None:
        one, ridge = advice.measured, advice.model == "ridge"
        rows += [(f"gain of the file's {one.m:,} rows", f"{with_error(one.gain, one.gain_se)}, cross-validated on your rows", ""),
                 ("", f"{with_error(one.predicted_gain, one.predicted_se)}, theory only{'' if ridge else ', of Ridge'}", "")]
        if advice.relabelled is not None:
            cleaned = advice.relabelled
            rows.append(("cleaning its labels, too", f"{with_error(cleaned.gain, cleaned.gain_se)} on that, RelabelledMix alpha "
                         f"{two_digits(cleaned.alpha)}", ""))
        if advice.budget > one.m:
            end = advice.curve[-1]
            rows.append((f"gain of {advice.budget:,} such rows",
                         with_error(end.accuracy - advice.baseline.accuracy, (end.gain_high - end.gain_low) / 4), ""))
    if advice.audit is not None:
        shares = {"epsilon": "wrong labels", "rho": "your verifier lets through of the wrong labels", "phi": "and keeps of the right ones"}
        for name, what in shares.items():
            one: Proportion = getattr(advice.audit, name)
            found = f"{100 * one.share:.0f}% ({100 * one.low:.0f} to {100 * one.high:.0f}%, {one.total} rows audited)"
            rows.append((what, found if one.total else "unknown: no such rows audited", f"{name} = {one.share:.3g}" if one.total else ""))
    return rows


def _exchange_rows(advice: Advice) -> list[Row]:
    """Rows on the worth of a real row in synthetic ones, and on how bad noise and verifier may be."""
    rows = []
    if np.isfinite(advice.worth):
        following = f", the next one {two_digits(advice.worth_next)}" if np.isfinite(advice.worth_next) else ""
        rows.append(("a real label replaces", f"{two_digits(advice.worth)} synthetic rows on average{following}", ""))
    even = advice.break_even
    if even is not None and np.isfinite(even.rho_at):
        rows.append((f"how bad the verifier may be, weight {even.omega:.2g}", _limit("it keeps", even.rho_at, "of the wrong labels"),
                     f"rho > {even.rho_at:.2f} at your epsilon, phi = {even.phi:.2g}" if even.rho_at < 1 else ""))
    if even is not None and np.isfinite(even.epsilon_at):
        rows.append((f"how bad the labels may be, weight {even.omega:.2g}", _limit("there are", even.epsilon_at, "wrong labels"),
                     f"epsilon > {even.epsilon_at:.2f} at your rho" if even.epsilon_at < 1 else ""))
    return rows


def _limit(has: str, share: float, labels: str) -> str:
    return f"hurts if {has} more than {100 * share:.0f}% {labels}" if share < 1 else f"never hurts, even if {has} 100% {labels}"


def _alpha(alpha: float) -> str:
    return f" alpha {two_digits(alpha)}" if np.isfinite(alpha) else ""


def _symbol(name: str, value: float) -> str:
    return f"{name} = {value:.3g}" if np.isfinite(value) else ""


def _comma(text: str) -> str:
    return f", {text.strip()}" if text else ""


def _level(advice: Advice, value: float, se: float) -> str:
    return f"{-value:.3f} +- {se:.3f}" if advice.metric == "log-loss" else f"{100 * value:.1f}% +- {100 * se:.1f}"
