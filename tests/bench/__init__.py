"""Benchmarks: each prints our figure, the peer's or floor's from the same run, and the ratio."""
