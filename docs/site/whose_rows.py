"""Measure which generators of packages are recognised as fitted on the user's own rows, and what the advice says, for docs/advise.md.

    python docs/site/whose_rows.py    writes docs/records/whose_rows.json, in about ten minutes

Needs copulas, ctgan, imbalanced-learn and statsmodels. Three tables: wine and breast cancer of scikit-learn, and the survey of Fair of
statsmodels, whose columns have few values. Each generator is fitted on the user's rows and on as many others.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_wine

from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table
from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.estimators.mix_ridge import SyntheticMixRidge
from synthmix.figures.kit.record import commit
from synthmix.support.threads import one_thread

RECORD = Path(__file__).resolve().parents[1] / "records" / "whose_rows.json"
ROWS, EPOCHS, SEEDS, FEW_VALUES, CLEAR = 600, 150, (0, 1), 8, 2.0
Samples = tuple[np.ndarray, np.ndarray]


def survey(*, return_X_y: bool) -> Samples:
    """Return the survey of Fair: features, and whether an affair is reported."""
    from statsmodels.datasets import fair

    table = fair.load_pandas().data
    return table.drop(columns="affairs").to_numpy(float), (table["affairs"] > 0).to_numpy(int)


TABLES = {"wine": (load_wine, 60), "breast cancer": (load_breast_cancer, 100), "survey": (survey, 200)}


def gaussians(X: np.ndarray, y: np.ndarray, seed: int) -> Samples:
    """Return rows of a Gaussian for every class."""
    return ClassGaussian.fit(X, y).sample(np.random.default_rng(seed), ROWS // len(np.unique(y)))


def interpolated(X: np.ndarray, y: np.ndarray, seed: int) -> Samples:
    """Return rows of SMOTE."""
    from imblearn.over_sampling import SMOTE

    counts = {k: int(np.sum(y == k)) + ROWS // len(np.unique(y)) for k in np.unique(y)}
    made, labels = SMOTE(sampling_strategy=counts, k_neighbors=3, random_state=seed).fit_resample(X, y)
    return made[len(X) :], labels[len(X) :]


def copula_of_classes(X: np.ndarray, y: np.ndarray, seed: int) -> Samples:
    """Return rows of a Gaussian copula for every class."""
    from copulas.multivariate import GaussianMultivariate
    from copulas.univariate import GaussianKDE

    made = []
    for k in np.unique(y):
        copula = GaussianMultivariate(distribution=GaussianKDE, random_state=seed)
        copula.fit(_frame(X[y == k]))
        made.append(copula.sample(ROWS // len(np.unique(y))).to_numpy())
    return np.concatenate(made), np.repeat(np.unique(y), [len(one) for one in made])


def copula_of_all(X: np.ndarray, y: np.ndarray, seed: int) -> Samples:
    """Return rows of one Gaussian copula, the label being a column."""
    from copulas.multivariate import GaussianMultivariate
    from copulas.univariate import BetaUnivariate

    copula = GaussianMultivariate(distribution=BetaUnivariate, random_state=seed)
    copula.fit(_frame(np.column_stack([X, y + np.random.default_rng(seed).random(len(y))])))
    made = copula.sample(ROWS).to_numpy()
    return made[:, :-1], np.clip(made[:, -1].astype(int), 0, y.max())


def network(name: str) -> Callable[[np.ndarray, np.ndarray, int], Samples]:
    """Return a generator of rows by a class of ctgan."""

    def made(X: np.ndarray, y: np.ndarray, seed: int) -> Samples:
        import ctgan
        import torch

        torch.manual_seed(seed)
        np.random.seed(seed)
        frame = _frame(X).assign(label=[f"class {k}" for k in y])
        words = [column for column in frame if frame[column].nunique() <= FEW_VALUES]
        model = getattr(ctgan, name)(epochs=EPOCHS, batch_size=50, enable_gpu=False)
        model.fit(frame, words)
        rows = model.sample(ROWS)
        return rows.drop(columns="label").to_numpy(float), rows["label"].str.split().str[1].to_numpy(int)

    return made


GENERATORS = {"Gaussians": gaussians, "SMOTE": interpolated, "a copula for every class": copula_of_classes, "one copula": copula_of_all,
              "TVAE": network("TVAE"), "CTGAN": network("CTGAN")}  # fmt: skip


def _frame(X: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])


def asked(name: str, generator: str, seed: int, *, own: bool) -> dict[str, object]:
    """Return what the advice says of a file and what the file's mix really gained on other rows."""
    load, n = TABLES[name]
    X, y = load(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    mine, rest = order[:n], order[2 * n :]
    made, labels = GENERATORS[generator](*((one[mine] if own else one[order[n : 2 * n]]) for one in (X, y)), seed)
    names = tuple(_frame(X))
    real, file = (Table(*pair, names, total=len(pair[1]), columns=names) for pair in ((X[mine], y[mine]), (made, labels)))
    found = advise(real, Plan(len(labels)), file, details=False)
    mean, spread = real.X.mean(axis=0), real.X.std(axis=0)
    spread[spread == 0] = 1
    scores = []
    for gamma, m, omega in ((found.baseline.gamma, 0, 0.0), (found.measured.gamma, len(labels), found.measured.omega)):
        model = SyntheticMixRidge(gamma * (n + m), omega).fit((real.X - mean) / spread, real.y, (made - mean) / spread, labels)
        scores.append(model.predict((X[rest] - mean) / spread) == y[rest])
    gained = scores[1].astype(float) - scores[0]
    return {"own": own, "recognised": found.provenance.fitted_on == "own rows", "verdict": found.verdict, "gain": found.gain.value,
            "realised": float(gained.mean()), "realised se": float(gained.std() / len(gained) ** 0.5)}  # fmt: skip


def row(asked_of: list[dict[str, object]]) -> dict[str, int]:
    """Return how many files of a generator were recognised, and how many were said to help that clearly did harm."""
    own, other = ([one for one in asked_of if one["own"] == is_own] for is_own in (True, False))
    harm = [one for one in asked_of if one["verdict"] == "helps" and one["realised"] < -CLEAR * one["realised se"]]
    return {"own": len(own), "recognised": sum(one["recognised"] for one in own), "others": len(other),
            "mistaken": sum(one["recognised"] for one in other), "helps": sum(one["verdict"] == "helps" for one in own),
            "helps with harm": len(harm)}  # fmt: skip


def main() -> None:
    """Measure and write the record."""
    rows, files = {}, {}
    warnings.simplefilter("ignore")  # the packages' own
    with one_thread():
        for generator in GENERATORS:
            files[generator] = [{"table": name, "seed": seed, **asked(name, generator, seed, own=own)}
                                for name in TABLES for seed in SEEDS for own in (True, False)]
            rows[generator] = row(files[generator])
            print(generator, rows[generator], flush=True)
    RECORD.write_text(json.dumps({"rows": rows, "files": files, "seed": SEEDS[0], "commit": commit()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
