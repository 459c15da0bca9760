"""rent contracts of units and how their rent changes"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _key(table: str, target: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f'{target}.id'], name=op.f(f'{table}_{column}_fkey'), ondelete='RESTRICT'
    )


def upgrade() -> None:
    op.create_table(
        'rent_contract',
        sa.Column('number', sa.String(60), nullable=False),
        sa.Column('number_folded', sa.String(180), nullable=False),
        sa.Column('unit_id', ID, nullable=False),
        sa.Column('owner_id', ID, nullable=False),
        sa.Column('fee_item_id', ID, nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('valid_to', sa.Date(), nullable=False),
        sa.Column('rent', sa.BigInteger(), nullable=False),
        sa.Column('deposit', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('step_every_months', sa.Integer(), nullable=True),
        sa.Column('step_percent', sa.BigInteger(), nullable=True),
        sa.Column('step_amount', sa.BigInteger(), nullable=True),
        sa.Column('rent_free_from', sa.Date(), nullable=True),
        sa.Column('rent_free_to', sa.Date(), nullable=True),
        sa.Column('note', sa.String(), server_default='', nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('valid_from <= valid_to', name=op.f('rent_contract_from_before_to')),
        sa.CheckConstraint('rent > 0', name=op.f('rent_contract_rent_above_zero')),
        sa.CheckConstraint('deposit >= 0', name=op.f('rent_contract_deposit_not_negative')),
        sa.CheckConstraint(
            'step_every_months IS NULL AND step_percent IS NULL AND step_amount IS NULL '
            'OR step_every_months IS NOT NULL AND (step_percent IS NULL) <> (step_amount IS NULL)',
            name=op.f('rent_contract_step_says_when_and_one_of_how_much'),
        ),
        sa.CheckConstraint(
            'step_every_months BETWEEN 1 AND 600', name=op.f('rent_contract_step_months_in_range')
        ),
        sa.CheckConstraint(
            'step_percent > 0 AND step_amount > 0', name=op.f('rent_contract_step_above_zero')
        ),
        sa.CheckConstraint(
            '(rent_free_from IS NULL) = (rent_free_to IS NULL)',
            name=op.f('rent_contract_free_days_have_both_ends'),
        ),
        sa.CheckConstraint(
            'rent_free_from >= valid_from AND rent_free_from <= rent_free_to AND rent_free_to <= valid_to',
            name=op.f('rent_contract_free_days_within_its_own'),
        ),
        _key('rent_contract', 'unit', 'unit_id'),
        _key('rent_contract', 'owner', 'owner_id'),
        _key('rent_contract', 'fee_item', 'fee_item_id'),
        sa.PrimaryKeyConstraint('id', name=op.f('rent_contract_pkey')),
        sa.UniqueConstraint('number', name=op.f('rent_contract_number_key')),
        sa.UniqueConstraint('number_folded', name=op.f('rent_contract_number_folded_key')),
    )
    op.create_index('rent_contract_unit_idx', 'rent_contract', ['unit_id', 'valid_from'])
    op.create_index('rent_contract_owner_idx', 'rent_contract', ['owner_id'])
    op.create_index('rent_contract_end_idx', 'rent_contract', ['valid_to', 'id'])
    op.create_table(
        'rent_change',
        sa.Column('contract_id', ID, nullable=False),
        sa.Column('from_on', sa.Date(), nullable=False),
        sa.Column('percent', sa.BigInteger(), nullable=True),
        sa.Column('rent', sa.BigInteger(), nullable=True),
        sa.Column('reason', sa.String(), server_default='', nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            '(percent IS NULL) <> (rent IS NULL)', name=op.f('rent_change_says_percent_or_rent')
        ),
        sa.CheckConstraint('rent >= 0', name=op.f('rent_change_rent_not_negative')),
        sa.CheckConstraint('percent > -1000000', name=op.f('rent_change_leaves_something')),
        _key('rent_change', 'rent_contract', 'contract_id'),
        sa.PrimaryKeyConstraint('id', name=op.f('rent_change_pkey')),
        sa.UniqueConstraint('contract_id', 'from_on', name=op.f('rent_change_once_a_day')),
    )


def downgrade() -> None:
    op.drop_table('rent_change')
    op.drop_table('rent_contract')
