"""Random settings of the page, as the page has them and as Python has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

import synthmix as sm
from synthmix.support.errors import NotConverged

LOSSES = ("hinge", "huber", "squared-hinge", "logistic", "probit")
QUANTITIES = ("mean_margin", "variance", "accuracy", "risk")


@dataclass(frozen=True)
class Case:
    """A setting in the page's names, the formula, and what Python predicts."""

    setting: dict[str, object]
    formula: str
    predicted: sm.Prediction


@cache
def cases(loss: bool = False) -> list[Case]:
    """Return 2,000 points of the solver's box that Python solves, for the square loss or for all others."""
    rng, found = np.random.default_rng(int(loss)), []
    while len(found) < 2000:
        case = _draw(rng, loss)
        if case is not None:
            found.append(case)
    return found


def check_all(tried: list[Case], found: list[dict[str, float | None] | None]) -> None:
    """The page predicts what Python predicts, to 1e-9, and refuses nothing that Python solves."""
    for case, values in zip(tried, found, strict=True):
        assert values is not None, case
        for name in QUANTITIES:
            value, wanted = values[name], getattr(case.predicted, name)
            assert (value is None and math.isnan(wanted)) or value == pytest.approx(wanted, rel=1e-9, abs=1e-300), (name, case)


def predicted(setting: dict[str, object], formula: str = "rederived") -> sm.Prediction:
    """Return what Python predicts for a setting in the page's names."""
    if setting.get("labels") == "trained":  # figure 3's
        alone = {"n": 0, "epsilon": 0.0, "rho": 0.0, "phi": 1.0, "omega": 1.0, "labels": "given", "loss": "square"}
        setting = {**setting, "epsilon": 1 - predicted({**setting, **alone}).accuracy}
    generator = sm.Generator(setting["generator"], setting.get("n_hat"), setting.get("estimate_mean", False), setting.get("beta", 1.0),
                             setting.get("mu_perp", 0.0))  # fmt: skip
    verifier, ridge = sm.Verifier(setting["rho"], setting["phi"]), sm.Ridge(setting["gamma"])
    own = sm.Setting(setting["n"], setting["m"], setting["p"], setting["mu"], setting["epsilon"], verifier, generator, ridge,
                     setting.get("omega", 1.0))  # fmt: skip
    if "generations" in setting:
        return sm.predict_tree(sm.generations(own, setting["generations"], setting["scheme"]))
    threshold = setting.get("huber_threshold") if setting.get("loss") == "huber" else None
    return sm.predict(own, formula=formula, loss=setting.get("loss", "square"), huber_threshold=threshold)


def _draw(rng: np.random.Generator, loss: bool) -> Case | None:
    N, real = 10 ** rng.uniform(0.5, 5), rng.uniform()
    n, m = (round(N * share) * (rng.uniform() > 0.05) for share in (real, 1 - real))
    kind = str(rng.choice(["exact", "independent", "self-fitted", "generations"][: 3 if loss else 4]))
    if n + m == 0 or (kind == "self-fitted" and n == 0):
        return None
    sure = [float(x) if rng.uniform() > 0.1 else float(round(x)) for x in rng.uniform(size=3)]
    setting = {"n": n, "m": m, "p": max(2, round((n + m) * 10 ** rng.uniform(-2, 1))), "mu": rng.uniform(0, 10) * (rng.uniform() > 0.05),
               "epsilon": sure[0], "rho": sure[1], "phi": sure[2], "gamma": 10 ** rng.uniform(-4, 4), "omega": 10 ** rng.uniform(-2, 2),
               "generator": "independent" if kind == "generations" else kind}  # fmt: skip
    if setting["generator"] == "independent":
        setting |= {"n_hat": round(10 ** rng.uniform(1, 5)), "estimate_mean": kind == "generations" or bool(rng.uniform() < 0.5)}
    if kind in ("exact", "independent"):
        setting |= {"beta": rng.uniform(-0.5, 1.5), "mu_perp": rng.uniform(0, 2)}
    if kind == "generations":
        scheme = str(rng.choice(["replace", "accumulate", f"fresh:{rng.uniform():.3f}"]))
        setting |= {"generations": int(rng.integers(1, 9)), "scheme": scheme}
    if loss:
        setting |= {"loss": str(rng.choice(LOSSES)), "huber_threshold": 10 ** rng.uniform(-1, 1)}
    formula = "published" if not loss and kind in ("exact", "independent") and rng.uniform() < 0.3 else "rederived"
    try:
        return Case(setting, formula, predicted(setting, formula))
    except (NotConverged, sm.BadInput):
        return None
