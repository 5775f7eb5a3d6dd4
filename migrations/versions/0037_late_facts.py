"""Seal each quarter once, and reckon settlements from openings instead of stored pairs."""

from alembic import op

from migrations import sql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# Exact nights of pairs stood here before their openings were due. A worker of before fails to seal
# beside a newer service; the newer one seals.
UP = """
-- squawk-ignore ban-drop-table
DROP TABLE pair_nights
"""
DOWN = """
CREATE TABLE pair_nights (
    quarter text NOT NULL,
    version integer NOT NULL,
    origin text NOT NULL,
    receiving text NOT NULL,
    month date NOT NULL,
    reason text NOT NULL,
    nights integer NOT NULL,
    after_ready integer NOT NULL,
    stays integer NOT NULL,
    CONSTRAINT pair_nights_pkey PRIMARY KEY (quarter, version, origin, receiving, month, reason),
    CONSTRAINT pair_nights_amount_check CHECK (nights >= 0 AND after_ready >= 0 AND stays > 0),
    CONSTRAINT pair_nights_origin_fkey FOREIGN KEY (origin) REFERENCES regions(code),
    CONSTRAINT pair_nights_quarter_fkey
        FOREIGN KEY (quarter, version) REFERENCES quarter_totals(quarter, version),
    CONSTRAINT pair_nights_receiving_fkey FOREIGN KEY (receiving) REFERENCES regions(code)
)
"""


def upgrade() -> None:
    """Drop the pairs; functions and rules are in `shares.sql` and `ledger.sql`."""
    op.execute(UP)
    sql.apply("ledger", "shares")


def downgrade() -> None:
    """Make the table of pairs again, without rows."""
    op.execute(DOWN)
