"""known incidents, and the complaints joined to each"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WORDS = ('scope_value', 'staff_words', 'residents_words', 'residents_words_zh_hant', 'residents_words_en')


def _belongs(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f'{target}.id'], name=op.f(f'{table}_{column}_fkey'), ondelete='RESTRICT'
        )
        for column, target in columns
    ]


def upgrade() -> None:
    op.create_table(
        'incident',
        sa.Column('number', sa.String(40), nullable=False),
        sa.Column('title', sa.String(120), nullable=False),
        sa.Column('scope', sa.String(10), server_default='estate', nullable=False),
        *(sa.Column(name, sa.String(), server_default='', nullable=False) for name in WORDS),
        sa.Column('category_id', ID, nullable=True),
        sa.Column('is_planned', sa.Boolean(), server_default='0', nullable=False),
        sa.Column('begins_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('raised_to', sa.String(20), server_default='', nullable=False),
        sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('resolution', sa.String(), server_default='', nullable=False),
        sa.Column('made_by_id', ID, nullable=True),
        sa.Column('row_version', sa.Integer(), server_default='1', nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint(
            "scope IN ('estate', 'area', 'building', 'units')", name=op.f('incident_scope_known')
        ),
        sa.CheckConstraint(
            "(scope = 'estate') = (scope_value = '')", name=op.f('incident_scope_says_of_what')
        ),
        sa.CheckConstraint('ends_at >= begins_at', name=op.f('incident_ends_after_it_begins')),
        sa.CheckConstraint(
            "closed_at IS NULL OR resolution <> ''", name=op.f('incident_closed_says_what_was_done')
        ),
        *_belongs('incident', ('category_id', 'category'), ('made_by_id', 'staff')),
        sa.PrimaryKeyConstraint('id', name=op.f('incident_pkey')),
        sa.UniqueConstraint('number', name=op.f('incident_number_key')),
    )
    op.create_index('incident_begins_idx', 'incident', ['begins_at', 'id'])
    op.create_index(
        'incident_open_idx',
        'incident',
        ['id'],
        sqlite_where=sa.text('closed_at IS NULL'),
        postgresql_where=sa.text('closed_at IS NULL'),
    )
    op.create_index(op.f('incident_category_id_idx'), 'incident', ['category_id'])
    op.create_index(op.f('incident_made_by_id_idx'), 'incident', ['made_by_id'])
    op.create_table(
        'incident_ticket',
        sa.Column('incident_id', ID, nullable=False),
        sa.Column('ticket_id', ID, nullable=False),
        sa.Column('is_lead', sa.Boolean(), server_default='0', nullable=False),
        sa.Column('added_households', sa.Integer(), server_default='0', nullable=False),
        sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('staff_id', ID, nullable=True),
        sa.Column('id', ID, nullable=False),
        sa.CheckConstraint('added_households >= 0', name=op.f('incident_ticket_households_not_negative')),
        *_belongs(
            'incident_ticket', ('incident_id', 'incident'), ('ticket_id', 'ticket'), ('staff_id', 'staff')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('incident_ticket_pkey')),
        sa.UniqueConstraint('ticket_id', name=op.f('incident_ticket_once_per_ticket')),
    )
    op.create_index(
        'incident_ticket_lead_once',
        'incident_ticket',
        ['incident_id'],
        unique=True,
        sqlite_where=sa.text('is_lead'),
        postgresql_where=sa.text('is_lead'),
    )
    op.create_index('incident_ticket_incident_idx', 'incident_ticket', ['incident_id', 'id'])
    op.create_index(op.f('incident_ticket_staff_id_idx'), 'incident_ticket', ['staff_id'])


def downgrade() -> None:
    op.drop_table('incident_ticket')
    op.drop_table('incident')
