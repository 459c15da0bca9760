"""a paper keeps the letterhead and texts of its first print, its date, its total and a digest of all it says"""

import hashlib
import json
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'paper_setting',
        sa.Column('sha256', sa.String(64), nullable=False),
        sa.Column('estate', sa.JSON(), nullable=False),
        sa.Column('texts', sa.JSON(), nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('paper_setting_pkey')),
        sa.UniqueConstraint('sha256', name=op.f('paper_setting_sha256_key')),
    )
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.add_column(sa.Column('setting_id', ID, nullable=True))
        batch_op.add_column(sa.Column('dated', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('total', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('sha256', sa.String(64), server_default='', nullable=False))
        batch_op.create_foreign_key(
            op.f('paper_setting_id_fkey'), 'paper_setting', ['setting_id'], ['id'], ondelete='RESTRICT'
        )
        batch_op.create_index('paper_setting_id_idx', ['setting_id'])
    _fill()


def _fill() -> None:
    """What the papers in the file say: their date, their total in fen, and the digest of their values."""
    paper = sa.table(
        'paper',
        *(sa.column(name) for name in ('id', 'kind', 'language', 'total', 'sha256')),
        sa.column('contents', sa.JSON),
        sa.column('dated', sa.Date),
    )
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(paper.c.id, paper.c.kind, paper.c.language, paper.c.contents)
        .where(paper.c.id > last)
        .order_by(paper.c.id)
        .limit(1000)
    ).all():
        for row in rows:
            said = {'kind': row.kind, 'language': row.language, 'contents': row.contents}
            text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(',', ':'))
            names = ('issued_on', 'paid_on', 'received_on', 'signed_on', 'posted_on')
            dated = next((row.contents[name] for name in names if row.contents.get(name)), None)
            total = _total(row.kind, row.contents)
            connection.execute(
                sa.update(paper)
                .where(paper.c.id == row.id)
                .values(
                    sha256=hashlib.sha256(text.encode()).hexdigest(),
                    dated=date.fromisoformat(dated) if dated else None,
                    total=None if total is None else int(total * 100),
                )
            )
        last = rows[-1].id


def _total(kind: str, contents: dict) -> Decimal | None:
    def number(name: str, of: dict = contents) -> Decimal:
        return Decimal(of.get(name) or 0)

    if kind == 'payment_notice':
        return (
            number('amount') + number('late_fee') + number('previous_balance')
            - number('credit_used') - number('paid')
        )
    if kind == 'move_in_bill':
        return sum((number('amount', line) for line in contents.get('lines', [])), Decimal(0))
    if 'debts' in contents:
        return sum((number('amount', debt) + number('late_fee', debt) for debt in contents['debts']), Decimal(0))
    return number('amount') if contents.get('amount') else None


def downgrade() -> None:
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.drop_index('paper_setting_id_idx')
        batch_op.drop_constraint(op.f('paper_setting_id_fkey'), type_='foreignkey')
        batch_op.drop_column('sha256')
        batch_op.drop_column('total')
        batch_op.drop_column('dated')
        batch_op.drop_column('setting_id')
    op.drop_table('paper_setting')
