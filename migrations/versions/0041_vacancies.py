"""vacancies of units, and what part of an item empty units are charged"""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
PART = 'fee_item_vacancy_factor_is_a_part'


def _key(column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f'{target}.id'], name=op.f(f'vacancy_{column}_fkey'), ondelete='RESTRICT'
    )


def upgrade() -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.add_column(sa.Column('vacancy_factor', sa.BigInteger(), nullable=True))
        batch_op.create_check_constraint(op.f(PART), 'vacancy_factor >= 0 AND vacancy_factor <= 10000')
    op.create_table(
        'vacancy',
        sa.Column('unit_id', ID, nullable=False),
        sa.Column('fee_item_id', ID, nullable=True),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('valid_to', sa.Date(), nullable=True),
        sa.Column('factor', sa.BigInteger(), nullable=True),
        sa.Column('proof', sa.String(), nullable=False),
        sa.Column('state', sa.String(10), server_default='requested', nullable=False),
        sa.Column('asked_by_id', ID, nullable=True),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('checked_on', sa.Date(), nullable=True),
        sa.Column('decided_by_id', ID, nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'refused')", name=op.f('vacancy_state_known')
        ),
        sa.CheckConstraint('valid_to IS NULL OR valid_from <= valid_to', name=op.f('vacancy_from_before_to')),
        sa.CheckConstraint('factor >= 0 AND factor <= 10000', name=op.f('vacancy_factor_is_a_part')),
        sa.CheckConstraint("proof <> ''", name=op.f('vacancy_has_proof')),
        _key('unit_id', 'unit'),
        _key('fee_item_id', 'fee_item'),
        _key('asked_by_id', 'staff'),
        _key('decided_by_id', 'staff'),
        sa.PrimaryKeyConstraint('id', name=op.f('vacancy_pkey')),
    )
    op.create_index('vacancy_unit_idx', 'vacancy', ['unit_id', 'valid_from'])
    op.create_index('vacancy_end_idx', 'vacancy', ['valid_to', 'id'])


def downgrade() -> None:
    op.drop_table('vacancy')
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(PART), type_='check')
        batch_op.drop_column('vacancy_factor')
