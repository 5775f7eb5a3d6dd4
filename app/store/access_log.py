"""Who looked at what, when and why: rows that are only ever added (fields of NEN 7513)."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import insert

from app.models import AccessLogEntry

if TYPE_CHECKING:
    from app.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """One look, granted or refused; the database adds the time."""

    action: str
    outcome: str
    """`granted` or `refused`."""
    account_id: UUID
    roles: tuple[str, ...]
    provider_id: UUID | None
    purpose: str
    """Why, as a code."""
    object_type: str
    object_id: UUID
    referral_id: UUID | None
    """Whose sake it was for, where known."""
    source: str | None
    """Network address that the request came from."""
    request_id: str | None


async def add(tx: "Transaction", entry: Entry) -> None:
    """Write a look into the log."""
    await tx.run(insert(AccessLogEntry).values(**asdict(entry)))
