"""What policies give the whole office: integrity checks."""

from __future__ import annotations

from office.policies import integrity

CHECKS = (integrity.all_readable,)
