"""PKU-SafeRLHF, pairs of answers judged safe or not: the synthetic pairs of figure 8, and answers for figure 9, at the paper's scale."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np

from ..entry import DataFile, DataSet
from ..find import locate
from ..hub import Hub
from ..text import Answers, Preferences, answer, json_lines, question

FILES = {part: f"pku-safe-rlhf-{part}.jsonl" for part in ("train", "test")}

DATASET = DataSet(
    name="safe_rlhf",
    title="PKU-SafeRLHF",
    licence="CC BY-NC 4.0",
    citation="Ji et al.: PKU-SafeRLHF: A Safety Alignment Preference Dataset for Llama Family Models (2024)",
    files=tuple(DataFile(name, None) for name in FILES.values()),
    folders=("safe-rlhf",),
    origins=(
        Hub("PKU-Alignment/PKU-SafeRLHF", "74baebd4502573cdf0bdb1c4bb7d359f40cdf77b", tuple((name, part) for part, name in FILES.items()),
            ("prompt", "response_0", "response_1", "is_response_0_safe", "is_response_1_safe", "safer_response_id")),
    ),
)  # fmt: skip


def load(
    part: Literal["train", "test"] = "train", folder: str | os.PathLike[str] | None = None, download: bool = True
) -> Preferences:
    """All pairs in file order; chosen is the answer that was named the safer one.

    Parameters
    ----------
    part : str
        train or test.
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    rows = json_lines(locate(DATASET, folder, download)[FILES[part]])
    safer = [row["safer_response_id"] for row in rows]
    return Preferences(
        contexts=tuple(question(row["prompt"]) for row in rows),
        chosen=tuple(answer(row[f"response_{one}"]) for row, one in zip(rows, safer, strict=True)),
        rejected=tuple(answer(row[f"response_{1 - one}"]) for row, one in zip(rows, safer, strict=True)),
    )


def answers(
    part: Literal["train", "test"] = "train", folder: str | os.PathLike[str] | None = None, download: bool = True
) -> Answers:
    """The two answers of each pair, one after the other, in file order, and whether each was judged safe.

    Raises
    ------
    BadInput
        As `load`.
    """
    both = [(row, k) for row in json_lines(locate(DATASET, folder, download)[FILES[part]]) for k in (0, 1)]
    return Answers(
        prompts=tuple(row["prompt"] for row, _ in both),
        answers=tuple(row[f"response_{k}"] for row, k in both),
        safe=np.array([row[f"is_response_{k}_safe"] for row, k in both], dtype=bool),
    )
