"""bills taken back: what was asked for, and each bill with its credit note"""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'take_back',
        sa.Column('period', sa.String(7), nullable=False),
        sa.Column('scope', sa.String(10), server_default='estate', nullable=False),
        sa.Column('scope_value', sa.String(), server_default='', nullable=False),
        sa.Column('unit_kind', sa.String(20), server_default='', nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('bills', sa.Integer(), server_default='0', nullable=False),
        sa.Column('amount', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('left_out', sa.String(), server_default='[]', nullable=False),
        sa.Column('state', sa.String(10), server_default='requested', nullable=False),
        sa.Column('asked_by_id', ID, nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('decided_by_id', ID, nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'refused')", name=op.f('take_back_state_known')
        ),
        sa.CheckConstraint(
            "scope IN ('estate', 'area', 'building', 'units')", name=op.f('take_back_scope_known')
        ),
        sa.CheckConstraint(
            "unit_kind IN ('', 'residence', 'office', 'shop', 'parking', 'storage')",
            name=op.f('take_back_unit_kind_known'),
        ),
        sa.CheckConstraint('asked_by_id <> decided_by_id', name=op.f('take_back_takes_two_people')),
        sa.CheckConstraint('bills >= 0 AND amount >= 0', name=op.f('take_back_not_negative')),
        *(
            sa.ForeignKeyConstraint(
                [column], ['staff.id'], name=op.f(f'take_back_{column}_fkey'), ondelete='RESTRICT'
            )
            for column in ('asked_by_id', 'decided_by_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('take_back_pkey')),
    )
    op.create_index(op.f('take_back_period_idx'), 'take_back', ['period'])
    op.create_table(
        'taken_bill',
        sa.Column('take_back_id', ID, nullable=False),
        sa.Column('invoice_id', ID, nullable=False),
        sa.Column('credit_note_id', ID, nullable=False),
        sa.Column('id', ID, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [f'{table}_id'], [f'{table}.id'], name=op.f(f'taken_bill_{table}_id_fkey'), ondelete='RESTRICT'
            )
            for table in ('take_back', 'invoice', 'credit_note')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('taken_bill_pkey')),
        sa.UniqueConstraint('invoice_id', name=op.f('taken_bill_invoice_id_key')),
        sa.UniqueConstraint('credit_note_id', name=op.f('taken_bill_credit_note_id_key')),
    )
    op.create_index(op.f('taken_bill_take_back_id_idx'), 'taken_bill', ['take_back_id'])


def downgrade() -> None:
    op.drop_table('taken_bill')
    op.drop_table('take_back')
