"""Accounts and tokens, answers kept for repeats, and the access log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Id, Stamp, one_of


class Account(Base):
    """A person or client system with one or more roles.

    It is bound to a provider or a region if a role needs that.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            "roles <@ ARRAY['intake_worker', 'coordinator', 'auditor', 'administrator', "
            "'client_system']"
            " AND cardinality(roles) > 0",
            name="roles",
        ),
        CheckConstraint(
            (
                "provider_id IS NOT NULL OR NOT roles && ARRAY['intake_worker', 'coordinator', "
                "'client_system']"
            ),
            name="provider",
        ),
        CheckConstraint("region IS NOT NULL OR NOT 'auditor' = ANY (roles)", name="region"),
    )

    id: Mapped[Id]
    roles: Mapped[list[str]]
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("providers.id"))
    region: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    name: Mapped[str | None]
    """What colleagues call it at work: for those who shield a referral and name who may see it."""
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    """Made for the demo country: refused if the database is not Plek's own."""
    created_at: Mapped[Stamp]
    disabled_at: Mapped[datetime | None]


class AccountAct(Base):
    """Who invited or reset an account, or gave it its role: only ever added, by the database.

    Without `by_account` it was the operator of the installation. `entered` says at which provider
    the account first had a way in.
    """

    __tablename__ = "account_acts"
    __table_args__ = (
        CheckConstraint(one_of("act", "made", "role", "invited", "reset", "entered"), name="act"),
        Index(None, "account_id"),
        Index(
            "account_acts_entered_idx",
            "provider_id",
            "account_id",
            postgresql_where=text("act = 'entered'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    act: Mapped[str]
    by_account: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    by_coordinator_of: Mapped[UUID | None] = mapped_column(ForeignKey("providers.id"))
    """Where that account was a coordinator."""
    at: Mapped[Stamp]
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("providers.id"))
    """Where it first had a way in."""


class AccountChange(Base):
    """A change asked for an account: it takes effect at its moment, unless refused before.

    Written by the database's own functions alone.
    """

    __tablename__ = "account_changes"
    __table_args__ = (
        CheckConstraint(one_of("act", "invite", "reset", "change", "enable"), name="act"),
        CheckConstraint(one_of("outcome", "effective", "refused", "replaced"), name="outcome"),
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint(
            "(refused_by IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'refused')", name="refused"
        ),
        CheckConstraint("(act = 'change') = (roles IS NOT NULL)", name="wanted"),
        Index(
            "account_changes_live_key",
            "account_id",
            "act",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
        ),
        Index("account_changes_due_idx", "effective_at", postgresql_where=text("outcome IS NULL")),
        Index("account_changes_provider_idx", "provider_id", "asked_at"),
    )

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("providers.id"))
    """The provider that it opens to the account; none: it opens none."""
    act: Mapped[str]
    by_account: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    """Who asked; none: the operator."""
    roles: Mapped[list[str] | None]
    """With `to_provider` and `region` what a `change` makes of it."""
    to_provider: Mapped[UUID | None] = mapped_column(ForeignKey("providers.id"))
    region: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    asked_at: Mapped[Stamp]
    effective_at: Mapped[datetime]
    outcome: Mapped[str | None]
    refused_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]


class Token(Base):
    """A bearer token: 256 random bits, kept only as their SHA-256."""

    __tablename__ = "tokens"

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Stamp]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    only_role: Mapped[str | None]
    """The one role of its account that it has; none: all of them."""


class Answer(Base):
    """The first answer to a request with an Idempotency-Key, sealed, kept for a day."""

    __tablename__ = "answers"
    __table_args__ = (Index(None, "made_at"), Index(None, "referral_id"))

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the request: path and body."""
    provider_id: Mapped[UUID | None]
    """The account's provider when it asked: an account that has moved does not get the answer."""
    region: Mapped[str | None]
    """Its region, likewise."""
    referral_id: Mapped[UUID | None]
    """The referral whose content it has, if any: it goes when that is erased."""
    referral_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default=text("'{}'::uuid[]")
    )
    """Whose content it has, where that is several referrals': it goes as soon as one of them is
    erased."""
    status: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Stamp]


class AccessLogEntry(Base):
    """A look at something: by whom, when and why (fields of NEN 7513).

    Rows are only ever added.
    """

    __tablename__ = "access_log"
    __table_args__ = (
        Index(None, "object_id"),
        Index(None, "account_id", "at"),
        Index(None, "at"),
        Index(
            "access_log_sites_idx",
            "object_id",
            "id",
            postgresql_where=text(
                "action IN ('reveal', 'give_back', 'propose', 'approve', 'reject')"
            ),
        ),
        Index("access_log_told_idx", "told_id", "id", postgresql_where=text("told_id IS NOT NULL")),
        Index(
            "access_log_desk_idx",
            "provider_id",
            "id",
            postgresql_where=text("action IN ('break_glass', 'take_over', 'raise')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[Stamp]
    action: Mapped[str]
    outcome: Mapped[str]
    account_id: Mapped[UUID | None]
    roles: Mapped[list[str]]
    provider_id: Mapped[UUID | None]
    purpose: Mapped[str | None]
    object_type: Mapped[str]
    object_id: Mapped[UUID | None]
    referral_ids: Mapped[list[UUID]] = mapped_column(
        ARRAY(PG_UUID(as_uuid=True)), server_default=text("'{}'::uuid[]")
    )
    """The referrals whose sealed content was opened for it."""
    source: Mapped[str | None]
    request_id: Mapped[str | None]
    told_id: Mapped[UUID | None]
    """Another provider that is told of it."""


class AccessLogReferral(Base):
    """The entries that name a referral.

    A trigger adds it with each entry, so that an index finds them. It has no foreign keys: neither
    side is ever deleted, and a check would lock the rows that every look cites.
    """

    __tablename__ = "access_log_referrals"

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class InstallationKey(Base):
    """A data key of the installation itself, wrapped.

    Rows sealed with it outlive every rotation of the wrapping keys.
    """

    __tablename__ = "installation_keys"

    name: Mapped[str] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
