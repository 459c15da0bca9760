"""Business rules: pure functions from values to a value and its reason, without database or clock."""
