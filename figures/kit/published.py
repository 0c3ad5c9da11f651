"""The values of the paper's figures, as data files with their source."""

from __future__ import annotations

import json
from importlib import resources


def published(name: str) -> dict:
    """figures/published/NAME.json: the values, under their keys, with `source` and `note`."""
    return json.loads(resources.files("synthmix.figures").joinpath("published", f"{name}.json").read_text())
