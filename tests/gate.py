"""The whole gate, as CI runs it: `uv run python -m tests.gate`.

Stops at once where format or lint fail. Then types, import contracts and tests run beside each other, so that
no core idles, and all their findings are told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FIRST: tuple[tuple[str, ...], ...] = (("ruff", "format", "--check", "."), ("ruff", "check", "."))
BESIDE: tuple[tuple[str, ...], ...] = (("mypy",), ("lint-imports",))
# One worker more than cores: tests that wait for a browser or for another process leave theirs idle.
TESTS = ("pytest", "-n", str((os.cpu_count() or 1) + 1))


def command(step: tuple[str, ...]) -> list[str]:
    return [str(Path(sys.executable).with_name(step[0])), *step[1:]]


def announce(step: tuple[str, ...]) -> None:
    print(f"\n== {' '.join(step)}", flush=True)


def main() -> int:
    # compiled modules are kept whatever the machine says: each process would compile all of them anew
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for step in FIRST:
        announce(step)
        if subprocess.run(command(step), cwd=ROOT, check=False).returncode:
            print(f"\n{' '.join(step)} failed", file=sys.stderr)
            return 1
    beside = {
        step: subprocess.Popen(
            command(step), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for step in BESIDE
    }
    announce(TESTS)
    failed: list[tuple[str, ...]] = (
        [TESTS] if subprocess.run(command(TESTS), cwd=ROOT, check=False).returncode else []
    )
    for step, process in beside.items():
        said, _nothing = process.communicate()
        announce(step)
        print(said, flush=True)
        if process.returncode:
            failed.append(step)
    for step in failed:
        print(f"\n{' '.join(step)} failed", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
