"""hints for the desk, per building or unit"""

import sqlalchemy as sa
from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'desk_hint',
        sa.Column('building_id', ID, nullable=True),
        sa.Column('unit_id', ID, nullable=True),
        sa.Column('kind', sa.String(12), server_default='other', nullable=False),
        sa.Column('words', sa.String(), nullable=False),
        sa.Column('from_on', sa.Date(), nullable=False),
        sa.Column('to_on', sa.Date(), nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint("kind IN ('key', 'contractor', 'other')", name=op.f('desk_hint_kind_known')),
        sa.CheckConstraint(
            '(building_id IS NULL) <> (unit_id IS NULL)', name=op.f('desk_hint_of_one_place')
        ),
        sa.CheckConstraint('to_on >= from_on', name=op.f('desk_hint_from_before_to')),
        *(
            sa.ForeignKeyConstraint(
                [f'{table}_id'], [f'{table}.id'], name=op.f(f'desk_hint_{table}_id_fkey'), ondelete='RESTRICT'
            )
            for table in ('building', 'unit')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('desk_hint_pkey')),
    )
    op.create_index(op.f('desk_hint_building_id_idx'), 'desk_hint', ['building_id'])
    op.create_index(op.f('desk_hint_unit_id_idx'), 'desk_hint', ['unit_id'])


def downgrade() -> None:
    op.drop_table('desk_hint')
