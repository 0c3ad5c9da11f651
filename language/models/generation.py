"""Answers of a language model: drawn token by token, or chosen among given ones by their likelihood.

Every prompt has its own random numbers, one a token, from which the token is read off the model's distribution function. So the
answer to a prompt does not depend on what else is in its batch, but for the rounding of the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from ...support.errors import BadInput, number
from ...support.progress import bar
from . import batched, load
from .likelihood import Chat, Example, left_padded, log_likelihoods, prompt_tokens, shortened

if TYPE_CHECKING:
    import torch

    from .load import LanguageModel


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn from a model.

    Attributes
    ----------
    max_new_tokens : int
        The most tokens of an answer.
    temperature : float
        0 takes the likeliest token.
    top_p : float
        The share of probability to draw from, the likeliest tokens first.
    max_length : int
        The most tokens of a prompt, whose beginning is cut where it has more.
    batch : int
        Prompts answered at once.
    seed : int
        Of the random numbers, of which every prompt has its own.
    vllm : bool
        Through vLLM where it is installed and there is a GPU: much faster, with other random numbers.
    """

    max_new_tokens: int = 70
    temperature: float = 1.0
    top_p: float = 1.0
    max_length: int = 1024
    batch: int = 8
    seed: int = 0
    vllm: bool = False

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "max_length", "batch"):
            number(name, getattr(self, name), 1)
        number("temperature", self.temperature, 0)
        number("top_p", self.top_p, 0, 1, open_low=True)


def writer(
    name: str, sampling: Sampling, *, quantize: bool = False, adapter: str | PathLike[str] | None = None, progress: bool = False
) -> Callable[[Sequence[str | Chat], Sequence[int]], list[str]]:
    """Return a function from prompts and their numbers to answers, with the model loaded where it will run.

    Parameters
    ----------
    name, quantize, adapter
        As of `load.load`.
    sampling : Sampling
    progress : bool
        Whether to show a progress bar.
    """
    if sampling.vllm and batched.usable():
        return batched.Batched(name, sampling, quantize=quantize, adapter=adapter).generate
    model = load.load(name, quantize=quantize, adapter=adapter)
    return lambda prompts, numbers: generate(model, prompts, sampling, progress, numbers=numbers)


def generate(
    model: LanguageModel,
    prompts: Sequence[str | Chat],
    sampling: Sampling = Sampling(),
    progress: bool = False,
    *,
    numbers: Sequence[int] | None = None,
) -> list[str]:
    """Generate an answer to every prompt, without special tokens and surrounding white space.

    Parameters
    ----------
    model : LanguageModel
    prompts : sequence of str or Chat
    sampling : Sampling
    progress : bool
        Whether to show a progress bar.
    numbers : sequence of int, optional
        Numbers of the prompts, which with the seed fix their random numbers; their places by default. To generate in parts pass the places
        in the whole: the answers are then those of one call.

    Raises
    ------
    BadInput
        For numbers that are not one a prompt.
    """
    numbers = range(len(prompts)) if numbers is None else numbers
    if len(numbers) != len(prompts):
        raise BadInput(f"{len(prompts)} prompts need as many numbers, not {len(numbers)}")
    rows = [_tokens(model, prompt, sampling.max_length) for prompt in prompts]
    answers = [""] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with bar("answers", progress) as show:
        for start in range(0, len(order), sampling.batch):
            places = order[start : start + sampling.batch]
            some = _answers(model, [rows[i] for i in places], sampling, [numbers[i] for i in places])
            for i, answer in zip(places, some, strict=True):
                answers[i] = answer
            show(min(start + sampling.batch, len(order)), len(order))
    return answers


def choose(
    model: LanguageModel,
    prompts: Sequence[str | Chat],
    options: Sequence[str] = ("SAFE", "UNSAFE"),
    *,
    max_length: int = 1024,
    batch: int = 8,
    progress: bool = False,
) -> np.ndarray:
    """Return for every prompt the place of the option that the model finds likeliest as the beginning of its answer, (k,).

    Arguments and errors as of `option_scores`.
    """
    return option_scores(model, prompts, options, max_length=max_length, batch=batch, progress=progress).argmax(axis=1)


def option_scores(
    model: LanguageModel,
    prompts: Sequence[str | Chat],
    options: Sequence[str],
    *,
    max_length: int = 1024,
    batch: int = 8,
    progress: bool = False,
) -> np.ndarray:
    """Return the log-probability that an answer begins with each option, (k, options).

    Parameters
    ----------
    model : LanguageModel
    prompts : sequence of k
    options : sequence of str
    max_length : int
        The most tokens of a prompt and an option.
    batch : int
        Sequences computed at once.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    BadInput
        For fewer than two options, or an empty one.
    """
    sequences = option_texts(model, prompts, options, max_length=max_length)
    return log_likelihoods(model, sequences, batch=batch, progress=progress).reshape(len(prompts), len(options))


def option_texts(model: LanguageModel, prompts: Sequence[str | Chat], options: Sequence[str], *, max_length: int = 1024) -> list[Example]:
    """Return the texts that `option_scores` compares, every prompt with all its options; arguments and errors are those."""
    tokens = [model.tokenizer(option, add_special_tokens=False)["input_ids"] for option in options]
    if len(tokens) < 2 or not all(tokens):
        raise BadInput(f"a choice needs at least two options of at least one token, not {list(options)}")
    rows = [_tokens(model, prompt, max_length - max(map(len, tokens))) for prompt in prompts]
    return [Example(row, option) for row in rows for option in tokens]


def _tokens(model: LanguageModel, prompt: str | Chat, max_length: int) -> list[int]:
    return prompt_tokens(model.tokenizer, shortened(model.tokenizer, prompt, max_length))[-max_length:]


def _answers(model: LanguageModel, rows: list[list[int]], sampling: Sampling, numbers: Sequence[int]) -> list[str]:
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    inputs = left_padded(model, rows)
    processors = LogitsProcessorList()
    if sampling.temperature > 0:
        processors.append(TemperatureLogitsWarper(float(sampling.temperature)))
        if sampling.top_p < 1:
            processors.append(TopPLogitsWarper(sampling.top_p))
        uniform = [np.random.default_rng((sampling.seed, one)).random(sampling.max_new_tokens) for one in numbers]
        processors.append(_Drawn(torch.tensor(np.array(uniform), device=model.device), inputs["input_ids"].shape[1]))
    usual = model.model.generation_config
    stop = usual.eos_token_id if usual.eos_token_id is not None else model.tokenizer.eos_token_id
    settings = GenerationConfig(
        max_new_tokens=sampling.max_new_tokens, do_sample=False, eos_token_id=stop, pad_token_id=model.tokenizer.eos_token_id
    )
    with torch.inference_mode():
        found = model.model.generate(**inputs, generation_config=settings, logits_processor=processors)
    new = found[:, inputs["input_ids"].shape[1] :]
    return [answer.strip() for answer in model.tokenizer.batch_decode(new, skip_special_tokens=True)]


class _Drawn:
    """Makes the largest score that of a drawn token: the first at which the distribution function exceeds a uniform number.

    uniform: (prompts, new tokens). start: tokens before the first new one.
    """

    def __init__(self, uniform: torch.Tensor, start: int) -> None:
        self.uniform, self.start = uniform, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        below = torch.softmax(scores.double(), dim=-1).cumsum(-1)
        level = self.uniform[:, input_ids.shape[1] - self.start, None] * below[:, -1:]
        token = torch.searchsorted(below, level, right=True).clamp(max=scores.shape[1] - 1)
        return torch.full_like(scores, -torch.inf).scatter_(1, token, 0.0)
