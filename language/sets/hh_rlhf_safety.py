"""hh-rlhf-safety: the pairs of its two parts."""

from __future__ import annotations

from functools import partial

from ...data.sets import hh_rlhf_safety
from .base import LanguageData

LANGUAGE = LanguageData(pairs={f"hh_rlhf_safety/{part}": partial(hh_rlhf_safety.load, part) for part in hh_rlhf_safety.FILES})
