"""Lists in parts: an opaque cursor names the last item seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, NamedTuple, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request

from app.deps import parts_of, roles_for
from app.errors import Fault, Invalid
from app.seal import Keyring

MOST = 200
SEPARATOR = "\x1f"

Item = TypeVar("Item")


class ListPart(NamedTuple, Generic[Item]):
    """A part of a list, and the cursor of the next."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The part of a list that is asked for: at most `limit` items after a place in its order."""

    limit: int
    after: tuple[str, ...] | None
    keyring: Keyring
    scope: str

    def cut(
        self, items: Sequence[Item], *, place: Callable[[Item], tuple[str, ...]]
    ) -> ListPart[Item]:
        """Cut off the item beyond the limit that shows that there are more.

        `place` gives what the list is ordered by; the query continues after exactly that.
        """
        kept = list(items[: self.limit])
        if len(items) <= self.limit:
            return ListPart(kept, None)
        return ListPart(kept, self.next_after(place(kept[-1])))

    def next_after(self, place: tuple[str, ...]) -> str:
        """Return the cursor of the part that begins after a place."""
        return self.keyring.token(SEPARATOR.join(place).encode(), scope=self.scope)


async def read_list_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many items at most.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`nextCursor` of the page before.")
    ] = None,
) -> ListRequest:
    """Read `limit` and `cursor`; a cursor of another list is a fault."""
    roles_for(request)
    keyring = parts_of(request).keyring
    scope = request.scope["route"].path
    if cursor is None:
        return ListRequest(limit, None, keyring, scope)
    read = keyring.read_token(cursor, scope=scope)
    if read is None:
        raise Invalid(Fault("/cursor", "is not a cursor of this list"))
    return ListRequest(limit, tuple(read.decode().split(SEPARATOR)), keyring, scope)


ListIn = Annotated[ListRequest, Depends(read_list_request)]


def moment_and_id(asked: ListRequest) -> tuple[datetime, UUID] | None:
    """Return the place of a cursor in a list ordered by moment and id."""
    if asked.after is None:
        return None
    at, id_ = asked.after
    return datetime.fromisoformat(at), UUID(id_)
