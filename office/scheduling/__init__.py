"""The scheduler: which jobs exist, which runs are due, and running each exactly once (§8)."""
