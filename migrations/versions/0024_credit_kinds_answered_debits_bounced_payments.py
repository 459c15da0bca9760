"""a credit note is an error or goodwill; a debit keeps another amount that was answered; a restriction follows one

A credit note of before left the late fee, as goodwill does.
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
KNOWN = 'credit_note_kind_known'
FOLLOWS = 'restriction_follows_id_fkey'
ONCE = 'restriction_follows_id_key'


def upgrade() -> None:
    with op.batch_alter_table('credit_note', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(10), server_default='goodwill', nullable=False))
        batch_op.create_check_constraint(batch_op.f(KNOWN), "kind IN ('error', 'goodwill')")
    with op.batch_alter_table('direct_debit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('answered', sa.BigInteger(), nullable=True))
    with op.batch_alter_table('restriction', schema=None) as batch_op:
        batch_op.add_column(sa.Column('follows_id', ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f(FOLLOWS), 'restriction', ['follows_id'], ['id'], ondelete='RESTRICT'
        )
        batch_op.create_unique_constraint(batch_op.f(ONCE), ['follows_id'])


def downgrade() -> None:
    with op.batch_alter_table('restriction', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(ONCE), type_='unique')
        batch_op.drop_constraint(batch_op.f(FOLLOWS), type_='foreignkey')
        batch_op.drop_column('follows_id')
    with op.batch_alter_table('direct_debit', schema=None) as batch_op:
        batch_op.drop_column('answered')
    with op.batch_alter_table('credit_note', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(KNOWN), type_='check')
        batch_op.drop_column('kind')
