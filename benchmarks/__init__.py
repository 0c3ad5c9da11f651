"""Plain scripts, each of which answers one question about speed; docs/benchmarks.md has the table."""
