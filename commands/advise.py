"""advise: whether synthetic data will help on the user's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, Seed, grouped
from .output import print_json, print_table

if TYPE_CHECKING:
    import numpy as np

    from ..advice.money import Prices
    from ..advice.plan import Plan
    from ..advice.result import Advice
    from ..advice.tables import Table


@dataclass(frozen=True)
class FileOptions:
    """The options that say which files hold the samples."""

    real: Annotated[Path | None, typer.Option("--real", help="Your labelled samples: npz with X and y, csv, parquet, or a folder saved "
                    "by the datasets library. Needed.")] = None
    label: Annotated[str | None, typer.Option("--label", help="Name of the label column (default: label or y).")] = None
    drop: Annotated[list[str] | None, typer.Option("--drop", metavar="COLUMN", help="A column that is no feature; repeatable.")] = None
    group: Annotated[str | None, typer.Option("--group", metavar="COLUMN", help="Rows with the same value in this column stay together: "
                     "those of one patient, or of one prompt.")] = None
    synthetic: Annotated[list[Path] | None, typer.Option("--synthetic", metavar="PATH", help="Synthetic samples, with the columns of "
                         "--real; of several files the best is chosen. Optional columns: keep "
                         "(whether the verifier keeps the sample), score (the verifier's score), truth "
                         "(the true label, where it is known).")] = None

    def read(self, seed: int) -> tuple[Table, list[tuple[str, Table]]]:
        """Return the real samples, and those of every synthetic file with its name; seed: of the rows that are taken of a large file."""
        from ..advice.tables import read

        columns = {"drop": self.drop or (), "group": self.group, "seed": seed}
        own = read(self.real, self.label, **columns)
        return own, [(str(one), read(one, self.label, like=own, **columns)) for one in dict.fromkeys(self.synthetic or [])]


@dataclass(frozen=True)
class PlanOptions:
    """The options that say what is known of the synthetic samples."""

    epsilon: Annotated[str | None, typer.Option("--epsilon", help="Share of wrong labels among the synthetic samples: 0.2, "
                       "or an interval 0.1:0.3.")] = None
    rho: Annotated[str | None, typer.Option("--rho", help="Share of the wrongly labelled samples that the verifier "
                   "keeps, a number or an interval.")] = None
    phi: Annotated[str | None, typer.Option("--phi", help="Share of the correctly labelled samples that the verifier "
                   "keeps, a number or an interval.")] = None
    n_hat: Annotated[int | None, typer.Option("--n-hat", help="The generator was fitted on so many samples of each class, "
                     "none of them among yours.")] = None
    self_fitted: Annotated[bool | None, typer.Option("--self-fitted/--not-self-fitted", show_default=False, help="Whether the generator "
                           "was fitted on the very samples in --real (default: with --synthetic it is detected).")] = None
    exact: Annotated[bool, typer.Option("--exact", help="The generator knows the distribution of the real samples exactly.")] = False
    budget: Annotated[int | None, typer.Option("--budget", help="The most synthetic samples to use (default: as many as the "
                      "file has).")] = None

    def check(self, *, real: bool, file: bool) -> None:
        """Raise BadInput where the options do not say all that is needed; real, file: whether a file of such samples is given."""
        from ..advice.plan import check_said

        check_said(real=real, file=file, n_hat=self.n_hat, self_fitted=self.self_fitted, exact=self.exact, budget=self.budget)

    def plan(self, labels: np.ndarray | None) -> Plan:
        """Return the plan; labels: of the synthetic file, where there is one."""
        from ..advice.plan import plan_of

        return plan_of(labels, **asdict(self))


@dataclass(frozen=True)
class PriceOptions:
    """The options that say what rows cost."""

    price_real: Annotated[float | None, typer.Option("--price-real", help="Price of one more real row with its label.")] = None
    price_synthetic: Annotated[float | None, typer.Option("--price-synthetic", help="Price of a synthetic row.")] = None
    price_check: Annotated[float | None, typer.Option("--price-check", help="Price of having a person check the label of a synthetic "
                           "row.")] = None
    spend: Annotated[float | None, typer.Option("--spend", help="What there is to spend: the best purchase is said.")] = None
    target: Annotated[float | None, typer.Option("--target", help="Accuracy to reach, such as 0.95: the cheapest purchase is said.")] = None

    def prices(self) -> Prices | None:
        """Return the prices; None where nothing is said of money. BadInput where something is missing."""
        from ..advice.money import prices_of

        return prices_of(self.price_real, self.price_synthetic, self.price_check, self.spend, self.target)


@grouped
def advise(
    given: FileOptions = FileOptions(),
    said: PlanOptions = PlanOptions(),
    standardise: Annotated[bool, typer.Option("--standardise/--no-standardise", help="Bring features to mean 0 and variance 1.")] = True,
    model: Annotated[str, typer.Option("--model", help="The classifier: ridge, logistic or MODULE:CLASS, with scikit-learn's conventions "
                     "and sample weights. Others than ridge are measured by cross-validation and need --synthetic.")] = "ridge",
    metric: Annotated[str, typer.Option("--metric", help="accuracy, balanced, auc, f1 or log-loss. Others than accuracy are measured by "
                      "cross-validation and need --synthetic.")] = "accuracy",
    money: PriceOptions = PriceOptions(),
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE.html", help="Write all of it as one page, too.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the picture and the record.")] = Path("out"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Say whether synthetic data will help on your own data.

    Prints the accuracy now, the best number of synthetic samples, their weight and the ridge, what they gain, and how good the verifier
    must be. Say what you know of the synthetic samples: a file of them (--synthetic), or the share of wrong labels and the shares that
    the verifier keeps (--epsilon, --rho, --phi) and what the generator was fitted on (--n-hat, --self-fitted or --exact).
    """
    from ..advice.advise import advise as give
    from ..advice.among import advise_among
    from ..advice.modelled import Task, check_task
    from ..advice.picture import check_place, save
    from ..advice.report import write
    from ..support.files import check_writable
    from ..support.progress import stages

    said.check(real=given.real is not None, file=bool(given.synthetic))
    prices = money.prices()
    check_task(Task(model, metric), file=bool(given.synthetic), priced=prices is not None)
    own, files = given.read(seed)
    plans = [said.plan(made.y) for _, made in files] or [said.plan(None)]
    check_place(out)
    if report is not None:
        check_writable(report)
    options = {"standardise": standardise, "model": model, "metric": metric, "compare": True, "prices": prices, "seed": seed}
    with stages(True):
        if files:
            advice, chosen = advise_among(own, [(name, plan, made) for (name, made), plan in zip(files, plans, strict=True)], **options)
        else:
            advice, chosen = give(own, plans[0], **options), 0
    plan = plans[chosen]
    written = save(advice, plan, out)
    if report is not None:
        write(advice, plan, report)
        written = (*written, report)
    if as_json:
        print_json(advice.as_dict())
    else:
        _print(advice, written)


def _print(advice: Advice, written: Sequence[Path]) -> None:
    from ..advice.table import HEAD, table

    print_table(HEAD, table(advice))
    for line in (*advice.notes, f"{advice.verdict.upper()}. {advice.reason}", f"Next: {advice.next}", ", ".join(map(str, written)), "",
                 advice.snippet):
        typer.echo(line)
