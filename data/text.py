"""Texts as the loaders return them: preference pairs, judged completions, prompts; dialogues as in hh-rlhf."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ..support.errors import BadInput
from .find import opened

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"


class _Rows:
    """The base of the data classes below: fields of equal length, tuples or arrays, with one entry a row."""

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise BadInput(f"fields of different lengths: {', '.join(f'{name} {length}' for name, length in lengths.items())}")

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: ArrayLike) -> Self:
        """Return the rows with these numbers, in this order, or where a mask of booleans is true."""
        rows = np.asarray(rows)
        chosen = np.arange(len(self))[rows if rows.size else rows.astype(int)]  # an empty list has no type
        return type(self)(**{field.name: _at(getattr(self, field.name), chosen) for field in fields(self)})


def _at(values: tuple[str, ...] | np.ndarray, rows: np.ndarray) -> tuple[str, ...] | np.ndarray:
    return values[rows] if isinstance(values, np.ndarray) else tuple(values[row] for row in rows)


@dataclass(frozen=True)
class Preferences(_Rows):
    """Pairs of responses to the same context.

    Attributes
    ----------
    contexts : tuple of str
        Each ends with ASSISTANT.
    chosen, rejected : tuple of str
    """

    contexts: tuple[str, ...]
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Completions(_Rows):
    """Completions of prompts by several models, with labels.

    Attributes
    ----------
    models, prompts, completions : tuple of str
    human, gpt4, strmatch : array (rows,)
        Labels by humans, GPT-4 and string matching.
    """

    models: tuple[str, ...]
    prompts: tuple[str, ...]
    completions: tuple[str, ...]
    human: np.ndarray
    gpt4: np.ndarray
    strmatch: np.ndarray


@dataclass(frozen=True, eq=False)
class Answers(_Rows):
    """Answers to prompts, with human labels.

    Attributes
    ----------
    prompts, answers : tuple of str
    safe : bool array (rows,)
    """

    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    safe: np.ndarray


@dataclass(frozen=True)
class Prompts(_Rows):
    """Requests without any template.

    Attributes
    ----------
    prompts, categories : tuple of str
    """

    prompts: tuple[str, ...]
    categories: tuple[str, ...]


def question(prompt: str) -> str:
    """A request as the context of a dialogue.

    Parameters
    ----------
    prompt : str
        The words of the human.
    """
    return f"{HUMAN} {prompt}{ASSISTANT}"


def answer(text: str) -> str:
    """An answer as the response in a dialogue.

    Parameters
    ----------
    text : str
        The words of the assistant.
    """
    return f" {text.strip()}"


def last_turn(dialogue: str) -> tuple[str, str]:
    """A dialogue parted after its last ASSISTANT: the context, that marker included, and the response."""
    context, marker, response = dialogue.rpartition(ASSISTANT)
    return context + marker, response


def preferences(dialogues: Sequence[tuple[str, str]]) -> Preferences:
    """Pairs (chosen, rejected) of whole dialogues, parted after the last ASSISTANT that both have in common."""
    ends = [chosen.rfind(ASSISTANT, 0, _common(chosen, rejected)) + len(ASSISTANT) for chosen, rejected in dialogues]
    return Preferences(
        contexts=tuple(chosen[:end] for (chosen, _), end in zip(dialogues, ends, strict=True)),
        chosen=tuple(chosen[end:] for (chosen, _), end in zip(dialogues, ends, strict=True)),
        rejected=tuple(rejected[end:] for (_, rejected), end in zip(dialogues, ends, strict=True)),
    )


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def json_lines(path: Path) -> list[dict]:
    """The objects of a file with one JSON object a line; gzip is unpacked on the way."""
    with opened(path) as file:
        return [json.loads(line) for line in file]
