"""The advised model in a few lines of Python: scikit-learn alone, on the files that the advice was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .encoding import MOST_CATEGORIES
from .generated_file import Samples
from .layout import Layout, written
from .models import Model, ridge
from .rivals import GIVEN
from .tables import Table
from .words import with_error

if TYPE_CHECKING:
    from .result import Advice

MOST_LINE = 110  # characters of a line of code
NO_FILE = {"npz": "synthetic.npz", "csv": "synthetic.csv", "parquet": "synthetic.parquet", "folder": "synthetic"}  # to be generated


def snippet(advice: Advice, real: Samples, synthetic: Samples | None = None) -> str:
    """Return code that trains the recommended classifier on the files with scikit-learn alone.

    Parameters
    ----------
    advice : Advice
    real : Samples
    synthetic : Samples, optional
        The file's; where samples are only planned, a file of them with the layout of the real one is read.
    """
    return "\n".join(_Code(advice, _placed(real), None if synthetic is None else _placed(synthetic)).lines()) + "\n"


def _placed(samples: Samples) -> Table:
    """Samples as a table with a layout: one of arrays in memory where they come from no file."""
    if isinstance(samples, Table) and samples.layout is not None:
        return samples
    names = tuple(f"x{i}" for i in range(np.shape(samples.X)[1]))
    return Table(np.asarray(samples.X), np.asarray(samples.y), names, total=len(samples.y), columns=names,
                 layout=Layout("", "arrays", "y", ("X", "y"), ("X",)))


class _Code:
    """The parts of a snippet."""

    def __init__(self, advice: Advice, real: Table, synthetic: Table | None) -> None:
        self.advice, self.real, self.mixed = advice, real, bool(advice.best.m)
        self.synthetic = synthetic if self.mixed else None
        self.standardised = advice.standardised and not (advice.baseline.model == GIVEN and not self.mixed)
        self.encoded = any(one is not None and one.encoding is not None for one in (real, synthetic))

    @cached_property
    def model(self) -> Model:
        """The classifier to train."""
        best = self.advice.best
        return ridge(float(f"{best.gamma * (self.advice.n + best.m):.6g}")) if self.advice.train == "ridge" else Model.of(self.advice.train)

    def lines(self) -> Iterator[str]:
        """The code, line by line."""
        one = self.real.layout
        others = () if not self.mixed or self.synthetic is None else self.synthetic.layout.imports
        steps = [*["from sklearn.compose import ColumnTransformer", "from sklearn.impute import SimpleImputer"] * self.encoded,
                 f"from {self.model.module} import {self.model.code.partition('(')[0]}",
                 *["from sklearn.pipeline import make_pipeline"] * bool(self._steps)]
        of = [*["OneHotEncoder"] * bool(self._categories), *["StandardScaler"] * self.standardised]
        steps += [f"from sklearn.preprocessing import {', '.join(of)}"] * bool(of)
        loaders = dict.fromkeys((*one.imports, *others))
        yield from ("import numpy as np", *sorted(loaders, key=lambda line: line.startswith("from")), *steps, "")
        yield from self._loading("real", self.real)
        if self.mixed:
            yield from self._synthetic()
        yield from ("", *self._transforming(), *self._training())

    # ------------------------------------------------------------ rows

    def _loading(self, name: str, table: Table) -> Iterator[str]:
        layout = table.layout
        if layout.kind == "frame":
            yield f"# {name}: your data frame"
        elif layout.kind == "arrays":
            yield f"# {name}: a dictionary of your arrays X and y" + (", and keep or score where you have them" if name == "made" else "")
        else:
            yield f"{name} = {layout.loading()}"

    def _synthetic(self) -> Iterator[str]:
        best = self.advice.best
        if self.synthetic is None:
            where = NO_FILE.get(self.real.layout.kind, "")
            yield f"# made: {best.m:,.0f} synthetic rows like the real ones, of which your verifier keeps about {best.kept:,.0f}"
            if where:
                yield f"made = {self.real.layout.loading().replace(written(self.real.layout.path), written(where))}"
            return
        yield from self._loading("made", self.synthetic)
        if self.advice.keep is not None and not self.advice.keep.all():
            yield from self._keeping()

    def _keeping(self) -> Iterator[str]:
        """The lines that say which rows of the synthetic file train."""
        one, best = self.advice.measured, self.advice.best
        everything = round(one.m * one.kept)
        rule = self.synthetic.layout.kept_of("made", self.advice.threshold) if everything < one.m else ""
        if rule:
            yield f"kept = {rule}"
        if round(best.kept) < everything:
            places = "np.flatnonzero(kept)" if rule else f'len(made["{self.synthetic.layout.label}"])'
            yield f"kept = np.random.default_rng(0).permutation({places})[:{round(best.kept)}]"

    # ------------------------------------------------------------ features

    @property
    def _categories(self) -> tuple[str, ...]:
        return () if self.real.encoding is None else self.real.encoding.words

    @property
    def _numbers(self) -> tuple[str, ...]:
        return self.real.names if self.real.encoding is None else self.real.encoding.numbers

    @property
    def _steps(self) -> int:
        return self.standardised + self.encoded

    def _transforming(self) -> Iterator[str]:
        if self.encoded:
            kept = self._numbers
            yield from _wrapped("numbers = [", kept) if self._by_name else [f"numbers = list(range({len(kept)}))"]
            if not self._by_name and self._positions is not None:
                yield f"columns = {self._positions}"
            fill = 'SimpleImputer(strategy="median", add_indicator=True)'
            parts = [f'("numbers", {fill}, numbers)'] * bool(kept)
            if self._categories:
                yield f"categories = {written(self._categories)}"
                encoder = f'OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories={MOST_CATEGORIES}, sparse_output=False)'
                parts.append(f'("categories", {encoder}, categories)')
            yield "encode = ColumnTransformer(["
            yield from (f"    {one}," for one in parts)
            yield "])"
        if self._steps:
            steps = ["encode"] * self.encoded + ["StandardScaler()"] * self.standardised
            yield f"steps = make_pipeline({', '.join(steps)})"

    @property
    def _by_name(self) -> bool:
        """Whether columns are taken by name; where one file has no names by their order."""
        return self.real.layout.named and (self.synthetic is None or self.synthetic.layout.named)

    def _features(self, name: str, table: Table) -> str:
        """The expression for a file's features, in the order of the real ones."""
        if self._categories:
            return f"{name}[{'numbers + categories' if self._numbers else 'categories'}]"
        if self._by_name:
            return f"{name}[numbers]" if self.encoded else f"{name}[features].to_numpy()"
        return table.layout.features_of(name, self._positions)

    @property
    def _positions(self) -> list[int] | None:
        """The places of the features among all columns; None: all of them."""
        columns = list(self.real.columns)
        positions = [columns.index(one) for one in self._numbers]
        return None if positions == list(range(len(columns))) else positions

    def _choosing(self) -> Iterator[str]:
        """The lines that name the columns of features."""
        if self.encoded:
            return
        if self._by_name:
            yield from _wrapped("features = [", self._numbers)
        elif self._positions is not None:
            count, out = len(self.real.columns), sorted(set(range(len(self.real.columns))) - set(self._positions))
            short = len(out) < len(self._positions)
            yield f"columns = np.delete(np.arange({count}), {out})" if short else f"columns = {self._positions}"

    def _training(self) -> Iterator[str]:
        yield from self._choosing()
        real = self._features("real", self.real)
        model = self.model.code
        y = self.real.layout.labels_of("real", self.real.classes)
        if not self.mixed:
            yield f"model = make_pipeline(steps, {model})" if self._steps else f"model = {model}"
            yield f"model.fit({real}, {y})"
            return
        table = self.synthetic or self.real
        made, y_made = self._features("made", table), table.layout.labels_of("made", self.real.classes)
        if self.synthetic is not None and self.advice.keep is not None and not self.advice.keep.all():
            made, y_made = f"{made}[kept]", f"{y_made}[kept]"
        yield from (f"X, y = {real}, {y}", f"X_made, y_made = {made}, {y_made}")
        yield f"weights = np.append(np.ones(len(y)), np.full(len(y_made), {self._weight:.6g}))"
        if self._steps:
            yield "X, X_made = steps.fit_transform(X), steps.transform(X_made)  # fitted on the real rows alone"
        yield f"model = {model}"
        yield "model.fit(np.concatenate([X, X_made]), np.append(y, y_made), sample_weight=weights)"
        yield "# the labels of new rows: model.predict(" + ("steps.transform(new))" if self._steps else "new)")
        yield from self._cleaning()

    def _cleaning(self) -> Iterator[str]:
        """The lines, as a remark, that clean the synthetic labels, where that is recommended: scikit-learn alone cannot."""
        one = self.advice.relabelled
        if one is not None and one.recommended and self.synthetic is not None:
            yield f"# better by {with_error(one.gain, one.gain_se)}: with the synthetic labels cleaned"
            yield "# from synthmix import RelabelledMix"
            yield f"# model = RelabelledMix(alpha={one.alpha:.6g}).fit(X, y, X_made, y_made)"

    @property
    def _weight(self) -> float:
        """The weight of a row: where the file was too large to be read whole, its rows share that of those that were."""
        best = self.advice.best
        return best.omega if self.synthetic is None else best.omega * best.m / max(self.synthetic.total, best.m)


def _wrapped(start: str, names: Sequence[str]) -> Iterator[str]:
    """A list of names over several lines."""
    line = start
    for i, name in enumerate(names):
        piece = written(str(name)) + (", " if i < len(names) - 1 else "]")
        if len(line) + len(piece) > MOST_LINE:
            yield line.rstrip()
            line = " " * len(start)
        line += piece
    yield line
