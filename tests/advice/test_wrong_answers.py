"""Advice on tables as people bring them: raw columns, row numbers, generators fitted on the user's own rows, pure noise."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from synthmix.advice.advise import advise
from synthmix.advice.evidence import gather
from synthmix.advice.identifiers import named_like_one, reason
from synthmix.advice.leakage import GaussianLeak
from synthmix.advice.outlook import predicted
from synthmix.advice.picture import save
from synthmix.advice.plan import Plan
from synthmix.advice.result import Advice
from synthmix.advice.table import table
from synthmix.advice.tables import Table, read
from synthmix.estimators.class_gaussian import ClassGaussian
from synthmix.estimators.leave_one_out import RidgeMix
from synthmix.solvers.best_mix import Optimum
from synthmix.solvers.problem import Generator

LOADED = {"wine": load_wine, "cancer": load_breast_cancer}


def rows(X: np.ndarray, y: np.ndarray, **columns: np.ndarray) -> Table:
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    return Table(X, y, names, total=len(y), columns=names, **columns)


def interpolated(X: np.ndarray, y: np.ndarray, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """SMOTE: points between a row and one of its five nearest neighbours of the same class, as raw distances say."""
    rng, made = np.random.default_rng(seed), []
    labels = np.repeat(np.unique(y), m)
    for label in labels:
        own = X[y == label]
        one = own[rng.integers(len(own))]
        near = own[np.argsort(np.sum((own - one) ** 2, axis=1))[1:6]]
        made.append(one + rng.random() * (near[rng.integers(len(near))] - one))
    return np.array(made), labels


def by_imbalanced_learn(X: np.ndarray, y: np.ndarray, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    counts = dict(zip(*np.unique(y, return_counts=True), strict=True))
    sampler = over_sampling.SMOTE(sampling_strategy={k: int(count) + m for k, count in counts.items()}, k_neighbors=3, random_state=seed)
    made, labels = sampler.fit_resample(X, y)
    return made[len(X) :], labels[len(X) :]


def gaussian(X: np.ndarray, y: np.ndarray, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return ClassGaussian.fit(X, y).sample(np.random.default_rng(seed), m)


@cache
def split(name: str, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """n real rows, n rows that another generator may see, and the rest to test on."""
    X, y = LOADED[name](return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    mine, other, test = order[:n], order[n : 2 * n], order[n:]
    return X[mine], y[mine], X[other], y[other], X[test], y[test]


def followed(advice: Advice, X: np.ndarray, y: np.ndarray, made: np.ndarray, labels: np.ndarray) -> RidgeClassifier:
    """The classifier that the advice says to train."""
    best, n = advice.best, len(y)
    c = np.append(np.ones(n), np.full(len(labels), best.omega))
    if not best.m:
        made, labels, c = made[:0], labels[:0], c[:n]
    model = make_pipeline(StandardScaler(), RidgeClassifier(best.gamma * (n + best.m)))
    model.steps[0][1].fit(X)
    scaled = model.steps[0][1].transform(np.concatenate([X, made]))
    model.steps[1][1].fit(scaled, np.concatenate([y, labels]), sample_weight=c)
    return model


# ---------------------------------------------------------------- raw features


@pytest.mark.parametrize("generator", [interpolated, by_imbalanced_learn])
@pytest.mark.parametrize("seed", [0, 1])
def test_wine_as_it_comes_with_interpolated_rows(generator, seed) -> None:
    X, y, _, _, test, truth = split("wine", 40, seed)
    made, labels = generator(X, y, 100, seed)
    advice = advise(rows(X, y), Plan(300), rows(made, labels), details=False)
    assert advice.baseline.accuracy > 0.93 and advice.baseline.accuracy >= advice.rivals[0].accuracy - 0.02
    assert advice.verdict == "too close to call" and abs(advice.gain.value) < 0.01
    assert advice.provenance.fitted_on == "own rows"
    assert followed(advice, X, y, made, labels).score(test, truth) >= RidgeClassifierCV().fit(X, y).score(test, truth) - 0.01


def test_breast_cancer_as_it_comes_is_no_worse_than_plain_cross_validation() -> None:
    ours, plain = [], []
    for seed in range(5):
        X, y, _, _, test, truth = split("cancer", 60, seed)
        made, labels = interpolated(X, y, 100, seed)
        advice = advise(rows(X, y), Plan(200), rows(made, labels), details=False)
        ours.append(followed(advice, X, y, made, labels).score(test, truth))
        plain.append(RidgeClassifierCV().fit(X, y).score(test, truth))
    assert np.mean(ours) > np.mean(plain) + 0.01


def test_without_standardising_the_baseline_is_never_worse_than_plain_cross_validation() -> None:
    X, y, *_ = split("wine", 40, 1)
    X = X * np.geomspace(1, 1e6, X.shape[1])
    advice = advise(rows(X, y), Plan(300, 0.1, 0.1, 0.9), standardise=False, details=False)
    rival = advice.rivals[0]
    assert rival.better and advice.baseline.model == rival.name and not advice.standardised
    assert advice.baseline.gamma * 40 == pytest.approx(rival.alpha)
    assert any("all gains are over it" in note for note in advice.notes)
    ours = gather(rows(X, y), Plan(300, 0.1, 0.1, 0.9), None, standardise=False)
    assert advice.gain.value == pytest.approx(predicted(ours, False).gain.value - rival.lead)
    assert "RidgeClassifierCV" in dict((row[0], row[1]) for row in table(advice))["accuracy now"]


def test_the_ridge_of_unscaled_features_is_in_their_units() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((80, 5)), np.arange(80) % 2
    X[y == 1] += 0.8
    plan = Plan(500, 0.2, 0.2, 0.9)
    one, other = (advise(rows(factor * X, y), plan, standardise=False, details=False) for factor in (1.0, 1e3))
    assert other.baseline.gamma == pytest.approx(1e6 * one.baseline.gamma) and other.best.gamma == pytest.approx(1e6 * one.best.gamma)


# ---------------------------------------------------------------- whose rows the generator saw


@pytest.mark.parametrize("name, n", [("wine", 40), ("wine", 80), ("cancer", 60), ("cancer", 200)])
@pytest.mark.parametrize("generator", [interpolated, gaussian])
def test_a_generator_that_saw_the_rows_is_told_from_one_that_saw_others(name, n, generator) -> None:
    for seed in range(3):
        X, y, X_other, y_other, *_ = split(name, n, seed)
        for source, found in (((X, y), "own rows"), ((X_other, y_other), "unknown")):
            file = gather(rows(X, y), Plan(100), rows(*generator(*source, 150, seed))).file
            assert file.provenance.fitted_on == found, (seed, file.provenance)


def test_copies_and_noisy_copies_are_found() -> None:
    X, y, *_ = split("cancer", 60)
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 60, 300)
    for noise, reason_given in ((0.0, "copies"), (0.3, "nearer")):
        made = X[chosen] + noise * X.std(axis=0) * rng.standard_normal((300, X.shape[1]))
        found = gather(rows(X, y), Plan(300), rows(made, y[chosen])).file.provenance
        assert found.fitted_on == "own rows" and reason_given in found.why


def test_what_the_user_says_of_the_generator_counts() -> None:
    X, y, *_ = split("cancer", 60)
    own = rows(*gaussian(X, y, 100))
    plan = Plan(200)
    treated, denied, said = (advise(rows(X, y), one, own, details=False)
                             for one in (plan, replace(plan, self_fitted=False), replace(plan, self_fitted=True)))
    assert treated.measured.gain == said.measured.gain < denied.measured.gain
    assert any("it seems" in note for note in treated.notes) and any("You say" in note for note in denied.notes)
    assert not any("fitted on" in note or "saw" in note for note in said.notes)


def test_the_doubt_whose_rows_it_saw_is_in_the_verdict() -> None:
    X, y, X_other, y_other, *_ = split("cancer", 40, 3)
    made = rows(*gaussian(X_other, y_other, 300))
    unsaid, said = (advise(rows(X, y), Plan(600, self_fitted=one), made, details=False) for one in (None, False))
    assert unsaid.gain == said.gain and unsaid.provenance.fitted_on == "unknown"
    assert "fitted on" not in said.reason
    if said.verdict == "helps":
        assert unsaid.verdict == "depends on the generator" and "if it was fitted on them" in unsaid.reason
        assert "--self-fitted" in unsaid.next


def one_copula(X: np.ndarray, y: np.ndarray, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One Gaussian copula for all columns, the label among them, with the package's own choice of marginal laws."""
    copula = pytest.importorskip("copulas.multivariate").GaussianMultivariate()
    univariate, pandas = pytest.importorskip("copulas.univariate"), pytest.importorskip("pandas")
    np.random.seed(seed)
    columns = pandas.DataFrame(np.column_stack([X, y + np.random.default_rng(seed).random(len(y))])).rename(columns=str)
    copula.distribution = univariate.BetaUnivariate
    copula.fit(columns)
    made = copula.sample(2 * m).to_numpy()
    labels = np.clip(made[:, -1].astype(int), 0, y.max())
    return made[:, :-1], labels


def short_of_its_aim(X: np.ndarray, y: np.ndarray, m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A generator that reproduces no class mean of the rows it was fitted on, as a GAN after a few hundred steps."""
    rng = np.random.default_rng(seed)
    made, labels = ClassGaussian.fit(X, y).sample(rng, m)
    return made + 0.5 * X.std(axis=0) * rng.standard_normal((2, X.shape[1]))[labels], labels


@pytest.mark.parametrize("generator", [one_copula, short_of_its_aim])
def test_what_no_file_shows_is_asked_for(generator) -> None:
    """Only the word of the user tells them from generators of other rows, and so the verdict is never helps."""
    for seed in range(3):
        X, y, *_ = split("cancer", 60, seed)
        made, labels = generator(X, y, 150, seed)
        advice = advise(rows(X, y), Plan(len(labels)), rows(made, labels), details=False)
        assert advice.verdict != "helps", advice.reason
        if advice.provenance.fitted_on == "unknown" and advice.gain.value > max(0.001, advice.gain.se):
            assert advice.verdict in ("depends on the generator", "change the model") and "--not-self-fitted" in advice.reason


def test_columns_that_end_where_those_of_the_real_rows_do_are_a_sign() -> None:
    rng = np.random.default_rng(0)
    for own in (True, False):
        X, y, X_other, y_other, *_ = split("cancer", 100)
        source, labels = (X, y) if own else (X_other, y_other)
        made, labels = short_of_its_aim(source, labels, 300)
        made = np.clip(made, source.min(axis=0), source.max(axis=0))  # as SDV does
        found = gather(rows(X, y), Plan(600), rows(made, labels)).file.provenance
        assert found.fitted_on == ("own rows" if own else "unknown") and ("lowest and highest" in found.why) == own
    grid = rng.integers(0, 4, (100, 8)).astype(float)  # columns of few values end alike by accident
    found = gather(rows(grid, np.arange(100) % 2), Plan(300), rows(rng.integers(0, 4, (300, 8)).astype(float), np.arange(300) % 2))
    assert found.file.provenance.ends == 0 and found.file.provenance.fitted_on == "unknown"


def test_noise_hurts_whoever_it_was_fitted_on() -> None:
    X, y, *_ = split("cancer", 100)
    rng = np.random.default_rng(1)
    noise = rows(X.mean(axis=0) + X.std(axis=0) * rng.standard_normal((2000, X.shape[1])), rng.integers(0, 2, 2000))
    for self_fitted in (None, True, False):
        advice = advise(rows(X, y), Plan(2000, self_fitted=self_fitted), noise, details=False)
        assert advice.verdict == "hurts" and advice.best.m == 0, advice.reason
        assert advice.measured.plain < -0.05


@pytest.mark.parametrize("weight", [0.1, 1.0])
@pytest.mark.parametrize("generator, share", [(gaussian, 0.2), (interpolated, 0.4)])
def test_leave_one_out_less_the_leak_is_the_accuracy_on_fresh_rows(generator, share, weight) -> None:
    """`share` of the leak may be left: it is taken from a Gaussian generator."""
    leaky, honest, true = [], [], []
    for seed in range(8):
        X, y, _, _, test, truth = split("cancer", 60, seed)
        scaler = StandardScaler().fit(X)
        X, test = scaler.transform(X), scaler.transform(test)
        made, labels = generator(X, y, 150, seed)
        mix = RidgeMix.of(X, y, made, labels, N=1)
        plain, alone = mix.path([10.0], weight)[0], mix.path([10.0], 0.0)[0]
        kept = np.diag(np.bincount(labels).astype(float))
        free = GaussianLeak.of(X, y, kept).taken_off([plain], [10.0], weight)[0]
        leaky.append(plain.accuracy - alone.accuracy)
        honest.append(free.accuracy - alone.accuracy)
        c = np.append(np.ones(len(y)), np.full(len(labels), weight))
        both = RidgeClassifier(10.0).fit(np.concatenate([X, made]), np.append(y, labels), sample_weight=c)
        true.append(both.score(test, truth) - RidgeClassifier(10.0).fit(X, y).score(test, truth))
    leak = np.mean(leaky) - np.mean(true)
    assert leak > 0.01
    assert abs(np.mean(honest) - np.mean(true)) < share * leak


# ---------------------------------------------------------------- columns that number rows


def written(path, columns: dict[str, np.ndarray]):
    path.write_text(",".join(columns) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*columns.values(), strict=True)))
    return path


def test_the_index_that_pandas_writes_is_no_feature(tmp_path) -> None:
    rng = np.random.default_rng(0)
    y = np.sort(np.arange(60) % 2)  # the rows are in the order of their classes
    features = {"a": rng.standard_normal(60), "b": rng.standard_normal(60)}
    plain = read(written(tmp_path / "plain.csv", {**features, "label": y}))
    for name, values in (("Unnamed: 0", np.arange(60)), ("", np.arange(60)), ("customer_id", rng.permutation(60) * 7),
                         ("number", np.arange(60) * 3 + 5), ("whatever", rng.permutation(60)),
                         ("ID", np.array([f"u{i}" for i in range(60)]))):
        real = read(written(tmp_path / "real.csv", {name: values, **features, "label": y}))
        assert real.names == ("a", "b") and real.left_out[0][0] == name
        np.testing.assert_array_equal(real.X, plain.X)
        made = read(written(tmp_path / "made.csv", {**features, "label": y}), like=real)
        again = read(tmp_path / "real.csv", like=real)
        np.testing.assert_array_equal(made.X, again.X)
    advice = advise(real, Plan(100, 0.2, 0.2, 0.9), details=False)
    assert "Left out: 'ID' (an identifier by its name)." in advice.notes


def test_features_are_not_taken_for_identifiers() -> None:
    rng = np.random.default_rng(0)
    for name in ("mass_index", "void", "acid", "humid", "paid", "Fluid", "grid", "x1", "row_mean"):
        assert not named_like_one(name), name
    for name in ("id", "Id", "user_id", "userId", "Sample ID", "uuid", "Unnamed: 3", "__index_level_0__", ""):
        assert named_like_one(name), name
    assert not reason("a", np.round(rng.normal(0, 1e6, 50)))  # different whole numbers, in no order and with gaps
    assert not reason("a", np.sort(rng.standard_normal(50)))
    assert not reason("index", np.arange(50) % 7)
    assert reason("index", np.round(rng.normal(0, 1e6, 50))) and reason("a", np.arange(50.0)[::-1])


def test_columns_that_do_not_match_are_named(tmp_path) -> None:
    y = np.arange(20) % 2
    values = {name: np.random.default_rng(i).standard_normal(20) for i, name in enumerate("abc")}
    real = read(written(tmp_path / "real.csv", {**values, "label": y}))
    with pytest.raises(ValueError, match="lacks b, which the real samples have and has d, which the real samples lack"):
        read(written(tmp_path / "made.csv", {"a": values["a"], "c": values["c"], "d": values["b"], "label": y}), like=real)
    np.savez(tmp_path / "made.npz", X=np.ones((20, 2)), y=y)
    with pytest.raises(ValueError, match=r"has 2 features, the real samples 3 \(theirs are a, b, c\)"):
        read(tmp_path / "made.npz", like=real)


# ---------------------------------------------------------------- words and numbers


def test_a_gain_within_its_error_is_too_close_to_call() -> None:
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((40, 20)), np.arange(40) % 2
    X[y == 1, 0] += 1.0
    advice = advise(rows(X, y), Plan(30, 0.1, 0.3, 0.9, Generator("independent", n_hat=40)), details=False)
    assert 0.001 < advice.gain.value <= advice.gain.se and advice.verdict == "too close to call"
    assert "less than its error" in advice.reason and advice.best.m > 0


def test_less_than_one_sample_is_no_advice(monkeypatch) -> None:
    from synthmix.advice import outlook

    X, y, *_ = split("cancer", 60)
    monkeypatch.setattr(outlook, "best_mix", lambda family, budget: Optimum(0.0003, 2.0, 1.0, 0.99, 1))
    advice = advise(rows(X, y), Plan(100, 0.1, 0.1, 0.9), details=False)
    assert advice.best.m == 0 and advice.verdict != "helps"


def test_no_exchange_rate_that_nobody_could_use(tmp_path) -> None:
    X, y, *_ = split("cancer", 60)
    for epsilon, rho in ((0.5, 1.0), (0.3, 0.3), (0.0, 0.0)):
        plan = Plan(200, epsilon, rho, 0.9, Generator("independent", n_hat=40))
        advice = advise(rows(X, y), plan)
        for rate in (advice.worth, advice.worth_next):
            assert np.isnan(rate) or 0 < rate < 1e4
        assert not any("inf" in row[1] or "nan" in row[1] for row in table(advice))
        if advice.break_even is not None and advice.verdict in ("helps", "hurts"):
            even = advice.break_even
            assert (np.isfinite(even.rho_at) and even.rho_at >= rho) == (advice.verdict == "helps")
    assert len(save(advice, plan, tmp_path)) == 3


def test_the_chosen_threshold_is_printed() -> None:
    X, y, X_other, y_other, *_ = split("cancer", 80)
    made, labels = gaussian(X_other, y_other, 200)
    rng = np.random.default_rng(0)
    given = np.where(rng.random(len(labels)) < 0.4, 1 - labels, labels)
    score = (given == labels) + 0.2 * rng.standard_normal(len(labels))
    advice = advise(rows(X, y), Plan(400, self_fitted=False), rows(made, given, score=score), details=False)
    np.testing.assert_array_equal(advice.keep, score >= advice.threshold)
    printed = {what: value for what, value, _ in table(advice)}
    if advice.best.m:
        assert printed["keep rows with a score of at least"] == f"{advice.threshold:.4g}"
        assert f"({advice.keep.sum()} kept)" in printed["use"]
