"""reports counted at night"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('report_count',
    sa.Column('id', ID, nullable=False),
    sa.Column('report', sa.String(length=20), nullable=False),
    sa.Column('period', sa.String(length=7), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('report_count_pkey')),
    sa.UniqueConstraint('report', 'period', name='report_count_once_per_period'),
    )


def downgrade() -> None:
    op.drop_table('report_count')
