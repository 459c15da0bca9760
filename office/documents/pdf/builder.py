"""Builds a document in one language from shared pieces: words, texts of the office, tables of money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from office.documents.pdf.blocks import Block, Column, Fact, PayBox, Table, Text
from office.documents.pdf.document import Document, Form, Letterhead, Mark, letterhead
from office.documents.pdf.templates import Blocks, Filled
from office.documents.pdf.values import ChargeLine, DebtLine, EstateDetails, LateFeeTerms, Recipient
from office.documents.pdf.wording import money, number, words_of


class DocumentBuilder:
    """Collects the blocks of one document of a kind, in one language."""

    def __init__(self, kind: str, estate: EstateDetails, language: str, stored: Blocks | None) -> None:
        self.kind = kind
        self.estate = estate
        self.language = language
        self.words = words_of(language, estate.word_set)
        self._stored = stored
        self._to: Recipient | None = None
        self._blocks: Filled | None = None

    def fill(self, **values: str) -> None:
        """Set the values of the placeholders in this document's texts."""
        self._blocks = Filled(self.kind, self.language, self._stored, values, self.estate.word_set)

    def __getitem__(self, block: str) -> str:
        assert self._blocks is not None, "fill the placeholders first"
        return self._blocks[block]

    def money(self, amount: Decimal) -> str:
        return money(amount, self.estate.currency)

    def sealed(self, name: str) -> str:
        """Whose seal belongs there: `翠湖物业服务有限公司（盖章）`."""
        return f"{name}{'' if self.words.is_chinese else ' '}{self.words['seal']}"

    def sender(self) -> dict[str, str]:
        return {
            "estate_name": self.estate.name,
            "company_name": self.estate.creditor,
            "estate_phone": self.estate.phone,
        }

    def letter(self, recipient: Recipient, number: str, issued_on: date) -> dict[str, str]:
        """The placeholders that every letter to a payer knows; its further pages name the payer (D10)."""
        self._to = recipient
        return {
            **self.sender(),
            "payer_name": recipient.name,
            "unit_code": recipient.unit_code,
            "number": number,
            "issued_on": self.words.day(issued_on),
        }

    def summed(self, amount: Decimal) -> dict[str, str]:
        """The placeholders of a sum: in figures and in Chinese capitals (D2)."""
        return {"amount": self.money(amount), "capitals": self.capitals(amount)}

    def capitals(self, amount: Decimal) -> str:
        return self.words.capitals(amount, self.estate.currency_code)

    def address(self, to: Recipient) -> str:
        """Where a letter goes, in one line."""
        return "　".join(line for line in self.places(to) if line)

    def places(self, to: Recipient) -> tuple[str, ...]:
        """Where a letter goes: the payer's own post address, else the unit on the estate."""
        here = (self.estate.address, f"{self.estate.name} {to.unit_code}")
        return (to.address,) if to.address.strip() else here

    def contact(self, name: str, phone: str) -> tuple[str, str]:
        """Whom to ask: the person named, else the office."""
        return (name, phone or self.estate.phone) if name else (self.estate.name, self.estate.phone)

    def contract(self) -> str:
        """The company's contract with the owners with its number; empty while the office has not said it."""
        contract = self.estate.contract
        if not contract.name:
            return ""
        is_quoted = contract.name.startswith("《")
        named = contract.name if is_quoted else self.words.text("contract_named", name=contract.name)
        numbered = self.words.text("contract_numbered", number=contract.number) if contract.number else ""
        return named + numbered

    def basis(self) -> str:
        """The sentence on what the fees rest: contract and clause; empty while these are unknown (D6)."""
        contract, clause = self.contract(), self.estate.contract.fees_clause
        if not contract:
            return ""
        key = "basis_clause" if clause else "basis_contract"
        return self.words.text(key, contract=contract, clause=clause)

    def late_fee_terms(self, terms: LateFeeTerms | None) -> str:
        """The sentences on rate, first day, cap and clause of the late fee; empty where none is charged."""
        if terms is None:
            return ""
        words, clause = self.words, self.estate.contract.late_fees_clause
        said = words.text("late_fee_rate", rate=_percent(terms.daily_rate), first=terms.grace_days + 1)
        if terms.cap_rate is not None:
            said += words.text("late_fee_cap", cap=_percent(terms.cap_rate))
        return said + (words.text("late_fee_clause", clause=clause) if clause else "")

    def text(self, block: str, *, is_letter: bool = False) -> list[Block]:
        """The block as paragraphs; nothing when the office left it empty."""
        text = self[block]
        is_indented = is_letter and self.words.is_chinese
        return [Text(text, is_indented=is_indented)] if text.strip() else []

    def note(self, block: str = "note") -> list[Block]:
        text = self[block]
        return [Text(text, size=9, ink="faint")] if text.strip() else []

    def notes(self, *blocks: str) -> list[Block]:
        """Several notes under each other in small type, for a sheet with little room."""
        said = "\n".join(text for text in (self[block].strip() for block in blocks) if text)
        return [Text(said, size=8, ink="faint", after=2)] if said else []

    def opening(self, block: str = "greeting") -> list[Block]:
        text = self[block]
        return [Text(text, size=11.5, ink="bold", after=4, is_heading=True)] if text.strip() else []

    def numbered(self, number: str, on: date | None) -> tuple[str, ...]:
        """The line under the title: number and date."""
        pairs = [self.words.pair("number", number)] if number else []
        if on:
            pairs.append(self.words.pair("date", self.words.day(on)))
        return tuple(pairs)

    def fact(self, key: str, value: str, *, is_wide: bool = False, min_height: float = 0) -> Fact:
        return Fact(self.words[key], value, is_wide, min_height)

    def column(
        self, key: str, share: float = 0, align: Literal["left", "right", "center"] = "left"
    ) -> Column:
        return Column(self.words[key], share, align)

    def charges(self, lines: Sequence[ChargeLine], total: Decimal | None = None) -> Table:
        """Bill lines as quantity × rate = amount (B5); columns that no line fills are left out."""
        columns = [self.column("fee_item", 3)]
        has_quantity = any(line.quantity is not None for line in lines)
        has_explanation = any(line.explanation for line in lines)
        if has_quantity:
            columns += [self.column("quantity", align="right"), self.column("rate", align="right")]
        columns.append(self.column("amount", align="right"))
        if has_explanation:
            columns.append(self.column("explanation", 4))

        def row(item: str, quantity: str, rate: str, amount: str, explanation: str) -> list[str]:
            middle = [quantity, rate] if has_quantity else []
            return [item, *middle, amount, *([explanation] if has_explanation else [])]

        rows = [
            row(
                line.item,
                f"{number(line.quantity)} {line.unit}".strip(),
                number(line.rate, 2),
                self.money(line.amount),
                line.explanation,
            )
            for line in lines
        ]
        if total is not None:
            rows.append(row(self.words["total"], "", "", self.money(total), ""))
        return Table(columns, rows, sums=int(total is not None))

    def debts_of_units(self, debts: Sequence[DebtLine], waiting: Sequence[str]) -> list[Block]:
        """What is open; of several units first a line for each with its sum, and which are on hold (C19)."""
        parts: list[Block] = [self.debts(debts)]
        if codes := _units(debts):
            columns = [
                self.column("unit_code", 2),
                self.column("bills", align="right"),
                self.column("sum", align="right"),
            ]
            own = {code: [debt for debt in debts if debt.unit_code == code] for code in codes}
            rows = [[code, str(len(rows)), self.money(total_of(rows))] for code, rows in own.items()]
            total = [self.words["total_owed"], str(len(debts)), self.money(total_of(debts))]
            parts.insert(0, Table(columns, [*rows, total], sums=1))
        if said := self.words.waiting(waiting):
            parts.append(Text(said))
        return parts

    def debts(self, debts: Sequence[DebtLine]) -> Table:
        """What is open, per invoice, with its sum."""
        has_units = any(debt.unit_code for debt in debts)
        has_late_fee = any(debt.late_fee for debt in debts)
        has_days = any(debt.days for debt in debts)
        columns = [
            *([self.column("unit_code", 2)] if has_units else []),
            self.column("invoice_number", 3),
            self.column("period", 2),
            self.column("due_on", 2),
            self.column("principal", align="right"),
        ]
        if has_late_fee:
            columns += [self.column("days_late", align="right")] if has_days else []
            columns += [self.column("late_fee", align="right"), self.column("sum", align="right")]
        rows = [
            [
                *([debt.unit_code] if has_units else []),
                debt.invoice_number,
                self.words.period(debt.period),
                self.words.day(debt.due_on),
                self.money(debt.amount),
                *(
                    [
                        *([str(debt.days)] if has_days else []),
                        self.money(debt.late_fee),
                        self.money(debt.amount + debt.late_fee),
                    ]
                    if has_late_fee
                    else []
                ),
            ]
            for debt in debts
        ]
        principal = sum((debt.amount for debt in debts), Decimal(0))
        late_fee = sum((debt.late_fee for debt in debts), Decimal(0))
        last = [self.words["total_owed"], *([""] if has_units else []), "", "", self.money(principal)]
        if has_late_fee:
            last += [""] if has_days else []
            last += [self.money(late_fee), self.money(principal + late_fee)]
        return Table(columns, [*rows, last], sums=1)

    def owed(self, debts: Sequence[DebtLine]) -> dict[str, str]:
        """The placeholders about debts."""
        oldest = min(debts, key=lambda debt: debt.due_on, default=None)
        units = self.words.comma.join(_units(debts))
        return {
            **self.summed(total_of(debts)),
            **({"unit_code": units} if units else {}),
            "oldest_period": self.words.period(oldest.period) if oldest else "",
            "invoice_count": str(len(debts)),
        }

    def pay_box(self, unit_code: str, number: str, debts: Sequence[DebtLine] = ()) -> PayBox:
        """How to pay; `debts` of several units have a memo each, by which a transfer finds its unit (M5)."""
        words = self.words
        oldest = {
            code: min((debt for debt in debts if debt.unit_code == code), key=lambda debt: debt.due_on)
            for code in _units(debts)
        }
        each = words.comma.join(pay_memo(code, debt.invoice_number) for code, debt in oldest.items())
        return PayBox(
            words["ways_to_pay"],
            self.estate.ways_to_pay,
            words["memo_each" if each else "memo"],
            each or pay_memo(unit_code, number),
            words["scan"],
            [(words[f"pay_by.{code.way}"], code.picture) for code in self.estate.codes_to_pay],
        )

    def document(
        self,
        parts: Sequence[Block],
        *,
        number: str = "",
        on: date | None = None,
        mark: Mark = "",
        form: Form = "a4",
        head: Letterhead | None = None,
        under_title: Sequence[str] | None = None,
        is_posted: bool = False,
    ) -> Document:
        return Document(
            kind=self.kind,
            language=self.language,
            head=head or letterhead(self.estate, self.words),
            time_zone=self.estate.time_zone,
            title=self["title"],
            number=number,
            window=self._address() if is_posted else (),
            payer=f"{self._to.name} {self._to.unit_code}".strip() if self._to else "",
            parts=parts,
            under_title=self.numbered(number, on) if under_title is None else under_title,
            mark=mark,
            form=form,
            word_set=self.estate.word_set,
        )

    def _address(self) -> tuple[str, ...]:
        """To whom and where a letter goes, in the order in which an envelope says it."""
        if self._to is None:
            return ()
        where = self.places(self._to)
        name = self._to.name + self.words["post_to"]
        lines = (*where, name) if self.words.is_chinese else (name, *reversed(where))
        return tuple(line for line in lines if line.strip())


def total_of(debts: Sequence[DebtLine]) -> Decimal:
    """Principal and late fees of debts together, in yuan (D2)."""
    return sum((debt.amount + debt.late_fee for debt in debts), Decimal(0))


def _units(debts: Sequence[DebtLine]) -> list[str]:
    """The units that a paper about several names, in its order; none on a paper about one."""
    return list(dict.fromkeys(debt.unit_code for debt in debts if debt.unit_code))


def _percent(rate: Decimal) -> str:
    """A rate as people read it: 0.0005 is 0.05%."""
    return f"{number(rate * 100)}%"


def pay_memo(unit_code: str, invoice_number: str) -> str:
    """What a transfer's memo must hold for its statement row to match: unit code, then invoice (M5)."""
    return f"{unit_code} {invoice_number}".strip()
