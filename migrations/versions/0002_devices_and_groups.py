"""Create devices, key packages, groups, contacts and blocks, for the v2 API."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".down.sql").read_text("utf-8"))
