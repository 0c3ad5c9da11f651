"""ALERT, red-team prompts by category of harm: the evaluation of figure 8."""

from __future__ import annotations

import os

from ..entry import DataFile, DataSet
from ..find import locate
from ..origins import Address
from ..text import Prompts, json_lines

NAME = "alert.jsonl"
BEFORE, AFTER = "### Instruction:\n", "\n### Response:\n"

DATASET = DataSet(
    name="alert",
    title="ALERT",
    licence="CC BY-NC-SA 4.0; for evaluation only",
    citation=(
        "Tedeschi et al.: ALERT: A Comprehensive Benchmark for Assessing Large Language Models' Safety through Red Teaming (2024)"
    ),
    files=(DataFile(NAME, "0a5594d47d3c4b81462048e6e5dfa22304be6eb490019ddbddc73adc4e317cc4"),),
    folders=("alert",),
    origins=(Address("https://huggingface.co/datasets/Babelscape/ALERT/resolve/a857f95355354050170844207a4994d9599fdfed"),),
)


def load(folder: str | os.PathLike[str] | None = None, download: bool = True) -> Prompts:
    """Return the 14,763 prompts in 32 categories, in file order, without the file's instruction template around each.

    Parameters
    ----------
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If the file is nowhere to be found (see `data.locate`).
    """
    rows = json_lines(locate(DATASET, folder, download)[NAME])
    return Prompts(
        prompts=tuple(row["prompt"].removeprefix(BEFORE).removesuffix(AFTER) for row in rows),
        categories=tuple(row["category"] for row in rows),
    )
