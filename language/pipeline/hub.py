"""Pushing what a pipeline made to the Hugging Face hub: an option of its configuration, off by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...support.errors import BadInput
from ..models import packages
from .engine import Counts, Step, Work

ADAPTER = "adapter"  # the role, and the folder within it, of what becomes a model repository


@dataclass(frozen=True)
class Hub:
    """Whether and where a pipeline pushes its results to the hub.

    Attributes
    ----------
    push : bool
    repository : str
        OWNER/NAME, to which the name of the point is added.
    private : bool
        Whether others cannot see it.
    """

    push: bool = False
    repository: str = ""
    private: bool = True

    def __post_init__(self) -> None:
        if self.push and self.repository.count("/") != 1:
            raise BadInput(f"repository must be OWNER/NAME to push to, not {self.repository!r}")


@dataclass(frozen=True)
class Push:
    """Settings of the step: the repository of this point."""

    repository: str
    private: bool


def steps(hub: Hub, point: str, parts: Mapping[str, str]) -> list[Step]:
    """Return the step that pushes a point's adapter as a model and its other folders as data sets; none if that is not wanted.

    Parameters
    ----------
    hub : Hub
    point : str
        Name of the point.
    parts : mapping of str
        By role, the steps whose folders are pushed.
    """
    return [Step(f"push/{point}", push, Push(f"{hub.repository}-{point}", hub.private), parts)] if hub.push else []


def push(work: Work, settings: Push) -> Counts:
    """Upload every input; the account is that of `hf auth login`.

    Raises
    ------
    BadInput
        Without an account that may write there.
    """
    packages.require("huggingface_hub")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api, commits = HfApi(), {}
    for role, folder in work.inputs.items():
        kind, what = ("model", folder / ADAPTER) if role == ADAPTER else ("dataset", folder)
        name = settings.repository if role == ADAPTER else f"{settings.repository}-{role}"
        try:
            api.create_repo(name, repo_type=kind, private=settings.private, exist_ok=True)
            commits[role] = str(api.upload_folder(repo_id=name, repo_type=kind, folder_path=Path(what)))
        except (HfHubHTTPError, OSError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise BadInput(f"cannot push to {name} ({reason}); log in with hf auth login, or set hub.push = false") from None
    return {"commits": commits}
