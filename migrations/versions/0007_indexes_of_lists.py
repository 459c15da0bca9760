"""indexes of lists"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

# index, table, columns, the rows it holds
INDEXES = (
    ('contact_broken_idx', 'contact', ['at', 'id'], "promise_state = 'broken'"),
    ('contact_lost_idx', 'contact', ['at', 'id'], "arrears_reason = 'unreachable'"),
    ('job_run_due_idx', 'job_run', ['due_for', 'id'], None),
    ('job_run_failed_idx', 'job_run', ['due_for', 'id'], "state IN ('failed', 'dead')"),
    ('message_made_idx', 'message', ['made_at', 'id'], None),
    ('message_unsent_idx', 'message', ['made_at', 'id'], "state IN ('pending', 'failed', 'sending', 'unknown', 'dead')"),
    ('occupancy_from_idx', 'occupancy', ['from_on', 'id'], None),
    ('paper_issued_idx', 'paper', ['issued_at', 'id'], None),
    ('payment_paid_idx', 'payment', ['paid_at', 'id'], None),
    ('reminder_unknown_idx', 'reminder', ['planned_on', 'id'], "state IN ('unknown', 'dead')"),
    ('ticket_open_list_idx', 'ticket', ['registered_at', 'id'], 'closed_at IS NULL'),
    ('ticket_clock_late_idx', 'ticket_clock', ['id'], "state = 'breached' AND stopped_at IS NULL"),
    ('unit_vacant_idx', 'unit', ['code', 'id'], "state = 'vacant'"),
    ('visit_due_idx', 'visit', ['due_at', 'id'], None),
    ('visit_outcome_idx', 'visit', ['outcome', 'due_at', 'id'], None),
)


def upgrade() -> None:
    for name, table, columns, rows in INDEXES:
        where = {'sqlite_where': sa.text(rows), 'postgresql_where': sa.text(rows)} if rows else {}
        op.create_index(name, table, columns, **where)


def downgrade() -> None:
    for name, table, _columns, _rows in reversed(INDEXES):
        op.drop_index(name, table)
