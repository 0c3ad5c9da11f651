"""Many small networks of one shape, trained at the same time as one batched model in PyTorch (the networks of figure 7).

A network is p - hidden - ReLU - classes under cross-entropy and plain SGD. One of them is too small to keep a processor busy:
most of its time goes into starting operations. Together, every step is a handful of batched ones, and three facts of these
networks, all of them exact, make the steps smaller:

* the gradient is written out, so that the largest weights are updated by the product that computes it;
* a pixel that is 0 in every training image has no gradient, its weights only decay;
* neither has a unit that no training image activates, and no later step can activate it again: weights and bias decay alike,
  which leaves every sign as it is. What only decays is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from ..support.errors import BadInput, NotConverged, number
from ..support.threads import one_thread

if TYPE_CHECKING:
    import torch

ALIGNED = 16  # multiples of which small matrix products are fast
SIMILAR = 0.75  # a network with fewer live units than this share of the widest joins another group
TOGETHER = 8  # networks whose weights fit into a processor's cache; a graphics card takes all at once
LOOKS = (0.1, 0.13, 0.2, 0.35)  # when, of all steps, units without activity are looked for: they go silent early
CHUNK = 2000  # images whose activities are held at once


@dataclass(frozen=True)
class Training:
    """Settings of SGD on mini-batches, drawn epoch by epoch without replacement, the last of an epoch smaller.

    Attributes
    ----------
    hidden, classes : int
        Units of the hidden layer and of the output.
    batch, steps : int
        Samples of a mini-batch, and mini-batches in all.
    warmup : int
        Steps in which the rate rises linearly.
    rate : float
        The highest rate; afterwards it falls along a cosine.
    final : float
        The last rate, relative to the highest.
    weight_decay : float
        Of weights and biases.
    """

    hidden: int = 128
    classes: int = 10
    batch: int = 64
    steps: int = 3000
    warmup: int = 300
    rate: float = 5e-3
    final: float = 0.1
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("hidden", "classes", "batch", "steps"):
            number(name, getattr(self, name), 1)
        number("warmup", self.warmup, 0, self.steps)
        number("rate", self.rate, 0, open_low=True)
        number("final", self.final, 0, 1)
        number("weight decay", self.weight_decay, 0)

    @property
    def rates(self) -> np.ndarray:
        """The rate of every step, (steps,)."""
        rising = [(step + 1) / self.warmup for step in range(self.warmup)]
        rest = self.steps - self.warmup
        falling = [self.final + (1 - self.final) * (1 + cos(pi * step / rest)) / 2 for step in range(rest)]
        return self.rate * np.array(rising + falling)


@dataclass(frozen=True, eq=False)
class Network:
    """The training set of a network.

    Attributes
    ----------
    rows : array (N,)
        Places in an array of images that many networks share.
    labels : array (N,)
        From 0 to classes - 1.
    seed : int
        Of its initial weights and of its mini-batches. Two networks with the same seed start from the same weights.
    """

    rows: np.ndarray
    labels: np.ndarray
    seed: int


@dataclass(frozen=True, eq=False)
class Trained:
    """The weights of B networks.

    Attributes
    ----------
    hidden, hidden_bias : arrays (B, p, hidden) and (B, hidden)
    output, output_bias : arrays (B, hidden, classes) and (B, classes)
    """

    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray

    def activity(self, index: int, X: np.ndarray) -> np.ndarray:
        """Return the activity (n, hidden) of the hidden units of network `index`, after their ReLU, for images X (n, p)."""
        return np.maximum(X @ self.hidden[index] + self.hidden_bias[index], 0)

    def predict(self, index: int, X: np.ndarray) -> np.ndarray:
        """Return the classes (n,) that network `index` gives images X (n, p)."""
        return np.argmax(self.activity(index, X) @ self.output[index] + self.output_bias[index], axis=1)


def pytorch() -> object:
    """Return the module torch, which nothing but the networks needs.

    Raises
    ------
    BadInput
        Where it is not installed.
    """
    try:
        import torch
    except ImportError:
        raise BadInput("networks need PyTorch, which is not installed; install it with: pip install .[deep]") from None
    return torch


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """Keep PyTorch on one thread, and with it what `support.threads.one_thread` limits: PyTorch has a number of threads of its own."""
    torch = pytorch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            yield
    finally:
        torch.set_num_threads(before)


def initial(p: int, training: Training, seed: int) -> tuple[torch.Tensor, ...]:
    """Return weight and bias of both layers, as PyTorch initialises two nn.Linear, made in this order after its seed was set (float32).

    Parameters
    ----------
    p : int
        Features.
    training : Training
        With the numbers of hidden units and of classes.
    seed : int
    """
    torch = pytorch()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        layers = torch.nn.Linear(p, training.hidden), torch.nn.Linear(training.hidden, training.classes)
    return tuple(one.detach() for layer in layers for one in (layer.weight, layer.bias))


def batches(count: int, training: Training, seed: int) -> Iterator[np.ndarray]:
    """Yield the samples of every step's mini-batch, places from 0 to count - 1.

    Parameters
    ----------
    count : int
        Samples to train on.
    training : Training
        With the steps and the size of a batch.
    seed : int
        Of the order.
    """
    rng, step = np.random.default_rng(seed), 0
    while True:
        order = rng.permutation(count)
        for start in range(0, count, training.batch):
            if step == training.steps:
                return
            yield order[start : start + training.batch]
            step += 1


def train(images: np.ndarray, networks: Sequence[Network], training: Training = Training(), device: str | None = None) -> Trained:
    """Train all networks, each from its own initial weights, on its own data, in its own order.

    Parameters
    ----------
    images : array (rows, p)
        Its type, float32 or float64, is the one to compute in.
    networks : sequence of Network
    training : Training
    device : str, optional
        By default cuda where there is one, else cpu.

    Raises
    ------
    BadInput
        Without PyTorch, without networks, for rows or labels that do not exist.
    """
    torch = pytorch()
    _check(images, networks, training)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with torch.no_grad():
        return _Trainer(images, networks, training, device).train()


def _check(images: np.ndarray, networks: Sequence[Network], training: Training) -> None:
    if images.ndim != 2 or images.dtype not in (np.float32, np.float64):
        raise BadInput(f"images must be an array (rows, p) of float32 or float64, not {images.dtype} of shape {images.shape}")
    if not networks:
        raise BadInput("there are no networks to train; give at least one")
    for i, one in enumerate(networks):
        if one.rows.ndim != 1 or not one.rows.size or one.rows.shape != one.labels.shape:
            raise BadInput(f"network {i} needs as many labels as rows, at least one, not {one.labels.shape} and {one.rows.shape}")
        for name, values, count in (("rows", one.rows, len(images)), ("labels", one.labels, training.classes)):
            if values.min() < 0 or values.max() >= count:
                raise BadInput(f"the {name} of network {i} must be from 0 to {count - 1}, not {values.min()} to {values.max()}")


class _Trainer:
    """The images, the plans and the weights that all groups of networks share.

    Weights carry their bias as a last row, for images with a last column of ones. The output layer has `ALIGNED` classes, those
    that do not exist at a bias of minus infinity.
    """

    def __init__(self, images: np.ndarray, networks: Sequence[Network], training: Training, device: str) -> None:
        torch = self.torch = pytorch()
        self.networks, self.training, self.device = networks, training, device
        used = np.unique(np.concatenate([one.rows for one in networks]))
        self.p, self.pixels = images.shape[1], np.flatnonzero((images[used] != 0).any(axis=0))
        place = np.zeros(len(images), dtype=np.int64)
        place[used] = np.arange(len(used))
        columns = np.concatenate([images[np.ix_(used, self.pixels)], np.ones((len(used), 1), images.dtype)], axis=1)
        self.images = torch.from_numpy(columns).to(device)
        self.rows = [torch.from_numpy(place[one.rows]).to(device) for one in networks]
        self.plans = [self._plan(i) for i in range(len(networks))]

        dtype, wide = self.images.dtype, -(-training.classes // ALIGNED) * ALIGNED
        count, hidden = len(networks), training.hidden
        self.W = torch.empty(count, len(self.pixels) + 1, hidden, dtype=dtype, device=device)
        self.V = torch.zeros(count, hidden, wide, dtype=dtype, device=device)
        self.v = torch.full((count, 1, wide), -torch.inf, dtype=dtype, device=device)
        for i, one in enumerate(networks):
            weight, bias, output, output_bias = initial(self.p, training, one.seed)
            self.W[i, :-1], self.W[i, -1] = weight.T[self.pixels], bias
            self.V[i, :, : training.classes], self.v[i, :, : training.classes] = output.T, output_bias
        keep = 1 - training.rates * training.weight_decay
        self.left = np.append(np.cumprod(keep[::-1])[::-1], 1.0)  # what is left at the end of a weight that only decays from a step on

    def _plan(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Row, label and weight in the loss of every sample of a network's batches, (steps, batch) each; weight 0 fills short ones."""
        training, one = self.training, self.networks[index]
        samples = np.zeros((training.steps, training.batch), dtype=np.int64)
        weights = np.zeros(samples.shape)
        for step, batch in enumerate(batches(len(one.rows), training, one.seed)):
            samples[step, : len(batch)], weights[step, : len(batch)] = batch, 1 / len(batch)
        rows = self.rows[index][self.torch.from_numpy(samples).to(self.device)]
        labels = self.torch.from_numpy(one.labels.astype(np.int64)[samples]).to(self.device)
        return rows, labels, self.torch.from_numpy(weights).to(self.device, self.images.dtype)

    def train(self) -> Trained:
        """All steps of all networks, in phases; before each, the units that have gone silent are set aside."""
        training = self.training
        looks = sorted({int(look * training.steps) for look in LOOKS} - {0})
        live = [self.torch.arange(training.hidden, device=self.device)] * len(self.networks)
        for start, stop in pairwise([0, *looks, training.steps]):
            if start:
                live = [self._live(i, units) for i, units in enumerate(live)]
            for members in self._groups([len(units) for units in live]):
                self._phase(members, [live[i] for i in members], start, stop)
        return self._trained()

    def _live(self, index: int, units: torch.Tensor) -> torch.Tensor:
        """Those of `units` that an image of the network's training set activates."""
        weights, rows = self.W[index][:, units], self.rows[index]
        active = [(self.images[part] @ weights > 0).any(dim=0) for part in rows.split(CHUNK)]
        return units[self.torch.stack(active).any(dim=0)]

    def _groups(self, sizes: list[int]) -> Iterator[list[int]]:
        """Networks to train as one: on a processor as many as its cache holds, of about as many live units; else all."""
        members: list[int] = []
        for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            if self.device == "cpu" and members and (len(members) == TOGETHER or sizes[i] < SIMILAR * sizes[members[0]]):
                yield members
                members = []
            members.append(i)
        yield members

    def _phase(self, members: list[int], live: list[torch.Tensor], start: int, stop: int) -> None:
        """Steps `start` to `stop` of a group of networks."""
        torch, training = self.torch, self.training
        units = self._units(live)
        W = torch.stack([self.W[i][:, one] for i, one in zip(members, units, strict=True)])
        V = torch.stack([self.V[i][one] for i, one in zip(members, units, strict=True)])
        v = self.v[members]
        plans = zip(*([one[start:stop] for one in self.plans[i]] for i in members), strict=True)
        rows, labels, weights = (torch.stack(one, dim=1).unsqueeze(-1) for one in plans)  # (steps, networks, batch, 1)
        count = len(members) * training.batch
        x = torch.empty(count, self.images.shape[1], dtype=W.dtype, device=self.device)
        X = x.view(len(members), training.batch, -1)
        right = torch.full_like(weights[0], -1)

        for rate, row, label, weight in zip(training.rates[start:stop].tolist(), rows, labels, weights, strict=True):
            keep = 1 - rate * training.weight_decay
            torch.index_select(self.images, 0, row.view(count), out=x)
            H = torch.bmm(X, W).relu_()
            error = torch.softmax(torch.baddbmm(v, H, V), dim=2).scatter_add_(2, label, right).mul_(weight)
            back = torch.ops.aten.threshold_backward(torch.bmm(error, V.transpose(1, 2)), H, 0)
            W.baddbmm_(X.transpose(1, 2), back, beta=keep, alpha=-rate)
            V.baddbmm_(H.transpose(1, 2), error, beta=keep, alpha=-rate)
            v.mul_(keep).sub_(error.sum(dim=1, keepdim=True), alpha=rate)

        decay = self.left[start] / self.left[stop]
        self.v[members] = v
        for j, (i, one) in enumerate(zip(members, units, strict=True)):
            self.W[i] *= decay
            self.V[i] *= decay
            self.W[i][:, one], self.V[i][one] = W[j], V[j]

    def _units(self, live: list[torch.Tensor]) -> list[torch.Tensor]:
        """As many units of every network as the one with the most live ones needs, its own live ones first, then silent ones."""
        count = max(1, -(-max(map(len, live)) // ALIGNED)) * ALIGNED
        units = []
        for one in live:
            silent = self.torch.ones(self.training.hidden, dtype=bool, device=self.device)
            silent[one] = False
            units.append(self.torch.cat([one, silent.nonzero().squeeze(1)])[:count])
        return units

    def _trained(self) -> Trained:
        classes, W = self.training.classes, self.W.cpu().numpy()
        hidden = np.empty((len(W), self.p, self.training.hidden), W.dtype)
        for one, network in zip(hidden, self.networks, strict=True):
            one[:] = initial(self.p, self.training, network.seed)[0].T.numpy() * self.left[0]
        hidden[:, self.pixels] = W[:, :-1]
        trained = Trained(hidden, W[:, -1], self.V[..., :classes].cpu().numpy(), self.v[:, 0, :classes].cpu().numpy())
        if not all(np.isfinite(one).all() for one in (hidden, trained.hidden_bias, trained.output, trained.output_bias)):
            raise NotConverged(f"the weights of a network grew without bound; train at a lower rate than {self.training.rate:g}")
        return trained
