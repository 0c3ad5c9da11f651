"""hh-rlhf harmless-base: its pairs, and features of both responses of each."""

from __future__ import annotations

from ...data.sets import hh_rlhf
from ...data.tasks import Folder
from ...data.text import last_turn
from .base import FeatureTexts, LanguageData


def _turns(folder: Folder) -> list[tuple[str, str]]:
    pairs = hh_rlhf.load(folder)
    both = zip(pairs.contexts, pairs.chosen, pairs.rejected, strict=True)
    return [last_turn(context + response) for context, *responses in both for response in responses]


LANGUAGE = LanguageData(pairs={"hh_rlhf": hh_rlhf.load}, features=FeatureTexts("hh-rlhf-harmless-base-test", _turns, pairs=True))
