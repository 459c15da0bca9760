"""paper_template: the final letter claims no reminders any more, it names those that there were"""

import json

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

FIRST_LINES = {
    'en': (
        'We have reminded you several times, in writing, by phone and in person, of the fees for unit {unit_code}. As of {issued_on}, {amount} is still unpaid, the oldest from {oldest_period}.',
        'As of {issued_on}, {amount} of the fees for unit {unit_code} is unpaid, the oldest from {oldest_period}. {reminded}',
    ),
    'zh_Hans': (
        '就您名下房屋 {unit_code} 的物业服务费用，我方已通过书面、电话及上门等方式多次提醒。截至{issued_on}，自{oldest_period}起仍有 {amount} 尚未缴纳。',
        '截至{issued_on}，您名下房屋 {unit_code} 的物业服务费用自{oldest_period}起仍有 {amount} 尚未缴纳。{reminded}',
    ),
    'zh_Hant': (
        '關於台端所屬房屋 {unit_code} 之物業服務費用，本公司已以書面、電話及登門等方式多次提醒。截至{issued_on}，自{oldest_period}起仍有 {amount} 尚未繳納。',
        '截至{issued_on}，台端所屬房屋 {unit_code} 之物業服務費用自{oldest_period}起仍有 {amount} 尚未繳納。{reminded}',
    ),
}
TEMPLATE = sa.table('paper_template', *(sa.column(name) for name in ('id', 'paper', 'language', 'blocks')))


def upgrade() -> None:
    """Put the new sentence for ours; what an office wrote itself stays."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(TEMPLATE).where(TEMPLATE.c.paper == 'final_letter')).all()
    for row in rows:
        blocks, (old, new) = json.loads(row.blocks), FIRST_LINES[row.language]
        if old in blocks.get('body', ''):
            blocks['body'] = blocks['body'].replace(old, new)
            connection.execute(
                sa.update(TEMPLATE)
                .where(TEMPLATE.c.id == row.id)
                .values(blocks=json.dumps(blocks, ensure_ascii=False))
            )


def downgrade() -> None:
    """The texts stay: an older program prints `{reminded}` as it stands until somebody takes it out (F10)."""
