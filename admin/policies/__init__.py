"""Screens of policies: the editor and the what-if page (§9)."""
