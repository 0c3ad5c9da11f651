"""Learning with synthetic data: theory, simulation and advice."""

__version__ = "0.2.0"
