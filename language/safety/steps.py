"""The steps of the pipeline of figure 8, which `safety` puts together: each takes its `Work` and the settings that its result needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...data.text import question
from ...estimators.audits import Proportion
from ...solvers.problem import Verifier
from ...support.errors import BadInput
from ..models import judges
from ..models.generation import Sampling, writer
from ..models.tuning import Tuning, prefers, tune_preferences
from ..pipeline import manifest, rows, sources, transforms
from ..pipeline.engine import Counts, Work, generator, in_parts
from ..pipeline.sources import PairPart
from ..pipeline.transforms import Counted
from ..shares import CONFIDENCE, Share

HELD_OUT = "held-out"
ADAPTER = "adapter"
ERROR = "error of the judge"
ANSWERS_A_PART = 256
PAIRS_A_PART = 128


@dataclass(frozen=True)
class SafetyPoint:
    """A point of the grid.

    Attributes
    ----------
    k : int
        How many splits of the synthetic pairs; 0 for real data alone.
    epsilon : float or None
    verifier : str or None
        Both None for real data alone.
    """

    k: int
    epsilon: float | None
    verifier: str | None

    @property
    def noise(self) -> str:
        """The name of its label noise."""
        return f"epsilon{self.epsilon:g}"

    @property
    def pruned(self) -> str:
        """The name of its pruned pairs."""
        return f"{self.noise}-{self.verifier}"

    def __str__(self) -> str:
        return f"{self.pruned}-k{self.k}" if self.k else "real"


@dataclass(frozen=True)
class Prepare:
    """Settings of `prepare`."""

    real: PairPart
    synthetic: PairPart
    held_out: PairPart
    seed: int


def prepare(work: Work, settings: Prepare) -> Counts:
    """Write the real pairs (rows) and the pairs held out (held-out), without those whose context is trained on, real or synthetic."""
    parts = (settings.real, settings.synthetic, settings.held_out)
    real, synthetic, kept = (sources.pairs(part, settings.seed, work.data) for part in parts)
    held_out = kept.take(sources.outside(kept.contexts, real.contexts + synthetic.contexts))
    if not len(held_out):
        raise BadInput("no held-out pair is left: the context of each is trained on; name other rows")
    rows.save(work.out, rows.columns(real))
    rows.save(work.out, rows.columns(held_out), HELD_OUT)
    return {"real": len(real), "held out": len(held_out), "left out, context is trained on": len(kept) - len(held_out)}


@dataclass(frozen=True)
class Split:
    """Settings of `split`."""

    synthetic: PairPart
    splits: int
    seed: int


def split(work: Work, settings: Split) -> Counts:
    """Write the synthetic pairs, each with the number of its split, 1 to `splits`: as equal as can be."""
    pairs = sources.pairs(settings.synthetic, settings.seed, work.data)
    number = np.arange(len(pairs)) * settings.splits // len(pairs) + 1
    rows.save(work.out, rows.columns(pairs) | {"split": number})
    return {"synthetic": len(pairs), "splits": np.bincount(number)[1:].tolist()}


@dataclass(frozen=True)
class Swap:
    """Settings of `swap`."""

    epsilon: float
    seed: int


def swap(work: Work, settings: Swap) -> Counts:
    """Add label noise. With one seed, a larger epsilon exchanges the pairs of a smaller one, and more."""
    table = work.rows("pairs")
    pairs, wrong = transforms.swap(rows.pairs(table), settings.epsilon, generator(settings.seed, "swap"))
    rows.save(work.out, rows.columns(pairs) | {"split": table["split"], "wrong": wrong})
    return {"swapped": Counted.of_hits(wrong, settings.epsilon)}


@dataclass(frozen=True)
class Prune:
    """Settings of `prune`; epsilon only says which alpha to expect."""

    epsilon: float
    verifier: Verifier
    seed: int


def prune(work: Work, settings: Prune) -> Counts:
    """Prune: every pair stays in the table, and `keep` says whether the verifier keeps it."""
    table = work.rows("pairs")
    wrong = np.array(table["wrong"])
    keep = transforms.prune(wrong, settings.verifier, generator(settings.seed, "prune"))
    rows.save(work.out, rows.columns(rows.pairs(table)) | {"split": table["split"], "wrong": wrong, "keep": keep})
    return transforms.pruned_counts(wrong, keep, settings.verifier) | {
        "alpha against alpha(epsilon)": Counted.of_hits(keep, settings.verifier.alpha(settings.epsilon))
    }


@dataclass(frozen=True)
class Accumulate:
    """Settings of `accumulate`."""

    k: int


def accumulate(work: Work, settings: Accumulate) -> Counts:
    """Write the pairs to train on: the real ones, then the kept ones of the splits 1 to k; n and m count before pruning."""
    pairs = rows.pairs(work.rows("real"))
    n, m, kept, wrong = len(pairs), 0, 0, 0
    if settings.k:
        table = work.rows("synthetic")
        there = np.array(table["split"]) <= settings.k
        take = there & np.array(table["keep"])
        m, kept, wrong = int(there.sum()), int(take.sum()), int((take & np.array(table["wrong"])).sum())
        pairs = rows.joined(pairs, rows.pairs(table).take(take))
    rows.save(work.out, rows.columns(pairs))
    return {"n": n, "m": m, "kept": kept, "wrong": wrong, "proportion": m / (n + m)}


@dataclass(frozen=True)
class Tune:
    """Settings of `tune`."""

    model: str
    tuning: Tuning


def tune(work: Work, settings: Tune) -> Counts:
    """Fine-tune by IPO on the pairs."""
    tuned = tune_preferences(settings.model, rows.pairs(work.rows("pairs")), work.out, settings.tuning, work.progress, work.processes)
    return {"steps": len(tuned.losses), "first loss": tuned.losses[0], "last loss": tuned.losses[-1]}


@dataclass(frozen=True)
class Measure:
    """Settings of `held-out`: of the tuning, how a text is seen."""

    model: str
    max_length: int
    quantize: bool
    upper_layers: int | None
    bfloat16: bool


def held_out(work: Work, settings: Measure) -> Counts:
    """Write for every held-out pair whether the tuned model's implicit reward prefers the chosen answer, in parts that stay."""
    pairs = rows.pairs(rows.load(work.inputs["prepared"], HELD_OUT))
    preferred = prefers(settings.model, work.inputs["tuned"] / ADAPTER, pairs, max_length=settings.max_length,
                        quantize=settings.quantize, upper_layers=settings.upper_layers, bfloat16=settings.bfloat16,
                        progress=work.progress)  # fmt: skip
    right = in_parts(work.out, len(pairs), PAIRS_A_PART, lambda part: preferred(part).tolist())
    rows.save(work.out, {"right": right})
    return {"pairs": len(right), "accuracy": float(np.mean(right))}


@dataclass(frozen=True)
class Evaluation:
    """Settings of `prompts`."""

    count: int | None
    seed: int


def prompts(work: Work, settings: Evaluation) -> Counts:
    """Write the prompts to answer, with their categories."""
    some = sources.prompts(settings.count, settings.seed, work.data)
    rows.save(work.out, {"prompt": some.prompts, "category": some.categories})
    return {"prompts": len(some), "categories": len(set(some.categories))}


@dataclass(frozen=True)
class Generate:
    """Settings of `generate`."""

    model: str
    quantize: bool
    sampling: Sampling


def generate(work: Work, settings: Generate) -> Counts:
    """Write the tuned model's answer to every prompt, in the format of the training contexts; goes on where it was interrupted."""
    table = work.rows("prompts")
    asked = [question(prompt) for prompt in table["prompt"]]
    answer = writer(settings.model, settings.sampling, quantize=settings.quantize, adapter=work.inputs["tuned"] / ADAPTER,
                    progress=work.progress)  # fmt: skip
    answers = in_parts(work.out, len(asked), ANSWERS_A_PART, lambda part: answer(asked[part], range(len(asked))[part]))
    rows.save(work.out, {"prompt": table["prompt"], "category": table["category"], "answer": answers})
    return {"answers": len(answers), "empty": sum(not one for one in answers)}


@dataclass(frozen=True)
class Judge:
    """Settings of `judge`."""

    judge: str


def judge(work: Work, settings: Judge) -> Counts:
    """Write whether each answer is safe; the counts are by category, with the judge's own error rate where it is known."""
    table = work.rows("answers")
    asked, given, category = list(table["prompt"]), list(table["answer"]), np.array(table["category"])
    judging = judges.judge(settings.judge, folder=work.data, progress=work.progress)
    parts = in_parts(work.out, len(asked), ANSWERS_A_PART, lambda part: judging.safe(asked[part], given[part]).tolist())
    safe = np.array(parts, dtype=bool)
    rows.save(work.out, {"category": category, "safe": safe})
    by_category = {name: [int(safe[category == name].sum()), int((category == name).sum())] for name in np.unique(category).tolist()}
    return {"safe": int(safe.sum()), "answers": len(safe), "safe and answers by category": by_category, ERROR: judges_error(judging)}


def judges_error(judging: judges.Judge) -> Proportion | None:
    """Return a judge's error rate on answers of models that it was not trained on, where that was measured, else its error rate.

    Parameters
    ----------
    judging : Judge
    """
    return getattr(judging, "error_unseen_model", judging.error)


@dataclass(frozen=True)
class Score:
    """Settings of `score`."""

    model: str
    points: tuple[SafetyPoint, ...]
    judged: bool
    confidence: float = CONFIDENCE


def score(work: Work, settings: Score) -> Counts:
    """Write a row for each point: its training data, held-out accuracy and, where answers were judged, safety score, with intervals."""
    table = []
    for at in settings.points:
        trained = manifest.read(work.inputs[f"accumulate {at}"]).counts
        right = rows.load(work.inputs[f"held-out {at}"])["right"]
        safe = Share.of(rows.load(work.inputs[f"judge {at}"])["safe"]).columns("score") if settings.judged else {}
        table.append({
            "point": str(at), "model": settings.model, "k": at.k, "epsilon": at.epsilon, "verifier": at.verifier, **trained,
            **Share.of(right).columns("accuracy"), **safe,
        })  # fmt: skip
    rows.save(work.out, {name: [row[name] for row in table] for name in table[0]})
    error = manifest.read(work.inputs[f"judge {settings.points[0]}"]).counts[ERROR] if settings.judged else None
    return {"points": table, ERROR: error}
