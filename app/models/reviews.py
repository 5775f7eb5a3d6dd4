"""The weekly review: the weeks reviewed, and the accounts to ask."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp


class ReviewWeek(Base):
    """A week that has been reviewed."""

    __tablename__ = "review_weeks"

    first_day: Mapped[date] = mapped_column(primary_key=True)
    """Its Monday, by the country's clocks."""
    accounts: Mapped[int]
    """How many were compared."""
    reviewed_at: Mapped[Stamp]


class ReviewFinding(Base):
    """An account whose week was unlike that of others, and what came of asking: no client."""

    __tablename__ = "review_findings"
    __table_args__ = (
        CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name="answer",
        ),
        CheckConstraint("answered_by <> account_id", name="another"),
        Index("review_findings_week_key", "week", "account_id", unique=True),
    )

    id: Mapped[Id]
    week: Mapped[date] = mapped_column(ForeignKey("review_weeks.first_day"))
    account_id: Mapped[UUID]
    provider_id: Mapped[UUID | None]
    points: Mapped[int]
    facts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """What it did, how often, and how often others did: codes and counts."""
    answer: Mapped[str | None]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
