"""Bring every data folder to one schema, whichever edition of 0001 and 0002 made it, and rename what people see."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".down.sql").read_text("utf-8"))
