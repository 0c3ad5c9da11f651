"""XSTest: its completions with their labels, and features of them. A completion that refuses, fully or in part, counts as safe."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...data.sets import xstest
from ...data.tasks import Folder
from ...data.text import answer, question
from .base import SAFE, UNSAFE, FeatureTexts, LabelledAnswers, LanguageData

_WORDS = {xstest.COMPLIANCE: UNSAFE, xstest.REFUSAL: SAFE, xstest.PARTIAL_REFUSAL: SAFE, xstest.UNLABELLED: ""}


def _answers(data: Path | None) -> LabelledAnswers:
    every = xstest.load(data)
    said = {"human": every.human, "gpt4": every.gpt4, "strmatch": every.strmatch}
    labels = {name: tuple(_WORDS[one] for one in values) for name, values in said.items()}
    return LabelledAnswers(every.prompts, every.completions, labels["human"], labels)


def _turns(folder: Folder) -> list[tuple[str, str]]:
    every = xstest.load(folder)
    return [(question(prompt), answer(text)) for prompt, text in zip(every.prompts, every.completions, strict=True)]


def _known(folder: Folder) -> dict[str, np.ndarray]:
    every = xstest.load(folder)
    return {name: np.array(getattr(every, name)) for name in ("prompts", "models", "human", "gpt4", "strmatch")}


LANGUAGE = LanguageData(answers={"xstest": _answers}, features=FeatureTexts("xstest-completions", _turns, known=_known))
