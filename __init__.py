"""Learning with synthetic data: theory, simulation and advice. `import synthmix as sm` gives every public name.

Settings and laws
    `Setting` (the paper's mixture of real and synthetic samples) with its `Verifier`, `Generator` and `Ridge`; `ORACLE` and
    `NO_SUPERVISION` are the two extreme verifiers. `Problem` is any number of `Source`s of training samples, each with a `Law` and,
    where its generator was fitted on finitely many samples, a `Fit`. `ClassMixture` is the mixture for several classes.
Theory
    `predict` returns a `Prediction`, `predict_grid` a `PredictionGrid`, `predict_classes` a `ClassPrediction`; `critical_noise` is where
    synthetic labels stop to help; `best_mix` returns the `Optimum` of a `Family` of mixtures, or of a
    `LossFamily` where another loss than the square one is minimised.
Family trees
    `Tree`, made of `SampleSet`s, is any family tree of generators; `generations` makes the usual ones, `read_tree` reads a file;
    `predict_tree` and `simulate` say what a classifier trained on it is worth, `predict_trees` at many trees in one compiled batch.
    `predict_line` solves a line of generators in closed form, also an infinite one; `smallest_fresh_share` and `weakest_verifier` say what
    keeps an accuracy for ever.
Selection by a score
    `Selection` is a `Setting` whose synthetic samples are kept by a `ScoreVerifier` or `LinearVerifier` and labelled by a
    `MarginLabeller`; `keep_share` makes the rules that keep the hard or the easy samples along a `score_direction`; `predict_selection`
    and `simulate` say what a classifier trained on it is worth.
Monte-Carlo
    `simulate` returns a `Simulation`, `simulate_many` a list of them.
Studies
    `study` computes what a TOML file declares, or a `Study`: settings over axes, in theory and by Monte-Carlo, as a data frame.
    `cluster` sends every parallel loop within it to a Dask cluster.
Estimators
    `SyntheticMixRidge` and `RelabelledMix`, which cleans synthetic labels: classifiers with scikit-learn's conventions.
    `predict_relabelling` says what every round of cleaning is worth on isotropic classes.
Advice
    `advise` returns an `Advice` for a `Table` of real samples (`read` loads one from a file) and a `Plan` of what is to be generated.
Errors
    `BadInput`, `NotConverged`, `Unreachable`.

A name is imported when it is first used, so that `import synthmix` alone loads no other package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0"

# the module that each public name comes from; the imports below say the same to type checkers, and a test compares the two
_MODULES = {
    "solvers.problem": (
        "NO_SUPERVISION", "ORACLE", "Fit", "Generator", "Law", "Problem", "Ridge", "Setting", "Source", "Verifier",
    ),
    "solvers.many_classes": ("ClassMixture", "ClassPrediction", "predict_classes"),
    "solvers.predict": ("Prediction", "PredictionGrid", "predict", "predict_grid"),
    "solvers.critical": ("critical_noise",),
    "solvers.relabelling": ("predict_relabelling",),
    "solvers.collapse": ("predict_line", "smallest_fresh_share", "weakest_verifier"),
    "solvers.trees": ("SampleSet", "Tree", "generations", "predict_tree"),
    "solvers.tree_grid": ("predict_trees",),
    "solvers.tree_files": ("read_tree",),
    "solvers.input_dependent": ("LinearVerifier", "MarginLabeller", "ScoreVerifier"),
    "solvers.selection": ("Selection", "keep_share", "predict_selection", "score_direction"),
    "solvers.best_mix": ("Family", "Optimum", "best_mix"),
    "solvers.loss_family": ("LossFamily",),
    "sims.monte_carlo": ("Simulation", "simulate", "simulate_many"),
    "estimators.mix_ridge": ("SyntheticMixRidge",),
    "estimators.relabelled_mix": ("RelabelledMix",),
    "advice.tables": ("Table", "read"),
    "advice.plan": ("Plan",),
    "advice.result": ("Advice",),
    "advice.advise": ("advise",),
    "studies.file": ("Study",),
    "studies.run": ("study",),
    "support.cluster": ("cluster",),
    "support.errors": ("BadInput", "NotConverged", "Unreachable"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = list(_MODULE_OF)

if TYPE_CHECKING:
    from .advice.advise import advise as advise
    from .advice.plan import Plan as Plan
    from .advice.result import Advice as Advice
    from .advice.tables import Table as Table
    from .advice.tables import read as read
    from .estimators.mix_ridge import SyntheticMixRidge as SyntheticMixRidge
    from .estimators.relabelled_mix import RelabelledMix as RelabelledMix
    from .sims.monte_carlo import Simulation as Simulation
    from .sims.monte_carlo import simulate as simulate
    from .sims.monte_carlo import simulate_many as simulate_many
    from .solvers.best_mix import Family as Family
    from .solvers.best_mix import Optimum as Optimum
    from .solvers.best_mix import best_mix as best_mix
    from .solvers.collapse import predict_line as predict_line
    from .solvers.collapse import smallest_fresh_share as smallest_fresh_share
    from .solvers.collapse import weakest_verifier as weakest_verifier
    from .solvers.critical import critical_noise as critical_noise
    from .solvers.input_dependent import LinearVerifier as LinearVerifier
    from .solvers.input_dependent import MarginLabeller as MarginLabeller
    from .solvers.input_dependent import ScoreVerifier as ScoreVerifier
    from .solvers.loss_family import LossFamily as LossFamily
    from .solvers.many_classes import ClassMixture as ClassMixture
    from .solvers.many_classes import ClassPrediction as ClassPrediction
    from .solvers.many_classes import predict_classes as predict_classes
    from .solvers.predict import Prediction as Prediction
    from .solvers.predict import PredictionGrid as PredictionGrid
    from .solvers.predict import predict as predict
    from .solvers.predict import predict_grid as predict_grid
    from .solvers.problem import NO_SUPERVISION as NO_SUPERVISION
    from .solvers.problem import ORACLE as ORACLE
    from .solvers.problem import Fit as Fit
    from .solvers.problem import Generator as Generator
    from .solvers.problem import Law as Law
    from .solvers.problem import Problem as Problem
    from .solvers.problem import Ridge as Ridge
    from .solvers.problem import Setting as Setting
    from .solvers.problem import Source as Source
    from .solvers.problem import Verifier as Verifier
    from .solvers.relabelling import predict_relabelling as predict_relabelling
    from .solvers.selection import Selection as Selection
    from .solvers.selection import keep_share as keep_share
    from .solvers.selection import predict_selection as predict_selection
    from .solvers.selection import score_direction as score_direction
    from .solvers.tree_files import read_tree as read_tree
    from .solvers.tree_grid import predict_trees as predict_trees
    from .solvers.trees import SampleSet as SampleSet
    from .solvers.trees import Tree as Tree
    from .solvers.trees import generations as generations
    from .solvers.trees import predict_tree as predict_tree
    from .studies.file import Study as Study
    from .studies.run import study as study
    from .support.cluster import cluster as cluster
    from .support.errors import BadInput as BadInput
    from .support.errors import NotConverged as NotConverged
    from .support.errors import Unreachable as Unreachable


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
