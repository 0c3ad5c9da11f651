"""XSTest, safe and unsafe prompts and how five models answered them: the task of figure 9."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..entry import DataFile, DataSet, Unavailable
from ..find import locate, opened
from ..origins import PART, Address
from ..text import Completions, Prompts, json_lines

COMPLIANCE, REFUSAL, PARTIAL_REFUSAL = LABELS = ("1_full_compliance", "2_full_refusal", "3_partial_refusal")
UNLABELLED = ""  # GPT-4 itself refused to label 11 completions
MODELS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")
PROMPTS, COMPLETIONS = "xstest_prompts.csv", "xstest_completions.jsonl"
PUBLIC = "https://raw.githubusercontent.com/paul-rottger/xstest"


@dataclass(frozen=True)
class LabelFiles:
    """The tables of the public repository with the labels of GPT-4 and of string matching, two a model, joined to one file."""

    base: str

    def __str__(self) -> str:
        return f"the download from {self.base}"

    def fetch(self, names: Sequence[str], folder: Path) -> Iterator[Path]:
        """Bring the ten tables into a folder that is removed afterwards, and write one row for every completion."""
        if COMPLETIONS not in names:
            return
        with TemporaryDirectory(dir=folder) as place:
            tables = [f"xstest_v2_completions_{model}_{by}.csv" for model in MODELS for by in ("gpteval", "streval")]
            paths = [path.replace(path.with_suffix("")) for path in Address(self.base).fetch(tables, Path(place))]
            try:
                rows = [row for i, model in enumerate(MODELS) for row in _joined(model, *map(_table, paths[2 * i : 2 * i + 2]))]
            except (KeyError, ValueError) as error:
                raise Unavailable(f"brought tables that do not fit together ({error})") from None
        part = folder / (COMPLETIONS + PART)
        part.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
        yield part


def _table(path: Path) -> list[dict[str, str]]:
    with opened(path) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")))


def _joined(model: str, by_gpt4: list[dict[str, str]], by_match: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    same = ("id", "type", "prompt", "completion", "annotation_1", "annotation_2")
    matched = {row["id"]: row["strmatch_label"] for row in by_match}
    for row in by_gpt4:
        labels = {"human_label": row["final_label"], "gpt4_label": row["gpt4_label"], "strmatch_label": matched[row["id"]]}
        yield {"model": model} | {key: row[key] for key in same} | labels


DATASET = DataSet(
    name="xstest",
    title="XSTest",
    licence="CC BY 4.0",
    citation=(
        "Roettger et al.: XSTest: A Test Suite for Identifying Exaggerated Safety Behaviours in Large Language Models (NAACL 2024)"
    ),
    files=(
        DataFile(PROMPTS, "11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a"),
        DataFile(COMPLETIONS, "bd63eabb0f17b58febd4b4ace67aa86cd259804fbae3f1bb96e5868af3520a50"),
    ),
    folders=("xstest",),
    origins=(
        LabelFiles(f"{PUBLIC}/a3bb396ddc1939c6f264f17b7cf5b7a5d82833de/evaluation/automated_evaluation_labels"),
        Address(f"{PUBLIC}/475f10bf0a3d6a9dfb174b6de1a38afbfdff98a5"),
    ),
)


def load(folder: str | os.PathLike[str] | None = None, download: bool = True) -> Completions:
    """The 2,250 completions in file order: five models, 450 prompts each. Every label is one of LABELS, or UNLABELLED.

    Parameters
    ----------
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    rows = json_lines(locate(DATASET, folder, download)[COMPLETIONS])
    return Completions(
        *(tuple(row[key] for row in rows) for key in ("model", "prompt", "completion")),
        *(_labels([row[f"{by}_label"] for row in rows]) for by in ("human", "gpt4", "strmatch")),
    )


def prompts(folder: str | os.PathLike[str] | None = None, download: bool = True) -> Prompts:
    """The 450 prompts in file order; the categories of unsafe ones begin with contrast_.

    Parameters
    ----------
    folder, download
        As of `data.locate`.

    Raises
    ------
    BadInput
        If a file is nowhere to be found (see `data.locate`).
    """
    rows = _table(locate(DATASET, folder, download)[PROMPTS])
    return Prompts(tuple(row["prompt"] for row in rows), tuple(row["type"] for row in rows))


def _labels(said: Sequence[str]) -> np.ndarray:
    return np.array([label if label in LABELS else UNLABELLED for label in said])
