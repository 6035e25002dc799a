"""What a headroom was read with, what is used of it, and how fast it goes down."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was told before is told anew soon enough."""
    op.add_column("headrooms", sa.Column("used", sa.Float(), nullable=True))
    op.add_column("headrooms", sa.Column("told_by", sa.String(length=40), nullable=True))
    op.add_column("headrooms", sa.Column("burn_per_second", sa.Float(), nullable=True))
