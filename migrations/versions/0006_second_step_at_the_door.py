"""second step at the door, recovery codes"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('recovery_code',
    sa.Column('id', ID, nullable=False),
    sa.Column('staff_id', ID, nullable=False),
    sa.Column('code_mac', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('recovery_code_staff_id_fkey'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('recovery_code_pkey')),
    sa.UniqueConstraint('staff_id', 'code_mac', name='recovery_code_once'),
    )
    op.add_column('staff', sa.Column('totp_step', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('staff', 'totp_step')
    op.drop_table('recovery_code')
