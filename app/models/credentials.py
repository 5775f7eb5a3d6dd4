"""Credentials, invitations and sessions of those who sign in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import CLOCK, Base, Stamp


class Credential(Base):
    """The name, password and second factor of an account.

    It has no password until an invitation is accepted.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        CheckConstraint(
            (
                "(password IS NULL) = (second_factor IS NULL) AND (password IS NULL) = "
                "(enrolled_at IS NULL)"
            ),
            name="enrolled",
        ),
    )

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    name_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """HMAC of the name to sign in with, case folded: it finds, and tells nobody without the key."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """The account's data key, wrapped."""
    name: Mapped[bytes] = mapped_column(LargeBinary)
    """The name to sign in with, sealed."""
    password: Mapped[str | None]
    """argon2id, encoded with its salt and parameters."""
    second_factor: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret of RFC 6238, sealed."""
    used_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The newest step whose code has been used: no code is used twice."""
    enrolled_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in once for the second factor.

    Only its SHA-256 is kept, until it is used.
    """

    __tablename__ = "recovery_codes"

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class Invitation(Base):
    """A link by which a person chooses an account's password and second factor, once."""

    __tablename__ = "invitations"
    __table_args__ = (Index(None, "account_id"),)

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of the 256 random bits in the link."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[Stamp]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """When it was accepted, or replaced by another one."""
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("account_changes.id"))
    """What it is for."""
    opened_at: Mapped[datetime | None]
    """When that took effect: it cannot be accepted before."""


class Session(Base):
    """The session of a token that was made by signing in.

    The token ends when the session has been idle.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "account_id"),)

    token_id: Mapped[UUID] = mapped_column(
        ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[Stamp]
    seen_at: Mapped[Stamp]
    ends_at: Mapped[datetime]
    """When it ends however busy it is."""
    proved_at: Mapped[datetime | None] = mapped_column(server_default=CLOCK)
    """When its owner last proved the second factor; none: when it began."""
    device: Mapped[str]
    """A class of browsers and systems, as a code: so that its owner knows it again."""


class Vouching(Base):
    """A colleague's word for one session of an account that is locked out on duty.

    Written by the database's own functions alone.
    """

    __tablename__ = "vouchings"
    __table_args__ = (
        CheckConstraint("vouched_by <> account_id", name="oneself"),
        CheckConstraint("used_at IS NOT NULL OR token_id IS NULL", name="used"),
        Index("vouchings_account_id_idx", "account_id", "at"),
        Index("vouchings_provider_id_idx", "provider_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("providers.id"))
    vouched_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """HMAC of the code with the installation's key of names: it is short."""
    at: Mapped[Stamp]
    code_until: Mapped[datetime]
    ends_at: Mapped[datetime]
    """When the session ends however busy it is."""
    used_at: Mapped[datetime | None]
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id", ondelete="SET NULL"))
