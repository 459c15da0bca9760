"""Print the quickest Python among those named, all of the first one's version: `quickest_python.py PATH …`.

One that was built without optimisation, as pyenv builds by default, takes a third longer for everything.
The first is kept unless another is clearly quicker; paths that can't be run are passed over.
"""

from __future__ import annotations

import subprocess
import sys

CLEARLY = 0.9
LOOP = """
import sys, time

def work():
    begun, found = time.process_time(), {}
    for number in range(100_000):
        found[str(number % 97)] = [number, *found.get(number, ())]
    return time.process_time() - begun

print("%d.%d" % sys.version_info[:2], min(work() for _ in range(5)))
"""


def measured(python: str) -> tuple[str, float] | None:
    """Its version and the seconds it takes for a small loop."""
    try:
        done = subprocess.run([python, "-c", LOOP], capture_output=True, text=True, check=True, timeout=60)
        version, seconds = done.stdout.split()
        return version, float(seconds)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def quickest(pythons: list[str]) -> str:
    first, *others = pythons
    best, taken = first, measured(first)
    for python in others:
        found = measured(python)
        if taken and found and found[0] == taken[0] and found[1] < CLEARLY * taken[1]:
            best, taken = python, found
    return best


if __name__ == "__main__":
    print(quickest(sys.argv[1:]))
