"""What leaves the service: webhooks with their deliveries, and mails."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CLOCK, Base, Id, Stamp, one_of

WEBHOOK_KINDS = ("hold", "placement", "swap", "availability")
"""Kinds of events that machines may be sent; the others are about referrals, and for people."""


class Webhook(Base):
    """A URL of a provider; it and the secret that signs are sealed."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint(
            (
                "cardinality(kinds) > 0 AND kinds <@ "
                f"ARRAY[{', '.join(repr(kind) for kind in WEBHOOK_KINDS)}]"
            ),
            name="kinds",
        ),
        CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled"),
        CheckConstraint(one_of("disabled_because", "gone", "failing"), name="disabled_because"),
        Index(None, "provider_id"),
    )

    id: Mapped[Id]
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    kinds: Mapped[list[str]]
    key: Mapped[bytes]
    """Its data key, wrapped."""
    sealed: Mapped[bytes]
    created_at: Mapped[Stamp]
    last_delivery_at: Mapped[datetime | None]
    """When a delivery was last received there."""
    failing_since: Mapped[datetime | None]
    """When a delivery first failed since then."""
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None]
    """`gone`: its receiver said 410; `failing`: nothing was received for days."""


class WebhookDelivery(Base):
    """One event for one webhook, from its number until a day after its end.

    Its id is the message's. There is no foreign key: a webhook that is being removed must not stop
    the relay. Rows of one that is gone are pruned.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "position"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
        CheckConstraint(one_of("outcome", "delivered", "given_up"), name="outcome"),
        Index(
            "webhook_deliveries_waiting_idx",
            "webhook_id",
            "next_at",
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "webhook_deliveries_ended_idx",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    webhook_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    subject: Mapped[str]
    at: Mapped[datetime]
    """When it became true."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    """When it is due; while it is sent, when its sender is taken to have died."""
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


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
