"""What the access log says of one act (fields of NEN 7513)."""

from dataclasses import dataclass
from uuid import UUID

GRANTED, REFUSED = "granted", "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, granted or refused; the database adds the event's id and the time."""

    action: str
    """What was done or asked for, as a code: read, search, reveal, export..."""
    outcome: str
    """`granted` or `refused`."""
    account_id: UUID | None
    """None where nobody we know asked."""
    roles: tuple[str, ...]
    provider_id: UUID | None
    purpose: str | None
    """Why, as a code, where one was given."""
    object_type: str
    object_id: UUID | None
    """None for a list, or where what was asked for is no id."""
    referral_ids: tuple[UUID, ...]
    """Whose sealed content was opened for it, or whose sake it was for."""
    source: str | None
    """Network address that the request came from."""
    request_id: str | None
