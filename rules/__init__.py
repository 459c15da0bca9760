"""Business rules: values in, one value and its reason out; standard library and holiday calendar only."""
