"""Fine-tuning with low-rank adapters: TRL's IPO on preference pairs, and supervised on answers.

The trainer, its losses and its checkpoints are TRL's and transformers' (adapters in upper layers have losses of their own, see
`upper_trainer`). Here they get one description of a run, texts in the model's chat format, a folder that says what it belongs to, and
silence. A folder holds `tuning.json` (what is trained, and once it is done
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
from . import packages, together, upper
from .likelihood import Example, examples, formatted, log_likelihoods
from .upper_trainer import upper_trainer

if TYPE_CHECKING:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import Trainer, TrainerCallback

    from ...data.text import Preferences
    from .load import LanguageModel
    from .upper import Kept

RECORD, ADAPTER, UNFINISHED, CHECKPOINTS = "tuning.json", "adapter", "adapter.part", "checkpoints"
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
    upper_layers : int, optional
        Adapters in so many upper layers only; what the layers below make of a text is computed once and kept. By default in all layers.
    bfloat16 : bool
        Multiply matrices in bfloat16 on a processor too, in training and for what is kept, not in measuring. A GPU does in any case.
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
    upper_layers: int | None = None
    bfloat16: bool = False
    seed: int = 0
    save_every: int = 25

    def __post_init__(self) -> None:
        for name in ("lora_rank", "batch", "accumulate", "save_every"):
            number(name, getattr(self, name), 1)
        number("max_length", self.max_length, 16)
        for name in ("lora_alpha", "learning_rate", "epochs", "beta"):
            number(name, getattr(self, name), 0, open_low=True)
        for name in ("max_steps", "upper_layers"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), 1)


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


@dataclass(frozen=True)
class Job:
    """A run of a trainer.

    Attributes
    ----------
    kind, model
        How it trains, and what.
    data
        The columns of the examples.
    out
        The folder.
    tuning, progress
        As of `tune_preferences`.
    key
        Of everything that the result depends on.
    """

    kind: str
    model: str
    data: tuple[Sequence[str], ...]
    out: Path
    tuning: Tuning
    progress: bool
    key: str

    def record(self, losses: list[float] | None) -> None:
        """Write what is trained, and once it is done the losses."""
        about = {"kind": self.kind, "model": self.model, "examples": len(self.data[0]), "tuning": asdict(self.tuning), "key": self.key}
        write_text(self.out / RECORD, json.dumps({**about, "losses": losses}, indent=1))


def tune_preferences(
    model: str,
    pairs: Preferences,
    out: str | os.PathLike[str],
    tuning: Tuning = Tuning(),
    progress: bool = False,
    processes: int | None = None,
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
    processes : int, optional
        How many share the examples of a step, started by accelerate; by default one for each GPU, as far as they divide the examples.

    Raises
    ------
    BadInput
        Without the packages, for no pairs, a folder that belongs to another run, or processes that do not divide a step's examples.
    NotConverged
        Where the loss stops being finite.
    """

    return _tuned("IPO", model, (pairs.contexts, pairs.chosen, pairs.rejected), Path(out), tuning, progress, processes)


def tune_answers(
    model: str,
    prompts: Sequence[str],
    answers: Sequence[str],
    out: str | os.PathLike[str],
    tuning: Tuning = Tuning(),
    progress: bool = False,
    processes: int | None = None,
) -> Tuned:
    """Train an adapter to give certain answers (such as SAFE and UNSAFE), by the cross-entropy of the answers' tokens.

    `beta` plays no role. Other arguments and errors as for `tune_preferences`.
    """
    if len(prompts) != len(answers):
        raise BadInput(f"{len(prompts)} prompts need as many answers, not {len(answers)}")

    return _tuned("answers", model, (tuple(prompts), tuple(answers)), Path(out), replace(tuning, beta=1.0), progress, processes)


def preference_margins(
    model: LanguageModel, pairs: Preferences, *, max_length: int = 256, batch: int = 8, progress: bool = False, kept: Kept | None = None
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
    kept : Kept, optional
        What is kept of the pairs, for a model of upper layers.

    Raises
    ------
    BadInput
        For a model without an adapter.
    """
    if not hasattr(model.model, "disable_adapter"):
        raise BadInput(f"{model.name} has no adapter: there is nothing that it could prefer to itself; name the adapter's folder")
    sequences = _texts(model, (pairs.contexts, pairs.chosen, pairs.rejected), max_length)
    tuned = log_likelihoods(model, sequences, batch=batch, progress=progress)
    if kept is not None:
        reference = kept.references(sequences)
    else:
        with model.model.disable_adapter():
            reference = log_likelihoods(model, sequences, batch=batch, progress=progress)
    ratios = (tuned - reference) / [len(one.answer) for one in sequences]
    return ratios[::2] - ratios[1::2]


def prefers(
    model: str,
    adapter: str | os.PathLike[str],
    pairs: Preferences,
    *,
    max_length: int = 256,
    batch: int = 8,
    quantize: bool = False,
    upper_layers: int | None = None,
    bfloat16: bool = False,
    progress: bool = False,
) -> Callable[[slice], np.ndarray]:
    """Return a function from a slice of the pairs to whether the tuned model prefers the chosen answers: 1, 0, or 1/2 where undecided.

    Compared are the implicit rewards, beta times the log-ratio of tuned and untrained model, a mean over tokens. Arguments as of
    `preference_margins` and `Tuning`.
    """
    packages.require(*NEEDED)
    with _quiet():
        loaded, kept = models.load(model, adapter=adapter, quantize=quantize), None
        if upper_layers is not None:
            texts = _texts(loaded, (pairs.contexts, pairs.chosen, pairs.rejected), max_length)
            kept = upper.use_upper_layers(loaded, upper_layers, texts, quantize=quantize, bfloat16=bfloat16, progress=progress)

    def preferred(part: slice) -> np.ndarray:
        some = pairs.take(np.arange(len(pairs))[part])
        with _quiet():
            margins = preference_margins(loaded, some, max_length=max_length, batch=batch, progress=progress, kept=kept)
        return np.heaviside(margins, 0.5)

    return preferred


def _texts(loaded: LanguageModel, data: tuple[Sequence[str], ...], max_length: int) -> list[Example]:
    """All texts of prompts and of columns of answers, in order."""
    return [one for prompt, *answers in zip(*data, strict=True) for one in examples(loaded.tokenizer, prompt, answers, max_length)]


def _tuned(
    kind: str, model: str, data: tuple[Sequence[str], ...], out: Path, tuning: Tuning, progress: bool, processes: int | None
) -> Tuned:
    """Train in `out`, go on there, or return what is there."""
    if not data[0]:
        raise BadInput("there is nothing to train on: no examples are left")
    key = fingerprint(kind, models.identity(model), data, replace(tuning, save_every=1))
    adapter, known = out / ADAPTER, _read(out / RECORD)
    if known and known["key"] != key:
        raise BadInput(f"{out} belongs to another model, other data or settings; delete it or name another folder")
    if known and known["losses"] is not None and adapter.is_dir():
        return Tuned(adapter, tuple(known["losses"]))

    packages.require(*NEEDED)
    job, processes = Job(kind, model, data, out, tuning, progress, key), together.processes(tuning, processes)
    losses = train(job) if processes == 1 else together.launch(job, processes)
    shutil.rmtree(adapter, ignore_errors=True)
    (out / UNFINISHED).rename(adapter)
    job.record(losses)
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
    return Tuned(adapter, tuple(losses))


def train(job: Job) -> list[float]:
    """Train from the last checkpoint of a job, write the adapter beside its place, and return the losses of all steps.

    Where processes train together, each calls this; the first of them writes.

    Raises
    ------
    NotConverged
        Where the loss stops being finite.
    """
    from transformers import PrinterCallback

    tuning, checkpoints = job.tuning, job.out / CHECKPOINTS
    with _quiet(), bar(f"tuning ({job.kind})", job.progress) as show:
        loaded = models.load(job.model, device=together.device(), quantize=tuning.quantize)
        arguments = _arguments(loaded, checkpoints, tuning)
        if tuning.upper_layers:
            trainer = _upper_trainer(loaded, job, arguments)
        else:
            trainer = _TRAINERS[job.kind](loaded, job.data, tuning, arguments)
        trainer.add_callback(_watcher(show))
        trainer.remove_callback(PrinterCallback)
        if trainer.is_world_process_zero():
            job.record(None)
        trainer.train(resume_from_checkpoint=_latest(checkpoints))
        if trainer.is_world_process_zero():
            shutil.rmtree(job.out / UNFINISHED, ignore_errors=True)
            trainer.accelerator.unwrap_model(trainer.model).save_pretrained(job.out / UNFINISHED)
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def _upper_trainer(loaded: LanguageModel, job: Job, arguments: dict) -> Trainer:
    """Of several processes the first computes the hidden states that are not kept yet."""
    from accelerate import PartialState

    tuning, texts = job.tuning, _texts(loaded, job.data, job.tuning.max_length)
    with PartialState(cpu=loaded.device == "cpu").main_process_first():
        kept = upper.use_upper_layers(loaded, tuning.upper_layers, texts, references=job.kind == "IPO", quantize=tuning.quantize,
                                      bfloat16=tuning.bfloat16, progress=job.progress)  # fmt: skip
    answers = len(job.data) - 1  # of a prompt
    examples = [texts[i : i + answers] for i in range(0, len(texts), answers)]
    plain = {name: value for name, value in arguments.items() if name != "max_length"}
    return upper_trainer(loaded, examples, _adapter(loaded, tuning), kept, tuning.beta, plain)


def _preferences_trainer(loaded: LanguageModel, data: tuple[Sequence[str], ...], tuning: Tuning, common: dict) -> Trainer:
    from trl import DPOConfig, DPOTrainer

    contexts, chosen, rejected = data
    return DPOTrainer(
        loaded.model,
        args=DPOConfig(loss_type=["ipo"], beta=tuning.beta, **common),
        train_dataset=_dataset(loaded, contexts, {"chosen": chosen, "rejected": rejected}, tuning),
        processing_class=loaded.tokenizer,
        peft_config=_adapter(loaded, tuning),
    )


def _answers_trainer(loaded: LanguageModel, data: tuple[Sequence[str], ...], tuning: Tuning, common: dict) -> Trainer:
    from trl import SFTConfig, SFTTrainer

    prompts, answers = data
    return SFTTrainer(
        loaded.model,
        args=SFTConfig(completion_only_loss=True, packing=False, **common),
        train_dataset=_dataset(loaded, prompts, {"completion": answers}, tuning),
        processing_class=loaded.tokenizer,
        peft_config=_adapter(loaded, tuning),
    )


_TRAINERS = {"IPO": _preferences_trainer, "answers": _answers_trainer}


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

    cuda, share = torch.device(loaded.device).type == "cuda", together.share(tuning)
    return {
        "output_dir": str(checkpoints),
        "per_device_train_batch_size": share.batch,
        "gradient_accumulation_steps": share.accumulate,
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
        "bf16": torch.cuda.is_bf16_supported() if cuda else tuning.bfloat16,
        "gradient_checkpointing": tuning.quantize and not tuning.upper_layers,
        "dataloader_pin_memory": cuda,
        **({"ddp_backend": "nccl" if cuda else "gloo", "ddp_find_unused_parameters": False} if together.is_one_of_several() else {}),
    }


def _adapter(loaded: LanguageModel, tuning: Tuning) -> LoraConfig:
    """Of all linear maps, of all layers or of the upper ones."""
    from peft import LoraConfig

    where: dict[str, object] = {"target_modules": "all-linear"}
    if tuning.upper_layers:
        first = upper.first_layer(loaded.model, tuning.upper_layers)
        where = {"target_modules": upper.linear_modules(loaded.model, first),
                 "layers_to_transform": list(range(first, first + tuning.upper_layers))}  # fmt: skip
    return LoraConfig(r=tuning.lora_rank, lora_alpha=tuning.lora_alpha, lora_dropout=0.0, task_type="CAUSAL_LM", **where)


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

