"""Dues: what an organisation has to do by a moment, and who has seen that."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of

DUE_KINDS = (
    "hold_to_answer",
    "expected_arrival",
    "no_show_unchecked",
    "swap_consent",
    "alternative_check",
    "alternative_nights",
    "safety_plan",
    "contact",
    "planned_return",
    "site_to_confirm",
    "site_to_approve",
)
"""What can be due: `app/dues/kinds.py` says whose work it is, `migrations/sql/dues.sql` when."""

LIVE = text("ended_at IS NULL")


class Due(Base):
    """One thing that one organisation has to do by a moment.

    The database opens and ends it with the row that asks for it. A moment that changes ends it and
    opens another: each is seen, and counted, by itself. There are no foreign keys: each would lock
    a row that many cite, and it is kept for some weeks only.
    """

    __tablename__ = "dues"
    __table_args__ = (
        CheckConstraint(one_of("kind", *DUE_KINDS), name="kind"),
        Index(
            "dues_live_key",
            "subject_id",
            "kind",
            "provider_id",
            "referral_id",
            unique=True,
            postgresql_where=LIVE,
            postgresql_nulls_not_distinct=True,
        ),
        Index("dues_provider_idx", "provider_id", "due_at", "id", postgresql_where=LIVE),
        Index(
            "dues_ringing_idx",
            "rings_at",
            postgresql_where=text("ended_at IS NULL AND rings_at IS NOT NULL"),
        ),
        Index("dues_ended_idx", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    id: Mapped[Id] = mapped_column(server_default=text("gen_random_uuid()"))
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    """The hold, placement, swap, alternative, referral or site that asks for it."""
    referral_id: Mapped[UUID | None]
    """The household's, by whose shield it is hidden; none for what is about a site."""
    provider_id: Mapped[UUID | None]
    """Whose work it is; none: the administrators'."""
    not_by: Mapped[UUID | None]
    """The one account there that may not do it: another approves what it proposed."""
    due_at: Mapped[datetime]
    opened_at: Mapped[Stamp]
    rings_at: Mapped[datetime | None]
    """When those whose work it is are told next; none: they have been."""
    rung_at: Mapped[datetime | None]
    """When they were told last."""
    ended_at: Mapped[datetime | None]


class DueSight(Base):
    """An account that has seen a due, taken it on, or done it."""

    __tablename__ = "due_sights"

    due_id: Mapped[UUID] = mapped_column(
        ForeignKey("dues.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[Stamp]
    taken_until: Mapped[datetime | None]
    """Until when it sees to it, so that its colleagues need not."""
