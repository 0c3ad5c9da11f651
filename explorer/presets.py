"""Settings that the page starts from: those of the paper's figures whose curves are theory of identity covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ..figures import figure2, figure3, figure4


@dataclass(frozen=True)
class Preset:
    """A state of the page.

    Attributes
    ----------
    name
        Its name in the list.
    state
        Parameters by their names on the command line.
    view
        The quantity and the axis that are shown, and whether the published formula is.
    """

    name: str
    state: dict[str, float | str | bool]
    view: dict[str, str | bool] = field(default_factory=dict)


def presets() -> list[Preset]:
    """Return the presets, from the full settings of the figures."""
    return [*_fixed_point(figure2.FULL), *_toy(figure3.FULL), *_transition(figure4.FULL)]


def _toy(s: figure3.Settings) -> list[Preset]:
    curve = {"n": s.n, "m": s.power_m, "p": s.p[-1], "mu": s.mu, "labels": "trained", "gamma": s.gamma, "generator": "independent",
             "n_hat": s.n_hat}  # fmt: skip
    return [
        Preset(f"figure 3: {name}, p = {p}", {**curve, "p": p, "rho": verifier.rho, "phi": verifier.phi}, {"axis": "m", "published": True})
        for name, (_, verifier) in zip(("oracle", "weak verifier", "no supervision"), figure3.VERIFIERS, strict=True) for p in s.p
    ]


def _transition(s: figure4.Settings) -> list[Preset]:
    curve = {"n": 0, "p": s.p, "mu": s.mu, "gamma": s.gamma, "rho": s.verifier.rho, "phi": s.verifier.phi, "epsilon": 0.2}
    curves = [Preset(f"figure 4: p/m = {1 / ratio:g}", {**curve, "m": ratio * s.p}, {"published": True}) for ratio in s.m_over_p]
    companion = {**curve, "p": s.companion_p, "m": s.companion_p, "gamma": s.companion_gamma}
    variances = [Preset(f"figure 4: variance, p/m = {state['p'] / state['m']:g}, gamma = {state['gamma']:g}", state,
                        {"quantity": "variance", "published": True})
                 for state in (curves[0].state, companion)]  # fmt: skip
    return [*curves, *variances]


def _fixed_point(s: figure2.Settings) -> list[Preset]:
    return [
        Preset(f"figure 2: {scalar}, m = {ratio} n",
               {"n": s.n, "m": ratio * s.n, "p": s.n, "mu": s.mu, "epsilon": s.epsilon, "rho": s.verifier.rho, "phi": s.verifier.phi,
                "gamma": s.gamma, "generator": "independent", "n_hat": s.n}, {"axis": "p", "quantity": scalar, "published": True})
        for scalar in ("delta_r", "delta_s", "delta_g") for ratio in s.m_over_n
    ]  # fmt: skip


def addresses(presets: Sequence[Preset], page: str) -> dict[str, dict[str, str]]:
    """Return the addresses of presets on a page, by the name of their figure and by what they show."""
    found: dict[str, dict[str, str]] = {}
    for preset in presets:
        figure, _, shown = preset.name.removeprefix("figure ").partition(": ")
        values = {name: str(value).lower() if isinstance(value, bool) else value for name, value in {**preset.state, **preset.view}.items()}
        found.setdefault(figure, {})[shown] = f"{page}#{urlencode(values)}"
    return found
