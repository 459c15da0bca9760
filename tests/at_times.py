"""Runs tests as if the machine's clock stood at other times: no test may depend on the hour or the weekday.

    uv run python -m tests.at_times [PYTEST ARGUMENTS …]

Runs pytest once at each of MOMENTS with libfaketime (Debian: `apt install faketime`); without arguments the
whole suite but browser tests and tests that kill processes, whose other programs do not follow a false clock.
Exit code 1 if any run fails, 2 where there is no libfaketime.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOMENTS = {  # office time, in its zone
    "a working morning": "2027-03-09 10:17:00",
    "a Sunday": "2027-03-14 15:30:00",
    "the last minute of a year": "2026-12-31 23:59:00",
    "the Spring Festival": "2027-02-07 02:30:00",
}


def main(arguments: list[str]) -> int:
    program = shutil.which("faketime")
    if program is None:
        print("skipped: no libfaketime on this machine; get it with `apt install faketime`", file=sys.stderr)
        return 2
    environment = {**os.environ, "TZ": "Asia/Shanghai", "NO_FAKE_STAT": "1"}  # files keep their real times
    tests = arguments or ["-m", "not e2e and not kill"]
    failed = []
    for name, moment in MOMENTS.items():
        print(f"\n== {name}: {moment}", flush=True)
        command = [program, moment, sys.executable, "-m", "pytest", *tests]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            failed.append(name)
    print(f"\nfailed: {', '.join(failed)}" if failed else f"\npassed at all {len(MOMENTS)} times")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
