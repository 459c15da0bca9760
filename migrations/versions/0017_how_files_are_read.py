"""how an office's files are read is remembered under a name"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('import_mapping',
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('name_folded', sa.String(length=240), nullable=False),
    sa.Column('headers', sa.String(), nullable=False),
    sa.Column('said', sa.String(), nullable=False),
    sa.Column('sheet', sa.String(length=80), server_default='', nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('import_mapping_staff_id_fkey'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('import_mapping_pkey')),
    sa.UniqueConstraint('kind', 'name', name='import_mapping_name_once'),
    sa.UniqueConstraint('kind', 'name_folded', name='import_mapping_name_folded_once'),
    )


def downgrade() -> None:
    op.drop_table('import_mapping')
