"""On which sheet receipts are printed (M9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy_values import Checked

ReceiptLayout = Literal["a5", "slip"]


@dataclass(frozen=True)
class ReceiptPolicy(Checked):
    """The office's usual sheet of receipts: A5, or a slip of 80 mm; the desk may take the other (M9)."""

    layout: ReceiptLayout = "a5"
