"""Budgets: what an account has used of its own, who raised them, and alarms about desks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of


class BudgetUse(Base):
    """One use of an account's budget, kept for as long as it counts.

    Live holds are counted where they are.
    """

    __tablename__ = "budget_uses"
    __table_args__ = (
        CheckConstraint(one_of("kind", "referrals", "rankings", "confidential_sites"), name="kind"),
        Index("budget_uses_account_idx", "account_id", "kind", "at"),
        Index(None, "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID]
    kind: Mapped[str]
    subject: Mapped[UUID | None]
    """What counts once however often it is used: a site whose address was seen."""
    at: Mapped[Stamp]


class BudgetRaise(Base):
    """One doubling of an account's budgets, by itself, a colleague or an administrator."""

    __tablename__ = "budget_raises"
    __table_args__ = (
        CheckConstraint(one_of("as_what", "oneself", "colleague", "administrator"), name="as_what"),
        CheckConstraint("(as_what = 'oneself') = (raised_by = account_id)", name="oneself"),
        Index("budget_raises_account_idx", "account_id", "until"),
        Index("budget_raises_desk_idx", "provider_id", "at"),
    )

    id: Mapped[Id]
    account_id: Mapped[UUID]
    provider_id: Mapped[UUID]
    """The desk of the account."""
    raised_by: Mapped[UUID]
    as_what: Mapped[str]
    reason: Mapped[str]
    at: Mapped[Stamp]
    until: Mapped[datetime]


class BudgetAlarm(Base):
    """A desk that has reached its budget of live holds at other providers."""

    __tablename__ = "budget_alarms"
    __table_args__ = (Index("budget_alarms_provider_idx", "provider_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider_id: Mapped[UUID]
    holds: Mapped[int]
    at: Mapped[Stamp]
