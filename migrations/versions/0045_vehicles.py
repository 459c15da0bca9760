"""vehicles and their parking cards"""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'vehicle',
        sa.Column('plate', sa.String(20), nullable=False),
        sa.Column('plate_folded', sa.String(60), nullable=False),
        sa.Column('unit_id', ID, nullable=True),
        sa.Column('owner_id', ID, nullable=True),
        sa.Column('bay_id', ID, nullable=True),
        sa.Column('card_from', sa.Date(), nullable=False),
        sa.Column('card_to', sa.Date(), nullable=False),
        sa.Column('note', sa.String(), server_default='', nullable=False),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('length(plate) > 0', name=op.f('vehicle_has_a_plate')),
        sa.CheckConstraint('unit_id IS NOT NULL OR owner_id IS NOT NULL', name=op.f('vehicle_is_somebodys')),
        sa.CheckConstraint('card_from <= card_to', name=op.f('vehicle_card_from_before_to')),
        *(
            sa.ForeignKeyConstraint(
                [column], [f'{target}.id'], name=op.f(f'vehicle_{column}_fkey'), ondelete='RESTRICT'
            )
            for column, target in (('unit_id', 'unit'), ('owner_id', 'owner'), ('bay_id', 'unit'))
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('vehicle_pkey')),
        sa.UniqueConstraint('plate', name=op.f('vehicle_plate_key')),
        sa.UniqueConstraint('plate_folded', name=op.f('vehicle_plate_folded_key')),
    )
    op.create_index('vehicle_unit_idx', 'vehicle', ['unit_id'])
    op.create_index('vehicle_owner_idx', 'vehicle', ['owner_id'])
    op.create_index('vehicle_bay_idx', 'vehicle', ['bay_id', 'card_from'])
    op.create_index('vehicle_card_end_idx', 'vehicle', ['card_to', 'id'])
    if op.get_bind().dialect.name == 'postgresql':
        op.create_index(
            'vehicle_plate_folded_prefix_idx',
            'vehicle',
            ['plate_folded'],
            postgresql_ops={'plate_folded': 'varchar_pattern_ops'},
        )


def downgrade() -> None:
    op.drop_table('vehicle')
