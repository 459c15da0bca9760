"""Tests that kill processes, stop databases and cut machines off."""
