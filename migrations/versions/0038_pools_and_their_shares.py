"""costs that units share: pools, shares of pools; fee items of the basis `shared`"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
BASIS = 'fee_item_basis_known'
BASES = ('per_m2', 'per_person', 'fixed', 'metered', 'per_hour', 'per_job', 'one_off', 'deposit')


def _known_bases(bases: tuple[str, ...]) -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(BASIS), type_='check')
        batch_op.create_check_constraint(
            batch_op.f(BASIS), f"basis IN ({', '.join(repr(one) for one in bases)})"
        )


def upgrade() -> None:
    _known_bases((*BASES, 'shared'))
    op.create_table(
        'pool',
        sa.Column('period', sa.String(7), nullable=False),
        sa.Column('fee_item_id', ID, nullable=False),
        sa.Column('scope', sa.String(10), nullable=False),
        sa.Column('scope_value', sa.String(), server_default='', nullable=False),
        sa.Column('place', sa.String(80), nullable=False),
        sa.Column('key', sa.String(20), nullable=False),
        sa.Column('metered_item_id', ID, nullable=True),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('main_start', sa.BigInteger(), nullable=True),
        sa.Column('main_end', sa.BigInteger(), nullable=True),
        sa.Column('main_factor', sa.BigInteger(), server_default='10000', nullable=False),
        sa.Column('sub_meters', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('price', sa.BigInteger(), nullable=True),
        sa.Column('correction', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('corrects_id', ID, nullable=True),
        sa.Column('right_amount', sa.BigInteger(), nullable=True),
        sa.Column('denominator', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('vacant', sa.String(10), server_default='share', nullable=False),
        sa.Column('unsold', sa.String(10), server_default='share', nullable=False),
        sa.Column('developer', sa.String(10), server_default='share', nullable=False),
        sa.Column('note', sa.String(), server_default='', nullable=False),
        sa.Column('state', sa.String(10), server_default='open', nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint("scope IN ('estate', 'area', 'building', 'units')", name=op.f('pool_scope_known')),
        sa.CheckConstraint(
            "key IN ('area', 'household', 'consumption', 'coefficient')", name=op.f('pool_key_known')
        ),
        *(
            sa.CheckConstraint(f"{name} IN ('share', 'none')", name=op.f(f'pool_{name}_known'))
            for name in ('vacant', 'unsold', 'developer')
        ),
        sa.CheckConstraint("state IN ('open', 'billed', 'cancelled')", name=op.f('pool_state_known')),
        sa.CheckConstraint(
            "(scope = 'estate') = (scope_value = '')", name=op.f('pool_scope_says_of_what')
        ),
        sa.CheckConstraint('amount > 0', name=op.f('pool_amount_positive')),
        sa.CheckConstraint(
            '(main_start IS NULL) = (main_end IS NULL) AND (main_start IS NULL) = (price IS NULL)',
            name=op.f('pool_reading_is_whole'),
        ),
        sa.CheckConstraint(
            'main_end >= main_start AND main_factor > 0 AND sub_meters >= 0 AND price >= 0',
            name=op.f('pool_reading_in_order'),
        ),
        *(
            sa.ForeignKeyConstraint(
                [f'{column}_id'], [f'{table}.id'], name=op.f(f'pool_{column}_id_fkey'), ondelete='RESTRICT'
            )
            for column, table in (
                ('fee_item', 'fee_item'),
                ('metered_item', 'fee_item'),
                ('corrects', 'pool'),
            )
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pool_pkey')),
    )
    op.create_index(
        'pool_once_idx',
        'pool',
        ['period', 'fee_item_id', 'place'],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.create_index(op.f('pool_fee_item_id_idx'), 'pool', ['fee_item_id'])
    op.create_index(op.f('pool_corrects_id_idx'), 'pool', ['corrects_id'])
    op.create_table(
        'pool_share',
        sa.Column('pool_id', ID, nullable=False),
        sa.Column('unit_id', ID, nullable=False),
        sa.Column('key_value', sa.BigInteger(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('invoice_id', ID, nullable=True),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('key_value >= 0 AND amount >= 0', name=op.f('pool_share_not_negative')),
        *(
            sa.ForeignKeyConstraint(
                [f'{table}_id'], [f'{table}.id'], name=op.f(f'pool_share_{table}_id_fkey'), ondelete='RESTRICT'
            )
            for table in ('pool', 'unit', 'invoice')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pool_share_pkey')),
        sa.UniqueConstraint('pool_id', 'unit_id', name=op.f('pool_share_once_per_unit')),
    )
    op.create_index('pool_share_unit_idx', 'pool_share', ['unit_id'])
    op.create_index(op.f('pool_share_invoice_id_idx'), 'pool_share', ['invoice_id'])


def downgrade() -> None:
    op.drop_table('pool_share')
    op.drop_table('pool')
    # the older program knows no such basis: its items stay, switched off, as one-off charges
    op.execute("UPDATE fee_item SET basis = 'one_off', is_active = false WHERE basis = 'shared'")
    _known_bases(BASES)
