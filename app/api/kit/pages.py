"""Lists in pages: a cursor names the last item seen, in a form that only this installation can read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request

from app.deps import parts_of, roles_for
from app.errors import Fault, Invalid
from app.seal import Keyring

MOST = 200
SEPARATOR = "\x1f"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: at most `limit` items, after the place that the cursor names."""

    limit: int
    after: tuple[str, ...] | None
    keyring: Keyring
    scope: str

    def cut(
        self, items: Sequence[Item], *, place: Callable[[Item], tuple[str, ...]]
    ) -> tuple[list[Item], str | None]:
        """Return the page's items and the next cursor; `items` has one more than the limit where there are more.

        `place` gives what the list is ordered by; the query continues after exactly that.
        """
        kept = list(items[: self.limit])
        if len(items) <= self.limit:
            return kept, None
        return kept, self.next_after(place(kept[-1]))

    def next_after(self, place: tuple[str, ...]) -> str:
        """Return the cursor of the page that begins after a place."""
        return self.keyring.token(SEPARATOR.join(place).encode(), scope=self.scope)


async def page(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many items at most.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`nextCursor` of the page before.")
    ] = None,
) -> Page:
    """Read `limit` and `cursor`; a cursor of another list is a fault."""
    roles_for(request)
    keyring = parts_of(request).keyring
    scope = request.scope["route"].path
    if cursor is None:
        return Page(limit, None, keyring, scope)
    read = keyring.read_token(cursor, scope=scope)
    if read is None:
        raise Invalid(Fault("/cursor", "is not a cursor of this list"))
    return Page(limit, tuple(read.decode().split(SEPARATOR)), keyring, scope)


PageIn = Annotated[Page, Depends(page)]


def moment_and_id(asked: Page) -> tuple[datetime, UUID] | None:
    """Return the place of a cursor in a list that is ordered by moment and id."""
    if asked.after is None:
        return None
    at, id_ = asked.after
    return datetime.fromisoformat(at), UUID(id_)
