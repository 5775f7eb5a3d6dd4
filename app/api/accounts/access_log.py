"""The access log and its review on the wire, for administrators.

They can open none of the objects that the log names.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from app.accounts import access_log
from app.accounts.access_log import AccessLogFilter, ReviewPeriod
from app.allocation.figures.review import MOST_DAYS
from app.api.kit.access import ROUTES
from app.api.kit.known_codes import Text
from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.wire import AsText, Id, Line, Moment, Out, parse_optional_id
from app.deps import Tx

router = APIRouter(tags=["Access log"])

ACTIONS = frozenset(
    {*(row.action for row in ROUTES.values() if row.action), "erase", "try", "reject", "open_desk"}
)
"""What can stand in the log: each route's, and what only the operator and the worker do."""


def _action(code: str) -> str:
    if code not in ACTIONS:
        message = "is not one of the actions"
        raise ValueError(message)
    return code


def _name_actions(schema: JsonDict) -> None:
    schema["enum"] = [*sorted(ACTIONS)]


Action = Annotated[Text, AfterValidator(_action), Field(json_schema_extra=_name_actions)]


class LoggedOut(
    Out,
    json_schema_extra={
        "description": "An entry of the access log: who did or wanted what, when and why. Whose "
        "content it was is left out."
    },
):
    """An entry of the access log, without the referrals that it is about."""

    event_id: AsText = Field(validation_alias="id")
    at: datetime
    action: str = Field(examples=["read"])
    outcome: str = Field(description="granted or refused")
    account_id: Id | None = Field(description="None where nobody we know asked.")
    roles: list[str]
    provider_id: Id | None = Field(description="Whom the account works for.")
    purpose: str | None = Field(description="Why, as a code, where one was given.")
    object_type: str = Field(examples=["referral"])
    object_id: Id | None = Field(description="Opaque; none for a list.")
    source: str | None = Field(description="Network address that the request came from.")
    request_id: str | None


class LoggedList(Out):
    """A page of entries."""

    items: list[LoggedOut]
    next_cursor: str | None


class FindingOut(Out):
    """Something to ask an account about; it does not say that anything was wrong."""

    code: str = Field(
        description="rankings_without_hold, zone_changes, reveals, same_referral or odd_hours"
    )
    account_id: str
    provider_id: str | None
    roles: list[str]
    count: int
    threshold: int = Field(description="From how many on the policy asks.")
    since: datetime
    until: datetime


class FindingList(Out):
    """A page of findings."""

    items: list[FindingOut]
    next_cursor: str | None


async def read_filter(
    action: Annotated[Action | None, Query(description="Only this action.")] = None,
    outcome: Annotated[
        Literal["granted", "refused"] | None, Query(description="Only this outcome.")
    ] = None,
    account: Annotated[Line | None, Query(description="Only what this account did.")] = None,
    since: Annotated[Moment | None, Query(alias="from", description="From this moment on.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Before this moment.")] = None,
) -> AccessLogFilter:
    """Read which entries are asked for."""
    return AccessLogFilter(action, outcome, parse_optional_id(account), since, until)


@router.get(
    "/access-log",
    response_model=LoggedList,
    summary="Who looked at what",
)
async def list_access_log(
    tx: Tx, page: ListIn, wanted: Annotated[AccessLogFilter, Depends(read_filter)]
) -> Response:
    """List the entries of the access log, newest first; this reading is an entry as well.

    Ids of objects are opaque: an administrator can open none of them. Which referrals a look
    touched is not told.
    """
    found = await access_log.list_entries(tx, wanted, limit=page.limit + 1, after=_place(page))
    return LoggedList.of(
        page.cut(found, place=lambda row: (row.at.isoformat(), str(row.id)))
    ).reply()


@router.get(
    "/access-reviews",
    response_model=FindingList,
    summary="What should be asked about",
    description="Review the access log of some days: what reaches a threshold of the policy, by "
    "code, the most of each first.",
)
async def review_access(
    tx: Tx,
    page: ListIn,
    days: Annotated[
        int,
        Query(ge=1, le=MOST_DAYS, description="How many days back; a cursor goes on with its own."),
    ] = 7,
) -> Response:
    """Review the access log of some days by the thresholds of the policy."""
    span, seen = _continuation(page) or (access_log.last_days(tx, days=days), 0)
    reviewed = await access_log.review_log(tx, span)
    place = (span.since.isoformat(), span.until.isoformat(), str(seen + page.limit))
    items, cursor = page.cut(reviewed.findings[seen:], place=lambda _: place)
    shown = [FindingOut.of(one, since=reviewed.since, until=reviewed.until) for one in items]
    return FindingList(items=shown, next_cursor=cursor).reply()


def _place(page: ListRequest) -> tuple[datetime, int] | None:
    if page.after is None:
        return None
    at, id_ = page.after
    return datetime.fromisoformat(at), int(id_)


def _continuation(page: ListRequest) -> tuple[ReviewPeriod, int] | None:
    """Return the days that a cursor belongs to, and how many of its findings were sent."""
    if page.after is None:
        return None
    since, until, seen = page.after
    return ReviewPeriod(datetime.fromisoformat(since), datetime.fromisoformat(until)), int(seen)
