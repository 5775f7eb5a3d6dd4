"""Who looked, for the providers concerned: at a referral, for its client to be shown; and at what a shelter guards."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.accounts import access_log
from app.accounts.access_log import AccessByProvider
from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import Out, parse, text_of
from app.deps import Tx

router = APIRouter(tags=["Access log"])

SITE, REFERRAL = "site", "referral"
"""What a notice is about."""
DIGITS = 18
"""Of an event's id: more events than there will ever be."""


class AccessOut(Out):
    """One look at a referral, as its client may be shown it."""

    at: datetime
    action: str
    outcome: str = Field(description="granted or refused")
    object_type: str = Field(
        description="What was looked at: the referral itself, a ranking of it, a hold..."
    )
    provider_id: str | None
    provider: str | None = Field(description="Its name; none for auditors.")
    account_id: str | None
    roles: list[str]
    purpose: str | None

    @classmethod
    def of(cls, look: AccessByProvider) -> "AccessOut":
        """Show a look, and nothing of other referrals that it was at as well."""
        row = look.row
        return cls(
            at=row.at,
            action=row.action,
            outcome=row.outcome,
            object_type=row.object_type,
            provider_id=text_of(row.provider_id),
            provider=look.provider,
            account_id=text_of(row.account_id),
            roles=row.roles,
            purpose=row.purpose,
        )


class AccessList(Out):
    """A page of looks."""

    items: list[AccessOut]
    next_cursor: str | None


class NoticeOut(Out):
    """Who had an address of an own site, or wanted it; or who broke the own glass, or tried to."""

    event_id: str = Field(description="The id that an event `access` names.")
    at: datetime
    action: str = Field(description="reveal or break_glass")
    outcome: str = Field(description="granted or refused")
    site_id: str | None = Field(description="Of which own site; none for a broken glass.")
    referral_id: str | None = Field(description="Of which own referral; none for an address.")
    provider_id: str | None = Field(description="For whom they work who asked.")
    provider: str | None = Field(description="Its name.")
    account_id: str | None
    purpose: str | None = Field(
        description="Why, as a code; none where it was refused before anything was looked for."
    )

    @classmethod
    def of(cls, look: AccessByProvider) -> "NoticeOut":
        """Show a notice."""
        row = look.row
        return cls(
            event_id=str(row.id),
            at=row.at,
            action=row.action,
            outcome=row.outcome,
            site_id=text_of(row.object_id) if row.object_type == SITE else None,
            referral_id=text_of(row.object_id) if row.object_type == REFERRAL else None,
            provider_id=text_of(row.provider_id),
            provider=look.provider,
            account_id=text_of(row.account_id),
            purpose=row.purpose,
        )


class NoticeList(Out):
    """A page of notices."""

    items: list[NoticeOut]
    next_cursor: str | None


@router.get(
    "/referrals/{id}/accesses",
    response_model=AccessList,
    operation_id="listAccesses",
    summary="Who looked at a referral",
)
async def of_referral(id: str, tx: Tx, page: PageIn) -> Response:
    """List who looked at one of the own provider's referrals, newest first, as its client may be shown it.

    Every look that was granted is there, whoever's: colleagues', the receiving provider's,
    auditors' replays, and those at this list. So is what was refused, where it named the referral.
    """
    found = await access_log.list_of_referral(
        tx, parse(id), limit=page.limit + 1, before=_before(page)
    )
    items, cursor = page.cut(found, place=lambda look: (str(look.row.id),))
    return AccessList(items=[AccessOut.of(look) for look in items], next_cursor=cursor).reply()


@router.get(
    "/access-notices",
    response_model=NoticeList,
    operation_id="listAccessNotices",
    summary="Who had an address, or broke the glass",
)
async def notices(
    tx: Tx,
    page: PageIn,
    after: Annotated[
        str | None,
        Query(
            pattern=f"^[0-9]{{1,{DIGITS}}}$",
            description="The newest `eventId` seen: only what came since.",
        ),
    ] = None,
) -> Response:
    """List who had an address of an own site or wanted one, and who broke the own glass or tried to, newest first.

    A live event `access` names the `eventId` as soon as something was granted.
    """
    since = None if after is None else int(after)
    found = await access_log.list_notices(
        tx, limit=page.limit + 1, before=_before(page), after=since
    )
    items, cursor = page.cut(found, place=lambda look: (str(look.row.id),))
    return NoticeList(items=[NoticeOut.of(look) for look in items], next_cursor=cursor).reply()


def _before(page: Page) -> int | None:
    return None if page.after is None else int(page.after[0])
