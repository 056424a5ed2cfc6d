"""Programs that run, to learn from and to try."""
