"""a reward's percent is stored in hundredths: its check allowed no more than one percent"""

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

NAME = 'incentive_percent_in_range'


def upgrade() -> None:
    with op.batch_alter_table('incentive', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(NAME), type_='check')
        batch_op.create_check_constraint(batch_op.f(NAME), 'percent BETWEEN 0 AND 10000')


def downgrade() -> None:
    pass  # the narrow check was a mistake: going back must not fail on an office that gives more than one percent
