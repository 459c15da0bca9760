"""`python -m tests.oracles.estates FOLDER` prints every difference as JSON; 1 where there is any."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.oracles.estates.checking import differences

found = differences(Path(sys.argv[1]))
sys.stdout.write(json.dumps({"differences": found}, ensure_ascii=False, indent=2) + "\n")
sys.exit(1 if found else 0)
