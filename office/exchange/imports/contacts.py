"""Calls, messages and visits about debts that were noted elsewhere, with the promises they brought (C6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from office.arrears import contacts
from office.arrears.contacts import NewContact
from office.core.errors import N_
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly, text
from office.exchange.imports.taken import Taken


def outcome(given: str) -> str:
    """The code that common words stand for; else the words themselves."""
    return words.OUTCOME_WORDS.get(cells.key(given), given)


COLUMNS: tuple[Column, ...] = (
    Column(
        "at",
        ("时间", "時間", "联系时间", "聯繫時間", "催收时间", "催缴时间", "日期", "联系日期", "催缴日期"),
        columns.instant,
        is_required=True,
        is_key=True,
    ),
    columns.UNIT,
    Column(
        "method",
        ("方式", "联系方式", "聯繫方式", "催收方式", "催缴方式", "沟通方式"),
        plainly(cells.one_of(words.CONTACT_METHOD_WORDS)),
        is_required=True,
    ),
    Column(
        "outcome",
        heads("结果 結果 联系结果 催收结果 催缴结果 沟通结果"),
        plainly(outcome),
        empty="",
    ),
    Column(
        "promised_on",
        heads("承诺日期 承諾日期 承诺缴费日期 承诺付款日期 承诺时间"),
        plainly(cells.day),
    ),
    Column(
        "promised_amount",
        ("承诺金额", "承諾金額", "承诺缴费金额", "承诺付款金额"),
        plainly(cells.money_above_zero),
        measure="yuan",
    ),
    Column("note", ("备注", "備註", "说明", "沟通内容", "联系内容", "记录"), text(), empty=""),
)


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    found = columns.without_payer(rows, known)
    for row in rows:
        promised_on, amount = row["promised_on"], row["promised_amount"]
        if promised_on is None and amount is not None:
            found.append(
                columns.problem(
                    row, "promised_on", "", N_("empty"), N_("A promised amount needs the day of the promise")
                )
            )
        if promised_on is not None and promised_on < row["at"].astimezone(known.zone).date():
            found.append(
                columns.problem(
                    row,
                    "promised_on",
                    promised_on,
                    N_("before the contact itself"),
                    N_("Write the day by which it was to be paid"),
                )
            )
    return found


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, now: datetime, **_present: object
) -> Taken:
    """Enter the contacts that are not there yet; the payer is who paid for the unit that day."""
    rows = [
        NewContact(
            unit_id=row["unit_code"],
            method=row["method"],
            at=row["at"],
            outcome=row["outcome"],
            promised_on=row["promised_on"],
            promised_amount=row["promised_amount"],
            note=row["note"],
        )
        for row in given
    ]
    new = contacts.record_contacts(session, rows, now=now)
    return Taken(new=new, skipped=len(rows) - new)
