"""estate.word_set: whose words papers use; paper_template: only what an office itself reworded

Texts that came with the program were stored beside the office's own; those that nobody touched are taken out, so
that they follow the program and the estate's word set.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

KNOWN = 'estate_word_set_known'
TEMPLATE = sa.table('paper_template', *(sa.column(name) for name in ('id', 'paper', 'language', 'blocks')))
# the first digits of the SHA-256 of each text that came with the program until now
OURS = frozenset(
    '''
    05035eab1483 05266d73473d 07a2b909b052 0a6b761160b7 0b843a7defdc 0d6dc9ceab0b 0daa49993a8e
    0f031ff5f029 113d289eda18 12a3f7b5dd70 13128a59b225 142601d6ae77 14464f8a2336 148d21bc920c
    14a7986649bb 17afc865ea2a 17cbeefc7e92 19d7b90736b7 19e2b3279503 1dc192c70a53 1f261c2a9a67
    20739d2e973e 246d30f5ae63 29e2c74be22a 29e35fa26f3c 2b2ce0e859a4 31efba010ff7 336e1571bd40
    3743f69db8d8 386941d0d98f 3b638974be7c 3cb8b4b27f3a 3cbcaf73bbc2 3f0a920777ca 3ffbd470d596
    41d7d6994544 433676ae1f4d 45c431a1e77e 45e5a291a94f 45ed1593755f 4affe7619be7 4b762f98c7a0
    4b9439ec1848 4f78e189f0d0 5099c9e6ca41 53289b5da05d 5489770ea83c 55bcf47eb5d6 55da017618c2
    564e4a2f8e04 57b5587127eb 5884408e33e7 5b28090e5097 5d0ac752ec67 61ea5c5abcb2 62ca025e690e
    6554c503d928 673790370025 678e27db21c1 6a532fc3cf89 6c878376c80a 6cac6b5eb967 6d3e4b91958f
    6df0f525bfc7 6f1d3c339e8e 6fb4de285460 763d417943ef 767f03a81cb0 77f937f88450 79e2d840e51b
    7a8991c06d73 7f8bdc546599 809dec208fbd 810cd229576c 8226ff468afb 84006fee4995 84a705f85356
    88d84d2522bd 89589298e8d7 89ae70f9ed61 89d49fc6c7be 89f77d3ecd46 8b7170b4857f 8cff378af4e2
    8d8289f1fa2c 8e99f5efba4b 8f19eb34b9e1 8fb7de9d02d3 91213ffe8c4c 927276122dbc 952bc2f750f3
    957c24f39ab3 95c10cb9f066 95e71208aeb1 965620d21d3c 98dafab32c87 9bcde89abecd 9ce9817dee8b
    9d424222c900 9f8373135952 9fa97b10a11c a1aedc0631d0 a2a760a2bc0b a4b0a77c9d01 a4c0e00470e0
    a5218d51c812 a676797a0469 a82f5867f26f a97acea2283a add454502dff af5690a4daa5 af736e67c396
    afe2105c10e5 b02fa6c8cdc5 b24eda86fa4e b26da0f6cd0b b479b3dc92a9 b6369ceea68c b7c258d024f3
    b7fdc1783ef0 b8e319162faf b9bad2b159dc bb7e3f32247f be39c779a42e be9a4572c74f bf5f9356bfc6
    c1743bf09955 c204aa17e8f6 c24f97a0e28f c4961d666302 c4e2785c5f38 c4e6223465e9 c73034535680
    c853a9ae4995 cabf516aa3d3 cb6eae702462 cdcd4420833a cde1abdb390f ce729e263cd1 cfa784d5841a
    d00cc32a85b5 d264d41c64ae d2676baa633f d2c0258e2493 d6b4e647ff24 d718898bfe84 d78b39759a32
    d88063dccac4 da31d2dcc15c dad5a9692313 dbe59e2a646f de8f446438cb df207b9e54eb e3b0c44298fc
    e4f640643657 e526ef0637b3 e714efcd173b e82479b579a9 e86f828e7417 ece1f6aad615 ee5462638993
    ee58b8f1d699 eeead64fcbe3 ef6f5f8159be efb0656ed729 eff2f6baa5c8 f02c6455650b f19751252d74
    f1a4d87f5f3e f1bd7f7711b0 f20207c91b05 f20b6f7c3fea f33d6b4b07d9 f37f9235fa28 f7f53e9aa5ac
    f856386a01e8 f971bc830924 fbddf8dfc36f fd19dd5f40e3 fd5c972e2d83 fe19d4a2bb7f ffc097d4c05c
    ffe18a2ff149
'''.split()
)


def upgrade() -> None:
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.add_column(sa.Column('word_set', sa.String(20), server_default='', nullable=False))
        batch_op.create_check_constraint(
            batch_op.f(KNOWN), "word_set IN ('', 'mainland', 'hong_kong', 'taiwan')"
        )
    connection = op.get_bind()
    for row in connection.execute(sa.select(TEMPLATE)).all():
        blocks = json.loads(row.blocks)
        own = {name: text for name, text in blocks.items() if not _is_ours(text)}
        if own != blocks:
            connection.execute(
                sa.update(TEMPLATE)
                .where(TEMPLATE.c.id == row.id)
                .values(blocks=json.dumps(own, ensure_ascii=False))
            )


def _is_ours(text: str) -> bool:
    return hashlib.sha256(text.strip('\n').encode()).hexdigest()[:12] in OURS


def downgrade() -> None:
    """An older program, too, prints its own text for a block that is not stored."""
    with op.batch_alter_table('estate', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(KNOWN), type_='check')
        batch_op.drop_column('word_set')
