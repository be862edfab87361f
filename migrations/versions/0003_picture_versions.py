"""A version of each profile picture, so that a client knows without asking whether there is one, and a new one."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE users ADD COLUMN picture_version text
            GENERATED ALWAYS AS (left(encode(sha256(profile_picture), 'hex'), 16)) STORED
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN picture_version")
