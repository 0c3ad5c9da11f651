"""Human preferences between two answers of an assistant (harmless-base, test split): the real pairs of figure 8."""

from __future__ import annotations

import os

from ..entry import DataFile, DataSet
from ..find import locate
from ..hub import Hub
from ..text import Preferences, json_lines, preferences

NAME = "harmless-base-test.jsonl"

DATASET = DataSet(
    name="hh_rlhf",
    title="hh-rlhf harmless-base",
    licence="MIT",
    citation="Bai et al.: Training a Helpful and Harmless Assistant with Reinforcement Learning from Human Feedback (2022)",
    files=(DataFile(NAME, "14d765196c9f18d84f9bb3a78bac608c8f2915110ebcbd74ec95db7b7198b008"),),
    folders=("hh-rlhf",),
    origins=(
        Hub("Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa", ((NAME, "test"),), ("chosen", "rejected"),
            folder="harmless-base"),
    ),
)  # fmt: skip


def load(folder: str | os.PathLike[str] | None = None, download: bool = True) -> Preferences:
    """Return the 2,312 pairs in file order.

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
    return preferences([(row["chosen"], row["rejected"]) for row in rows])
