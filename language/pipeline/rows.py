"""Tables of a pipeline on disk: a Hugging Face data set in the folder `rows` of a step's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.text import Preferences
from ..models import packages

if TYPE_CHECKING:
    from datasets import Dataset

FOLDER = "rows"


def save(folder: Path, columns: Mapping[str, Sequence[object] | np.ndarray], name: str = FOLDER) -> None:
    """Write columns of one length as a data set.

    Parameters
    ----------
    folder : Path
    columns : mapping of sequences
    name : str
        Of the data set's folder within `folder`.

    Raises
    ------
    BadInput
        Without the package datasets.
    """
    datasets = _datasets()
    plain = {key: values.tolist() if isinstance(values, np.ndarray) else list(values) for key, values in columns.items()}
    datasets.Dataset.from_dict(plain).save_to_disk(folder / name)


def load(folder: Path, name: str = FOLDER) -> Dataset:
    """Return the data set that `save` wrote.

    Parameters
    ----------
    folder : Path
    name : str
        Of the folder within it.
    """
    return _datasets().load_from_disk(str(folder / name))


def pairs(dataset: Dataset) -> Preferences:
    """Return the preference pairs of a table with the columns context, chosen and rejected.

    Parameters
    ----------
    dataset : datasets.Dataset
    """
    return Preferences(tuple(dataset["context"]), tuple(dataset["chosen"]), tuple(dataset["rejected"]))


def columns(pairs: Preferences) -> dict[str, Sequence[object]]:
    """Return preference pairs as the columns of a table."""
    return {"context": pairs.contexts, "chosen": pairs.chosen, "rejected": pairs.rejected}


def joined(a: Preferences, b: Preferences) -> Preferences:
    """Return the pairs of a, then those of b."""
    return Preferences(a.contexts + b.contexts, a.chosen + b.chosen, a.rejected + b.rejected)


def _datasets() -> object:
    packages.require("datasets")
    import datasets

    datasets.disable_progress_bars()  # the pipeline says itself what it does
    return datasets
