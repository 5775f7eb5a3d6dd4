"""The access log on the wire, for administrators.

They can open none of the objects that the log names.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from app.accounts import access_log
from app.accounts.access_log import AccessLogFilter
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


def _place(page: ListRequest) -> tuple[datetime, int] | None:
    if page.after is None:
        return None
    at, id_ = page.after
    return datetime.fromisoformat(at), int(id_)
