"""A column that names a row of another table has an index, or says here why none is needed (S8, S14, S22).

Without one, each question by it reads its whole table, and so does each deletion of the row it names.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

from models import db

# `table.column`: asked only together with what has an index, or in a table of some hundred rows
NEVER_ASKED_ALONE = {
    "arrears_notice.building_id",
    "cheque.fee_invoice_id",
    "collection_target.area_id",
    "credit_note.fee_item_id",
    "deposit.fee_item_id",
    "deposit.payer_id",
    "earmark.fee_item_id",
    "estate.developer_id",
    "incentive_grant.payment_id",
    "instalment_plan.payer_id",
    "invoice.run_id",
    "item_rate.building_id",
    "ledger_account.fee_item_id",
    "legal_case.payer_id",
    "pool.metered_item_id",
    "rent_contract.fee_item_id",
    "restriction.fee_item_id",
    "restriction.payer_id",
    "staff.department_id",
    "steward_building.building_id",
    "unit_item_payer.fee_item_id",
    "vacancy.fee_item_id",
    "voucher_line.building_id",
    "voucher_line.payer_id",
    "voucher_line.unit_id",
    "complainant.unit_id",
}


def without_index(metadata: MetaData) -> set[str]:
    """References that no index or key begins with; who did something is never asked for."""
    found = set()
    for table in metadata.tables.values():
        first = {index.columns[0].name for index in table.indexes}
        first |= {next(iter(table.primary_key)).name}
        first |= {
            next(iter(each.columns)).name for each in table.constraints if isinstance(each, UniqueConstraint)
        }
        found |= {
            f"{table.name}.{column.name}"
            for column in table.columns
            if column.name not in first
            and any(key.column.table.name != "staff" for key in column.foreign_keys)
        }
    return found


def test_what_is_asked_by_a_reference_has_an_index() -> None:
    assert without_index(db.metadata) == NEVER_ASKED_ALONE


def test_control_a_reference_without_index_is_noticed() -> None:
    metadata = MetaData()
    Table("payment", metadata, Column("id", Integer, primary_key=True))
    row = Table(
        "row",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("payment_id", ForeignKey("payment.id")),
    )

    assert without_index(metadata) == {"row.payment_id"}

    Index("row_payment_idx", row.c.payment_id)

    assert without_index(metadata) == set()
