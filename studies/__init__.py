"""Declared sweeps: settings over axes, in theory and by Monte-Carlo, kept as a Parquet data set that grows."""
