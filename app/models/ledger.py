"""The ledger: leaves that never change, sealed openings, each region's share."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.allocation.ledger.leaves import LEAF_TYPES
from app.allocation.ledger.openings import STAY_TYPES
from app.models.base import Base, Stamp, one_of


class Leaf(Base):
    """An entry of the ledger, with the canonical bytes that the tree hashes."""

    __tablename__ = "leaves"
    __table_args__ = (
        CheckConstraint("index >= 0", name="index"),
        CheckConstraint(one_of("type", *LEAF_TYPES), name="type"),
        CheckConstraint(
            "CASE WHEN type = 'correction' THEN true ELSE"
            f" ({one_of('type', *LEAF_TYPES[len(STAY_TYPES) :])}) = (placement_id IS NULL) END",
            name="about",
        ),
        Index(None, "placement_id"),
        Index(
            "leaves_in_clear_idx", "type", "index", postgresql_where=text("placement_id IS NULL")
        ),
        Index(
            "leaves_once_key",
            "placement_id",
            "type",
            unique=True,
            postgresql_where=text("type IN ('arrival', 'departure')"),
        ),
    )

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """The canonical bytes: version, index, type, and a salted commitment or what everybody may
    read; no person."""
    placement_id: Mapped[UUID | None]
    """The placement with which a household's time at a provider began, where the leaf is about
    that.  Only the database knows, and no one reads it out."""
    written_at: Mapped[Stamp]


class Opening(Base):
    """The readable content of a leaf, sealed.

    It is for the auditors of the two regions, and only from `opens_at`.
    """

    __tablename__ = "openings"
    __table_args__ = (Index(None, "origin_region"), Index(None, "receiving_region"))

    index: Mapped[int] = mapped_column(
        ForeignKey("leaves.index"), primary_key=True, autoincrement=False
    )
    origin_region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    receiving_region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    opens_at: Mapped[datetime]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Subtree(Base):
    """The hash of a complete subtree.

    At level 0 of one leaf, at level h of the 2^h leaves from index * 2^h on. It is written when the
    tree is sealed, and never changed: a proof reads as many of these as the tree is high.
    """

    __tablename__ = "subtrees"
    __table_args__ = (CheckConstraint("octet_length(hash) = 32", name="hash"),)

    level: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Checkpoint(Base):
    """The tree at one size, signed.

    There is one for each size that was ever sealed, kept for good.
    """

    __tablename__ = "checkpoints"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("octet_length(root) = 32", name="root"),
        Index("checkpoints_public_idx", "public_from", "size"),
    )

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str]
    """The signed note (C2SP tlog-checkpoint) as it is handed out."""
    public_from: Mapped[datetime]
    """The local midnight after it was sealed: a tree that grows in the open tells when a
    household arrived."""
    sealed_at: Mapped[Stamp]


class Share(Base):
    """Nights of the safety account that a region gave, and its quota of them.

    Both are in millionths of a night. They are reckoned from the openings once a day, so that a
    family's arrival cannot be watched.
    """

    __tablename__ = "shares"

    region: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    given: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    quota: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    deficit: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """How far it is under its part as rankings see it, the stays that run some nights ahead."""
    shown_on: Mapped[date | None]
    """The local day on which that was reckoned."""
