"""Looks on the wire: at a referral, for its client, and at what a shelter guards."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AliasPath, Field

from app.accounts import access_log
from app.accounts.access_log import AccessByProvider
from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.wire import AsText, Id, Out, aliases_from, parse_id
from app.deps import Tx

router = APIRouter(tags=["Access log"])

SITE, REFERRAL, HOLD = "site", "referral", "hold"
"""What a notice is about."""
DIGITS = 18
"""Of an event's id: more events than there will ever be."""


class AccessOut(Out, alias_generator=aliases_from("row")):
    """One look at a referral, as its client may be shown it."""

    at: datetime
    action: str
    outcome: str = Field(description="granted or refused")
    object_type: str = Field(
        description="What was looked at: the referral itself, a ranking of it, a hold..."
    )
    provider_id: Id | None
    provider: str | None = Field(description="Its name; none for auditors.")
    account_id: Id | None
    roles: list[str]
    purpose: str | None


class AccessList(Out):
    """A page of looks."""

    items: list[AccessOut]
    next_cursor: str | None


class NoticeOut(Out, alias_generator=aliases_from("row")):
    """What coordinators are told of: addresses and proposals of sites, a broken glass, looks."""

    event_id: AsText = Field(
        validation_alias=AliasPath("row", "id"), description="The id that an event `access` names."
    )
    at: datetime
    action: str = Field(
        description="reveal, propose, approve, reject, break_glass, take_over, raise, danger_look, "
        "give_back: a place whose address was seen was given back, or of an account: invite, "
        "reset, change, enable, disable, refuse, or open_desk: an administrator's act took effect"
    )
    outcome: str = Field(description="granted or refused")
    site_id: Id | None = Field(description="The own site, if it is about one.")
    referral_id: Id | None = Field(description="The own referral, for a broken glass.")
    hold_id: Id | None = Field(description="At which own hold, for a danger look.")
    provider_id: Id | None = Field(description="For whom they work who asked.")
    provider: str | None = Field(description="Its name.")
    account_id: Id | None
    purpose: str | None = Field(
        description="Why, as a code; none where it was refused before anything was looked for."
    )


class NoticeList(Out):
    """A page of notices."""

    items: list[NoticeOut]
    next_cursor: str | None


@router.get(
    "/referrals/{id}/accesses",
    response_model=AccessList,
    summary="Who looked at a referral",
    description="List who looked at one of the own provider's referrals, newest first, as its "
    "client may be shown it.\n\n"
    "Every look that was granted is there: colleagues', the receiving provider's,\n"
    "auditors' replays, and those at this list. So is what was refused, where it named the "
    "referral.",
)
async def list_accesses(id: str, tx: Tx, page: ListIn) -> Response:
    """List who looked at one of the own provider's referrals, newest first."""
    found = await access_log.list_of_referral(
        tx, parse_id(id), limit=page.limit + 1, before=_before(page)
    )
    return AccessList.of(page.cut(found, place=lambda look: (str(look.row.id),))).reply()


@router.get(
    "/access-notices",
    response_model=NoticeList,
    summary="What coordinators are told of",
    description="List who had an address of an own site or wanted one, who proposed, approved or "
    "rejected a site, who broke the own glass or tried to, and who looked at where an own "
    "household flees from before accepting it, newest first.\n\n"
    "A live event `access` names the `eventId` as soon as something was granted.",
)
async def list_access_notices(
    tx: Tx,
    page: ListIn,
    after: Annotated[
        str | None,
        Query(
            pattern=f"^[0-9]{{1,{DIGITS}}}$",
            description="The newest `eventId` seen: only what came since.",
        ),
    ] = None,
) -> Response:
    """List what the own coordinators are told of."""
    since = None if after is None else int(after)
    found = await access_log.list_notices(
        tx, limit=page.limit + 1, before=_before(page), after=since
    )
    items, cursor = page.cut(found, place=lambda look: (str(look.row.id),))
    return NoticeList(items=[_notice(look) for look in items], next_cursor=cursor).reply()


def _notice(look: AccessByProvider) -> NoticeOut:
    about, object_id = look.row.object_type, look.row.object_id
    return NoticeOut.of(
        look,
        site_id=object_id if about == SITE else None,
        referral_id=object_id if about == REFERRAL else None,
        hold_id=object_id if about == HOLD else None,
    )


def _before(page: ListRequest) -> int | None:
    return None if page.after is None else int(page.after[0])
