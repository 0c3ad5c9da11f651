"""The upper layers of a language model, on hidden states of its lower ones that are computed once a text and kept on disk.

Adapters in the upper layers leave the lower ones as they are: what these make of a text, and the log-probability that the untrained model
gives its answer, is the same in every step of every tuning. A text is kept by its tokens, in a folder of the model and the layer, in the
model's own precision, so that the upper layers compute what the whole model does, up to the rounding of another batch. Where the lower
layers compute in bfloat16, reference and tuned model start from the same rounded states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data import user_cache
from ...sims.checkpoint import fingerprint
from ...support.errors import BadInput
from ...support.files import replacing
from ...support.progress import bar
from . import load as models
from .likelihood import Example, batch_log_likelihoods

if TYPE_CHECKING:
    import torch

    from .load import LanguageModel

FOLDER = "hidden-states"
VALUE = "value"  # in a file
SAME = 1e-3  # of the log-probability of an answer, by the whole model and by the upper layers on their own


@dataclass(frozen=True)
class Kept:
    """What is kept of texts.

    Attributes
    ----------
    folder : Path
        Of one model and one layer; a file a text.
    """

    folder: Path

    def path(self, one: Example, name: str = "states") -> Path:
        """Return the file of a text: its states, or its reference."""
        tokens = np.asarray(one.prompt + one.answer, dtype=np.int64).tobytes()
        return self.folder / f"{sha256(tokens).hexdigest()[:32]}.{name}"

    def write(self, one: Example, name: str, value: torch.Tensor) -> None:
        """Keep the hidden states (tokens, features) of a text, or the log-probability of its answer by the untrained model."""
        from safetensors.torch import save_file

        with replacing(self.path(one, name)) as beside:
            save_file({VALUE: value.cpu().contiguous()}, beside)

    def read(self, one: Example, name: str = "states") -> torch.Tensor:
        """Return what was written.

        Raises
        ------
        BadInput
            For a text that is not there.
        """
        from safetensors.torch import load_file

        try:
            return load_file(self.path(one, name))[VALUE]
        except OSError:
            raise BadInput(f"{self.path(one, name)} is not there, or was removed while it was needed: begin again") from None

    def references(self, sequences: Sequence[Example]) -> np.ndarray:
        """Return the log-probability of every answer by the untrained model, (k,)."""
        return np.array([self.read(one, "reference").item() for one in sequences])

    def without(self, name: str, sequences: Sequence[Example]) -> list[Example]:
        """Return the texts of which something is not kept, each once, the shortest first."""
        left = {self.path(one, name): one for one in sequences}
        return sorted((one for path, one in left.items() if not path.exists()), key=lambda one: len(one.prompt + one.answer))


def use_upper_layers(
    loaded: LanguageModel,
    count: int,
    sequences: Sequence[Example],
    *,
    references: bool = True,
    quantize: bool = False,
    bfloat16: bool = False,
    batch: int = 32,
    progress: bool = False,
) -> Kept:
    """Leave of a model its `count` upper layers, which work on these texts only, and return what is kept of them.

    What is not kept yet is computed first, in parts that stay if it is interrupted.

    Parameters
    ----------
    loaded : LanguageModel
        Changed in place; with or without an adapter in the upper layers.
    count : int
    sequences : sequence of Example
        All texts that the model will see.
    references : bool
        Whether the log-probabilities of all answers by the untrained model are needed.
    quantize : bool
        Whether it is held in 4 bits, which makes other states.
    bfloat16 : bool
        Whether the lower layers multiply in bfloat16.
    batch : int
        Texts computed at once.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        If the model has no more layers than that, or does not compute the same from its hidden states.
    """
    first = first_layer(loaded.model, count)
    key = fingerprint(loaded.name, models.identity(loaded.name), str(loaded.model.dtype), quantize, bfloat16, first)
    kept = Kept(user_cache() / FOLDER / key[:16])
    with _untrained(loaded.model):
        expected = batch_log_likelihoods(loaded, sequences[:1])
        _keep_states(loaded, first, kept, sequences, bfloat16, batch, progress)
        _cut(loaded.model, first, kept)
        _keep_references(loaded, kept, sequences if references else sequences[:1], batch, progress)
    if not bfloat16 and not np.allclose(kept.references(sequences[:1]), expected, rtol=SAME, atol=SAME):
        raise BadInput(f"{loaded.name} does not compute the same from hidden states of its layers: leave upper_layers out")
    return kept


def first_layer(model: torch.nn.Module, count: int) -> int:
    """Return the number of the first of the `count` upper layers.

    Raises
    ------
    BadInput
        If there are no layers below.
    """
    depth = len(_layers(model))
    if not 0 < count < depth:
        raise BadInput(f"upper_layers must be from 1 to {depth - 1}, below all layers of the model, not {count}")
    return depth - count


def linear_modules(model: torch.nn.Module, first: int) -> list[str]:
    """Return the names, within a layer, of the linear maps of the layers from `first` on."""
    import torch

    upper = _layers(model)[first:]
    return sorted({name.rpartition(".")[2] for layer in upper for name, one in layer.named_modules() if isinstance(one, torch.nn.Linear)})


def _plain(model: torch.nn.Module) -> torch.nn.Module:
    """The transformers model, without peft's wrapping."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _layers(model: torch.nn.Module) -> torch.nn.ModuleList:
    import torch

    plain = _plain(model)
    depth = plain.config.get_text_config().num_hidden_layers
    for child in plain.base_model.children():
        if isinstance(child, torch.nn.ModuleList) and len(child) == depth:
            return child
    raise BadInput(f"no list of {depth} layers is known in a {type(plain).__name__}: leave upper_layers out")


@contextmanager
def _untrained(model: torch.nn.Module) -> Iterator[None]:
    """The model without its adapter."""
    with model.disable_adapter() if hasattr(model, "disable_adapter") else nullcontext():
        yield


class _Enough(Exception):
    """The lower layers are done."""


def _keep_states(
    loaded: LanguageModel, first: int, kept: Kept, sequences: Sequence[Example], bfloat16: bool, batch: int, progress: bool
) -> None:
    import torch

    seen: list[torch.Tensor] = []

    def stop(layer: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        seen[:] = given[:1]
        raise _Enough

    left, hook = kept.without("states", sequences), _layers(loaded.model)[first].register_forward_pre_hook(stop)
    low = torch.autocast(torch.device(loaded.device).type, torch.bfloat16, enabled=bfloat16)
    try:
        with low, bar("hidden states", progress) as show:
            for start in range(0, len(left), batch):
                some = left[start : start + batch]
                with suppress(_Enough):
                    batch_log_likelihoods(loaded, some)
                for one, states in zip(some, seen[0], strict=True):
                    kept.write(one, "states", states[len(states) - len(one.prompt + one.answer) :])
                show(min(start + batch, len(left)), len(left))
    finally:
        hook.remove()


def _keep_references(loaded: LanguageModel, kept: Kept, sequences: Sequence[Example], batch: int, progress: bool) -> None:
    import torch

    left = kept.without("reference", sequences)
    with bar("references", progress) as show:
        for start in range(0, len(left), batch):
            some = left[start : start + batch]
            for one, found in zip(some, batch_log_likelihoods(loaded, some), strict=True):
                kept.write(one, "reference", torch.tensor(found))
            show(min(start + batch, len(left)), len(left))


def _cut(model: torch.nn.Module, first: int, kept: Kept) -> None:
    """Let the lower layers pass on what they get, and give the model the kept states in the place of embedded tokens."""
    import torch

    class Passed(torch.nn.Module):
        def forward(self, hidden_states: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
            return hidden_states

    def embedded(_: torch.nn.Module, given: tuple, named: dict) -> tuple[tuple, dict]:
        ids, mask = given[0] if given else named["input_ids"], named["attention_mask"]
        states = [kept.read(Example(row[there].tolist(), [])) for row, there in zip(ids, mask.bool(), strict=True)]
        whole = states[0].new_zeros((*ids.shape, states[0].shape[1])).to(ids.device)
        for row, there, one in zip(whole, mask.bool(), states, strict=True):
            row[there] = one.to(ids.device)
        return (), {**named, "input_ids": None, "inputs_embeds": whole}

    layers = _layers(model)
    for i in range(first):
        layers[i] = Passed()
    _plain(model).base_model.register_forward_pre_hook(embedded, with_kwargs=True)
