"""occupancy.residents, and the fee basis per person in fee_item.basis"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

BASES = "'per_m2', 'fixed', 'metered', 'per_hour', 'per_job', 'one_off', 'deposit'"
WITH_PER_PERSON = BASES.replace("'fixed'", "'per_person', 'fixed'")


def upgrade() -> None:
    with op.batch_alter_table('occupancy', schema=None) as batch_op:
        batch_op.add_column(sa.Column('residents', sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f('occupancy_residents_not_negative'), "residents >= 0")
    _bases(WITH_PER_PERSON)


def downgrade() -> None:
    # the older program knows no such basis: its items stay, switched off, as fixed sums
    op.execute("UPDATE fee_item SET basis = 'fixed', is_active = false WHERE basis = 'per_person'")
    _bases(BASES)
    with op.batch_alter_table('occupancy', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('occupancy_residents_not_negative'), type_='check')
        batch_op.drop_column('residents')


def _bases(words: str) -> None:
    with op.batch_alter_table('fee_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fee_item_basis_known'), type_='check')
        batch_op.create_check_constraint(op.f('fee_item_basis_known'), f"basis IN ({words})")
