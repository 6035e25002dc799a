"""The inbox: deliveries taken once, their raw bytes for a while, and counts of what was taken and refused."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables more."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("integration", sa.String(80), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(200)),
        sa.Column("event_type", sa.String(120)),
        sa.Column("dedupe_key", sa.String(200), nullable=False),
        sa.Column("dedupe_source", sa.String(20), nullable=False),
        sa.Column("key_fingerprint", sa.String(40)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger),
        sa.Column("answered_status", sa.Integer),
        sa.Column("duplicates", sa.Integer, nullable=False),
        sa.UniqueConstraint("integration", "dedupe_key", name="deliveries_once"),
    )
    op.create_index("deliveries_due", "deliveries", ["state", "next_attempt_at"])
    op.create_index("deliveries_by_time", "deliveries", ["integration", "received_at"])
    op.create_table(
        "delivery_bodies",
        sa.Column("delivery_id", sa.String(40), primary_key=True),
        sa.Column("integration", sa.String(80), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.Boolean, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("delivery_bodies_by_end", "delivery_bodies", ["expires_at"])
    op.create_table(
        "delivery_counts",
        sa.Column("integration", sa.String(80), primary_key=True),
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("reason", sa.String(40), primary_key=True),
        sa.Column("event_type", sa.String(120), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
