"""Categories and missing values as numbers: scikit-learn's transformers, fitted on the real rows and applied to both kinds of rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

MOST_CATEGORIES = 30  # columns that a column of categories becomes at most; the rarer ones share one


@dataclass(frozen=True, eq=False)
class Encoding:
    """What turns columns of numbers and of words into features.

    Attributes
    ----------
    numbers : tuple of str
        Columns of numbers, in the order in which they are given.
    words : tuple of str
        Columns of categories.
    filled : tuple of pairs
        Columns of numbers of which real values are missing, and how many.
    imputer : SimpleImputer
        Of the numbers.
    encoder : OneHotEncoder or None
        Of the words, if there are any.
    """

    numbers: tuple[str, ...]
    words: tuple[str, ...]
    filled: tuple[tuple[str, int], ...]
    imputer: SimpleImputer
    encoder: OneHotEncoder | None

    @classmethod
    def of(cls, X: np.ndarray, numbers: tuple[str, ...], words: Mapping[str, np.ndarray]) -> Encoding:
        """Fit on real rows: numbers X (k, P) with nan where missing, and columns of words with None where missing."""
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        if X.shape[1]:
            imputer.fit(X)
        encoder = None
        if words:
            encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
            encoder.fit(np.column_stack(list(words.values())))
        missing = np.isnan(X).sum(axis=0)
        filled = tuple((name, int(count)) for name, count in zip(numbers, missing, strict=True) if count)
        return cls(numbers, tuple(words), filled, imputer, encoder)

    def __call__(self, X: np.ndarray, words: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the features (k, p) of rows given as in `of`."""
        parts = [self.imputer.transform(X)] if X.shape[1] and (self.filled or np.isnan(X).any()) else [X]
        if self.encoder is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of unknown categories, which `unknown` names
                parts.append(self.encoder.transform(np.column_stack([words[name] for name in self.words])))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features, (p,)."""
        made = () if self.encoder is None else self.encoder.get_feature_names_out(np.array(self.words, dtype=object))
        return (*self.numbers, *(f"{name} is missing" for name, _ in self.filled), *made)

    @cached_property
    def categories(self) -> dict[str, frozenset[str | None]]:
        """The categories that the real rows have in each column of words."""
        return {} if self.encoder is None else {name: frozenset(found.tolist())
                                                for name, found in zip(self.words, self.encoder.categories_, strict=True)}

    def unknown(self, words: Mapping[str, np.ndarray]) -> dict[str, dict[str, int]]:
        """Return how many rows have each category that no real row has, by column; missing ones are called "a missing value".

        Parameters
        ----------
        words : mapping of arrays
            The cells of the columns of categories, by column.
        """
        found: dict[str, dict[str, int]] = {}
        for name, known in self.categories.items():
            for one in words[name]:
                if one not in known:
                    of = found.setdefault(name, {})
                    called = "a missing value" if one is None else one
                    of[called] = of.get(called, 0) + 1
        return found

    def remarks(self) -> list[str]:
        """Return what was done, a sentence each."""
        found = []
        if self.encoder is not None:
            listed = ", ".join(f"{name!r} ({min(len(known), MOST_CATEGORIES)})" for name, known in self.categories.items())
            found.append(f"Categories became columns of 0 and 1, as scikit-learn's OneHotEncoder makes them: {listed}.")
        if self.filled:
            listed = ", ".join(f"{name!r} ({count} rows)" for name, count in self.filled)
            found.append(f"Missing values were filled with the median of your real rows, and a column says where: {listed}.")
        return found
