"""Language models by name: the small one that comes in a Python package, any of the Hugging Face hub, any local folder."""

from __future__ import annotations

import io
import json
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...data import user_cache
from ...data.hub import reachable
from ...data.sets import smollm2
from ...support.errors import BadInput
from . import packages

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SMALL = "smollm2-135m"
NAMES = f"{SMALL}, the name of a model of the Hugging Face hub, or a local folder"
HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
GGUF = ".gguf"
ADAPTER_FILE, CONFIG_FILE = "adapter_config.json", "config.json"


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A causal language model ready to use, in evaluation mode.

    Attributes
    ----------
    name : str
    model
        A transformers model; with an adapter a peft model.
    tokenizer
    device : str
        As torch names it.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: str


def load(
    name: str, *, device: str | None = None, quantize: bool = False, adapter: str | PathLike[str] | None = None
) -> LanguageModel:
    """Load a model and its tokenizer.

    Parameters
    ----------
    name : str
        SMALL, a model of the hub, a local folder, or a local GGUF file. Weights are float32 on a CPU and those of a GGUF file everywhere;
        others are on a GPU as they were published.
    device : str, optional
        cpu, cuda, ..; by default a GPU where there is one.
    quantize : bool
        Weights in 4 bits (NF4), which needs a CUDA device and the package bitsandbytes.
    adapter : path, optional
        A folder with a LoRA adapter to load on top.

    Raises
    ------
    BadInput
        In one line: a package, the model, the adapter or the device is not there.
    """
    packages.require("torch", "transformers", *(["peft"] if adapter is not None else []))
    device = _device(device)
    if quantize:
        _check_quantizable(device)
        if name == SMALL and not _unpacked().is_dir():
            load(name, device="cpu")  # unpacks it: only then can it be quantised anew
    where, options = place(name)
    if quantize and "gguf_file" in options:
        raise BadInput(f"{name} comes in a GGUF file, which is not quantised again: leave quantize out")
    if adapter is not None and not (Path(adapter) / ADAPTER_FILE).is_file():
        raise BadInput(f"there is no adapter in {adapter} (it holds no {ADAPTER_FILE}): name the folder that training wrote")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    offline = options.get("local_files_only", False) and where == name and not Path(where).is_dir()
    with _quietly(), _refusals(name if where == name else f"{name} from {where}", f"give {NAMES}", offline):
        tokenizer = AutoTokenizer.from_pretrained(where, **options)
        model = AutoModelForCausalLM.from_pretrained(where, **options, **_weights(device, quantize, "gguf_file" in options))
        if name == SMALL and "gguf_file" in options:
            _keep(model, tokenizer)
    if not quantize:
        model.to(device)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if adapter is not None:
        from peft import PeftModel

        with _quietly(), _refusals(f"the adapter in {adapter}", "name the folder that training wrote"):
            model = PeftModel.from_pretrained(model, str(adapter))
    return LanguageModel(name, model.eval(), tokenizer, device)


def local(name: str) -> Path:
    """Return the path that the name of a model may be.

    Raises
    ------
    BadInput
        For the home of an unknown user.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise BadInput(f"there is no model {name!r} here: there is no such user") from None


def identity(name: str) -> object:
    """Return a key that differs between models of one name, as far as that can be seen without loading them."""
    if name == SMALL:
        return smollm2.DATASET.files
    path = local(name)
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    return tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files) or name


def _device(device: str | None) -> str:
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise BadInput(f"there is no device {device!r} here; leave it out, or say cpu") from None
    return device


def adapter_rank(folder: Path) -> int:
    """Return the rank of the LoRA adapter in a folder."""
    return int(json.loads((folder / ADAPTER_FILE).read_text())["r"])


def place(name: str) -> tuple[str, dict[str, Any]]:
    """Return where `transformers` finds the model, and with which options.

    Raises
    ------
    BadInput
        For a name that is none, or a folder without a model.
    """
    path = _small() if name == SMALL else local(name)
    if path.suffix == GGUF and path.is_file():
        packages.require("gguf")
        return str(path.parent), {"gguf_file": path.name}
    if path.is_dir():
        if not (path / CONFIG_FILE).is_file():
            raise BadInput(f"there is no model in {path} (it holds no {CONFIG_FILE}); give {NAMES}")
        return str(path), {"local_files_only": True}
    if not HUB_NAME.fullmatch(name):
        raise BadInput(f"there is no model {name!r} here; give {NAMES}")
    return name, {"local_files_only": not reachable()}


def _unpacked() -> Path:
    return user_cache() / smollm2.DATASET.folders[0] / f"unpacked-{smollm2.DATASET.files[0].sha256[:12]}"


def _small() -> Path:
    """The small model, unpacked if it was loaded before: that takes a second, and from the GGUF file half a minute."""
    return _unpacked() if _unpacked().is_dir() else smollm2.load()


def _keep(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Keep the small model unpacked (0.5 GB), where there is room."""
    folder = _unpacked()
    with suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent) as made:
            beside = Path(made) / folder.name
            model.save_pretrained(beside)
            tokenizer.save_pretrained(beside)
            beside.rename(folder)


def _weights(device: str, quantize: bool, gguf: bool) -> dict[str, Any]:
    import torch

    if gguf:
        from transformers import GgufConfig

        # without being told to, transformers takes the weights for quantised ones, which cannot be trained
        return {"dtype": torch.float32, "quantization_config": GgufConfig(dequantize=True)}
    if quantize:
        from transformers import BitsAndBytesConfig

        four_bits = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
        return {"dtype": torch.bfloat16, "quantization_config": four_bits, "device_map": {"": device}}
    return {"dtype": "auto" if device.startswith("cuda") else torch.float32}


def _check_quantizable(device: str) -> None:
    if not device.startswith("cuda"):
        raise BadInput(f"quantize needs a CUDA device, and this is {device}: leave it out, or run where there is a GPU")
    if packages.missing("bitsandbytes"):
        raise BadInput("quantize needs the package bitsandbytes, which is not installed: pip install '.[quantized]'")


@contextmanager
def _refusals(what: str, advice: str, offline: bool = False) -> Iterator[None]:
    """Turn the errors of `transformers`, of many lines, into one line."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, TypeError) as error:
        first = next((line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()), "")
        said = first if " " in first else f"{type(error).__name__} {first}".rstrip()
        reason = "it was not downloaded before, and the hub cannot be reached" if offline else said
        raise BadInput(f"cannot load {what}: {reason}; {advice}") from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the progress bars and advice of `transformers`, which belong to no output of ours."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:  # the bar of GGUF files is drawn whatever was said, also where there is no terminal
        with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of one of these libraries about another
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
