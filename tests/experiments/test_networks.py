"""The batched networks of figure 7 against a plain loop over nn.Module models, and the experiment around them on scikit-learn's digits."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from synthmix.data.sets import digits
from synthmix.experiments import mnist_networks, networks
from synthmix.experiments.mnist_networks import MnistImages, NetworkDesign, Statistics, Synthetic, run
from synthmix.experiments.networks import Network, Training, batches, train
from synthmix.solvers.problem import NO_SUPERVISION, ORACLE, Verifier
from synthmix.support.errors import BadInput, NotConverged

SMALL = Training(hidden=24, steps=200, warmup=20, weight_decay=1e-2)  # so unstable that units go silent, as on MNIST
STRONG = Verifier(rho=0.1, phi=0.9)


@pytest.fixture(scope="module", autouse=True)
def torch() -> object:
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.fixture(scope="module")
def data() -> MnistImages:
    pixels, y = digits.load()
    X = 16.0 * pixels.reshape(len(y), -1)
    return MnistImages(X[:1200], y[:1200].astype(int), X[1200:], y[1200:].astype(int))


@pytest.fixture(scope="module")
def some(data: MnistImages) -> list[Network]:
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.choice(len(data.y), count, replace=False)) for count in (100, 150, 70, 300, 64)]
    return [Network(one, data.y[one], seed) for seed, one in enumerate(rows)]


def weights(trained: networks.Trained, index: int) -> list[np.ndarray]:
    return [getattr(trained, name)[index] for name in ("hidden", "hidden_bias", "output", "output_bias")]


@pytest.mark.parametrize("together", [8, 2])
def test_weights_are_those_of_a_plain_loop(data: MnistImages, some: list[Network], together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding, in networks where units have gone silent and pixels never vary: setting those aside changes nothing."""
    from benchmarks.networks import one_after_the_other

    monkeypatch.setattr(networks, "TOGETHER", together)
    ours, theirs = (call(data.X, some, SMALL) for call in (train, one_after_the_other))
    live = []
    for i, one in enumerate(some):
        for mine, other in zip(weights(ours, i), weights(theirs, i), strict=True):
            assert np.abs(mine - other).max() < 1e-11 * np.abs(other).max()
        X = data.X[one.rows]
        live.append(int((X @ theirs.hidden[i] + theirs.hidden_bias[i] > 0).any(axis=0).sum()))
        assert np.array_equal(ours.predict(i, X), theirs.predict(i, X))
    assert min(live) < max(live) < SMALL.hidden
    assert (data.X == 0).all(axis=0).any()


def test_single_precision_follows_the_plain_loop(data: MnistImages, some: list[Network]) -> None:
    """For as long as rounding has not been amplified."""
    from benchmarks.networks import one_after_the_other

    X, short = data.X.astype(np.float32), replace(SMALL, steps=30, warmup=20, rate=1e-5)
    ours, theirs = (call(X, some, short) for call in (train, one_after_the_other))
    for i in range(len(some)):
        for mine, other in zip(weights(ours, i), weights(theirs, i), strict=True):
            assert mine.dtype == other.dtype == np.float32
            assert np.abs(mine - other).max() < 1e-5 * np.abs(other).max()


def test_a_network_is_the_same_in_any_company(data: MnistImages, some: list[Network]) -> None:
    together, again, alone = train(data.X, some, SMALL), train(data.X, some, SMALL), train(data.X, some[3:4], SMALL)
    assert all(np.array_equal(*pair) for pair in zip(weights(together, 3), weights(again, 3), strict=True))
    for mine, other in zip(weights(together, 3), weights(alone, 0), strict=True):
        assert np.abs(mine - other).max() < 1e-11 * np.abs(other).max()


def test_batches_are_epochs_without_replacement() -> None:
    drawn = list(batches(100, replace(SMALL, steps=5, warmup=1), seed=1))
    assert [len(one) for one in drawn] == [64, 36, 64, 36, 64]
    assert sorted(np.concatenate(drawn[:2])) == list(range(100)) == sorted(np.concatenate(drawn[2:4]))
    assert not np.array_equal(drawn[0], drawn[2])


def test_rates_rise_and_fall() -> None:
    rates = Training(steps=1000, warmup=100, rate=0.5, final=0.1).rates
    assert rates.shape == (1000,)
    assert rates[[0, 99, 100]] == pytest.approx([0.005, 0.5, 0.5])
    assert rates[550] == pytest.approx((0.5 + 0.05) / 2)
    assert rates[-1] == pytest.approx(0.05, rel=1e-3)


def test_torch_is_only_needed_to_train(monkeypatch: pytest.MonkeyPatch, data: MnistImages, some: list[Network]) -> None:
    code = "import synthmix.experiments.mnist_networks, synthmix.figures.figure7, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (lambda: train(data.X, some, SMALL), lambda: run(NetworkDesign(((Synthetic(), 0),)), data)):
        with pytest.raises(BadInput, match=r"pip install \.\[deep\]") as raised:
            call()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("rows", "labels", "word"), [([], [], "at least one"), ([0, 1], [0], "as many labels"), ([5000], [0], "rows"), ([0], [10], "labels")]
)
def test_bad_networks_are_named(data: MnistImages, rows: list[int], labels: list[int], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        train(data.X, [Network(np.array(rows, dtype=int), np.array(labels, dtype=int), 0)], SMALL)


def test_bad_arrays_and_settings_are_refused(data: MnistImages, some: list[Network]) -> None:
    with pytest.raises(BadInput, match="float32 or float64"):
        train(data.X.astype(np.uint8), some, SMALL)
    with pytest.raises(BadInput, match="no networks"):
        train(data.X, [], SMALL)
    with pytest.raises(BadInput, match="warmup"):
        Training(steps=10, warmup=20)
    with pytest.raises(BadInput, match="2 seeds"):
        NetworkDesign(((Synthetic(), 0),), seeds=1)


def test_what_diverges_is_not_returned(data: MnistImages, some: list[Network]) -> None:
    with pytest.raises(NotConverged, match="lower rate"):
        train(data.X.astype(np.float32), some, replace(SMALL, rate=1e10, weight_decay=0))


def test_pruning_by_position_drops_the_last_class() -> None:
    rng = np.random.default_rng(0)
    k, place, labels = Synthetic(epsilon=0.3, verifier=STRONG).training_set(500, rng)
    right = labels == k
    assert (right.sum(), (~right).sum()) == (3150, 150)
    assert np.bincount(k[right], minlength=10).tolist() == [350] * 9 + [0]
    assert set(k[~right]) == {0}
    assert set(labels[~right]) == {1}
    assert place[right].max() < 350 <= place[~right].min()


def test_pruning_at_random_spares_no_class() -> None:
    k, _, labels = Synthetic(epsilon=0.3, verifier=STRONG, at_random=True).training_set(500, np.random.default_rng(0))
    assert np.bincount(k[labels == k]) == pytest.approx(315, abs=25)
    assert np.bincount(k[labels != k]) == pytest.approx(15, abs=12)


@pytest.mark.parametrize(("m", "wrong"), [(25, 7), (50, 15), (125, 37), (750, 225)])
def test_label_noise(m: int, wrong: int) -> None:
    rng = np.random.default_rng(0)
    everything, correct = (Synthetic(epsilon=0.3, verifier=one).training_set(m, rng) for one in (NO_SUPERVISION, ORACLE))
    k, _, labels = everything
    assert np.bincount(k[labels != k]).tolist() == [wrong] * 10
    assert set(zip(k[labels != k], labels[labels != k], strict=True)) == {(i, (i + 1) % 10) for i in range(10)}
    assert np.array_equal(correct[0], correct[2])
    assert len(correct[0]) == 10 * (m - wrong)


TINY = NetworkDesign(
    tuple((one, m) for one in (Synthetic(epsilon=0.3), Synthetic(Statistics(20)), Synthetic(Statistics(identity=True))) for m in (5, 20)),
    n=10, seeds=2, training=replace(SMALL, steps=40, warmup=10),
)  # fmt: skip


def test_scores_do_not_depend_on_the_number_of_workers(data: MnistImages) -> None:
    one, two = (run(TINY, data, seed=4, jobs=jobs) for jobs in (1, 2))
    for point in TINY.points:
        assert np.array_equal(one[point].by_class, two[point].by_class)
        assert one[point].accuracy.shape == one[point].training.shape == one[point].live.shape == (2,)
        assert ((one[point].live >= 0) & (one[point].live <= TINY.training.hidden) & (one[point].blank >= 0)).all()
        counts = np.bincount(data.test_y)
        assert one[point].by_class @ counts / counts.sum() == pytest.approx(one[point].accuracy)
    assert not np.array_equal(one[TINY.points[0]].accuracy, run(TINY, data, seed=5)[TINY.points[0]].accuracy)


def test_an_interrupted_study_goes_on(
    data: MnistImages, tmp_path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, train_one, calls = run(TINY, data, seed=4), mnist_networks.train, []

    def interrupted(*arguments: object) -> networks.Trained:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return train_one(*arguments)

    monkeypatch.setattr(mnist_networks, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(TINY, data, seed=4, folder=tmp_path)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 3
    kept[0].write_bytes(b"half a file")
    resumed = run(TINY, data, seed=4, folder=tmp_path)
    assert f"{kept[0]} is damaged" in caplog.text and caplog.text.count("\n") == 1
    assert len(calls) == 4 + 3 + 1  # what was not finished, and what is damaged
    assert all(np.array_equal(whole[point].accuracy, resumed[point].accuracy) for point in TINY.points)
