"""Language models: loading, hidden-state features, training, generation and judging, and the two published pipelines."""
