"""What the room of language models may know of a data set: texts to take features of, preference pairs, labelled answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...data.tasks import Folder
from ...data.text import Preferences

SAFE, UNSAFE = LABELS = ("SAFE", "UNSAFE")


def word(safe: bool) -> str:
    """Return the word for a safe or unsafe answer."""
    return SAFE if safe else UNSAFE


@dataclass(frozen=True)
class LabelledAnswers:
    """Answers to prompts, with true labels and those that others gave.

    Attributes
    ----------
    prompts, answers : tuples of str
    truth : tuple of str
        SAFE or UNSAFE, as people found.
    recorded : mapping of tuples
        By the name of a labeller, its labels; "" for none.
    """

    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    truth: tuple[str, ...]
    recorded: Mapping[str, tuple[str, ...]]

    def take(self, rows: Sequence[int] | np.ndarray) -> LabelledAnswers:
        """Return some rows, by their places."""
        texts = (tuple(values[i] for i in rows) for values in (self.prompts, self.answers, self.truth))
        return LabelledAnswers(*texts, {name: tuple(values[i] for i in rows) for name, values in self.recorded.items()})


def _nothing(folder: Folder) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True)
class FeatureTexts:
    """Texts that features are taken of.

    Attributes
    ----------
    file : str
        What the name of a file with their features in the user's folder begins with.
    turns : callable
        From the user's folder to contexts and responses, row by row; a response is the last turn of its dialogue.
    pairs : bool
        Whether every two rows are one pair, the chosen response first.
    known : callable
        From the user's folder to arrays of what is known of each row, by name.
    """

    file: str
    turns: Callable[[Folder], Sequence[tuple[str, str]]]
    pairs: bool = False
    known: Callable[[Folder], dict[str, np.ndarray]] = _nothing


@dataclass(frozen=True)
class LanguageData:
    """A data set of texts, as pipelines and the extraction of features use it.

    Attributes
    ----------
    pairs, answers : mappings
        By the name in configurations, what loads preference pairs, or answers with labels, from the user's folder.
    features : FeatureTexts, optional
        Texts that features are taken of.
    """

    pairs: Mapping[str, Callable[[Path | None], Preferences]] = field(default_factory=dict)
    answers: Mapping[str, Callable[[Path | None], LabelledAnswers]] = field(default_factory=dict)
    features: FeatureTexts | None = None
