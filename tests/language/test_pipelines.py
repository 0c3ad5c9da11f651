"""The engine of the pipelines, their configurations and transforms, the reading of generated questions; both pipelines at toy size."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import numpy as np
import pytest

from synthmix import cli
from synthmix.data import dataset, status
from synthmix.data.text import Preferences
from synthmix.language import tuned_scores
from synthmix.language.models.tuning import NEEDED
from synthmix.language.pipeline import config, hub, manifest, preflight, rows, sources, transforms
from synthmix.language.pipeline.engine import Pipeline, Step, Work, generator, in_parts, run, statuses
from synthmix.language.pipeline.transforms import Counted
from synthmix.language.qa import configuration as qa
from synthmix.language.qa.questions import CATEGORIES, parse, request
from synthmix.language.safety import configuration as safety
from synthmix.language.safety import steps as safety_steps
from synthmix.solvers.problem import Verifier
from synthmix.support.cluster import cluster
from synthmix.support.errors import BadInput, Unwritable
from synthmix.support.typed import Between, Share, Some

# --- the engine: steps that write text files, and count how often they ran


@dataclass(frozen=True)
class Word:
    word: str


def say(work: Work, settings: Word) -> dict:
    before = "".join((folder / "text").read_text() for folder in work.inputs.values())
    (work.out / "text").write_text(before + settings.word)
    return {"letters": len(before + settings.word)}


def chain(*words: str) -> Pipeline:
    """say/1 <- say/2 <- .., each of which adds a word."""
    steps = [Step(f"say/{i}", say, Word(word), {"before": f"say/{i - 1}"} if i > 1 else {}) for i, word in enumerate(words, 1)]
    return Pipeline("words", tuple(steps))


def states(pipeline: Pipeline, out: Path) -> list[str]:
    return [one.state for one in statuses(pipeline, out)]


def test_a_pipeline_runs_once_and_then_only_what_has_changed(tmp_path: Path) -> None:
    told: list[str] = []
    assert states(chain("a", "b", "c"), tmp_path) == ["missing"] * 3
    done = run(chain("a", "b", "c"), tmp_path, tell=told.append)
    assert [one.state for one in done] == ["done"] * 3
    assert (tmp_path / "say/3/text").read_text() == "abc"
    assert done[2].record.counts == {"letters": 3}
    assert set(done[2].record.inputs) == {"before"}
    assert done[2].record.inputs["before"] == done[1].record.digest
    told.clear()
    run(chain("a", "b", "c"), tmp_path, tell=told.append)
    assert all("done before" in line for line in told)
    assert states(chain("a", "x", "c"), tmp_path) == ["done", "stale", "stale"]
    assert "word" in statuses(chain("a", "x", "c"), tmp_path)[1].why
    told.clear()
    run(chain("a", "x", "c"), tmp_path, tell=told.append)
    assert (tmp_path / "say/3/text").read_text() == "axc"
    assert sum("done before" in line for line in told) == 1


def test_a_step_runs_alone_if_what_it_reads_is_done(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="say/2 reads say/1, which is missing; run that first: --step say/1"):
        run(chain("a", "b"), tmp_path, "say/2")
    run(chain("a", "b"), tmp_path, "say/1")
    assert states(chain("a", "b"), tmp_path) == ["done", "missing"]
    run(chain("a", "b"), tmp_path, "say/2")
    assert states(chain("a", "b"), tmp_path) == ["done", "done"]
    with pytest.raises(BadInput, match="there is no step 'sing'; there are say"):
        run(chain("a"), tmp_path, "sing")


def test_an_input_that_was_made_anew_with_the_same_content_leaves_the_next_step_done(tmp_path: Path) -> None:
    run(chain("a", "b"), tmp_path)
    (tmp_path / "say/1" / manifest.FILE).unlink()
    assert states(chain("a", "b"), tmp_path) == ["stale", "stale"]
    run(chain("a", "b"), tmp_path, "say/1")
    assert states(chain("a", "b"), tmp_path) == ["done", "done"]


@pytest.mark.parametrize("damage", ["longer", "gone", "no JSON", "half a manifest"])
def test_a_damaged_folder_is_stale(tmp_path: Path, damage: str) -> None:
    run(chain("a"), tmp_path)
    folder = tmp_path / "say/1"
    if damage == "longer":
        (folder / "text").write_text("aa")
    elif damage == "gone":
        (folder / "text").unlink()
    else:
        (folder / manifest.FILE).write_text("{" if damage == "no JSON" else '{"step": "say/1"}')
    assert states(chain("a"), tmp_path) == ["stale"]
    run(chain("a"), tmp_path)
    assert (folder / "text").read_text() == "a"


def test_an_input_that_was_changed_without_changing_its_size_is_found_before_it_is_read(tmp_path: Path) -> None:
    run(chain("a", "b"), tmp_path, "say/1")
    (tmp_path / "say/1/text").write_text("z")
    with pytest.raises(BadInput, match=r"changed after it was written \(text\)"):
        run(chain("a", "b"), tmp_path, "say/2")


def test_an_interrupted_step_goes_on_with_its_parts_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    made: list[int] = []

    def broken(part: slice) -> list[int]:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(part.start)
        return list(range(10))[part]

    def count(make: Callable[[slice], list[int]]) -> Callable[[Work, object], dict]:
        def step(work: Work, settings: object) -> dict:
            values = in_parts(work.out, 10, 3, make)
            (work.out / "values").write_text(json.dumps(values))
            return {"sum": sum(values)}

        return step

    with pytest.raises(KeyboardInterrupt):
        run(Pipeline("", (Step("count", count(broken)),)), tmp_path)
    assert not (tmp_path / "count").exists()
    assert made == [0, 3]
    whole = Pipeline("", (Step("count", count(lambda part: made.append(part.start) or list(range(10))[part])),))
    assert run(whole, tmp_path)[0].record.counts == {"sum": 45}
    assert made == [0, 3, 6, 9]
    assert sorted(path.name for path in (tmp_path / "count").iterdir()) == [manifest.FILE, "values"]
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_what_an_interrupted_step_had_for_other_settings_is_not_used(tmp_path: Path) -> None:
    def step(work: Work, settings: Word) -> dict:
        values = in_parts(work.out, 1, 1, lambda part: [settings.word])
        if settings.word == "a":
            raise KeyboardInterrupt
        (work.out / "text").write_text(values[0])
        return {}

    with pytest.raises(KeyboardInterrupt):
        run(Pipeline("", (Step("one", step, Word("a")),)), tmp_path)
    run(Pipeline("", (Step("one", step, Word("b")),)), tmp_path)
    assert (tmp_path / "one/text").read_text() == "b"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def tree_of_words() -> Pipeline:
    """Two lines of three steps, and one that reads both ends."""
    lines = [Step(f"say/{line}{i}", say, Word(f"{line}{i}"), {"before": f"say/{line}{i - 1}"} if i > 1 else {})
             for line in "ab" for i in (1, 2, 3)]  # fmt: skip
    return Pipeline("words", (*lines, Step("both", say, Word("!"), {"a": "say/a3", "b": "say/b3"})))


def written(folder: Path) -> dict[str, bytes]:
    """The bytes of every file but the manifests, which hold seconds."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != manifest.FILE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("where", [None, "local:2"])
def test_steps_that_wait_for_nothing_run_together_and_write_the_same(tmp_path: Path, where: str | None) -> None:
    if where is not None:
        pytest.importorskip("distributed")
    run(tree_of_words(), tmp_path / "alone")
    told: list[str] = []
    with cluster(where):
        done = run(tree_of_words(), tmp_path / "together", jobs=2, tell=told.append)
    assert {one.state for one in done} == {"done"}
    assert written(tmp_path / "together") == written(tmp_path / "alone")
    assert (tmp_path / "together/both/text").read_text() == "a1a2a3b1b2b3!"
    assert [line.split()[1] for line in told if line.endswith("...")][:2] == ["say/a1", "say/b1"]


def test_steps_are_put_together_in_order() -> None:
    with pytest.raises(BadInput, match="reads later, which is no earlier step"):
        Pipeline("", (Step("now", say, Word(""), {"x": "later"}), Step("later", say, Word(""))))
    with pytest.raises(BadInput, match="two steps are called now"):
        Pipeline("", (Step("now", say, Word("")), Step("now", say, Word(""))))


# --- configuration files


@dataclass(frozen=True)
class Inner:
    share: Share
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    verifiers: Annotated[dict[str, Verifier], Some()]
    count: Annotated[int | None, Between(1)] = None
    rows: tuple[int, int] = (0, 1)
    on: bool = False


GOOD = "[inner]\nshare = 1\n[verifiers]\na = {rho = 0.5, phi = 1}\n"


def reading(tmp_path: Path, text: str) -> Outer:
    (tmp_path / "one.toml").write_text(text)
    return config.read(tmp_path / "one.toml", Outer)


def test_a_configuration_is_read_into_its_dataclasses(tmp_path: Path) -> None:
    assert reading(tmp_path, "count = 3\nrows = [1, 2]\non = true\n" + GOOD) == Outer(
        Inner(1.0), {"a": Verifier(0.5, 1.0)}, count=3, rows=(1, 2), on=True
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1\n" + GOOD, "there is no key colour; known there are inner, verifiers"),
        ("[inner]\nshare = 1\nshape = 2\n[verifiers]\na = {}\n", "there is no key inner.shape"),
        ("[verifiers]\na = {}\n", "inner is missing"),
        ("count = 0\n" + GOOD, "count must be at least 1, not 0"),
        ("count = 1.5\n" + GOOD, "count must be a whole number, not 1.5"),
        ("count = true\n" + GOOD, "count must be a whole number, not True"),
        ("on = 1\n" + GOOD, "on must be true or false, not 1"),
        ("rows = [1]\n" + GOOD, "rows must have 2 entries, not 1"),
        ("rows = 1\n" + GOOD, "rows must be a list, not 1"),
        ("inner = 1\n[verifiers]\na = {}", "inner must be a table, not 1"),
        ("[inner]\nshare = 1.1\n[verifiers]\na = {}\n", "inner.share must be at least 0 and at most 1, not 1.1"),
        ("[inner]\nshare = nan\n[verifiers]\na = {}\n", "inner.share must be a finite number"),
        ("[inner]\nshare = 1\nnames = [1]\n[verifiers]\na = {}\n", r"inner.names\[0\] must be a text, not 1"),
        ("[inner]\nshare = 1\n[verifiers]\n", "verifiers must not be empty"),
        ("[inner]\nshare = 1\n[verifiers]\na = {rho = 2}\n", "verifiers.a: rho must be at least 0 and at most 1, not 2"),
        ("[inner\n", "is not TOML"),
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    ],
)
def test_a_wrong_configuration_is_one_line_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        reading(tmp_path, text)
    assert "one.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_that_is_not_there_names_the_packaged_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*nothing.*safety-paper.*safety-toy"):
        config.read(tmp_path / "nothing", Outer)


# --- label noise and pruning


def pairs(n: int) -> Preferences:
    return Preferences(*(tuple(f"{part}{i}" for i in range(n)) for part in ("context", "good", "bad")))


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5, 1.0])
def test_labels_are_swapped_at_the_stated_rate(epsilon: float) -> None:
    before = pairs(4000)
    after, wrong = transforms.swap(before, epsilon, generator(1, "swap"))
    assert Counted.of_hits(wrong, epsilon).holds
    assert not Counted.of_hits(wrong, abs(epsilon - 0.05)).holds
    assert after.contexts == before.contexts
    for i in range(200):
        expected = (before.rejected[i], before.chosen[i]) if wrong[i] else (before.chosen[i], before.rejected[i])
        assert (after.chosen[i], after.rejected[i]) == expected


@pytest.mark.parametrize("verifier", [Verifier(0.2, 0.9), Verifier(0.5, 0.5), Verifier(0, 1), Verifier(1, 1)])
def test_pruning_keeps_wrong_and_right_labels_at_rho_and_phi(verifier: Verifier) -> None:
    wrong = generator(2, "wrong").random(8000) < 0.3
    keep = transforms.prune(wrong, verifier, generator(2, "prune"))
    counts = transforms.pruned_counts(wrong, keep, verifier)
    assert counts["kept of the wrong"].holds
    assert counts["kept of the right"].holds
    assert counts["kept"] == counts["kept of the wrong"].count + counts["kept of the right"].count == keep.sum()
    assert counts["alpha"] == pytest.approx(verifier.alpha(0.3), abs=0.03)


def test_the_check_of_a_rate_fails_for_a_wrong_one_and_knows_nothing_without_samples() -> None:
    hits = np.arange(1000) % 10 == 0
    assert Counted.of_hits(hits, 0.1).holds
    assert not Counted.of_hits(hits, 0.2).holds
    assert Counted.of_hits(np.array([], dtype=bool), 0.7).holds


def test_a_larger_epsilon_swaps_what_a_smaller_one_does() -> None:
    small, large = (transforms.swap(pairs(500), epsilon, generator(3, "swap"))[1] for epsilon in (0.1, 0.5))
    assert not (small & ~large).any()


# --- generated questions


WHOLE = "[Question]\nHow?\n[Safe Answer]\nNot so.\n[Unsafe Answer]\nSo."


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "Sure, here it is:\n\n" + WHOLE,
        "[Question]\r\nHow?\r\n[Answer Safe]\r\nNot so.\r\n[Answer Unsafe]\r\nSo.",
        "**[QUESTION]** How?\n\n**[Safe answer]:** Not so.\n\n**[Unsafe answer]:** So.",
        "### Question\nHow?\n### Safe Answer\nNot so.\n### Unsafe Answer\nSo.",
        "1. **Question:** How?\n2. **Safe Answer:** Not so.\n3. **Unsafe Answer:** So.",
        "Question: How?\nUnsafe: So.\nSafe: Not so.",
        "Question: How?\nAnswer (safe): Not so.\nAnswer (unsafe): So.",
        "[Question] How? [Safe Answer] Not so. [Unsafe Answer] So.",
        '```\n[Question]\n"How?"\n[Safe Answer]\nNot so.\n[Unsafe Answer]\nSo.\n```',
    ],
)
def test_a_question_is_read_however_its_parts_are_headed(text: str) -> None:
    whole, faults = parse(text)
    assert [(one.question, one.safe, one.unsafe) for one in whole] == [("How?", "Not so.", "So.")]
    assert faults == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no headings"),
        ("I can't help with that.", "no headings"),
        ("Is it safe? It is unsafe, and that is the question.", "no headings"),
        ("[Question]\nHow?", "no safe answer"),
        ("[Question]\nHow?\n[Safe Answer]\nNot so.", "no unsafe answer"),
        ("[Safe Answer]\nNot so.\n[Unsafe Answer]\nSo.", "no question"),
        ("[Question]\n\n[Safe Answer]\nNot so.\n[Unsafe Answer]\nSo.", "empty question"),
        ("[Question]\nHow?\n[Safe Answer]\n---\n[Unsafe Answer]\nSo.", "empty safe answer"),
        ("[Question]\nHow?\n[Safe Answer]\nSame.\n[Unsafe Answer]\nSame.", "both answers are the same"),
        (request("Drugs"), "question is the form's"),
    ],
)
def test_what_is_wrong_with_a_question_that_is_not_whole_is_said(text: str, fault: str) -> None:
    assert parse(text) == ([], [fault])


def test_of_several_questions_in_a_text_the_whole_ones_are_taken() -> None:
    whole, faults = parse(f"{WHOLE}\n\n[Question]\nWhy?\n[Safe Answer]\nNo.\n\n{WHOLE.replace('How', 'When')}")
    assert [one.question for one in whole] == ["How?", "When?"]
    assert faults == ["no unsafe answer"]


def test_an_answer_keeps_its_lines_and_its_talk_of_safety() -> None:
    text = "[Question]\nHow?\n[Safe Answer]\nIt is not safe.\n\n1. Ask.\nUnsafe things happen.\n[Unsafe Answer]\n**So** it is **done"
    (one,), _ = parse(text)
    assert one.safe == "It is not safe.\n\n1. Ask.\nUnsafe things happen."
    assert one.unsafe == "**So** it is **done"


def test_there_are_seventeen_categories_of_harm() -> None:
    assert len(set(CATEGORIES)) == 17
    assert all(f"'{name}'" in request(name) for name in CATEGORIES)


@pytest.mark.parametrize("noise", range(200))
def test_no_text_breaks_the_parser(noise: int) -> None:
    rng = np.random.default_rng(noise)
    headings = ["[Question]", "[Safe Answer]", "[Unsafe Answer]", "Safe:", "Answer (unsafe)", "unsafe"]
    bits = [*headings, "**", "\n", "#", " text ", "[", "]", '"', "1."]
    text = "".join(rng.choice(bits, size=rng.integers(1, 40)))
    whole, faults = parse(text)
    assert whole or faults
    assert all(one.question and one.safe and one.unsafe for one in whole)


# --- both pipelines, at toy size, by the code that a cluster would run


def packaged(name: str, kind: type) -> object:
    return config.read(name, kind)


def test_every_packaged_configuration_is_one() -> None:
    for name in config.packaged():
        module = safety if name.startswith("safety") else qa
        settings = packaged(name, module.Safety if module is safety else module.QA)
        assert "score" in module.pipeline(settings).kinds
    assert {"safety-toy", "safety-lora", "safety-paper", "qa-toy", "qa-lora", "qa-paper"} <= set(config.packaged())


def test_the_published_settings_are_in_the_configurations() -> None:
    falcon = packaged("safety-paper", safety.Safety)
    tuning = falcon.tuning
    assert (falcon.model, falcon.judge) == ("tiiuae/falcon-11B", "meta-llama/Llama-Guard-3-8B")
    assert (tuning.lora_rank, tuning.beta, tuning.learning_rate, tuning.max_length, tuning.epochs) == (128, 0.01, 5e-6, 1024, 1)
    assert (tuning.batch * tuning.accumulate, tuning.quantize, tuning.max_steps) == (16, True, None)
    assert (falcon.sampling.max_new_tokens, falcon.sampling.temperature, falcon.prompts) == (70, 1.0, None)
    assert (falcon.real.rows, falcon.splits, falcon.hub.push) == ((0, 5000), 5, False)
    assert len(falcon.points) == 1 + 2 * 2 * 5
    asked = packaged("qa-paper", qa.QA)
    assert asked.grid.models == ("google/gemma-2-2b-it", "meta-llama/Llama-3.1-8B-Instruct")
    assert [name.partition("/")[0] for name in asked.labellers] == ["mistralai", "Qwen"]
    assert {one.guard for one in asked.grid.verifiers.values()} == {"meta-llama/Llama-Guard-3-8B"}
    assert len(asked.questions.categories) == 17


def test_parts_of_one_data_set_must_not_overlap() -> None:
    settings = packaged("safety-toy", safety.Safety)
    with pytest.raises(BadInput, match=r"real\.rows and synthetic\.rows share rows of hh_rlhf"):
        replace(settings, synthetic=replace(settings.synthetic, rows=(5, 20)))
    with pytest.raises(BadInput, match=r"grid.k goes up to 6"):
        replace(settings, grid=replace(settings.grid, k=(6,)))


def test_recorded_labels_need_answers_that_have_them() -> None:
    settings = packaged("qa-toy", qa.QA)
    with pytest.raises(BadInput, match="recorded:gpt4 needs answers with recorded labels"):
        replace(settings, labellers=("recorded:gpt4",))


def test_held_out_answers_are_of_prompts_that_are_in_no_training_data() -> None:
    needs("xstest")
    parts = [sources.AnswerPart("xstest", rows) for rows in ((0, 203), (203, 1451), (1451, 2250))]
    real, synthetic, held_out = (sources.answers(part, 0, None) for part in parts)
    kept = held_out.take(sources.outside(held_out.prompts, real.prompts + synthetic.prompts))
    assert not set(kept.prompts) & {*real.prompts, *synthetic.prompts}
    assert len(held_out.prompts) - len(kept.prompts) < 5  # the prompt at the edge of the range
    assert np.mean([a != b for a, b in zip(real.truth, real.recorded["strmatch"], strict=True)]) == pytest.approx(0.12, abs=0.06)


def test_held_out_pairs_share_no_context_with_real_or_synthetic_ones(tmp_path: Path) -> None:
    needs("hh_rlhf")
    pytest.importorskip("datasets")
    settings = packaged("safety-lora", safety.Safety)
    run(safety.pipeline(settings), tmp_path, "prepare")
    run(safety.pipeline(settings), tmp_path, "split")
    trained = {*rows.load(tmp_path / "prepare")["context"], *rows.load(tmp_path / "split")["context"]}
    held_out = rows.load(tmp_path / "prepare", safety_steps.HELD_OUT)["context"]
    assert not trained & set(held_out)
    assert len(held_out) > 390


def test_prompts_are_taken_evenly_from_the_categories() -> None:
    needs("alert")
    some = sources.prompts(70, 0, None)
    counts = np.unique(some.categories, return_counts=True)[1]
    assert (len(some), len(counts), counts.min(), counts.max()) == (70, 32, 2, 3)
    assert some.prompts == sources.prompts(70, 0, None).prompts != sources.prompts(70, 1, None).prompts


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the steps; nothing is looked up on the hub."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "out"


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["cli.py", "llm", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def needs(*data_sets: str) -> None:
    """Skip without these data sets."""
    for name in data_sets:
        if status(dataset(name)).missing:
            pytest.skip(f"the data set {name} is not on this machine")


def needs_models() -> None:
    """Skip without the packages, the small model and the data of the toy configurations."""
    for module in (*NEEDED, "gguf"):
        pytest.importorskip(module)
    needs("smollm2", "hh_rlhf", "alert", "xstest")


def test_the_safety_pipeline_runs_end_to_end_at_toy_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path
) -> None:
    needs_models()
    told: list[str] = []
    scores = tuned_scores.safety_scores("toy", own, tell=told.append)
    assert not any("done before" in line for line in told)
    assert [(one.epsilon, one.verifier, one.proportion) for one in scores.points] == [(None, None, 0.0), (0.5, "strong", 0.5)]
    assert all(0 <= share.low <= share.value <= share.high <= 1 for one in scores.points for share in (one.accuracy, one.score))
    assert 0 < scores.judge.count < scores.judge.total
    run_it = ("safety", "--config", "safety-toy", "--out", str(scores.folder))
    code, printed, said = command(monkeypatch, capsys, *run_it, "--json")
    assert code == 0
    counts = json.loads(printed)["counts"]
    assert said.count("done before") == len(counts) - 1  # all that was done; the picture is new
    assert counts["swap/epsilon0.5"]["swapped"]["holds"]
    pruned = counts["prune/epsilon0.5-strong"]
    assert all(pruned[name]["holds"] for name in ("kept of the wrong", "kept of the right", "alpha against alpha(epsilon)"))
    mixed = counts["accumulate/epsilon0.5-strong-k2"]
    assert (mixed["n"], mixed["m"], mixed["proportion"]) == (12, 12, 0.5)
    assert mixed["kept"] == scores.points[1].kept
    assert counts["tune/real"]["steps"] == 2
    assert (scores.folder / "draw/scores.png").stat().st_size > 10_000
    code, printed, _ = command(monkeypatch, capsys, *run_it, "--list", "--json")
    assert {one["state"] for one in json.loads(printed)["steps"]} == {"done"}
    (scores.folder / "judge/real" / manifest.FILE).unlink()
    code, printed, _ = command(monkeypatch, capsys, *run_it, "--list", "--json")
    assert {one["step"] for one in json.loads(printed)["steps"] if one["state"] == "stale"} == {"judge/real", "score", "draw"}


def test_the_qa_pipeline_runs_end_to_end_at_toy_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path
) -> None:
    needs_models()
    scores = tuned_scores.qa_scores("toy", own)
    assert [(one.model, one.verifier) for one in scores.points] == [("smollm2-135m", None), ("smollm2-135m", "oracle")]
    code, printed, _ = command(monkeypatch, capsys, "qa", "--config", "qa-toy", "--out", str(scores.folder), "--json")
    assert code == 0
    counts = json.loads(printed)["counts"]
    questions = counts["questions"]
    assert questions["texts written"] == 2
    assert questions["questions from texts"] + sum(questions["left out"].values()) >= 2
    assert questions["answers from xstest"] == 12
    assert counts["assign"]["answers"] == counts["combine"]["answers"] == questions["questions from texts"] + 12
    assert sum(counts[f"label/{i}-smollm2-135m"]["labelled"] for i in (1, 2)) == counts["combine"]["answers"]
    chosen = counts["select/oracle"]
    assert chosen["kept"] == chosen["agree"] == chosen["kept where they agree"]["count"]
    assert chosen["kept where they differ"]["count"] == 0
    measured = counts["evaluate/smollm2-135m-real"]
    assert measured["right"] / measured["answers"] == pytest.approx(measured["weighted recall"])
    assert scores.points[0].accuracy.value == measured["right"] / measured["answers"]
    assert (scores.folder / "draw/scores.png").exists()


def test_without_the_packages_one_line_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path
) -> None:
    needs("hh_rlhf")
    for name in ("torch", "transformers", "datasets", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    code, _, told = command(monkeypatch, capsys, "safety", "--config", "safety-toy", "--out", str(own))
    assert code == 2
    assert "pip install '.[language]'" in told.splitlines()[-1]
    code, printed, _ = command(monkeypatch, capsys, "safety", "--config", "safety-toy", "--out", str(own), "--dry-run")
    assert code == 0
    assert "torch" in printed.splitlines()[-1]


def test_a_dry_run_names_what_is_missing_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path
) -> None:
    for name, kind in (("safety", "safety-paper"), ("qa", "qa-paper")):
        code, printed, _ = command(monkeypatch, capsys, name, "--config", kind, "--out", str(own), "--dry-run", "--json")
        found = json.loads(printed)
        assert code == 0
        assert not found["ready"]
        missing = {one["name"]: one["note"] for one in found["needs"] if not one["ready"]}
        assert "meta-llama/Llama-Guard-3-8B" in missing
        assert {one["state"] for one in found["steps"]} == {"missing"}
        code, printed, _ = command(monkeypatch, capsys, name, "--config", kind, "--out", str(own), "--dry-run")
        assert code == 0
        assert "not ready, missing: " in printed
        assert "meta-llama/Llama-Guard-3-8B" in printed
    assert not own.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--config", "nothing"), "cannot read nothing"),
        (("--config", "qa-toy"), "there is no key labellers"),
        (("--config", "safety-toy", "--step", "sing"), "there is no step 'sing'; there are prepare, split"),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, _, told = command(monkeypatch, capsys, "safety", *arguments, "--out", str(own))
    assert code == 2
    assert said in told
    assert told.count("\n") == 1


def test_an_interrupted_command_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own: Path
) -> None:
    def stopped(work: Work, settings: object) -> dict:
        raise KeyboardInterrupt

    monkeypatch.setattr(safety, "pipeline", lambda settings: Pipeline("", (Step("score", stopped),)))
    code, _, told = command(monkeypatch, capsys, "safety", "--config", "safety-toy", "--out", str(own))
    assert code == 130
    assert "interrupted; the same command goes on where it stopped" in told


@pytest.mark.parametrize("error, raised", [(BadInput("no"), BadInput), (OSError(28, "No space left on device"), Unwritable)])
def test_a_step_that_fails_leaves_no_empty_folder(error: Exception, raised: type[Exception], tmp_path: Path) -> None:
    def fails(work: Work, settings: object) -> dict:
        raise error

    with pytest.raises(raised):
        run(Pipeline("", (Step("tune/one", fails),)), tmp_path / "out" / "deep")
    assert not list(tmp_path.iterdir())


def test_a_study_takes_the_points_nearest_to_the_proportions() -> None:
    there = {0: 0.0, 1: 0.44, 2: 0.62}
    assert tuned_scores._nearest(there, None) == (0, 1, 2)
    assert tuned_scores._nearest(there, [0.6, 0.0]) == (0, 2)
    with pytest.raises(BadInput, match=r"no proportion near 0.9 at this scale; there are 0.00, 0.44, 0.62"):
        tuned_scores._nearest(there, [0.9])


def test_pushing_is_off_by_default_and_uploads_adapter_and_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    assert "push" not in safety.pipeline(packaged("safety-toy", safety.Safety)).kinds
    with pytest.raises(BadInput, match="repository must be OWNER/NAME"):
        hub.Hub(push=True, repository="mine")
    sent = []

    class Api:
        def create_repo(self, name: str, **options: object) -> None:
            sent.append((name, options["repo_type"], options["private"]))

        def upload_folder(self, **options: object) -> str:
            return f"commit of {options['folder_path']}"

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    settings = replace(packaged("safety-toy", safety.Safety), hub=hub.Hub(True, "me/falcon"))
    (step,) = [one for one in safety.pipeline(settings).steps if one.name == "push/real"]
    counts = step.run(Work(tmp_path, {"adapter": tmp_path / "tune", "pairs": tmp_path / "pairs"}), step.settings)
    assert sent == [("me/falcon-real", "model", True), ("me/falcon-real-pairs", "dataset", True)]
    assert counts["commits"]["adapter"] == f"commit of {tmp_path / 'tune' / 'adapter'}"


@pytest.mark.parametrize("name, code", [("power:1", 0), ("a/b/c", 0), ("~nobody_here/x", 2), ("x" * 400, 2)])
def test_a_dry_run_with_the_name_of_no_model_is_no_traceback(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("huggingface_hub")
    file = tmp_path / "safety.toml"
    file.write_text((config.PACKAGED / "safety-toy.toml").read_text().replace('"smollm2-135m"', f'"{name}"'))
    found, printed, told = command(monkeypatch, capsys, "safety", "--config", str(file), "--dry-run", "--out", str(tmp_path / "out"))
    assert found == code and (f"not ready, missing: {name}" in printed if code == 0 else len(told.strip().splitlines()) == 1)


def test_a_dry_run_tells_what_the_hub_has_and_who_may_have_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    errors = pytest.importorskip("huggingface_hub.errors")

    class Api:
        def model_info(self, name: str, **options: object) -> SimpleNamespace:
            if name == "no/such":
                raise refused(errors.RepositoryNotFoundError)
            files = [SimpleNamespace(rfilename="a.safetensors", size=3_000_000_000), SimpleNamespace(rfilename="a.bin", size=1)]
            return SimpleNamespace(siblings=files, gated="manual" if name == "behind/gate" else False)

        def auth_check(self, name: str) -> None:
            raise refused(errors.GatedRepoError)

        def dataset_info(self, name: str, **options: object) -> None:
            assert name == "PKU-Alignment/PKU-SafeRLHF"

    def refused(kind: type[Exception]) -> Exception:
        return kind.__new__(kind)  # what else they are made with differs between versions

    monkeypatch.setattr(preflight, "reachable", lambda: True)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    (tmp_path / "model").mkdir()
    wanted = preflight.Uses(
        (("tune", "open/one"), ("label", "open/one"), ("tune", "behind/gate"), ("tune", "no/such"), ("tune", str(tmp_path / "model"))),
        (("judge", "refusal"),), (("split", "safe_rlhf/train"),),
    )  # fmt: skip
    found = {one.name: one for one in preflight.check(wanted, preflight.Needs(disk=1e9), False, tmp_path / "out", tmp_path)}
    assert (found["open/one"].ready, found["open/one"].use, found["open/one"].note) == (True, "tune, label", "on the hub, 3 GB to download")
    assert not found["behind/gate"].ready
    assert "gated" in found["behind/gate"].note
    assert "not on the hub" in found["no/such"].note
    assert found[str(tmp_path / "model")].note == "a local folder without config.json"
    assert {"smollm2-135m", "xstest"} <= set(found)  # what the local judge is made of
    assert found["safe_rlhf"].note in ("on the hub, PKU-Alignment/PKU-SafeRLHF", str(tmp_path))
    assert not found["disk of 1e+09 GB"].ready
