"""how a complaint ended, and when it was taken over from an old register"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

OUTCOMES = ('', 'solved', 'cancelled', 'invalid', 'moved')


def upgrade() -> None:
    words = ', '.join(f"'{code}'" for code in OUTCOMES)
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('outcome', sa.String(12), server_default='', nullable=False))
        batch_op.add_column(sa.Column('taken_over_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(op.f('ticket_outcome_known'), f'outcome IN ({words})')
    op.execute("UPDATE ticket SET outcome = 'solved' WHERE state = 'closed'")
    op.execute("UPDATE ticket SET outcome = 'invalid' WHERE state = 'invalid'")


def downgrade() -> None:
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ticket_outcome_known'), type_='check')
        batch_op.drop_column('taken_over_at')
        batch_op.drop_column('outcome')
