"""The published pipeline of figure 9: questions and answers written and labelled by models, verified by a guard, a tuned classifier.

Its steps, with one instance a labelling model, a guard, a verifier, or a point of the grid (model, verifier, share):

    prepare      real answers with true labels, and those held out
    questions    a question with a safe and an unsafe answer, many a category of harm; and those of a seed data set, if one is named
    assign       one answer of each question, and one of the labelling models
    label        SAFE or UNSAFE, by that model
    combine      the labels of all the models
    verify       SAFE or UNSAFE, by a guard
    select       kept with probability phi where label and guard agree, psi where not
    accumulate   the real answers and what is kept of a share of the synthetic ones
    tune         supervised, to answer SAFE or UNSAFE
    evaluate     accuracy, recall and F1 on the answers held out
    score        everything that was measured, a row a point

What people, string matching or GPT-4 said about XSTest's answers can stand in for a labelling model or a guard: `recorded:strmatch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ...support.errors import BadInput
from ...support.typed import Count, Name, Share, Some
from ..models.tuning import Tuning
from ..pipeline import hub, sources
from ..pipeline.engine import Pipeline, Step
from ..pipeline.hub import Hub
from ..pipeline.preflight import Needs, Requirement, Uses, check
from ..pipeline.sources import AnswerPart
from . import steps
from .steps import RECORDED, WITNESSES, QAPoint, Questions, Task


@dataclass(frozen=True)
class Selection:
    """A verifier as published, which compares a guard's judgement with the label.

    Attributes
    ----------
    guard : str
        A model, or recorded:NAME.
    phi, psi : float
        The probability that an answer is kept where guard and label agree, and where they do not.
    """

    guard: Name
    phi: Share
    psi: Share


@dataclass(frozen=True)
class QAGrid:
    """The points of the grid: every model with every verifier and share, and with real data alone where 0 is a share.

    Attributes
    ----------
    models : tuple of str
        To fine-tune.
    verifiers : mapping of Selection
        By name.
    shares : tuple of float
        Shares of the synthetic answers that are used.
    """

    models: Annotated[tuple[Name, ...], Some()]
    verifiers: Annotated[Mapping[str, Selection], Some()]
    shares: Annotated[tuple[Share, ...], Some()]


@dataclass(frozen=True)
class QA:
    """A configuration file of this pipeline.

    Attributes
    ----------
    title : str
    questions : Questions
        Where synthetic questions and answers come from.
    labellers : tuple of str
        Models that label the answers, each its share of them.
    real, held_out : AnswerPart
        Labelled answers to train on, and to test on.
    grid : QAGrid
    tuning : Tuning
    task : Task
    seed : int
    needs : Needs
    hub : Hub
    """

    title: Name
    questions: Questions
    labellers: Annotated[tuple[Name, ...], Some()]
    real: AnswerPart
    held_out: AnswerPart
    grid: QAGrid
    tuning: Tuning
    task: Task = Task()
    seed: Count = 0
    needs: Needs = Needs()
    hub: Hub = Hub()

    def __post_init__(self) -> None:
        names = {*self.labellers, *(one.guard for one in self.grid.verifiers.values()), *self.grid.models}
        if len({steps.short(name) for name in names}) < len(names):
            raise BadInput("two of the models have the same last name, which their steps are called by: name one by a folder")
        sources.apart(**{"real": self.real, "held_out": self.held_out, "questions.seed_data": self.questions.seed_data})
        for name in (*self.labellers, *(one.guard for one in self.grid.verifiers.values())):
            if name.startswith(RECORDED) and (self.questions.seed_data is None or self.questions.model):
                raise BadInput(f"{name} needs answers with recorded labels: only questions.seed_data, and no questions.model")
            if name.startswith(RECORDED) and name.removeprefix(RECORDED) not in WITNESSES:
                raise BadInput(f"there are recorded labels of {', '.join(WITNESSES)}, not {name}")

    @property
    def points(self) -> tuple[QAPoint, ...]:
        """Every point of the grid, once."""
        shares = sorted(set(self.grid.shares))
        mixed = [(name, share) for name in self.grid.verifiers for share in shares if share]
        return tuple(QAPoint(model, *one) for model in dict.fromkeys(self.grid.models) for one in [(None, 0.0)] * (0 in shares) + mixed)


def pipeline(config: QA) -> Pipeline:
    """Return the steps of a configuration.

    Parameters
    ----------
    config : QA
    """
    asked = config.questions
    labellers = {f"{i}-{steps.short(name)}": name for i, name in enumerate(config.labellers, 1)}
    guards = {steps.short(one.guard): one.guard for one in config.grid.verifiers.values()}
    mixes = {at.mix: at for at in config.points}
    found = [
        Step("prepare", steps.prepare, steps.Prepare(config.real, config.held_out, asked.seed_data, config.seed)),
        Step("questions", steps.write_questions, steps.Write(asked, config.seed)),
        Step("assign", steps.assign, steps.Assign(len(labellers), config.seed), {"questions": "questions"}),
    ]
    found += [Step(f"label/{short}", steps.label, steps.Label(name, i, config.task, asked.categories), {"answers": "assign"})
              for i, (short, name) in enumerate(labellers.items())]  # fmt: skip
    found.append(Step("combine", steps.combine, {}, {"answers": "assign"} | {short: f"label/{short}" for short in labellers}))
    found += [Step(f"verify/{short}", steps.verify, steps.Verify(name), {"answers": "combine"}) for short, name in guards.items()]
    found += [Step(f"select/{name}", steps.select, steps.Select(one.phi, one.psi, config.seed),
                   {"answers": "combine", "judgements": f"verify/{steps.short(one.guard)}"})
              for name, one in config.grid.verifiers.items()]  # fmt: skip
    found += [Step(f"accumulate/{mix}", steps.accumulate, steps.Accumulate(at.share, config.task),
                   {"real": "prepare"} | ({"synthetic": f"select/{at.verifier}"} if at.share else {}))
              for mix, at in mixes.items()]  # fmt: skip
    seen = config.tuning
    for at in config.points:
        found += [
            Step(f"tune/{at}", steps.tune, steps.Tune(at.model, config.tuning), {"examples": f"accumulate/{at.mix}"}),
            Step(f"evaluate/{at}", steps.evaluate,
                 steps.Evaluate(at.model, seen.quantize, seen.max_length, seen.upper_layers, seen.bfloat16, config.task),
                 {"tuned": f"tune/{at}", "prepared": "prepare"}),
        ]  # fmt: skip
        found += hub.steps(config.hub, str(at), {"adapter": f"tune/{at}", "examples": f"accumulate/{at.mix}"})
    parts = {f"accumulate {mix}": f"accumulate/{mix}" for mix in mixes} | {f"evaluate {at}": f"evaluate/{at}" for at in config.points}
    found.append(Step("score", steps.score, steps.Score(config.points), parts))
    return Pipeline(config.title, tuple(found))


def preflight(config: QA, out: Path, data: Path | None = None) -> list[Requirement]:
    """Return everything that the steps of a configuration need, and whether it is there; see `language.pipeline.preflight.check`.

    Parameters
    ----------
    config : QA
    out : Path
        The folder of the run.
    data : Path, optional
        The folder in which data sets are looked for first.
    """
    asked = config.questions
    named = [("questions", asked.model), *(("label", name) for name in config.labellers), *(("tune", name) for name in config.grid.models)]
    guards = [("verify", one.guard) for one in config.grid.verifiers.values()]
    models, judging = (tuple(one for one in some if one[1] and not one[1].startswith(RECORDED)) for some in (named, guards))
    parts = [("prepare", config.real), ("prepare", config.held_out), ("questions", asked.seed_data)]
    wanted = Uses(models, judging, tuple((step, part.data) for step, part in parts if part is not None))
    return check(wanted, config.needs, config.tuning.quantize, out, data)
