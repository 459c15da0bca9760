"""The whole gate, as CI runs it: `uv run python -m tests.gate`. Stops at the first step that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pytest",),
)


def main() -> int:
    for step in STEPS:
        print(f"\n== {' '.join(step)}", flush=True)
        program = Path(sys.executable).with_name(step[0])
        done = subprocess.run([str(program), *step[1:]], cwd=ROOT, check=False)
        if done.returncode:
            print(f"\n{' '.join(step)} failed", file=sys.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
