"""The delivery record (送达回证): a sheet of its own on which a letter's handing over is noted (D6).

The recipient keeps the letter, the office its record: where, when and how it was delivered, who signed and as
whom, why it was refused, who was there.
"""

from __future__ import annotations

from dataclasses import dataclass

from office.documents.pdf.blocks import Block, Facts, Signatures, Text
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.layout import Sheet
from office.documents.pdf.values import Recipient

HAND, WIDE_HAND = 34, 52  # points of room for handwriting


@dataclass(frozen=True)
class NextPage:
    """What comes after stands on a page of its own."""

    def place(self, sheet: Sheet) -> None:
        sheet.new_page()

    def held(self, _sheet: Sheet) -> float:
        return 0.0


def delivery_record(builder: DocumentBuilder, number: str, to: Recipient, *, by: str = "") -> list[Block]:
    """The record of one letter, filled in by hand; `by` is who is to deliver it."""
    words = builder.words
    address = builder.address(to)
    carrier = words["delivered_by"] + (words.colon + by if by else "")
    return [
        NextPage(),
        Text(words["delivery_record"], size=19, ink="bold", align="center", after=8),
        Facts(
            [
                builder.fact("delivered_paper", f"{builder['title']}　{number}", is_wide=True),
                builder.fact("delivered_from", builder.estate.creditor, is_wide=True),
                builder.fact("delivered_to", f"{to.name}　{to.unit_code}", is_wide=True),
                *([builder.fact("address", address, is_wide=True)] if address else []),
                builder.fact("delivered_at", words["delivered_at_blank"], is_wide=True, min_height=HAND),
                builder.fact("delivered_where", "", is_wide=True, min_height=HAND),
                builder.fact("delivery_method", words["delivery_methods"], is_wide=True),
                builder.fact("delivery_signed", "", min_height=WIDE_HAND),
                builder.fact("delivery_relation", "", min_height=WIDE_HAND),
                builder.fact("delivery_refused", "", is_wide=True, min_height=WIDE_HAND),
            ]
        ),
        Text(words["delivery_note"], size=9, ink="faint"),
        Signatures((carrier, words["delivery_witness"]), words["date_blank"]),
    ]
