"""The month of 943 households: roster, office, and the recount of its exports by another author (K1, M7)."""

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.conftest import Office
from tests.factories.spreadsheets import csv_file
from tests.oracles import ledger

HOUSEHOLDS, PAYING = 943, 590
PERIOD = "2026-12"
OPENS = "2026-12-01T08:00:00+08:00"
PRESET = Path(__file__).parents[2] / "seed" / "presets" / "residential"


def code(number: int) -> str:
    return f"{number % 12 + 1}-{number // 12 + 1:03d}"


def roster() -> list[list[object]]:
    """943 homes that are paid for, and in the west what makes a month hard."""
    rows: list[list[object]] = [
        [code(n), f"{n % 12 + 1}栋", "东区", n % 20 + 1, "住宅", f"{61 + n % 83}.{n % 97:02d}", "",
         f"业主{n}", f"1390000{n:04}", "", "2020-01-01", "", n % 6]
        for n in range(HOUSEHOLDS)
    ]  # fmt: skip
    west: list[tuple[str, ...]] = [
        ("S-01", "商铺", "64.25", "", "甲店", "2020-01-01"),
        ("S-02", "商铺", "33.33", "2026-12-11", "乙店", ""),  # handed over within the month
        ("S-03", "商铺", "50", "2027-01-05", "丙店", ""),  # no part of it
        ("S-04", "商铺", "77.77", "", "", ""),  # nobody pays
        ("S-05", "商铺", "41.5", "", "丁店", "2020-01-01"),  # another payer from the 12th on
        ("S-06", "商铺", "45.45", "", "戊店", "2026-12-20"),  # let from the 20th on
        ("S-07", "商铺", "12.34", "", "己店", "2020-01-01"),  # its meter is read late
        ("B-01", "办公", "132.1", "", "庚公司", "2020-01-01"),
        ("P-01", "车位", "12.5", "", "辛", "2020-01-01"),
        ("C-01", "储藏室", "6.4", "", "壬", "2020-01-01"),
    ]
    return rows + [
        [unit, "裙楼", "西区", 1, kind, area, handed, name, "", "", since, "", ""]
        for unit, kind, area, handed, name, since in west
    ]


class Month:
    """The office, its commands and its exports."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder
        (folder / "out").mkdir()

    def run(self, *arguments: object) -> str:
        done = self.office.run(*arguments)
        assert done.exit_code == 0, (arguments, done.output, done.stderr)
        return done.stdout

    def bring(
        self, kind: str, header: Sequence[str], rows: Sequence[Sequence[object]], **more: Any
    ) -> dict[str, Any]:
        path = csv_file(self.folder / f"{kind}.csv", header, rows, **more)
        told: dict[str, Any] = json.loads(self.run("import", kind, path, "--json"))
        return told

    def exported(self, kind: str) -> list[dict[str, str]]:
        path = self.folder / "out" / f"{kind}.csv"
        self.run("export", kind, path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def recount(self, *more: object) -> dict[str, Any]:
        """What the other author counts, after `flask check` has found nothing."""
        out = self.folder / "out"
        for kind in ledger.NEEDED:
            self.run("export", kind, out / f"{kind}.csv")
        assert json.loads(self.run("check", "--json")) == {"ok": True, "findings": []}
        return counted(out, *more)


def counted(folder: Path, *more: object) -> dict[str, Any]:
    """What recompute.py says of a folder, in a process that can import nothing of the program."""
    done = subprocess.run(
        [sys.executable, "-I", ledger.__file__, folder, PRESET, *map(str, more)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == bool(result["differences"])
    return result
