"""The access log on the wire, all of it, and its review: for administrators, who can open none of what it names."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from app.accounts import access_log
from app.accounts.access_log import AccessLogFilter, AccessLogRow, LogReview, ReviewPeriod
from app.allocation.figures.review import MOST_DAYS, ReviewFinding
from app.api.kit.access import ROUTES
from app.api.kit.known import Text
from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import Line, Out, parse_optional, text_of
from app.api.registry.places import Moment
from app.deps import Tx

router = APIRouter(tags=["Access log"])

ACTIONS = frozenset({*(row.action for row in ROUTES.values() if row.action), "erase", "try"})
"""What can stand in the log: each route's, and what only the operator and the worker do."""


def _action(code: str) -> str:
    if code not in ACTIONS:
        message = "is not one of the actions"
        raise ValueError(message)
    return code


def _described(schema: JsonDict) -> None:
    schema["enum"] = [*sorted(ACTIONS)]


Action = Annotated[Text, AfterValidator(_action), Field(json_schema_extra=_described)]


class LoggedOut(Out):
    """An entry of the access log: who did or wanted what, when and why. Whose content it was is left out."""

    event_id: str
    at: datetime
    action: str = Field(examples=["read"])
    outcome: str = Field(description="granted or refused")
    account_id: str | None = Field(description="None where nobody we know asked.")
    roles: list[str]
    provider_id: str | None = Field(description="Whom the account works for.")
    purpose: str | None = Field(description="Why, as a code, where one was given.")
    object_type: str = Field(examples=["referral"])
    object_id: str | None = Field(description="Opaque; none for a list.")
    source: str | None = Field(description="Network address that the request came from.")
    request_id: str | None

    @classmethod
    def of(cls, row: AccessLogRow) -> "LoggedOut":
        """Show an entry."""
        return cls(
            event_id=str(row.id),
            at=row.at,
            action=row.action,
            outcome=row.outcome,
            account_id=text_of(row.account_id),
            roles=row.roles,
            provider_id=text_of(row.provider_id),
            purpose=row.purpose,
            object_type=row.object_type,
            object_id=text_of(row.object_id),
            source=row.source,
            request_id=row.request_id,
        )


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

    @classmethod
    def of(cls, finding: ReviewFinding, reviewed: LogReview) -> "FindingOut":
        """Show a finding."""
        return cls(
            code=finding.code,
            account_id=finding.account_id,
            provider_id=finding.provider_id,
            roles=list(finding.roles),
            count=finding.count,
            threshold=finding.threshold,
            since=reviewed.since,
            until=reviewed.until,
        )


class FindingList(Out):
    """A page of findings."""

    items: list[FindingOut]
    next_cursor: str | None


async def asked_for(
    action: Annotated[Action | None, Query(description="Only this action.")] = None,
    outcome: Annotated[
        Literal["granted", "refused"] | None, Query(description="Only this outcome.")
    ] = None,
    account: Annotated[Line | None, Query(description="Only what this account did.")] = None,
    since: Annotated[Moment | None, Query(alias="from", description="From this moment on.")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Before this moment.")] = None,
) -> AccessLogFilter:
    """Read which entries are asked for."""
    return AccessLogFilter(action, outcome, parse_optional(account), since, until)


@router.get(
    "/access-log",
    response_model=LoggedList,
    operation_id="listAccessLog",
    summary="Who looked at what",
)
async def listed(
    tx: Tx, page: PageIn, wanted: Annotated[AccessLogFilter, Depends(asked_for)]
) -> Response:
    """List the entries of the access log, newest first. That they were read is an entry as well.

    Ids of objects are opaque: an administrator can open none of them. Which referrals a look
    touched is not told.
    """
    found = await access_log.list_entries(tx, wanted, limit=page.limit + 1, after=_place(page))
    items, cursor = page.cut(found, place=lambda row: (row.at.isoformat(), str(row.id)))
    return LoggedList(items=[LoggedOut.of(row) for row in items], next_cursor=cursor).reply()


@router.get(
    "/access-reviews",
    response_model=FindingList,
    operation_id="reviewAccess",
    summary="What should be asked about",
)
async def review(
    tx: Tx,
    page: PageIn,
    days: Annotated[
        int,
        Query(ge=1, le=MOST_DAYS, description="How many days back; a cursor goes on with its own."),
    ] = 7,
) -> Response:
    """Review the access log of some days: what reaches a threshold of the policy, by code, the most of each first."""
    span, seen = _continued(page) or (access_log.last_days(tx, days=days), 0)
    reviewed = await access_log.review_log(tx, span)
    place = (span.since.isoformat(), span.until.isoformat(), str(seen + page.limit))
    items, cursor = page.cut(reviewed.findings[seen:], place=lambda _: place)
    return FindingList(
        items=[FindingOut.of(finding, reviewed) for finding in items], next_cursor=cursor
    ).reply()


def _place(page: Page) -> tuple[datetime, int] | None:
    if page.after is None:
        return None
    at, id_ = page.after
    return datetime.fromisoformat(at), int(id_)


def _continued(page: Page) -> tuple[ReviewPeriod, int] | None:
    """Return the days that a cursor belongs to, and how much of what was found there has been sent."""
    if page.after is None:
        return None
    since, until, seen = page.after
    return ReviewPeriod(datetime.fromisoformat(since), datetime.fromisoformat(until)), int(seen)
