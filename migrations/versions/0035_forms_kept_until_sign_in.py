"""forms sent after their session ended are kept until their person signs in; ended sessions stay a while"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('web_session', sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        'kept_form',
        sa.Column('key_hash', sa.String(64), nullable=False),
        sa.Column('staff_id', ID, nullable=False),
        sa.Column('sent', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['staff_id'], ['staff.id'], name=op.f('kept_form_staff_id_fkey'), ondelete='RESTRICT'
        ),
        sa.PrimaryKeyConstraint('key_hash', name=op.f('kept_form_pkey')),
    )
    op.create_index('kept_form_staff_idx', 'kept_form', ['staff_id'])
    op.create_index('kept_form_at_idx', 'kept_form', ['at'])


def downgrade() -> None:
    op.drop_table('kept_form')
    op.execute('DELETE FROM web_session WHERE ended_at IS NOT NULL')
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.drop_column('ended_at')
