"""Settings that the page starts from: those of the paper's figures whose curves are theory of identity covariances."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    return [*_toy(figure3.FULL), *_transition(figure4.FULL), *_fixed_point(figure2.FULL)]


def _toy(s: figure3.Settings) -> list[Preset]:
    curve = {"n": s.n, "m": s.power_m, "p": s.p[-1], "mu": s.mu, "epsilon": 0.2, "gamma": s.gamma, "generator": "independent",
             "n_hat": s.n_hat}  # fmt: skip
    return [
        Preset(f"figure 3: {name}, p = {s.p[-1]}", {**curve, "rho": verifier.rho, "phi": verifier.phi}, {"axis": "m", "published": True})
        for name, (_, verifier) in zip(("oracle", "weak verifier", "no supervision"), figure3.VERIFIERS, strict=True)
    ]


def _transition(s: figure4.Settings) -> list[Preset]:
    curve = {"n": 0, "p": s.p, "mu": s.mu, "gamma": s.gamma, "rho": s.verifier.rho, "phi": s.verifier.phi, "epsilon": 0.2}
    curves = [Preset(f"figure 4: p/m = {1 / ratio:g}", {**curve, "m": ratio * s.p}, {"published": True}) for ratio in s.m_over_p]
    companion = {**curve, "p": s.companion_p, "m": s.companion_p, "gamma": s.companion_gamma}
    return [*curves, Preset(f"figure 4: p/m = 1, gamma = {s.companion_gamma:g}", companion, {"published": True})]


def _fixed_point(s: figure2.Settings) -> list[Preset]:
    return [
        Preset(f"figure 2: m = {ratio} n, over p",
               {"n": s.n, "m": ratio * s.n, "p": s.n, "mu": s.mu, "epsilon": s.epsilon, "rho": s.verifier.rho, "phi": s.verifier.phi,
                "gamma": s.gamma, "generator": "independent", "n_hat": s.n}, {"axis": "p", "published": True})
        for ratio in s.m_over_n
    ]  # fmt: skip
