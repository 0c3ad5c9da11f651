"""Two small networks that generate samples of given classes: a variational autoencoder and a generative adversarial network.

Both are trained with PyTorch on one thread, in seconds. What is kept is the decoder alone, as arrays: drawing from it needs NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..sims.checkpoint import fingerprint
from ..support.files import replacing
from .networks import pytorch, torch_on_one_thread

if TYPE_CHECKING:
    import torch

Kind = Literal["autoencoder", "adversarial"]
SLOPE = 0.2  # of the discriminator's units below 0
MOMENTUM = {"autoencoder": (0.9, 0.999), "adversarial": (0.5, 0.999)}  # of Adam, as is usual for each


@dataclass(frozen=True)
class DeepTraining:
    """Settings of a generating network.

    Attributes
    ----------
    latent, hidden : int
        Gaussian numbers that a sample is made from, and units of the one hidden layer of every network.
    batch, steps : int
        Samples of a mini-batch, and mini-batches in all.
    rate : float
        Of Adam.
    """

    latent: int = 16
    hidden: int = 128
    batch: int = 64
    steps: int = 3000
    rate: float = 1e-3


@dataclass(frozen=True, eq=False)
class Decoder:
    """From Gaussian numbers and a class to a sample, by layers with a ReLU between them.

    Attributes
    ----------
    labels : array (K,)
    latent : int
    weights : sequence of arrays (out, in)
        Of the layers; the first sees the latent numbers, then the class one-hot.
    biases : sequence of arrays (out,)
    """

    labels: np.ndarray
    latent: int
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def sample(self, rng: np.random.Generator, per_class: int) -> tuple[np.ndarray, np.ndarray]:
        """Return fresh samples X (K per_class, p), y (K per_class,), class after class."""
        K = len(self.labels)
        codes = np.repeat(np.arange(K), per_class)
        X = np.concatenate([rng.standard_normal((len(codes), self.latent)), np.eye(K)[codes]], axis=1)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            X = (np.maximum(X, 0) if i else X) @ weight.T + bias
        return X, self.labels[codes]


def trained(kind: Kind, X: np.ndarray, y: np.ndarray, training: DeepTraining, seed: int, folder: Path | None = None) -> Decoder:
    """Return a decoder trained on labelled samples, read from `folder` where it was kept there before.

    Parameters
    ----------
    kind
        autoencoder: its decoder, without noise on the features; adversarial: its generator.
    X, y : arrays (n, p), (n,)
        Of mean variance about 1.
    training, seed
        As of the network.
    folder
        Where decoders are kept, under a name made from all of the above; None to keep none.

    Raises
    ------
    BadInput
        Where PyTorch is not installed and no decoder was kept.
    """
    path = folder / f"{kind}-{fingerprint(kind, X, y, training, seed)[:16]}.npz" if folder else None
    if path and path.exists():
        with np.load(path) as kept:
            layers = range((len(kept.files) - 1) // 2)
            weights, biases = (tuple(kept[f"{name}{i}"] for i in layers) for name in ("weight", "bias"))
            return Decoder(kept["labels"], training.latent, weights, biases)
    torch = pytorch()
    labels, codes = np.unique(y, return_inverse=True)
    with torch_on_one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        data = torch.tensor(X, dtype=torch.float32), torch.eye(len(labels))[torch.tensor(codes)]
        layers = (_autoencoder if kind == "autoencoder" else _adversarial)(torch, *data, training)
        arrays = [parameter.detach().numpy().astype(float) for parameter in layers.parameters()]
    decoder = Decoder(labels, training.latent, tuple(arrays[::2]), tuple(arrays[1::2]))
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {f"weight{i}": one for i, one in enumerate(decoder.weights)} | {f"bias{i}": one for i, one in enumerate(decoder.biases)}
        with replacing(path) as beside:
            np.savez(beside, labels=labels, **kept)
    return decoder


def _autoencoder(torch: object, X: torch.Tensor, one_hot: torch.Tensor, training: DeepTraining) -> torch.nn.Module:
    """The decoder of a variational autoencoder; the noise of the features has the variance that is best, so that it has no setting."""
    p, K = X.shape[1], one_hot.shape[1]
    encoder = _layers(torch, torch.nn.ReLU(), p + K, training.hidden, 2 * training.latent)
    decoder = _layers(torch, torch.nn.ReLU(), training.latent + K, training.hidden, p)
    adam = _adam(torch, "autoencoder", training, encoder, decoder)
    for rows in _batches(torch, len(X), training):
        x, given = X[rows], one_hot[rows]
        mean, log_variance = encoder(torch.cat([x, given], dim=1)).chunk(2, dim=1)
        code = mean + torch.exp(log_variance / 2) * torch.randn(mean.shape)
        square = (x - decoder(torch.cat([code, given], dim=1))).square().mean()
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1).mean() / 2
        adam.zero_grad()
        (p / 2 * square.log() + divergence).backward()
        adam.step()
    return decoder


def _adversarial(torch: object, X: torch.Tensor, one_hot: torch.Tensor, training: DeepTraining) -> torch.nn.Module:
    """The generator of an adversarial network; it and the discriminator take turns, both by the logistic loss."""
    p, K = X.shape[1], one_hot.shape[1]
    generator = _layers(torch, torch.nn.ReLU(), training.latent + K, training.hidden, p)
    critic = _layers(torch, torch.nn.LeakyReLU(SLOPE), p + K, training.hidden, 1)
    ours, theirs = (_adam(torch, "adversarial", training, network) for network in (generator, critic))
    loss: Callable[[torch.Tensor], torch.Tensor] = torch.nn.functional.softplus
    for rows in _batches(torch, len(X), training):
        given = one_hot[rows]
        drawn = generator(torch.cat([torch.randn(len(rows), training.latent), given], dim=1))
        real, fake = torch.cat([X[rows], given], dim=1), torch.cat([drawn, given], dim=1)
        theirs.zero_grad()
        (loss(-critic(real)).mean() + loss(critic(fake.detach())).mean()).backward()
        theirs.step()
        ours.zero_grad()
        loss(-critic(fake)).mean().backward()
        ours.step()
    return generator


def _layers(torch: object, between: torch.nn.Module, *sizes: int) -> torch.nn.Sequential:
    parts = [part for one, other in pairwise(sizes) for part in (torch.nn.Linear(one, other), between)]
    return torch.nn.Sequential(*parts[:-1])


def _adam(torch: object, kind: Kind, training: DeepTraining, *networks: torch.nn.Module) -> torch.optim.Optimizer:
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=training.rate, betas=MOMENTUM[kind])


def _batches(torch: object, n: int, training: DeepTraining) -> object:
    """Rows of every mini-batch, with replacement."""
    return (torch.randint(n, (training.batch,)) for _ in range(training.steps))
