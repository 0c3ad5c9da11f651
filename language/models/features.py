"""Hidden states of a language model, pooled over the tokens of a response: the features of figures 8 and 9.

Extracted once and kept: in the user's cache under a key made from the model, the texts and the settings, or in a folder of the
user's data, where they may have come from elsewhere. Neither is trusted before a few rows were computed again and compared.
"""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ...data import own_folder, user_cache
from ...sims.checkpoint import fingerprint
from ...support.errors import BadInput, number
from ...support.files import check_writable, replacing, write_text
from ...support.progress import bar
from ..sets import feature_texts
from . import load as models
from . import packages

if TYPE_CHECKING:
    import torch

    from .load import LanguageModel

Pooling = Literal["mean", "last"]

FOLDER = "features"  # in the user's data and in the user's cache
PART = 256  # rows computed between two savings
BATCH = 16  # rows computed at once
CHECKED = 4  # rows computed again
TOLERANCE = 1e-2  # of the length of a row; half precision loses 1e-3
EMPTY = 0  # the token that stands for a response without any
NEEDS = ("torch", "transformers")


@dataclass(frozen=True)
class FeatureSettings:
    """How the features of a text are taken from a language model.

    A response is cut at its end, its context at its beginning.

    Attributes
    ----------
    layer : int
        Whose hidden states: 0 is the embedding, the last is after the final norm.
    pooling : str
        mean: over the response's tokens; last: its last token.
    max_response, max_length : int
        The most tokens of a response, and of context and response together.
    """

    layer: int = 15
    pooling: Pooling = "mean"
    max_response: int = 96
    max_length: int = 160

    def __post_init__(self) -> None:
        number("layer", self.layer, 0)
        number("max_response", self.max_response, 1)
        number("max_length", self.max_length, self.max_response)
        if self.pooling not in get_args(Pooling):
            raise BadInput(f"pooling must be {' or '.join(get_args(Pooling))}, not {self.pooling!r}")


@dataclass(frozen=True, eq=False)
class Features:
    """Features of texts, and where they come from.

    Attributes
    ----------
    values : float32 array (rows, p), or (pairs, 2, p), chosen first
    path : Path
        The file they are kept in.
    check : str
        In words: whether they were computed here, or compared with the model.
    """

    values: np.ndarray
    path: Path
    check: str


class NotChecked(UserWarning):
    """Features from a file were used that could not be compared with the model they are said to come from."""


def preference_features(
    layer: int = 15, folder: str | os.PathLike[str] | None = None, model: str = models.SMALL, progress: bool = False
) -> np.ndarray:
    """Return the features (2312, 2, p) of the pairs of `hh_rlhf`, [chosen, rejected] in file order; arguments as of `load`."""
    return load("hh_rlhf", FeatureSettings(layer), folder, model, progress).values


def completion_features(
    layer: int = 15, folder: str | os.PathLike[str] | None = None, model: str = models.SMALL, progress: bool = False
) -> np.ndarray:
    """Return the features (2250, p) of the completions of `xstest`, in file order; arguments as of `load`."""
    return load("xstest", FeatureSettings(layer), folder, model, progress).values


def load(
    data: str,
    settings: FeatureSettings = FeatureSettings(),
    folder: str | os.PathLike[str] | None = None,
    model: str = models.SMALL,
    progress: bool = False,
) -> Features:
    """Return the features of a data set: from the user's folder where they lie there, else from the cache, else extracted.

    Files that could not be checked are used with the warning NotChecked.

    Parameters
    ----------
    data : str
        One whose module in `language.sets` has texts that features are taken of.
    settings : FeatureSettings
    folder : path, optional
        With data, as for `data.locate`.
    model : str
        A name for `language.models.load.load`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        If the data or (where it is needed) a package or the model is missing, or a file holds something else.
    """
    contexts, responses = texts(data, folder)
    path = imported(data, settings, folder, model)
    found = (
        _trusted(path, model, contexts, responses, settings)
        if path is not None
        else extract(model, contexts, responses, settings, progress=progress)
    )
    values = found.values.reshape(-1, 2, found.values.shape[1]) if feature_texts(data).pairs else found.values
    return Features(values, found.path, found.check)


def texts(data: str, folder: str | os.PathLike[str] | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the contexts and the responses of a data set, row by row; of a pair first the chosen one, then the rejected one.

    A response is the last turn of its dialogue.

    Raises
    ------
    BadInput
        If there is no such data set, or its file is nowhere to be found.
    """
    contexts, responses = zip(*feature_texts(data).turns(folder), strict=True)
    return contexts, responses


def imported(data: str, settings: FeatureSettings, folder: str | os.PathLike[str] | None, model: str) -> Path | None:
    """Return the file in the user's folder with these features, `features/<data>.<model>.layer<L>.npy`, or None.

    Parameters
    ----------
    data : str
        Name of the data set.
    settings : FeatureSettings
    folder : path, optional
        With data, as for `data.locate`.
    model : str
        Name of the language model.
    """
    own = own_folder(folder)
    if own is None or settings != FeatureSettings(settings.layer):
        return None
    path = own / FOLDER / f"{feature_texts(data).file}.{model}.layer{settings.layer}.npy"
    return path if path.is_file() else None


def obstacle(data: str, folder: str | os.PathLike[str] | None = None) -> str:
    """Why the usual features of a data set cannot be had without computing for long; "" if its user's folder has them."""
    return "" if imported(data, FeatureSettings(), folder, models.SMALL) else f"there are no features of {data} in the data folder"


def extract(
    model: str,
    contexts: Sequence[str],
    responses: Sequence[str],
    settings: FeatureSettings = FeatureSettings(),
    cache: str | os.PathLike[str] | None = None,
    progress: bool = False,
    batch: int = BATCH,
) -> Features:
    """Return the features (rows, p) of responses in their contexts: from the cache where they are, else computed and kept there.

    What was interrupted goes on from the parts that were saved.

    Parameters
    ----------
    model : str
        A name for `language.models.load.load`.
    contexts, responses : sequences of str
    settings : FeatureSettings
    cache : path, optional
        A folder, by default the user's.
    progress : bool
        Whether to show a progress bar.
    batch : int
        Rows computed at once.

    Raises
    ------
    BadInput
        If a package or the model is missing, the model has no such layer, or a cached file holds something else.
    """
    if not contexts or len(contexts) != len(responses):
        raise BadInput(f"as many contexts as responses are needed, at least one, not {len(contexts)} and {len(responses)}")
    folder = user_cache() / FOLDER if cache is None else Path(cache)
    key = _key(model, contexts, responses, settings)
    path = folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', model)}.layer{settings.layer}.{key}.npy"
    if path.is_file():
        return _trusted(path, model, contexts, responses, settings)
    packages.require(*NEEDS)
    loaded = models.load(model)
    _drop_layers_above(loaded, settings.layer)
    tokens = [tokenised(loaded, *row, settings) for row in zip(contexts, responses, strict=True)]
    parts = path.with_suffix(".parts")
    with bar(f"features of {model}", progress) as show:
        values = []
        for start in range(0, len(tokens), PART):
            rows = tokens[start : start + PART]
            values.append(_part(loaded, rows, parts / f"{start}.npy", settings, batch))
            show(start + len(rows), len(tokens))
    whole = np.concatenate(values)
    _save(path, whole)
    _seal(path, key)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    return Features(whole, path, "computed here")


def tokenised(model: LanguageModel, context: str, response: str, settings: FeatureSettings) -> tuple[list[int], int]:
    """Return the tokens of a text, without special ones, and how many at the end are the response's: at least one.

    Parameters
    ----------
    model : LanguageModel
    context, response : str
    settings : FeatureSettings
        With the most tokens of each.
    """
    before, after = (model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (context, response))
    after = after[: settings.max_response] or [EMPTY]
    before = before[max(0, len(before) + len(after) - settings.max_length) :]
    return before + after, len(after)


def pooled(model: LanguageModel, tokens: Sequence[tuple[list[int], int]], settings: FeatureSettings) -> np.ndarray:
    """Compute the features (rows, p) of a batch of texts as `tokenised` returns them.

    Raises
    ------
    BadInput
        If the model has no such layer.
    """
    import torch

    layers = model.model.config.get_text_config().num_hidden_layers
    number("layer", settings.layer, 0, layers)
    longest = max(len(row) for row, _ in tokens)
    ids = torch.tensor([row + [EMPTY] * (longest - len(row)) for row, _ in tokens], device=model.device)
    ends = torch.tensor([len(row) for row, _ in tokens], device=model.device)[:, None]
    counts = torch.tensor([count if settings.pooling == "mean" else 1 for _, count in tokens], device=model.device)[:, None]
    places = torch.arange(longest, device=model.device)
    with torch.inference_mode():
        states = _states(model, ids, (places < ends).long(), settings.layer)
        weights = ((places < ends) & (places >= ends - counts)) / counts  # padding lies behind, where no token looks
        return torch.einsum("rt,rtp->rp", weights.to(torch.float32), states.to(torch.float32)).cpu().numpy()


def export(
    data: str,
    out: str | os.PathLike[str],
    settings: FeatureSettings = FeatureSettings(),
    folder: str | os.PathLike[str] | None = None,
    model: str = models.SMALL,
    progress: bool = False,
) -> Features:
    """Write the features of a data set, and what is known of each row, to an npz file; arguments as of `load`.

    X: the features, as `load` returns them. Of xstest also prompts, models and the labels human, gpt4 and strmatch.

    Raises
    ------
    BadInput
        As `load`, or if the file cannot be written.
    """
    if Path(out).suffix != ".npz":
        raise BadInput(f"features are written to an npz file, not to {out}")
    check_writable(out)
    found = load(data, settings, folder, model, progress)
    with replacing(out) as beside, beside.open("wb") as file:
        np.savez(file, X=found.values, **feature_texts(data).known(folder))
    return found


def _drop_layers_above(model: LanguageModel, layer: int) -> None:
    """Leave out the layers that the hidden states of this one do not depend on, where the decoder names its layers as most do.

    One more is left: the last hidden state is after the final norm, the others are not.
    """
    if (blocks := getattr(model.model.base_model, "layers", None)) is not None:
        del blocks[layer + 1 :]


def _states(model: LanguageModel, ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
    """The hidden states (rows, tokens, p) of one layer."""
    decoder = model.model.base_model  # without the head, which would cost as much as many layers
    return decoder(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False).hidden_states[layer]


def _part(model: LanguageModel, rows: list[tuple[list[int], int]], path: Path, settings: FeatureSettings, batch: int) -> np.ndarray:
    """The features of some rows, from the file where they were saved, else computed and saved; the long ones together."""
    if path.is_file():
        return _read(path, len(rows))
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    batches = [order[start : start + batch] for start in range(0, len(order), batch)]
    values = np.concatenate([pooled(model, [rows[i] for i in one], settings) for one in batches])
    values = values[np.argsort(order)]
    _save(path, values)
    return values


def _trusted(
    path: Path, model: str, contexts: Sequence[str], responses: Sequence[str], settings: FeatureSettings
) -> Features:
    """A file with features, once a few of its rows were found to be what the model gives."""
    values = _read(path, len(contexts))
    key = _key(model, contexts, responses, settings)
    if _sealed(path, key):
        return Features(values, path, "checked before")
    try:
        packages.require(*NEEDS)
        loaded = models.load(model)
    except BadInput as reason:
        warnings.warn(f"{path} was not checked: {reason}", NotChecked, stacklevel=4)
        return Features(values, path, f"not checked: {reason}")
    rows = np.linspace(0, len(values) - 1, min(CHECKED, len(values))).astype(int)
    again = pooled(loaded, [tokenised(loaded, contexts[row], responses[row], settings) for row in rows], settings)
    if values.shape[1:] != again.shape[1:]:
        raise BadInput(f"{path} has {values.shape[1]} features a row, {model} has {again.shape[1]}: it is not used; remove it")
    off = np.linalg.norm(values[rows] - again, axis=1) / np.linalg.norm(again, axis=1)
    if not (off <= TOLERANCE).all():
        worst = int(np.argmax(~(off <= TOLERANCE)))
        raise BadInput(
            f"{path} does not hold what {model} gives (row {rows[worst]} is off by {off[worst]:.1%}): it is not used; remove it, "
            f"and the features are computed again"
        )
    _seal(path, key)
    return Features(values, path, f"{len(rows)} rows computed again, at most {off.max():.2%} off")


def _key(model: str, contexts: Sequence[str], responses: Sequence[str], settings: FeatureSettings) -> str:
    return fingerprint(models.identity(model), tuple(contexts), tuple(responses), settings)


def _seal(path: Path, key: str) -> None:
    """Note that this content is what this key stands for; where that cannot be written, it is checked again next time."""
    try:
        write_text(_seal_of(path, key), f"{path}\n")
    except BadInput:
        return


def _sealed(path: Path, key: str) -> bool:
    return _seal_of(path, key).is_file()


def _seal_of(path: Path, key: str) -> Path:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return user_cache() / FOLDER / "checked" / f"{key}-{content[:32]}"


def _save(path: Path, values: np.ndarray) -> None:
    with replacing(path) as beside, beside.open("wb") as file:
        np.save(file, values.astype(np.float32))


def _read(path: Path, rows: int) -> np.ndarray:
    """The features (rows, p) of a file; of pairs, the rows of both.

    Raises
    ------
    BadInput
        If it is no array with as many rows.
    """
    try:
        values = np.load(path, allow_pickle=False)
        values = values.reshape(rows, -1) if values.ndim == 2 else values.reshape(-1, values.shape[-1])
    except (OSError, ValueError, EOFError, IndexError, AttributeError):
        raise BadInput(f"{path} holds no features of {rows} rows: it is not used; remove it") from None
    if len(values) != rows or not np.isfinite(values).all():
        raise BadInput(f"{path} holds no features of {rows} rows: it is not used; remove it")
    return values.astype(np.float32)
