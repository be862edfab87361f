"""Give each profile picture a version, so that a client knows which pictures exist and which are new."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".down.sql").read_text("utf-8"))
