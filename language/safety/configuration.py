"""The published pipeline of figure 8: real and noisy synthetic preference pairs, pruned, IPO, answers to ALERT, and a judge.

Its steps, with one instance a point of the grid (epsilon, verifier, k):

    prepare      the real pairs and those held out
    split        the synthetic pairs, in five splits
    swap         chosen and rejected exchanged with probability epsilon
    prune        kept with probability rho where they were exchanged, phi where not
    accumulate   the real pairs and what is kept of the splits 1 to k
    tune         IPO on them, LoRA or QLoRA
    held-out     the share of held-out pairs in which the implicit reward prefers the chosen answer
    prompts      the prompts of the evaluation
    generate     an answer to each
    judge        safe or not, by category
    score        everything that was measured, a row a point

Without a judge there are no prompts and no answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ...solvers.problem import Verifier
from ...support.errors import BadInput
from ...support.typed import Between, Count, Name, Positive, Share, Some
from ..models.generation import Sampling
from ..models.tuning import Tuning
from ..pipeline import hub, sources
from ..pipeline.engine import Pipeline, Step
from ..pipeline.hub import Hub
from ..pipeline.preflight import Needs, Requirement, Uses, check
from ..pipeline.sources import PairPart
from . import steps
from .steps import SafetyPoint


@dataclass(frozen=True)
class SafetyGrid:
    """The points of the grid: every epsilon with every verifier and number of splits, and real data alone where k = 0.

    Attributes
    ----------
    epsilon : tuple of float
        Probabilities that the answers of a synthetic pair are exchanged.
    verifiers : mapping of Verifier
        By name.
    k : tuple of int
        How many splits of the synthetic pairs are used.
    """

    epsilon: Annotated[tuple[Share, ...], Some()]
    verifiers: Annotated[Mapping[str, Verifier], Some()]
    k: Annotated[tuple[Count, ...], Some()]


@dataclass(frozen=True)
class Safety:
    """A configuration file of this pipeline.

    Attributes
    ----------
    title : str
    model : str
        To fine-tune.
    real, synthetic, held_out : PairPart
        Pairs to train on, to train on after swapping and pruning, and to test on.
    grid : SafetyGrid
    tuning : Tuning
    judge : str
        Of the answers: `refusal` or a Llama Guard. Without one nothing is answered, and only held-out pairs are measured.
    sampling : Sampling
    prompts : int, optional
        How many prompts of ALERT are answered, evenly over its categories; by default all.
    splits : int
        Into how many the synthetic pairs are divided.
    seed : int
    needs : Needs
    hub : Hub
    """

    title: Name
    model: Name
    real: PairPart
    synthetic: PairPart
    held_out: PairPart
    grid: SafetyGrid
    tuning: Tuning
    judge: str = ""
    sampling: Sampling = Sampling()
    prompts: Annotated[int | None, Between(1)] = None
    splits: Positive = 5
    seed: Count = 0
    needs: Needs = Needs()
    hub: Hub = Hub()

    def __post_init__(self) -> None:
        sources.apart(real=self.real, synthetic=self.synthetic, held_out=self.held_out)
        if max(self.grid.k) > self.splits:
            raise BadInput(f"grid.k goes up to {max(self.grid.k)}, but there are only splits = {self.splits}")

    @property
    def points(self) -> tuple[SafetyPoint, ...]:
        """Every point of the grid, once."""
        found = [SafetyPoint(0, None, None)] if 0 in self.grid.k else []
        found += [SafetyPoint(k, epsilon, name) for epsilon in self.grid.epsilon for name in self.grid.verifiers for k in self.grid.k if k]
        return tuple(dict.fromkeys(found))


def pipeline(config: Safety) -> Pipeline:
    """Return the steps of a configuration.

    Parameters
    ----------
    config : Safety
    """
    found = [
        Step("prepare", steps.prepare, steps.Prepare(config.real, config.synthetic, config.held_out, config.seed)),
        Step("split", steps.split, steps.Split(config.synthetic, config.splits, config.seed)),
    ]
    if config.judge:
        found.append(Step("prompts", steps.prompts, steps.Evaluation(config.prompts, config.seed)))
    noisy = {point.noise: point for point in config.points if point.k}
    pruned = {point.pruned: point for point in config.points if point.k}
    found += [Step(f"swap/{name}", steps.swap, steps.Swap(point.epsilon, config.seed), {"pairs": "split"}) for name, point in noisy.items()]
    found += [Step(f"prune/{name}", steps.prune, steps.Prune(point.epsilon, config.grid.verifiers[point.verifier], config.seed),
                   {"pairs": f"swap/{point.noise}"}) for name, point in pruned.items()]  # fmt: skip
    seen = config.tuning
    measure = steps.Measure(config.model, seen.max_length, seen.quantize, seen.upper_layers, seen.bfloat16)
    for at in config.points:
        kept = {"synthetic": f"prune/{at.pruned}"} if at.k else {}
        found += [
            Step(f"accumulate/{at}", steps.accumulate, steps.Accumulate(at.k), {"real": "prepare"} | kept),
            Step(f"tune/{at}", steps.tune, steps.Tune(config.model, config.tuning), {"pairs": f"accumulate/{at}"}),
            Step(f"held-out/{at}", steps.held_out, measure,
                 {"tuned": f"tune/{at}", "prepared": "prepare"}),
        ]  # fmt: skip
        if config.judge:
            found += [
                Step(f"generate/{at}", steps.generate, steps.Generate(config.model, config.tuning.quantize, config.sampling),
                     {"tuned": f"tune/{at}", "prompts": "prompts"}),
                Step(f"judge/{at}", steps.judge, steps.Judge(config.judge), {"answers": f"generate/{at}"}),
            ]  # fmt: skip
        found += hub.steps(config.hub, str(at), {"adapter": f"tune/{at}", "pairs": f"accumulate/{at}"})
    kinds = ("accumulate", "held-out", "judge") if config.judge else ("accumulate", "held-out")
    parts = {f"{kind} {at}": f"{kind}/{at}" for at in config.points for kind in kinds}
    found.append(Step("score", steps.score, steps.Score(config.model, config.points, bool(config.judge)), parts))
    return Pipeline(config.title, tuple(found))


def preflight(config: Safety, out: Path, data: Path | None = None) -> list[Requirement]:
    """Return everything that the steps of a configuration need, and whether it is there; see `language.pipeline.preflight.check`.

    Parameters
    ----------
    config : Safety
    out : Path
        The folder of the run.
    data : Path, optional
        The folder in which data sets are looked for first.
    """
    models, judges = [("tune", config.model)], []
    data_sets = [("prepare", config.real.data), ("prepare", config.held_out.data), ("split", config.synthetic.data)]
    if config.judge:
        models, judges, data_sets = [*models, ("generate", config.model)], [("judge", config.judge)], [*data_sets, ("prompts", "alert")]
    wanted = Uses(tuple(models), tuple(judges), tuple(data_sets))
    return check(wanted, config.needs, config.tuning.quantize, out, data)
