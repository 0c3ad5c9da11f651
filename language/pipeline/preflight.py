"""What a configuration needs, and whether this machine has it or can reach it. Nothing is downloaded and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...data import dataset, status
from ...data.hub import Hub, reachable
from ...support.errors import number
from ..models import packages
from ..models.load import local
from ..models.tuning import NEEDED

SMALL = {"smollm2-135m": "smollm2"}  # models that are data sets of this project
LOCAL_JUDGE, LOCAL_MODEL, LOCAL_DATA = "refusal", "smollm2-135m", "xstest"  # the judge that is trained here, and on what
HUB_SECONDS = 5.0
QUANTIZED = "pip install '.[quantized]'"
GB = 1e9


@dataclass(frozen=True)
class Needs:
    """Hardware that a configuration asks for.

    Attributes
    ----------
    disk
        Free disk for models, adapters and tables, in GB.
    gpu
        Memory of the graphics card, in GB (0: none is needed).
    """

    disk: float = 1.0
    gpu: float = 0.0

    def __post_init__(self) -> None:
        number("disk", self.disk, 0)
        number("gpu", self.gpu, 0)


@dataclass(frozen=True)
class Requirement:
    """A package, model, data set or device that a configuration needs.

    Attributes
    ----------
    kind
        Package, model, data set or hardware.
    name
        Its name.
    use
        The steps that use it.
    ready
        Whether it is on this machine or can be reached.
    note
        Where it is, or why it is not ready.
    """

    kind: str
    name: str
    use: str
    ready: bool
    note: str


@dataclass(frozen=True)
class Uses:
    """The models, judges and data sets that the steps of a pipeline use: pairs (step, name).

    Attributes
    ----------
    models
        Language models.
    judges
        Judges of answers, `refusal` or a Llama Guard.
    data_sets
        Data sets, or NAME/SPLIT of one.
    """

    models: tuple[tuple[str, str], ...]
    judges: tuple[tuple[str, str], ...]
    data_sets: tuple[tuple[str, str], ...]


def check(wanted: Uses, needs: Needs, quantize: bool, out: Path, data: Path | None = None) -> list[Requirement]:
    """Look for all packages, models, data sets, the graphics card and the disk, and return each with whether it is ready.

    Parameters
    ----------
    wanted : Uses
    needs : Needs
        Disk and memory.
    quantize : bool
        Whether models are loaded in 4 bits.
    out : Path
        The folder whose disk is meant.
    data : Path, optional
        The folder in which data sets are looked for first.
    """
    local = [step for step, name in wanted.judges if name == LOCAL_JUDGE]
    models = _uses([*wanted.models, *(one for one in wanted.judges if one[1] != LOCAL_JUDGE), *((step, LOCAL_MODEL) for step in local)])
    data_sets = _uses([*((step, name.partition("/")[0]) for step, name in wanted.data_sets), *((step, LOCAL_DATA) for step in local)])
    online = reachable()
    found = list(_packages(quantize)) + [_model(name, use, data, online) for name, use in models.items()]
    found += [_data_set(name, use, data, online) for name, use in data_sets.items()]
    return [*found, _card(needs.gpu, quantize), _disk(needs.disk, out)]


def _uses(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every name once, with the steps that use it."""
    steps: dict[str, list[str]] = {}
    for step, name in pairs:
        if step not in steps.setdefault(name, []):
            steps[name].append(step)
    return {name: ", ".join(using) for name, using in steps.items()}


def _packages(quantize: bool) -> Iterator[Requirement]:
    for name in (*NEEDED, *(["bitsandbytes"] if quantize else [])):
        here = not packages.missing(name)
        note = "installed" if here else f"not installed: {packages.EXTRA if name in NEEDED else QUANTIZED}"
        yield Requirement("package", name, "4 bits" if name == "bitsandbytes" else "tuning and generation", here, note)


def _model(name: str, use: str, data: Path | None, online: bool) -> Requirement:
    if name in SMALL:
        where = status(dataset(SMALL[name]), data)
        return Requirement("model", name, use, not where.missing, where.where)
    if local(name).exists():
        whole = (local(name) / "config.json").is_file()
        return Requirement("model", name, use, whole, "a local folder" if whole else "a local folder without config.json")
    if packages.missing("huggingface_hub"):
        return Requirement("model", name, use, False, f"needs huggingface_hub: {packages.EXTRA}")
    return Requirement("model", name, use, *_on_hub(name, online))


def _on_hub(name: str, online: bool) -> tuple[bool, str]:
    """Whether a model is in the cache or could be downloaded, and the words for it."""
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return True, "in the cache of the hub"
    except HFValidationError:
        return False, "no such folder, and no name that the hub has"
    if not online:
        return False, "not in the cache of the hub, which cannot be reached"
    try:
        info = HfApi().model_info(name, timeout=HUB_SECONDS, files_metadata=True)
        size = sum(file.size or 0 for file in info.siblings or [] if file.rfilename.endswith(".safetensors"))
        if info.gated:
            HfApi().auth_check(name)
        return True, f"on the hub, {size / GB:.0f} GB to download"
    except GatedRepoError:
        return False, "on the hub, gated: ask for access on its page and log in with hf auth login"
    except RepositoryNotFoundError:
        return False, "not on the hub, or not for this account"
    except Exception as error:  # whatever the network stack below the hub's client raises means the same
        return False, f"not in the cache of the hub, which cannot be reached ({type(error).__name__})"


def _data_set(name: str, use: str, data: Path | None, online: bool) -> Requirement:
    entry = dataset(name)
    where = status(entry, data)
    if not where.missing:
        return Requirement("data set", name, use, True, where.where)
    hub = next((origin for origin in entry.origins if isinstance(origin, Hub)), None)
    if hub is None or packages.missing("huggingface_hub"):
        return Requirement("data set", name, use, False, f"not on this machine; python cli.py data fetch {name}")
    if not online:
        return Requirement("data set", name, use, False, "not on this machine, and the hub cannot be reached")
    try:
        from huggingface_hub import HfApi

        HfApi().dataset_info(hub.repository, revision=hub.revision, timeout=HUB_SECONDS)
    except Exception as error:
        return Requirement("data set", name, use, False, f"not on this machine, and not to be had from the hub ({type(error).__name__})")
    return Requirement("data set", name, use, True, f"on the hub, {hub.repository}")


def _card(gb: float, quantize: bool) -> Requirement:
    name = f"graphics card of {gb:g} GB" if gb else "graphics card"
    if packages.missing("torch"):
        return Requirement("hardware", name, "tuning and generation", not (gb or quantize), "torch is not installed")
    import torch

    if not torch.cuda.is_available():
        wanted = bool(gb or quantize)
        return Requirement("hardware", name, "tuning and generation", not wanted, "no CUDA" if wanted else "no CUDA; the processor will do")
    card = torch.cuda.get_device_properties(0)
    memory = card.total_memory
    return Requirement("hardware", name, "tuning and generation", memory >= gb * GB, f"{card.name}, {memory / GB:.0f} GB")


def _disk(gb: float, out: Path) -> Requirement:
    place = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free / GB
    return Requirement("hardware", f"disk of {gb:g} GB", "models, adapters, tables", free >= gb, f"{free:.0f} GB free at {place}")

