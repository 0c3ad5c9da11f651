"""Language models by name and their hidden states: right rows, right tokens, kept, resumed, and trusted only once checked.

A tiny model with random weights stands in for a real one. The last tests need the small model and the real files.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from synthmix import data
from synthmix.data.sets import hh_rlhf, smollm2, xstest
from synthmix.data.text import Completions, Preferences
from synthmix.language import sets
from synthmix.language.models import features, packages
from synthmix.language.models import load as models
from synthmix.language.models.features import FeatureSettings, NotChecked
from synthmix.support.errors import BadInput

LETTERS = "abcdefghijklmnopqrstuvwxyz .:\n"
SHORT = FeatureSettings(layer=2, max_response=5, max_length=12)
ROWS = [("what is it", "a b"), ("", "no"), ("x" * 30, "y" * 30), ("tell me more", ""), ("why", "the end."), ("so", " ")] * 3
CONTEXTS, RESPONSES = zip(*ROWS, strict=True)
OWN = data.own_folder(None)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model of three layers and random weights, whose tokens are letters."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    import torch
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    letters = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate("?" + LETTERS)}, unk_token="?"))
    letters.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    folder = tmp_path_factory.mktemp("tiny")
    transformers.PreTrainedTokenizerFast(tokenizer_object=letters, unk_token="?", eos_token="?").save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(LETTERS) + 1, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        initializer_range=0.5,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The features in the user's cache, which is empty; the environment variable is not set."""
    monkeypatch.delenv(data.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / data.CACHE_NAME / features.FOLDER


def kept(cache: Path) -> Path:
    (path,) = cache.glob("*.npy")
    return path


def test_data_sets_of_texts_are_data_sets_and_have_names_of_their_own() -> None:
    registered = sets.language_data()
    assert set(registered) <= set(data.names())
    for loaders in (sets.pair_loaders(), sets.answer_loaders()):
        assert loaders and all(name.partition("/")[0] in registered for name in loaders)


def refusal(call, *arguments: object, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        call(*arguments, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


# --- models


@pytest.mark.parametrize("absent", ["torch", "transformers"])
def test_without_its_packages_everything_is_one_line_that_names_the_extra(absent, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, absent, None)
    for call in (lambda: models.load(models.SMALL), lambda: features.extract("any", ["a"], ["b"])):
        line = refusal(call)
        assert absent in line and "pip install '.[language]'" in line
    assert packages.missing(absent, "numpy") == (absent,)


def test_a_model_that_is_not_there_is_one_line(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "reachable", lambda: False)
    assert "the hub cannot be reached" in refusal(models.load, "nobody/nothing")
    assert "there is no model 'no such name'" in refusal(models.load, "no such name")
    assert "holds no config.json" in refusal(models.load, str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "of the future"}')
    assert str(tmp_path) in refusal(models.load, str(tmp_path))
    assert "holds no adapter_config.json" in refusal(models.load, tiny, adapter=tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    assert f"cannot load the adapter in {tmp_path}" in refusal(models.load, tiny, adapter=tmp_path)
    assert "there is no device 'moon'" in refusal(models.load, tiny, device="moon")


def test_four_bits_need_a_gpu(tiny):
    assert "needs a CUDA device" in refusal(models.load, tiny, device="cpu", quantize=True)


def test_a_small_model_that_cannot_be_had_is_one_line(tiny, monkeypatch):
    monkeypatch.setattr(smollm2, "DATASET", data.DataSet("smollm2", "Small", "", "", smollm2.DATASET.files, ("smollm2",)))
    assert "Small: SmolLM2-135M-Instruct.Q4_1.gguf not found" in refusal(models.load, models.SMALL)


def test_a_local_model_is_ready_to_use(tiny, tmp_path):
    loaded = models.load(tiny, device="cpu")
    assert loaded.device == "cpu" and not loaded.model.training
    assert loaded.tokenizer.pad_token is not None
    assert {str(weights.dtype) for weights in loaded.model.parameters()} == {"torch.float32"}
    peft = pytest.importorskip("peft", reason="peft is not installed")
    peft.get_peft_model(loaded.model, peft.LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path)
    adapted = models.load(tiny, device="cpu", adapter=tmp_path)
    assert isinstance(adapted.model, peft.PeftModel) and not adapted.model.training


# --- tokens and pooling


def test_contexts_lose_their_beginning_and_responses_their_end(tiny):
    loaded = models.load(tiny)
    code = {letter: i + 1 for i, letter in enumerate(LETTERS)}
    assert features.tokenised(loaded, "abc", "de", SHORT) == ([code[c] for c in "abcde"], 2)
    assert features.tokenised(loaded, "abcdefghijk", "vwxyz..", SHORT) == ([code[c] for c in "efghijkvwxyz"], 5)
    assert features.tokenised(loaded, "ab", "", SHORT) == ([code["a"], code["b"], features.EMPTY], 1)
    full = FeatureSettings(layer=1, max_response=3, max_length=3)
    assert features.tokenised(loaded, "abc", "defg", full) == ([code[c] for c in "def"], 3)


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_pooling_is_the_mean_over_the_response_or_its_last_token(layer, tiny):
    import torch

    loaded = models.load(tiny)
    tokens = features.tokenised(loaded, "what is it", "a bc", FeatureSettings(layer))
    with torch.no_grad():
        states = loaded.model(torch.tensor([tokens[0]]), output_hidden_states=True).hidden_states[layer][0, -4:].numpy()
    mean, last = (features.pooled(loaded, [tokens], FeatureSettings(layer, pooling))[0] for pooling in ("mean", "last"))
    np.testing.assert_allclose(mean, states.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, states[-1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_batch_gives_what_every_row_gives_alone(pooling, layer, tiny, cache):
    settings = FeatureSettings(layer, pooling, 5, 12)
    loaded = models.load(tiny)
    together = features.extract(tiny, CONTEXTS, RESPONSES, settings, batch=7).values
    alone = [features.pooled(loaded, [features.tokenised(loaded, *row, settings)], settings)[0] for row in ROWS]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
    assert together.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"layer": -1}, "layer"), ({"max_response": 0}, "max_response"), ({"max_length": 50}, "max_length"), ({"pooling": "max"}, "pooling")],
)
def test_settings_are_checked(settings, says):
    assert says in refusal(FeatureSettings, **settings)


def test_a_layer_too_many_or_rows_too_few_are_one_line(tiny):
    assert "layer must be at least 0 and at most 3, not 4" in refusal(features.extract, tiny, ["a"], ["b"], FeatureSettings(4))
    assert "not 1 and 2" in refusal(features.extract, tiny, ["a"], ["b", "c"])
    assert "not 0 and 0" in refusal(features.extract, tiny, [], [])


# --- the cache


def test_what_was_computed_is_not_computed_again(tiny, cache, monkeypatch):
    first = features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    assert first.check == "computed here" and first.path == kept(cache)
    assert not list(cache.glob("*.parts"))
    monkeypatch.setattr(models, "load", lambda *_, **__: pytest.fail("loaded"))
    again = features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    assert again.check == "checked before"
    np.testing.assert_array_equal(again.values, first.values)


def test_another_model_other_texts_and_other_settings_are_other_files(tiny, cache, tmp_path):
    features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    features.extract(tiny, CONTEXTS, RESPONSES[::-1], SHORT)
    features.extract(tiny, CONTEXTS, RESPONSES, FeatureSettings(2, "last", 5, 12))
    twin = tmp_path / Path(tiny).name
    twin.mkdir()
    for file in Path(tiny).iterdir():
        (twin / file.name).write_bytes(file.read_bytes())
    features.extract(str(twin), CONTEXTS, RESPONSES, SHORT)
    assert len(list(cache.glob("*.npy"))) == 4


def test_what_was_interrupted_goes_on_with_the_same_numbers(tiny, cache, monkeypatch, tmp_path):
    monkeypatch.setattr(features, "PART", 4)
    pooled, computed = features.pooled, []

    def interrupted(model, tokens, settings):
        if len(computed) == 3:
            raise KeyboardInterrupt
        computed.append(len(tokens))
        return pooled(model, tokens, settings)

    whole = features.extract(tiny, CONTEXTS, RESPONSES, SHORT, tmp_path / "elsewhere", batch=2).values
    monkeypatch.setattr(features, "pooled", interrupted)
    with pytest.raises(KeyboardInterrupt):
        features.extract(tiny, CONTEXTS, RESPONSES, SHORT, batch=2)
    (parts,) = cache.glob("*.parts")
    assert [part.name for part in parts.iterdir()] == ["0.npy"] and not list(cache.glob("*.npy"))
    monkeypatch.setattr(features, "pooled", lambda *row: computed.append(len(row[1])) or pooled(*row))
    resumed = features.extract(tiny, CONTEXTS, RESPONSES, SHORT, batch=2).values
    np.testing.assert_array_equal(resumed, whole)
    assert sum(computed) == len(ROWS) + 2, "only the two rows that were not saved are computed twice"
    assert not parts.exists()


def tampered(path: Path, change) -> None:
    values = np.load(path)
    np.save(path, change(values))


@pytest.mark.parametrize(
    "change",
    [lambda x: x * 1.02, lambda x: x[::-1], lambda x: np.where(x == x[5, 5], np.nan, x), lambda x: x[1:], lambda x: x[:, :8],
     lambda x: x[0, 0]],
    ids=["scaled", "reversed", "nan", "shorter", "narrower", "a number"],
)
def test_a_cached_file_with_something_else_is_named_and_never_used(change, tiny, cache):
    first = features.extract(tiny, CONTEXTS, RESPONSES, SHORT).values
    tampered(kept(cache), change)
    line = refusal(features.extract, tiny, CONTEXTS, RESPONSES, SHORT)
    assert str(kept(cache)) in line and "it is not used; remove it" in line
    kept(cache).unlink()
    np.testing.assert_array_equal(features.extract(tiny, CONTEXTS, RESPONSES, SHORT).values, first)


def test_a_truncated_file_is_named(tiny, cache):
    features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    kept(cache).write_bytes(kept(cache).read_bytes()[:-9])
    assert str(kept(cache)) in refusal(features.extract, tiny, CONTEXTS, RESPONSES, SHORT)


def test_a_file_from_elsewhere_is_checked_once(tiny, cache, monkeypatch):
    features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    tampered(kept(cache), lambda x: x.astype(np.float16))
    assert features.extract(tiny, CONTEXTS, RESPONSES, SHORT).check.startswith("4 rows computed again, at most 0.0")
    monkeypatch.setattr(models, "load", lambda *_, **__: pytest.fail("loaded"))
    assert features.extract(tiny, CONTEXTS, RESPONSES, SHORT).check == "checked before"


def test_what_cannot_be_checked_says_so(tiny, cache, monkeypatch):
    features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    tampered(kept(cache), lambda x: x.astype(np.float16))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.warns(NotChecked, match="was not checked: language models need transformers"):
        found = features.extract(tiny, CONTEXTS, RESPONSES, SHORT)
    assert found.check.startswith("not checked: ") and found.values.shape == (len(ROWS), 16)


# --- data sets


PAIRS = Preferences(("\n\nHuman: a\n\nAssistant:",) * 2, (" yes", " so\n\nHuman: b\n\nAssistant: no"), (" no", " maybe"))
LABELS = np.array([xstest.COMPLIANCE, xstest.REFUSAL])
ANSWERS = Completions(("m", "m"), ("a", "b"), ("yes. ", " no"), LABELS, LABELS[::-1], LABELS)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two rows in the place of each data set, and a folder in the place of the user's."""
    monkeypatch.setattr(hh_rlhf, "load", lambda folder: PAIRS)
    monkeypatch.setattr(xstest, "load", lambda folder: ANSWERS)
    monkeypatch.setenv(data.FOLDER_VARIABLE, str(tmp_path / "mine"))
    (tmp_path / "mine" / features.FOLDER).mkdir(parents=True)
    return tmp_path / "mine" / features.FOLDER


def test_the_response_is_the_last_turn(made_up):
    contexts, responses = features.texts("hh_rlhf")
    assert responses == (" yes", " no", " no", " maybe")
    assert contexts[2] == PAIRS.contexts[1] + " so\n\nHuman: b\n\nAssistant:"
    assert features.texts("xstest") == (("\n\nHuman: a\n\nAssistant:", "\n\nHuman: b\n\nAssistant:"), (" yes.", " no"))
    assert "from hh_rlhf or xstest, not from 'mnist'" in refusal(features.texts, "mnist")


def test_an_imported_file_takes_the_same_path(made_up, tiny, cache, monkeypatch):
    monkeypatch.setattr(models, "SMALL", "small")
    load = models.load
    monkeypatch.setattr(models, "load", lambda name: load(tiny))
    computed = features.load("hh_rlhf", FeatureSettings(1), model="small")
    assert computed.values.shape == (2, 2, 16) and computed.path.parent == cache
    mine = made_up / "hh-rlhf-harmless-base-test.small.layer1.npy"
    np.save(mine, computed.values.astype(np.float16))
    found = features.load("hh_rlhf", FeatureSettings(1), model="small")
    assert found.path == mine and found.check.startswith("4 rows computed again")
    np.testing.assert_allclose(found.values, computed.values, rtol=1e-2, atol=1e-3)
    np.testing.assert_array_equal(features.preference_features(1, model="small"), found.values)
    assert features.load("hh_rlhf", FeatureSettings(1, "last"), model="small").path.parent == cache, "pooled in another way"
    np.save(mine, computed.values[:, ::-1])
    assert f"{mine} does not hold what small gives (row 0 is off by" in refusal(features.preference_features, 1, model="small")


def test_features_are_exported_with_what_is_known_of_the_rows(made_up, tiny, tmp_path):
    found = features.export("xstest", tmp_path / "out.npz", FeatureSettings(1), model=tiny)
    with np.load(tmp_path / "out.npz") as stored:
        np.testing.assert_array_equal(stored["X"], found.values)
        labels = {"human": LABELS.tolist(), "gpt4": LABELS[::-1].tolist(), "strmatch": LABELS.tolist()}
        assert {name: stored[name].tolist() for name in stored if name != "X"} == {"prompts": ["a", "b"], "models": ["m", "m"]} | labels
    features.export("hh_rlhf", tmp_path / "pairs.npz", FeatureSettings(1), model=tiny)
    with np.load(tmp_path / "pairs.npz") as stored:
        assert stored["X"].shape == (2, 2, 16) and list(stored) == ["X"]
    assert "to an npz file" in refusal(features.export, "xstest", tmp_path / "out.csv", model=tiny)


# --- the small model and the real files


@pytest.fixture(scope="module")
def small():
    for module in ("torch", "transformers", "gguf"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    try:
        smollm2.load(OWN, download=False)
    except BadInput as missing:
        pytest.skip(str(missing))
    return models.load(models.SMALL, device="cpu")


@pytest.mark.parametrize("name", ["hh_rlhf", "xstest"])
@pytest.mark.parametrize("layer", [15, 30])
def test_the_real_files_hold_what_the_small_model_gives(name, layer, small, monkeypatch):
    path = features.imported(name, FeatureSettings(layer), OWN, models.SMALL)
    if path is None:
        pytest.skip(f"there is no file with features of {name} in the folder that {data.FOLDER_VARIABLE} names")
    try:
        monkeypatch.setattr(models, "load", lambda model: small)
        with warnings.catch_warnings(action="error"):
            found = features.load(name, FeatureSettings(layer), OWN)
    except BadInput as missing:
        if "not found" in str(missing):
            pytest.skip(str(missing))
        raise
    assert found.check.startswith("4 rows computed again")
    contexts, responses = features.texts(name, OWN)
    rows = [7, 344, 1001, 2100]  # the response of row 344 of the pairs is empty
    again = features.pooled(small, [features.tokenised(small, contexts[i], responses[i], FeatureSettings(layer)) for i in rows],
                            FeatureSettings(layer))  # fmt: skip
    values = found.values.reshape(len(contexts), -1)[rows]
    assert (np.linalg.norm(values - again, axis=1) < 1e-2 * np.linalg.norm(again, axis=1)).all()


def test_the_small_model_has_its_chat_template_and_can_be_trained(small):
    chat = small.tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], add_generation_prompt=True, tokenize=False)
    assert chat.endswith("<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n")
    assert not getattr(small.model, "is_quantized", False)
    assert {str(weights.dtype) for weights in small.model.parameters()} == {"torch.float32"}
