"""Fine-tuning by several processes that accelerate starts and of which each runs this module: one a GPU, or on processors through gloo.

The processes share the examples of every step of the optimiser, batch times accumulate of them, so that the steps are those of one process
up to rounding.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...support.errors import BadInput, NotConverged

if TYPE_CHECKING:
    from .tuning import Job, Tuning

CONFIGURATION = Path(__file__).parents[1] / "configs" / "accelerate.yaml"
JOB, LOSSES = "job.json", "losses.json"
ERROR = re.compile(r"synthmix\.support\.errors\.(\w+): (.*)")  # at the end of a traceback


@dataclass(frozen=True)
class Share:
    """The part of a step that one process computes.

    Attributes
    ----------
    batch, accumulate : int
        Examples computed at once, and how many such batches.
    """

    batch: int
    accumulate: int


def processes(tuning: Tuning, asked: int | None) -> int:
    """Return how many processes train together: as many as asked for, or one for each GPU as far as they divide a step's examples.

    Raises
    ------
    BadInput
        For a number that does not divide them.
    """
    examples = tuning.batch * tuning.accumulate
    if asked is None:
        import torch

        return max(k for k in range(1, max(torch.cuda.device_count(), 1) + 1) if examples % k == 0)
    if asked < 1 or examples % asked:
        raise BadInput(f"{asked} processes cannot share the {examples} examples of a step (batch times accumulate): name a divisor of it")
    return asked


def is_one_of_several() -> bool:
    """Return whether this process trains together with others."""
    return "WORLD_SIZE" in os.environ


def share(tuning: Tuning) -> Share:
    """Return the part of a step that this process computes."""
    examples = tuning.batch * tuning.accumulate // int(os.environ.get("WORLD_SIZE", "1"))
    batch = max(k for k in range(1, tuning.batch + 1) if examples % k == 0)
    return Share(batch, examples // batch)


def device() -> str | None:
    """Return the device of this process among several, None where it is alone."""
    import torch

    rank = os.environ.get("LOCAL_RANK")
    return None if rank is None or not torch.cuda.is_available() else f"cuda:{rank}"


def launch(job: Job, count: int) -> list[float]:
    """Have `count` processes train together, and return the losses of all steps.

    Raises
    ------
    BadInput
        What one of them refuses.
    NotConverged
        If one of them fails otherwise.
    """
    job.out.mkdir(parents=True, exist_ok=True)
    written, losses = job.out / JOB, job.out / LOSSES
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(CONFIGURATION), "--num_processes", str(count),
               "--main_process_port", "0", "-m", __name__, str(job.out)]  # fmt: skip
    try:
        written.write_text(json.dumps({**asdict(job), "out": None}))
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=None if job.progress else subprocess.PIPE, text=True, check=False)
        if done.returncode:
            said = ERROR.search(done.stderr or "")
            if said and said[1] == "BadInput":
                raise BadInput(said[2])
            raise NotConverged(said[2] if said else f"tuning by {count} processes ended with code {done.returncode}")
        return json.loads(losses.read_text())
    finally:
        written.unlink(missing_ok=True)
        losses.unlink(missing_ok=True)


def main(folder: Path) -> None:
    """Train as one of several processes, on the job in a folder."""
    from .tuning import Job, Tuning, train

    job, first = json.loads((folder / JOB).read_text()), os.environ["RANK"] == "0"
    data, tuning = tuple(map(tuple, job["data"])), Tuning(**job["tuning"])
    losses = train(Job(**{**job, "data": data, "out": folder, "tuning": tuning, "progress": job["progress"] and first}))
    if first:
        (folder / LOSSES).write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
