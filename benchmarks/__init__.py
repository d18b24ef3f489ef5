"""Side-by-side measurements: `python -m benchmarks`. Ratios count, not microseconds."""
