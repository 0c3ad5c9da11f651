"""Classifiers by name: what `--model` may be, and the rivals without synthetic data."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass

from sklearn.base import ClassifierMixin, clone, is_classifier

from ..support.errors import BadInput

BOOSTING = "sklearn.ensemble:HistGradientBoostingClassifier"


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier with scikit-learn's conventions.

    Attributes
    ----------
    name
        What it is called in words.
    module
        Where its class is.
    code
        The expression that makes one.
    prototype
        One that is not fitted.
    """

    name: str
    module: str
    code: str
    prototype: ClassifierMixin

    @classmethod
    def of(cls, said: str, **options: object) -> Model:
        """Return a model by the name that the user gives it: "logistic", or "MODULE:CLASS".

        Parameters
        ----------
        said
            The name.
        **options
            Of the constructor.

        Raises
        ------
        BadInput
            For no such class, or one that is no classifier with sample weights.
        """
        if said == "logistic":
            return cls.of("sklearn.linear_model:LogisticRegression", max_iter=1000)
        module, _, name = said.partition(":")
        if not module or not name.isidentifier():
            raise BadInput(f"the model must be ridge, logistic or MODULE:CLASS, such as {BOOSTING}, not {said!r}")
        try:
            made = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise BadInput(f"the model {said} cannot be imported: {error}") from None
        except AttributeError:
            raise BadInput(f"module {module} has no class {name}") from None
        try:
            options = options or ({"random_state": 0} if "random_state" in inspect.signature(made).parameters else {})
            prototype = clone(made(**options))
        except (TypeError, ValueError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise BadInput(f"the model {said} cannot be made without arguments ({why}): wrap it in a class of your own") from None
        if not is_classifier(prototype):
            raise BadInput(f"the model {said} is no classifier with scikit-learn's conventions")
        if "sample_weight" not in inspect.signature(prototype.fit).parameters:
            raise BadInput(f"the model {said} takes no sample weights: synthetic rows cannot be given less weight than real ones")
        return cls(name, module, f"{name}({', '.join(f'{key}={value!r}' for key, value in options.items())})", prototype)

    def make(self) -> ClassifierMixin:
        """Return a new one."""
        return clone(self.prototype)


def ridge(alpha: float) -> Model:
    """Return the ridge classifier at scikit-learn's alpha."""
    return Model.of("sklearn.linear_model:RidgeClassifier", alpha=float(alpha))
