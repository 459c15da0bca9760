"""S13: payment notices a second beside bare reportlab drawing the same page, and the memory of a batch.

python -m tests.bench.papers [--pages N] [--rounds R]

Both sides draw the same texts at the same places with the same font, rules and QR code; the bare side knows
all positions beforehand, so the difference is the price of wrapping, tables and checks.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from office.documents.pdf.billing import PaymentNotice, payment_notice
from office.documents.pdf.builder import pay_memo
from office.documents.pdf.document import Document, lay_out
from office.documents.pdf.font import FONT_NAME, face
from office.documents.pdf.layout import FORMATS
from office.documents.pdf.samples import ESTATE, PRINTED_AT, VALUES
from office.documents.pdf.values import Recipient
from office.documents.pdf.writer import write_documents

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

GOAL = 0.8


def notices(count: int) -> Iterator[PaymentNotice]:
    """Notices that differ as real ones do: number, payer, unit, amounts."""
    sample = VALUES["payment_notice"]
    assert isinstance(sample, PaymentNotice)
    surnames, given = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
    for number in range(count):
        unit = f"{number % 9 + 1}-{number % 4 + 1}-{number % 32 + 1:02d}0{number % 6 + 1}"
        name = surnames[number % 20] + given[number // 20 % 20] + given[number // 400 % 20]
        extra = Decimal(number % 5000) / 100
        lines = (
            dataclasses.replace(sample.lines[0], amount=sample.lines[0].amount + extra),
            *sample.lines[1:],
        )
        yield dataclasses.replace(
            sample,
            number=f"TZ2026-03-{number:06d}",
            recipient=Recipient(name, unit, f"滨湖路 88 号 {unit}"),
            lines=lines,
            amount=sample.amount + extra,
        )


def papers(count: int) -> Iterator[Document]:
    for notice in notices(count):
        yield payment_notice(notice, ESTATE, "zh_Hans")


def ours(count: int, target: Path) -> None:
    write_documents(papers(count), target, printed_at=PRINTED_AT)


def bare(count: int, target: Path) -> None:
    """This very page by hand on reportlab's canvas: nothing wrapped, checked or looked up.

    It is spared what can be spared: no base 85, fonts and inks set only when they change, the QR code with
    one fixed mask drawn as one path.
    """
    import segno
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    rl_config.useA85 = 0
    plan = lay_out(next(papers(1)), PRINTED_AT).pages[0]
    form = FORMATS["a4"]
    canvas = Canvas(
        str(target), pagesize=(form.width, form.height), pageCompression=1, initialFontName=FONT_NAME
    )
    for notice in notices(count):
        for grey, boxes in ((0.93, plan.fills), (0.38, plan.bars)):
            canvas.setFillGray(grey)
            for x, y, wide, high in boxes:
                canvas.rect(x, y, wide, high, stroke=0, fill=1)
        canvas.setStrokeGray(0.62)
        canvas.setLineWidth(0.5)
        canvas.lines(plan.lines)
        canvas.setFillGray(0)
        for x, y, side, _ in plan.codes:
            memo = pay_memo(notice.recipient.unit_code, notice.number)
            code = segno.make_qr(memo, error="m", mask=2, boost_error=False, encoding="utf-8")
            draw_code(canvas, code.matrix, x, y, side)
        last_size, last_ink = 0.0, ""
        for x, y, size, ink, text in plan.texts:
            if size != last_size:
                canvas.setFont(FONT_NAME, size)
            if ink != last_ink:
                canvas.setFillGray(0.38 if ink == "faint" else 0)
            last_size, last_ink = size, ink
            canvas.drawString(x, y, text, mode=2 if ink == "bold" else 0)
        canvas.showPage()
    canvas.save()


def draw_code(canvas: Canvas, matrix: Sequence[bytearray], x: float, y: float, side: float) -> None:
    cell = side / len(matrix)
    path = canvas.beginPath()
    for row_number, row in enumerate(matrix):
        start = -1
        for column, is_dark in enumerate([*row, 0]):
            if is_dark and start < 0:
                start = column
            elif not is_dark and start >= 0:
                path.rect(x + start * cell, y + side - (row_number + 1) * cell, (column - start) * cell, cell)
                start = -1
    canvas.drawPath(path, stroke=0, fill=1)


SIDES = {"ours": ours, "bare": bare}


def once(side: str, pages: int) -> tuple[float, float]:
    """(pages a second, peak MB) of one side in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.papers", "--pages", str(pages), "--side", side]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    speed, peak = answer.stdout.split()
    return float(speed), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=sorted(SIDES))
    given = parser.parse_args()
    if given.side:
        face()
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            SIDES[given.side](given.pages, Path(folder) / "batch.pdf")
            took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{given.pages / took:.1f} {peak:.0f}")
        return
    rounds = [{side: once(side, given.pages) for side in SIDES} for _ in range(given.rounds)]
    speed = {side: statistics.median(one[side][0] for one in rounds) for side in SIDES}
    peak = {side: max(one[side][1] for one in rounds) for side in SIDES}
    for side in SIDES:
        print(f"{side:10} {speed[side]:8.1f} pages/s   peak {peak[side]:5.0f} MB   ({given.pages} pages)")
    print(f"ours ÷ bare: {speed['ours'] / speed['bare']:.2f} (goal ≥ {GOAL})")


if __name__ == "__main__":
    main()
