"""hh-rlhf with a guard model's judgement of every answer: the real pairs of figure 8 at the paper's scale."""

from __future__ import annotations

import os
from typing import Literal

from ..entry import DataFile, DataSet
from ..find import locate
from ..hub import Hub
from ..text import Preferences, json_lines, preferences

FILES = {part: f"hh-rlhf-safety-{part}.jsonl" for part in ("train", "test")}
SAFE = "safe"

DATASET = DataSet(
    name="hh_rlhf_safety",
    title="hh-rlhf-safety",
    licence="MIT",
    citation="Zhang: hh-rlhf-safety (2024), hh-rlhf of Bai et al. (2022) labelled by LlamaGuard-7B",
    files=tuple(DataFile(name, None) for name in FILES.values()),
    folders=("hh-rlhf-safety",),
    origins=(
        Hub("yimingzhang/hh-rlhf-safety", "7ca6f4838f104cddd152f19d4aa9e713896982e4", tuple((name, part) for part, name in FILES.items()),
            ("chosen", "rejected", "chosen-safety", "rejected-safety")),
    ),
)  # fmt: skip


def load(
    part: Literal["train", "test"] = "train", folder: str | os.PathLike[str] | None = None, download: bool = True, every: bool = False
) -> Preferences:
    """The pairs whose chosen answer was judged safe, whatever the rejected one was, as published; or `every` pair; in file order.

    Parameters
    ----------
    part : str
        train or test.
    folder, download
        As of `data.locate`.
    every : bool
        Whether pairs are returned whatever was judged of their answers.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    rows = json_lines(locate(DATASET, folder, download)[FILES[part]])
    return preferences([(row["chosen"], row["rejected"]) for row in rows if every or row["chosen-safety"].strip() == SAFE])
