"""PKU-SafeRLHF: the pairs of its two parts, and the answers of these with their labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ...data.sets import safe_rlhf
from .base import LabelledAnswers, LanguageData, word


def _answers(part: str, data: Path | None) -> LabelledAnswers:
    every = safe_rlhf.answers(part, data)
    truth = tuple(word(one) for one in every.safe)
    return LabelledAnswers(every.prompts, every.answers, truth, {"human": truth})


LANGUAGE = LanguageData(
    pairs={f"safe_rlhf/{part}": partial(safe_rlhf.load, part) for part in safe_rlhf.FILES},
    answers={f"safe_rlhf/{part}": partial(_answers, part) for part in safe_rlhf.FILES},
)
