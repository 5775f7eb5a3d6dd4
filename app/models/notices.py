"""Mails still to be sent, and those that were."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CLOCK, Base, Stamp, one_of


class Mail(Base):
    """One mail to the owner of an account, kept for some days after its end.

    It has no address: that is the account's sealed name.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint(
            one_of(
                "subject",
                "account_asked",
                "account_changed",
                "vouched",
                "budget_alarm",
                "budget_raised",
                "records_disagree",
            ),
            name="subject",
        ),
        CheckConstraint(one_of("outcome", "sent", "given_up", "no_address"), name="outcome"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
        Index("mails_waiting_idx", "next_at", postgresql_where=text("ended_at IS NULL")),
        Index(None, "made_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    subject: Mapped[str]
    moment: Mapped[datetime | None]
    """When what it tells of takes effect, or ends."""
    made_at: Mapped[Stamp]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    """When it is due; while it is sent, when its sender is taken to have died."""
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
