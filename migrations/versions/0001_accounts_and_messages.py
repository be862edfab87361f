"""Create accounts, invites, chat codes, conversations and the messages."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".down.sql").read_text("utf-8"))
