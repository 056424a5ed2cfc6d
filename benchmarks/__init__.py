"""What catchasync costs, as ratios within one run: ``python -m benchmarks``."""
