"""fee items: what they pay for, in each language"""

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None

NAMES = ('services_zh_hant', 'services_en')
# what new offices get for the fee that pays for them, where an office still has the text it began with
SEEDED = '公共区域的维修养护、保洁、绿化、秩序维护和客户服务'
SAID = {
    'services_zh_hant': '公共區域之維修養護、清潔、綠化、秩序維護及客戶服務',
    'services_en': 'Upkeep, cleaning, planting, security of the common areas, and customer service',
}


def upgrade() -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        for name in NAMES:
            batch_op.add_column(sa.Column(name, sa.String(), server_default='', nullable=False))
    item = sa.table('fee_item', *(sa.column(name) for name in ('services', *NAMES)))
    op.execute(item.update().where(item.c.services == SEEDED).values(SAID))


def downgrade() -> None:
    item = sa.table('fee_item', *(sa.column(name) for name in ('services', *NAMES)))
    for name in NAMES:
        op.execute(item.update().where(item.c.services == '').values(services=item.c[name]))
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        for name in reversed(NAMES):
            batch_op.drop_column(name)
