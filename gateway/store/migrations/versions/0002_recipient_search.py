"""The index that a search of recipients reads. Some databases at 0001 have it: that step made it for a while.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "recipient_search",
        "recipient",
        ["company_id", "number_key", "id", "type", "deleted_at", "search"],
        unique=False,
        if_not_exists=True,
    )
