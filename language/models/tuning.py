"""Fine-tuning with low-rank adapters: TRL's IPO on preference pairs, and supervised on answers.

The trainer, its losses and its checkpoints are TRL's and transformers'. Here they get one description of a run, texts in the model's
chat format, a folder that says what it belongs to, and silence. A folder holds `tuning.json` (what is trained, and once it is done
the losses), `adapter`, and `checkpoints` while it runs; the same call again goes on, or returns what is there.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...sims.checkpoint import fingerprint
from ...support.errors import BadInput, NotConverged, number
from ...support.files import write_text
from ...support.progress import bar
from . import load as models
from . import packages
from .likelihood import examples, formatted, log_likelihoods

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import Trainer, TrainerCallback

    from ...data.text import Preferences
    from .load import LanguageModel

NEEDED = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")


@dataclass(frozen=True)
class Tuning:
    """Settings of a fine-tuning run.

    Attributes
    ----------
    lora_rank, lora_alpha
        Of the adapter.
    learning_rate : float
        At first; it falls linearly to 0.
    batch, accumulate : int
        Examples computed at once, and how many such batches make a step of the optimiser.
    epochs : float
        How often every example is trained on.
    max_steps : int, optional
        Steps of the optimiser, instead of `epochs`.
    max_length : int
        The most tokens of prompt and answer.
    beta : float
        Of IPO, whose margin is 1 / (2 beta).
    quantize : bool
        Hold the model in 4 bits (QLoRA).
    seed : int
    save_every : int
        Steps between checkpoints, which do not change the result.
    """

    lora_rank: int = 16
    lora_alpha: float = 32
    learning_rate: float = 2e-4
    batch: int = 4
    accumulate: int = 1
    epochs: float = 1
    max_steps: int | None = None
    max_length: int = 256
    beta: float = 0.1
    quantize: bool = False
    seed: int = 0
    save_every: int = 25

    def __post_init__(self) -> None:
        for name in ("lora_rank", "batch", "accumulate", "save_every"):
            number(name, getattr(self, name), 1)
        number("max_length", self.max_length, 16)
        for name in ("lora_alpha", "learning_rate", "epochs", "beta"):
            number(name, getattr(self, name), 0, open_low=True)
        if self.max_steps is not None:
            number("max_steps", self.max_steps, 1)


@dataclass(frozen=True)
class Tuned:
    """A finished fine-tuning run.

    Attributes
    ----------
    adapter : Path
        Its folder.
    losses : tuple of float
        Of every step of the optimiser, before it.
    """

    adapter: Path
    losses: tuple[float, ...]


def tune_preferences(
    model: str, pairs: Preferences, out: str | os.PathLike[str], tuning: Tuning = Tuning(), progress: bool = False
) -> Tuned:
    """Train an adapter to prefer the chosen answers, by IPO.

    The loss is (margin - 1 / (2 beta))^2, where the margin is the difference between the two answers in the log-ratio to the untrained
    model, each a mean over its tokens, which is how TRL defines IPO.

    Parameters
    ----------
    model : str
        A name for `language.models.load.load`.
    pairs : Preferences
    out : path
        The folder; an interrupted run there goes on and ends with the same numbers.
    tuning : Tuning
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        Without the packages, for no pairs, or a folder that belongs to another run.
    NotConverged
        Where the loss stops being finite.
    """

    def trainer(loaded: LanguageModel, common: dict, lora: object, callback: TrainerCallback) -> Trainer:
        from trl import DPOConfig, DPOTrainer

        settings = DPOConfig(loss_type=["ipo"], beta=tuning.beta, **common)
        return DPOTrainer(
            loaded.model,
            args=settings,
            train_dataset=_dataset(loaded, pairs.contexts, {"chosen": pairs.chosen, "rejected": pairs.rejected}, tuning),
            processing_class=loaded.tokenizer,
            peft_config=lora,
            callbacks=[callback],
        )

    return _tuned("IPO", model, (pairs.contexts, pairs.chosen, pairs.rejected), Path(out), tuning, progress, trainer)


def tune_answers(
    model: str,
    prompts: Sequence[str],
    answers: Sequence[str],
    out: str | os.PathLike[str],
    tuning: Tuning = Tuning(),
    progress: bool = False,
) -> Tuned:
    """Train an adapter to give certain answers (such as SAFE and UNSAFE), by the cross-entropy of the answers' tokens.

    `beta` plays no role. Other arguments and errors as for `tune_preferences`.
    """
    if len(prompts) != len(answers):
        raise BadInput(f"{len(prompts)} prompts need as many answers, not {len(answers)}")

    def trainer(loaded: LanguageModel, common: dict, lora: object, callback: TrainerCallback) -> Trainer:
        from trl import SFTConfig, SFTTrainer

        return SFTTrainer(
            loaded.model,
            args=SFTConfig(completion_only_loss=True, packing=False, **common),
            train_dataset=_dataset(loaded, prompts, {"completion": answers}, tuning),
            processing_class=loaded.tokenizer,
            peft_config=lora,
            callbacks=[callback],
        )

    return _tuned("answers", model, (tuple(prompts), tuple(answers)), Path(out), replace(tuning, beta=1.0), progress, trainer)


def preference_margins(
    model: LanguageModel, pairs: Preferences, *, max_length: int = 256, batch: int = 8, progress: bool = False
) -> np.ndarray:
    """Return the margin of IPO for every pair, (k,).

    The margin is how far the adapter has raised the log-likelihood of the chosen answer, a mean over its tokens, above that of the rejected
    one.

    Parameters
    ----------
    model : LanguageModel
        With an adapter; the reference is the same model with the adapter disabled.
    pairs : k preferences
    max_length : int
        The most tokens of prompt and answer.
    batch : int
        Sequences computed at once.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        For a model without an adapter.
    """
    if not hasattr(model.model, "disable_adapter"):
        raise BadInput(f"{model.name} has no adapter: there is nothing that it could prefer to itself; name the adapter's folder")
    sequences = [
        one
        for context, *both in zip(pairs.contexts, pairs.chosen, pairs.rejected, strict=True)
        for one in examples(model.tokenizer, context, both, max_length)
    ]
    tuned = log_likelihoods(model, sequences, batch=batch, progress=progress)
    with model.model.disable_adapter():
        reference = log_likelihoods(model, sequences, batch=batch, progress=progress)
    ratios = (tuned - reference) / [len(one.answer) for one in sequences]
    return ratios[::2] - ratios[1::2]


def preference_accuracy(
    model: str,
    adapter: str | os.PathLike[str],
    pairs: Preferences,
    *,
    max_length: int = 256,
    batch: int = 8,
    quantize: bool = False,
    progress: bool = False,
) -> np.ndarray:
    """Return for every pair whether the tuned model prefers the chosen answer: 1, 0, or 1/2 where it is undecided, (k,).

    Compared are the implicit rewards, beta times the log-ratio of tuned and untrained model, a mean over tokens. Arguments as of
    `preference_margins`.
    """
    packages.require(*NEEDED)
    with _quiet():
        loaded = models.load(model, adapter=adapter, quantize=quantize)
        margins = preference_margins(loaded, pairs, max_length=max_length, batch=batch, progress=progress)
    return np.heaviside(margins, 0.5)


def _tuned(
    kind: str, model: str, data: tuple[Sequence[str], ...], out: Path, tuning: Tuning, progress: bool, build: Callable[..., Trainer]
) -> Tuned:
    """Train in `out`, go on there, or return what is there."""
    if not data[0]:
        raise BadInput("there is nothing to train on: no examples are left")
    key = fingerprint(kind, models.identity(model), data, replace(tuning, save_every=1))
    record, adapter, checkpoints = out / "tuning.json", out / "adapter", out / "checkpoints"
    known = _read(record)
    if known and known["key"] != key:
        raise BadInput(f"{out} belongs to another model, other data or settings; delete it or name another folder")
    if known and known["losses"] is not None and adapter.is_dir():
        return Tuned(adapter, tuple(known["losses"]))

    packages.require(*NEEDED)
    from transformers import PrinterCallback

    about = {"kind": kind, "model": model, "examples": len(data[0]), "tuning": asdict(tuning), "key": key}
    with _quiet(), bar(f"tuning ({kind})", progress) as show:
        loaded = models.load(model, quantize=tuning.quantize)
        trainer = build(loaded, _arguments(loaded, checkpoints, tuning), _lora(tuning), _watcher(show))
        trainer.remove_callback(PrinterCallback)
        write_text(record, json.dumps({**about, "losses": None}, indent=1))
        trainer.train(resume_from_checkpoint=_latest(checkpoints))
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        beside = out / "adapter.part"
        shutil.rmtree(beside, ignore_errors=True)
        trainer.model.save_pretrained(beside)
    shutil.rmtree(adapter, ignore_errors=True)
    beside.rename(adapter)
    write_text(record, json.dumps({**about, "losses": losses}, indent=1))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return Tuned(adapter, tuple(losses))


def _dataset(loaded: LanguageModel, prompts: Sequence[str], columns: dict[str, Sequence[str]], tuning: Tuning) -> Dataset:
    """A data set as TRL takes it: prompt and the columns, already so short that TRL drops none of them."""
    from datasets import Dataset

    rows = []
    for prompt, *answers in zip(prompts, *columns.values(), strict=True):
        shown, texts = formatted(loaded.tokenizer, prompt, answers, tuning.max_length)
        rows.append({"prompt": shown, **dict(zip(columns, texts, strict=True))})
    return Dataset.from_list(rows)


def _arguments(loaded: LanguageModel, checkpoints: Path, tuning: Tuning) -> dict:
    """The arguments that TRL's configurations share."""
    import torch

    cuda = torch.device(loaded.device).type == "cuda"
    return {
        "output_dir": str(checkpoints),
        "per_device_train_batch_size": tuning.batch,
        "gradient_accumulation_steps": tuning.accumulate,
        "learning_rate": tuning.learning_rate,
        "num_train_epochs": tuning.epochs,
        "max_steps": -1 if tuning.max_steps is None else tuning.max_steps,
        "max_length": tuning.max_length,
        "lr_scheduler_type": "linear",
        "save_strategy": "steps",
        "save_steps": tuning.save_every,
        "save_total_limit": 2,  # the last may be incomplete
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "report_to": "none",
        "seed": tuning.seed,
        "data_seed": tuning.seed,
        "use_cpu": torch.device(loaded.device).type == "cpu",
        "bf16": cuda and torch.cuda.is_bf16_supported(),
        "gradient_checkpointing": tuning.quantize,
        "dataloader_pin_memory": cuda,
    }


def _lora(tuning: Tuning) -> object:
    from peft import LoraConfig

    return LoraConfig(
        r=tuning.lora_rank, lora_alpha=tuning.lora_alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def _watcher(show: Callable[[int, int], None]) -> TrainerCallback:
    """Shows the steps, and stops a run whose loss is no number."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_step_end(self, args: object, state: object, control: object, **_: object) -> None:
            show(state.global_step, state.max_steps)

        def on_log(self, args: object, state: object, control: object, logs: dict, **_: object) -> None:
            if not np.isfinite(logs.get("loss", 0.0)):
                raise NotConverged(f"the loss is not finite at step {state.global_step}; train at a lower rate than {args.learning_rate:g}")

    return Watcher()


def _latest(checkpoints: Path) -> str | None:
    """The last complete checkpoint: the trainer writes its state after everything else."""
    found = sorted(checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    return next((str(path) for path in found if _read(path / "trainer_state.json")), None)


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the bars and the advice of the libraries, whose errors remain."""
    import datasets
    import transformers

    chatty = [logging.getLogger(name) for name in ("transformers", "trl", "peft", "accelerate", "datasets")]
    levels = [one.level for one in chatty]
    bars = datasets.are_progress_bars_disabled(), transformers.utils.logging.is_progress_bar_enabled()
    try:
        for one in chatty:
            one.setLevel(logging.ERROR)
        datasets.disable_progress_bars()
        transformers.utils.logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(chatty, levels, strict=True):
            one.setLevel(level)
        if not bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers.utils.logging.enable_progress_bar()

