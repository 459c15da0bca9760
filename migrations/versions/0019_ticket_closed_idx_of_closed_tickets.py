"""ticket_closed_idx holds the closed tickets only"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

CLOSED = sa.text('closed_at IS NOT NULL')


def upgrade() -> None:
    op.drop_index('ticket_closed_idx', 'ticket')
    op.create_index('ticket_closed_idx', 'ticket', ['closed_at'], sqlite_where=CLOSED, postgresql_where=CLOSED)


def downgrade() -> None:
    op.drop_index('ticket_closed_idx', 'ticket')
    op.create_index('ticket_closed_idx', 'ticket', ['closed_at'])
