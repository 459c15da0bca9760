"""how each person has a list: columns, widths, density, where it opens; views that are mailed"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MAILED = 'saved_view_mail_every_known'


def upgrade() -> None:
    with op.batch_alter_table('saved_view', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mail_every', sa.String(10), server_default='', nullable=False))
        batch_op.create_check_constraint(op.f(MAILED), "mail_every IN ('', 'week', 'month')")
    op.create_table(
        'list_setting',
        sa.Column('staff_id', ID, nullable=False),
        sa.Column('screen', sa.String(60), nullable=False),
        sa.Column('device', sa.String(10), nullable=False),
        sa.Column('columns', sa.String(), server_default='', nullable=False),
        sa.Column('widths', sa.JSON(), nullable=False),
        sa.Column('density', sa.String(10), server_default='', nullable=False),
        sa.Column('start', sa.String(60), server_default='', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint("device IN ('desk', 'phone')", name=op.f('list_setting_device_known')),
        sa.CheckConstraint("density IN ('', 'tight')", name=op.f('list_setting_density_known')),
        sa.ForeignKeyConstraint(
            ['staff_id'], ['staff.id'], name=op.f('list_setting_staff_id_fkey'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('list_setting_pkey')),
        sa.UniqueConstraint('staff_id', 'screen', 'device', name='list_setting_once'),
    )


def downgrade() -> None:
    op.drop_table('list_setting')
    with op.batch_alter_table('saved_view', schema=None) as batch_op:
        batch_op.drop_constraint(op.f(MAILED), type_='check')
        batch_op.drop_column('mail_every')
